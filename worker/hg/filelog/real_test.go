// SPDX-License-Identifier: GPL-2.0-or-later

package filelog_test

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// TestRealRepositories reads every revision of every revlog of a repository in
// each format that hg has, and compares all that can be known of it with what
// hg itself reads: index fields, texts, changesets, manifests, file contents,
// copies.
func TestRealRepositories(t *testing.T) {
	for i, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			source := makeSource(t, version)
			for j, format := range formats() {
				if j > 1 && (testing.Short() || i > 0 && j%3 != 0) {
					continue // the first two are the usual ones
				}
				t.Run(format.name, func(t *testing.T) {
					repo := pull(t, version, source, format)
					checkRepo(t, version, repo)
				})
			}
		})
	}
}

// reader holds the logs of one repository open.
type reader struct {
	t       *testing.T
	v       hgtest.Version
	store   *store.Store
	changes *changelog.Log
	mans    *manifest.Log
	files   map[string]*filelog.File
}

func checkRepo(t *testing.T, version hgtest.Version, repo string) {
	layout, err := requires.Resolve(repo)
	if err != nil {
		t.Fatal(err)
	}
	if !layout.Fresh(nil) {
		t.Error("layout is stale at once")
	}
	r := reader{t: t, v: version, store: layout.Store(), files: map[string]*filelog.File{}}
	if r.changes, err = changelog.Open(r.store); err != nil {
		t.Fatal(err)
	}
	if r.mans, err = manifest.Open(r.store, false); err != nil {
		t.Fatal(err)
	}
	revs := dumpRevs(t, version, repo)
	forms := map[bool]int{}
	last := map[*revlog.Revlog]int32{}
	for _, want := range revs {
		last[r.log(want)] = want.Rev
		forms[want.Inline]++
		r.check(want)
	}
	for log, rev := range last {
		if log.Len() != int(rev)+1 {
			t.Errorf("%s: %d revisions, hg has %d", log.Display(), log.Len(), rev+1)
		}
	}
	t.Logf("%d revisions compared, %d in inline revlogs", len(revs), forms[true])

	// Again in random order, without the help of the order of storage.
	rnd := rand.New(rand.NewPCG(1, 2))
	rnd.Shuffle(len(revs), func(i, j int) { revs[i], revs[j] = revs[j], revs[i] })
	for _, want := range revs {
		text, err := r.log(want).Text(node.Rev(want.Rev))
		if err != nil || sum(text) != want.Text {
			t.Errorf("%s %s:%d in random order: wrong text (%v)", want.Kind, want.Path, want.Rev, err)
		}
	}
	for log := range last {
		r.checkScan(log)
		r.checkHeldIndex(log)
	}

	listed, err := r.store.List()
	if err != nil {
		t.Fatal(err)
	}
	if paths := slices.Sorted(maps.Keys(r.files)); !slices.Equal(listed, paths) {
		t.Errorf("store lists %q, hg has %q", listed, paths)
	}
	for _, log := range r.files {
		log.Close()
	}
}

func (r *reader) log(want dumpedRev) *revlog.Revlog {
	switch want.Kind {
	case "changelog":
		return r.changes.Revlog
	case "manifest":
		return r.mans.Revlog
	}
	return r.file(want).Revlog
}

func (r *reader) file(want dumpedRev) *filelog.File {
	path := hgtest.FromLatin1(want.Path)
	f := r.files[path]
	if f == nil {
		var err error
		if f, err = filelog.Open(r.store, path); err != nil {
			r.t.Fatal(err)
		}
		if f.Len() == 0 {
			r.t.Fatalf("filelog of %q is empty (%s)", path, f.Files().Index)
		}
		r.files[path] = f
	}
	return f
}

