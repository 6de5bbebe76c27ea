// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"cmp"
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
)

type set = map[string]struct{}

func setOf(list []string) set {
	s := make(set, len(list))
	for _, e := range list {
		s[e] = struct{}{}
	}
	return s
}

func has(s set, e string) bool {
	_, ok := s[e]
	return ok
}

// parents yields the directories above a path, the nearest first and "" last.
func parents(path string, yield func(string) bool) {
	for {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			yield("")
			return
		}
		path = path[:i]
		if !yield(path) {
			return
		}
	}
}

// addParents adds the directories above each path to s.
func (s dirSet) addParents(list []string) {
	for _, p := range list {
		parents(p, func(dir string) bool {
			if _, ok := s[dir]; ok {
				return false
			}
			s[dir] = struct{}{}
			return true
		})
	}
}

type dirSet set

// selfOrParentIn reports whether path or a directory above it is in s.
func selfOrParentIn(path string, s set) bool {
	if len(s) == 0 {
		return false
	}
	if has(s, path) {
		return true
	}
	found := false
	parents(path, func(dir string) bool {
		found = has(s, dir)
		return !found
	})
	return found
}

// roots splits patterns into the directories that they match recursively and
// those whose own files they match.
func roots(kps []kindPattern) (recursive, single []string) {
	for _, kp := range kps {
		pat := kp.pat
		switch kp.kind {
		case "glob", "rootglob": // up to the first part that is not literal
			parts := strings.Split(pat, "/")
			n := slices.IndexFunc(parts, func(p string) bool { return strings.ContainsAny(p, "[{*?") })
			if n >= 0 {
				parts = parts[:n]
			}
			recursive = append(recursive, strings.Join(parts, "/"))
		case "relpath", "path", "filepath":
			if pat == "." {
				pat = ""
			}
			recursive = append(recursive, pat)
		case "rootfilesin":
			if pat == "." {
				pat = ""
			}
			single = append(single, pat)
		default:
			recursive = append(recursive, "")
		}
	}
	return recursive, single
}

func allPaths(kps []kindPattern) bool {
	return !slices.ContainsFunc(kps, func(kp kindPattern) bool { return kp.kind != "path" && kp.kind != "relpath" })
}

// patternMatcher is made of the command line's patterns.
type patternMatcher struct {
	c      *compiled
	files  []string
	fset   set
	dirs   set // above files
	single set // v7: named by rootfilesin:
	prefix bool
	v7     bool
}

func (b *builder) patternMatcher(kps []kindPattern) (Matcher, error) {
	if len(kps) == 0 {
		return Never(), nil
	}
	m := &patternMatcher{v7: b.v7(), prefix: allPaths(kps), dirs: set{}}
	if m.v7 {
		kps = slices.Clone(kps)
		slices.SortStableFunc(kps, func(x, y kindPattern) int {
			return cmp.Or(strings.Compare(x.kind, y.kind), strings.Compare(x.pat, y.pat), strings.Compare(x.source, y.source))
		})
	}
	recursive, single := roots(kps)
	m.files, m.fset = recursive, setOf(recursive)
	dirSet(m.dirs).addParents(recursive)
	if m.v7 {
		m.single = setOf(single)
		dirSet(m.dirs).addParents(single)
	}
	var err error
	m.c, err = b.compile(kps, "$")
	return m, err
}

func (m *patternMatcher) Match(path string) bool {
	return m.v7 && has(m.fset, path) || m.c.match(path)
}

func (m *patternMatcher) Files() []string        { return m.files }
func (m *patternMatcher) Exact(path string) bool { return has(m.fset, path) }
func (m *patternMatcher) Always() bool           { return false }
func (m *patternMatcher) IsExact() bool          { return false }
func (m *patternMatcher) Prefix() bool           { return m.prefix }

func (m *patternMatcher) VisitDir(dir string) Visit {
	switch {
	case m.prefix && has(m.fset, dir):
		return VisitAll
	case has(m.dirs, dir), selfOrParentIn(dir, m.fset), selfOrParentIn(dir, m.single):
		return VisitThis
	}
	return VisitNo
}

func (m *patternMatcher) VisitChildren(dir string) Children {
	return Children{Visit: m.VisitDir(dir)}
}

func (m *patternMatcher) String() string {
	return "<patternmatcher patterns=" + python.Repr(m.c.text) + ">"
}

// includeMatcher is made of -I, -X and ignore rules: a pattern that matches a
// directory matches all below it.
type includeMatcher struct {
	c        *compiled
	prefix   bool
	roots    set // matched recursively
	dirs     set // whose files are matched
	parents  set // above both
	children map[string]set
}

func (b *builder) includeMatcher(kps []kindPattern) (Matcher, error) {
	if len(kps) == 0 {
		return Never(), nil
	}
	m := &includeMatcher{prefix: allPaths(kps), parents: set{}, children: map[string]set{}}
	recursive, single := roots(kps)
	m.roots, m.dirs = setOf(recursive), setOf(single)
	dirSet(m.parents).addParents(recursive)
	dirSet(m.parents).addParents(single)
	for _, s := range []set{m.roots, m.dirs, m.parents} {
		for path := range s {
			m.addChild(path)
		}
	}
	var err error
	m.c, err = b.compile(kps, "(?:/|$)")
	return m, err
}

// addChild records each part of path under the directory that holds it.
func (m *includeMatcher) addChild(path string) {
	for path != "" {
		i := strings.LastIndexByte(path, '/')
		dir, name := path[:max(i, 0)], path[i+1:]
		if has(m.parents, dir) {
			if m.children[dir] == nil {
				m.children[dir] = set{}
			}
			m.children[dir][name] = struct{}{}
		}
		if i == 0 { // an absolute path, which matches nothing
			m.children[""][""] = struct{}{}
		}
		path = dir
	}
}

func (m *includeMatcher) Match(path string) bool { return m.c.match(path) }
func (m *includeMatcher) Files() []string        { return nil }
func (m *includeMatcher) Exact(path string) bool { return false }
func (m *includeMatcher) Always() bool           { return false }
func (m *includeMatcher) IsExact() bool          { return false }
func (m *includeMatcher) Prefix() bool           { return false }

func (m *includeMatcher) VisitDir(dir string) Visit {
	switch {
	case m.prefix && has(m.roots, dir):
		return VisitAll
	case has(m.dirs, dir), has(m.parents, dir), selfOrParentIn(dir, m.roots):
		return VisitThis
	}
	return VisitNo
}

func (m *includeMatcher) VisitChildren(dir string) Children {
	switch {
	case m.prefix && has(m.roots, dir):
		return Children{Visit: VisitAll}
	case has(m.roots, ""), has(m.dirs, dir), selfOrParentIn(dir, m.roots):
		return Children{Visit: VisitThis}
	case has(m.parents, dir) && len(m.children[dir]) > 0:
		return Children{Visit: VisitThis, Names: m.children[dir]}
	}
	return Children{}
}

func (m *includeMatcher) String() string {
	return "<includematcher includes=" + python.Repr(m.c.text) + ">"
}
