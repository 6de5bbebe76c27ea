// SPDX-License-Identifier: GPL-2.0-or-later

package pyre

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// instruction of the nondeterministic automaton. Its number is its place.
type instruction struct {
	op     instrOp
	set    byteSet
	assert assertion
	x, y   int32 // where it goes on
}

type instrOp byte

const (
	instrSet    instrOp = iota // consume a byte of set, go to x
	instrSplit                 // go to x and to y
	instrAssert                // go to x where assert holds
	instrMatch
)

// program writes the tree out as instructions; the first is where it starts.
func program(root *node) ([]instruction, error) {
	c := &compiler{}
	c.emit(instruction{op: instrMatch})
	start, ok := c.compile(root, 0)
	if !ok {
		return nil, unsupported("", "too large a repeat")
	}
	c.code[0], c.code[start] = c.code[start], c.code[0] // only the two numbers change places
	for i := range c.code {
		c.code[i].x = swapped(c.code[i].x, start)
		c.code[i].y = swapped(c.code[i].y, start)
	}
	return c.code, nil
}

func swapped(pc, start int32) int32 {
	switch pc {
	case 0:
		return start
	case start:
		return 0
	}
	return pc
}

type compiler struct{ code []instruction }

func (c *compiler) emit(i instruction) int32 {
	c.code = append(c.code, i)
	return int32(len(c.code) - 1)
}

// compile adds n in front of what follows at next, and returns where it
// begins. It reports false when the program becomes too large.
func (c *compiler) compile(n *node, next int32) (int32, bool) {
	if len(c.code) > maxProgram {
		return 0, false
	}
	ok := true
	switch n.op {
	case opSet:
		return c.emit(instruction{op: instrSet, set: n.set, x: next}), true
	case opAssert:
		return c.emit(instruction{op: instrAssert, assert: n.assert, x: next}), true
	case opConcat:
		for i := len(n.subs) - 1; i >= 0 && ok; i-- {
			next, ok = c.compile(n.subs[i], next)
		}
		return next, ok
	case opAlt:
		at := int32(-1)
		for i := len(n.subs) - 1; i >= 0; i-- {
			var branch int32
			if branch, ok = c.compile(n.subs[i], next); !ok {
				return 0, false
			}
			if at < 0 {
				at = branch
			} else {
				at = c.emit(instruction{op: instrSplit, x: branch, y: at})
			}
		}
		return at, true
	}
	sub := n.subs[0]
	if n.max == unlimited {
		loop := c.emit(instruction{op: instrSplit, y: next})
		body, ok := c.compile(sub, loop)
		if !ok {
			return 0, false
		}
		c.code[loop].x = body
		next = loop
	} else {
		end := next
		for range n.max - n.min {
			var body int32
			if body, ok = c.compile(sub, next); !ok || len(c.code) > maxProgram {
				return 0, false
			}
			next = c.emit(instruction{op: instrSplit, x: body, y: end})
		}
	}
	for range n.min {
		if next, ok = c.compile(sub, next); !ok {
			return 0, false
		}
		if len(c.code) > maxProgram {
			return 0, false
		}
	}
	return next, true
}

// automaton runs a program deterministically. Its alphabet is the classes of
// bytes that no instruction tells apart, and two more: a newline that is the
// last byte (where $ matches) and the end of the name.
type automaton struct {
	code    []instruction
	classes [256]uint16
	sample  []byte // a byte of each class
	newline int    // class of a newline that is the last byte
	end     int    // class of the end
	wordy   bool   // the program asks for word boundaries
	liny    bool   // the program asks for starts of lines

	cache atomic.Pointer[cache]
}

// state is a set of instructions that are about to run, and what precedes.
// The two ends, accepting and dead, have no instructions.
type state struct {
	home  *cache
	pcs   []int32 // sorted
	left  left
	next  []atomic.Pointer[state] // by class
	final bool
}

var (
	accepting = &state{final: true}
	dead      = &state{final: true}
)

// left is what a position knows of the byte before it.
type left byte

const (
	leftStart left = 1 << iota
	leftWord
	leftLine
)

// cache holds the states that are known; the mutex guards everything but the
// states' next pointers.
type cache struct {
	mu     sync.Mutex
	start  *state
	known  map[string]*state
	bytes  int
	marked []uint32 // scratch: the round in which an instruction was seen
	round  uint32
	stack  []int32
}

