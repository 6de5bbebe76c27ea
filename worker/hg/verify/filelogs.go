// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// logEndings are those of files of revlogs.
var logEndings = []string{".i", ".idx", ".d", ".dat", ".n", ".nd", ".sda"}

// readList reads the fncache: the names of the files that filelogs are in.
// 6.3 takes only those for listed that have something in them.
func (x *examiner) readList() (map[string]bool, error) {
	text, _, err := x.store.Read("fncache")
	if err != nil {
		return nil, err
	}
	if _, err := store.ParseFnCache(text); err != nil {
		var a *hgerr.Abort
		if errors.As(err, &a) {
			return nil, &hgerr.Abort{Kind: hgerr.Other, Message: a.Message, Hint: a.Hint}
		}
		return nil, err
	}
	listed := map[string]bool{}
	indexes := map[string]bool{}
	for line := range bytes.Lines(text) {
		name := store.DecodeDir(strings.TrimSuffix(string(line), "\n"))
		if strings.Contains(name, "\r") {
			return nil, hgerr.NewUnsupported("verify of a store that lists %q", name)
		}
		switch ofLog := slices.ContainsFunc(logEndings, func(end string) bool { return strings.HasSuffix(name, end) }); {
		case !ofLog && x.opts.At72, ofLog && !x.opts.At72 && !strings.HasPrefix(name, "data/"):
			continue
		case !ofLog || !strings.HasPrefix(name, "data/"):
			return nil, hgerr.NewUnsupported("verify of a store that lists %q, of which hg dies", name)
		}
		i := strings.LastIndexByte(name, '.')
		if end := name[i:]; end != ".i" && end != ".d" {
			return nil, hgerr.NewUnsupported("verify of a store that lists %q", name)
		}
		if name[i:] == ".i" {
			indexes[name[:i]] = true
		}
		if !x.opts.At72 {
			fi, err := os.Stat(x.store.Path() + "/" + x.store.Encoding().Name(name))
			if err != nil && !os.IsNotExist(err) {
				return nil, hgerr.NewUnsupported("verify of a store that lists %q", name)
			}
			if err != nil || fi.Size() == 0 {
				continue
			}
		}
		listed[plainPath(name)] = true
	}
	if x.opts.At72 {
		for name := range listed {
			if !indexes[name[:len(name)-2]] {
				return nil, hgerr.NewUnsupported("verify of a store that lists %q without its index", name)
			}
		}
	}
	return listed, nil
}

// readFiles reads every filelog, and returns how many there are and their
// revisions.
func (x *examiner) readFiles() (files, revisions int, err error) {
	x.say(Status, "checking files\n")
	listed, err := x.readList()
	if err != nil {
		return 0, 0, err
	}
	paths := slices.Collect(maps.Keys(x.named))
	for path := range x.changed {
		if _, ok := x.named[path]; !ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		if err := x.ctx.Err(); err != nil {
			return 0, 0, err
		}
		n, err := x.readFile(path, listed)
		if err != nil {
			return 0, 0, err
		}
		revisions += n
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		x.warn("warning: orphan data file '%s'", name)
	}
	return len(paths), revisions, nil
}

