// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"slices"
	"strings"
)

type alwaysMatcher struct{}

// Always matches every path.
func Always() Matcher { return alwaysMatcher{} }

func (alwaysMatcher) Match(string) bool             { return true }
func (alwaysMatcher) Files() []string               { return nil }
func (alwaysMatcher) Exact(string) bool             { return false }
func (alwaysMatcher) VisitDir(string) Visit         { return VisitAll }
func (alwaysMatcher) VisitChildren(string) Children { return Children{Visit: VisitAll} }
func (alwaysMatcher) Always() bool                  { return true }
func (alwaysMatcher) IsExact() bool                 { return false }
func (alwaysMatcher) Prefix() bool                  { return false }
func (alwaysMatcher) String() string                { return "<alwaysmatcher>" }

type neverMatcher struct{}

// Never matches no path.
func Never() Matcher { return neverMatcher{} }

func (neverMatcher) Match(string) bool             { return false }
func (neverMatcher) Files() []string               { return nil }
func (neverMatcher) Exact(string) bool             { return false }
func (neverMatcher) VisitDir(string) Visit         { return VisitNo }
func (neverMatcher) VisitChildren(string) Children { return Children{} }
func (neverMatcher) Always() bool                  { return false }
func (neverMatcher) IsExact() bool                 { return true }
func (neverMatcher) Prefix() bool                  { return true }
func (neverMatcher) String() string                { return "<nevermatcher>" }

type exactMatcher struct {
	files    []string
	set      set
	dirs     set
	children map[string]set
}

// Exact matches the given paths, which are no patterns.
func Exact(files []string) Matcher {
	m := &exactMatcher{files: files, set: setOf(files), dirs: set{}, children: map[string]set{}}
	dirSet(m.dirs).addParents(files)
	add := func(p string) {
		if p == "" {
			return
		}
		i := strings.LastIndexByte(p, '/')
		dir := p[:max(i, 0)]
		if m.children[dir] == nil {
			m.children[dir] = set{}
		}
		m.children[dir][p[i+1:]] = struct{}{}
	}
	for f := range m.set {
		add(f)
	}
	for d := range m.dirs {
		add(d)
	}
	return m
}

func (m *exactMatcher) Match(path string) bool { return has(m.set, path) }
func (m *exactMatcher) Files() []string        { return m.files }
func (m *exactMatcher) Exact(path string) bool { return has(m.set, path) }
func (m *exactMatcher) Always() bool           { return false }
func (m *exactMatcher) IsExact() bool          { return true }
func (m *exactMatcher) Prefix() bool           { return false }
func (m *exactMatcher) String() string         { return "<exactmatcher files=" + quoteList(m.files) + ">" }

func (m *exactMatcher) VisitDir(dir string) Visit {
	if has(m.dirs, dir) {
		return VisitThis
	}
	return VisitNo
}

func (m *exactMatcher) VisitChildren(dir string) Children {
	if !has(m.dirs, dir) {
		return Children{}
	}
	return Children{Visit: VisitThis, Names: m.children[dir]}
}

type differenceMatcher struct {
	m1, m2 Matcher
	files  []string
	set    set
}

// Difference matches what m1 matches and m2 does not.
func Difference(m1, m2 Matcher) Matcher {
	m := &differenceMatcher{m1: m1, m2: m2, files: m1.Files()}
	if m1.IsExact() {
		m.files = slices.DeleteFunc(slices.Clone(m.files), func(f string) bool { return !m.Match(f) })
	}
	m.set = setOf(m.files)
	return m
}

func (m *differenceMatcher) Match(path string) bool { return m.m1.Match(path) && !m.m2.Match(path) }
func (m *differenceMatcher) Files() []string        { return m.files }
func (m *differenceMatcher) Exact(path string) bool { return has(m.set, path) }
func (m *differenceMatcher) Always() bool           { return false }
func (m *differenceMatcher) IsExact() bool          { return m.m1.IsExact() }
func (m *differenceMatcher) Prefix() bool           { return false }
func (m *differenceMatcher) String() string {
	return "<differencematcher m1=" + m.m1.String() + ", m2=" + m.m2.String() + ">"
}

func (m *differenceMatcher) VisitDir(dir string) Visit {
	switch m.m2.VisitDir(dir) {
	case VisitAll:
		return VisitNo
	case VisitNo:
		return m.m1.VisitDir(dir)
	}
	return min(m.m1.VisitDir(dir), VisitThis)
}

