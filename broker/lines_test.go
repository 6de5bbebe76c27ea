// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
	"hgbroker/worker/hg/hgtest"
)

// TestLineMethods asks the same of a broker that never runs the real hg and of
// one that always does.
func TestLineMethods(t *testing.T) {
	real := hgtest.Hg(t)
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real)
	native := w.withEnv()
	byHg, err := client.Start(client.Options{Executable: w.exe, Args: slices.Concat(w.flags, []string{"--fallback=always"}),
		Env: hgtest.BaseEnv(), Dir: w.dir, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { byHg.Close() })
	w.initialize(byHg)

	questions := []struct{ method, params string }{
		{protocol.MethodRefs, `{}`}, {protocol.MethodRefs, `{"kinds":["tags"]}`}, {protocol.MethodRefs, `{"kinds":["stars"]}`},
		{protocol.MethodResolveRevset, `{"revset":"all()"}`}, {protocol.MethodResolveRevset, `{"revset":"reverse(0:)","limit":2}`},
		{protocol.MethodResolveRevset, `{"revset":"none()"}`}, {protocol.MethodResolveRevset, `{"revset":"nowhere"}`},
		{protocol.MethodResolveRevset, `{"revset":"foo("}`}, {protocol.MethodResolveRevset, `{}`},
		{protocol.MethodFiles, `{}`}, {protocol.MethodFiles, `{"rev":"0"}`}, {protocol.MethodFiles, `{"rev":"tip","include":["a*"]}`},
		{protocol.MethodFiles, `{"paths":["nothing"]}`}, {protocol.MethodConflicts, `{}`},
		{protocol.MethodConfig, `{"names":["ui"]}`}, {protocol.MethodConfig, `{"names":["ui.nothing"]}`}, {protocol.MethodPaths, `{}`},
		{protocol.MethodRender, `{"revset":"tip","template":"{node|short} {desc|firstline}\n"}`},
		{protocol.MethodRender, `{"revset":"tip","template":"{nothing("}`},
		{protocol.MethodDiff, `{"change":"tip"}`}, {protocol.MethodDiff, `{"rev":"0","rev2":"tip","format":"stat"}`},
		{protocol.MethodDiff, `{"rev":"0","format":"hunks","context":1}`}, {protocol.MethodDiff, `{"format":"picture"}`},
		{protocol.MethodCopySource, `{"uri":"a"}`}, {protocol.MethodCopySource, `{"uri":"a","rev":"tip"}`},
	}
	ask := func(c *client.Client, dir, method, params string) string {
		t.Helper()
		members := map[string]any{}
		if err := json.Unmarshal([]byte(params), &members); err != nil {
			t.Fatal(err)
		}
		members["cwd"] = dir
		var result map[string]any
		if err := c.Call(w.context(), method, members, &result); err != nil {
			return err.Error()
		}
		delete(result, "served")
		delete(result, "generation")
		b, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	answers, asked := 0, 0
	for _, name := range []string{"bookmarks-tags", "merging"} {
		dir := hgtest.Extract(t, name)
		for _, q := range questions {
			asked++
			got, want := ask(native, dir, q.method, q.params), ask(byHg, dir, q.method, q.params)
			if strings.Contains(got, "(-32803, Unsupported)") {
				t.Logf("%s: %s %s is not native: %s", name, q.method, q.params, got)
				continue
			}
			if got != want {
				t.Errorf("%s: %s %s\nnative: %s\nby hg:  %s", name, q.method, q.params, got, want)
			}
			answers++
		}
	}
	if answers < asked*3/4 {
		t.Errorf("of %d questions only %d were answered natively", asked, answers)
	}
}

// TestMethodsAreInTheSchema holds what the broker says it answers against the
// table that the schema is made of.
func TestMethodsAreInTheSchema(t *testing.T) {
	w := newWorld(t)
	r, err := w.start().Initialize(w.context(), protocol.InitializeParams{})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range protocol.Methods {
		if m.ToUs && !m.Notif {
			want = append(want, m.Name)
		}
	}
	slices.Sort(want)
	if !slices.Equal(r.Capabilities.Methods, want) {
		t.Errorf("answered: %q\nin the schema: %q", r.Capabilities.Methods, want)
	}
}

func TestRunBatch(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	var res protocol.RunBatchResult
	p := protocol.RunBatchParams{}
	for _, line := range []string{"say a", "both", "say b", "bytes", "where"} {
		p.Items = append(p.Items, protocol.RunParams{Args: text(strings.Fields(line)...), Cwd: protocol.Text(w.dir)})
	}
	if err := c.Call(w.context(), protocol.MethodRunBatch, p, &res); err != nil {
		t.Fatal(err)
	}
	want := []string{"a\n", "out1\nout2\n", "b\n", "caf\xe9", w.dir + "\n"}
	if len(res.Results) != len(want) {
		t.Fatalf("%d results", len(res.Results))
	}
	for i, r := range res.Results {
		var run protocol.RunResult
		if err := json.Unmarshal(r.Result, &run); err != nil || string(run.Stdout) != want[i] || (run.ExitCode == 3) != (i == 1) {
			t.Errorf("item %d: %s, %v", i, r.Result, err)
		}
	}
	p.Items[1].Stream = true
	if err := c.Call(w.context(), protocol.MethodRunBatch, p, &res); err == nil {
		t.Error("an item may not be streamed")
	}
}

// A command that writes, among commands that read, has its effect on those that
// come after it and on none before.
func TestRunBatchKeepsOrder(t *testing.T) {
	real := hgtest.Hg(t)
	dir := hgtest.Extract(t, "merges-renames")
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real)
	c, err := client.Start(client.Options{Executable: w.exe, Args: w.flags, Env: hgtest.BaseEnv(), Dir: w.dir, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w.initialize(c)
	p := protocol.RunBatchParams{}
	for _, line := range []string{"branch", "branch other", "branch", "bookmarks -q", "bookmark -f here", "bookmarks -q", "branch default", "branch"} {
		p.Items = append(p.Items, protocol.RunParams{Args: text(strings.Fields(line)...), Cwd: protocol.Text(dir)})
	}
	var res protocol.RunBatchResult
	if err := c.Call(w.context(), protocol.MethodRunBatch, p, &res); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range res.Results {
		var run protocol.RunResult
		if err := json.Unmarshal(r.Result, &run); err != nil {
			t.Fatalf("%+v", r)
		}
		first, _, _ := strings.Cut(string(run.Stdout), "\n")
		out = append(out, first)
	}
	want := []string{"default", "marked working directory as branch other", "other", "", "", "here", "marked working directory as branch default", "default"}
	if !slices.Equal(out, want) {
		t.Errorf("%q, want %q", out, want)
	}
}

func TestCatBatch(t *testing.T) {
	dir := hgtest.Extract(t, "merges-renames")
	w := newWorld(t)
	c := w.withEnv()
	var res protocol.CatBatchResult
	p := protocol.CatBatchParams{Items: []protocol.CatItem{{URI: "a"}, {URI: "nothing"}, {URI: protocol.Text("file://" + filepath.Join(dir, "a"))}}}
	p.Cwd = protocol.Text(dir)
	if err := c.Call(w.context(), protocol.MethodCatBatch, p, &res); err != nil {
		t.Fatal(err)
	}
	if len(res.Results) != 3 || res.Results[1].Error == nil || res.Results[1].Error.Data.Kind != "FileNotInRevision" {
		t.Fatalf("%+v", res.Results)
	}
	var a, b protocol.CatResult
	if err := json.Unmarshal(res.Results[0].Result, &a); err != nil || a.Content == "" {
		t.Errorf("%s, %v", res.Results[0].Result, err)
	}
	if err := json.Unmarshal(res.Results[2].Result, &b); err != nil || b.Content != a.Content {
		t.Errorf("%s, %v", res.Results[2].Result, err)
	}
}
