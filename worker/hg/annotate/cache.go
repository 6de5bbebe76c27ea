// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"bytes"
	"slices"
	"strings"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/node"
)

// A Cache remembers what was found out about versions of files, so that asking
// again costs what the answer is long, and asking after a commit costs that
// commit. The zero Cache is ready; it belongs to one goroutine.
//
// A version's ID stands for its content and all of its history. Where each line
// comes from then depends on one thing more: the changesets that brought the
// versions, which is only kept if it is what the filelogs say, for all of them.
// It holds as long as these changesets have the numbers that they had.
type Cache struct {
	entries []*cached // the one used last comes first
	size    int
}

const (
	cachedVersions = 64
	cachedBytes    = 8 << 20
	bytesPerLine   = 12
)

type cacheKey struct {
	path     string
	node     node.ID
	noFollow bool
	compare  bdiff.Options
}

type cached struct {
	cacheKey
	text    []byte
	link    node.Rev // the version's own changeset
	lines   []cachedLine
	origins []cachedOrigin
}

type cachedLine struct{ origin, number int32 }

type cachedOrigin struct {
	Origin
	node node.ID
}

func (e *cached) bytes() int { return len(e.text) + len(e.lines)*bytesPerLine + 128*len(e.origins) }

// nodes tells a changeset's ID; repositories that cannot are not cached for.
type nodes interface{ Node(rev node.Rev) node.ID }

// find returns what is known of a version, if it still holds.
func (c *Cache) find(k cacheKey, repo nodes, n int) *cached {
	i := slices.IndexFunc(c.entries, func(e *cached) bool { return e.cacheKey == k })
	if i < 0 {
		return nil
	}
	e := c.entries[i]
	for _, o := range e.origins {
		if o.Rev < 0 || int(o.Rev) >= n || repo.Node(o.Rev) != o.node {
			c.size -= e.bytes()
			c.entries = slices.Delete(c.entries, i, i+1)
			return nil
		}
	}
	copy(c.entries[1:i+1], c.entries[:i])
	c.entries[0] = e
	return e
}

func (c *Cache) keep(e *cached) {
	if e.bytes() > cachedBytes/4 {
		return
	}
	c.entries = slices.Insert(c.entries, 0, e)
	c.size += e.bytes()
	for last := len(c.entries) - 1; last >= cachedVersions || c.size > cachedBytes; last-- {
		c.size -= c.entries[last].bytes()
		c.entries = c.entries[:last]
	}
}

func (q *Query) key(path string, id node.ID) cacheKey {
	o := q.Compare
	o.IgnoreBlankLines = false // that blank lines changed makes no difference here
	return cacheKey{path, id, q.NoFollow, o}
}

// cache is the cache, if this query can use it, and the repository's IDs.
func (q *Query) cache(repo filehistory.Repo) (*Cache, nodes) {
	ids, ok := repo.(nodes)
	if !ok || q.Skip != nil {
		return nil, nil
	}
	return q.Cache, ids
}

// remembered is the whole answer, if it is known.
func (q *Query) remembered(repo filehistory.Repo) *Annotation {
	c, ids := q.cache(repo)
	if c == nil || q.Rev == node.WdirRev {
		return nil
	}
	e := c.find(q.key(q.Path, q.Node), ids, repo.Len())
	if e == nil || !filehistory.NewAncestry(repo, e.link, q.Rev).Has(e.link) {
		return nil
	}
	a := &Annotation{Lines: make([]Line, len(e.lines)), Origins: make([]Origin, len(e.origins))}
	for i, o := range e.origins {
		a.Origins[i] = o.Origin
	}
	// The last origin is the version's own changeset, which may have no line.
	a.Origins = a.Origins[:len(a.Origins)-1]
	if !q.Binary && bytes.IndexByte(e.text, 0) >= 0 {
		return &Annotation{Binary: true}
	}
	rest := e.text
	for i, l := range e.lines {
		end := lineEnd(rest)
		a.Lines[i] = Line{Text: rest[:end:end], Origin: l.origin, Number: l.number}
		rest = rest[end:]
	}
	return a
}

// remember keeps an answer whose changesets are all those of the filelogs.
func (w *walk) remember(repo filehistory.Repo, a *Annotation, v *version) {
	c, ids := w.q.cache(repo)
	if c == nil || w.q.Rev == node.WdirRev || w.adjusted {
		return
	}
	base := &w.seen[0]
	e := &cached{cacheKey: w.q.key(strings.Clone(w.q.Path), w.q.Node), text: v.text, link: w.h.Link(base)}
	for _, o := range append(slices.Clip(a.Origins), Origin{Rev: e.link, Path: e.path}) {
		if o.Rev < 0 || int(o.Rev) >= repo.Len() {
			return
		}
		o.Path = strings.Clone(o.Path) // it may belong to the command
		e.origins = append(e.origins, cachedOrigin{o, ids.Node(o.Rev)})
	}
	for _, l := range a.Lines {
		e.lines = append(e.lines, cachedLine{l.Origin, l.Number})
	}
	c.keep(e)
}
