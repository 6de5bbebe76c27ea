// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"errors"
	"path"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match/backtrack"
	"hgbroker/worker/hg/match/pyre"
)

// maxRegexp is the longest regular expression that hg takes for one pattern.
const maxRegexp = 20000

// compiled is what the patterns of one matcher came to.
type compiled struct {
	text  string // the regular expression as hg shows it
	exact map[string]struct{}
	dirs  map[string]struct{} // of rootfilesin: patterns, when there are no others
	re    *pyre.Regexp
	full  *backtrack.Pattern // in place of re
	fail  func(error)        // of full; nil when it cannot fail
	below []below
}

// below is a matcher for what lies under a prefix, from a subinclude: pattern.
type below struct {
	prefix string // "" or with a slash at its end
	m      Matcher
}

func (c *compiled) match(name string) bool {
	for i := range c.below {
		if rest, ok := strings.CutPrefix(name, c.below[i].prefix); ok && c.below[i].m.Match(rest) {
			return true
		}
	}
	if c.exact != nil {
		if _, ok := c.exact[name]; ok {
			return true
		}
	}
	if c.dirs != nil {
		dir := "."
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			dir = name[:i]
		}
		_, ok := c.dirs[dir]
		return ok
	}
	if c.full != nil {
		ok, err := c.full.Match(name)
		if err != nil && c.fail != nil {
			c.fail(err)
		}
		return ok
	}
	return c.re != nil && c.re.Match(name)
}

// compile makes one test of all patterns.
func (b *builder) compile(kps []kindPattern, suffix string) (*compiled, error) {
	c := &compiled{}
	var err error
	if c.below, err = b.subincludes(kps); err != nil {
		return nil, err
	}
	kps = slices.DeleteFunc(slices.Clone(kps), func(kp kindPattern) bool { return kp.kind == "subinclude" })
	if len(kps) == 0 {
		return c, nil
	}
	if !slices.ContainsFunc(kps, func(kp kindPattern) bool { return kp.kind != "rootfilesin" }) {
		c.dirs = map[string]struct{}{}
		var names []string
		for _, kp := range kps {
			if _, ok := c.dirs[kp.pat]; !ok {
				c.dirs[kp.pat] = struct{}{}
				names = append(names, kp.pat)
			}
		}
		slices.Sort(names)
		c.text = "rootfilesin: " + quoteList(names)
		return c, nil
	}
	return c, b.compileRegexps(c, kps, suffix)
}

func (b *builder) compileRegexps(c *compiled, kps []kindPattern, suffix string) error {
	var texts []string
	var from []kindPattern
	for _, kp := range kps {
		if kp.kind == "filepath" {
			if c.exact == nil {
				c.exact = map[string]struct{}{}
			}
			c.exact[kp.pat] = struct{}{}
			continue
		}
		text := regexpText(kp.kind, kp.pat, suffix)
		if len(text) > maxRegexp {
			return hgerr.Abortf(hgerr.Other, "matcher pattern is too long (%d bytes)", len(text))
		}
		texts = append(texts, text)
		from = append(from, kp)
	}
	c.text = strings.Join(texts, "|")
	if len(texts) == 0 {
		return nil
	}
	exprs := make([]*pyre.Expr, len(texts))
	for i, text := range texts {
		e, err := pyre.Parse(text)
		if err == nil && !(e.Global && len(texts) > 1) {
			exprs[i] = e
			continue
		}
		var invalid *pyre.InvalidError
		if err != nil && !errors.As(err, &invalid) && !hgerr.IsUnsupported(err) {
			return err
		}
		// hg compiles all of them joined by bars: groups count through, and what
		// is wrong alone may be right then.
		return b.compileJoined(c, texts, from)
	}
	var err error
	c.re, err = pyre.Compile(pyre.Any(exprs))
	return err
}

// compileJoined compiles patterns that an automaton cannot do, or that may be
// invalid.
func (b *builder) compileJoined(c *compiled, texts []string, from []kindPattern) error {
	if len(c.text) > maxRegexp {
		return hgerr.NewUnsupported("many patterns with one that needs backtracking") // hg joins so many at a time
	}
	var invalid *pyre.InvalidError
	full, err := backtrack.Compile(c.text)
	switch {
	case errors.As(err, &invalid):
		for i, text := range texts {
			_, err := backtrack.Compile(text)
			switch {
			case errors.As(err, &invalid) && from[i].source != "":
				return hgerr.Abortf(hgerr.Other, "%s: invalid pattern (%s): %s", from[i].source, from[i].kind, from[i].pat)
			case errors.As(err, &invalid):
				return hgerr.Abortf(hgerr.Other, "invalid pattern (%s): %s", from[i].kind, from[i].pat)
			case err != nil:
				return err
			}
		}
		return hgerr.Abortf(hgerr.Other, "invalid pattern")
	case err != nil:
		return err
	case !full.Polynomial() && b.Fail == nil:
		return hgerr.NewUnsupported("regular expression %q, which may take too long", c.text)
	}
	c.full, c.fail = full, b.Fail
	return nil
}

// subincludes makes the matchers of subinclude: patterns. hg makes each when
// the first file below its prefix is asked for, and one a prefix; errors that
// it would find only then are left to it.
func (b *builder) subincludes(kps []kindPattern) ([]below, error) {
	var list []below
	for _, kp := range kps {
		if kp.kind != "subinclude" {
			continue
		}
		file := join(dirname(NormPath(kp.source)), kp.pat)
		root := dirname(file)
		if !path.IsAbs(root) {
			return nil, hgerr.NewUnsupported("pattern subinclude:%s outside of a pattern file", kp.pat)
		}
		prefix, err := CanonPath(b.Root, b.Root, root, &Auditor{Root: b.Root})
		if err != nil {
			return nil, err
		}
		if prefix != "" {
			prefix += "/"
		}
		if slices.ContainsFunc(list, func(l below) bool { return l.prefix == prefix }) {
			continue
		}
		if b.depth > maxNesting {
			return nil, tooDeep(file)
		}
		m, err := New(Options{
			Root:     root,
			Include:  []string{"include:" + file},
			ReadFile: b.ReadFile,
			Version:  b.Version,
			Fail:     b.Fail,
			depth:    b.depth + 1,
		})
		if err != nil {
			return nil, hgerr.NewUnsupported("pattern file %s: %v", file, err)
		}
		list = append(list, below{prefix, m})
	}
	return list, nil
}

// dirname is posixpath.dirname.
func dirname(name string) string {
	i := strings.LastIndexByte(name, '/') + 1
	dir := name[:i]
	if trimmed := strings.TrimRight(dir, "/"); trimmed != "" {
		return trimmed
	}
	return dir
}
