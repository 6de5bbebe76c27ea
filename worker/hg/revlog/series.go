// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"hgbroker/worker/hg/node"
)

const (
	// seriesBatch is how many revisions one goroutine of a Series takes at once.
	seriesBatch = 64
	// seriesAhead is how many batches, for each goroutine, are made before the
	// reader has asked for them.
	seriesAhead = 4
	// seriesBases bounds the texts that are kept as bases of later deltas, in
	// bytes. What is not kept is read again.
	seriesBases = 64 << 20
)

// Series reads many revisions of a revlog in an order that is known before.
// Goroutines decompress and check them a batch at a time ahead of the reader,
// and apply the deltas in turn, so that each is decompressed once. The order is
// best one in which bases come before what is made of them.
//
// A Series belongs to one goroutine. Its own end with it, at Close.
type Series struct {
	revs    []node.Rev
	batches []*seriesTexts
	at      int // in revs
	room    chan struct{}
	stop    chan struct{}
	taken   atomic.Int32
	all     sync.WaitGroup

	// What follows belongs to the goroutine whose turn it is.
	bases map[node.Rev]*seriesBase
	kept  int
	whole *Revlog // reads what has no base here
}

// seriesTexts are the texts of a batch.
type seriesTexts struct {
	texts   [][]byte
	errs    []error
	patched chan struct{} // closed when the next batch may apply its deltas
	ready   chan struct{} // closed when all is checked
}

// seriesBase is a text that deltas are made against, and how many of them are
// still to come.
type seriesBase struct {
	text []byte
	uses int
}

// Series starts reading revisions, each of which is named once. The Revlog may
// be used meanwhile, but must stay open.
func (r *Revlog) Series(revs []node.Rev) *Series {
	workers := runtime.GOMAXPROCS(0)
	if r.pages != nil {
		workers = 1 // reads its index as it is asked
	}
	s := &Series{
		revs: revs, batches: make([]*seriesTexts, (len(revs)+seriesBatch-1)/seriesBatch),
		room: make(chan struct{}, workers*seriesAhead), stop: make(chan struct{}), bases: map[node.Rev]*seriesBase{},
		whole: r.again(),
	}
	for i := range s.batches {
		n := min(seriesBatch, len(revs)-i*seriesBatch)
		s.batches[i] = &seriesTexts{make([][]byte, n), make([]error, n), make(chan struct{}), make(chan struct{})}
	}
	for _, rev := range revs {
		s.bases[rev] = &seriesBase{}
	}
	for _, rev := range revs {
		if b := s.bases[r.DeltaParent(rev)]; b != nil && r.Base(rev) != rev {
			b.uses++
		}
	}
	for range min(workers, len(s.batches)) {
		w := seriesWorker{s: s, r: r.again()}
		s.all.Go(w.work)
	}
	return s
}

// again is another reader of the same revlog.
func (r *Revlog) again() *Revlog {
	other := OpenWithIndex(r.files, r.Index, r.stamp)
	other.raw = r.raw
	return other
}

// Next returns the text of the next revision, or what Text would have failed
// with. The caller owns it. There are as many as revisions were named.
func (s *Series) Next() ([]byte, error) {
	b, i := s.batches[s.at/seriesBatch], s.at%seriesBatch
	<-b.ready
	s.at++
	text, err := b.texts[i], b.errs[i]
	b.texts[i] = nil
	if i == len(b.texts)-1 {
		<-s.room
	}
	return text, err
}

// Close ends the goroutines.
func (s *Series) Close() {
	close(s.stop)
	s.all.Wait()
	s.whole.Close()
}

// seriesWorker is one goroutine of a Series.
type seriesWorker struct {
	s      *Series
	r      *Revlog
	deltas [seriesBatch][]byte
	buf    []byte // that deltas stand in
}