func (r *reader) check(want dumpedRev) {
	t, log, rev := r.t, r.log(want), node.Rev(want.Rev)
	t.Helper()
	p1, p2 := log.Parents(rev)
	flags := log.Flags(rev)
	if log.Node(rev).Hex() != want.Node || p1 != node.Rev(want.P1) || p2 != node.Rev(want.P2) ||
		log.LinkRev(rev) != node.Rev(want.Link) || flags != want.Flags || log.DeltaParent(rev) != node.Rev(want.Delta) ||
		log.Inline() != want.Inline {
		t.Errorf("%s:%d: index entry differs", log.Display(), rev)
	}
	if size, err := log.Size(rev); err != nil || size != want.Size {
		t.Errorf("%s:%d: size %d, want %d (%v)", log.Display(), rev, size, want.Size, err)
	}
	if got, ok := log.Rev(log.Node(rev)); !ok || got != rev {
		t.Errorf("%s:%d: found by node as %d", log.Display(), rev, got)
	}
	text, err := log.Text(rev)
	if err != nil || sum(text) != want.Text {
		t.Errorf("%s:%d: wrong text (%v)", log.Display(), rev, err)
		return
	}
	switch want.Kind {
	case "changelog":
		r.checkChangeset(want)
	case "manifest":
		r.checkManifest(want)
	default:
		r.checkFile(want)
	}
}

func (r *reader) checkChangeset(want dumpedRev) {
	t := r.t
	t.Helper()
	c, err := r.changes.Changeset(node.Rev(want.Rev))
	if err != nil {
		t.Error(err)
		return
	}
	man, err1 := c.Manifest()
	date, err2 := c.Date()
	extras, err3 := c.Extras()
	branch, closes, err4 := c.Branch()
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		t.Error(err1, err2, err3, err4)
		return
	}
	got := map[string]string{}
	for _, x := range extras {
		got[x.Key] = x.Value
		if v, ok, err := c.Extra(x.Key); v != x.Value || !ok || err != nil {
			t.Errorf("changeset %d: extra %q is %q", want.Rev, x.Key, v)
		}
	}
	wantExtra := map[string]string{}
	for k, v := range want.Extra {
		wantExtra[hgtest.FromLatin1(k)] = hgtest.FromLatin1(v)
	}
	var files []string
	for f := range c.Files() {
		files = append(files, string(f))
	}
	if !slices.Equal(files, c.FileList()) || len(files) != len(want.Files) || c.HasFiles() != (len(files) > 0) {
		t.Errorf("changeset %d: files differ", want.Rev)
	} else {
		for i := range files {
			if files[i] != hgtest.FromLatin1(want.Files[i]) {
				t.Errorf("changeset %d: file %q, want %q", want.Rev, files[i], want.Files[i])
			}
		}
	}
	if man.Hex() != want.Manifest || string(c.User()) != hgtest.FromLatin1(want.User) || date.Time != want.Time ||
		date.TZ != want.TZ || !maps.Equal(got, wantExtra) || branch != wantExtra["branch"] || closes != want.Closes ||
		string(c.Description()) != hgtest.FromLatin1(want.Desc) {
		t.Errorf("changeset %d differs: %s %q %v %v", want.Rev, man, c.User(), date, extras)
	}
	if m, err := r.mans.Read(man, node.Rev(want.Rev)); err != nil || m.Len() == 0 {
		t.Errorf("changeset %d: manifest: %v", want.Rev, err)
	}
}

func (r *reader) checkManifest(want dumpedRev) {
	t := r.t
	t.Helper()
	m, err := r.mans.Manifest(node.Rev(want.Rev))
	if err != nil {
		t.Error(err)
		return
	}
	h := sha256.New()
	n := 0
	for e, err := range m.All() {
		if err != nil {
			t.Fatal(err)
		}
		h.Write(e.Path)
		h.Write([]byte{0})
		h.Write(e.Node[:])
		h.Write([]byte(e.Flag.String() + "\n"))
		if got, ok, err := m.Lookup(string(e.Path)); !ok || err != nil || got.Node != e.Node || got.Flag != e.Flag {
			t.Errorf("manifest %d: look up %q: %v %v", want.Rev, e.Path, ok, err)
		}
		n++
	}
	if hex.EncodeToString(h.Sum(nil)) != want.Entries || n != want.Count || m.Len() != n {
		t.Errorf("manifest %d: %d entries differ from hg's %d", want.Rev, n, want.Count)
	}
	if _, err := manifest.Parse(m.Text()); err != nil {
		t.Errorf("manifest %d: %v", want.Rev, err)
	}
}

