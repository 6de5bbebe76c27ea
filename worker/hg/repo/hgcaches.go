// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strconv"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/store"
)

// hg keeps what it found out about branches and tags in .hg/cache, and answers
// from there. So does the engine as long as it has no image that knows better:
// reading every changeset for the first command on a repository would take longer
// than hg does. A file is used as far as it is valid by hg's own rules; anything
// odd about it means that it is not there.

// cachePath is a file of the cache, which lies beside the store.
func (r *Repo) cachePath(name string) string { return r.Layout.SharedDot + "/cache/" + name }

// readCache reads a file of the cache whole; nil when it cannot be.
func (r *Repo) readCache(name string) []byte {
	data, _, err := store.ReadFile(r.cachePath(name))
	if err != nil {
		return nil
	}
	return data
}

// The files rbc-names-v1 and rbc-revs-v1 (mercurial/branchmap.py, revbranchcache)
// tell the branch of a changeset:
//
//	rbc-names   names in UTF-8, with a zero byte between two
//	rbc-revs    8 bytes for each changeset: the first four of its node, and the
//	            number of the branch's name, with the highest bit set when the
//	            changeset closes it. Where the node is another, it is not known.
//
// Version 2 has the same records.
const (
	rbcRecord = 8
	rbcCloses = 1 << 31
)

// cachedBranches fills the branch column, from changeset from on, as far as hg
// knows it; known tells of which changesets. all are names and those that came up.
func (r *Repo) cachedBranches(from int, names []string, column []uint32) (all []string, known []bool) {
	for _, version := range [...]string{"v2", "v1"} {
		text, revs := r.readCache("rbc-names-"+version), r.readCache("rbc-revs-"+version)
		if len(text) > 0 && len(revs) > from*rbcRecord {
			return parseBranchCache(text, revs[from*rbcRecord:], func(i int) node.ID { return r.snap.Node(node.Rev(from + i)) }, names, column)
		}
	}
	return names, make([]bool, len(column))
}

// parseBranchCache reads rbc-names and the records of rbc-revs; id is the node
// of the changeset that a record must be of.
func parseBranchCache(text, revs []byte, id func(i int) node.ID, names []string, column []uint32) (all []string, known []bool) {
	known = make([]bool, len(column))
	stored := bytes.Split(text, []byte{0})
	ids := make([]uint32, len(stored)) // 1 + the number in names
	for i := range column {
		at := i * rbcRecord
		if at+rbcRecord > len(revs) {
			break
		}
		want := id(i)
		word := binary.BigEndian.Uint32(revs[at+4:])
		n := word &^ rbcCloses
		if !bytes.Equal(want[:4], revs[at:at+4]) || int(n) >= len(stored) || len(stored[n]) == 0 {
			continue
		}
		if ids[n] == 0 {
			name := string(stored[n])
			at := slices.Index(names, name)
			if at < 0 {
				at = len(names)
				names = append(names, name)
			}
			ids[n] = uint32(at) + 1
		}
		column[i], known[i] = (ids[n]-1)<<1|word>>31, true
	}
	return names, known
}

// The files branch2-VIEW (branchcache in the same place) hold the heads of each
// branch:
//
//	NODE REV[ HASH]     the tip for which this holds; a hash of what is filtered
//	NODE STATE NAME     a head, "o" for open or "c" for closed, its branch
//	...

// cachedBranchmap is what hg knows of the branches of a repository in which
// nothing is obsolete or secret, so that all views are the same; nil when that
// cannot be told.
func (v *View) cachedBranchmap() *branchmap {
	s := v.snap
	if s.Len() == 0 || s.Hideable() {
		return nil
	}
	for rev := s.FirstMutable(); int(rev) < s.Len(); rev++ {
		if s.Phase(rev) > phases.Draft {
			return nil
		}
	}
	tip := node.Rev(s.Len() - 1)
	first := []byte(s.Node(tip).Hex() + " " + strconv.Itoa(int(tip)))
	for _, name := range [...]string{"branch2-visible", "branch2-served", "branch2"} {
		line, rest, _ := bytes.Cut(v.readCache(name), []byte{'\n'})
		if !bytes.Equal(line, first) {
			continue
		}
		if bm := v.parseBranchmap(rest); bm != nil {
			return bm
		}
	}
	return nil
}

// cachedHead is a line of branch2.
type cachedHead struct {
	id     node.ID
	closed bool
	branch string
}

// parseBranchHeads reads the lines after the first one.
func parseBranchHeads(text []byte) (heads []cachedHead, ok bool) {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		fields := bytes.SplitN(line, []byte{' '}, 3)
		if len(fields) != 3 || len(fields[1]) != 1 || len(fields[2]) == 0 {
			return nil, false
		}
		id, ok := node.FromHex(string(fields[0]))
		if state := fields[1][0]; !ok || state != 'o' && state != 'c' {
			return nil, false
		}
		heads = append(heads, cachedHead{id, fields[1][0] == 'c', string(fields[2])})
	}
	return heads, len(heads) > 0
}

func (v *View) parseBranchmap(text []byte) *branchmap {
	heads, ok := parseBranchHeads(text)
	if !ok {
		return nil
	}
	bm := &branchmap{byName: map[string]*Branch{}}
	stored := map[string]*Branch{}
	ids := make([]node.ID, len(heads))
	for i, h := range heads {
		ids[i] = h.id
		if stored[h.branch] == nil {
			b := &Branch{UTF8: h.branch, Name: v.local(h.branch), closed: map[node.Rev]bool{}}
			stored[h.branch] = b
			bm.branches = append(bm.branches, b)
			bm.byName[b.Name] = b
		}
	}
	found := 0
	v.snap.Revs(ids, func(i int, rev node.Rev) {
		if rev >= 0 {
			found++
			b := stored[heads[i].branch]
			b.Heads = append(b.Heads, rev)
			if heads[i].closed {
				b.closed[rev] = true
			}
		}
	})
	if found != len(heads) {
		return nil
	}
	for _, b := range bm.branches {
		slices.Sort(b.Heads)
	}
	return bm
}

// The file hgtagsfnodes1 (mercurial/tags.py, hgtagsfnodescache) has 24 bytes for
// each changeset: the first four of its node, and the filenode of .hgtags there,
// null when it has none. Records of 0xff are not filled in.
const fnodeRecord = 24

// tagFnodes opens hgtagsfnodes1; nil when there is none. The caller closes it.
func (r *Repo) tagFnodes() *os.File {
	f, err := os.Open(r.cachePath("hgtagsfnodes1"))
	if err != nil {
		return nil
	}
	return f
}

// tagFnode is the filenode of .hgtags in a changeset as hg found it before.
func (r *Repo) tagFnode(f *os.File, rev node.Rev) (node.ID, bool) {
	var buf [fnodeRecord]byte
	if f == nil {
		return node.Null, false
	}
	if _, err := f.ReadAt(buf[:], int64(rev)*fnodeRecord); err != nil {
		return node.Null, false
	}
	id := r.snap.Node(rev)
	if !bytes.Equal(buf[:4], id[:4]) || bytes.Count(buf[:], []byte{0xff}) == fnodeRecord {
		return node.Null, false
	}
	return node.ID(buf[4:]), true
}
