// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
)

// fileStat is what lstat says about a file, as far as it matters. A nil
// *fileStat means that there is no file. size is negative when only the type
// is known, from the directory.
type fileStat struct {
	mode uint32
	size int64
	sec  int64
	nsec int32
}

func statOf(st *unix.Stat_t) *fileStat {
	return &fileStat{mode: st.Mode, size: st.Size, sec: st.Mtim.Sec, nsec: int32(st.Mtim.Nsec)}
}

func (st *fileStat) kind() uint32    { return st.mode & unix.S_IFMT }
func (st *fileStat) isLink() bool    { return st.kind() == unix.S_IFLNK }
func (st *fileStat) trackable() bool { return st.kind() == unix.S_IFREG || st.isLink() }

func lstat(path string) (*fileStat, error) {
	var st unix.Stat_t
	if err := rawLstat(path, &st); err != nil {
		return nil, err
	}
	return statOf(&st), nil
}

// rawLstat retries what a signal interrupts.
func rawLstat(path string, st *unix.Stat_t) error {
	for {
		if err := unix.Lstat(path, st); err != unix.EINTR {
			return err
		}
	}
}

// flag is the manifest's flag for what is on disk; none when nothing is.
func (st *fileStat) flag() manifest.Flag {
	switch {
	case st == nil:
		return manifest.Regular
	case st.isLink():
		return manifest.Symlink
	case st.mode&0o100 != 0:
		return manifest.Executable
	}
	return manifest.Regular
}

func join(root, path string) string {
	if root == "/" {
		return root + path
	}
	return root + "/" + path
}

// class is what a file in the dirstate is found to be.
type class = byte

const (
	classNone class = iota // not selected, or not looked at yet
	classDeleted
	classModified
	classAdded
	classRemoved
	classUnsure // its contents have to be compared
	classClean
)

const (
	sizeMask = 0x7fffffff // sizes and times are recorded modulo 1<<31
	day      = 24 * 60 * 60
)

// needsStat reports whether more than the type of a file on disk matters.
func needsStat(i dirstate.Item) bool {
	return i.MaybeClean() && i.Flags&(dirstate.HasModeAndSize|dirstate.HasMtime) != 0
}

// classify judges an entry by the file on disk, as dirstate.status does.
func classify(i dirstate.Item, copied bool, st *fileStat, now int64) class {
	switch {
	case st == nil && i.Tracked():
		return classDeleted
	case i.P2Info():
		return classModified
	case i.Added():
		return classAdded
	case i.Removed():
		return classRemoved
	}
	size := int64(-1)
	if i.HasData() {
		size = int64(i.Size)
	}
	changed := copied
	if size >= 0 {
		changed = changed || size != st.size && size != st.size&sizeMask || (uint32(i.Mode)^st.mode)&0o100 != 0
	}
	switch {
	case changed && st.isLink() && size != st.size:
		return classUnsure // hg: some file systems report longer links
	case changed && st.isLink() && st.size < 0:
		return classUnsure // only the type was looked at, since the size is unknown anyway
	case changed:
		return classModified
	case now != 0 && st.sec >= now && st.sec < now+day:
		return classUnsure
	case !i.MtimeLikelyEqual(int32(st.sec&sizeMask), st.nsec):
		return classUnsure
	}
	return classClean
}

// foreign tells by its magic number whether a file system cannot hold symbolic links
// or execute bits, or differs by how it is mounted.
func foreign(magic int64) (name string, ok bool) {
	switch magic {
	case 0x4d44:
		return "vfat", true
	case 0x2011bab0:
		return "exfat", true
	case 0x5346544e:
		return "ntfs", true
	case 0x7366746e:
		return "ntfs3", true
	case 0xff534d42:
		return "cifs", true
	case 0xfe534d42:
		return "smb2", true
	case 0x517b:
		return "smb", true
	case 0x01021997:
		return "9p", true
	case 0x4006:
		return "fat", true
	case 0x65735546:
		return "fuse", true
	}
	return "", false
}

// CheckFilesystem returns an Unsupported when the working directory is on a
// file system that may lack symbolic links, execute bits or the difference
// between upper and lower case. hg finds that out by writing files. It returns the
// magic number of the file system.
func CheckFilesystem(root string) (magic int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return 0, hgerr.NewUnsupported("file system of %s: %v", root, err)
	}
	if name, ok := foreign(int64(st.Type) & 0xffffffff); ok {
		return 0, hgerr.NewUnsupported("working directory on %s", name)
	}
	return int64(st.Type), nil
}