func (r *reader) checkFile(want dumpedRev) {
	t, f, rev := r.t, r.file(want), node.Rev(want.Rev)
	t.Helper()
	data, err := f.Data(rev)
	if err != nil || sum(data) != want.Content {
		t.Errorf("%s:%d: wrong content (%v)", f.Path(), rev, err)
	}
	src, srcNode, copied, err := f.Renamed(rev)
	if err != nil || copied != (want.Copy != nil) ||
		copied && (src != hgtest.FromLatin1(want.Copy[0]) || srcNode.Hex() != want.Copy[1]) {
		t.Errorf("%s:%d: copied from %q %v, want %v (%v)", f.Path(), rev, src, srcNode, want.Copy, err)
	}
	// Mercurial 7 no longer counts the four bytes that escape a content which
	// starts like metadata; the engine follows 6.
	escaped := !copied && strings.HasPrefix(string(data), "\x01\n")
	if size, err := f.Size(rev); err != nil || size != want.ContentSize && !escaped {
		t.Errorf("%s:%d: size %d, want %d (%v)", f.Path(), rev, size, want.ContentSize, err)
	}
	if same, err := f.Same(rev, data); !same || err != nil {
		t.Errorf("%s:%d: content differs from itself (%v)", f.Path(), rev, err)
	}
	if same, err := f.Same(rev, append([]byte("x"), data...)); same || err != nil {
		t.Errorf("%s:%d: other content is the same (%v)", f.Path(), rev, err)
	}
}

// checkScan compares the two ways to read texts.
func (r *reader) checkScan(log *revlog.Revlog) {
	t := r.t
	t.Helper()
	next := node.Rev(0)
	err := log.Scan(0, node.Rev(log.Len()), func(rev node.Rev, text []byte) error {
		want, err := log.Text(rev)
		if err != nil || string(want) != string(text) || rev != next {
			t.Errorf("scan %s:%d differs (%v)", log.Display(), rev, err)
		}
		next++
		return nil
	})
	if err != nil || int(next) != log.Len() {
		t.Errorf("scan %s: %d of %d: %v", log.Display(), next, log.Len(), err)
	}
}

// checkHeldIndex reads with an index that is held already, as from an image.
func (r *reader) checkHeldIndex(log *revlog.Revlog) {
	t := r.t
	t.Helper()
	x, err := revlog.NewIndex(slices.Clone(log.Entries()))
	if err != nil {
		t.Error(err)
		return
	}
	held := revlog.OpenWithIndex(log.Files(), x, log.Stamp())
	defer held.Close()
	r.checkScan(held)
	for rev := range node.Rev(held.Len()) {
		a, err := held.Text(rev)
		b, _ := log.Text(rev)
		if err != nil || string(a) != string(b) {
			t.Errorf("%s:%d with a held index: %v", log.Display(), rev, err)
		}
	}
	again, stamp, appended, err := revlog.ReadTail(log.Files(), x)
	if err != nil || !appended || !stamp.Equal(log.Stamp()) || again.Len() != x.Len() {
		t.Errorf("%s: tail of an unchanged revlog: %d of %d, %v %v", log.Display(), again.Len(), x.Len(), appended, err)
	}
	if n := x.Len() / 2; n > 0 {
		half, err := revlog.NewIndex(x.Entries()[:n*revlog.EntrySize])
		if err != nil {
			t.Fatal(err)
		}
		again, _, appended, err := revlog.ReadTail(log.Files(), half)
		if err != nil || !appended || string(again.Entries()) != string(x.Entries()) {
			t.Errorf("%s: tail behind %d of %d: %v %v", log.Display(), n, x.Len(), appended, err)
		}
	}
}
