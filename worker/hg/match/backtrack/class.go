// SPDX-License-Identifier: GPL-2.0-or-later

package backtrack

import "strings"

// set is a set of bytes, one bit each.
type set [4]uint64

var allBytes = set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) remove(c byte)   { s[c>>6] &^= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) union(t set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// fold adds the other case of each ASCII letter.
func (s *set) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		if up := c - 'a' + 'A'; s.has(c) || s.has(up) {
			s.add(c)
			s.add(up)
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// category is the set that \d and its like stand for.
func category(c byte) (s set, ok bool) {
	var test func(byte) bool
	switch c | 0x20 {
	case 'd':
		test = func(b byte) bool { return b >= '0' && b <= '9' }
	case 's':
		test = func(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }
	case 'w':
		test = isWord
	default:
		return s, false
	}
	for b := range 256 {
		if test(byte(b)) {
			s.add(byte(b))
		}
	}
	if c < 'a' {
		s.invert()
	}
	return s, true
}

// controls are the escapes that stand for one byte.
var controls = map[byte]byte{'a': 7, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isOctal(c byte) bool { return c >= '0' && c <= '7' }

// escape reads what follows a backslash outside of a class.
func (p *parser) escape(f flags) (*node, error) {
	if !p.more() {
		return nil, p.invalid("bad escape (end of pattern)")
	}
	c := p.s[p.pos]
	if s, ok := category(c); ok {
		p.pos++
		return &node{op: opSet, set: s}, nil
	}
	places := map[byte]place{'A': placeStart, 'Z': placeVeryEnd, 'b': placeWord, 'B': placeInside}
	if at, ok := places[c]; ok {
		p.pos++
		return &node{op: opAt, place: at}, nil
	}
	if c >= '1' && c <= '9' {
		return p.numbered(f)
	}
	c, err := p.escapedByte(2)
	if err != nil {
		return nil, err
	}
	return literalByte(c, f), nil
}

// numbered reads \1 to \99, or three octal digits.
func (p *parser) numbered(f flags) (*node, error) {
	digits := p.s[p.pos:min(p.pos+3, len(p.s))]
	n := int(digits[0] - '0')
	p.pos++
	if len(digits) > 1 && isDigit(digits[1]) {
		if len(digits) == 3 && isOctal(digits[0]) && isOctal(digits[1]) && isOctal(digits[2]) {
			p.pos += 2
			value := n*64 + int(digits[1]-'0')*8 + int(digits[2]-'0')
			if value > 0xff {
				return nil, p.invalid("octal escape value outside of range 0-0o377")
			}
			return literalByte(byte(value), f), nil
		}
		p.pos++
		n = n*10 + int(digits[1]-'0')
	}
	if n >= len(p.names) {
		return nil, p.invalid("invalid group reference")
	}
	return p.reference(n, f)
}

// escapedByte reads an escape that stands for one byte, in or out of a class. An
// octal one may have so many digits after the first.
func (p *parser) escapedByte(octal int) (byte, error) {
	c := p.s[p.pos]
	p.pos++
	if b, ok := controls[c]; ok {
		return b, nil
	}
	switch {
	case c == 'x':
		if len(p.s)-p.pos < 2 || !isHex(p.s[p.pos]) || !isHex(p.s[p.pos+1]) {
			return 0, p.invalid("incomplete escape")
		}
		b := hexValue(p.s[p.pos])<<4 | hexValue(p.s[p.pos+1])
		p.pos += 2
		return b, nil
	case isOctal(c):
		value := int(c - '0')
		for range octal {
			if p.more() && isOctal(p.s[p.pos]) {
				value = value<<3 | int(p.s[p.pos]-'0')
				p.pos++
			}
		}
		if value > 0xff {
			return 0, p.invalid("octal escape value outside of range 0-0o377")
		}
		return byte(value), nil
	case c == 'z':
		return 0, p.unsupported("an escape") // newer than most Pythons
	case isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'z':
		return 0, p.invalid("bad escape")
	}
	return c, nil
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}

// class reads a set after its opening bracket. A doubled bracket, hyphen, bar,
// ampersand or tilde makes Python warn that it may come to mean something else.
func (p *parser) class(f flags) (*node, error) {
	var s set
	if p.more() && p.s[p.pos] == '[' {
		return nil, p.unsupported("a possible nested set")
	}
	negate := p.accept("^")
	for empty := true; ; empty = false {
		if !p.more() {
			return nil, p.invalid("unterminated character set")
		}
		if p.s[p.pos] == ']' && !empty {
			p.pos++
			break
		}
		if c := p.s[p.pos]; !empty && strings.IndexByte("-&~|", c) >= 0 && p.pos+1 < len(p.s) && p.s[p.pos+1] == c {
			return nil, p.unsupported("a possible set operation")
		}
		lo, one, err := p.classItem()
		if err != nil {
			return nil, err
		}
		if !p.accept("-") {
			s.union(lo)
			continue
		}
		if !p.more() {
			return nil, p.invalid("unterminated character set")
		}
		if p.s[p.pos] == ']' {
			p.pos++
			s.union(lo)
			s.add('-')
			break
		}
		if p.s[p.pos] == '-' {
			return nil, p.unsupported("a possible set difference")
		}
		_, other, err := p.classItem()
		if err != nil {
			return nil, err
		}
		if one < 0 || other < 0 || other < one {
			return nil, p.invalid("bad character range")
		}
		for c := one; c <= other; c++ {
			s.add(byte(c))
		}
	}
	if f.fold {
		s.fold()
	}
	if negate {
		s.invert()
	}
	return &node{op: opSet, set: s}, nil
}

// classItem reads one member: a byte, of which one is the value, or a category.
func (p *parser) classItem() (s set, one int, err error) {
	c := p.s[p.pos]
	p.pos++
	if c == '\\' {
		if !p.more() {
			return s, 0, p.invalid("bad escape (end of pattern)")
		}
		if s, ok := category(p.s[p.pos]); ok {
			p.pos++
			return s, -1, nil
		}
		if p.s[p.pos] == 'b' {
			p.pos++
			s.add('\b')
			return s, '\b', nil
		}
		if c, err = p.escapedByte(2); err != nil {
			return s, 0, err
		}
	}
	s.add(c)
	return s, int(c), nil
}
