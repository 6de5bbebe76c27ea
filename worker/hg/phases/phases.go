// SPDX-License-Identifier: GPL-2.0-or-later

// Package phases reads the file `phaseroots` of a store and tells the phase of
// every changeset from it.
//
// The file (`hg help phases`; format in Mercurial's phases.py) is text, a line a
// root: "PHASE HEXNODE\n". A changeset's phase is the highest one among the roots
// that it is or descends from; what no root reaches is public. Roots that name an
// unknown changeset count for nothing, as in hg.
package phases

import (
	"bytes"
	"strconv"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Phase is how far a changeset may travel; a higher one travels less.
type Phase uint8

// The phases and their numbers in phaseroots.
const (
	Public   Phase = 0
	Draft    Phase = 1
	Secret   Phase = 2
	Archived Phase = 32
	Internal Phase = 96
)

// String is hg's name of the phase.
func (p Phase) String() string {
	switch p {
	case Public:
		return "public"
	case Draft:
		return "draft"
	case Secret:
		return "secret"
	case Archived:
		return "archived"
	case Internal:
		return "internal"
	}
	return "phase-" + strconv.Itoa(int(p))
}

// LocalHidden tells whether changesets of this phase are never shown
// (phases.localhiddenphases in hg).
func (p Phase) LocalHidden() bool { return p == Archived || p == Internal }

// Root is a line of phaseroots.
type Root struct {
	Phase Phase
	Node  node.ID
}

// Parse reads the text of phaseroots.
func Parse(text []byte) ([]Root, error) {
	var roots []Root
	for n := 1; len(text) > 0; n++ {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		fields := bytes.Fields(line)
		if len(fields) != 2 {
			return nil, hgerr.Damagef("read", "phaseroots", "line %d: %d fields instead of 2", n, len(fields))
		}
		p, err := strconv.ParseUint(string(fields[0]), 10, 8)
		phase := Phase(p)
		switch phase {
		case Public, Draft, Secret, Archived, Internal:
		default:
			err = strconv.ErrRange
		}
		if err != nil {
			return nil, hgerr.Damagef("read", "phaseroots", "line %d: no such phase %q", n, fields[0])
		}
		id, ok := node.FromHex(string(fields[1]))
		if !ok {
			return nil, hgerr.Damagef("read", "phaseroots", "line %d: %q is no node", n, fields[1])
		}
		roots = append(roots, Root{Phase: phase, Node: id})
	}
	return roots, nil
}

// Graph is what Compute needs of a changelog.
type Graph interface {
	Len() int
	Parents(node.Rev) (p1, p2 node.Rev)
	Rev(node.ID) (node.Rev, bool)
}

// Compute returns the phase of every changeset. It looks only at what comes
// after the first root.
func Compute(g Graph, roots []Root) []Phase {
	out := make([]Phase, g.Len())
	first := node.Rev(len(out))
	for _, r := range roots {
		if rev, ok := g.Rev(r.Node); ok {
			out[rev] = max(out[rev], r.Phase)
			first = min(first, rev)
		}
	}
	for rev := first; int(rev) < len(out); rev++ {
		p1, p2 := g.Parents(rev)
		if p1 >= first {
			out[rev] = max(out[rev], out[p1])
		}
		if p2 >= first {
			out[rev] = max(out[rev], out[p2])
		}
	}
	return out
}
