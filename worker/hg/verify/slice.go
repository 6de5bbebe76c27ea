// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"cmp"
	"slices"

	"hgbroker/worker/hg/node"
)

// hg reads the chunks of a chain in one go, unless they lie far apart or are
// many: then in slices. It shows when a file ends too early.

// wideSpan is the smallest gap that is left out, and the size that a slice may
// have in any case, in bytes.
const wideSpan = 256 << 10

// density is how much of what is read should be wanted.
const density = 0.5

// slices cuts ascending revisions into what is read at once. target is the most
// that should be, negative for anything.
func (l *log) slices(revs []node.Rev, target int64) ([][]node.Rev, error) {
	if !l.sparse {
		return [][]node.Rev{revs}, nil
	}
	if first, last := revs[0], revs[len(revs)-1]; len(revs) > 1 && l.start(last) < l.start(first) {
		return nil, exceptionf("corrupted revlog index: inconsistent offset between revisions (%d) and (%d)", first, last)
	}
	if target >= 0 {
		target = max(target, wideSpan)
	}
	var out [][]node.Rev
	for _, part := range l.byDensity(revs) {
		out = l.bySize(out, part, target)
	}
	return out, nil
}

// byDensity leaves the largest gaps out until enough of the rest is wanted.
func (l *log) byDensity(revs []node.Rev) [][]node.Rev {
	span := l.end(revs[len(revs)-1]) - l.start(revs[0])
	if len(revs) <= 1 || span < wideSpan {
		return [][]node.Rev{revs}
	}
	var payload int64
	for _, rev := range revs {
		payload += l.length(rev)
	}
	share := func(of int64) float64 {
		if of <= 0 {
			return 1
		}
		return float64(payload) / float64(of)
	}
	have := share(span)
	if have >= density {
		return [][]node.Rev{revs}
	}
	type gap struct {
		size int64
		at   int
	}
	var gaps []gap
	end := int64(-1)
	for i, rev := range revs {
		if l.length(rev) == 0 {
			continue
		}
		if size := l.start(rev) - end; end >= 0 && size > wideSpan {
			gaps = append(gaps, gap{size, i})
		}
		end = l.end(rev)
	}
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(b.at, a.at)) })
	var cuts []int
	rest := span
	for _, g := range gaps {
		if have >= density {
			break
		}
		cuts = append(cuts, g.at)
		rest -= g.size
		have = share(rest)
	}
	slices.Sort(cuts)
	var out [][]node.Rev
	from := 0
	for _, cut := range append(cuts, len(revs)) {
		if part := l.trim(revs, from, cut); len(part) > 0 {
			out = append(out, part)
		}
		from = cut
	}
	return out
}

// bySize cuts what is too large: behind the snapshots first, then in halves.
func (l *log) bySize(out [][]node.Rev, revs []node.Rev, target int64) [][]node.Rev {
	start, end := l.start(revs[0]), l.end(revs[len(revs)-1])
	if target < 0 || end-start <= target {
		return append(out, revs)
	}
	add := func(from, to int) {
		if part := l.trim(revs, from, to); len(part) > 0 {
			out = append(out, part)
		}
	}
	from, to := 0, 1
	for i := 1; i < len(revs); i++ {
		rev := revs[i]
		snapshot := l.isSnapshot(rev)
		if l.end(rev)-start <= target && snapshot {
			to = i + 1
		} else {
			add(from, to)
			from, to = i, i+1
			start = l.start(rev)
		}
		if !snapshot {
			break
		}
	}
	for end-start > target {
		to = len(revs)
		if to-from <= 1 {
			break
		}
		for l.end(revs[to-1])-start > target && to-from > 1 {
			to -= (to - from) / 2
		}
		add(from, to)
		from = to
		start = l.start(revs[from])
	}
	add(from, len(revs))
	return out
}

// trim leaves empty chunks at the end of a part out.
func (l *log) trim(revs []node.Rev, from, to int) []node.Rev {
	for to > 1 && to > from && l.length(revs[to-1]) == 0 {
		to--
	}
	return revs[from:to]
}

// isSnapshot tells whether a chunk is a text, or a delta against a snapshot
// that is no parent.
func (l *log) isSnapshot(rev node.Rev) bool {
	for rev >= 0 {
		base := l.base(rev)
		if base == rev || base < 0 || base > rev {
			return true
		}
		for _, field := range []int{24, 28} {
			p := node.Rev(l.number(rev, field))
			for p >= 0 && int(p) < l.n && l.length(p) == 0 {
				b := l.base(p)
				if b >= p {
					break
				}
				p = b
			}
			if base == p {
				return false
			}
		}
		rev = base
	}
	return true
}

func (l *log) end(rev node.Rev) int64 { return l.start(rev) + l.length(rev) }
