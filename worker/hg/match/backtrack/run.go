// SPDX-License-Identifier: GPL-2.0-or-later

package backtrack

import "hgbroker/worker/hg/hgerr"

type doing byte

const (
	doSet     doing = iota // consume a byte of set
	doMany                 // consume min to max bytes of set, then next
	doSplit                // try each of alts
	doMark                 // remember the place as mark n
	doBackref              // consume what group n matched
	doLook                 // sub must match here, or must not
	doAt                   // at a place
	doEnter                // begin loop n; next is its doLoop
	doLoop                 // loop n: sub again, or next
	doJump
	doAccept
)

// instruction is one step; its number is its place in the program.
type instruction struct {
	op       doing
	set      set
	place    place
	fold     bool
	lazy     bool
	negate   bool
	behind   bool
	n        int // mark, group, loop; width of a look-behind
	min, max int
	next     int
	sub      int
	alts     []int
}

type compiler struct {
	code   []instruction
	loops  int
	counts bool // what comes next depends on more than where it is
}

func (c *compiler) emit(i instruction) int {
	c.code = append(c.code, i)
	return len(c.code) - 1
}

// compile adds n in front of what follows at next, and returns where it begins;
// ok is false when the program becomes too large.
func (c *compiler) compile(n *node, next int) (at int, ok bool) {
	if len(c.code) > maxProgram {
		return 0, false
	}
	switch n.op {
	case opSet:
		return c.emit(instruction{op: doSet, set: n.set, next: next}), true
	case opConcat:
		for i := len(n.subs) - 1; i >= 0; i-- {
			if next, ok = c.compile(n.subs[i], next); !ok {
				return 0, false
			}
		}
		return next, true
	case opAlt:
		alts := make([]int, len(n.subs))
		for i, sub := range n.subs {
			if alts[i], ok = c.compile(sub, next); !ok {
				return 0, false
			}
		}
		return c.emit(instruction{op: doSplit, alts: alts}), true
	case opGroup:
		end := c.emit(instruction{op: doMark, n: 2*n.group - 1, next: next})
		if at, ok = c.compile(n.subs[0], end); !ok {
			return 0, false
		}
		return c.emit(instruction{op: doMark, n: 2*n.group - 2, next: at}), true
	case opBackref:
		c.counts = true
		return c.emit(instruction{op: doBackref, n: n.group, fold: n.fold, next: next}), true
	case opAt:
		return c.emit(instruction{op: doAt, place: n.place, next: next}), true
	case opLook:
		sub, ok := c.compile(n.subs[0], c.emit(instruction{op: doAccept}))
		return c.emit(instruction{op: doLook, sub: sub, n: n.min, behind: n.behind, negate: n.negate, next: next}), ok
	}
	sub := n.subs[0]
	for sub.op == opConcat && len(sub.subs) == 1 {
		sub = sub.subs[0]
	}
	if sub.op == opSet {
		return c.emit(instruction{op: doMany, set: sub.set, min: n.min, max: n.max, lazy: n.lazy, next: next}), true
	}
	switch {
	case n.max == 1 && n.min == 0:
		body, ok := c.compile(sub, next)
		alts := []int{body, next}
		if n.lazy {
			alts = []int{next, body}
		}
		return c.emit(instruction{op: doSplit, alts: alts}), ok
	case n.max == unlimited && n.min == 1:
		// The first turn stands by itself, so that the loop need not count.
		rest, ok := c.compile(&node{op: opRepeat, max: unlimited, lazy: n.lazy, subs: n.subs}, next)
		if !ok {
			return 0, false
		}
		return c.compile(sub, rest)
	case n.max != unlimited || n.min != 0:
		c.counts = true
	}
	loop := c.emit(instruction{op: doLoop, n: c.loops, min: n.min, max: n.max, lazy: n.lazy, next: next})
	c.loops++
	body, ok := c.compile(sub, loop)
	c.code[loop].sub = body
	return c.emit(instruction{op: doEnter, n: c.code[loop].n, next: loop}), ok
}

// loopState is how often a loop ran, and where its last turn that was not
// obligatory began.
type loopState struct{ count, last int }

type matcher struct {
	*Pattern
	s     string
	marks []int // where groups begin and end
	loops []loopState
	end   int
	empty int // a match that ends here does not count, or -1
	steps int
	depth int
	err   error
	// tried are the instructions that were run at a place already, by pc<<32 | at:
	// not nil where only yes or no counts, and where it need not be tried twice.
	tried map[uint64]struct{}
}

func (p *Pattern) matcher(s string) *matcher {
	return &matcher{Pattern: p, s: s, marks: make([]int, 2*p.groups), loops: make([]loopState, p.loops)}
}

// try looks for a match that begins at a place.
func (m *matcher) try(at int, advance bool) bool {
	for i := range m.marks {
		m.marks[i] = -1
	}
	m.empty = -1
	if advance {
		m.empty = at
	}
	return m.run(len(m.code)-1, at, true)
}

