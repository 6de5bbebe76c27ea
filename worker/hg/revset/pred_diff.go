// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"regexp"
	"slices"
	"strings"

	lines "hgbroker/worker/hg/grep"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match/pyre"
	"hgbroker/worker/hg/node"
)

// FileTexts is an optional part of a Repo for diffcontains().
type FileTexts interface {
	// FileText is the content of a file in a changeset; ok is false without it.
	FileText(rev node.Rev, path string) (data []byte, ok bool, err error)
}

// diffContains is the changesets that add or remove lines in which a pattern is
// found: those where the lines that have it are others than in the first parent,
// in a file that the changeset names and has.
func diffContains(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := keyArgs(x, "diffcontains", "pattern")
	if err != nil {
		return nil, err
	}
	arg, ok := args["pattern"]
	if !ok {
		return nil, parseErrorf("diffcontains takes at least 1 argument")
	}
	text, err := getString(arg, "diffcontains requires a string pattern")
	if err != nil {
		return nil, err
	}
	texts, ok := ev.repo.(FileTexts)
	if !ok {
		return nil, hgerr.NewUnsupported("revset diffcontains()")
	}
	expr, isRegexp := strings.CutPrefix(text, "re:")
	if !isRegexp {
		expr = escapeRegexp(strings.TrimPrefix(text, "literal:"))
	}
	re, err := pyre.CompileSearch(expr, false)
	if err != nil {
		return nil, hgerr.NewUnsupported("revset diffcontains(%q)", text)
	}
	matching := func(r node.Rev, path string) ([]lines.Line, bool, error) {
		data, ok, err := texts.FileText(r, path)
		if err != nil || !ok {
			return nil, false, err
		}
		return lines.Search(data, re), true, nil
	}
	same := func(a, b lines.Line) bool { return a.Text == b.Text }
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		files, err := ev.repo.Files(r)
		if err != nil {
			return false, err
		}
		p1, _ := ev.parents(r)
		for _, path := range files {
			if ev.stopped() {
				return false, ev.err
			}
			now, ok, err := matching(r, path)
			if err != nil {
				return false, err
			}
			if !ok {
				continue
			}
			before, _, err := matching(p1, path)
			if err != nil {
				return false, err
			}
			if !slices.EqualFunc(before, now, same) {
				return true, nil
			}
		}
		return false, nil
	}), nil
}

// escapeRegexp makes an expression that matches a text. Beyond ASCII, where
// Python's bytes are, nothing is special.
func escapeRegexp(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if text[i] < 0x80 {
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
