// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"bytes"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// LineHistory finds the versions of a file that changed some of its lines
// (dagop.blockancestors and blockdescendants in Mercurial). Line numbers count
// from 0, and a range is without its last one.
type LineHistory struct {
	History *filehistory.History
	Compare bdiff.Options
	// Contents and CopySource are those of the working directory's file, when a
	// walk starts there.
	Contents   []byte
	CopySource string
	// Check is called for each version; an error ends the walk.
	Check func() error

	texts  reader
	table  *lineTable
	differ differ
	recent []recentVersion // the one read last comes last
	parts  []bdiff.Part

	aheadOf *filelog.File
	ahead   map[node.Rev][]byte
	last    node.Rev // of aheadOf that was read by itself
}

// recentVersion is a version whose lines have been numbered.
type recentVersion struct {
	key filehistory.Key
	*version
}

// keptVersions is how many versions are kept for the next comparison.
const keptVersions = 8

// LineChange is a version that changed a range of lines: the range as it is
// afterwards.
type LineChange struct {
	Revision filehistory.Revision
	From, To int
}

// Close closes what a walk has opened. The History stays open.
func (l *LineHistory) Close() { l.texts.close() }

// A walk goes down, while texts are deltas of what is below them: texts are read
// ahead in that direction when the walk is seen to take near steps.
const (
	nearStep  = 32
	readAhead = 64
	aheadSize = 64 << 10 // bytes of a text that is read ahead
)

func (l *LineHistory) text(r *filehistory.Revision) ([]byte, error) {
	if r.Wdir() {
		return l.Contents, nil
	}
	f := l.History.Log(r)
	if l.aheadOf != f {
		l.aheadOf, l.ahead, l.last = f, map[node.Rev][]byte{}, node.NullRev
	}
	if text, ok := l.ahead[r.Rev]; ok {
		return text, nil
	}
	step := l.last - r.Rev
	l.last = r.Rev
	if step > 0 && step <= nearStep && f.RawSize(r.Rev) <= aheadSize {
		clear(l.ahead)
		for rev := max(0, r.Rev-readAhead); rev < r.Rev; rev++ {
			if text, err := l.texts.read(f, rev); err == nil { // else it is read, and fails, when it is wanted
				l.ahead[rev] = text
			}
		}
	}
	return l.texts.read(f, r.Rev)
}

// version is a version with its lines numbered.
func (l *LineHistory) version(r *filehistory.Revision) (*version, error) {
	for _, v := range l.recent {
		if v.key == r.Key() {
			return v.version, nil
		}
	}
	text, err := l.text(r)
	if err != nil {
		return nil, err
	}
	if l.table == nil {
		l.table = newLineTable(cleaner(l.Compare))
	}
	v, like := new(version), (*version)(nil)
	if n := len(l.recent); n > 0 {
		like = l.recent[n-1].version
	}
	l.table.read(v, text, like)
	if len(l.recent) == keptVersions {
		l.recent = append(l.recent[:0], l.recent[1:]...)
	}
	l.recent = append(l.recent, recentVersion{r.Key(), v})
	return v, nil
}

// back finds the lines of a that lines from to to of b came from, and tells
// whether any of them changed.
func (l *LineHistory) back(a, b *filehistory.Revision, from, to int) (changed bool, afrom, ato int, err error) {
	was, err := l.version(a)
	if err != nil {
		return false, 0, 0, err
	}
	is, err := l.version(b)
	if err != nil {
		return false, 0, 0, err
	}
	var parts []bdiff.Part
	if l.Compare.IgnoreBlankLines {
		parts = bdiff.Parts(was.text, is.text, l.Compare)
	} else {
		parts = l.compare(was, is)
	}
	kept, afrom, ato, ok := bdiff.InRange(parts, from, to)
	if !ok {
		return false, 0, 0, hgerr.Abortf(hgerr.Input, "line range exceeds file size")
	}
	for _, p := range kept {
		changed = changed || p.Kind == bdiff.PartChanged
	}
	return changed, afrom, ato, nil
}

// compare is bdiff.Parts by line numbers.
func (l *LineHistory) compare(a, b *version) []bdiff.Part {
	start, end := common(a.ids, b.ids)
	l.parts = l.parts[:0]
	var before block
	for _, cur := range l.differ.blocks(a.ids, b.ids, start, end, l.table.n) {
		if gap := (block{before.a2, cur.a1, before.b2, cur.b1}); gap.a1 != gap.a2 || gap.b1 != gap.b2 {
			l.parts = append(l.parts, gap.part(bdiff.PartChanged))
		}
		l.parts = append(l.parts, cur.part(bdiff.PartEqual))
		before = cur
	}
	return l.parts
}

func (b block) part(kind byte) bdiff.Part {
	return bdiff.Part{Block: bdiff.Block{A1: int(b.a1), A2: int(b.a2), B1: int(b.b1), B2: int(b.b2)}, Kind: kind}
}

// waiting is a version that the walk has still to look at.
type waiting struct {
	LineChange
	link node.Rev
	id   node.ID
}