// run goes on with an instruction at a place of the text, and tells whether that
// leads to an accept. When it does not, marks and loops are as they were. top is
// set outside of look-arounds.
func (m *matcher) run(pc, at int, top bool) bool {
	if m.depth++; m.depth > maxDepth && m.tried == nil {
		m.fail()
	}
	defer func() { m.depth-- }()
	for m.err == nil {
		i := &m.code[pc]
		if m.tried == nil {
			if m.steps++; m.steps > maxSteps {
				m.fail()
				return false
			}
		} else if i.op >= doMany && i.op <= doLoop {
			key := uint64(pc)<<32 | uint64(at)
			if _, again := m.tried[key]; again {
				return false
			}
			m.tried[key] = struct{}{}
		}
		switch i.op {
		case doAccept:
			if top {
				m.end = at
				return at != m.empty
			}
			return true
		case doJump:
		case doSet:
			if at == len(m.s) || !i.set.has(m.s[at]) {
				return false
			}
			at++
		case doMany:
			return m.many(i, at, top)
		case doSplit:
			last := len(i.alts) - 1
			for _, alt := range i.alts[:last] {
				if m.run(alt, at, top) {
					return true
				}
			}
			pc = i.alts[last]
			continue
		case doMark:
			old := m.marks[i.n]
			m.marks[i.n] = at
			if m.run(i.next, at, top) {
				return true
			}
			m.marks[i.n] = old
			return false
		case doBackref:
			n, ok := m.backref(i, at)
			if !ok {
				return false
			}
			at += n
		case doAt:
			if !m.holds(i.place, at) {
				return false
			}
		case doLook:
			return m.look(i, at, top)
		case doEnter:
			old := m.loops[i.n]
			m.loops[i.n] = loopState{0, -1}
			if m.run(i.next, at, top) {
				return true
			}
			m.loops[i.n] = old
			return false
		case doLoop:
			return m.loop(i, at, top)
		}
		pc = i.next
	}
	return false
}

func (m *matcher) fail() {
	if m.err == nil {
		m.err = hgerr.NewUnsupported("regular expression %q that takes too long", m.text)
	}
}

// many repeats a set: as often as it can and then less, or the other way round.
func (m *matcher) many(i *instruction, at int, top bool) bool {
	limit := len(m.s) - at
	if i.max != unlimited {
		limit = min(limit, i.max)
	}
	n := 0
	if i.lazy {
		for n < limit && n < i.min && i.set.has(m.s[at+n]) {
			n++
		}
		if n < i.min {
			return false
		}
		for {
			if m.run(i.next, at+n, top) {
				return true
			}
			if m.err != nil || n >= limit || !i.set.has(m.s[at+n]) {
				return false
			}
			n++
		}
	}
	for n < limit && i.set.has(m.s[at+n]) {
		n++
	}
	m.steps += n
	for ; n >= i.min && m.err == nil; n-- {
		if m.run(i.next, at+n, top) {
			return true
		}
	}
	return false
}

// loop is the end of a turn: another one, or what comes after. A turn that
// matched nothing is the last.
func (m *matcher) loop(i *instruction, at int, top bool) bool {
	was := m.loops[i.n]
	again := func(last int) bool {
		m.loops[i.n] = loopState{was.count + 1, last}
		if m.run(i.sub, at, top) {
			return true
		}
		m.loops[i.n] = was
		return false
	}
	if was.count < i.min {
		return again(was.last)
	}
	may := (i.max == unlimited || was.count < i.max) && at != was.last
	if i.lazy {
		return m.run(i.next, at, top) || may && again(at)
	}
	return may && again(at) || m.run(i.next, at, top)
}

func (m *matcher) backref(i *instruction, at int) (n int, ok bool) {
	from, to := m.marks[2*i.n-2], m.marks[2*i.n-1]
	if from < 0 || to < from || len(m.s)-at < to-from {
		return 0, false
	}
	m.steps += to - from
	for k := range to - from {
		a, b := m.s[from+k], m.s[at+k]
		if i.fold {
			a, b = lower(a), lower(b)
		}
		if a != b {
			return 0, false
		}
	}
	return to - from, true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// look runs a look-around, into which nothing goes back once it is decided.
func (m *matcher) look(i *instruction, at int, top bool) bool {
	from := at
	if i.behind {
		from -= i.n
	}
	marks := append([]int(nil), m.marks...)
	outside := m.tried
	if outside != nil {
		m.tried = map[uint64]struct{}{} // what led nowhere there may do so here
	}
	found := from >= 0 && m.run(i.sub, from, false)
	m.tried = outside
	if m.err != nil {
		return false
	}
	if found == i.negate {
		copy(m.marks, marks)
		return false
	}
	if i.negate {
		copy(m.marks, marks)
	}
	if m.run(i.next, at, top) {
		return true
	}
	copy(m.marks, marks)
	return false
}

// holds tells whether a place of the text is one.
func (m *matcher) holds(p place, at int) bool {
	n := len(m.s)
	switch p {
	case placeStart:
		return at == 0
	case placeLine:
		return at == 0 || m.s[at-1] == '\n'
	case placeEnd:
		return at == n || at == n-1 && m.s[at] == '\n'
	case placeLineEnd:
		return at == n || m.s[at] == '\n'
	case placeVeryEnd:
		return at == n
	}
	if n == 0 && p == placeInside {
		// Whether \B matches in an empty text depends on Python's version.
		m.err = hgerr.NewUnsupported(`\B in an empty text`)
		return false
	}
	before, after := at > 0 && isWord(m.s[at-1]), at < n && isWord(m.s[at])
	return (before != after) == (p == placeWord)
}
