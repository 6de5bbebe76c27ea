// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"fmt"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// text returns the text of a node, checked. Do not modify it.
func (l *log) text(id node.ID) ([]byte, error) { return l.revision(id, nil, false, true) }

// rawText is the text as stored, which a revision that hg has just checked
// answers from memory.
func (l *log) rawText(id node.ID) ([]byte, error) { return l.revision(id, nil, true, true) }

// revision is what hg's revlog answers: known is the revision when the caller
// has it already, raw leaves the flags' own processing out, and validate
// compares with the node.
func (l *log) revision(id node.ID, known *node.Rev, raw, validate bool) ([]byte, error) {
	if id.IsNull() {
		return nil, nil
	}
	rev := node.NullRev
	var err error
	if known != nil {
		rev = *known
	} else if l.at72 || l.cached == node.NullRev || l.node(l.cached) != id {
		if rev, err = l.rev(id); err != nil {
			return nil, err
		}
	} else if rev, err = l.rev(id); err != nil {
		return nil, err
	}
	text, validated, err := l.make(rev, id)
	if err != nil {
		return nil, err
	}
	if raw && validated {
		return text, nil
	}
	flags := l.flags(rev)
	if validated && (flags == 0 || l.at72 && flags&^neutralFlags == 0) {
		return text, nil
	}
	if err := l.checkFlags(flags); err != nil {
		return nil, err
	}
	if validate {
		if err := l.checkHash(rev, id, text); err != nil {
			return nil, err
		}
	}
	if !validated {
		l.keep(rev, text, true)
	}
	return text, nil
}

// keep remembers a text. 7.2 leaves one alone that it knows to be right.
func (l *log) keep(rev node.Rev, text []byte, validated bool) {
	if l.at72 && l.cached == rev && l.validated {
		return
	}
	l.cached, l.cachedText, l.validated = rev, text, validated
}

func (l *log) forget() { l.cached, l.cachedText, l.validated = node.NullRev, nil, false }

// Flags that change nothing in a text, and those that need an extension.
const (
	neutralFlags = revlog.FlagHasCopies | hasMeta | deltaInfo
	hasMeta      = 1 << 11
	deltaInfo    = 0x1f << 6
)

func (l *log) checkFlags(flags uint16) error {
	known := uint16(revlog.FlagCensored | revlog.FlagEllipsis | revlog.FlagExtStored | revlog.FlagHasCopies)
	if l.at72 {
		known |= hasMeta | deltaInfo
	}
	if unknown := flags &^ known; unknown != 0 {
		return storageErrorf("incompatible revision flag '%#x'", unknown)
	}
	for _, flag := range []uint16{revlog.FlagEllipsis, revlog.FlagExtStored} {
		if flags&flag != 0 {
			return storageErrorf("missing processor for flag '%#x'", flag)
		}
	}
	return nil
}

// make puts a text together of chunks, or finds it where it was kept.
func (l *log) make(rev node.Rev, id node.ID) (text []byte, validated bool, err error) {
	if rev == node.NullRev {
		return nil, true, nil
	}
	if l.cached != node.NullRev && (l.at72 && l.cached == rev || !l.at72 && l.node(l.cached) == id) {
		return l.cachedText, l.validated, nil
	}
	text, err = l.build(rev)
	return text, false, err
}

// build puts a text together of the one that was kept and of chunks.
func (l *log) build(rev node.Rev) ([]byte, error) {
	chain, stopped, err := l.deltaChain(rev)
	if err != nil {
		return nil, err
	}
	base := l.cachedText
	if l.at72 && l.old {
		// hg 7 takes the length that this version does not tell times four.
		return nil, exceptionf("unsupported operand type(s) for *: 'NoneType' and 'int'")
	}
	if !l.at72 {
		l.forget()
	}
	target := max(-1, 4*l.rawSize(rev))
	if l.at72 {
		l.chunksMax = max(l.chunksMax, target)
	}
	chunks, err := l.read(chain, target)
	if err != nil {
		return nil, err
	}
	if !stopped {
		base, chunks = chunks[0], chunks[1:]
	}
	text, err := applyDeltas(base, chunks)
	if err != nil {
		return nil, err
	}
	if l.at72 {
		l.keep(rev, text, false)
	}
	return text, nil
}