// LineWalk goes through the versions that changed a range of lines.
type LineWalk struct {
	next func() (LineChange, bool, error)
}

// Next is the next version; not ok is the end.
func (w *LineWalk) Next() (c LineChange, ok bool, err error) { return w.next() }

// Ancestors walks over the versions up to r that changed some of its lines, from
// the latest linked down.
func (l *LineHistory) Ancestors(r filehistory.Revision, from, to int, firstOnly bool) *LineWalk {
	var visit []waiting
	begun := false
	return &LineWalk{func() (LineChange, bool, error) {
		if !begun {
			begun = true
			intro, err := l.History.Intro(r)
			if err != nil {
				return LineChange{}, false, err
			}
			visit = put(visit, l.waiting(intro, from, to))
		}
		for len(visit) > 0 {
			if l.Check != nil {
				if err := l.Check(); err != nil {
					return LineChange{}, false, err
				}
			}
			top := 0
			for i := range visit {
				if a, b := &visit[i], &visit[top]; a.link > b.link || a.link == b.link && bytes.Compare(a.id[:], b.id[:]) > 0 {
					top = i
				}
			}
			c := visit[top].LineChange
			visit = append(visit[:top], visit[top+1:]...)
			changed, err := l.up(&c, &visit, firstOnly)
			if err != nil || changed {
				return c, changed, err
			}
		}
		return LineChange{}, false, nil
	}}
}

func (l *LineHistory) waiting(r filehistory.Revision, from, to int) waiting {
	return waiting{LineChange{r, from, to}, l.History.Link(&r), l.History.Node(&r)}
}

// up adds the parents that lines of a version came from to those to visit, and
// tells whether the version changed any of the lines.
func (l *LineHistory) up(c *LineChange, visit *[]waiting, firstOnly bool) (bool, error) {
	h := l.History
	var parents []filehistory.Revision
	var err error
	if c.Revision.Wdir() {
		parents, err = h.WdirParents(nil, &c.Revision, l.CopySource)
	} else {
		parents, err = h.Parents(nil, &c.Revision)
	}
	if err != nil {
		return false, err
	}
	if len(parents) == 0 {
		return true, nil // all lines are new
	}
	if firstOnly {
		parents = parents[:1]
	}
	inRange := false
	for _, p := range parents {
		changed, from, to, err := l.back(&p, &c.Revision, c.From, c.To)
		if err != nil {
			return false, err
		}
		inRange = inRange || changed
		if from == to {
			continue // the lines are new here
		}
		at, err := h.Changeset(&c.Revision)
		if err != nil {
			return false, err
		}
		p.See(at)
		*visit = put(*visit, l.waiting(p, from, to))
	}
	return inRange, nil
}

// put adds a version. One with the same link and ID takes the place of another.
func put(visit []waiting, w waiting) []waiting {
	for i := range visit {
		if visit[i].link == w.link && visit[i].id == w.id {
			visit[i] = w
			return visit
		}
	}
	return append(visit, w)
}

// Descendants walks over the versions from r on, in r's filelog, that changed
// some of its lines; r itself if it did.
func (l *LineHistory) Descendants(r filehistory.Revision, from, to int) *LineWalk {
	f := l.History.Log(&r)
	seen := map[node.Rev]LineChange{r.Rev: {r, from, to}}
	below := map[node.Rev]bool{r.Rev: true}
	rev := r.Rev
	return &LineWalk{func() (LineChange, bool, error) {
		if rev == r.Rev {
			rev++
			c, ok, err := l.Ancestors(r, from, to, false).Next()
			if err != nil || ok && c.Revision.Key() == r.Key() {
				return c, ok && err == nil, err
			}
		}
		for ; int(rev) < f.Len(); rev++ {
			p1, p2 := f.Parents(rev)
			if !below[p1] && !below[p2] {
				continue
			}
			below[rev] = true
			if l.Check != nil {
				if err := l.Check(); err != nil {
					return LineChange{}, false, err
				}
			}
			c, changed, err := l.down(&r, rev, seen)
			if err != nil {
				return c, false, err
			}
			if changed {
				rev++
				return c, true, nil
			}
		}
		return LineChange{}, false, nil
	}}
}

// down finds what became of the lines in a version of r's filelog, and whether it
// changed any. seen are the lines in earlier ones.
func (l *LineHistory) down(r *filehistory.Revision, rev node.Rev, seen map[node.Rev]LineChange) (c LineChange, changed bool, err error) {
	c.Revision = l.History.Linked(r, rev)
	p1, p2 := l.History.Log(r).Parents(rev)
	known := false
	for _, x := range [2]node.Rev{p1, p2} {
		p, ok := seen[x]
		if !ok {
			continue
		}
		inRange, from, to, err := l.back(&c.Revision, &p.Revision, p.From, p.To)
		if err != nil {
			return c, false, err
		}
		changed = changed || inRange
		if known { // of a merge, what both parents' lines became
			from, to = min(from, c.From), max(to, c.To)
		}
		c.From, c.To, known = from, to, true
	}
	if known {
		seen[rev] = c
	}
	return c, changed, nil
}
