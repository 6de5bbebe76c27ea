// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"slices"
	"strings"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// markTable maps bookmarks to changesets.
type markTable map[string]node.ID

// served are the bookmarks that a peer tells of: not those that only keep a
// divergent place ("name@path").
func (p *peer) served() markTable {
	t := markTable{}
	for _, b := range p.BookmarkList() {
		if at := strings.IndexByte(b.Name, '@'); at >= 0 && !strings.HasSuffix(b.Name, "@") {
			continue
		}
		if _, ok := p.serves(p.Node(b.Rev)); ok {
			t[b.Name] = p.Node(b.Rev)
		}
	}
	return t
}

// listKeys says under --debug what hg asks a peer for.
func (c *Context) listKeys(namespace string) {
	if c.Debug {
		c.Print("listing keys for \"" + namespace + "\"\n")
	}
}

func marksOf(v *repo.View) markTable {
	t := markTable{}
	for _, b := range v.BookmarkList() {
		t[b.Name] = v.Node(b.Rev)
	}
	return t
}

// compareMarks tells how a bookmark that both sides have, at different
// changesets, came from dst to src: "advanced", "diverged", "changed", or ""
// when it is the other way round.
func compareMarks(v *repo.View, src, dst node.ID) string {
	s, ok1 := v.Rev(src)
	d, ok2 := v.Rev(dst)
	switch {
	case !ok1 || !ok2 || v.Hidden(s) || v.Hidden(d):
		return "changed"
	case s < d && v.IsAncestor(s, d):
		return ""
	case s > d && v.IsAncestor(d, s):
		return "advanced"
	}
	return "diverged"
}

// showMarks prints what became of bookmarks on the way from dst to src. deleted
// tells whether those that only dst has are listed.
func (c *Context) showMarks(v *repo.View, src, dst markTable, deleted bool) (int, error) {
	if v.Snapshot().Markers().Len() > 0 {
		return 0, unsupported("bookmarks beside obsolescence markers")
	}
	var lines []string
	add := func(name, id, state string) { lines = append(lines, c.markLine(name, id, state)) }
	for name, id := range src {
		there, both := dst[name]
		switch {
		case !both:
			add(name, id.Hex(), "added")
		case there != id:
			if state := compareMarks(v, id, there); state != "" {
				add(name, id.Hex(), state)
			}
		}
	}
	for name := range dst {
		if _, both := src[name]; !both && deleted {
			add(name, pad(40), "deleted")
		}
	}
	return c.printMarks(lines)
}

// markLine tells what became of one bookmark.
func (c *Context) markLine(name, id, state string) string {
	if !c.Debug {
		id = id[:12]
	}
	if c.Verbose {
		id += " " + state
	}
	return fmt.Sprintf("   %-25s %s\n", name, id)
}

func (c *Context) printMarks(lines []string) (int, error) {
	if len(lines) == 0 {
		c.Status("no changed bookmarks found\n")
		return 1, nil
	}
	slices.Sort(lines)
	c.Print(strings.Join(lines, ""))
	return 0, nil
}

func (c *Context) incomingBookmarks(v *repo.View, p *peer) (int, error) {
	if p.bookmode == "ignore" {
		c.Status("bookmarks exchange disabled with this path\n")
		return 0, nil
	}
	c.Status("searching for changed bookmarks\n")
	c.listKeys("bookmarks")
	if p.bookmode != "mirror" {
		return c.showMarks(v, p.served(), marksOf(v), false)
	}
	remote, local := p.served(), marksOf(v)
	var lines []string
	add := func(name, id, state string) { lines = append(lines, c.markLine(name, id, state)) }
	for name, id := range remote {
		if here, ok := local[name]; !ok {
			add(name, id.Hex(), "added")
		} else if here != id {
			add(name, id.Hex(), "changed")
		}
	}
	for name := range local {
		if _, ok := remote[name]; !ok {
			add(name, node.Null.Hex(), "removed")
		}
	}
	return c.printMarks(lines)
}

func (c *Context) outgoingBookmarks(v *repo.View, p *peer) (int, error) {
	c.Status("searching for changed bookmarks\n")
	c.listKeys("bookmarks")
	return c.showMarks(v, marksOf(v), p.served(), true)
}
