// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
)

// contents is what the names in a directory came to, beside the files that the
// dirstate has there: reading a directory takes as long as looking at seven
// files. It holds as long as a stat of the directory gives the same identity, as
// whoever adds, removes or renames something in a directory changes its times,
// and nobody can set the time of change back. As in dirstate-v2 (Directory) it is
// kept only of a directory whose times lay settleAfter back when it was read:
// then what changes it afterwards gives it another time. The types of its entries
// cannot change without it either.
//
// It depends on the rules of what is ignored and on the names in the dirstate,
// not on what the dirstate says of them.
type contents struct {
	identity identity
	repo     bool     // another repository, into which the walk does not go
	unknown  []string // files that are neither in the dirstate nor ignored
	dirs     []child  // directories to walk
}

// child is a directory in another one.
type child struct {
	path   string    // "" when the tree has it
	node   int       // in the dirstate's tree, or -1
	place  int       // among its siblings
	inside *contents // of one that the tree does not have; nil when it is not known
}

// maxNames bounds the names in all contents of a working copy.
const maxNames = 1 << 18

// steady are the file systems that change the times of a directory with its
// names, by their magic numbers. Not so one whose directories are changed
// elsewhere, or are made of several others.
var steady = map[int64]bool{
	unix.EXT4_SUPER_MAGIC:  true, // and of ext2 and ext3
	unix.XFS_SUPER_MAGIC:   true,
	unix.BTRFS_SUPER_MAGIC: true,
	unix.TMPFS_MAGIC:       true,
}

// keeper decides what contents may be kept. The zero keeper keeps nothing.
type keeper struct {
	here    identity // of the working directory's root
	settled int64    // what changed later may have changed since, too; nanoseconds since 1970
	of      []*contents
	names   atomic.Int64 // in contents
}

// keep has k keep the contents of the directories of a working copy whose root is
// open, if that is possible and worth it.
func (k *keeper) keep(w *walker, root int) {
	wc := w.wc
	if wc.Memo == nil || w.known == nil || wc.Began.IsZero() || !w.always || wc.ListIgnored || !wc.ListUnknown || len(wc.Subrepos) > 0 {
		return
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	if wc.Filesystem == 0 && unix.Fstatfs(root, &fs) == nil {
		wc.Filesystem = int64(fs.Type)
	}
	if !steady[wc.Filesystem] || unix.Fstat(root, &st) != nil {
		return
	}
	if wc.Memo.contents == nil {
		wc.Memo.contents = make([]*contents, w.tree.Len())
	}
	k.here, k.settled, k.of = identityOf(&st), wc.Began.Add(-settleAfter).UnixNano(), wc.Memo.contents
}

// room tells whether so many names more may be kept.
func (k *keeper) room(names int) bool { return k.names.Add(int64(names)) <= maxNames }

// slot is where the contents of a directory are kept, nil if nowhere.
func (k *keeper) slot(dir *directory) **contents {
	switch {
	case k.of == nil:
		return nil
	case dir.node >= 0:
		return &k.of[dir.node]
	}
	return dir.inside
}

// identify tells whether what is read now of an open directory may be kept, and
// as what. The names in an encrypted one depend on whether its key is there.
func (k *keeper) identify(fd int) (identity, bool) {
	var st unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS, &st) != nil ||
		st.Mask&unix.STATX_BASIC_STATS != unix.STATX_BASIC_STATS || st.Attributes&unix.STATX_ATTR_ENCRYPTED != 0 {
		return identity{}, false
	}
	nano := func(t unix.StatxTimestamp) int64 { return t.Sec*int64(time.Second) + int64(t.Nsec) }
	id := identity{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino, uint32(st.Mode), int64(st.Size), nano(st.Mtime), nano(st.Ctime)}
	return id, id.dev == k.here.dev && max(id.mtime, id.changed) <= k.settled
}

// pathsHash is of the paths in a dirstate, and of the order of its directories.
func pathsHash(seed maphash.Seed, d *dirstate.Dirstate) uint64 {
	var sum uint64
	add := func(path string) { sum = sum*0x9e3779b97f4a7c15 + maphash.String(seed, path) } // an odd number: nothing is lost
	for i := range d.Len() {
		add(d.Path(i))
	}
	for n, tree := 0, d.Tree(); n < tree.Len(); n++ {
		add(tree.Dir(n).Path)
	}
	return sum
}
