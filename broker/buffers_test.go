// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/protocol"
	"hgbroker/worker/hg/hgtest"
)

// TestLinesOfBuffers compares hg/lineDiff with the hunks of real hg's diff -U0,
// and hg/annotate with real hg's annotate, of a file on disk and of the same text
// as an unsaved buffer.
func TestLinesOfBuffers(t *testing.T) {
	real := hgtest.Hg(t)
	dir := hgtest.Extract(t, "merges-renames")
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real)
	c := w.withEnv()
	hg := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(real, args...)
		cmd.Dir, cmd.Env = dir, append(hgtest.BaseEnv(), "HGUSER=ada")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return string(out)
	}
	files := strings.Fields(hg("files"))
	if len(files) < 3 {
		t.Fatalf("%q", files)
	}
	asked := 0
	for _, name := range files {
		committed := hg("cat", name)
		if strings.ContainsRune(committed, 0) {
			continue
		}
		for _, text := range []string{committed, "first\n" + committed, strings.TrimSuffix(committed, "\n"), "", committed + "last", strings.ReplaceAll(committed, "e", "E")} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			var want []protocol.LineHunk
			for line := range strings.Lines(hg("diff", "--git", "-U0", name)) {
				var h protocol.LineHunk
				if n, _ := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &h.OldStart, &h.OldLines, &h.NewStart, &h.NewLines); n == 4 {
					want = append(want, h)
				}
			}
			unsaved := protocol.Text(text)
			for _, content := range []*protocol.Text{nil, &unsaved} {
				if content != nil { // what is on disk does not count then
					if err := os.WriteFile(filepath.Join(dir, name), []byte("elsewhere\n"), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				asked++
				var d protocol.LineDiffResult
				p := protocol.LineDiffParams{Place: protocol.Place{Cwd: protocol.Text(dir)}, URI: protocol.Text(name), Content: content}
				if err := c.Call(w.context(), protocol.MethodLineDiff, p, &d); err != nil {
					t.Fatal(err)
				}
				if fmt.Sprint(d.Hunks) != fmt.Sprint(want) || string(d.Path) != name {
					t.Errorf("%s as %q: %+v, want %+v", name, text, d, want)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(committed), 0o666); err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.Lines(hg("annotate", "-c", "-l", "-f", "-T", "{lines % '{node} {lineno} {path}\n'}", name)) {
			want = append(want, strings.TrimSuffix(line, "\n"))
		}
		for _, rev := range []protocol.Text{"", "."} {
			asked++
			var a protocol.AnnotateResult
			p := protocol.AnnotateParams{Place: protocol.Place{Cwd: protocol.Text(dir)}, URI: protocol.Text(name), Rev: rev}
			if err := c.Call(w.context(), protocol.MethodAnnotate, p, &a); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range a.Lines {
				node, path := "none", a.Path
				if l.Commit >= 0 {
					node = a.Commits[l.Commit].Node
				}
				if l.Path != "" {
					path = l.Path
				}
				got = append(got, fmt.Sprintf("%s %d %s", node, l.Line, path))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("annotate %s -r %q:\n%q\nwant\n%q", name, rev, got, want)
			}
		}
	}
	if asked < 20 {
		t.Errorf("only %d questions", asked)
	}
}
