// SPDX-License-Identifier: GPL-2.0-or-later

package bundle

import (
	"bytes"
	"io"
	"testing"
)

const worked = "HG20\x00\x00\x00\x00\x00\x00\x00\x0b\x04test\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func TestWorkedExample(t *testing.T) {
	b, err := Open(bytes.NewReader([]byte(worked)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Next()
	if err != nil || p.Type != "test" || p.ID != 7 || p.Mandatory || len(p.Params) != 0 {
		t.Fatal(p, err)
	}
	if payload, err := io.ReadAll(p); err != nil || len(payload) != 0 {
		t.Error(payload, err)
	}
	if _, err := b.Next(); err != io.EOF {
		t.Error(err)
	}
}

// TestCutOff cuts the example at each place: it must be an error, and the right
// one.
func TestCutOff(t *testing.T) {
	for n := range len(worked) {
		b, err := Open(bytes.NewReader([]byte(worked[:n])))
		if err != nil {
			if n >= 8 {
				t.Error(n, err)
			}
			continue
		}
		for err == nil {
			_, err = b.Next()
		}
		if err != io.ErrUnexpectedEOF {
			t.Error(n, err)
		}
	}
}

func FuzzBundle(f *testing.F) {
	id := bytes.Repeat([]byte{0x12}, 20)
	delta := append(bytes.Repeat(id, 4), "a delta"...)
	group := append([]byte("\x00\x00\x00\x5b"), delta...)
	group = append(group, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05a\x00\x00\x00\x00\x00\x00\x00\x00"...)
	f.Add(append([]byte("HG10UN"), group...))
	f.Add([]byte(worked))
	f.Add([]byte("HG20\x00\x00\x00\x0eCompression=BZ"))
	f.Add([]byte("HGS1UN\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05abcd\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Open(bytes.NewReader(raw))
		if err != nil {
			return
		}
		switch b.Kind {
		case Store:
			b.StoreHead()
		case Changegroup:
			walk(b.Group())
		case Parts:
			for {
				p, err := b.Next()
				if err != nil {
					return
				}
				version, _ := p.Param("version")
				if g, err := NewGroup(p, version, len(raw)%2 == 0); err == nil {
					walk(g)
				}
			}
		}
	})
}

// walk reads everything that is there.
func walk(g *Group) {
	for {
		for {
			_, ok, err := g.Delta()
			if err != nil {
				return
			}
			if !ok {
				break
			}
		}
		if _, ok, err := g.Name(); !ok || err != nil {
			return
		}
	}
}
