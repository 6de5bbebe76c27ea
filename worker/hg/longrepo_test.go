// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// longRepo is a repository of any length, written as fast as the disk takes it:
// for benchmarks and tests of length only. Every changeset has the same manifest,
// of one file.
type longRepo struct {
	b        testing.TB
	dir      string
	manifest node.ID
	nodes    []node.ID // of the changesets
	ends     []int64   // where their texts end in the data
	roots    []int     // of what is draft
	stands   int       // the working directory's parent
	word     string    // in the descriptions
	markers  int
}

// entry is an index entry of a revlog without deltas.
func entry(offset int64, chunk, size, rev int, link, p1 int, id node.ID) []byte {
	be := binary.BigEndian
	e := make([]byte, revlog.EntrySize)
	be.PutUint64(e, uint64(offset)<<16)
	if rev == 0 {
		be.PutUint32(e, revlog.FlagGeneralDelta|1)
	}
	be.PutUint32(e[8:], uint32(chunk))
	be.PutUint32(e[12:], uint32(size))
	be.PutUint32(e[16:], uint32(rev))
	be.PutUint32(e[20:], uint32(link))
	be.PutUint32(e[24:], uint32(int32(p1)))
	be.PutUint32(e[28:], 0xffffffff)
	copy(e[32:], id[:])
	return e
}

func newLongRepo(b testing.TB, n int) *longRepo {
	b.Helper()
	r := &longRepo{b: b, dir: b.TempDir()}
	if to, err := filepath.EvalSymlinks(r.dir); err == nil {
		r.dir = to
	}
	r.write(n)
	return r
}

// write makes the repository anew.
func (r *longRepo) write(n int) {
	b := r.b
	if err := os.RemoveAll(filepath.Join(r.dir, ".hg")); err != nil {
		b.Fatal(err)
	}
	r.nodes, r.ends, r.roots, r.markers = nil, nil, nil, 0
	if err := os.MkdirAll(filepath.Join(r.dir, ".hg/store/data"), 0o777); err != nil {
		b.Fatal(err)
	}
	r.put("requires", []byte("dotencode\nfncache\ngeneraldelta\nrevlogv1\nstore\n"))
	text := []byte("f\x00" + strings.Repeat("1", 40) + "\n")
	r.manifest = revlog.HashText(node.Null, node.Null, text)
	r.put("store/00manifest.d", append([]byte("u"), text...))
	r.put("store/00manifest.i", entry(0, len(text)+1, len(text), 0, 0, -1, r.manifest))
	index, data := r.file("store/00changelog.i"), r.file("store/00changelog.d")
	wi, wd := bufio.NewWriterSize(index, 1<<20), bufio.NewWriterSize(data, 1<<20)
	for range n {
		e, chunk := r.next(r.len() - 1)
		wi.Write(e)
		wd.Write(chunk)
	}
	if err := wi.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := wd.Flush(); err != nil {
		b.Fatal(err)
	}
	index.Close()
	data.Close()
	r.finish()
}

func (r *longRepo) len() int { return len(r.nodes) }

// put replaces a file as hg does: by another one.
func (r *longRepo) put(name string, text []byte) {
	name = filepath.Join(r.dir, ".hg", name)
	err := os.WriteFile(name+".new", text, 0o666)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		r.b.Fatal(err)
	}
}

func (r *longRepo) file(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(r.dir, ".hg", name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		r.b.Fatal(err)
	}
	return f
}

func (r *longRepo) append(name string, more []byte) {
	f := r.file(name)
	defer f.Close()
	if _, err := f.Write(more); err != nil {
		r.b.Fatal(err)
	}
}

// next is the next changeset, a child of p1: its entry and its chunk.
func (r *longRepo) next(p1 int) (e, chunk []byte) {
	n, start, parent := r.len(), int64(0), node.Null
	if n > 0 {
		start = r.ends[n-1]
	}
	if p1 >= 0 {
		parent = r.nodes[p1]
	}
	text := fmt.Appendf(nil, "%s\nAda Stone <ada.stone@example.org>\n%d 0\nf\n\nchange number %d\n\nwith some words about it%s", r.manifest.Hex(), 1400000000+n*60, n, r.word)
	id := revlog.HashText(parent, node.Null, text)
	e = entry(start, len(text)+1, len(text), n, n, p1, id)
	r.nodes, r.ends = append(r.nodes, id), append(r.ends, start+int64(len(text)+1))
	return e, append([]byte("u"), text...)
}

