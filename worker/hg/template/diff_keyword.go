// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"fmt"

	"hgbroker/worker/hg/config/python"
)

// DiffReader answers {diff()} and {diffstat}: what a changeset changes in its
// first parent, by the options that the configuration has for diffs.
type DiffReader interface {
	// Diff is the patch of the files that the patterns leave.
	Diff(ctx Changectx, include, exclude []string) (string, error)
	// DiffStat counts files, and lines added and removed.
	DiffStat(ctx Changectx) (files, added, removed int, err error)
}

// diffFunc is diff([include[, exclude]]).
func diffFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) > 2 {
		return Value{}, parseErrorf("diff expects zero, one, or two arguments")
	}
	ctx := s.context()
	reader, ok := s.e.repo.(DiffReader)
	if ctx == nil || !ok {
		return Value{}, &unavailable{"ctx"}
	}
	var patterns [2][]string
	for i, x := range args.pos {
		text, err := evalString(s, x)
		if err != nil {
			return Value{}, err
		}
		if text = python.Strip(text); text != "" {
			patterns[i] = []string{text}
		}
	}
	text, err := reader.Diff(ctx, patterns[0], patterns[1])
	return Bytes(text), err
}

// diffstat is "FILES: +ADDED/-REMOVED".
func diffstat(s *scope) (Value, error) {
	reader, ok := s.e.repo.(DiffReader)
	if !ok {
		return Value{}, &unavailable{"ctx"}
	}
	files, added, removed, err := reader.DiffStat(s.context())
	return Bytes(fmt.Sprintf("%d: +%d/-%d", files, added, removed)), err
}
