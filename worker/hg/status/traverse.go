// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
)

// maxWorkers bounds WorkingCopy.Workers' default. More do not help: the
// kernel's own locks are what they would wait for.
const maxWorkers = 8

// directory is one to be read.
type directory struct {
	path   string
	lo, hi int // the entries of the dirstate below it
	parent *directory
	place  int // among its siblings, as the file system lists them
}

// before tells which of two directories hg reads first: it reads depth first,
// the last listed subdirectory first.
func before(a, b *directory) int {
	x, y := a.places(), b.places()
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			return y[i] - x[i]
		}
	}
	return len(x) - len(y)
}

func (d *directory) places() []int {
	var p []int
	for ; d.parent != nil; d = d.parent {
		p = append(p, d.place)
	}
	slices.Reverse(p)
	return p
}

// traversal is the parallel walk below one directory. Its goroutines end when
// no directory is left, when one failed, or when the context is done; run
// waits for them. mu guards stack, busy and err; the entries of the dirstate
// that a directory holds belong to who reads it.
type traversal struct {
	*walker
	mu    sync.Mutex
	wake  *sync.Cond
	stack []*directory
	busy  int
	err   error
}

// reader is the part of a traversal that one goroutine has for itself.
type reader struct {
	*traversal
	buf      []byte
	names    []dirent
	met      []string // files that are not in the dirstate
	refused  []refusal
	children []*directory
}

// refusal is a directory that cannot be read.
type refusal struct {
	dir    *directory
	reason string
}

// dirent is one entry of a directory. Its type is one of unix.DT_*.
type dirent struct {
	name string
	kind byte
}

func (w *walker) workers() int {
	if w.wc.Workers > 0 {
		return w.wc.Workers
	}
	return min(runtime.GOMAXPROCS(0), maxWorkers)
}

// traverse walks the directory dir and all below it.
func (w *walker) traverse(ctx context.Context, dir string) error {
	lo, hi := w.wc.Dirstate.Below(dir)
	root := &directory{path: dir, lo: lo, hi: hi}
	t := &traversal{walker: w, stack: []*directory{root}}
	t.wake = sync.NewCond(&t.mu)
	stop := context.AfterFunc(ctx, func() { t.fail(ctx.Err()) })
	defer stop()
	readers := make([]*reader, w.workers())
	var wg sync.WaitGroup
	for i := range readers {
		readers[i] = &reader{traversal: t, buf: make([]byte, 32<<10)}
		wg.Go(readers[i].run)
	}
	wg.Wait()
	if err := t.failure(); err != nil {
		return err
	}
	var refused []refusal
	for _, r := range readers {
		w.found = append(w.found, r.met...)
		refused = append(refused, r.refused...)
	}
	slices.SortFunc(refused, func(a, b refusal) int { return before(a.dir, b.dir) })
	for _, r := range refused {
		w.bad(match.PathTo(w.wc.Root, w.wc.Cwd, r.dir.path), r.reason)
	}
	return nil
}

func (t *traversal) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	t.wake.Broadcast()
}

func (t *traversal) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (r *reader) run() {
	t := r.traversal
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		for len(t.stack) == 0 && t.busy > 0 && t.err == nil {
			t.wake.Wait()
		}
		if t.err != nil || len(t.stack) == 0 {
			return
		}
		dir := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.busy++
		t.mu.Unlock()
		r.children = r.children[:0]
		err := r.read(dir)
		t.mu.Lock()
		t.busy--
		if err != nil && t.err == nil {
			t.err = err
		}
		t.stack = append(t.stack, r.children...)
		if len(r.children) > 1 || t.busy == 0 || t.err != nil {
			t.wake.Broadcast()
		}
	}
}

// read looks at the entries of one directory.
func (r *reader) read(dir *directory) error {
	wants := r.m.VisitChildren(dir.path)
	if wants.Visit == match.VisitNo {
		return nil
	}
	fd, err := openDir(join(r.wc.Root, dir.path))
	if err == nil {
		defer unix.Close(fd)
		err = r.list(fd)
	}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOENT):
		reason, _ := match.Strerror(err)
		r.refused = append(r.refused, refusal{dir, reason})
		return nil
	case err != nil:
		return hgerr.NewUnsupported("directory %s: %v", dir.path, err)
	}
	if dir.path != "" && slices.Contains(r.names, dirent{".hg", unix.DT_DIR}) {
		return nil // another repository
	}
	for place, ent := range r.names {
		if wants.Wants(ent.name) && (dir.path != "" || ent.name != ".hg") {
			r.entry(fd, dir, ent, place)
		}
	}
	return nil
}