func (w *seriesWorker) work() {
	s := w.s
	defer w.r.Close()
	for {
		select {
		case s.room <- struct{}{}:
		case <-s.stop:
			return
		}
		// Taken after there is room: the batch that the reader waits for is
		// always being worked on.
		n := int(s.taken.Add(1)) - 1
		if n >= len(s.batches) {
			return
		}
		b, revs := s.batches[n], s.revs[n*seriesBatch:]
		revs = revs[:len(b.texts)]
		w.decompress(b, revs)
		if n > 0 {
			select {
			case <-s.batches[n-1].patched:
			case <-s.stop:
				return
			}
		}
		for i, rev := range revs {
			s.patch(w, b, i, rev)
		}
		close(b.patched)
		for i, rev := range revs {
			if b.errs[i] != nil {
				continue
			}
			if b.errs[i] = w.r.checkFlags(rev); b.errs[i] == nil {
				b.errs[i] = w.r.checkHash(rev, b.texts[i])
			}
		}
		close(b.ready)
	}
}

// decompress fills in the deltas of a batch, and its texts that are stored whole.
// What cannot be read is left out; whoever reads it again finds out why.
func (w *seriesWorker) decompress(b *seriesTexts, revs []node.Rev) {
	r := w.r
	clear(w.deltas[:])
	sorted := make([]node.Rev, 0, len(revs))
	var size int64
	for _, rev := range revs {
		if rev >= 0 && int(rev) < r.Len() && r.RawSize(rev) <= MaxTextSize {
			sorted = append(sorted, rev)
			size += r.DataLength(rev)
		}
	}
	slices.Sort(sorted)
	if size > MaxChainData {
		return
	}
	chunks, err := r.chunks(sorted)
	if err != nil {
		return
	}
	if r.dec == nil {
		r.dec = decompressors.Get().(*decompressor)
	}
	used := w.buf[:0]
	for i, rev := range revs {
		at, ok := slices.BinarySearch(sorted, rev)
		if !ok {
			continue
		}
		chunk := chunks[at]
		if r.Base(rev) == rev {
			text, err := r.dec.decompress(nil, chunk, r.RawSize(rev), MaxTextSize)
			if err == nil {
				b.texts[i] = whole(text)
			}
			continue
		}
		if cap(used)-len(used) < 8*len(chunk) {
			used = make([]byte, 0, max(64<<10, 16*len(chunk)))
		}
		d, err := r.dec.decompress(used, chunk, int64(4*len(chunk)), MaxTextSize)
		if err != nil {
			continue
		}
		w.deltas[i] = whole(d)
		if n := len(used); len(d) > 0 && n+len(d) <= cap(used) && &used[:n+1][n] == &d[0] {
			used = used[:n+len(d)]
		}
	}
	w.buf = used
}

// whole is not nil.
func whole(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// patch makes the i-th text of a batch. The deltas of a worker are its own until
// it takes the next batch, by which time they have been applied.
func (s *Series) patch(w *seriesWorker, b *seriesTexts, i int, rev node.Rev) {
	r := w.r
	if b.texts[i] == nil {
		var base []byte
		have := false
		parent := node.NullRev
		if w.deltas[i] != nil {
			if parent = r.DeltaParent(rev); parent == node.NullRev {
				have = true
			} else if k := s.bases[parent]; k != nil && k.text != nil {
				base, have = k.text, true
			}
		}
		text, err := []byte(nil), error(nil)
		if have {
			if text, err = patchOne(nil, base, w.deltas[i], MaxTextSize); err != nil {
				err = r.damaged(rev, "%v", err)
			}
		} else {
			if text, err = s.whole.RawText(rev); err == nil {
				s.whole.lastRev, s.whole.lastText = rev, text
			}
		}
		b.texts[i], b.errs[i] = whole(text), err
		if k := s.bases[parent]; k != nil {
			if k.uses--; k.uses <= 0 && k.text != nil {
				s.kept -= len(k.text)
				k.text = nil
			}
		}
	}
	if k := s.bases[rev]; k != nil && k.uses > 0 && b.errs[i] == nil && s.kept+len(b.texts[i]) <= seriesBases {
		k.text = b.texts[i]
		s.kept += len(k.text)
	}
}