// readFile checks a filelog and takes its files off the list.
func (x *examiner) readFile(path string, listed map[string]bool) (int, error) {
	link := unknown
	if revs := x.changed[path]; len(revs) > 0 {
		link = revs[0]
	}
	l, err := x.openFile(path)
	if f, ok := err.(*failure); ok {
		if !f.storage {
			return 0, hgerr.NewUnsupported("verify of a filelog that ends hg (%s: %s)", path, f.text)
		}
		x.err(link, fmt.Sprintf("broken revlog! (%s)", f.text), path)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer l.close()
	for _, name := range l.filesOf() {
		if !listed[name] {
			x.warn(" warning: revlog '%s' not in fncache!", name)
			x.unlisted = true
		}
		delete(listed, name)
	}
	skip := map[node.ID]bool{}
	if l.n == 0 {
		if x.changelog.n > 0 || x.manifests.n > 0 {
			x.err(link, "empty or missing "+path, "")
		}
	} else if err := x.checkTexts(l, path, link, skip); err != nil {
		return 0, err
	}
	seen := map[node.ID]node.Rev{}
	for rev := range node.Rev(l.n) {
		if err := x.checkRevision(l, path, rev, seen, skip); err != nil {
			return 0, err
		}
	}
	return l.n, x.missingRevisions(path)
}

// checkTexts reads every text of a filelog, and collects those that cannot be.
func (x *examiner) checkTexts(l *log, path string, link node.Rev, skip map[node.ID]bool) error {
	data, index, err := l.checkSize()
	if err != nil {
		return err
	}
	if data != 0 {
		x.err(link, fmt.Sprintf("data length off by %d bytes", data), path)
	}
	if index != 0 {
		x.err(link, fmt.Sprintf("index contains %d extra bytes", index), path)
	}
	if l.old {
		x.warn("warning: '%s' uses revlog format 0; expected 1", l.display)
	}
	for rev := range node.Rev(l.n) {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		id := l.node(rev)
		message, err := x.checkText(l, rev, id)
		if err != nil {
			f, ok := err.(*failure)
			switch {
			case !ok:
				return err
			case f.censored && !x.opts.Censored:
				continue
			case f.censored:
				message = "censored file data"
			default:
				message = fmt.Sprintf("unpacking %s: %s", id.Short(), f.text)
			}
			skip[id] = true
		}
		if message != "" {
			at, err := l.rev(id)
			if err != nil {
				return err
			}
			x.err(l.linkRev(at), message, path)
		}
	}
	return nil
}

// checkText reads a text and compares its length.
func (x *examiner) checkText(l *log, rev node.Rev, id node.ID) (string, error) {
	if _, err := l.text(id); err != nil {
		return "", err
	}
	text, err := l.rawText(id)
	if err != nil {
		return "", err
	}
	if size := l.rawSize(rev); size >= 0 && size != int64(len(text)) {
		return fmt.Sprintf("unpacked size is %d, %d expected", len(text), size), nil
	}
	return "", nil
}

// checkRevision checks what a revision of a file belongs to.
func (x *examiner) checkRevision(l *log, path string, rev node.Rev, seen map[node.ID]node.Rev, skip map[node.ID]bool) error {
	id := l.node(rev)
	link, err := x.checkEntry(l, rev, id, seen, x.changed[path], path)
	if err != nil {
		return err
	}
	if named, ok := x.named[path]; ok {
		if _, ok := named[id]; !ok {
			if x.manifests.n == 0 {
				return hgerr.NewUnsupported("verify of a store without manifests")
			}
			x.err(link, id.Short()+" not in manifests", path)
		}
		delete(named, id)
	}
	if skip[id] {
		return nil
	}
	if err := x.checkSource(l, path, id, link); err != nil {
		return x.exception(link, "checking rename of "+id.Short(), err, path)
	}
	return nil
}

// checkSource looks for the revision that one was copied from.
func (x *examiner) checkSource(l *log, path string, id node.ID, link node.Rev) error {
	m, err := l.copySource(id)
	if err != nil || !m.copied {
		return err
	}
	raw, err := unhex(m.sourceNode)
	if err != nil {
		return err
	}
	source, ok := node.FromBytes(raw)
	if !ok {
		return hgerr.NewUnsupported("verify of a copy of a revision with an odd node (%s)", path)
	}
	if link != unknown && x.opts.Verbose {
		if err := x.checkSourceParents(path, m.source, link); err != nil {
			return err
		}
	}
	from, err := x.openFile(m.source)
	if err != nil {
		return err
	}
	defer from.close()
	switch {
	case from.n == 0:
		x.err(link, fmt.Sprintf("empty or missing copy source revlog %s:%s", m.source, source.Short()), path)
		return nil
	case source.IsNull():
		// hg means to tell more, and fails to put the number into the text.
		kind := "int"
		if link == unknown {
			kind = "NoneType"
		}
		return exceptionf("%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", kind)
	}
	_, err = from.rev(source)
	return err
}

// copySource reads what a revision is a copy of. The revision must have no
// parent for that.
func (l *log) copySource(id node.ID) (metadata, error) {
	if l.at72 {
		rev, err := l.rev(id)
		if err != nil || l.firstParent(rev) != int64(node.NullRev) {
			return metadata{}, err
		}
	} else if p1, _, err := l.parents(id); err != nil || !p1.IsNull() {
		return metadata{}, err
	}
	text, err := l.text(id)
	if err != nil {
		return metadata{}, err
	}
	return parseMetadata(text)
}

// checkSourceParents looks for the copied file in the parents of the changeset.
func (x *examiner) checkSourceParents(path, source string, clrev node.Rev) error {
	if _, ok := x.changelog.entry(clrev); !ok {
		return exceptionf("unknown revision '%d'", clrev)
	}
	p1, p2 := node.Rev(x.changelog.number(clrev, 24)), node.Rev(x.changelog.number(clrev, 28))
	if p1 == node.NullRev {
		p1, p2 = p2, p1
	}
	for i, p := range []node.Rev{p1, p2} {
		if p == node.NullRev {
			if i == 0 {
				continue
			}
			break
		}
		if _, ok := x.changelog.entry(p); !ok {
			return hgerr.NewUnsupported("verify --verbose of a changeset with an odd parent")
		}
		ok, err := x.holds(p, source)
		if ok || err != nil {
			return err
		}
	}
	x.warn("warning: copy source of '%s' not in parents of %s", path, x.changelog.node(clrev).Short())
	return nil
}

// missingRevisions tells which ones manifests name that are not there.
func (x *examiner) missingRevisions(path string) error {
	type pair struct {
		link node.Rev
		id   node.ID
	}
	var missing []pair
	unknowns := 0
	for id, link := range x.named[path] {
		missing = append(missing, pair{link, id})
		if link == unknown {
			unknowns++
		}
	}
	if unknowns > 0 && unknowns < len(missing) {
		return hgerr.NewUnsupported("verify of a filelog that ends hg (%s: numbers and no numbers to sort)", path)
	}
	slices.SortFunc(missing, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.link, b.link), bytes.Compare(a.id[:], b.id[:]))
	})
	for _, m := range missing {
		x.err(m.link, "manifest refers to unknown revision "+m.id.Short(), path)
	}
	return nil
}
