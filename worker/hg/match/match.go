// SPDX-License-Identifier: GPL-2.0-or-later

// Package match reads Mercurial's file patterns (`hg help patterns`) and tells
// which paths they match, which directories are worth walking for them, and
// which files they name one by one.
//
// It follows mercurial/match.py and pathutil.py, with the differences between
// 6.3 and 7.2 by Options.Version. Errors carry hg's texts. Filesets ("set:") are
// Unsupported, and so is a regular expression that neither package pyre nor
// package backtrack takes.
//
// Paths are relative to the repository's root, '/'-separated raw bytes in a
// string, without a slash at either end; "" is the root. A Matcher never
// changes and is safe for concurrent use. Telling the user about names that
// match nothing is the walker's business (package status), not the matcher's.
//
// Case-insensitive file systems, where hg folds patterns, are not handled.
package match

import (
	"path"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
)

// Matcher selects paths.
type Matcher interface {
	// Match reports whether a file (or, for ignore rules, a directory) is
	// selected.
	Match(path string) bool
	// Files are the explicitly named files and directories, or the roots below
	// which matches lie: "" among them means anywhere. They are in hg's order
	// and may repeat. An Always matcher has none.
	Files() []string
	// Exact reports whether path is one of Files.
	Exact(path string) bool
	// VisitDir tells whether a directory may hold matches.
	VisitDir(dir string) Visit
	// VisitChildren tells which entries of a directory may be or hold matches.
	VisitChildren(dir string) Children
	// Always is true of a matcher that is known to match every path.
	Always() bool
	// IsExact is true of a matcher that matches Files and nothing else.
	IsExact() bool
	// Prefix is true of a matcher that matches Files and all below them.
	Prefix() bool
	// String is the matcher as hg prints one (`hg debugignore`, `hg debugwalk -v`).
	String() string
}

// Visit says how much of a directory is to be walked.
type Visit byte

// From nothing to everything.
const (
	VisitNo   Visit = iota // neither the directory nor anything below it
	VisitThis              // the directory, with a question for each subdirectory
	VisitAll               // the directory and all below it, recursively
)

// Children are the entries of a directory that may matter.
type Children struct {
	Visit Visit
	// Names restricts VisitThis to these entries when it is not nil.
	Names map[string]struct{}
}

// Wants reports whether an entry of the directory may matter.
func (c Children) Wants(name string) bool {
	if c.Visit == VisitNo || c.Names == nil {
		return c.Visit != VisitNo
	}
	_, ok := c.Names[name]
	return ok
}

// AnyPatterns reports whether a matcher is none of Always, IsExact and Prefix.
func AnyPatterns(m Matcher) bool { return !m.Always() && !m.IsExact() && !m.Prefix() }

// Options are what New makes a matcher of.
type Options struct {
	// Root is the absolute, canonical path of the repository's root.
	Root string
	// Cwd is the working directory relative to Root ("" when it is Root), or an
	// absolute path outside of it: what hg's dirstate.getcwd returns.
	Cwd string
	// Patterns select paths; without any, every path is selected. Include and
	// Exclude (-I and -X) narrow that.
	Patterns, Include, Exclude []string
	// Default is the kind of a pattern that names none; "" means "glob". The
	// command line's patterns are "relpath". Include and Exclude are "glob".
	Default string
	// ReadFile reads the files that listfile:, include: and subinclude: name,
	// by an absolute name; nil means os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Warn prints hg's warnings about pattern files, newline included. hg has
	// one for ignore rules only; nil drops them, as hg does elsewhere.
	Warn func(string)
	// NoFS audits the patterns' paths by their text alone, as hg does when
	// they are matched against a changeset and not the working directory.
	NoFS bool
	// Nested is that of the Auditor: which repositories inside are good.
	Nested func(dir string) (bool, error)
	// Fail is told, perhaps from several goroutines, when a regular expression
	// with back-references took too long for a path; Match says no then, and what
	// came of it is not to be trusted. Without it such patterns are Unsupported.
	Fail func(error)
	// Version is the release to behave as; the zero value means 6.3.
	Version config.Version

	depth int // of pattern files in pattern files
}

// v7 tells whether the matchers of Mercurial 7 are wanted: filepath: patterns,
// patterns that are sorted, and rootfilesin: in the walked directories.
func (o *Options) v7() bool { return o.Version.AtLeast(7, 0) }

// New makes a matcher. Its errors are *hgerr.Abort with hg's text, or
// Unsupported.
func New(o Options) (Matcher, error) {
	if o.Default == "" {
		o.Default = "glob"
	}
	b := &builder{Options: o, cwd: join(o.Root, o.Cwd)}
	b.auditor = &Auditor{Root: o.Root, NoFS: o.NoFS, Nested: o.Nested}
	var m Matcher = Always()
	if len(o.Patterns) > 0 {
		kps, err := b.normalize(o.Patterns, o.Default)
		if err != nil {
			return nil, err
		}
		if !alwaysMatch(kps) {
			if m, err = b.patternMatcher(kps); err != nil {
				return nil, err
			}
		}
	}
	if len(o.Include) > 0 {
		kps, err := b.normalize(o.Include, "glob")
		if err != nil {
			return nil, err
		}
		im, err := b.includeMatcher(kps)
		if err != nil {
			return nil, err
		}
		m = Intersect(m, im)
	}
	if len(o.Exclude) > 0 {
		kps, err := b.normalize(o.Exclude, "glob")
		if err != nil {
			return nil, err
		}
		em, err := b.includeMatcher(kps)
		if err != nil {
			return nil, err
		}
		m = Difference(m, em)
	}
	return m, nil
}

// builder makes the matchers of one New.
type builder struct {
	Options
	cwd     string // absolute
	auditor *Auditor
}

// join is os.path.join of two parts.
func join(a, b string) string {
	switch {
	case path.IsAbs(b) || a == "":
		return b
	case a[len(a)-1] == '/':
		return a + b
	}
	return a + "/" + b
}

// maxNesting bounds pattern files that include others. hg recurses until
// Python gives up.
const maxNesting = 40

func tooDeep(name string) error {
	return hgerr.NewUnsupported("pattern file %s includes too deeply", name)
}
