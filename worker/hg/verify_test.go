// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// verifyCommands are run on every damaged repository.
var verifyCommands = []hgtest.Command{
	{Args: []string{"verify"}},
	{Args: []string{"verify", "-v"}},
	{Args: []string{"verify", "-q"}},
	{Args: []string{"verify", "--full"}},
	{Args: []string{"verify", "--debug"}},
	{Args: []string{"verify", "--full", "-v", "--config", "censor.policy=ignore"}},
}

// verifySite makes the repository that is damaged: files of one and of several
// revisions, one whose data has a file of its own, copies, a merge, a branch.
func verifySite(s *site) {
	s.write("a", "a\n", "dir/c", "c 1\n", "x y", "with a blank\n", "Cap", "capital\n", "big", noise(200<<10, 1))
	s.commit("zero")
	s.write("a", "a\na 2\n", "dir/c", "c 1\nc 2\n", "long", strings.Repeat("a line that can be packed\n", 40))
	s.commit("one")
	s.hg("copy", "-q", "a", "b")
	s.write("a", "a\na 2\na 3\n", "long", strings.Repeat("a line that can be packed\n", 60))
	s.commit("two")
	s.write("dir/c", "c 1\nc 2\nc 3\n", "big", noise(200<<10, 2))
	s.commit("three")
	s.hg("update", "-q", "1")
	s.hg("branch", "-q", "other")
	s.write("e", "e\n", "a", "a\na 2\nside\n")
	s.commit("four")
	s.hg("merge", "-q", "--tool", ":local", "-r", "3")
	s.commit("five")
	s.write("a", "a\na 2\nside\nlast\n", "f", "f\n")
	s.hg("rename", "-q", "e", "g")
	s.commit("six")
}

// noise is text that does not pack well.
func noise(size int, seed uint32) string {
	b := make([]byte, size)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = ' ' + byte(seed>>24)%90
		if i%60 == 59 {
			b[i] = '\n'
		}
	}
	return string(b)
}

// wreck is a repository that is being damaged.
type wreck struct {
	t   *testing.T
	dir string
}

func (w *wreck) path(name string) string { return filepath.Join(w.dir, ".hg", name) }

