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

// agent is a client of `hgbroker mcp`.
type agent struct {
	*client.Client
	w *world
}

func (w *world) agent(flags ...string) *agent {
	w.t.Helper()
	c, err := client.Start(client.Options{Executable: w.exe, Args: slices.Concat([]string{"mcp"}, w.flags, flags), Env: append(hgtest.BaseEnv(), "HGUSER=ada"),
		Dir: w.dir, Stderr: os.Stderr, Framing: protocol.FramingLines})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	var r protocol.McpInitializeResult
	if err := c.Call(w.context(), protocol.MethodInitialize, protocol.McpInitializeParams{ProtocolVersion: "2025-03-26"}, &r); err != nil {
		w.t.Fatal(err)
	}
	if r.ProtocolVersion != "2025-03-26" || r.ServerInfo.Name != "hgbroker" {
		w.t.Errorf("%+v", r)
	}
	if err := c.Notify(protocol.McpInitialized, nil); err != nil {
		w.t.Fatal(err)
	}
	return &agent{c, w}
}

// call is a tool's text; "!" comes before that of a tool that failed.
func (a *agent) call(name string, arguments map[string]any) (string, error) {
	a.w.t.Helper()
	b, err := json.Marshal(arguments)
	if err != nil {
		a.w.t.Fatal(err)
	}
	var r protocol.McpCallResult
	if err := a.Call(a.w.context(), protocol.McpCallTool, protocol.McpCallParams{Name: name, Arguments: b}, &r); err != nil {
		return "", err
	}
	if len(r.Content) != 1 || r.Content[0].Type != "text" {
		a.w.t.Fatalf("%s: %+v", name, r)
	}
	if r.IsError {
		return "!" + r.Content[0].Text, nil
	}
	return r.Content[0].Text, nil
}

func (a *agent) tools() []string {
	a.w.t.Helper()
	var r struct{ Tools []protocol.McpTool }
	if err := a.Call(a.w.context(), protocol.McpListTools, nil, &r); err != nil {
		a.w.t.Fatal(err)
	}
	var names []string
	for _, t := range r.Tools {
		names = append(names, t.Name)
		if t.Description == "" || t.InputSchema.Type != "object" || t.InputSchema.Properties["repository"].Type == "" || t.Annotations.ReadOnly != (t.Name != "hg_run") {
			a.w.t.Errorf("%+v", t)
		}
		for name, p := range t.InputSchema.Properties {
			if p.Description == "" || p.Type == "" {
				a.w.t.Errorf("%s: argument %s is not described", t.Name, name)
			}
		}
	}
	return names
}

func TestAgentReads(t *testing.T) {
	dir := hgtest.Extract(t, "merges-renames")
	a := newWorld(t).agent("--fallback=never")
	want := []string{"hg_state", "hg_status", "hg_log", "hg_diff", "hg_annotate", "hg_cat", "hg_search"}
	if got := a.tools(); !slices.Equal(got, want) {
		t.Errorf("tools %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("one\ntwo\nthree\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tool      string
		arguments map[string]any
		has       string
	}{
		{"hg_state", nil, `"branch": "default"`},
		{"hg_status", nil, "M a\n"},
		{"hg_log", map[string]any{"limit": 1}, "changeset 10:ba12b1e838b5  Ada Stone"},
		{"hg_log", map[string]any{"revset": "nowhere"}, "unknown revision 'nowhere'"},
		{"hg_log", map[string]any{"revset": "--config=ui.x=y"}, "!error: "},
		{"hg_diff", nil, "+three\n"},
		{"hg_cat", map[string]any{"path": "a"}, "x\nmore\n"},
		{"hg_cat", map[string]any{"path": "a", "firstLine": 2, "lastLine": 2}, "more\n"},
		{"hg_search", map[string]any{"pattern": "tw."}, "a:2:two\n"},
		{"hg_search", map[string]any{"pattern": "nobody wrote this"}, "(nothing)"},
		{"hg_annotate", map[string]any{"path": "a", "rev": "."}, ": more\n"},
	} {
		arguments := map[string]any{"repository": dir}
		for k, v := range c.arguments {
			arguments[k] = v
		}
		got, err := a.call(c.tool, arguments)
		if err != nil || !strings.Contains(got, c.has) {
			t.Errorf("%s %v: %q, %v; want %q in it", c.tool, c.arguments, got, err, c.has)
		}
	}
	for _, wrong := range []map[string]any{{"path": 5}, {}, {"path": "a", "nonsense": true}, {"path": "a", "cursor": "x"}, {"path": "a", "firstLine": -1}} {
		if got, err := a.call("hg_cat", wrong); err == nil {
			t.Errorf("%v was answered with %q", wrong, got)
		}
	}
	if _, err := a.call("hg_run", map[string]any{"args": []string{"root"}}); err == nil {
		t.Error("an agent that may only read ran a command")
	}
}

func TestAgentPages(t *testing.T) {
	w := newWorld(t)
	a := w.agent("--fallback=always", "--allow-writes")
	if got := a.tools(); !slices.Contains(got, "hg_run") {
		t.Errorf("tools %q", got)
	}
	lines, cursor := 0, ""
	for pages := 1; ; pages++ {
		arguments := map[string]any{"args": []string{"many", "3000"}}
		if cursor != "" {
			arguments["cursor"] = cursor
		}
		got, err := a.call("hg_run", arguments)
		if err != nil || len(got) > 64<<10 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		lines += strings.Count(got, "line ")
		_, rest, cut := strings.Cut(got, "go on with cursor \"")
		if !cut {
			if pages < 3 || lines != 3000 {
				t.Errorf("%d pages, %d lines", pages, lines)
			}
			return
		}
		cursor, _, _ = strings.Cut(rest, "\"")
	}
}
