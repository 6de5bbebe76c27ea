// SPDX-License-Identifier: GPL-2.0-or-later

package match

import "strings"

// Trees asks a matcher about the files of a tree manifest as hg does: directory
// by directory, where a matcher may say that there is nothing to be found. It
// remembers the directories; it is for one walk.
type Trees struct {
	M    Matcher
	dirs map[string]Children
}

func (t *Trees) children(dir string) Children {
	c, ok := t.dirs[dir]
	if !ok {
		c = t.M.VisitChildren(dir)
		if c.Visit == VisitThis && c.Names != nil && len(c.Names) == 0 {
			c.Visit = VisitNo
		}
		if t.dirs == nil {
			t.dirs = map[string]Children{}
		}
		t.dirs[dir] = c
	}
	return c
}

// Walks tells whether a walk meets a file: files are tested in each directory
// that is visited, whatever names it was visited for.
func (t *Trees) Walks(path string) bool {
	return t.down(path, func(c Children, name string, isFile bool) (bool, bool) {
		return c.Visit != VisitNo && (isFile || c.Wants(name)), false
	}) && t.M.Match(path)
}

// Selects tells whether a file is in the part of a manifest that matches: all of
// a directory that is to be visited whole is, untested.
func (t *Trees) Selects(path string) bool {
	whole := false
	return t.down(path, func(c Children, name string, isFile bool) (bool, bool) {
		whole = c.Visit == VisitAll
		return c.Wants(name), whole
	}) && (whole || t.M.Match(path))
}

// down asks about each component of a path, until it is told no or enough.
func (t *Trees) down(path string, ask func(c Children, name string, isFile bool) (goOn, enough bool)) bool {
	for start := 0; ; {
		end := strings.IndexByte(path[start:], '/')
		isFile := end < 0
		if end += start; isFile {
			end = len(path)
		}
		goOn, enough := ask(t.children(path[:max(start-1, 0)]), path[start:end], isFile)
		if !goOn || enough || isFile {
			return goOn
		}
		start = end + 1
	}
}
