// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// scanBlock is how many bytes Scan reads at once. A longer chunk is read whole.
const scanBlock = 1 << 20

// Scan calls fn for each revision from from up to, but without, to, in
// ascending order, with its text checked against its node. The text is only
// valid during the call. Data is read in large blocks and decompressed into
// buffers that are used again, which suits a changelog: texts that are small and
// whole, or deltas of the one before. A text that is made otherwise costs what
// Text costs.
//
// Scan stops at the first error, its own or fn's.
func (r *Revlog) Scan(from, to node.Rev, fn func(rev node.Rev, text []byte) error) error {
	s := scanner{r: r, prev: node.NullRev}
	if r.dec == nil {
		r.dec = decompressors.Get().(*decompressor)
	}
	to = min(to, node.Rev(r.Len()))
	for rev := max(from, 0); rev < to; rev++ {
		text, err := s.text(rev, to)
		if err != nil {
			return err
		}
		if err := r.checkFlags(rev); err != nil {
			return err
		}
		if err := r.checkHash(rev, text); err != nil {
			return err
		}
		if err := fn(rev, text); err != nil {
			return err
		}
	}
	return nil
}

// scanner is the state of one Scan.
type scanner struct {
	r *Revlog

	block      []byte // bytes start to end of the file
	start, end int64

	// The text before, for deltas of it. bufs hold it and the next one in turn,
	// and the delta.
	prev     node.Rev
	prevText []byte
	bufs     [2][]byte
	delta    []byte
	turn     int
}

func (s *scanner) text(rev, to node.Rev) ([]byte, error) {
	r := s.r
	parent := r.DeltaParent(rev)
	if parent != node.NullRev && parent != s.prev || r.RawSize(rev) > MaxTextSize {
		text, err := r.RawText(rev)
		if err != nil {
			return nil, err
		}
		s.prev, s.prevText = rev, text
		return text, nil
	}
	chunk, err := s.chunk(rev, to)
	if err != nil {
		return nil, err
	}
	buf := &s.bufs[s.turn]
	s.turn = 1 - s.turn
	var text []byte
	if r.Base(rev) == rev {
		if text, err = r.dec.decompress((*buf)[:0], chunk, r.RawSize(rev), MaxTextSize); err != nil {
			return nil, r.damaged(rev, "%v", err)
		}
	} else {
		var base []byte
		if parent != node.NullRev {
			base = s.prevText
		}
		d, err := r.dec.decompress(s.delta[:0], chunk, int64(4*len(chunk)), MaxTextSize)
		if err != nil {
			return nil, r.damaged(rev, "%v", err)
		}
		s.keep(&s.delta, d, chunk)
		if text, err = patchOne((*buf)[:0], base, d, MaxTextSize); err != nil {
			return nil, r.damaged(rev, "%v", err)
		}
	}
	// A raw chunk stands in the block, which the next read may overwrite while
	// the text is still wanted as a base.
	if aliases(text, chunk) {
		text = append((*buf)[:0], text...)
	}
	s.keep(buf, text, chunk)
	s.prev, s.prevText = rev, text
	return text, nil
}

// keep remembers a result as the buffer for the next one, unless it is a part
// of the block.
func (s *scanner) keep(buf *[]byte, result, chunk []byte) {
	if cap(result) > cap(*buf) && !aliases(result, chunk) {
		*buf = result[:0]
	}
}

// aliases reports whether a result of decompress is a part of its chunk: those
// end where the chunk ends.
func aliases(result, chunk []byte) bool {
	return len(result) > 0 && len(chunk) > 0 && &result[len(result)-1] == &chunk[len(chunk)-1]
}

// chunk returns a revision's chunk, valid until the next call.
func (s *scanner) chunk(rev, to node.Rev) ([]byte, error) {
	r := s.r
	start, end := r.chunkSpan(rev)
	if start == end {
		return nil, nil
	}
	if r.raw != nil {
		return r.pread(rev, start, end)
	}
	if start < s.start || end > s.end {
		if end-start > MaxChainData {
			return nil, hgerr.NewUnsupported("chunk of %d bytes in %s", end-start, r.files.Display)
		}
		_, last := r.chunkSpan(to - 1)
		blockEnd := max(end, min(last, start+scanBlock))
		if err := r.checkSpan(rev, start, end); err != nil {
			return nil, err
		}
		blockEnd = max(end, min(blockEnd, r.dataSize))
		size := blockEnd - start
		if int64(cap(s.block)) < size {
			s.block = make([]byte, size)
		}
		s.block = s.block[:size]
		s.start, s.end = 0, 0
		if err := r.readAt(rev, s.block, start); err != nil {
			return nil, err
		}
		s.start, s.end = start, blockEnd
	}
	return s.block[start-s.start : end-s.start : end-s.start], nil
}
