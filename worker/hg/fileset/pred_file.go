// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
)

// filePredicates look at names and flags.
func filePredicates() []*Predicate {
	flag := func(name, doc string, want manifest.Flag) *Predicate {
		return plain(weightDefault, name, doc, func(sc *scope) (match.Matcher, error) {
			return sc.tested(name, func(path string) (bool, error) {
				f, err := sc.repo.Flag(sc.rev, path)
				return f == want, err
			}), nil
		})
	}
	return []*Predicate{
		plain(weightDefault, "copied", "files that are recorded as copies", func(sc *scope) (match.Matcher, error) {
			return sc.tested("copied", func(path string) (bool, error) { return sc.repo.Copied(sc.rev, path) }), nil
		}),
		flag("exec", "executable files", manifest.Executable),
		plain(weightStatus, "hgignore", "files that match an ignore rule", func(sc *scope) (match.Matcher, error) { return sc.repo.Ignored() }),
		plain(weightName, "portable", "files whose name is possible on Windows", func(*scope) (match.Matcher, error) {
			return &testMatcher{"portable", portable}, nil
		}),
		flag("symlink", "symbolic links", manifest.Symlink),
		plain(weightDefault, "tracked", "files under version control", func(sc *scope) (match.Matcher, error) {
			return sc.tested("tracked", func(path string) (bool, error) { return sc.repo.Tracked(sc.rev, path) }), nil
		}),
	}
}

// windowsNames are reserved on Windows, whatever extension follows.
var windowsNames = []string{"con", "prn", "aux", "nul",
	"com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"}

// portable tells whether Windows takes a path (hg's util.checkwinfilename).
func portable(path string) bool {
	if strings.HasSuffix(path, `\`) || strings.Contains(path, `\/`) {
		return false
	}
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		for i := range len(name) {
			if name[i] < ' ' || strings.IndexByte(`:*?"<>|`, name[i]) >= 0 {
				return false
			}
		}
		stem, _, _ := strings.Cut(name, ".")
		if slices.Contains(windowsNames, strings.ToLower(stem)) {
			return false
		}
		if last := name[len(name)-1]; (last == '.' || last == ' ') && name != "." && name != ".." {
			return false
		}
	}
	return true
}