// deltaChain collects the revisions whose chunks make rev, ascending, back to a
// whole text, or to the text that was kept.
func (l *log) deltaChain(rev node.Rev) (chain []node.Rev, stopped bool, err error) {
	if _, ok := l.entry(rev); !ok {
		return nil, false, errOutOfRange
	}
	base, err := l.checkedBase(rev)
	if err != nil {
		return nil, false, err
	}
	at := rev
	for at != base && (l.cached == node.NullRev || at != l.cached) {
		if !l.at72 || l.length(at) > 0 {
			chain = append(chain, at)
		}
		if at--; l.general {
			at = base
		}
		if at < 0 {
			break
		}
		if base, err = l.checkedBase(at); err != nil {
			return nil, false, err
		}
	}
	if stopped = l.cached != node.NullRev && at == l.cached; !stopped {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain, stopped, nil
}

func (l *log) checkedBase(rev node.Rev) (node.Rev, error) {
	base := l.base(rev)
	switch {
	case l.old:
	case base > rev:
		return 0, exceptionf("corrupted revlog, revision base above revision: %d, %d", rev, base)
	case base < -1:
		return 0, exceptionf("corrupted revlog, revision base out of range: %d, %d", rev, base)
	}
	return base, nil
}

// checkHash compares a text with its node.
func (l *log) checkHash(rev node.Rev, id node.ID, text []byte) error {
	p1, p2, err := l.parents(id)
	if err == nil {
		if revlog.HashText(p1, p2, text) == id {
			return nil
		}
		if l.cached == rev || !l.at72 && l.cached != node.NullRev && l.node(l.cached) == id {
			l.forget()
		}
		err = storageErrorf("integrity check failed on %s:%d", l.display, rev)
	}
	if f, ok := err.(*failure); !ok || !f.storage || !l.censorable {
		return err
	}
	m, merr := parseMetadata(text)
	if merr != nil {
		return merr
	}
	if m.censored {
		return &failure{text: fmt.Sprintf("%s:%s", l.display, id.Short()), storage: true, censored: true}
	}
	return err
}

// metadata is what stands in front of a file's content.
type metadata struct {
	source, sourceNode string
	copied, censored   bool
}

// parseMetadata reads it; a text without any has the zero value.
func parseMetadata(text []byte) (m metadata, err error) {
	rest, ok := bytes.CutPrefix(text, []byte("\x01\n"))
	if !ok {
		return m, nil
	}
	rest, _, ok = bytes.Cut(rest, []byte("\x01\n"))
	if !ok {
		return m, exceptionf("'NoneType' object has no attribute 'start'")
	}
	var hasSource, hasNode bool
	for len(rest) > 0 {
		line := rest
		// Lines end as Python's splitlines has it.
		if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
			line = rest[:i]
			if rest[i] == '\r' && i+1 < len(rest) && rest[i+1] == '\n' {
				i++
			}
			rest = rest[i+1:]
		} else {
			rest = nil
		}
		key, value, ok := bytes.Cut(line, []byte(": "))
		if !ok {
			return m, exceptionf("not enough values to unpack (expected 2, got 1)")
		}
		switch string(key) {
		case "copy":
			m.source, hasSource = string(value), true
		case "copyrev":
			m.sourceNode, hasNode = string(value), true
		case "censored":
			m.censored = true
		}
	}
	m.copied = hasSource && hasNode
	return m, nil
}

// unhex is Python's unhexlify.
func unhex(text string) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, exceptionf("Odd-length string")
	}
	out := make([]byte, len(text)/2)
	for i := range out {
		hi, ok1 := hexDigit(text[2*i])
		lo, ok2 := hexDigit(text[2*i+1])
		if !ok1 || !ok2 {
			return nil, exceptionf("Non-hexadecimal digit found")
		}
		out[i] = hi<<4 | lo
	}
	return out, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