func (w *wreck) read(name string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *wreck) write(name string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), b, 0o666); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wreck) remove(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.Remove(w.path(name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// edit changes a file's bytes.
func (w *wreck) edit(name string, fn func(b []byte) []byte) { w.write(name, fn(w.read(name))) }

// replace changes one text in a file.
func (w *wreck) replace(name, old, new string) {
	w.t.Helper()
	w.edit(name, func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			w.t.Fatalf("%s does not have %q", name, old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	})
}

// entry finds where the entry of a revision lies in an index.
func (w *wreck) entry(index []byte, rev int) int {
	w.t.Helper()
	pos := 0
	for range rev {
		step := revlog.EntrySize
		if binary.BigEndian.Uint32(index)&revlog.FlagInline != 0 {
			step += int(binary.BigEndian.Uint32(index[pos+8:]))
		}
		if pos += step; pos >= len(index) {
			w.t.Fatalf("no revision %d", rev)
		}
	}
	return pos
}

// Fields of an index entry.
const (
	fieldFlags  = 4 // with two bytes of the offset
	fieldLength = 8
	fieldSize   = 12
	fieldBase   = 16
	fieldLink   = 20
	fieldP1     = 24
	fieldP2     = 28
)

// set writes a field of an index entry.
func (w *wreck) set(name string, rev, field int, value int32) {
	w.edit(name, func(b []byte) []byte {
		binary.BigEndian.PutUint32(b[w.entry(b, rev)+field:], uint32(value))
		return b
	})
}

// setNode changes the node of a revision.
func (w *wreck) setNode(name string, rev int, hexNode string) {
	w.edit(name, func(b []byte) []byte {
		id, err := hex.DecodeString(hexNode)
		if err != nil {
			w.t.Fatal(err)
		}
		copy(b[w.entry(b, rev)+32:], id)
		return b
	})
}

// chunk changes the bytes of a chunk of an inline revlog without moving others.
func (w *wreck) chunk(name string, rev int, fn func(c []byte)) {
	w.edit(name, func(b []byte) []byte {
		at := w.entry(b, rev)
		n := int(binary.BigEndian.Uint32(b[at+fieldLength:]))
		fn(b[at+revlog.EntrySize:][:n])
		return b
	})
}

// cut takes bytes off the end of a file.
func (w *wreck) cut(name string, n int) {
	w.edit(name, func(b []byte) []byte { return b[:max(0, len(b)-n)] })
}

// revision is one of a revlog that is made by hand.
type revision struct {
	text   string
	p1, p2 int // NullRev for none, as in the index
	link   int
	base   int    // -2: whole
	chunk  string // instead of the text, with its compression byte
	node   string // 40 digits, instead of the right one
	flags  uint16
}

// whole is a revision that is stored as it is.
func whole(text string, p1, link int) revision {
	return revision{text: text, p1: p1, p2: -1, link: link, base: -2}
}

// craft writes an inline revlog, and returns the nodes.
func (w *wreck) craft(name string, revs ...revision) []node.ID {
	w.t.Helper()
	var ids []node.ID
	var out []byte
	offset := uint64(0)
	at := func(rev int) node.ID {
		if rev >= 0 && rev < len(ids) {
			return ids[rev]
		}
		return node.Null
	}
	for i, r := range revs {
		chunk := r.chunk
		if chunk == "" && r.text != "" {
			chunk = "u" + r.text
		}
		id := revlog.HashText(at(r.p1), at(r.p2), []byte(r.text))
		if r.node != "" {
			id, _ = node.FromHex(r.node)
		}
		ids = append(ids, id)
		base := r.base
		if base == -2 {
			base = i
		}
		e := make([]byte, revlog.EntrySize)
		binary.BigEndian.PutUint64(e, offset<<16|uint64(r.flags))
		if i == 0 {
			binary.BigEndian.PutUint32(e, revlog.FlagInline|revlog.FlagGeneralDelta|1)
		}
		for k, n := range []int{len(chunk), len(r.text), base, r.link, r.p1, r.p2} {
			binary.BigEndian.PutUint32(e[fieldLength+4*k:], uint32(int32(n)))
		}
		copy(e[32:], id[:])
		out = append(append(out, e...), chunk...)
		offset += uint64(len(chunk))
	}
	w.write(name, out)
	return ids
}

// fresh makes the store one changeset with one file, all of them by hand; what
// comes after may craft parts of it again. The working directory has no parent.
func (w *wreck) fresh() (file, manifest node.ID) {
	w.remove("dirstate")
	for _, old := range []string{"store/data", "wcache", "cache"} {
		if err := os.RemoveAll(w.path(old)); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, old := range []string{"store/00changelog.d", "store/00manifest.d", "store/phaseroots"} {
		os.Remove(w.path(old))
	}
	if err := os.Mkdir(w.path("store/data"), 0o777); err != nil {
		w.t.Fatal(err)
	}
	w.write("store/fncache", []byte("data/a.i\n"))
	file = w.craft("store/data/a.i", whole("a\n", -1, 0))[0]
	manifest = w.craft("store/00manifest.i", whole("a\x00"+file.Hex()+"\n", -1, 0))[0]
	w.changeset(manifest, "a")
	return file, manifest
}

// changeset crafts a changelog of one changeset.
func (w *wreck) changeset(manifest node.ID, files ...string) {
	w.craft("store/00changelog.i", whole(changesetText(manifest.Hex(), files...), -1, 0))
}

func changesetText(manifest string, files ...string) string {
	return manifest + "\nAda\n1500000000 0\n" + strings.Join(files, "\n") + "\n\nmade by hand"
}

// wrecks are the damages, by name.
var wrecks = []struct {
	name string
	do   func(w *wreck)
}{
	{"sound", func(*wreck) {}},
	{"sound, by hand", func(w *wreck) { w.fresh() }},

	// Files that are missing, empty, too many.
	{"changelog missing", func(w *wreck) { w.removeLog("store/00changelog"); w.remove("dirstate") }},
	{"changelog empty", func(w *wreck) {
		w.removeLog("store/00changelog")
		w.write("store/00changelog.i", nil)
		w.remove("dirstate")
	}},
	{"manifest missing", func(w *wreck) { w.removeLog("store/00manifest") }},
	{"manifest empty", func(w *wreck) { w.removeLog("store/00manifest"); w.write("store/00manifest.i", nil) }},
	{"changelog and manifest missing", func(w *wreck) {
		w.removeLog("store/00changelog")
		w.removeLog("store/00manifest")
		w.remove("dirstate")
	}},
	{"filelog missing", func(w *wreck) { w.remove("store/data/a.i") }},
	{"filelog empty", func(w *wreck) { w.write("store/data/a.i", nil) }},
	{"filelog with data missing", func(w *wreck) { w.remove("store/data/big.i", "store/data/big.d") }},
	{"filelog index missing", func(w *wreck) { w.remove("store/data/big.i") }},
	{"filelog data missing", func(w *wreck) { w.remove("store/data/big.d") }},
	{"filelog data empty", func(w *wreck) { w.write("store/data/big.d", nil) }},
	{"all filelogs missing", func(w *wreck) {
		if err := os.RemoveAll(w.path("store/data")); err != nil {
			w.t.Fatal(err)
		}
	}},
	{"copy source missing", func(w *wreck) {
		w.fresh()
		w.copyOf("b", "a", strings.Repeat("12", 20))
		w.remove("store/data/a.i")
	}},
	{"orphan in the fncache", func(w *wreck) {
		w.write("store/data/orphan.i", w.read("store/data/a.i"))
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "data/orphan.i\ndata/zz.i\n"...) })
	}},
	{"orphan beside the fncache", func(w *wreck) { w.write("store/data/orphan.i", w.read("store/data/a.i")) }},
	{"orphan that is empty", func(w *wreck) {
		w.write("store/data/orphan.i", nil)
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "data/orphan.i\n"...) })
	}},

	// The fncache.
	{"fncache missing", func(w *wreck) { w.remove("store/fncache") }},
	{"fncache empty", func(w *wreck) { w.write("store/fncache", nil) }},
	{"fncache without a name", func(w *wreck) { w.replace("store/fncache", "data/a.i\n", "") }},
	{"fncache without a data file", func(w *wreck) { w.replace("store/fncache", "data/big.d\n", "") }},
	{"fncache without an index", func(w *wreck) { w.replace("store/fncache", "data/big.i\n", "") }},
	{"fncache without its last newline", func(w *wreck) { w.cut("store/fncache", 1) }},
	{"fncache with an empty line", func(w *wreck) { w.replace("store/fncache", "data/a.i\n", "\ndata/a.i\n") }},
	{"fncache with another name", func(w *wreck) {
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "data/what\n"...) })
	}},
	{"fncache with a name elsewhere", func(w *wreck) {
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "dxta/what.i\n"...) })
	}},
	{"fncache with a name of a directory's manifest", func(w *wreck) {
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "meta/dir/00manifest.i\n"...) })
	}},
	{"fncache with a name of a nodemap", func(w *wreck) {
		w.edit("store/fncache", func(b []byte) []byte { return append(b, "data/a.n\n"...) })
	}},

	// Sizes.
	{"data file cut", func(w *wreck) { w.cut("store/data/big.d", 1000) }},
	{"data file longer", func(w *wreck) { w.edit("store/data/big.d", func(b []byte) []byte { return append(b, "more"...) }) }},
	{"data file cut in the first chunk", func(w *wreck) { w.edit("store/data/big.d", func(b []byte) []byte { return b[:70000] }) }},
	{"index cut", func(w *wreck) { w.cut("store/data/big.i", 10) }},
	{"index cut by an entry", func(w *wreck) { w.cut("store/data/big.i", 64) }},
	{"inline filelog cut", func(w *wreck) { w.cut("store/data/a.i", 2) }},
	{"inline filelog longer", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { return append(b, 0) }) }},
	{"filelog of three bytes", func(w *wreck) { w.write("store/data/a.i", []byte("\x00\x03\x00")) }},
	{"filelog of ten bytes", func(w *wreck) { w.write("store/data/a.i", []byte("\x00\x03\x00\x01123456")) }},
	{"manifest cut", func(w *wreck) { w.cut("store/00manifest.i", 3) }},
	{"changelog cut", func(w *wreck) { w.cut("store/00changelog.i", 3) }},
	{"changelog data cut", func(w *wreck) { w.split("store/00changelog"); w.cut("store/00changelog.d", 20) }},
	{"changelog data missing", func(w *wreck) { w.split("store/00changelog"); w.remove("store/00changelog.d") }},
	{"manifest data cut", func(w *wreck) { w.split("store/00manifest"); w.cut("store/00manifest.d", 20) }},
	{"manifest data missing", func(w *wreck) { w.split("store/00manifest"); w.remove("store/00manifest.d") }},
	{"chain in a data file cut", func(w *wreck) { w.split("store/data/a"); w.cut("store/data/a.d", 5) }},
	{"inline filelog with a data file", func(w *wreck) { w.write("store/data/a.d", []byte("what")) }},

	// Headers.
	{"filelog of version 9", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { b[3] = 9; return b }) }},
	{"filelog of version 0", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { b[3] = 0; return b }) }},
	{"filelog of zeros", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { return make([]byte, len(b)) }) }},
	{"filelog of a few zeros", func(w *wreck) { w.write("store/data/a.i", make([]byte, 70)) }},
	{"filelog of zeros with its data", func(w *wreck) { w.edit("store/data/big.i", func(b []byte) []byte { return make([]byte, len(b)) }) }},
	{"filelog and data of zeros", func(w *wreck) {
		for _, name := range []string{"store/data/big.i", "store/data/big.d"} {
			w.edit(name, func(b []byte) []byte { return make([]byte, len(b)) })
		}
	}},
	{"filelog that begins with zeros", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { clear(b[:100]); return b }) }},
	{"manifest of zeros", func(w *wreck) {
		w.split("store/00manifest")
		w.edit("store/00manifest.i", func(b []byte) []byte { return make([]byte, len(b)) })
	}},
	{"old filelog", func(w *wreck) {
		f, m := w.fresh()
		var index, data []byte
		second := revlog.HashText(f, node.Null, []byte("b\n"))
		for i, id := range []node.ID{f, second, {7}} {
			e := make([]byte, 56, 76)
			for k, n := range []int{len(data), 3, i, 0} {
				binary.BigEndian.PutUint32(e[4*k:], uint32(n))
			}
			if i > 0 {
				copy(e[16:], f[:])
			}
			index = append(append(index, e...), id[:]...)
			data = append(data, "u"+string(rune('a'+i))+"\n"...)
		}
		w.write("store/data/a.i", index)
		w.write("store/data/a.d", data)
		w.write("store/fncache", []byte("data/a.i\ndata/a.d\n"))
		w.changeset(m, "a")
	}},
	{"filelog with a flag", func(w *wreck) { w.edit("store/data/a.i", func(b []byte) []byte { b[0] = 0x40; return b }) }},
	{"manifest of version 9", func(w *wreck) { w.edit("store/00manifest.i", func(b []byte) []byte { b[3] = 9; return b }) }},

	// Texts.
	{"file text changed", func(w *wreck) { w.chunk("store/data/a.i", 0, func(c []byte) { c[1] ^= 1 }) }},
	{"file delta changed", func(w *wreck) { w.deltas("\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x01x") }},
	{"file delta out of range", func(w *wreck) { w.deltas("\x00\x00\x00\x32\x00\x00\x00\x33\x00\x00\x00\x01x") }},
	{"file delta undecodable", func(w *wreck) { w.deltas("\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x09x") }},
	{"file delta backwards", func(w *wreck) { w.deltas("\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01x") }},
	{"file delta of two hunks in disorder", func(w *wreck) {
		w.deltas("\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01y")
	}},
	{"file of unknown compression", func(w *wreck) { w.chunk("store/data/a.i", 0, func(c []byte) { c[0] = 'Q' }) }},
	{"packed text changed", func(w *wreck) { w.chunk("store/data/long.i", 0, func(c []byte) { c[len(c)/2] ^= 0x55 }) }},
	{"packed text without its magic", func(w *wreck) { w.chunk("store/data/long.i", 0, func(c []byte) { c[1] ^= 0xff }) }},
	{"packed text without its sum", func(w *wreck) { w.chunk("store/data/long.i", 0, func(c []byte) { c[len(c)-1] ^= 1 }) }},
	{"data file changed", func(w *wreck) { w.edit("store/data/big.d", func(b []byte) []byte { b[60000] ^= 1; return b }) }},
	{"changeset changed", func(w *wreck) { w.chunk("store/00changelog.i", 2, func(c []byte) { c[len(c)-1] ^= 1 }) }},
	{"manifest delta changed", func(w *wreck) { w.chunk("store/00manifest.i", 1, func(c []byte) { c[len(c)-6] ^= 0x40 }) }},
	{"raw size wrong", func(w *wreck) { w.set("store/data/a.i", 1, fieldSize, 77) }},
	{"raw size not told", func(w *wreck) { w.set("store/data/a.i", 1, fieldSize, -1) }},

	// Entries.
	{"file linkrev nonexistent", func(w *wreck) { w.set("store/data/a.i", 1, fieldLink, 999) }},
	{"file linkrev negative", func(w *wreck) { w.set("store/data/a.i", 1, fieldLink, -1) }},
	{"file linkrev of another changeset", func(w *wreck) { w.set("store/data/f.i", 0, fieldLink, 2) }},
	{"file linkrev unexpected among several", func(w *wreck) { w.set("store/data/a.i", 1, fieldLink, 3) }},
	{"manifest linkrev unexpected", func(w *wreck) { w.set("store/00manifest.i", 1, fieldLink, 3) }},
	{"manifest linkrev nonexistent", func(w *wreck) { w.set("store/00manifest.i", 2, fieldLink, 99) }},
	{"changelog linkrev wrong", func(w *wreck) { w.set("store/00changelog.i", 1, fieldLink, 5) }},
	{"file parent wrong", func(w *wreck) { w.set("store/data/a.i", 2, fieldP1, 0) }},
	{"file parent out of range", func(w *wreck) { w.set("store/data/a.i", 2, fieldP1, 77) }},
	{"file parent of the future", func(w *wreck) { w.set("store/data/a.i", 1, fieldP1, 2) }},
	{"file second parent of the future", func(w *wreck) { w.set("store/data/a.i", 1, fieldP2, 3) }},
	{"manifest parent of the future", func(w *wreck) { w.set("store/00manifest.i", 1, fieldP1, 3) }},
	{"delta base above", func(w *wreck) { w.set("store/data/a.i", 1, fieldBase, 3) }},
	{"delta base out of range", func(w *wreck) { w.set("store/data/a.i", 1, fieldBase, -7) }},
	{"delta base null", func(w *wreck) { w.set("store/data/a.i", 1, fieldBase, -1) }},
	{"manifest delta base above", func(w *wreck) { w.set("store/00manifest.i", 2, fieldBase, 5) }},
	{"file flag unknown", func(w *wreck) { w.flag("store/data/a.i", 1, 0x0001) }},
	{"file flag ellipsis", func(w *wreck) { w.flag("store/data/a.i", 1, 0x4000) }},
	{"file flag external", func(w *wreck) { w.flag("store/data/a.i", 1, 0x2000) }},
	{"file flag neutral", func(w *wreck) { w.flag("store/data/a.i", 1, 0x1000) }},
	{"manifest flag unknown", func(w *wreck) { w.flag("store/00manifest.i", 1, 0x0001) }},
	{"file node wrong", func(w *wreck) { w.setNode("store/data/a.i", 1, strings.Repeat("12", 20)) }},
	{"file node twice", func(w *wreck) {
		w.edit("store/data/a.i", func(b []byte) []byte {
			copy(b[w.entry(b, 3)+32:][:20], b[w.entry(b, 1)+32:])
			return b
		})
	}},
	{"manifest node wrong", func(w *wreck) { w.setNode("store/00manifest.i", 1, strings.Repeat("12", 20)) }},
	{"manifest node twice", func(w *wreck) {
		w.edit("store/00manifest.i", func(b []byte) []byte {
			copy(b[w.entry(b, 3)+32:][:20], b[w.entry(b, 1)+32:])
			return b
		})
	}},
	{"changelog node wrong", func(w *wreck) { w.setNode("store/00changelog.i", 1, strings.Repeat("12", 20)) }},
	{"file revision twice", func(w *wreck) {
		w.fresh()
		w.craft("store/data/a.i", whole("a\n", -1, 0), whole("a\n", -1, 0))
	}},
	{"file revision that nobody names", func(w *wreck) {
		w.fresh()
		w.craft("store/data/a.i", whole("a\n", -1, 0), whole("b\n", 0, 0))
	}},
	{"file revisions many times", func(w *wreck) {
		w.fresh()
		var revs []revision
		for i := range 12 {
			revs = append(revs, whole(fmt.Sprintf("%d\n", i%5), -1, i%2))
		}
		w.craft("store/data/a.i", revs...)
	}},

	// Changesets and manifests that hash well but do not fit.
	{"file in changeset but not in manifest", func(w *wreck) { _, m := w.fresh(); w.changeset(m, "a", "zz") }},
	{"file in manifest but not in changeset", func(w *wreck) { _, m := w.fresh(); w.changeset(m) }},
	{"file in manifest but not in changeset, nor in the store", func(w *wreck) {
		_, m := w.fresh()
		w.changeset(m)
		w.remove("store/data/a.i")
		w.write("store/fncache", nil)
	}},
	{"manifest names a revision that is not there", func(w *wreck) {
		w.fresh()
		m := w.craft("store/00manifest.i", whole("a\x00"+strings.Repeat("ab", 20)+"\n", -1, 0))
		w.changeset(m[0], "a")
	}},
	{"manifest names files that are not there", func(w *wreck) {
		f, _ := w.fresh()
		m := w.craft("store/00manifest.i", whole("a\x00"+f.Hex()+"\nb\x00"+f.Hex()+"\nc\x00"+f.Hex()+"x\n", -1, 0))
		w.changeset(m[0], "a", "b", "c")
	}},
	{"changeset names a manifest that is not there", func(w *wreck) {
		w.fresh()
		w.craft("store/00changelog.i", whole(changesetText(strings.Repeat("cd", 20), "a"), -1, 0))
	}},
	{"changesets name manifests that are not there", func(w *wreck) {
		_, m := w.fresh()
		w.craft("store/00changelog.i", whole(changesetText(m.Hex(), "a"), -1, 0),
			whole(changesetText(strings.Repeat("cd", 20), "a"), 0, 1), whole(changesetText(strings.Repeat("ab", 20), "b"), 1, 2),
			whole(changesetText(strings.Repeat("cd", 20)), 2, 3))
	}},
	{"manifest that no changeset names", func(w *wreck) {
		f, m := w.fresh()
		w.craft("store/00manifest.i", whole("a\x00"+f.Hex()+"\n", -1, 0), whole("a\x00"+f.Hex()+"x\n", 0, 1))
		w.changeset(m, "a")
	}},
	{"changeset without a manifest", func(w *wreck) { w.fresh(); w.changeset(node.Null, "a") }},
	{"changeset of no lines", func(w *wreck) { w.fresh(); w.craft("store/00changelog.i", whole("nothing", -1, 0)) }},
	{"changeset of odd digits", func(w *wreck) {
		w.fresh()
		w.craft("store/00changelog.i", whole(changesetText("abc", "a"), -1, 0))
	}},
	{"changeset of no digits", func(w *wreck) {
		w.fresh()
		w.craft("store/00changelog.i", whole(changesetText("wxyz", "a"), -1, 0))
	}},
	{"changeset of a short manifest", func(w *wreck) {
		w.fresh()
		w.craft("store/00changelog.i", whole(changesetText("abcdef", "a"), -1, 0))
	}},
	{"changeset of no date", func(w *wreck) {
		_, m := w.fresh()
		w.craft("store/00changelog.i", whole(m.Hex()+"\nAda\nnever 0\na\n\nx", -1, 0))
	}},
	{"changeset of no time zone", func(w *wreck) {
		_, m := w.fresh()
		w.craft("store/00changelog.i", whole(m.Hex()+"\nAda\n15\na\n\nx", -1, 0))
	}},
	{"changeset of a wrong extra", func(w *wreck) {
		_, m := w.fresh()
		w.craft("store/00changelog.i", whole(m.Hex()+"\nAda\n15 0 nothing\na\n\nx", -1, 0))
	}},
	{"changeset that is empty", func(w *wreck) { w.fresh(); w.craft("store/00changelog.i", whole("", -1, 0)) }},
	{"changeset with slashes", func(w *wreck) { _, m := w.fresh(); w.changeset(m, "a", "d//e") }},
	{"manifest without its newline", func(w *wreck) { w.manifest("a\x00%s") }},
	{"manifest with a short line", func(w *wreck) { w.manifest("a\x00%s\nb\n") }},
	{"manifest with a line that is too short", func(w *wreck) { w.manifest("a\x00%s\n" + strings.Repeat("b", 50) + "\n") }},
	{"manifest with an empty name", func(w *wreck) { w.manifest("\x00%s\n") }},
	{"manifest in disorder", func(w *wreck) { w.manifest("b\x00%s\na\x00%[1]s\n") }},
	{"manifest with a name twice", func(w *wreck) { w.manifest("a\x00%s\na\x00%[1]s\n") }},
	{"manifest with a long node", func(w *wreck) { w.manifest("a\x00%s\nb\x00%[1]s12\n") }},
	{"manifest with other digits", func(w *wreck) { w.manifest("a\x00%s\nb\x00" + strings.Repeat("zy", 20) + "\n") }},
	{"manifest with an odd flag", func(w *wreck) { w.manifest("a\x00%s\nb\x00%[1]sq\n") }},
	{"manifest with a directory", func(w *wreck) { w.manifest("a\x00%s\nb\x00%[1]st\n") }},
	{"manifest with /dev/null", func(w *wreck) { w.manifest("/dev/null\x00%s\na\x00%[1]s\n") }},
	{"manifest with slashes", func(w *wreck) { w.manifest("a\x00%s\nd//e\x00%[1]s\n") }},
	{"manifest that is empty", func(w *wreck) { w.manifest("") }},
	{"manifest delta that is short", func(w *wreck) {
		f, m := w.fresh()
		w.craft("store/00manifest.i", whole("a\x00"+f.Hex()+"\n", -1, 0),
			revision{text: "a", p1: 0, p2: -1, link: 0, base: 0, chunk: "u\x00\x00\x00"})
		w.changeset(m, "a")
	}},
	{"manifest delta that is wrong", func(w *wreck) {
		f, m := w.fresh()
		w.craft("store/00manifest.i", whole("a\x00"+f.Hex()+"\n", -1, 0),
			revision{text: "a", p1: 0, p2: -1, link: 0, base: 0, chunk: "\x00\x00\x00\x09\x00\x00\x00\x05\x00\x00\x00\x00"},
			revision{text: "b", p1: 1, p2: -1, link: 0, base: 1, chunk: "\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00"})
		w.changeset(m, "a")
	}},

	// Copies.
	{"copy of a revision that is not there", func(w *wreck) { w.fresh(); w.copyOf("b", "a", strings.Repeat("12", 20)) }},
	{"copy of a file that is not there", func(w *wreck) { w.fresh(); w.copyOf("b", "none", strings.Repeat("12", 20)) }},
	{"copy of nothing", func(w *wreck) { w.fresh(); w.copyOf("b", "a", strings.Repeat("00", 20)) }},
	{"copy of odd digits", func(w *wreck) { w.fresh(); w.copyOf("b", "a", "123") }},
	{"copy of a file that is not in the parents", func(w *wreck) { f, _ := w.fresh(); w.copyOf("b", "a", f.Hex()) }},
	{"copy of a damaged file", func(w *wreck) {
		w.fresh()
		w.copyOf("b", "a", strings.Repeat("12", 20))
		w.write("store/data/a.i", []byte("\x00\x03\x00\x01123456"))
	}},
	{"metadata that does not end", func(w *wreck) { w.fresh(); w.file("b", "\x01\ncopy: a\n") }},
	{"metadata without values", func(w *wreck) { w.fresh(); w.file("b", "\x01\ncopy\n\x01\nb\n") }},
	{"half a copy", func(w *wreck) { w.fresh(); w.file("b", "\x01\ncopy: a\n\x01\nb\n") }},

	// Censored revisions.
	{"censored revision", func(w *wreck) {
		w.fresh()
		w.file("b", "b\n")
		w.craft("store/data/b.i", revision{text: "\x01\ncensored: it was secret\n\x01\n", p1: -1, p2: -1, base: -2,
			node: revlog.HashText(node.Null, node.Null, []byte("b\n")).Hex(), flags: revlog.FlagCensored})
	}},
	{"tombstone without the flag", func(w *wreck) {
		w.fresh()
		w.file("b", "b\n")
		w.craft("store/data/b.i", revision{text: "\x01\ncensored: \n\x01\n", p1: -1, p2: -1, base: -2,
			node: revlog.HashText(node.Null, node.Null, []byte("b\n")).Hex()})
	}},
	{"tombstone that does not end", func(w *wreck) {
		w.fresh()
		w.file("b", "b\n")
		w.craft("store/data/b.i", revision{text: "\x01\ncensored", p1: -1, p2: -1, base: -2,
			node: revlog.HashText(node.Null, node.Null, []byte("b\n")).Hex(), flags: revlog.FlagCensored})
	}},

	// Beside the store's logs.
	{"abandoned transaction", func(w *wreck) { w.write("store/journal", []byte("00changelog.i\x000\n")) }},
	{"abandoned transaction and damage", func(w *wreck) {
		w.write("store/journal", nil)
		w.chunk("store/data/a.i", 0, func(c []byte) { c[1] ^= 1 })
	}},
	{"dirstate without a file", func(w *wreck) { w.dirstate(func(name string) bool { return name != "dir/c" }) }},
	{"dirstate without files", func(w *wreck) { w.dirstate(func(string) bool { return false }) }},
	{"dirstate with other names", func(w *wreck) { w.replace("dirstate", "dir/c", "dir/Z"); w.replace("dirstate", "Cap", "Bap") }},
	{"dirstate with an added file that is there", func(w *wreck) {
		w.edit("dirstate", func(b []byte) []byte {
			i := bytes.Index(b, []byte("\x00\x00\x00\x05dir/c"))
			copy(b[i-13:], "a\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")
			return b
		})
	}},
	{"dirstate with a merged file that is not there", func(w *wreck) {
		w.edit("dirstate", func(b []byte) []byte {
			return append(b, "m\x00\x00\x81\xa4\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x04gone"...)
		})
	}},
	{"several things", func(w *wreck) {
		w.chunk("store/data/a.i", 0, func(c []byte) { c[1] ^= 1 })
		w.set("store/data/f.i", 0, fieldLink, 2)
		w.replace("store/fncache", "data/b.i\n", "")
		w.remove("store/data/e.i")
		w.set("store/00manifest.i", 1, fieldLink, 3)
	}},
}

