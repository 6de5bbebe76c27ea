// SPDX-License-Identifier: GPL-2.0-or-later

package match

import "strings"

// subdirMatcher sees a matcher from a directory below its root.
type subdirMatcher struct {
	dir    string
	m      Matcher
	files  []string
	set    set
	always bool
}

// SubDir is a matcher for the paths below dir, relative to dir: what is handed to
// a subrepository. It names those files of m that lie there.
func SubDir(dir string, m Matcher) Matcher {
	s := &subdirMatcher{dir: dir, m: m, always: m.Always()}
	for _, f := range m.Files() {
		if rest, ok := strings.CutPrefix(f, dir+"/"); ok {
			s.files = append(s.files, rest)
		}
		if m.Prefix() && f == dir {
			s.always = true
		}
	}
	s.set = setOf(s.files)
	return s
}

func (m *subdirMatcher) inner(dir string) string {
	if dir == "" {
		return m.dir
	}
	return m.dir + "/" + dir
}

func (m *subdirMatcher) Match(path string) bool            { return m.m.Match(m.dir + "/" + path) }
func (m *subdirMatcher) Files() []string                   { return m.files }
func (m *subdirMatcher) Exact(path string) bool            { return has(m.set, path) }
func (m *subdirMatcher) VisitDir(dir string) Visit         { return m.m.VisitDir(m.inner(dir)) }
func (m *subdirMatcher) VisitChildren(dir string) Children { return m.m.VisitChildren(m.inner(dir)) }
func (m *subdirMatcher) Always() bool                      { return m.always }
func (m *subdirMatcher) IsExact() bool                     { return false }
func (m *subdirMatcher) Prefix() bool                      { return m.m.Prefix() && !m.always }

func (m *subdirMatcher) String() string {
	return "<subdirmatcher path=" + quoteList([]string{m.dir}) + ", matcher=" + m.m.String() + ">"
}
