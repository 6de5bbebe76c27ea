// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// patternKinds are the prefixes that make a string a file pattern with a kind
// (`hg help patterns`).
var patternKinds = []string{"re", "glob", "path", "filepath", "relglob", "relpath", "relre", "rootglob", "listfile", "listfile0", "set", "include", "subinclude", "rootfilesin"}

func (ev *evaluator) patternKind(p string) string {
	kind, _, ok := strings.Cut(p, ":")
	if ok && slices.Contains(patternKinds, kind) && (kind != "filepath" || ev.opts.Version.AtLeast(7, 0)) {
		return kind
	}
	return ""
}

func (ev *evaluator) matcher(q FileQuery, rev node.Rev) (func(string) bool, error) {
	m, ok := ev.repo.(FileMatcher)
	if !ok {
		return nil, hgerr.NewUnsupported("revset with file patterns")
	}
	return m.MatchFiles(q, rev)
}

// matcherAt makes the matcher of one pattern for each revision: filesets are
// evaluated in it, all else means the same in all.
func (ev *evaluator) matcherAt(q FileQuery) (func(node.Rev) (func(string) bool, error), error) {
	if ev.patternKind(q.Patterns[0]) == "set" {
		return func(r node.Rev) (func(string) bool, error) { return ev.matcher(q, r) }, nil
	}
	match, err := ev.matcher(q, node.WdirRev)
	return func(node.Rev) (func(string) bool, error) { return match, nil }, err
}

func file(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	p, err := getString(x, "file requires a pattern")
	if err != nil {
		return nil, err
	}
	return ev.matchFiles(subset, FileQuery{Patterns: []string{p}, Default: "glob"}, nil)
}

// matchFilesArgs is _matchfiles("p:pattern", "i:include", "x:exclude",
// "r:revision", "d:default").
func matchFilesArgs(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, -1, "_matchfiles requires at least one argument")
	if err != nil {
		return nil, err
	}
	q := FileQuery{}
	var rev *string
	haveDefault := false
	for _, a := range args {
		s, err := getString(a, "_matchfiles requires string arguments")
		if err != nil {
			return nil, err
		}
		prefix, value := s[:min(2, len(s))], s[min(2, len(s)):]
		switch prefix {
		case "p:":
			q.Patterns = append(q.Patterns, value)
		case "i:":
			q.Include = append(q.Include, value)
		case "x:":
			q.Exclude = append(q.Exclude, value)
		case "r:":
			if rev != nil {
				return nil, parseErrorf("_matchfiles expected at most one revision")
			}
			rev = &value
		case "d:":
			if haveDefault {
				return nil, parseErrorf("_matchfiles expected at most one default mode")
			}
			q.Default, haveDefault = value, true
		default:
			return nil, parseErrorf("invalid _matchfiles prefix: %s", prefix)
		}
	}
	if q.Default == "" {
		q.Default = "glob"
	}
	return ev.matchFiles(subset, q, rev)
}

// matchFiles selects the changesets that touch a file that q matches. rev is
// where set: patterns are evaluated; nil is in each changeset itself, "" in the
// working directory.
func (ev *evaluator) matchFiles(subset smartset, q FileQuery, rev *string) (smartset, error) {
	dynamic := rev == nil && slices.ContainsFunc(slices.Concat(q.Patterns, q.Include, q.Exclude), func(p string) bool { return ev.patternKind(p) == "set" })
	if subset.empty() {
		return newListSet(nil), nil // hg looks at the patterns for the first revision
	}
	var match func(string) bool
	prepare := func() (err error) {
		at := node.WdirRev
		if rev != nil && *rev != "" {
			if at, err = ev.repo.Lookup(*rev); err != nil {
				return err
			}
		}
		match, err = ev.matcher(q, at)
		return err
	}
	var wrong error // told for the first changeset, if there is one
	if !dynamic {
		if wrong = prepare(); hgerr.IsUnsupported(wrong) {
			return nil, wrong
		}
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		err := wrong
		if dynamic {
			match, err = ev.matcher(q, r)
		}
		if err != nil {
			return false, err
		}
		files, err := ev.repo.Files(r)
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(files, match), nil
	}), nil
}

// statusMatch makes adds(), modifies() and removes().
func statusMatch(name string, pick func(modified, added, removed []string) []string) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		p, err := getString(x, name+" requires a pattern")
		if err != nil {
			return nil, err
		}
		status, ok := ev.repo.(StatusReader)
		if !ok {
			return nil, hgerr.NewUnsupported("revset %s()", name)
		}
		if subset.empty() {
			return newListSet(nil), nil // hg looks at the pattern for the first revision
		}
		matcher, err := ev.matcherAt(FileQuery{Patterns: []string{p}, Default: "glob", Named: true})
		if err != nil {
			return nil, err
		}
		return ev.filter(subset, func(r node.Rev) (bool, error) {
			match, err := matcher(r)
			if err != nil {
				return false, err
			}
			files, err := ev.repo.Files(r)
			if err != nil || !slices.ContainsFunc(files, match) {
				return false, err
			}
			modified, added, removed, err := status.ChangedFiles(r)
			return err == nil && slices.ContainsFunc(pick(modified, added, removed), match), err
		}), nil
	}
}

func contains(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	p, err := getString(x, "contains requires a pattern")
	if err != nil {
		return nil, err
	}
	m, ok := ev.repo.(Manifests)
	kind := ev.patternKind(p)
	if !ok {
		return nil, hgerr.NewUnsupported("revset contains()")
	}
	// hg looks at the path or pattern when the first revision is tested.
	if subset.empty() {
		return newListSet(nil), nil
	}
	if kind == "" {
		path, err := m.CanonPath(p)
		if err != nil {
			return nil, err
		}
		return ev.filter(subset, func(r node.Rev) (bool, error) { return m.HasFile(r, path) }), nil
	}
	matcher, err := ev.matcherAt(FileQuery{Patterns: []string{p}, Default: "glob"})
	if err != nil {
		return nil, err
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		match, err := matcher(r)
		if err != nil {
			return false, err
		}
		found := false
		err = m.WalkManifest(r, func(path string) bool {
			found = match(path)
			return !found
		})
		return found, err
	}), nil
}
