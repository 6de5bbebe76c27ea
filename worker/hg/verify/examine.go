// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// Options say how hg would verify.
type Options struct {
	At72   bool // as hg 7.2 does, else as 6.3
	Sparse bool // the store has the requirement sparserevlog
	// ZstdWords are libzstd's for a damaged block, "" when they are not known.
	ZstdWords string
	Verbose   bool
	Full      bool // read the manifests whole, too
	// Censored revisions are an error (censor.policy=abort).
	Censored bool
	// FullTexts is the cache of manifests in the checkout, which hg trusts.
	FullTexts string
	// Dirstate tells of each file that is not as the dirstate says, a line each.
	// 7.2 looks at that when everything else is sound.
	Dirstate func(Manifests) ([]string, error)
}

// Manifests reads the manifest of a changeset.
type Manifests func(node.Rev) (manifest.Manifest, error)

// Findings are what hg prints, and how it ends.
type Findings struct {
	Lines []Line
	Code  int
	Abort error // an *hgerr.Abort, after the lines
}

// examiner is one run that takes the store as hg does, step by step.
type examiner struct {
	telling
	ctx   context.Context
	store *store.Store
	opts  Options

	changelog *log
	manifests *log
	fullTexts *fullTexts

	manifestRevs map[string][]node.Rev           // changesets by the manifest that they name
	changed      map[string][]node.Rev           // changesets by the files that they name
	named        map[string]map[node.ID]node.Rev // file revisions that manifests name, and a changeset that does
	refers       bool                            // a changeset names a manifest
	unlisted     bool                            // a file is missing in the fncache
}

// Examine checks a store and tells what hg would print about it. What it
// cannot tell is an *hgerr.Unsupported.
func Examine(ctx context.Context, s *store.Store, o Options) (Findings, error) {
	if s.Encoding() < store.FnCache {
		return Findings{}, hgerr.NewUnsupported("verify of a damaged store without a list of its files")
	}
	x := &examiner{telling: telling{bad: map[node.Rev]bool{}}, ctx: ctx, store: s, opts: o,
		manifestRevs: map[string][]node.Rev{}, changed: map[string][]node.Rev{}, named: map[string]map[node.ID]node.Rev{},
		fullTexts: &fullTexts{path: o.FullTexts}}
	code, err := x.run()
	if x.changelog != nil {
		x.changelog.close()
	}
	if x.manifests != nil {
		x.manifests.close()
	}
	f := Findings{Lines: x.lines, Code: code}
	if err != nil {
		abort, ok := err.(*hgerr.Abort)
		if !ok {
			return Findings{}, err
		}
		f.Abort = abort
	}
	return f, nil
}

// abort is how hg ends when the storage makes no sense to it. The kind is not
// hgerr.Corrupt, which stands for damage whose words are hg's.
func abort(format string, args ...any) *hgerr.Abort {
	a := hgerr.Abortf(hgerr.Other, format, args...)
	a.Detailed = hgerr.DetailedStorage
	return a
}

// openTop opens the changelog or the manifest, without which hg gives up.
func (x *examiner) openTop(files store.Files) (*log, error) {
	l, err := openLog(files, files.Display, x.opts, false)
	if f, ok := err.(*failure); ok {
		if !f.storage {
			return nil, hgerr.NewUnsupported("verify without %s (%s)", files.Display, f.text)
		}
		return nil, abort("%s", f.text)
	}
	return l, err
}

func (x *examiner) run() (int, error) {
	var err error
	if x.changelog, err = x.openTop(x.store.Changelog()); err != nil {
		return 0, err
	}
	if x.manifests, err = x.openTop(x.store.Manifest()); err != nil {
		return 0, err
	}
	if _, err := os.Stat(filepath.Join(x.store.Path(), "journal")); err == nil {
		x.say(Warning, "abandoned transaction found - run hg recover\n")
	}
	if x.opts.Verbose {
		x.say(Status, "repository uses revlog format 1\n")
	}
	for _, step := range []func() error{x.readChangesets, x.readManifests, x.crossCheck} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	files, revisions, err := x.readFiles()
	if err != nil {
		return 0, err
	}
	dirstate, err := x.readDirstate()
	if err != nil {
		return 0, err
	}
	x.say(Status, "checked %d changesets with %d changes to %d files\n", x.changelog.n, revisions, files)
	return x.sum(dirstate), nil
}

// sum tells the numbers.
func (x *examiner) sum(dirstate int) int {
	if x.warnings > 0 {
		x.say(Warning, "%d warnings encountered!\n", x.warnings)
	}
	if x.unlisted {
		x.say(Warning, "hint: run \"hg debugrebuildfncache\" to recover from corrupt fncache\n")
	}
	if x.errors == 0 {
		return 0
	}
	x.say(Warning, "%d integrity errors encountered!\n", x.errors)
	if len(x.bad) > 0 {
		x.say(Warning, "(first damaged changeset appears to be %d)\n", slices.Min(slices.Collect(maps.Keys(x.bad))))
	}
	if dirstate > 0 {
		x.say(Warning, "dirstate inconsistent with current parent's manifest\n%d dirstate errors\n", dirstate)
	}
	return 1
}

