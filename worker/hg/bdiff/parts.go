// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

import "bytes"

// The kinds of a Part, with the letters that Mercurial has for them.
const (
	PartEqual   = '=' // the lines are equal
	PartChanged = '!' // the lines of a became those of b
	PartBlank   = '~' // they did, but only in blank lines, which are ignored
)

// A Part is a piece of both texts and how it differs.
type Part struct {
	Block
	Kind byte
}

// Parts cuts two texts into equal and changed parts, as mdiff.allblocks(a, b,
// opts) does. An equal part may be empty, and the last one is, unless xdiff made it.
func Parts(a, b []byte, opts Options) []Part {
	var d Differ
	return d.Parts(a, b, opts)
}

// Parts is the function of this name, in the memory of d; the slice is the
// caller's.
func (d *Differ) Parts(a, b []byte, opts Options) []Part {
	if opts.cleans() {
		a, b = opts.clean(a, false), opts.clean(b, false)
	}
	la, lb := Split(a), Split(b)
	return d.parts(la, lb, la, lb, opts)
}

// PartsOf is Parts for texts whose lines are at hand. As in hg, whether a
// changed part is blank is then seen on the lines as given, and not on what the
// other options left of them; -B with -Z tells one from the other.
func (d *Differ) PartsOf(a, b *Lines, opts Options) []Part {
	ca, cb := a, b
	if opts.cleans() {
		ca, cb = Split(opts.clean(a.text, false)), Split(opts.clean(b.text, false))
	}
	return d.parts(ca, cb, a, b, opts)
}

// parts compares ca and cb, and takes from a and b the lines that may be blank.
func (d *Differ) parts(ca, cb, a, b *Lines, opts Options) []Part {
	var blocks []Block
	if opts.Xdiff {
		blocks = XdiffBlocks(ca, cb)
	} else {
		blocks = d.Blocks(ca, cb)
	}
	out := make([]Part, 0, 2*len(blocks))
	var prev Block
	for _, cur := range blocks {
		gap := Block{prev.A2, cur.A1, prev.B2, cur.B1}
		if gap.A1 != gap.A2 || gap.B1 != gap.B2 {
			kind := byte(PartChanged)
			if opts.IgnoreBlankLines {
				was, is := opts.clean(a.Span(gap.A1, gap.A2), true), opts.clean(b.Span(gap.B1, gap.B2), true)
				if bytes.Equal(was, is) {
					kind = PartBlank
				}
			}
			out = append(out, Part{gap, kind})
		}
		out = append(out, Part{cur, PartEqual})
		prev = cur
	}
	return out
}

// InRange keeps of parts those that touch lines lo to hi of b (from 0, without
// hi), and tells which lines of a these came from. It is false if b has not so
// many lines (hg: "line range exceeds file size").
func InRange(parts []Part, lo, hi int) (kept []Part, alo, ahi int, ok bool) {
	var haveLo, haveHi bool
	for _, p := range parts {
		same := p.Kind == PartEqual
		if same && lo >= p.B1 && hi <= p.B2 {
			alo, ahi = lo-p.B1+p.A1, hi-p.B1+p.A1
			haveLo, haveHi = true, true
		} else {
			if p.B1 <= lo && lo < p.B2 {
				alo, haveLo = p.A1, true
				if same {
					alo = p.A2 - (p.B2 - lo)
				}
			}
			if p.B1 < hi && hi <= p.B2 {
				ahi, haveHi = p.A2, true
				if same {
					ahi = p.A1 + (hi - p.B1)
				}
			}
		}
		if lo < p.B2 && p.B1 < hi {
			kept = append(kept, p)
		}
	}
	if !haveLo || !haveHi || ahi < alo {
		return nil, 0, 0, false
	}
	return kept, alo, ahi, true
}
