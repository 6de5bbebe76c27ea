// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"
	"math"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// Texts are the texts of the first changesets of a store, decompressed: what a
// log of everything streams from, and a search through all of them scans.
//
// They are an image of their own, of kind Texts, made when somebody read much of
// the history: several times as large as that of the store, and wanted less.
// Its sections:
//
//	1  16 bytes: u64 number of changesets N, u64 hash of their nodes (Ancestor)
//	2  N+1 u64: text r is the next section's bytes from start r to start r+1
//	3  the texts, one behind the other
//	4  N records, for each text what a listing needs of it (TextFacts)
//
// They hold for every changelog that has N and the hash in its lineage.
type Texts struct {
	img    *image.Image
	held   *holder
	of     Ancestor
	starts []uint64
	data   []byte
	facts  []uint32
}

const (
	textsOf image.ID = 1 + iota
	textsStarts
	textsData
	textsFacts
)

// OpenTexts checks the extents of an image of texts, which the result owns from
// then on; when it fails, img stays the caller's.
func OpenTexts(img *image.Image) (*Texts, error) {
	if img.Info().Kind != image.Texts {
		return nil, malformed("kind %v is not texts", img.Info().Kind)
	}
	of, _ := img.Section(textsOf)
	if len(of) != 16 || binary.LittleEndian.Uint64(of) > revlog.MaxRevisions {
		return nil, malformed("texts of %d bytes", len(of))
	}
	t := &Texts{img: img, held: hold(img), of: decodeLineage(of)[0]}
	starts, _ := img.Section(textsStarts)
	t.data, _ = img.Section(textsData)
	if t.starts = image.Numbers[uint64](starts); len(t.starts) != t.of.Len+1 {
		return nil, malformed("%d starts of %d texts", len(t.starts), t.of.Len)
	}
	facts, _ := img.Section(textsFacts)
	if t.facts = image.Numbers[uint32](facts); len(t.facts) != t.of.Len*factsWords {
		return nil, malformed("facts of %d texts in %d bytes", t.of.Len, len(facts))
	}
	return t, nil
}

// Verify checks that every text lies in the image. What the facts say is checked when
// they are used.
func (t *Texts) Verify() error {
	if err := t.img.Verify(); err != nil {
		return err
	}
	last := uint64(0)
	for i, at := range t.starts {
		if at < last || i == 0 && at != 0 || at > uint64(len(t.data)) {
			return malformed("text %d begins at %d", i, at)
		}
		last = at
	}
	if last != uint64(len(t.data)) {
		return malformed("%d bytes of texts, of %d", last, len(t.data))
	}
	return nil
}

// Close gives the image back.
func (t *Texts) Close() error { return t.held.release() }

// Share returns the same texts for another user, who closes them.
func (t *Texts) Share() *Texts {
	s := *t
	s.held.take()
	return &s
}

// Len is of how many changesets there are texts.
func (t *Texts) Len() int { return t.of.Len }

// Of is the state of the changelog that the texts are of.
func (t *Texts) Of() Ancestor { return t.of }

// Text is the text of a changeset below Len. It stands in the image.
func (t *Texts) Text(rev node.Rev) []byte {
	from, to := t.starts[rev], t.starts[rev+1]
	if from > to || to > uint64(len(t.data)) {
		return nil // Verify refuses this
	}
	return t.data[from:to:to]
}

// BuildTexts makes the image of the texts of a changelog's state. old, which may
// be nil, has those of an earlier state, and must stay open until the image is
// written; parts are the ones behind them, in order, each some texts one behind
// the other with the length of each.
func BuildTexts(of Ancestor, old *Texts, parts []TextsPart) *image.Builder {
	starts := make([]uint64, 1, of.Len+1)
	var data, facts [][]byte
	if old != nil {
		starts = append(starts[:0], old.starts...)
		data = append(data, old.data)
		facts = append(facts, image.Bytes(old.facts))
	}
	at := starts[len(starts)-1]
	for _, p := range parts {
		for _, n := range p.Lengths {
			at += uint64(n)
			starts = append(starts, at)
		}
		data = append(data, p.Data)
		facts = append(facts, image.Bytes(p.facts))
	}
	b := image.NewBuilder(image.Texts)
	b.Add(textsOf, encodeLineage([]Ancestor{of}))
	b.Add(textsStarts, image.Bytes(starts))
	b.Add(textsData, data...)
	b.Add(textsFacts, facts...)
	return b
}

// TextsPart is some texts, and their facts.
type TextsPart struct {
	Data    []byte
	Lengths []uint32
	facts   []uint32
}

// Add is one more text; facts may be nil.
func (p *TextsPart) Add(text []byte, facts *TextFacts) {
	p.Data = append(p.Data, text...)
	p.Lengths = append(p.Lengths, uint32(len(text)))
	p.facts = facts.appendTo(p.facts)
}

// TextFacts are what a listing needs to know of a changeset's text before it can
// print it: as numbers, to find them out takes longer than to print them.
//
// A record of an image is eight u32: the six positions, the seconds, and flags beside
// the offset. It is all zero where the facts do not fit in, or there are none.
type TextFacts struct {
	User, Date, Files int // where the lines of the text end (changelog.At)
	// The description without white space around it, and its first line, in bytes
	// of the description.
	Begin, Line, End int
	Unix             int64 // the date, in seconds since 1970
	Offset           int   // of its time zone, in seconds
	ASCII            bool  // user, branch and description are
	Branch           bool  // it is not on the default branch
}

const (
	factsWords  = 8
	factsKnown  = 1 << 31
	factsASCII  = 1 << 30
	factsBranch = 1 << 29
	factsZero   = 1 << 27 // added to the offset
)

func (f *TextFacts) appendTo(words []uint32) []uint32 {
	if f == nil || uint64(f.Unix) > math.MaxUint32 || f.Offset <= -factsZero || f.Offset >= factsZero {
		return append(words, make([]uint32, factsWords)...)
	}
	last := factsKnown | uint32(f.Offset+factsZero)
	if f.ASCII {
		last |= factsASCII
	}
	if f.Branch {
		last |= factsBranch
	}
	return append(words, uint32(f.User), uint32(f.Date), uint32(f.Files), uint32(f.Begin), uint32(f.Line), uint32(f.End), uint32(f.Unix), last)
}

// Facts are those of a changeset below Len.
func (t *Texts) Facts(rev node.Rev) (f TextFacts, ok bool) {
	w := t.facts[int(rev)*factsWords:][:factsWords]
	last := w[7]
	return TextFacts{int(w[0]), int(w[1]), int(w[2]), int(w[3]), int(w[4]), int(w[5]),
		int64(w[6]), int(last&(factsBranch-1)) - factsZero, last&factsASCII != 0, last&factsBranch != 0}, last&factsKnown != 0
}

// Rooted is the newest state in the lineage that an image remembers: what is
// made of it will be known to hold for later images, too. ok is false without
// an image.
func (s *Snapshot) Rooted() (of Ancestor, ok bool) {
	if len(s.lineage) == 0 {
		return Ancestor{}, false
	}
	return s.lineage[len(s.lineage)-1], true
}

// HasGrownFrom tells whether the changelog is known to have been in a state.
func (s *Snapshot) HasGrownFrom(of Ancestor) bool {
	for _, a := range s.lineage {
		if a == of {
			return of.Len <= s.Len()
		}
	}
	return false
}
