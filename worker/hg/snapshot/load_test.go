// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// readFiles reads what a snapshot of the repository at dir is made from. With a
// previous snapshot only the new part of the changelog is read, where that can
// be done.
func readFiles(t testing.TB, dir string, prev *Snapshot) *Files {
	t.Helper()
	f := &Files{}
	s := filepath.Join(dir, ".hg/store")
	read := func(in Input, path string) []byte {
		data, stamp, err := store.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Stamps[in] = stamp
		return data
	}
	index := read(Changelog, s+"/00changelog.i")
	f.PhaseRoots = read(PhaseRoots, s+"/phaseroots")
	f.ObsStore = read(ObsStore, s+"/obsstore")
	f.Bookmarks = read(Bookmarks, filepath.Join(dir, ".hg/bookmarks"))
	var err error
	if prev != nil {
		x, stamp, appended, err := revlog.ReadTail(store.Open(s, store.Encoded).Changelog(), prev.Index())
		if err != nil {
			t.Fatal(err)
		}
		if known := prev.Markers(); known.Size() > 0 {
			base, _, _, _ := known.Tables()
			more, _, _, _ := known.MoreTables()
			if rest, ok := bytes.CutPrefix(f.ObsStore, slices.Concat(base, more)); ok {
				f.ObsStore, f.Appended = rest, true
			}
		}
		if appended {
			f.Index, f.Stamps[Changelog], f.Prior = x, stamp, prev.Len()
			return f
		}
		if f.Appended { // markers go by themselves
			f.Appended = false
			f.ObsStore, _, _ = store.ReadFile(s + "/obsstore")
		}
	}
	if f.Index, err = revlog.ParseIndex("00changelog", index); err != nil {
		t.Fatal(err)
	}
	return f
}

// openBytes opens an image's bytes as a snapshot.
func openBytes(t testing.TB, data []byte) *Snapshot {
	t.Helper()
	img, err := image.Open(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(img)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// load builds a snapshot of the repository at dir.
func load(t testing.TB, dir string, prev *Snapshot) *Snapshot {
	t.Helper()
	b, err := Build(readFiles(t, dir, prev), prev)
	if err != nil {
		t.Fatal(err)
	}
	return openBytes(t, b.Bytes())
}

// rebuilt is an image with the sections of s, but for those that change
// replaces or, with nil, drops.
func rebuilt(t testing.TB, s *Snapshot, change map[image.ID][]byte) []byte {
	t.Helper()
	b := image.NewBuilder(image.Store)
	for _, sec := range sections {
		data, replaced := change[sec.id]
		switch {
		case replaced && data != nil:
			b.Add(sec.id, data)
		case !replaced:
			b.AddFrom(s.img, sec.id)
		}
	}
	return b.Bytes()
}

// sameSections compares all sections but the optional ones.
func sameSections(t testing.TB, what string, got, want *Snapshot) {
	t.Helper()
	for _, sec := range sections {
		a, inA := got.img.Section(sec.id)
		b, inB := want.img.Section(sec.id)
		if !sec.optional && sec.id != secLineage && (inA != inB || !bytes.Equal(a, b)) {
			t.Errorf("%s: section %s differs", what, sec.name)
		}
	}
}

// run runs hg in a repository; it must succeed.
func run(t testing.TB, hg hgtest.Runner, dir string, args ...string) string {
	t.Helper()
	out, stderr, code, _, err := hg.Run(dir, args, hgtest.BaseEnv("HGUSER=test", "HGPLAIN=1"))
	if err != nil || code != 0 {
		t.Fatalf("hg %q: %d, %v, %s", args, code, err, stderr)
	}
	return string(out)
}
