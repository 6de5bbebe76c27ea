// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DropInMark stands in every executable of ours that may be called hg, so that
// a search for the real one passes it by, whatever it was renamed or copied to.
const DropInMark = "hgbroker drop-in executable 8a4f6c12"

// ErrNoHg says that there is no Mercurial on this machine, as far as we can see.
var ErrNoHg = errors.New("no hg found on PATH besides our own")

// FindHg is the real hg: hg when that is not empty, else the first executable
// hg on path (a PATH) that is not one of ours.
func FindHg(hg, path string) (string, error) {
	if hg != "" {
		abs, err := filepath.Abs(hg)
		if err != nil {
			return "", fmt.Errorf("real hg: %w", err)
		}
		if ours(abs) {
			return "", fmt.Errorf("real hg: %s is hgbroker's own drop-in", hg)
		}
		return abs, nil
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // a relative entry would be found in the repository
		}
		p := filepath.Join(dir, "hg")
		st, err := os.Stat(p)
		if err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 || ours(p) {
			continue
		}
		return p, nil
	}
	return "", ErrNoHg
}

// ours looks for the mark in an executable that is not a script; Mercurial's own
// hg is one, so that this costs nothing in the usual case.
func ours(path string) bool {
	// Not os.Open, which would start the poller: a drop-in hg lives for a
	// millisecond.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	var magic [4]byte
	if n, err := unix.Pread(fd, magic[:], 0); err != nil || n < len(magic) || string(magic[:]) != "\x7fELF" {
		unix.Close(fd)
		return false
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	// This process's own file, which is the usual case, needs no search.
	if st, err := f.Stat(); err == nil {
		if self, err := os.Stat("/proc/self/exe"); err == nil && os.SameFile(st, self) {
			return true
		}
	}
	mark := []byte(strings.Clone(DropInMark))
	buf := make([]byte, 256<<10)
	keep := 0
	for {
		n, err := f.Read(buf[keep:])
		if bytes.Contains(buf[:keep+n], mark) {
			return true
		}
		if err != nil {
			return false
		}
		tail := min(keep+n, len(mark)-1)
		copy(buf, buf[keep+n-tail:keep+n])
		keep = tail
	}
}
