// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"hash/maphash"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// Memo remembers from one status to the next which directories of a dirstate
// are ignored and what else is in them, and how files compared of which the
// dirstate does not say enough: hg writes that into the dirstate, and until it
// does every status would compare them again. The zero Memo knows nothing; it
// notices by itself that the dirstate, the rules, a directory or a file are
// others. It is for one status at a time.
type Memo struct {
	rules    Ignorer
	tree     *dirstate.Tree
	paths    uint64 // hash of the paths in the dirstate that tree is of
	seed     maphash.Seed
	dirs     []byte
	contents []*contents // of the tree's directories; nil until it is wanted
	files    map[string]comparison
}

// maxCompared bounds the files that are remembered.
const maxCompared = 1 << 16

// comparison is what came of comparing a file with a revision of it.
type comparison struct {
	file    identity
	node    node.ID
	flag    manifest.Flag
	differs bool
}

// identity is what is another after a file was written to, replaced or chmod'ed:
// nobody can set the time of change back.
type identity struct {
	dev, ino       uint64
	mode           uint32
	size           int64
	mtime, changed int64 // nanoseconds since 1970
}

func identityOf(st *unix.Stat_t) identity {
	return identity{uint64(st.Dev), st.Ino, st.Mode, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
}

// settleAfter is how long before a command a file must have changed last for its
// identity to stand for its content. Two writes may have the same time, which is
// as exact as the file system's clock: some count whole seconds.
const settleAfter = 2 * time.Second

// compared looks up an earlier comparison.
func (m *Memo) compared(path string, file identity, e manifest.Entry) (differs, ok bool) {
	if m == nil {
		return false, false
	}
	c, ok := m.files[path]
	if !ok || c.file != file || c.node != e.Node || c.flag != e.Flag {
		return false, false
	}
	return c.differs, true
}

// remember keeps a comparison of a file that had this identity before it was
// read, in a command that began at now.
func (m *Memo) remember(path string, file identity, e manifest.Entry, differs bool, now time.Time) {
	if m == nil || now.IsZero() || max(file.mtime, file.changed) > now.Add(-settleAfter).UnixNano() {
		return
	}
	if m.files == nil || len(m.files) >= maxCompared {
		m.files = map[string]comparison{}
	}
	m.files[strings.Clone(path)] = comparison{file, e.Node, e.Flag, differs} // path belongs to the dirstate
}

// What is known of a directory.
const (
	unasked = iota
	spared
	ignored
)

// Moved tells that another Dirstate holds the same entries as the one before.
func (m *Memo) Moved(from, to *dirstate.Dirstate) {
	if m.tree != nil && m.tree == from.Tree() {
		m.tree = to.Tree()
	}
}

// directories is what is known of each directory of a dirstate's tree. Different
// ones may be asked about, and recorded, at the same time.
func (m *Memo) directories(rules Ignorer, d *dirstate.Dirstate) []byte {
	if m == nil || rules == nil {
		return nil
	}
	tree := d.Tree()
	if m.rules == rules && m.tree == tree {
		return m.dirs
	}
	if m.tree == nil {
		m.seed = maphash.MakeSeed()
	}
	paths := pathsHash(m.seed, d)
	if m.rules != rules || m.paths != paths || len(m.dirs) != tree.Len() {
		*m = Memo{rules: rules, seed: m.seed, dirs: make([]byte, tree.Len()), files: m.files}
	}
	m.tree, m.paths = tree, paths // most changes of a dirstate leave the names
	return m.dirs
}
