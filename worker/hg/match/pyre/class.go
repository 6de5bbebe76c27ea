// SPDX-License-Identifier: GPL-2.0-or-later

package pyre

import "strings"

// controls are the escapes that stand for one byte.
var controls = map[byte]byte{'a': 7, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}

// category is the set that \d and its like stand for.
func category(c byte) (set byteSet, ok bool) {
	switch c | 0x20 {
	case 'd':
		set = digits
	case 's':
		set = spaces
	case 'w':
		set = words
	default:
		return set, false
	}
	if c < 'a' {
		set = set.negated()
	}
	return set, true
}

// escape reads what follows a backslash outside of a class.
func (p *parser) escape(f flags) (*node, item, error) {
	if !p.more() {
		return nil, 0, p.invalid("bad escape (end of pattern)")
	}
	c := p.s[p.pos]
	if set, ok := category(c); ok {
		p.pos++
		return &node{op: opSet, set: set}, itemPlain, nil
	}
	switch c {
	case 'A':
		p.pos++
		return &node{op: opAssert, assert: assertStart}, itemAssert, nil
	case 'Z':
		p.pos++
		return &node{op: opAssert, assert: assertVeryEnd}, itemAssert, nil
	case 'b':
		p.pos++
		return &node{op: opAssert, assert: assertWord}, itemAssert, nil
	case 'B':
		// Whether it matches in an empty name depends on Python's version.
		return nil, 0, p.unsupported(`\B`)
	}
	if c >= '1' && c <= '9' {
		return nil, 0, p.unsupported("a back-reference")
	}
	c, err := p.escapedByte()
	if err != nil {
		return nil, 0, err
	}
	return p.literal(c, f), itemPlain, nil
}

// escapedByte reads an escape that stands for one byte, in or out of a class.
func (p *parser) escapedByte() (byte, error) {
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
	case c == '0':
		value := 0
		for range 2 {
			if p.more() && p.s[p.pos] >= '0' && p.s[p.pos] <= '7' {
				value = value<<3 | int(p.s[p.pos]-'0')
				p.pos++
			}
		}
		return byte(value), nil
	case c >= '1' && c <= '9':
		return 0, p.unsupported("an octal escape")
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		// Which letters are escapes grew with Python's versions.
		return 0, p.unsupported("an escape")
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
	var set byteSet
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
			set.union(lo)
			continue
		}
		if !p.more() {
			return nil, p.invalid("unterminated character set")
		}
		if p.s[p.pos] == ']' {
			p.pos++
			set.union(lo)
			set.add('-')
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
		set.addRange(byte(one), byte(other))
	}
	if f.fold {
		set = set.folded()
	}
	if negate {
		set = set.negated()
	}
	return &node{op: opSet, set: set}, nil
}

// classItem reads one member: a byte, of which one is the value, or a category.
func (p *parser) classItem() (set byteSet, one int, err error) {
	c := p.s[p.pos]
	p.pos++
	if c == '\\' {
		if !p.more() {
			return set, 0, p.invalid("bad escape (end of pattern)")
		}
		if set, ok := category(p.s[p.pos]); ok {
			p.pos++
			return set, -1, nil
		}
		if p.s[p.pos] == 'b' {
			p.pos++
			return single('\b'), '\b', nil
		}
		if c, err = p.escapedByte(); err != nil {
			return set, 0, err
		}
	}
	return single(c), int(c), nil
}
