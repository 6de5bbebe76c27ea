// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// expressions are valid and invalid ones, one a line. What hg prints for each is
// what is expected.
//
//go:embed testdata/expressions.txt
var expressionsText string

var expressions = strings.Split(strings.TrimSpace(expressionsText), "\n")

// answer is what `hg log -r expr -T '{rev}\n'` would print, by this package.
func answer(repo Repo, exprs []string, opts *Options) (stdout, stderr string, err error) {
	s, warnings, err := Eval(context.Background(), repo, exprs, opts)
	stderr = strings.Join(warnings, "")
	if err == nil {
		revs, e := s.Revs()
		err = e
		for _, r := range revs {
			stdout += fmt.Sprintf("%d\n", r)
		}
	}
	if err == nil {
		return stdout, stderr, nil
	}
	_, text, err := answerOf(err)
	return "", stderr + text, err
}

// answerOf is what hg would print for an error.
func answerOf(err error) (stdout, stderr string, _ error) {
	var a *hgerr.Abort
	if !errors.As(err, &a) {
		return "", "", err
	}
	prefix := a.Prefix
	if prefix == "" {
		prefix = "abort: "
	}
	stderr += prefix + a.Message + "\n"
	if a.Hint != "" {
		stderr += "(" + a.Hint + ")\n"
	}
	return "", stderr, nil
}

// compare evaluates expr both ways and returns whether it was native.
func compare(t *testing.T, hg *shell, repo Repo, expr string, opts *Options, more ...string) bool {
	t.Helper()
	stdout, stderr, err := answer(repo, []string{expr}, opts)
	if err != nil {
		if !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", expr, err)
		}
		return false
	}
	wantOut, wantErr := hg.run(t, append([]string{"log", "-r", expr, "-T", `{rev}\n`}, more...)...)
	if wantErr == crashed {
		return false
	}
	if wantErr != "" && !strings.HasPrefix(wantErr, "warning:") {
		wantOut = "" // some of it may come before the error
	}
	if stdout != wantOut || stderr != wantErr {
		t.Errorf("%s\ngot  %q %s\nwant %q %s", expr, strings.Fields(stdout), stderr, strings.Fields(wantOut), wantErr)
	}
	return true
}

func TestAgainstHg(t *testing.T) {
	hg, repo := build(t)
	opts := &Options{Now: time.Now(), Location: time.UTC}
	views := []struct {
		name string
		repo Repo
		args []string
	}{
		{"plain", repo, nil},
		{"indexed", indexedRepo{repo}, nil},
		{"hidden", indexedRepo{unhidden(repo)}, []string{"--hidden"}},
	}
	for _, v := range views {
		t.Run(v.name, func(t *testing.T) {
			native := 0
			for _, expr := range expressions {
				if expr != "" && compare(t, hg, v.repo, expr, opts, v.args...) {
					native++
				}
			}
			t.Logf("%d of %d expressions are native", native, len(expressions))
			if native < 350 {
				t.Errorf("only %d expressions are native", native)
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		r := rand.New(rand.NewPCG(17, 9))
		native, n := 0, 900
		if testing.Short() {
			n = 200
		}
		for range n {
			g := generator{r, repo.Len()}
			expr := g.expr(3)
			v := views[r.IntN(len(views))]
			if compare(t, hg, v.repo, expr, opts, v.args...) {
				native++
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		t.Logf("%d of %d expressions are native", native, n)
		if native < n*8/10 {
			t.Errorf("only %d expressions are native", native)
		}
	})
}

func unhidden(r *memRepo) *memRepo {
	all := *r
	all.all = true
	return &all
}

// generator makes random expressions, mostly valid.
type generator struct {
	r *rand.Rand
	n int
}

func (g generator) pick(s ...string) string { return s[g.r.IntN(len(s))] }

func (g generator) rev() string {
	if g.r.IntN(10) > 0 {
		return fmt.Sprint(g.r.IntN(g.n))
	}
	return g.pick("tip", ".", "null", "foo-bar", "stable", "-1", "@", "wdir()", "nosuch", "1.0")
}

func (g generator) expr(depth int) string {
	if depth == 0 {
		return g.rev()
	}
	x := func() string { return g.expr(g.r.IntN(depth)) }
	switch g.r.IntN(26) {
	case 0, 1:
		return x() + g.pick(" & ", " and ") + x()
	case 2, 3:
		return x() + g.pick(" + ", " or ", "|") + x()
	case 4:
		return x() + " - " + x()
	case 5:
		return "not " + x()
	case 6:
		return g.rev() + ":" + g.rev()
	case 7:
		return g.rev() + "::" + g.rev()
	case 8:
		return g.pick("::", ":") + g.rev()
	case 9:
		return g.rev() + g.pick("::", ":")
	case 10:
		return "(" + x() + ")" + g.pick("^", "^2", "~1", "~2", "^0", "~-1")
	case 11:
		return g.pick("reverse", "sort", "heads", "roots", "parents", "p1", "p2", "children", "max", "min", "first", "last", "present", "ancestors", "descendants", "only", "branch", "successors", "origin", "destination") + "(" + x() + ")"
	case 12:
		return g.pick("first", "last", "limit", "ancestors", "descendants") + "(" + x() + ", " + fmt.Sprint(g.r.IntN(5)) + ")"
	case 13:
		return "limit(" + x() + ", " + fmt.Sprint(g.r.IntN(4)) + ", " + fmt.Sprint(g.r.IntN(4)) + ")"
	case 14:
		return "sort(" + x() + ", " + g.pick("rev", "-rev", "branch", "user", "-date", "desc", "topo", "-topo", "node", `"branch -user"`) + ")"
	case 15:
		return "only(" + x() + ", " + x() + ")"
	case 16:
		return g.pick("all()", "draft()", "public()", "secret()", "merge()", "head()", "closed()", "bookmark()", "tag()", "branchpoint()", "obsolete()", "orphan()", "hidden()", "p1()", "none()", "unstable()", "stack()", "follow()")
	case 17:
		return g.pick("author(ada)", "author(bob)", "desc(add)", "keyword(f1)", "branch(default)", "branch(stable)", "file(f1)", `date("2001")`, `extra("source")`, "modifies(f1)")
	case 18:
		return "reverse(" + x() + ") + " + x()
	case 19:
		return "ancestor(" + x() + ", " + x() + ")"
	case 20:
		return "heads(commonancestors(" + x() + "))"
	case 21:
		return "(" + x() + ")#g[" + g.pick("-1", "1", "-2:1", "0:2", "-1:", "0") + "]"
	case 22:
		return g.pick("draft()", "secret()", "not public()", "public()") + " & ::(" + x() + ")"
	case 23:
		return "::(" + x() + ") - ::(" + x() + ")"
	case 24:
		return "(" + x() + ") % (" + x() + ")"
	default:
		return "(" + x() + ")"
	}
}
