// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// lanes is how many texts of one filelog are kept as bases of later deltas. A
// history of several branches alternates between them.
const lanes = 4

// reader reads the contents of file revisions. Each text is a delta of an
// earlier one, mostly of a parent's, which has just been read.
type reader struct {
	logs  map[*filelog.File]*[lanes]lane
	clock int // counts reads
	// Texts that are going to be read, in their order.
	series map[*filelog.File]*upcoming
}

// manyTexts is how many texts of a file are worth several goroutines.
const manyTexts = 2 * lanes * 8

// upcoming are the next revisions of a filelog that will be read.
type upcoming struct {
	revs  []node.Rev
	texts *revlog.Series
}

// expect names the revision that will be read after those that were named.
func (r *reader) expect(f *filelog.File, rev node.Rev) {
	if r.series == nil {
		r.series = map[*filelog.File]*upcoming{}
	}
	u := r.series[f]
	if u == nil {
		u = &upcoming{}
		r.series[f] = u
	}
	u.revs = append(u.revs, rev)
}

// start begins to read what is expected.
func (r *reader) start() {
	for f, u := range r.series {
		if len(u.revs) < manyTexts {
			delete(r.series, f)
			continue
		}
		u.texts = f.Series(u.revs)
	}
}

// lane is a way into a filelog that remembers the text it has read last.
type lane struct {
	log  *revlog.Revlog
	rev  node.Rev
	used int
}

func (r *reader) read(f *filelog.File, rev node.Rev) ([]byte, error) {
	if u := r.series[f]; u != nil && len(u.revs) > 0 && u.revs[0] == rev {
		u.revs = u.revs[1:]
		text, err := u.texts.Next()
		if err != nil {
			return nil, err
		}
		_, content, _, err := filelog.Split(text)
		return content, err
	}
	if r.logs == nil {
		r.logs = map[*filelog.File]*[lanes]lane{}
	}
	all := r.logs[f]
	if all == nil {
		all = &[lanes]lane{{log: f.Revlog, rev: node.NullRev}}
		for i := 1; i < lanes; i++ {
			all[i].rev = node.NullRev
		}
		r.logs[f] = all
	}
	base := f.DeltaParent(rev)
	best := &all[0]
	for i := range all {
		l := &all[i]
		if base >= 0 && l.rev == base {
			best = l
			break
		}
		if l.used < best.used {
			best = l
		}
	}
	r.clock++
	best.rev, best.used = rev, r.clock
	if best.log == nil {
		best.log = revlog.OpenWithIndex(f.Files(), f.Index, f.Stamp())
	}
	text, err := best.log.Text(rev)
	if err != nil {
		return nil, err
	}
	_, content, _, err := filelog.Split(text)
	return content, err
}

// close closes what was opened here.
func (r *reader) close() {
	for _, u := range r.series {
		if u.texts != nil {
			u.texts.Close()
		}
	}
	for _, all := range r.logs {
		for i := 1; i < lanes; i++ {
			if all[i].log != nil {
				all[i].log.Close()
			}
		}
	}
}
