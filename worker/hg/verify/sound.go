// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// Report counts what was checked.
type Report struct {
	Changesets int
	Files      int // tracked ever
	Revisions  int // of files
}

// problem is what hg may have to tell of.
func problem(format string, args ...any) error { return fmt.Errorf(format, args...) }

// checker is one run.
type checker struct {
	ctx   context.Context
	store *store.Store

	changesets int
	manifestOf map[node.ID][]node.Rev // changesets by the manifest that they name
	changed    map[string][]node.Rev  // changesets by the files that they name
	nodes      map[string][]node.ID   // file revisions that manifests name
	last       map[string]node.ID     // the last one of each that was met
	listed     map[string]struct{}    // names of filelogs' files in the fncache
	revisions  atomic.Int64
}

// Run checks a store with a flat manifest. Any error but that of ctx means that
// hg may have something to tell, and Examine must look.
func Run(ctx context.Context, s *store.Store) (Report, error) {
	k := &checker{ctx: ctx, store: s, manifestOf: map[node.ID][]node.Rev{}, changed: map[string][]node.Rev{},
		nodes: map[string][]node.ID{}, last: map[string]node.ID{}}
	if _, err := os.Stat(filepath.Join(s.Path(), "journal")); err == nil {
		return Report{}, problem("abandoned transaction")
	}
	for _, step := range []func() error{k.checkChangelog, k.checkManifests, k.crossCheck, k.readFnCache, k.checkFiles} {
		if err := step(); err != nil {
			return Report{}, err
		}
	}
	return Report{k.changesets, len(k.changed), int(k.revisions.Load())}, nil
}

// checkSizes compares the lengths of a revlog's files with its index.
func checkSizes(r *revlog.Revlog) error {
	n := node.Rev(r.Len())
	if n == 0 {
		return nil
	}
	end := r.DataOffset(n-1) + r.DataLength(n-1)
	index, data := int64(n)*revlog.EntrySize, end
	if r.Inline() {
		var sum int64
		for rev := range n {
			sum += r.DataLength(rev)
		}
		index, data = index+sum, -1
	}
	fi, err := os.Stat(r.Files().IndexPath())
	if err != nil {
		return err
	}
	if fi.Size() != index {
		return problem("%s: %d bytes, not %d", r.Display(), fi.Size(), index)
	}
	if data < 0 {
		return nil
	}
	if fi, err = os.Stat(r.Files().DataPath()); err != nil || fi.Size() != data {
		return problem("%s: length of the data file", r.Display())
	}
	return nil
}

// checkEntry checks what an index says of a revision beside its text. linkrevs
// are the changesets that may have brought it, ascending.
func checkEntry(r *revlog.Revlog, rev node.Rev, seen map[node.ID]struct{}, linkrevs []node.Rev) error {
	link := r.LinkRev(rev)
	if _, ok := slices.BinarySearch(linkrevs, link); !ok {
		return problem("%s: rev %d points to changeset %d", r.Display(), rev, link)
	}
	p1, p2 := r.Parents(rev)
	id := r.Node(rev)
	if _, ok := seen[id]; ok || p1 >= rev || p2 >= rev {
		return problem("%s: rev %d has odd parents or comes twice", r.Display(), rev)
	}
	seen[id] = struct{}{}
	return nil
}

func (k *checker) checkChangelog() error {
	log, err := changelog.Open(k.store)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := checkSizes(log.Revlog); err != nil {
		return err
	}
	k.changesets = log.Len()
	seen := map[node.ID]struct{}{}
	return log.Each(0, node.Rev(log.Len()), func(rev node.Rev, c changelog.Changeset) error {
		if err := checkEntry(log.Revlog, rev, seen, []node.Rev{rev}); err != nil {
			return err
		}
		id, err := c.Manifest()
		if err != nil {
			return err
		}
		if err := checkDate(c.Text()); err != nil {
			return err
		}
		if !id.IsNull() {
			k.manifestOf[id] = append(k.manifestOf[id], rev)
		}
		for name := range c.Files() {
			if bytes.Contains(name, []byte("//")) {
				return problem("a path with two slashes")
			}
			k.changed[string(name)] = append(k.changed[string(name)], rev)
		}
		return k.ctx.Err()
	})
}

