// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"
	"math"
)

// What hg says of a delta that it cannot apply. It folds the deltas of a chain
// into one before it looks at what they are applied to, so which of the two
// it says, if any, depends on how they are folded.
var (
	errUndecodable = exceptionf("patch cannot be decoded")
	errBadPatch    = exceptionf("invalid patch")
)

// hunk replaces the bytes from start to end of the old text by data.
type hunk struct {
	start, end int32
	data       []byte
}

func (h hunk) len() int32 { return int32(len(h.data)) }

// applyDeltas applies deltas to a text, one after another.
func applyDeltas(text []byte, deltas [][]byte) ([]byte, error) {
	if len(deltas) == 0 {
		return text, nil
	}
	hunks, err := fold(deltas)
	if err != nil {
		return nil, err
	}
	var last int64
	size := int64(len(text))
	for _, h := range hunks {
		if int64(h.start) < last || int64(h.end) > int64(len(text)) {
			return nil, errBadPatch
		}
		size += int64(len(h.data)) - (int64(h.end) - int64(h.start))
		last = int64(h.end)
		// A folded hunk may end before it starts; hg then reads what it has read before.
		if last < 0 || int64(h.start) > int64(len(text)) {
			return nil, errBadPatch
		}
	}
	out := make([]byte, 0, max(0, size))
	last = 0
	for _, h := range hunks {
		out = append(out, text[last:h.start]...)
		out = append(out, h.data...)
		last = int64(h.end)
	}
	return append(out, text[last:]...), nil
}

// fold makes one delta of several.
func fold(deltas [][]byte) ([]hunk, error) {
	if len(deltas) == 1 {
		return decode(deltas[0])
	}
	middle := len(deltas) / 2
	a, err := fold(deltas[:middle])
	if err != nil {
		return nil, err
	}
	b, err := fold(deltas[middle:])
	if err != nil {
		return nil, err
	}
	return combine(a, b), nil
}

func decode(delta []byte) ([]hunk, error) {
	var hunks []hunk
	pos := 0
	for pos < len(delta)-11 {
		start := int32(binary.BigEndian.Uint32(delta[pos:]))
		end := int32(binary.BigEndian.Uint32(delta[pos+4:]))
		n := int32(binary.BigEndian.Uint32(delta[pos+8:]))
		if start < 0 || start > end || n < 0 {
			break
		}
		pos += 12
		if int64(pos)+int64(n) > int64(len(delta)) {
			return nil, errUndecodable
		}
		hunks = append(hunks, hunk{start, end, delta[pos : pos+int(n)]})
		pos += int(n)
	}
	if pos != len(delta) {
		return nil, errUndecodable
	}
	return hunks, nil
}

// add is a sum that fails when it does not fit.
func add(a, b int32) (int32, bool) {
	sum := int64(a) + int64(b)
	return int32(sum), math.MinInt32 <= sum && sum <= math.MaxInt32
}

// folding is the delta that is applied first, while it is used up.
type folding struct {
	rest []hunk
	out  []hunk
}

// upTo takes hunks away whose result lies before cut, into the output if keep
// says so, the last one in part. offset is by how much what was taken before
// shifts the text, and the result is what it is afterwards.
func (f *folding) upTo(cut, offset int32, keep bool) int32 {
	for len(f.rest) > 0 {
		s := &f.rest[0]
		from, ok := add(s.start, offset)
		if !ok || from >= cut {
			break
		}
		to, ok := add(from, s.len())
		if !ok {
			break
		}
		if to <= cut {
			shift := int64(s.start) - int64(s.end) + int64(s.len()) + int64(offset)
			if shift < math.MinInt32 || shift > math.MaxInt32 {
				break
			}
			offset = int32(shift)
			if keep {
				f.out = append(f.out, *s)
			}
			f.rest = f.rest[1:]
			continue
		}
		c := min(cut-offset, s.end)
		n := min(cut-offset-s.start, s.len())
		offset += s.start + n - c
		if keep {
			f.out = append(f.out, hunk{s.start, c, s.data[:n]})
		}
		s.start, s.data = c, s.data[n:]
		break
	}
	return offset
}

// combine is the delta that does what a and then b do. It takes a over.
func combine(a, b []hunk) []hunk {
	f := folding{rest: a, out: make([]hunk, 0, len(a)+len(b))}
	var offset int32
	for _, h := range b {
		offset = f.upTo(h.start, offset, true)
		after := f.upTo(h.end, offset, false)
		start, ok1 := add(h.start, -offset)
		end, ok2 := add(h.end, -after)
		if !ok1 || !ok2 {
			break
		}
		f.out = append(f.out, hunk{start, end, h.data})
		offset = after
	}
	return append(f.out, f.rest...)
}