// removeLog removes a revlog.
func (w *wreck) removeLog(radix string) {
	w.remove(radix + ".i")
	os.Remove(w.path(radix + ".d"))
}

// flag sets flags of a revision.
func (w *wreck) flag(name string, rev int, flags uint16) {
	w.edit(name, func(b []byte) []byte {
		binary.BigEndian.PutUint16(b[w.entry(b, rev)+6:], flags)
		return b
	})
}

// split moves the chunks of an inline revlog to a file of their own.
func (w *wreck) split(radix string) {
	raw := w.read(radix + ".i")
	if binary.BigEndian.Uint32(raw)&revlog.FlagInline == 0 {
		return
	}
	var index, data []byte
	for rev, pos := 0, 0; pos < len(raw); rev++ {
		n := int(binary.BigEndian.Uint32(raw[pos+fieldLength:]))
		index = append(index, raw[pos:pos+revlog.EntrySize]...)
		data = append(data, raw[pos+revlog.EntrySize:][:n]...)
		pos += revlog.EntrySize + n
	}
	index[1] &^= 1
	w.write(radix+".i", index)
	w.write(radix+".d", data)
	if name, ok := strings.CutPrefix(radix, "store/"); ok && strings.HasPrefix(name, "data/") {
		w.edit("store/fncache", func(b []byte) []byte { return append(b, name+".d\n"...) })
	}
}

