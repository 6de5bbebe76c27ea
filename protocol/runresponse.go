// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// ParseRunResponse takes a response to hg/run apart in one pass over its output,
// which may be megabytes, when it is long and written as our broker writes it. When
// ok is false it may be anything, and ParseMessage tells. r owns its memory.
func ParseRunResponse(body []byte) (id RawID, r *RunResult, ok bool) {
	if len(body) < longResponse {
		return "", nil, false
	}
	rest, ok := bytes.CutPrefix(body, []byte(`{"jsonrpc":"2.0","id":`))
	end := bytes.IndexByte(rest[:min(len(rest), longestID)], ',')
	if !ok || end < 0 {
		return "", nil, false
	}
	rest, ok = bytes.CutPrefix(rest[end:], []byte(`,"result":{"exitCode":`))
	code := bytes.IndexByte(rest[:min(len(rest), longestID)], ',')
	if !ok || code < 0 {
		return "", nil, false
	}
	const output = `,"stdout":"`
	rest, ok = bytes.CutPrefix(rest[code:], []byte(output))
	if !ok {
		return "", nil, false
	}
	at := len(body) - len(rest)
	text, rest, ok := appendLiteral(make([]byte, 0, len(rest)), rest)
	if !ok || !utf8.Valid(text) {
		return "", nil, false
	}
	// What is left is short. It is looked at with an empty output.
	small := append(append(bytes.Clone(body[:at]), '"'), rest...)
	m, bad := ParseMessage(small)
	if bad != nil || m.Result == nil {
		return "", nil, false
	}
	r = &RunResult{}
	if r.UnmarshalJSON(m.Result) != nil || !bytes.Equal(AppendResponse(nil, m.ID, r.AppendJSON(nil)), small) {
		return "", nil, false // nothing is there twice, or has another place
	}
	r.Stdout = Text(unsafe.String(unsafe.SliceData(text), len(text)))
	return m.ID, r, true
}

const (
	// longResponse is from which size on a response is worth a pass of its own.
	longResponse = 1 << 10
	// longestID bounds what ParseRunResponse looks through for the end of a number.
	longestID = 64
)

// appendLiteral appends what the rest of a JSON string stands for, of which the
// first quote is before lit, and returns what is behind its last one. It is false for
// a string that is not valid. It does not check that it is UTF-8.
func appendLiteral(dst, lit []byte) (text, rest []byte, ok bool) {
	for {
		// Whole words are written, of which what follows an escape is written over.
		room := dst[len(dst):cap(dst)]
		i, n := 0, 0 // in lit, in room
		for i+word < len(lit) && n+word <= len(room) {
			x := binary.LittleEndian.Uint64(lit[i:])
			binary.LittleEndian.PutUint64(room[n:], x)
			found := specials(x)
			if found == 0 {
				i, n = i+word, n+word
				continue
			}
			at := bits.TrailingZeros64(found) / 8
			i, n = i+at, n+at
			c := shortEscapes[lit[i+1]]
			if lit[i] != '\\' || c == 0 {
				break
			}
			room[n] = c
			i, n = i+2, n+1
		}
		dst, lit = dst[:len(dst)+n], lit[i:]
		run := plainRun(lit)
		dst, lit = append(dst, lit[:run]...), lit[run:]
		if len(lit) == 0 {
			return dst, lit, false
		}
		switch c := lit[0]; c {
		case '"':
			return dst, lit[1:], true
		case 0x7f:
			dst, lit = append(dst, c), lit[1:]
		case '\\':
			var err error
			if dst, lit, err = appendEscape(dst, lit); err != nil {
				return dst, lit, false
			}
		default:
			return dst, lit, false
		}
	}
}
