// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"slices"
)

// A Pair is the names of a file on both sides, "" where it is not there.
type Pair struct {
	Old, New string
	Op       string // "copy" or "rename" under git, when the names differ
}

// Pairs puts the changed files in the order of a patch. copies leads from a new
// name to an old one and counts only under git. The first copy, in order, of a
// file that is gone is its renaming.
func Pairs(modified, added, removed []string, copies map[string]string, git bool) []Pair {
	const (
		isModified = iota
		isAdded
		isRemoved
	)
	kinds := make(map[string]byte, len(modified)+len(added)+len(removed))
	names := slices.Concat(modified, added, removed)
	for i, name := range names {
		switch {
		case i < len(modified):
			kinds[name] = isModified
		case i < len(modified)+len(added):
			kinds[name] = isAdded
		default:
			kinds[name] = isRemoved
		}
	}
	slices.Sort(names)
	copied := map[string]bool{}
	if git {
		for to, from := range copies {
			if kind, ok := kinds[to]; ok && kind == isAdded {
				copied[from] = true
			}
		}
	}
	gone := map[string]bool{}
	out := make([]Pair, 0, len(names))
	for _, name := range names {
		p := Pair{Old: name, New: name}
		switch kinds[name] {
		case isAdded:
			p.Old = ""
			if from, ok := copies[name]; ok && git {
				p.Old, p.Op = from, "copy"
				if kind, ok := kinds[from]; ok && kind == isRemoved && !gone[from] {
					p.Op = "rename"
					gone[from] = true
				}
			}
		case isRemoved:
			p.New = ""
			if copied[name] {
				continue
			}
		}
		out = append(out, p)
	}
	return out
}
