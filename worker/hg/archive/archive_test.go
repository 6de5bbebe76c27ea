// SPDX-License-Identifier: GPL-2.0-or-later

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

var members = []Member{
	{Name: "p/.hg_archival.txt", Data: []byte("repo: 0\n")},
	{Name: "p/" + strings.Repeat("long/", 40) + "x", Data: []byte("far\n"), Exec: true},
	{Name: "p/link", Data: []byte(strings.Repeat("target/", 30)), Link: true},
	{Name: "p/\u20ac", Data: bytes.Repeat([]byte("packs "), 5000)},
	{Name: "p/empty"},
}

// made is an archive of the members, and fails when it goes to the writer in
// any other way than from front to back.
func made(t *testing.T, kind string, seekable bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := New(kind, &out, 1500000001.5, seekable)
	for _, m := range members {
		if err := w.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOthersRead has another implementation read what is written; package hg
// compares the bytes with hg's.
func TestOthersRead(t *testing.T) {
	for _, kind := range []string{"tar", "tgz"} {
		var r io.Reader = bytes.NewReader(made(t, kind, false))
		if kind == "tgz" {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		a := tar.NewReader(r)
		for _, m := range members {
			h, err := a.Next()
			if err != nil {
				t.Fatal(kind, m.Name, err)
			}
			data, err := io.ReadAll(a)
			if m.Link {
				data = []byte(h.Linkname)
			}
			if err != nil || h.Name != m.Name || !bytes.Equal(data, m.Data) || h.ModTime.UnixMilli() != 1500000001500 {
				t.Errorf("%s: %+v %q %v", kind, h, data, err)
			}
		}
		if _, err := a.Next(); err != io.EOF {
			t.Error(kind, err)
		}
	}
	for _, kind := range []string{"zip", "uzip"} {
		for _, seekable := range []bool{false, true} {
			raw := made(t, kind, seekable)
			a, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
			if err != nil || len(a.File) != len(members) {
				t.Fatal(kind, err)
			}
			for i, f := range a.File {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				data, err := io.ReadAll(r)
				if err != nil || f.Name != members[i].Name || !bytes.Equal(data, members[i].Data) || f.Modified.Unix() != 1500000001 {
					t.Errorf("%s: %+v %q %v", kind, f.FileHeader, data, err)
				}
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, bad := range []error{
		Check("tar", 0, nil, MaxSize+1, true),
		Check("tar", 0, make([]string, MaxFiles+1), 0, true),
		Check("tgz", -1, nil, 0, true),
		Check("zip", 1<<31, nil, 0, true),
		Check("zip", 0, []string{"latin\xe9"}, 0, true),
		Check("tar", 0, []string{"\u20ac"}, 0, false),
	} {
		if !hgerr.IsUnsupported(bad) {
			t.Error(bad)
		}
	}
	if err := Check("tar", -1, []string{"latin\xe9", "plain"}, MaxSize, true); err != nil {
		t.Error(err)
	}
}
