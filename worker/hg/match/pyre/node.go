// SPDX-License-Identifier: GPL-2.0-or-later

package pyre

import (
	"encoding/binary"
)

// byteSet is a set of bytes, one bit each.
type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *byteSet) addRange(lo, hi byte) {
	for c := int(lo); c <= int(hi); c++ {
		s.add(byte(c))
	}
}

func (s *byteSet) union(t byteSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s byteSet) negated() byteSet {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

// folded adds the other case of each ASCII letter, which is all that
// re.IGNORECASE does on bytes.
func (s byteSet) folded() byteSet {
	for c := byte('a'); c <= 'z'; c++ {
		if up := c - 'a' + 'A'; s.has(c) || s.has(up) {
			s.add(c)
			s.add(up)
		}
	}
	return s
}

func single(c byte) byteSet {
	var s byteSet
	s.add(c)
	return s
}

var (
	digits = span('0', '9')
	words  = func() byteSet {
		s := digits
		s.addRange('a', 'z')
		s.addRange('A', 'Z')
		s.add('_')
		return s
	}()
	// Python's \s on bytes has the vertical tab, which Go's has not.
	spaces = func() byteSet {
		s := span('\t', '\r')
		s.add(' ')
		return s
	}()
)

func span(lo, hi byte) byteSet {
	var s byteSet
	s.addRange(lo, hi)
	return s
}

type op byte

const (
	opSet    op = iota // one byte of set
	opConcat           // subs one after the other; none is the empty match
	opAlt              // one of subs
	opRepeat           // subs[0], min to max times
	opAssert           // an empty match where assert holds
)

// assertion is a bit each, so that a position's truths are a mask.
type assertion byte

const (
	assertStart   assertion = 1 << iota // ^ and \A
	assertEnd                           // $: the end, or before a newline that ends the name
	assertVeryEnd                       // \Z
	assertLine                          // ^ under (?m
	assertLineEnd                       // $ under (?m
	assertWord                          // \b
)

const unlimited = -1

type node struct {
	op       op
	set      byteSet
	assert   assertion
	min, max int
	lazy     bool // takes as few as it can; only a Searcher asks
	subs     []*node
}

func concat(subs ...*node) *node {
	if len(subs) == 1 {
		return subs[0]
	}
	return &node{op: opConcat, subs: subs}
}

// parts are the nodes that n matches one after the other.
func (n *node) parts() []*node {
	if n.op == opConcat {
		return n.subs
	}
	return []*node{n}
}

// key appends to b what is the same for nodes that match the same way.
func (n *node) key(b []byte) []byte {
	b = append(b, byte(n.op))
	switch n.op {
	case opSet:
		for _, w := range n.set {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	case opAssert:
		b = append(b, byte(n.assert))
	case opRepeat:
		b = binary.AppendVarint(binary.AppendVarint(b, int64(n.min)), int64(n.max))
	}
	b = binary.AppendUvarint(b, uint64(len(n.subs)))
	for _, sub := range n.subs {
		b = sub.key(b)
	}
	return b
}

// factor joins alternatives that begin alike, so that ten thousand patterns
// that start with "(?:|.*/)" walk through it once, and literals make a trie.
func factor(alts [][]*node) *node {
	type group struct {
		first *node
		rests [][]*node
	}
	var groups []*group
	byKey := map[string]*group{}
	empty := false
	var key []byte
	for _, alt := range alts {
		if len(alt) == 0 {
			empty = true
			continue
		}
		key = alt[0].key(key[:0])
		g := byKey[string(key)]
		if g == nil {
			g = &group{first: alt[0]}
			byKey[string(key)] = g
			groups = append(groups, g)
		}
		g.rests = append(g.rests, alt[1:])
	}
	if empty {
		// The empty match is a match of the whole: nothing else can add to it
		// unless something follows, and a factored rest has nothing after it.
		return concat()
	}
	n := &node{op: opAlt}
	for _, g := range groups {
		parts := []*node{g.first}
		if len(g.rests) == 1 {
			parts = append(parts, g.rests[0]...)
		} else {
			parts = append(parts, factor(g.rests).parts()...)
		}
		n.subs = append(n.subs, concat(parts...))
	}
	if len(n.subs) == 1 {
		return n.subs[0]
	}
	return n
}
