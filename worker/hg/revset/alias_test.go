// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"testing"
	"time"
)

// TestAliases compares what aliases make of expressions, the warnings
// included.
func TestAliases(t *testing.T) {
	hg, repo := build(t)
	sets := [][]Alias{
		{{"sincem", "last(merge())::"}, {"upto(set)", "::set"}, {"d($1)", "desc($1)"}, {"both(a, b)", "a or b"}, {"none2()", "none()"}},
		{{"loop", "loop2"}, {"loop2", "3 + loop"}, {"f(x)", "g(x)"}, {"g(x)", "f(x)"}},
		{{"badx", "("}, {"bady", "zz("}, {"q($1)", "$2"}, {"$x", "1"}, {"f(1+2)", "2"}, {"f(a,a)", "2"}, {"1+2", "2"}, {"'b'", "2"}, {"$f(x)", "1"}, {"h()", "$1 + 3"}},
		{{"heads", "3"}, {"s", `"stable"`}, {"cat(a, b)", "a ## b"}, {"both(a, b)", "b + a"}, {"c", "first(all(), 4)"}, {"c", "2"}},
		{{"tip", "0"}, {"3", "5"}, {"default", "7"}, {"rev(n)", "n"}, {"k(x)", "limit(x, n=2)"}, {"n", "offset"}},
	}
	exprs := []string{
		"0", "sincem", "upto(5)", "upto(sincem)", "upto(3 + 4)", "d(add)", "both(3, 5)", "both(both(1, 2), upto(2))", "both(3)", "none2()", "none2(1)", "none2", "sincem()", "upto",
		"loop", "f(3)", "3 + f(loop)", "badx", "bady", "q(1)", "h()", "f(1)", "'b'", "b",
		"heads(all())", "heads", "branch(s)", "branch(cat(sta, ble))", "cat(1, 0)", "both(5:3, 9)", "c", "both(s, s)",
		"tip", "'tip'", "3", "3:default", "rev(9)", "k(all())", "limit(all(), n=2)", "nosuch(3)", "uptoo(3)",
	}
	checked := 0
	for _, aliases := range sets {
		var args []string
		for _, a := range aliases {
			args = append(args, "--config", "revsetalias."+a.Declaration+"="+a.Definition)
		}
		opts := &Options{Aliases: aliases, Now: time.Now()}
		for _, e := range exprs {
			if compare(t, hg, repo, e, opts, args...) {
				checked++
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d were native", checked)
	}
}

// TestSeveral compares unions of several -r.
func TestSeveral(t *testing.T) {
	hg, repo := build(t)
	opts := &Options{Now: time.Now()}
	for _, exprs := range [][]string{{"3", "1"}, {"5:3", "4:9"}, {"foo-bar", "1.0", "tip"}, {"3", "nosuch"}, {"3", ""}, {"(", "3"}, {"3", "4("}, {"null"}, {"."}, {"3", "3"}, {"reverse(all())", "wdir()"}} {
		stdout, stderr, err := answer(repo, exprs, opts)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"log", "-T", `{rev}\n`}
		for _, e := range exprs {
			args = append(args, "-r", e)
		}
		wantOut, wantErr := hg.run(t, args...)
		if stdout != wantOut || stderr != wantErr {
			t.Errorf("%q\ngot  %q %s\nwant %q %s", exprs, stdout, stderr, wantOut, wantErr)
		}
	}
}
