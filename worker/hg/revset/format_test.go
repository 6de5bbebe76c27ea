// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/node"
)

// TestFormat compares with Mercurial's formatspec, asked through an extension.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	hg := initHg(t, dir)
	id, _ := node.FromHex("0123456789abcdef0123456789abcdef01234567")
	var b strings.Builder
	b.WriteString("from mercurial import revsetlang as l, error, registrar\nfrom mercurial.node import bin\nn = bin(b'" + id.Hex() + "')\n" +
		"cmdtable = {}\ncommand = registrar.command(cmdtable)\n@command(b'formatall', [], b'')\ndef formatall(ui, repo):\n")
	type call struct {
		expr string
		args []any
		py   string // the same arguments in Python
	}
	calls := []call{
		{"%r:: and %lr", []any{"10 or 11", []string{"this()", "that()"}}, "b'10 or 11', [b'this()', b'that()']"},
		{"%d:: and not %d::", []any{node.Rev(10), node.Rev(20)}, "10, 20"},
		{"%ld or %ld", []any{[]node.Rev{}, []node.Rev{1}}, "[], [1]"},
		{"%ld", []any{[]node.Rev{1, 5, -1}}, "[1, 5, -1]"},
		{"keyword(%s)", []any{"foo\xe9'\n\\\""}, `b'foo\xe9\'\n\\"'`},
		{"root(%ls)", []any{[]string{"a", "b'", "c"}}, `[b'a', b"b'", b'c']`},
		{"sort(%r, %ps)", []any{":", []string{"desc", "user"}}, "b':', [b'desc', b'user']"},
		{"%ls %ls", []any{[]string{}, []string{"x"}}, "[], [b'x']"},
		{"%lr", []any{[]string{"1", "2", "3", "4+5", "6"}}, "[b'1', b'2', b'3', b'4+5', b'6']"},
		{"%n %ln %ln", []any{id, []node.ID{id, id}, []node.ID{id}}, "n, [n, n], [n]"},
		{"100%% %d%%", []any{node.Rev(3)}, "3"},
		{"%d", nil, ""},
		{"%d", []any{node.Rev(1), node.Rev(2)}, "1, 2"},
		{"%", nil, ""},
		{"%l", []any{[]node.Rev{1}}, "[1]"},
		{"%z", []any{node.Rev(1)}, "1"},
		{"%r", []any{"1 +"}, "b'1 +'"},
	}
	for _, c := range calls {
		args := "b" + python.Repr(c.expr)
		if c.py != "" {
			args += ", " + c.py
		}
		b.WriteString(" try: ui.write(b'%s\\n' % l.formatspec(" + args + "))\n except error.ParseError as e: ui.write(b'error: %s\\n' % e.message)\n")
	}
	ext := filepath.Join(dir, "formatall.py")
	if err := os.WriteFile(ext, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".hg", "hgrc"), []byte("[extensions]\nformatall="+ext+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out, stderr := hg.run(t, "formatall")
	if stderr != "" {
		t.Fatal(stderr)
	}
	want := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(want) != len(calls) {
		t.Fatalf("%d answers for %d calls:\n%s", len(want), len(calls), out)
	}
	for i, c := range calls {
		got, err := Format(c.expr, c.args...)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want[i] {
			t.Errorf("%s %v\ngot  %s\nwant %s", c.expr, c.args, got, want[i])
		}
	}
}

// TestPair compares with `hg diff`, which ends in an error or names both sides.
func TestPair(t *testing.T) {
	hg, repo := build(t)
	for _, exprs := range [][]string{{"3"}, {"3", "5"}, {"5:3"}, {"3:3"}, {"3+3"}, {"none()"}, {"3", "none()"}, {"none()", "3"}, {"3", "3"}, {"::4"}, {"nosuch"}, {":"}, {"heads(all())"}, {"4", "foo("}} {
		args := []string{"diff", "-U0", "--config", "diff.git=no"}
		for _, e := range exprs {
			args = append(args, "-r", e)
		}
		want, wantErr := hg.run(t, args...)
		a, b, _, err := Pair(context.Background(), repo, exprs, nil)
		if err != nil {
			_, stderr, _ := answerOf(err)
			if stderr != wantErr {
				t.Errorf("%q: %q, want %q", exprs, stderr, wantErr)
			}
			continue
		}
		again := []string{"diff", "-U0", "--config", "diff.git=no", "-r", a.String()}
		if b != node.WdirRev {
			again = append(again, "-r", b.String())
		}
		// the options are quoted in the header
		strip := func(s string) string {
			var lines []string
			for _, l := range strings.Split(s, "\n") {
				if !strings.HasPrefix(l, "diff -r") {
					lines = append(lines, l)
				}
			}
			return strings.Join(lines, "\n")
		}
		if got, _ := hg.run(t, again...); strip(got) != strip(want) || wantErr != "" {
			t.Errorf("%q: %d and %d are not the pair (%s)", exprs, a, b, wantErr)
		}
	}
	for _, e := range []string{"3", "5:3", "none()", ""} {
		want, wantErr := hg.run(t, "identify", "-n", "-r", e)
		if e == "" {
			want, wantErr = "10\n", ""
		}
		r, _, err := Single(context.Background(), repo, e, nil)
		if err != nil {
			if _, stderr, _ := answerOf(err); stderr != wantErr {
				t.Errorf("%q: %q, want %q", e, stderr, wantErr)
			}
		} else if got := r.String() + "\n"; got != want {
			t.Errorf("%q: %s, want %s%s", e, got, want, wantErr)
		}
	}
}
