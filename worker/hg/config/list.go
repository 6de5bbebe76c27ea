// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
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
	return splitList(strings.TrimLeft(text, " ,\n"))
}

func splitList(s string) []string {
	s = strings.TrimRight(s, " ,")
	if s == "" {
		return nil
	}
	p := listParser{text: s, words: []string{""}}
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
	text  string
	pos   int
	words []string // the last one is being built
}

func (p *listParser) last() *string { return &p.words[len(p.words)-1] }

func (p *listParser) open() { p.words = append(p.words, "") }

func (p *listParser) done() bool { return p.pos >= len(p.text) }

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
	start := p.pos
	flush := func(end int) { *p.last() += p.text[start:end] }
	for {
		end := p.pos
		if p.skip(python.Space + ",") {
			flush(end)
			if p.done() {
				return listEnd
			}
			p.open()
			start = p.pos
		} else if p.done() {
			flush(end)
			return listEnd
		}
		if p.text[p.pos] == '"' {
			flush(p.pos)
			word := p.last()
			if *word == "" {
				p.pos++
				return quotedWord
			}
			if strings.HasSuffix(*word, `\`) {
				*word = (*word)[:len(*word)-1]
			}
			start = p.pos
		}
		p.pos++
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
	var word strings.Builder
	for !p.done() && p.text[p.pos] != '"' {
		if strings.HasPrefix(p.text[p.pos:], `\"`) {
			p.pos++
		}
		word.WriteByte(p.text[p.pos])
		p.pos++
	}
	*p.last() += word.String()
	if p.done() { // unclosed: the quote is a letter and the rest plain words
		if rest := splitList(*p.last()); len(rest) > 0 {
			rest[0] = `"` + rest[0]
			p.words = append(p.words[:len(p.words)-1], rest...)
		} else {
			*p.last() = `"`
		}
		return listEnd
	}
	p.pos++
	p.skip(" ,")
	switch {
	case p.done():
		return listEnd
	case p.pos+1 == len(p.text) && p.text[p.pos] == '"':
		*p.last() += `"`
		p.pos++
	default:
		p.open()
	}
	return plainWord
}