// manifest crafts one of a pattern that gets the file's node.
func (w *wreck) manifest(format string) {
	f, _ := w.fresh()
	text := format
	if strings.Contains(format, "%") {
		text = fmt.Sprintf(format, f.Hex())
	}
	m := w.craft("store/00manifest.i", whole(text, -1, 0))
	w.changeset(m[0], "a")
}

// file adds a file to the one that fresh made.
func (w *wreck) file(name, text string) {
	f := revlog.HashText(node.Null, node.Null, []byte("a\n"))
	b := w.craft("store/data/"+name+".i", whole(text, -1, 0))[0]
	w.edit("store/fncache", func(b []byte) []byte { return append(b, "data/"+name+".i\n"...) })
	m := w.craft("store/00manifest.i", whole("a\x00"+f.Hex()+"\n"+name+"\x00"+b.Hex()+"\n", -1, 0))
	w.changeset(m[0], "a", name)
}

// copyOf adds a copy.
func (w *wreck) copyOf(name, source, sourceNode string) {
	w.file(name, "\x01\ncopy: "+source+"\ncopyrev: "+sourceNode+"\n\x01\ncopied\n")
}

// dirstate leaves those entries in that keep wants.
func (w *wreck) dirstate(keep func(name string) bool) {
	w.edit("dirstate", func(b []byte) []byte {
		out := slices.Clone(b[:40])
		for pos := 40; pos < len(b); {
			end := pos + 17 + int(binary.BigEndian.Uint32(b[pos+13:]))
			if keep(string(b[pos+17 : end])) {
				out = append(out, b[pos:end]...)
			}
			pos = end
		}
		return out
	})
}

