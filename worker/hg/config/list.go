// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"bytes"
	"strings"

	"hgbroker/worker/hg/config/python"
)

// ParseList cuts a value into words as hg does (`hg help config`, "Syntax",
// on lists): words are separated by white space and commas and may be put in
// double quotes; \" is a quote inside or outside of quotes. The odd cases,
// which real configurations hit by accident, come out as in hg:
//
//	a b,c        a | b | c
//	"a b" c      a b | c
//	a"b c"       a"b | c"       a quote inside a word is a letter
//	""x          (empty) | x
//	"a b         "a | b         an unclosed quote stays, its words are cut
func ParseList(text string) []string {
	words := splitList([]byte(strings.TrimLeft(text, " ,\n")), 0)
	if words == nil {
		return nil
	}
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}

// maxListNesting bounds how often the rest of a value is cut anew after an
// unclosed quote. What is nested deeper stays one word; real hg dies of it.
const maxListNesting = 100

func splitList(s []byte, depth int) [][]byte {
	s = bytes.TrimRight(s, " ,")
	if len(s) == 0 {
		return nil
	}
	p := listParser{text: s, words: [][]byte{nil}, depth: depth}
	for state := plainWord; state != listEnd; {
		if state == plainWord {
			state = p.plain()
		} else {
			state = p.quoted()
		}
	}
	return p.words
}

type listState int

const (
	plainWord listState = iota
	quotedWord
	listEnd
)

type listParser struct {
	text  []byte
	pos   int
	words [][]byte // the last one is being built
	depth int
}

func (p *listParser) last() *[]byte { return &p.words[len(p.words)-1] }

func (p *listParser) open() { p.words = append(p.words, nil) }

func (p *listParser) done() bool { return p.pos >= len(p.text) }

// take adds the letter at the current position to the last word.
func (p *listParser) take() {
	*p.last() = append(*p.last(), p.text[p.pos])
	p.pos++
}

// skip passes over any of the bytes in set.
func (p *listParser) skip(set string) bool {
	start := p.pos
	for !p.done() && strings.IndexByte(set, p.text[p.pos]) >= 0 {
		p.pos++
	}
	return p.pos > start
}

// plain takes letters outside quotes up to the next quote that opens a word.
func (p *listParser) plain() listState {
	for {
		gap := p.skip(python.Space + ",")
		if p.done() {
			return listEnd
		}
		if gap {
			p.open()
		}
		if p.text[p.pos] == '"' {
			word := p.last()
			if len(*word) == 0 {
				p.pos++
				return quotedWord
			}
			*word = bytes.TrimSuffix(*word, []byte(`\`))
		}
		p.take()
	}
}

// quoted takes the rest of a word after its opening quote.
func (p *listParser) quoted() listState {
	if !p.done() && p.text[p.pos] == '"' { // an empty word
		p.open()
		p.pos++
		p.skip(python.Space + ",")
		return plainWord
	}
	for !p.done() && p.text[p.pos] != '"' {
		if bytes.HasPrefix(p.text[p.pos:], []byte(`\"`)) {
			p.pos++
		}
		p.take()
	}
	if p.done() { // unclosed: the quote is a letter and the rest plain words
		p.unclosed()
		return listEnd
	}
	p.pos++
	p.skip(" ,")
	switch {
	case p.done():
		return listEnd
	case p.pos+1 == len(p.text) && p.text[p.pos] == '"':
		p.take()
	default:
		p.open()
	}
	return plainWord
}

// unclosed cuts the last word, which an unclosed quote opened, into words.
func (p *listParser) unclosed() {
	rest := [][]byte{*p.last()}
	if p.depth < maxListNesting {
		rest = splitList(*p.last(), p.depth+1)
	}
	if len(rest) == 0 {
		rest = [][]byte{nil}
	}
	rest[0] = append([]byte{'"'}, rest[0]...)
	p.words = append(p.words[:len(p.words)-1], rest...)
}
