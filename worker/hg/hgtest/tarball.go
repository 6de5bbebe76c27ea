// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxRepository bounds what one tar may unpack to.
const maxRepository = 64 << 20

// stamp is the mtime, an entry's full nanoseconds, to set once all is written.
type stamp struct {
	path string
	time time.Time
}

// Pack writes the folder dir as a gzipped PAX tar: sorted by name, owned by
// nobody in particular, mtimes to the nanosecond (a dirstate compares them),
// names as raw bytes. In the files that hold absolute paths (hgrc,
// sharedpath) dir is replaced by $TESTTMP.
func Pack(w io.Writer, dir string) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	a := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		return packOne(a, dir, p, d)
	})
	return errors.Join(err, a.Close(), z.Close())
}

func packOne(a *tar.Writer, dir, p string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	h := &tar.Header{
		Name:    filepath.ToSlash(strings.TrimPrefix(p, dir+"/")),
		Mode:    int64(info.Mode().Perm()),
		ModTime: info.ModTime(),
		Format:  tar.FormatPAX,
	}
	var data []byte
	switch {
	case info.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	case info.Mode()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = os.Readlink(p); err != nil {
			return err
		}
	case info.Mode()&fs.ModeNamedPipe != 0:
		h.Typeflag = tar.TypeFifo
	case info.Mode().IsRegular():
		h.Typeflag = tar.TypeReg
		if data, err = os.ReadFile(p); err != nil {
			return err
		}
		if holdsPaths(h.Name) {
			data = bytes.ReplaceAll(data, []byte(dir), []byte(testTmp))
		}
		h.Size = int64(len(data))
	default:
		return fmt.Errorf("pack %s: %v is no kind of file that a recording may hold", p, info.Mode())
	}
	if err := a.WriteHeader(h); err != nil {
		return fmt.Errorf("pack %s: %w", p, err)
	}
	_, err = a.Write(data)
	return err
}

func holdsPaths(name string) bool {
	base := path.Base(name)
	return base == "hgrc" || base == "sharedpath"
}

// Unpack is the inverse of Pack. It sets the mtimes last, so that making a
// folder's files does not touch it afterwards.
func Unpack(r io.Reader, dir string) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	a := tar.NewReader(io.LimitReader(z, maxRepository))
	var stamps []stamp
	for {
		h, err := a.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(h.Name, "/")
		if !fs.ValidPath(strings.ToValidUTF8(name, "?")) {
			return fmt.Errorf("entry %q: not a name inside of the folder", h.Name)
		}
		p := filepath.Join(dir, name)
		if err := unpackOne(a, h, dir, p); err != nil {
			return fmt.Errorf("entry %q: %w", h.Name, err)
		}
		stamps = append(stamps, stamp{p, h.ModTime})
	}
	if len(stamps) == 0 {
		return fmt.Errorf("empty tar")
	}
	for _, s := range slices.Backward(stamps) {
		ts, err := unix.TimeToTimespec(s.time)
		if err != nil {
			return fmt.Errorf("%s: mtime %v: %w", s.path, s.time, err)
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, s.path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("%s: set mtime: %w", s.path, err)
		}
	}
	return nil
}

func unpackOne(a *tar.Reader, h *tar.Header, dir, p string) error {
	mode := fs.FileMode(h.Mode).Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		if err := os.Mkdir(p, 0o700); err != nil {
			return err
		}
		return os.Chmod(p, mode|0o700) // the test must be able to remove it
	case tar.TypeSymlink:
		return os.Symlink(h.Linkname, p)
	case tar.TypeFifo:
		return unix.Mkfifo(p, uint32(mode))
	case tar.TypeReg:
		data, err := io.ReadAll(a)
		if err != nil {
			return err
		}
		if holdsPaths(h.Name) {
			data = bytes.ReplaceAll(data, []byte(testTmp), []byte(dir))
		}
		if err := os.WriteFile(p, data, 0o600); err != nil {
			return err
		}
		return os.Chmod(p, mode) // whatever the umask is
	}
	return fmt.Errorf("type %q", h.Typeflag)
}