func (r *reader) entry(fd int, dir *directory, ent dirent, place int) {
	entries := r.wc.Dirstate.Entries()
	i, tracked := child(entries, dir, ent.name)
	if tracked {
		path := entries[i].Path
		if r.always || r.m.Match(path) {
			r.tracked(fd, i, ent)
		}
		if ent.kind == unix.DT_DIR {
			r.subdirectory(dir, path, place)
		}
		return
	}
	path := ent.name
	if dir.path != "" {
		path = dir.path + "/" + ent.name
	}
	switch ent.kind {
	case unix.DT_DIR:
		r.subdirectory(dir, path, place)
	case unix.DT_REG, unix.DT_LNK:
		if (r.always || r.m.Match(path)) && !r.isIgnored(path) {
			r.met = append(r.met, path)
		}
	}
}

// tracked judges entry i of the dirstate by what bears its name.
func (r *reader) tracked(fd, i int, ent dirent) {
	var st *fileStat
	switch ent.kind {
	case unix.DT_REG:
		st = &fileStat{mode: unix.S_IFREG, size: -1}
	case unix.DT_LNK:
		st = &fileStat{mode: unix.S_IFLNK, size: -1}
	}
	if st != nil && needsStat(r.wc.Dirstate.Entries()[i].Item) {
		var err error
		if st, err = fstatat(fd, ent.name); err != nil {
			return // it is gone; the last step of the walk finds that out
		}
		if !st.trackable() {
			st = nil
		} else {
			st.nsec = 0 // hg's listing of directories knows seconds only
		}
	}
	r.judge(i, st)
}

func (r *reader) subdirectory(dir *directory, path string, place int) {
	if r.isIgnored(path) {
		return
	}
	lo, hi := r.wc.Dirstate.BelowIn(path, dir.lo, dir.hi)
	r.children = append(r.children, &directory{path, lo, hi, dir, place})
}

// child finds a name in a directory among the entries below it, which all
// begin with the directory's path and a slash.
func child(entries []dirstate.Entry, dir *directory, name string) (int, bool) {
	skip := 0
	if dir.path != "" {
		skip = len(dir.path) + 1
	}
	in := entries[dir.lo:dir.hi]
	i := sort.Search(len(in), func(i int) bool { return in[i].Path[skip:] >= name })
	return dir.lo + i, i < len(in) && in[i].Path[skip:] == name
}

func openDir(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// list reads the whole directory into names, in the order of the file system.
// The records are Linux's struct linux_dirent64: 8 bytes inode, 8 bytes
// offset, 2 bytes length of the record, 1 byte type, and the name up to a zero.
func (r *reader) list(fd int) error {
	r.names = r.names[:0]
	for {
		n, err := unix.Getdents(fd, r.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		for rest := r.buf[:n]; len(rest) > 19; {
			size := int(binary.NativeEndian.Uint16(rest[16:]))
			if size <= 19 || size > len(rest) {
				return unix.EIO
			}
			name, _, _ := strings.Cut(string(rest[19:size]), "\x00")
			kind := rest[18]
			rest = rest[size:]
			if name == "." || name == ".." {
				continue
			}
			if kind == unix.DT_UNKNOWN {
				st, err := fstatat(fd, name)
				if err != nil {
					continue
				}
				kind = byte(st.kind() >> 12) // DT_* are the bits of S_IFMT
			}
			r.names = append(r.names, dirent{name, kind})
		}
	}
}

// statAll stats the given entries of the dirstate, following links above them.
func (w *walker) statAll(ctx context.Context, list []int) error {
	const chunk = 256
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(w.workers(), len(list)/chunk+1) {
		wg.Go(func() {
			for ctx.Err() == nil {
				end := int(next.Add(chunk))
				if end-chunk >= len(list) {
					return
				}
				for _, i := range list[end-chunk : min(end, len(list))] {
					st, err := lstat(join(w.wc.Root, w.wc.Dirstate.Entries()[i].Path))
					if err != nil || !st.trackable() {
						st = nil
					} else {
						st.nsec = 0 // as in a directory's listing
					}
					w.judge(i, st)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