func newAutomaton(code []instruction) *automaton {
	a := &automaton{code: code}
	// Refine the partition of the bytes by each set in turn.
	var round uint32
	var renamed [2 * 256]struct { // by class, outside and inside of the set
		round uint32
		id    uint16
	}
	split := func(set byteSet) {
		round++
		ids := uint16(0)
		for c := range 256 {
			k := &renamed[2*a.classes[c]]
			if set.has(byte(c)) {
				k = &renamed[2*a.classes[c]+1]
			}
			if k.round != round {
				k.round, k.id = round, ids
				ids++
			}
			a.classes[c] = k.id
		}
	}
	split(single('\n'))
	seen := map[byteSet]bool{}
	for _, i := range code {
		switch {
		case i.op == instrSet && !seen[i.set]:
			seen[i.set] = true
			split(i.set)
		case i.op == instrAssert && i.assert == assertWord && !a.wordy:
			a.wordy = true
			split(words)
		case i.op == instrAssert && i.assert == assertLine:
			a.liny = true
		}
	}
	for c := range 256 {
		if id := int(a.classes[c]); id == len(a.sample) {
			a.sample = append(a.sample, byte(c))
		}
	}
	a.newline, a.end = len(a.sample), len(a.sample)+1
	a.cache.Store(a.newCache())
	return a
}

func (a *automaton) newCache() *cache {
	c := &cache{known: map[string]*state{}, marked: make([]uint32, len(a.code))}
	c.start = a.state(c, []int32{0}, leftStart)
	return c
}

// state finds or makes the state in c; c.mu is held, or c is new.
func (a *automaton) state(c *cache, pcs []int32, l left) *state {
	key := make([]byte, 1, 1+4*len(pcs))
	key[0] = byte(l)
	for _, pc := range pcs {
		key = binary.LittleEndian.AppendUint32(key, uint32(pc))
	}
	if s := c.known[string(key)]; s != nil {
		return s
	}
	s := &state{home: c, pcs: pcs, left: l, next: make([]atomic.Pointer[state], a.end+1)}
	c.known[string(key)] = s
	c.bytes += 8*len(pcs) + 8*len(s.next) + 128
	return s
}

func (a *automaton) match(s string) bool {
	at := a.cache.Load().start
	for i := 0; i < len(s); i++ {
		class := int(a.classes[s[i]])
		if s[i] == '\n' && i == len(s)-1 {
			class = a.newline
		}
		next := at.next[class].Load()
		if next == nil {
			next = a.step(at, class)
		}
		if next.final {
			return next == accepting
		}
		at = next
	}
	next := at.next[a.end].Load()
	if next == nil {
		next = a.step(at, a.end)
	}
	return next == accepting
}

// step works out where a class leads to from s.
func (a *automaton) step(s *state, class int) *state {
	c := s.home
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	if c.round == 0 {
		clear(c.marked)
		c.round = 1
	}
	holds := a.holds(s.left, class)
	var next []int32
	var b byte
	switch {
	case class < len(a.sample):
		b = a.sample[class]
	case class == a.newline:
		b = '\n'
	}
	stack := append(c.stack[:0], s.pcs...)
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if c.marked[pc] == c.round {
			continue
		}
		c.marked[pc] = c.round
		i := &a.code[pc]
		switch i.op {
		case instrMatch:
			c.stack = stack
			s.next[class].Store(accepting)
			return accepting
		case instrSplit:
			stack = append(stack, i.x, i.y)
		case instrAssert:
			if holds&i.assert != 0 {
				stack = append(stack, i.x)
			}
		case instrSet:
			if class != a.end && i.set.has(b) {
				next = append(next, i.x)
			}
		}
	}
	c.stack = stack
	if len(next) == 0 {
		s.next[class].Store(dead)
		return dead
	}
	slices.Sort(next)
	next = slices.Compact(next)
	var l left
	if a.wordy && words.has(b) {
		l |= leftWord
	}
	if a.liny && b == '\n' {
		l |= leftLine
	}
	if c.bytes > maxCache {
		// Start over; whoever still walks through the old states may do so.
		fresh := a.newCache()
		to := a.state(fresh, next, l) // before others can see fresh
		a.cache.Store(fresh)
		return to
	}
	to := a.state(c, next, l)
	s.next[class].Store(to)
	return to
}

// holds tells which assertions are true between what is left and the class.
func (a *automaton) holds(l left, class int) assertion {
	var h assertion
	atEnd := class == a.end
	newline := class == a.newline || !atEnd && a.sample[min(class, len(a.sample)-1)] == '\n'
	if l&leftStart != 0 {
		h |= assertStart | assertLine
	}
	if l&leftLine != 0 {
		h |= assertLine
	}
	if atEnd {
		h |= assertEnd | assertVeryEnd | assertLineEnd
	}
	if class == a.newline {
		h |= assertEnd
	}
	if newline {
		h |= assertLineEnd
	}
	right := !atEnd && class != a.newline && words.has(a.sample[class])
	if right != (l&leftWord != 0) {
		h |= assertWord
	}
	return h
}
