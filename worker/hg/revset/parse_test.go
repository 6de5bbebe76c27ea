// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

// stages is what `hg debugrevspec -p all` prints before the revisions.
func stages(expr string, lookup IsSymbol, aliases []Alias) (string, error) {
	var b strings.Builder
	show := func(name string, t *Tree) { fmt.Fprintf(&b, "* %s:\n%s\n", name, t) }
	t, err := parse(expr, lookup)
	if err != nil {
		return "", err
	}
	show("parsed", t)
	if t, _, err = expandAliases(t, aliases); err != nil {
		return b.String(), err
	}
	show("expanded", t)
	if t, err = foldConcat(t); err != nil {
		return b.String(), err
	}
	show("concatenated", t)
	if t, err = analyze(t); err != nil {
		return b.String(), err
	}
	show("analyzed", t)
	if err := checkNames(t); err != nil {
		return b.String(), err
	}
	show("optimized", optimize(t))
	return b.String(), nil
}

// TestStages compares the tree after each stage.
func TestStages(t *testing.T) {
	hg, repo := build(t)
	exprs := append([]string(nil), expressions...)
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		exprs = append(exprs, generator{r, repo.Len()}.expr(4))
	}
	// also what a parser should not like
	const chars = `()[]#:=,-|&+!~^%.'"\r@_/ab1 $`
	for range 400 {
		b := make([]byte, 1+r.IntN(8))
		for i := range b {
			b[i] = chars[r.IntN(len(chars))]
		}
		exprs = append(exprs, string(b))
	}
	checked := 0
	for _, expr := range exprs {
		if expr == "" {
			continue
		}
		got, err := stages(expr, Lookup(repo), nil)
		if hgerr.IsUnsupported(err) {
			continue
		}
		args := []string{"debugrevspec", "-p", "parsed", "-p", "expanded", "-p", "concatenated", "-p", "analyzed", "-p", "optimized", "--", expr}
		want, stderr := hg.run(t, args...)
		if stderr == crashed {
			continue
		}
		if err == nil && strings.HasPrefix(want, got) {
			checked++
			continue
		}
		if a := (*hgerr.Abort)(nil); errors.As(printable(err), &a) {
			prefix := a.Prefix
			if prefix == "" {
				prefix = "abort: "
			}
			msg := prefix + a.Message + "\n"
			if a.Hint != "" {
				msg += "(" + a.Hint + ")\n"
			}
			if msg == stderr && strings.HasPrefix(want, got) {
				checked++
				continue
			}
			got += msg
		}
		t.Errorf("%q\ngot:\n%s\nwant:\n%s%s", expr, got, want, stderr)
	}
	t.Logf("%d expressions", checked)
	if checked < 1000 {
		t.Errorf("only %d expressions", checked)
	}
}