// deltas makes a file of six revisions, of which the third is a delta that is
// wrong.
func (w *wreck) deltas(wrong string) {
	f, m := w.fresh()
	good := func(k byte) string {
		return "\x00\x00\x00" + string(k) + "\x00\x00\x00" + string(k+1) + "\x00\x00\x00\x02" + string('a'+k) + "\n"
	}
	revs := []revision{whole("a\n", -1, 0), whole("0123456789\n", 0, 0)}
	for i, chunk := range []string{wrong, good(1), good(2), good(0)} {
		revs = append(revs, revision{text: fmt.Sprint(i), p1: i + 1, p2: -1, base: i + 1, chunk: chunk})
	}
	if w.craft("store/data/a.i", revs...)[0] != f {
		w.t.Fatal("another file")
	}
	w.changeset(m, "a")
}

// verifyBase makes a repository with an hg, whose chunks are packed in a way.
func verifyBase(t *testing.T, version hgtest.Version, compression string) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "base")
	if err := os.Mkdir(base, 0o777); err != nil {
		t.Fatal(err)
	}
	s := &site{hgtest.NewShell(t, version.Path, base), t}
	s.hg("init", "-q", "--config", "format.revlog-compression="+compression)
	verifySite(s)
	return base
}

// copyTo copies a repository into a new directory.
func copyTo(t *testing.T, base string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	if out, err := exec.Command("cp", "-a", base, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return dir
}

// TestVerifyDamage compares verify on repositories that are damaged in known
// ways with each real hg.
func TestVerifyDamage(t *testing.T) {
	if len(wrecks) < 40 {
		t.Fatal("too few damages")
	}
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			inst := Installation{Path: version.Path, Version: version.Number}
			real := hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)}
			y := hgtest.NewTally(t)
			for _, compression := range []string{"zstd", "zlib"} {
				base := verifyBase(t, version, compression)
				for _, damage := range wrecks {
					if compression == "zlib" && !strings.HasPrefix(damage.name, "packed") {
						continue
					}
					t.Run(compression+"/"+strings.ReplaceAll(damage.name, " ", "-"), func(t *testing.T) {
						dir := copyTo(t, base)
						damage.do(&wreck{t, dir})
						hgtest.Compare(t, y, dir, verifyCommands, engineRunner("cold", inst, true), real)
					})
				}
			}
		})
	}
}

