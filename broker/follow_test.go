// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
	"hgbroker/worker/hg/hgtest"
)

// TestDidChange lets real hg change a repository that a client has open: every
// command is told once, and what reads is not told at all.
func TestDidChange(t *testing.T) {
	real := hgtest.Hg(t)
	dir := hgtest.Extract(t, "merges-renames")
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real)
	told := make(chan protocol.DidChangeParams, 100)
	c, err := client.Start(client.Options{Executable: w.exe, Args: w.flags, Env: hgtest.BaseEnv(), Dir: w.dir, Stderr: os.Stderr,
		Notify: func(method string, params json.RawMessage) {
			var p protocol.DidChangeParams
			if method == protocol.MethodDidChange && json.Unmarshal(params, &p) == nil {
				told <- p
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w.initialize(c)
	place := protocol.Place{Repository: protocol.Text(dir)}
	var open protocol.OpenResult
	if err := c.Call(w.context(), protocol.MethodOpen, protocol.OpenParams{Place: place}, &open); err != nil {
		t.Fatal(err)
	}
	if string(open.Root) != dir || !open.Watched || !open.Native || open.Generation == "" || !slices.Contains(open.Requirements, "store") {
		t.Errorf("%+v", open)
	}
	hg := func(args ...string) {
		t.Helper()
		cmd := exec.Command(real, args...)
		cmd.Dir, cmd.Env = dir, hgtest.BaseEnv()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	generation := open.Generation
	for _, step := range []struct {
		text string
		args []string
		kind string
	}{
		{"one\n", []string{"commit", "-m", "one"}, "commits"},
		{"", []string{"bookmark", "-r", "0", "here"}, "refs"},
		{"", []string{"phase", "--public", "-r", "0"}, "commits"},
		{"two\n", []string{"commit", "-m", "two"}, "commits"},
		{"", []string{"update", "-q", "-r", "0"}, "state"},
		{"", []string{"branch", "-q", "other"}, "state"},
	} {
		if step.text != "" {
			write(step.text)
		}
		for _, read := range [][]string{{"log", "-l3"}, {"status"}, {"identify"}} {
			if _, err := c.Hg(w.context(), dir, read...); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case p := <-told:
			t.Errorf("before %q: told %+v", step.args, p)
		default:
		}
		hg(step.args...)
		select {
		case p := <-told:
			if string(p.Root) != dir || p.Generation == generation || !slices.Contains(p.Kinds, step.kind) {
				t.Errorf("after %q: told %+v", step.args, p)
			}
			generation = p.Generation
		case <-time.After(patience):
			t.Fatalf("after %q: told nothing", step.args)
		}
	}
	var null any
	if err := c.Call(w.context(), protocol.MethodClose, protocol.CloseParams{Place: place}, &null); err != nil {
		t.Fatal(err)
	}
	hg("branch", "-q", "third")
	if err := c.Call(w.context(), protocol.MethodClose, protocol.CloseParams{Place: place}, &null); err == nil {
		t.Error("it was closed twice")
	}
	select {
	case p := <-told:
		t.Errorf("told once more: %+v", p)
	default:
	}
}
