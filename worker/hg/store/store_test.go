// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

func TestStampTellsStates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	missing, err := StampOf(path)
	if err != nil || missing.Exists {
		t.Fatal(missing, err)
	}
	if below, err := StampOf(os.DevNull + "/x"); err != nil || below.Exists {
		t.Fatal(below, err)
	}
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, stamp, err := ReadFile(path)
	if err != nil || string(data) != "one" || stamp.Size != 3 || !stamp.Exists {
		t.Fatalf("%q %+v %v", data, stamp, err)
	}
	file := Stamped{path, stamp}
	if !file.Fresh() {
		t.Error("an unchanged file is stale")
	}
	// Replaced by a file of the same size.
	other := path + ".new"
	if err := os.WriteFile(other, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if file.Fresh() {
		t.Error("a replaced file is fresh")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if data, stamp, err := ReadFile(path); err != nil || data != nil || stamp.Exists {
		t.Errorf("missing file: %q %+v %v", data, stamp, err)
	}
}

func TestFnCache(t *testing.T) {
	got, err := ParseFnCache([]byte("data/b.i\ndata/x.i.hg/y.i\ndata/b.d\nmeta/t/00manifest.i\ndata/a.i\n"))
	if want := []string{"b", "x.i/y", "a"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
	for text, want := range map[string]string{
		"data/a.i":         "fncache does not ends with a newline",
		"data/a.i\n\nx\n":  "invalid entry in fncache, line 2",
		"\n":               "invalid entry in fncache, line 1",
		"data/a.i\ndata/b": "fncache does not ends with a newline",
	} {
		_, err := ParseFnCache([]byte(text))
		var abort *hgerr.Abort
		if !errors.As(err, &abort) || abort.Message != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseFnCache(f *testing.F) {
	f.Add([]byte("data/b.i\ndata/x.i.hg/y.i\ndata/b.d\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		paths, err := ParseFnCache(data)
		if err == nil && len(paths) > len(data) {
			t.Errorf("%d paths from %d bytes", len(paths), len(data))
		}
	})
}

// FuzzName checks what holds for every path: names stay short enough for the
// file system, and what is not hashed can be decoded.
func FuzzName(f *testing.F) {
	for _, s := range []string{"data/a.i", "data/A_B/aux.c.i", "data/.x/ y./con.i", "", "/", "data/", "data//a.i", "dat"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		for _, e := range []Encoding{FnCache, DotEncode} {
			e.Name(path)
			if name := e.Name("data/" + path + ".i"); len(name) > maxEncodedName {
				t.Errorf("name of %d bytes for %q", len(name), path)
			}
		}
		name := Encoded.Name(path)
		plain, ok := decodeName(name)
		if !ok || plain != EncodeDir(path) {
			t.Errorf("%q: %q decodes to %q, %v", path, name, plain, ok)
		}
	})
}