func (m *differenceMatcher) VisitChildren(dir string) Children {
	c2 := m.m2.VisitChildren(dir)
	if c2.Visit == VisitAll {
		return Children{}
	}
	c1 := m.m1.VisitChildren(dir)
	if c2.Visit == VisitThis && c1.Names == nil {
		c1.Visit = min(c1.Visit, VisitThis)
	}
	return c1
}

// Intersect matches what both match. When one of them is Always, it is the
// other.
func Intersect(m1, m2 Matcher) Matcher {
	switch {
	case m1.Always():
		return m2
	case m2.Always():
		return m1
	}
	m := &intersectionMatcher{m1: m1, m2: m2}
	switch {
	case m1.IsExact():
		m.files = slices.DeleteFunc(slices.Clone(m1.Files()), func(f string) bool { return !m2.Match(f) })
	case m2.IsExact():
		m.files = slices.DeleteFunc(slices.Clone(m2.Files()), func(f string) bool { return !m1.Match(f) })
	default:
		m.files = slices.Concat(m1.Files(), m2.Files())
	}
	m.set = setOf(m.files)
	return m
}

type intersectionMatcher struct {
	m1, m2 Matcher
	files  []string
	set    set
}

func (m *intersectionMatcher) Match(path string) bool { return m.m1.Match(path) && m.m2.Match(path) }
func (m *intersectionMatcher) Files() []string        { return m.files }
func (m *intersectionMatcher) Exact(path string) bool { return has(m.set, path) }
func (m *intersectionMatcher) Always() bool           { return m.m1.Always() && m.m2.Always() }
func (m *intersectionMatcher) IsExact() bool          { return m.m1.IsExact() || m.m2.IsExact() }
func (m *intersectionMatcher) Prefix() bool           { return false }
func (m *intersectionMatcher) String() string {
	return "<intersectionmatcher m1=" + m.m1.String() + ", m2=" + m.m2.String() + ">"
}

func (m *intersectionMatcher) VisitDir(dir string) Visit {
	return min(m.m1.VisitDir(dir), m.m2.VisitDir(dir))
}

func (m *intersectionMatcher) VisitChildren(dir string) Children {
	c1 := m.m1.VisitChildren(dir)
	if c1.Visit == VisitNo {
		return Children{}
	}
	c2 := m.m2.VisitChildren(dir)
	switch {
	case c2.Visit == VisitNo:
		return Children{}
	case c1.Visit == VisitAll:
		return c2
	case c2.Visit == VisitAll:
		return c1
	case c1.Names == nil || c2.Names == nil:
		return Children{Visit: VisitThis}
	}
	both := set{}
	for name := range c1.Names {
		if has(c2.Names, name) {
			both[name] = struct{}{}
		}
	}
	if len(both) == 0 {
		return Children{}
	}
	return Children{Visit: VisitThis, Names: both}
}

type unionMatcher struct{ list []Matcher }

// Union matches what any of one or more matchers matches.
func Union(list ...Matcher) Matcher { return &unionMatcher{list} }

func (m *unionMatcher) Match(path string) bool {
	return slices.ContainsFunc(m.list, func(o Matcher) bool { return o.Match(path) })
}

func (m *unionMatcher) Files() []string   { return nil }
func (m *unionMatcher) Exact(string) bool { return false }
func (m *unionMatcher) Always() bool      { return false }
func (m *unionMatcher) IsExact() bool     { return false }
func (m *unionMatcher) Prefix() bool      { return false }

func (m *unionMatcher) String() string {
	names := make([]string, len(m.list))
	for i, o := range m.list {
		names[i] = o.String()
	}
	return "<unionmatcher matchers=[" + strings.Join(names, ", ") + "]>"
}

func (m *unionMatcher) VisitDir(dir string) Visit {
	v := VisitNo
	for _, o := range m.list {
		v = max(v, o.VisitDir(dir))
	}
	return v
}

func (m *unionMatcher) VisitChildren(dir string) Children {
	all := Children{Names: set{}}
	for _, o := range m.list {
		c := o.VisitChildren(dir)
		switch {
		case c.Visit == VisitAll:
			return c
		case c.Visit == VisitNo:
			continue
		}
		all.Visit = VisitThis
		if c.Names == nil || all.Names == nil {
			all.Names = nil
			continue
		}
		for name := range c.Names {
			all.Names[name] = struct{}{}
		}
	}
	return all
}
