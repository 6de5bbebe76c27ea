// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// FuzzLog reads whatever index and data there are: each text is there, or an
// exception of hg's, or left to hg.
func FuzzLog(f *testing.F) {
	entry := func(header, offset, length, base, p1 uint32, id byte) []byte {
		e := make([]byte, revlog.EntrySize)
		binary.BigEndian.PutUint32(e, header)
		binary.BigEndian.PutUint32(e[4:], offset<<16)
		for i, n := range []uint32{length, 2, base, 0, p1, ^uint32(0)} {
			binary.BigEndian.PutUint32(e[8+4*i:], n)
		}
		e[32] = id
		return e
	}
	f.Add(append(append(entry(1<<16|1<<17|1, 0, 3, 0, ^uint32(0), 1), "ua\n"...), append(entry(0, 3, 3, 0, 0, 2), "ub\n"...)...), []byte(nil))
	f.Add(append(entry(1, 0, 3, 0, ^uint32(0), 1), entry(0, 3, 14, 0, 0, 2)...), []byte("ua\n\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01b"))
	f.Add(make([]byte, 160), []byte("x\x9c\x03"))
	f.Fuzz(func(t *testing.T, index, data []byte) {
		dir := t.TempDir()
		files := store.Files{Dir: dir, Index: "a.i", Data: "a.d", Display: "data/a"}
		for name, content := range map[string][]byte{"a.i": index, "a.d": data} {
			if len(content) > 0 {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		known := func(err error) {
			var e *failure
			if err != nil && !errors.As(err, &e) && !hgerr.IsUnsupported(err) {
				t.Error(err)
			}
		}
		for _, o := range []Options{{}, {At72: true, Sparse: true}} {
			l, err := openLog(files, "data/a", o, true)
			known(err)
			if err != nil {
				continue
			}
			for range 2 {
				for rev := range node.Rev(l.n) {
					_, err := l.text(l.node(rev))
					known(err)
					_, err = l.added(rev)
					known(err)
					_, _, err = l.parents(l.node(rev))
					known(err)
					_, err = l.copySource(l.node(rev))
					known(err)
				}
			}
			_, _, err = l.checkSize()
			known(err)
			l.close()
		}
	})
}

func TestFullTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifestfulltextcache")
	var raw []byte
	for i := range 6 {
		id := node.ID{byte(i)}
		raw = append(raw, id[:]...)
		raw = append(raw, 0, 0, 0, 1, byte('a'+i))
	}
	if err := os.WriteFile(path, append(raw, "cut off"...), 0o666); err != nil {
		t.Fatal(err)
	}
	f := fullTexts{path: path}
	for i := range 6 {
		text, ok := f.find(node.ID{byte(i)})
		if ok != (i >= 2) || ok && string(text) != string(rune('a'+i)) {
			t.Errorf("%d: %q %t", i, text, ok)
		}
	}
	f.find(node.ID{2})
	f.add(node.ID{9}, []byte("new"))
	if _, ok := f.find(node.ID{3}); ok {
		t.Error("the least recent one is still there")
	}
	if _, ok := f.find(node.ID{2}); !ok {
		t.Error("one that was asked for is gone")
	}
}