// TestVerifyRandomDamage does the same with damages that are drawn by lot.
//
//	HGBROKER_VERIFY_DAMAGE    how many for each version of hg (40)
func TestVerifyRandomDamage(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			inst := Installation{Path: version.Path, Version: version.Number}
			real := hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)}
			y := hgtest.NewTally(t)
			rng := rand.New(rand.NewPCG(uint64(number(t, "HGBROKER_SEED", 1)), 7))
			base := verifyBase(t, version, "zlib")
			for i := range number(t, "HGBROKER_VERIFY_DAMAGE", 40) {
				dir := copyTo(t, base)
				files := metadataFiles(t, dir)
				path := files[rng.IntN(len(files))]
				if !strings.Contains(path, "/store/") || strings.HasSuffix(path, "/requires") {
					continue
				}
				good, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				m := mutations[rng.IntN(len(mutations))]
				if err := os.WriteFile(path, m.to(rng, good), 0o666); err != nil {
					t.Fatal(err)
				}
				t.Run(fmt.Sprintf("%d-%s-%s", i, filepath.Base(path), strings.ReplaceAll(m.name, " ", "-")), func(t *testing.T) {
					hgtest.Compare(t, y, dir, []hgtest.Command{verifyCommands[0], verifyCommands[5]}, engineRunner("cold", inst, true), real)
				})
			}
		})
	}
}

// TestVerifyLocked leaves a damaged store to hg while somebody writes into it.
func TestVerifyLocked(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	base := verifyBase(t, version, "zstd")
	w := &wreck{t, base}
	w.chunk("store/data/a.i", 0, func(c []byte) { c[1] ^= 1 })
	runner := engineRunner("cold", Installation{Path: version.Path, Version: version.Number}, true)
	if _, stderr, code, _, err := runner.Run(base, []string{"verify"}, hgtest.BaseEnv()); err != nil || code != 1 || len(stderr) == 0 {
		t.Errorf("unlocked: exit code %d, %q, %v", code, stderr, err)
	}
	if err := os.Symlink("nosuchhost:1", w.path("store/lock")); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, _, _, err := runner.Run(base, []string{"verify"}, hgtest.BaseEnv()); !hgerr.IsUnsupported(err) || len(stdout)+len(stderr) > 0 {
		t.Errorf("locked: %q %q, %v", stdout, stderr, err)
	}
}
