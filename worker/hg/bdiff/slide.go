// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

// A group of changed lines may be moved down past a line that equals its first
// one, and up likewise. Each is moved to touch a group of the other text, if it
// can; otherwise to where its first and last line look most like the beginning
// and the end of something, by blank lines and indentation. The weights are
// LibXDiff's, which were found by experiment.

const (
	maxIndent = 200
	maxBlanks = 20
	maxBoring = 100 // places without a better one, after which the search ends

	startOfFile      = 1
	endOfFile        = 21
	perBlank         = -30
	perBlankAfter    = 6
	indented         = -4
	indentedBlank    = 10
	outdented        = 24
	outdentedBlank   = 17
	dedented         = 23
	dedentedBlank    = 17
	effectiveIndents = 60
)

// group is the changed lines from start to end, without end; before each
// unchanged line, and at the end, there is one, most of them empty.
type group struct {
	f          *xfile
	start, end int
}

func firstGroup(f *xfile) group {
	g := group{f: f}
	g.grow()
	return g
}

func (g *group) grow() {
	for g.f.isChanged(g.end) {
		g.end++
	}
}

func (g *group) next() bool {
	if g.end == g.f.lines.Len() {
		return false
	}
	g.end++
	g.start = g.end
	g.grow()
	return true
}

func (g *group) previous() {
	g.start--
	g.end = g.start
	for g.f.isChanged(g.start - 1) {
		g.start--
	}
}

// down and up move the group by a line, and join it with what it meets.
func (g *group) down() bool {
	if g.end >= g.f.lines.Len() || !g.f.same(g.start, g.end) {
		return false
	}
	g.f.set(g.start, false)
	g.f.set(g.end, true)
	g.start++
	g.end++
	g.grow()
	return true
}

func (g *group) up() bool {
	if g.start == 0 || !g.f.same(g.start-1, g.end-1) {
		return false
	}
	g.start--
	g.end--
	g.f.set(g.start, true)
	g.f.set(g.end, false)
	for g.f.isChanged(g.start - 1) {
		g.start--
	}
	return true
}

// compact moves the groups of f; other is the text that it is compared with.
func compact(f, other *xfile) {
	g, o := firstGroup(f), firstGroup(other)
	for {
		if g.start != g.end {
			g.settle(&o)
		}
		if !g.next() {
			return
		}
		o.next()
	}
}

// settle moves one group, and o along with it.
func (g *group) settle(o *group) {
	var size, earliest int
	var touches bool
	for {
		size = g.end - g.start
		for g.up() {
			o.previous()
		}
		earliest = g.end
		touches = o.start != o.end
		for g.down() {
			o.next()
			touches = touches || o.start != o.end
		}
		if size == g.end-g.start {
			break
		}
	}
	switch {
	case g.end == earliest:
	case touches:
		for o.start == o.end {
			g.up()
			o.previous()
		}
	default:
		for best := g.bestEnd(earliest, size); g.end > best; {
			g.up()
			o.previous()
		}
	}
}

// bestEnd is where a group that may end at any line from earliest to where it
// does should end; the last of the best.
func (g *group) bestEnd(earliest, size int) int {
	best, boring := -1, 0
	var least score
	for end := g.end; end >= earliest; end-- {
		var s score
		s.add(g.f.lines, end)
		s.add(g.f.lines, end-size)
		if best < 0 || s.less(least) {
			best, least, boring = end, s, 0
		} else if boring++; boring >= maxBoring {
			break
		}
	}
	return best
}

// score is how bad a place is.
type score struct{ indent, penalty int }

func (s score) less(t score) bool {
	n := s.penalty - t.penalty
	switch {
	case s.indent > t.indent:
		n += effectiveIndents
	case s.indent < t.indent:
		n -= effectiveIndents
	}
	return n < 0
}

// nearest goes from line i by steps to one that is not blank, and returns its
// indentation (-1 without one) and how many blank ones it passed.
func nearest(l *Lines, i, step int) (indent, blanks int) {
	for ; i >= 0 && i < l.Len(); i += step {
		if n := indentation(l.Line(i)); n >= 0 {
			return n, blanks
		}
		if blanks++; blanks == maxBlanks {
			return 0, blanks
		}
	}
	return -1, blanks
}

// add counts what speaks against dividing the text above line at.
func (s *score) add(l *Lines, at int) {
	indent := -1
	if at < l.Len() {
		indent = indentation(l.Line(at))
	} else {
		s.penalty += endOfFile
	}
	above, blanksAbove := nearest(l, at-1, -1)
	below, blanksBelow := nearest(l, at+1, 1)
	if above < 0 && blanksAbove == 0 {
		s.penalty += startOfFile
	}
	after := 0
	if indent < 0 {
		after = 1 + blanksBelow
		indent = below
	}
	blanks := blanksAbove + after
	s.penalty += perBlank*blanks + perBlankAfter*after
	s.indent += indent
	choose := func(penalty, withBlanks int) {
		if blanks != 0 {
			penalty = withBlanks
		}
		s.penalty += penalty
	}
	switch {
	case indent < 0 || above < 0 || indent == above:
	case indent > above:
		choose(indented, indentedBlank)
	case below > indent:
		choose(outdented, outdentedBlank)
	default:
		choose(dedented, dedentedBlank)
	}
}

// indentation is the columns before a line's text, -1 for a blank line.
func indentation(line []byte) int {
	columns := 0
	for _, c := range line {
		switch c {
		case ' ':
			columns++
		case '\t':
			columns += 8 - columns%8
		case '\n', '\v', '\f', '\r':
		default:
			return columns
		}
		if columns >= maxIndent {
			return maxIndent
		}
	}
	return -1
}