// readDirstate compares the dirstate where hg does.
func (x *examiner) readDirstate() (int, error) {
	if !x.opts.At72 {
		return 0, nil
	}
	if x.errors > 0 {
		x.say(Warning, "not checking dirstate because of previous errors\n")
		return 0, nil
	}
	x.say(Status, "checking dirstate\n")
	lines, err := x.opts.Dirstate(x.manifestOf)
	for _, line := range lines {
		x.say(Warning, "%s\n", line)
	}
	x.errors += len(lines)
	return len(lines), err
}

// checkLog tells what is wrong with a revlog as a whole.
func (x *examiner) checkLog(l *log, name string) error {
	if l.n == 0 && (x.changelog.n > 0 || x.manifests.n > 0) {
		x.err(0, "empty or missing "+name, "")
		return nil
	}
	data, index, err := l.checkSize()
	if err != nil {
		return err
	}
	if data != 0 {
		x.err(unknown, fmt.Sprintf("data length off by %d bytes", data), name)
	}
	if index != 0 {
		x.err(unknown, fmt.Sprintf("index contains %d extra bytes", index), name)
	}
	if l.old {
		x.warn("warning: `%s' uses revlog format 0", name)
	}
	return nil
}

// checkEntry tells what is wrong with a revision beside its text. linkrevs are
// the changesets that may have brought it. The result is the one that did, if
// it can be trusted.
func (x *examiner) checkEntry(l *log, rev node.Rev, id node.ID, seen map[node.ID]node.Rev, linkrevs []node.Rev, name string) (node.Rev, error) {
	at, err := l.rev(id)
	if err != nil {
		return unknown, err
	}
	link := l.linkRev(at)
	if link < 0 || x.changelog.n > 0 && !slices.Contains(linkrevs, link) {
		message := "rev %d points to unexpected changeset %d"
		if link < 0 || int(link) >= x.changelog.n {
			message = "rev %d points to nonexistent changeset %d"
		}
		x.err(unknown, fmt.Sprintf(message, rev, int32(link)), name)
		switch {
		case len(linkrevs) > 1:
			// hg means to leave those out that did not bring it, and leaves all out.
			x.warn(" (expected )")
		case len(linkrevs) == 1:
			x.warn(" (expected %d)", int32(linkrevs[0]))
		}
		link = unknown
	}
	p1, p2, err := l.parents(id)
	if err != nil {
		if err := x.exception(link, "checking parents of "+id.Short(), err, name); err != nil {
			return unknown, err
		}
	} else {
		for i, p := range []node.ID{p1, p2} {
			if _, ok := seen[p]; !ok && !p.IsNull() {
				x.err(link, fmt.Sprintf("unknown parent %d %s of %s", i+1, p.Short(), id.Short()), name)
			}
		}
	}
	if before, ok := seen[id]; ok {
		x.err(link, fmt.Sprintf("duplicate revision %d (%d)", rev, before), name)
	}
	seen[id] = rev
	return link, nil
}

// crossCheck compares the files of changesets with those of manifests.
func (x *examiner) crossCheck() error {
	x.say(Status, "crosschecking files in changesets and manifests\n")
	if x.manifests.n > 0 {
		for _, path := range slices.Sorted(maps.Keys(x.changed)) {
			if _, ok := x.named[path]; !ok {
				x.err(x.changed[path][0], "in changeset but not in manifest", path)
			}
		}
	}
	if x.changelog.n == 0 {
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(x.named)) {
		if _, ok := x.changed[path]; ok {
			continue
		}
		link, err := x.firstLink(path)
		if err != nil {
			return err
		}
		x.err(link, "in manifest but not in changeset", path)
	}
	return nil
}

// firstLink is the first of the changesets that a filelog names for the
// revisions that manifests name.
func (x *examiner) firstLink(path string) (node.Rev, error) {
	least := unknown
	l, err := x.openFile(path)
	if err == nil {
		defer l.close()
		for id := range x.named[path] {
			var rev node.Rev
			if rev, err = l.rev(id); err != nil {
				break
			}
			if link := l.linkRev(rev); least == unknown || link < least {
				least = link
			}
		}
	}
	if _, ok := err.(*failure); ok {
		return unknown, nil
	}
	return least, err
}

// openFile opens a filelog.
func (x *examiner) openFile(path string) (*log, error) {
	path = strings.TrimPrefix(path, "/")
	return openLog(x.store.Filelog(path), "data/"+path, x.opts, true)
}

// plainPath is a path without the double slashes of some conversions.
func plainPath(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}
