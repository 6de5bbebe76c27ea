// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/hgerr"
)

// MaxFileSize bounds what ReadFile loads, in bytes. Larger files are left to
// the real hg.
const MaxFileSize = 2 << 30

// readAttempts is how often ReadFile starts again when the file changes under
// it, before it gives up.
const readAttempts = 5

// Stamp is a file's identity for freshness: two equal stamps of one path mean
// that nobody replaced, grew, shrank or rewrote the file in between. The zero
// Stamp is that of a missing file.
type Stamp struct {
	Exists  bool
	Dev     uint64
	Ino     uint64
	Size    int64
	MtimeNs int64 // nanoseconds since 1970
	CtimeNs int64
}

// Equal reports whether s and t stand for the same file in the same state.
func (s Stamp) Equal(t Stamp) bool { return s == t }

// Stamped is a path and the stamp that it had before it was read.
type Stamped struct {
	Path  string
	Stamp Stamp
}

// Fresh reports whether the file still has its stamp.
func (s Stamped) Fresh() bool { return s.FreshIn(nil) }

// FreshIn is Fresh within a command that holds a directory open, or nil.
func (s Stamped) FreshIn(dir *Absences) bool {
	now, err := dir.StampOnce(s.Path)
	return err == nil && now == s.Stamp
}

// StampOf stats path, following symbolic links. A missing file, or one below
// something that is no directory, has the zero Stamp and no error.
func StampOf(path string) (Stamp, error) { return stampAt(unix.AT_FDCWD, path, path) }

// stampAt is StampOf of a name in an open directory.
func stampAt(dir int, name, path string) (Stamp, error) {
	var st unix.Stat_t
	switch errno := statAt(dir, name, &st); errno {
	case 0:
		return stampOfStat(&st), nil
	case unix.ENOENT, unix.ENOTDIR:
		return Stamp{}, nil
	default:
		return Stamp{}, &fs.PathError{Op: "stat", Path: path, Err: errno}
	}
}

// StampOfFile is StampOf for an open file.
func StampOfFile(f *os.File) (Stamp, error) {
	fi, err := f.Stat()
	if err != nil {
		return Stamp{}, err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return Stamp{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: errors.ErrUnsupported}
	}
	return Stamp{
		Exists:  true,
		Dev:     uint64(st.Dev),
		Ino:     uint64(st.Ino),
		Size:    st.Size,
		MtimeNs: st.Mtim.Nano(),
		CtimeNs: st.Ctim.Nano(),
	}, nil
}

func stampOfStat(st *unix.Stat_t) Stamp {
	return Stamp{
		Exists:  true,
		Dev:     uint64(st.Dev),
		Ino:     uint64(st.Ino),
		Size:    st.Size,
		MtimeNs: unix.TimespecToNsec(st.Mtim),
		CtimeNs: unix.TimespecToNsec(st.Ctim),
	}
}

// isMissing tells the errors that mean "no such file" from all others.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

// ReadFile reads a whole file and returns the stamp that the content belongs
// to. A missing file is (nil, Stamp{}, nil). A file that keeps changing while
// it is read is a *hgerr.Damage with Changed set.
func ReadFile(path string) ([]byte, Stamp, error) {
	for range readAttempts {
		data, stamp, steady, err := readOnce(path)
		if err != nil || steady {
			return data, stamp, err
		}
	}
	return nil, Stamp{}, &hgerr.Damage{Op: "read", Path: path, Cause: "file keeps changing", Changed: true}
}

func readOnce(path string) (data []byte, stamp Stamp, steady bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		if isMissing(err) {
			return nil, Stamp{}, true, nil
		}
		return nil, Stamp{}, false, err
	}
	defer f.Close()
	before, err := StampOfFile(f)
	if err != nil {
		return nil, Stamp{}, false, err
	}
	if before.Size > MaxFileSize {
		return nil, Stamp{}, false, hgerr.NewUnsupported("file of %d bytes (%s)", before.Size, path)
	}
	data = make([]byte, before.Size)
	full, err := fill(data, f)
	if err != nil {
		return nil, Stamp{}, false, fmt.Errorf("read %s: %w", path, err)
	}
	after, err := StampOfFile(f)
	if err != nil {
		return nil, Stamp{}, false, err
	}
	return data, before, full && before == after, nil
}

// readApart is from how many bytes on a file is read by several processors: most of
// that time goes into making the memory.
const readApart = 4 << 20

// fill reads the beginning of a file into data. It tells whether the file had as many
// bytes.
func fill(data []byte, f *os.File) (full bool, err error) {
	hugePages(data)
	parts := min(runtime.GOMAXPROCS(0), len(data)/readApart)
	if parts < 2 {
		return fillFrom(data, f, 0)
	}
	short, errs := make([]bool, parts), make([]error, parts)
	var all sync.WaitGroup
	for i := range parts {
		from, to := len(data)/parts*i, len(data)/parts*(i+1)
		if i == parts-1 {
			to = len(data)
		}
		read := func() {
			whole, err := fillFrom(data[from:to], f, int64(from))
			short[i], errs[i] = !whole, err
		}
		if i == parts-1 {
			read()
		} else {
			all.Go(read)
		}
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return false, err
		}
	}
	return !slices.Contains(short, true), nil
}

func fillFrom(data []byte, f *os.File, at int64) (full bool, err error) {
	n, err := io.ReadFull(io.NewSectionReader(f, at, int64(len(data))), data)
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		err = nil
	}
	return n == len(data), err
}