// plainDate is how hg writes a date, and what comes with it on the line.
var plainDate = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^-?[0-9]{1,15} -?[0-9]{1,6}(?: [^\\\x00:]+:[^\\\x00]*(?:\x00[^\\\x00:]+:[^\\\x00]*)*)?$`)
})

// checkDate looks whether the third line of a changeset is a plain one.
func checkDate(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, rest, _ := bytes.Cut(text, []byte{'\n'})
	_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	if line, _, _ := bytes.Cut(rest, []byte{'\n'}); !plainDate().Match(line) {
		c, err := changelog.Parse(text)
		if err != nil {
			return err
		}
		if _, err := c.Extras(); err != nil {
			return err
		}
		if _, err := c.Date(); err != nil || bytes.Count(line, []byte{' '}) == 0 {
			return problem("a date")
		}
	}
	return nil
}

// checkManifests reads every manifest and collects the file revisions that they
// name: those in which each differs from the one stored before it.
func (k *checker) checkManifests() error {
	log, err := manifest.Open(k.store, false)
	if err != nil {
		return err
	}
	defer log.Close()
	if len(k.manifestOf) > 0 && log.Len() == 0 {
		return problem("no manifest")
	}
	if err := checkSizes(log.Revlog); err != nil {
		return err
	}
	seen := map[node.ID]struct{}{}
	var before []byte
	err = log.Scan(0, node.Rev(log.Len()), func(rev node.Rev, text []byte) error {
		id := log.Node(rev)
		if err := checkEntry(log.Revlog, rev, seen, k.manifestOf[id]); err != nil {
			return err
		}
		m, err := manifest.Parse(text)
		if err != nil {
			return err
		}
		for ch, err := range manifest.Diff(manifest.Of(before), m) {
			if err != nil {
				return err
			}
			if ch.B == nil || ch.A != nil && ch.A.Node == ch.B.Node {
				continue
			}
			if len(ch.Path) == 0 || bytes.Contains(ch.Path, []byte("//")) {
				return problem("a path in a manifest")
			}
			if path := string(ch.Path); k.last[path] != ch.B.Node {
				k.last[path] = ch.B.Node
				k.nodes[path] = append(k.nodes[path], ch.B.Node)
			}
		}
		before = append(before[:0], text...)
		return k.ctx.Err()
	})
	if err != nil {
		return err
	}
	for id := range k.manifestOf {
		if _, ok := seen[id]; !ok {
			return problem("a changeset names manifest %s", id.Short())
		}
	}
	return nil
}

// crossCheck compares the files of changesets with those of manifests.
func (k *checker) crossCheck() error {
	for path := range k.changed {
		if _, ok := k.nodes[path]; !ok {
			return problem("%s is in a changeset and in no manifest", path)
		}
	}
	for path := range k.nodes {
		if _, ok := k.changed[path]; !ok {
			return problem("%s is in a manifest and in no changeset", path)
		}
	}
	return nil
}

// readFnCache reads the names of the files that filelogs are in.
func (k *checker) readFnCache() error {
	if k.store.Encoding() < store.FnCache {
		return hgerr.NewUnsupported("verify of a store without a list of its files")
	}
	text, _, err := k.store.Read("fncache")
	if err != nil {
		return err
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		return problem("fncache")
	}
	k.listed = map[string]struct{}{}
	for line := range bytes.Lines(text) {
		name := store.DecodeDir(strings.TrimSuffix(string(line), "\n"))
		if name == "" {
			return problem("fncache")
		}
		if !strings.HasPrefix(name, "data/") {
			return problem("fncache")
		}
		k.listed[name] = struct{}{}
	}
	return nil
}

func (k *checker) checkFiles() error {
	paths := make([]string, 0, len(k.changed))
	for path := range k.changed {
		paths = append(paths, path)
	}
	for name := range k.listed {
		path := strings.TrimPrefix(name, "data/")
		path = path[:max(len(path)-2, 0)]
		if _, ok := k.changed[path]; !ok || name != "data/"+path+".i" && name != "data/"+path+".d" {
			return problem("orphan data file %s", name)
		}
	}
	slices.Sort(paths)
	tasks, ctx := errgroup.WithContext(k.ctx)
	tasks.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range paths {
		tasks.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return k.checkFile(path)
		})
	}
	return tasks.Wait()
}

// checkFile reads a filelog. It runs beside others and changes only the count.
func (k *checker) checkFile(path string) error {
	f, err := filelog.Open(k.store, path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Len() == 0 {
		return problem("no filelog of %s", path)
	}
	if err := checkSizes(f.Revlog); err != nil {
		return err
	}
	_, index := k.listed["data/"+path+".i"]
	_, data := k.listed["data/"+path+".d"]
	if !index || data == f.Inline() {
		return problem("fncache is wrong about %s", path)
	}
	seen := map[node.ID]struct{}{}
	for rev := range node.Rev(f.Len()) {
		if f.Flags(rev) != 0 {
			return problem("%s: a censored revision, or one that is stored elsewhere", path)
		}
		if err := checkEntry(f.Revlog, rev, seen, k.changed[path]); err != nil {
			return err
		}
	}
	named := slices.Clone(k.nodes[path])
	slices.SortFunc(named, func(a, b node.ID) int { return bytes.Compare(a[:], b[:]) })
	named = slices.Compact(named)
	if len(named) != f.Len() {
		return problem("%s: manifests name %d revisions of %d", path, len(named), f.Len())
	}
	for _, id := range named {
		if _, ok := seen[id]; !ok {
			return problem("%s: a manifest names %s", path, id.Short())
		}
	}
	err = f.Scan(0, node.Rev(f.Len()), func(rev node.Rev, text []byte) error {
		if f.RawSize(rev) != int64(len(text)) {
			return problem("%s: size of revision %d", path, rev)
		}
		if !bytes.HasPrefix(text, []byte("\x01\n")) {
			return nil
		}
		return k.checkCopy(f, rev)
	})
	k.revisions.Add(int64(f.Len()))
	return err
}

// checkCopy looks for the revision that one was copied from.
func (k *checker) checkCopy(f *filelog.File, rev node.Rev) error {
	source, id, copied, err := f.Renamed(rev)
	if err != nil || !copied {
		return err
	}
	from, err := filelog.Open(k.store, source)
	if err != nil {
		return err
	}
	defer from.Close()
	if _, ok := from.Rev(id); !ok || from.Len() == 0 || id.IsNull() {
		return problem("%s is a copy of what is not there", f.Path())
	}
	return nil
}
