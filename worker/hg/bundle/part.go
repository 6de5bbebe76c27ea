// SPDX-License-Identifier: GPL-2.0-or-later

package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Part is one part of a bundle2. Its payload is read from it.
//
//	4    length of the header, 0 behind the last part
//	     the header:
//	1    length of the type, and the type; a capital letter in it says that
//	     whoever does not know the type must stop
//	4    number of the part
//	1    mandatory parameters
//	1    advisory parameters
//	     for each: 1 length of the key, 1 of the value
//	     the keys and values
//	     the payload, in chunks: 4 length (0 behind the last one), and the bytes
//
// A length of -1 instead of a chunk interrupts the payload with a part that
// tells of an error; that is not read.
type Part struct {
	Type      string // in small letters
	Mandatory bool
	ID        uint32
	Params    []Param // mandatory ones first

	b    *Bundle
	left int32 // of the current chunk
	done bool
}

// Param returns the value of a parameter; the last one counts.
func (p *Part) Param(key string) (value string, ok bool) {
	for _, have := range p.Params {
		if have.Key == key {
			value, ok = have.Value, true
		}
	}
	return value, ok
}

// Next returns the next part, after the rest of the last one was passed over;
// io.EOF behind the last.
func (b *Bundle) Next() (*Part, error) {
	if b.Kind != Parts {
		return nil, errors.New("no parts")
	}
	if b.last != nil {
		if _, err := io.Copy(io.Discard, b.last); err != nil {
			return nil, err
		}
		b.last = nil
	}
	size, err := number(b.r)
	if err != nil {
		return nil, err
	}
	switch {
	case size == 0:
		return nil, io.EOF
	case size < 0 || size > MaxHeader:
		return nil, fmt.Errorf("a part's header of %d bytes", size)
	}
	header := make([]byte, size)
	if _, err := io.ReadFull(b.r, header); err != nil {
		return nil, unexpected(err)
	}
	p, err := parsePart(header)
	if err != nil {
		return nil, err
	}
	p.b = b
	b.last = p
	return p, nil
}

func parsePart(header []byte) (*Part, error) {
	short := false
	take := func(n int) []byte {
		if n > len(header) {
			short = true
			return make([]byte, n)
		}
		taken := header[:n]
		header = header[n:]
		return taken
	}
	p := &Part{Type: string(take(int(take(1)[0])))}
	p.ID = binary.BigEndian.Uint32(take(4))
	if plain := strings.Map(lower, p.Type); plain != p.Type {
		p.Type, p.Mandatory = plain, true
	}
	counts := take(2)
	sizes := take(2 * (int(counts[0]) + int(counts[1])))
	for i := 0; i < len(sizes); i += 2 {
		key := string(take(int(sizes[i])))
		p.Params = append(p.Params, Param{key, string(take(int(sizes[i+1]))), true})
	}
	if short {
		return nil, errors.New("a part's header that is too short")
	}
	return p, nil
}

func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// Read reads the payload.
func (p *Part) Read(buf []byte) (int, error) {
	if p.b.last != p {
		return 0, errors.New("a part that is over")
	}
	if p.left == 0 && !p.done {
		size, err := number(p.b.r)
		if err != nil {
			return 0, err
		}
		if size < 0 {
			return 0, fmt.Errorf("a chunk of %d bytes", size)
		}
		p.left, p.done = size, size == 0
	}
	if p.done {
		return 0, io.EOF
	}
	n, err := p.b.r.Read(buf[:min(len(buf), int(p.left))])
	p.left -= int32(n)
	return n, unexpected(err)
}
