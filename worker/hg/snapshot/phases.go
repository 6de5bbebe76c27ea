// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// phaseRoot is a line of phaseroots whose changeset is here.
type phaseRoot struct {
	rev   node.Rev
	phase phases.Phase
}

func compareRoots(a, b phaseRoot) int {
	return cmp.Or(cmp.Compare(a.rev, b.rev), cmp.Compare(a.phase, b.phase))
}

// PhaseText is the file phaseroots.
func (s *Snapshot) PhaseText() []byte { return s.phaseText }

// needPhases works out the phase of every changeset.
func (s *Snapshot) needPhases() {
	s.knows.phases = true
	if s.roots == nil {
		roots, err := phases.Parse(s.phaseText)
		if err != nil {
			s.fail(err)
		}
		s.roots = s.resolveRoots(roots)
	}
	from := s.Len()
	if len(s.roots) > 0 {
		from = int(s.roots[0].rev)
	}
	all := make([]byte, s.Len())
	if from < len(all) {
		public := column[byte]{base: all}
		copy(all[from:], s.phasesFrom(&public, from))
	}
	s.phases = column[byte]{base: all}
	s.lowest = s.lowestFrom(from)
}

// growPhases works out the phases from those before. moved are the changesets of
// prev whose phase is another one now, ascending; ok is false when that cannot be
// told.
func (s *Snapshot) growPhases(prev *Snapshot) (moved []node.Rev, ok bool) {
	if !prev.knows.phases || prev.roots == nil && prev.Len() > 0 {
		return nil, false
	}
	roots, from, err := s.growRoots(prev)
	if err != nil {
		s.fail(err)
		return nil, false
	}
	s.roots, s.knows.phases = roots, true
	from = min(from, prev.Len())
	now := s.phasesFrom(&prev.phases, from)
	var changes []change[byte]
	for rev := from; rev < prev.Len(); rev++ {
		if v := now[rev-from]; v != prev.phases.at(node.Rev(rev)) {
			changes = append(changes, change[byte]{node.Rev(rev), v})
			moved = append(moved, node.Rev(rev))
		}
	}
	s.phases = prev.phases.grown(now[prev.Len()-from:]).changed(changes)
	s.lowest = prev.lowest
	if from < prev.Len() || int(prev.lowest) >= prev.Len() {
		s.lowest = s.lowestFrom(min(from, int(prev.lowest)))
	}
	return moved, true
}

// growRoots are the roots, of which only what is not in the text that prev was
// made of is looked for. Below from, no root is another one.
func (s *Snapshot) growRoots(prev *Snapshot) (roots []phaseRoot, from int, err error) {
	// A line about what was not here may be about what is new.
	if s.Len() == prev.Len() || countLines(prev.phaseText) == len(prev.roots) {
		was, now := difference(prev.phaseText, s.phaseText)
		if len(was)+len(now) == 0 {
			return prev.roots, s.Len(), nil
		}
		less, lessErr := phases.Parse(was)
		more, moreErr := phases.Parse(now)
		if lessErr == nil && moreErr == nil {
			if roots, from, ok := replaceRoots(prev.roots, s.resolveRoots(less), s.resolveRoots(more)); ok {
				return roots, min(from, s.Len()), nil
			}
		}
	}
	list, err := phases.Parse(s.phaseText)
	if err != nil {
		return nil, 0, err
	}
	roots = s.resolveRoots(list)
	for i := 0; i < len(roots) && i < len(prev.roots); i++ {
		if roots[i] != prev.roots[i] {
			return roots, int(min(roots[i].rev, prev.roots[i].rev)), nil
		}
	}
	if at := min(len(roots), len(prev.roots)); len(roots) != len(prev.roots) {
		return roots, int(slices.Concat(roots[at:], prev.roots[at:])[0].rev), nil
	}
	return roots, s.Len(), nil
}