// finish makes the last changeset the working directory's parent, and the first
// one of those after the public ones a draft root.
func (r *longRepo) finish() {
	r.update(r.len() - 1)
	if len(r.roots) == 0 {
		r.publish()
	}
}

// update moves the working directory.
func (r *longRepo) update(to int) {
	r.stands = to
	r.put("dirstate", append(bytes.Clone(r.nodes[to][:]), make([]byte, node.Size)...))
}

// commit appends a changeset, as hg does.
func (r *longRepo) commit() { r.pull(1); r.finish() }

// pull appends changesets, each a child of the one before.
func (r *longRepo) pull(n int) {
	var entries, chunks []byte
	for range n {
		e, chunk := r.next(r.len() - 1)
		entries, chunks = append(entries, e...), append(chunks, chunk...)
	}
	r.append("store/00changelog.d", chunks)
	r.append("store/00changelog.i", entries)
}

// amend rewrites the last changeset.
func (r *longRepo) amend() {
	old := r.len() - 1
	e, chunk := r.next(old - 1)
	r.append("store/00changelog.d", chunk)
	r.append("store/00changelog.i", e)
	r.mark(r.nodes[old], r.nodes[old+1])
	r.finish()
}

// strip takes the last n changesets away.
func (r *longRepo) strip(n int) {
	left := r.len() - n
	r.nodes, r.ends = r.nodes[:left], r.ends[:left]
	for name, size := range map[string]int64{"store/00changelog.i": int64(left) * revlog.EntrySize, "store/00changelog.d": r.ends[left-1]} {
		if err := os.Truncate(filepath.Join(r.dir, ".hg", name), size); err != nil {
			r.b.Fatal(err)
		}
	}
	r.finish()
}

// publish takes one draft root away, so that what comes before the next one, or
// before the last changeset, is public.
func (r *longRepo) publish() {
	if r.roots = r.roots[min(1, len(r.roots)):]; len(r.roots) == 0 {
		r.roots = append(r.roots, r.len()-1)
	}
	r.putRoots()
}

func (r *longRepo) putRoots() {
	var lines []byte
	for _, rev := range r.roots {
		lines = fmt.Appendf(lines, "1 %s\n", r.nodes[rev].Hex())
	}
	r.put("store/phaseroots", lines)
}

// bookmark puts a bookmark on the last changeset.
func (r *longRepo) bookmark() {
	r.put("bookmarks", []byte(r.nodes[r.len()-1].Hex()+" mark\n"))
}

// mark appends a marker: successor, if it is not null, rewrites predecessor.
func (r *longRepo) mark(predecessor, successor node.ID) {
	r.append("store/obsstore", r.marker(predecessor, successor))
}

func (r *longRepo) marker(predecessor, successor node.ID) []byte {
	be := binary.BigEndian
	var m []byte
	if r.markers++; r.markers == 1 {
		m = []byte{1} // the file's version
	}
	meta := fmt.Appendf(nil, "userAda Stone <ada.stone@example.org>operationamend%d", r.markers)
	lengths := []byte{4, 33, 9, byte(len(meta) - 4 - 33 - 9)}
	succs := successor[:]
	if successor.IsNull() {
		succs = nil
	}
	m = be.AppendUint32(m, uint32(19+20+len(succs)+len(lengths)+len(meta)))
	m = append(m, 0x41, 0xd4, 0xdc, 0xd6, 0x50, 0, 0, 0) // some time in 2014
	m = append(m, 0, 0, 0, 0, byte(len(succs)/node.Size), 3, 2)
	m = append(append(m, predecessor[:]...), succs...)
	return append(append(m, lengths...), meta...)
}

// rewritten writes a long obsstore of markers about changesets that are not here,
// and makes each of the last changesets a draft root, as after long work in many
// lines. The sizes are in bytes and in changesets.
func (r *longRepo) rewritten(size, roots int) {
	var text []byte
	other := func() node.ID {
		return revlog.HashText(node.Null, node.Null, fmt.Appendf(nil, "elsewhere %d", r.markers))
	}
	for len(text) < size {
		text = append(text, r.marker(other(), other())...)
	}
	r.put("store/obsstore", text)
	r.roots = nil
	for rev := max(0, r.len()-roots); rev < r.len(); rev++ {
		r.roots = append(r.roots, rev)
	}
	r.putRoots()
}