// replaceRoots takes roots out and puts others in. All are ordered. ok is false
// when what is to go is not there.
func replaceRoots(roots, less, more []phaseRoot) (out []phaseRoot, from int, ok bool) {
	out = make([]phaseRoot, 0, len(roots)+len(more))
	from = math.MaxInt
	for len(less)+len(more) > 0 {
		c := 0
		switch {
		case len(less) == 0:
			c = 1
		case len(more) == 0:
			c = -1
		default:
			c = compareRoots(less[0], more[0])
		}
		switch {
		case c == 0: // only its place in the file is another one
			less, more = less[1:], more[1:]
		case c < 0:
			at, found := slices.BinarySearchFunc(roots, less[0], compareRoots)
			if !found {
				return nil, 0, false
			}
			out, roots = append(out, roots[:at]...), roots[at+1:]
			from, less = min(from, int(less[0].rev)), less[1:]
		default:
			at, _ := slices.BinarySearchFunc(roots, more[0], compareRoots)
			out, roots = append(append(out, roots[:at]...), more[0]), roots[at:]
			from, more = min(from, int(more[0].rev)), more[1:]
		}
	}
	return append(out, roots...), from, true
}

// difference is what two texts have between the lines at the beginning and the
// lines at the end that are the same in both.
func difference(a, b []byte) (inA, inB []byte) {
	if bytes.Equal(a, b) {
		return nil, nil
	}
	const piece = 4096
	for len(a) >= piece && len(b) >= piece && bytes.Equal(a[:piece], b[:piece]) {
		// Whole lines only.
		end := bytes.LastIndexByte(a[:piece], '\n') + 1
		if end == 0 {
			break
		}
		a, b = a[end:], b[end:]
	}
	for {
		end := bytes.IndexByte(a, '\n') + 1
		if end == 0 || !bytes.HasPrefix(b, a[:end]) {
			break
		}
		a, b = a[end:], b[end:]
	}
	// From the end: what stays in front must end with a line, too.
	for len(a) > piece && len(b) > piece && bytes.Equal(a[len(a)-piece:], b[len(b)-piece:]) {
		begin := bytes.IndexByte(a[len(a)-piece:], '\n') + 1
		if begin == 0 || begin == piece {
			break
		}
		a, b = a[:len(a)-piece+begin], b[:len(b)-piece+begin]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == '\n' && b[len(b)-1] == '\n' {
		begin := bytes.LastIndexByte(a[:len(a)-1], '\n') + 1
		line := a[begin:]
		if !bytes.HasSuffix(b, line) || len(b) > len(line) && b[len(b)-len(line)-1] != '\n' {
			break
		}
		a, b = a[:begin], b[:len(b)-len(line)]
	}
	return a, b
}

func countLines(text []byte) int {
	n := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

// resolveRoots finds the roots' changesets. The result is ordered, and not nil.
func (s *Snapshot) resolveRoots(roots []phases.Root) []phaseRoot {
	ids := make([]node.ID, len(roots))
	for i, r := range roots {
		ids[i] = r.Node
	}
	out := make([]phaseRoot, 0, len(roots))
	s.Revs(ids, func(i int, rev node.Rev) {
		if rev >= 0 {
			out = append(out, phaseRoot{rev, roots[i].Phase})
		}
	})
	slices.SortFunc(out, compareRoots)
	return out
}

// phasesFrom are the phases of the changesets from from on, given those below.
func (s *Snapshot) phasesFrom(below *column[byte], from int) []byte {
	out := make([]byte, s.Len()-from)
	at, _ := slices.BinarySearchFunc(s.roots, node.Rev(from), func(r phaseRoot, rev node.Rev) int { return int(r.rev) - int(rev) })
	for i := range out {
		rev := node.Rev(from + i)
		phase := byte(0)
		for at < len(s.roots) && s.roots[at].rev == rev {
			phase = max(phase, byte(s.roots[at].phase))
			at++
		}
		p1, p2 := s.index.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			switch {
			case p < 0:
			case int(p) < from:
				phase = max(phase, below.at(p))
			default:
				phase = max(phase, out[int(p)-from])
			}
		}
		out[i] = phase
	}
	return out
}

// lowestFrom is the first changeset from from on that is not public.
func (s *Snapshot) lowestFrom(from int) node.Rev {
	for rev := node.Rev(from); int(rev) < s.Len(); rev++ {
		if s.phases.at(rev) != 0 {
			return rev
		}
	}
	return node.Rev(s.Len())
}
