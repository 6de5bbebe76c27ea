// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

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
	node   int // in the dirstate's tree, -1 when the dirstate has nothing below it
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
	root  int // descriptor of the working directory's root
	mu    sync.Mutex
	wake  *sync.Cond
	stack []*directory
	busy  int
	err   error
}

// reader is the part of a traversal that one goroutine has for itself.
type reader struct {
	*traversal
	listing
	st       unix.Stat_t
	met      []string // files that are not in the dirstate
	refused  []refusal
	children []*directory
	spare    []directory // memory for children
}

// refusal is a directory that cannot be read.
type refusal struct {
	dir    *directory
	reason string
}

func (w *walker) workers() int {
	if w.wc.Workers > 0 {
		return w.wc.Workers
	}
	return min(runtime.GOMAXPROCS(0), maxWorkers)
}

// traverse walks the directory dir and all below it.
func (w *walker) traverse(ctx context.Context, dir string) error {
	root := &directory{path: dir, node: -1}
	if n, ok := w.tree.Find(dir); ok {
		root.node = n
	}
	fd, err := openDir(unix.AT_FDCWD, w.wc.Root)
	if err != nil {
		return hgerr.NewUnsupported("directory %s: %v", w.wc.Root, err)
	}
	defer unix.Close(fd)
	t := &traversal{walker: w, stack: []*directory{root}, root: fd}
	t.wake = sync.NewCond(&t.mu)
	stop := context.AfterFunc(ctx, func() { t.fail(ctx.Err()) })
	defer stop()
	readers := make([]*reader, w.workers())
	var wg sync.WaitGroup
	for i := range readers {
		readers[i] = &reader{traversal: t}
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
		err := r.look(dir)
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

// look looks at the entries of one directory.
func (r *reader) look(dir *directory) error {
	wants := r.m.VisitChildren(dir.path)
	if wants.Visit == match.VisitNo {
		return nil
	}
	relative := dir.path
	if relative == "" {
		relative = "."
	}
	fd, err := openDir(r.root, relative)
	if err == nil {
		defer unix.Close(fd)
		err = r.read(fd)
	}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOENT):
		reason, _ := match.Strerror(err)
		r.refused = append(r.refused, refusal{dir, reason})
		return nil
	case err != nil:
		return hgerr.NewUnsupported("directory %s: %v", dir.path, err)
	}
	if r.repo && dir.path != "" {
		return nil // another repository
	}
	var known entriesOf
	if dir.node >= 0 {
		known = entriesOf{r.tree, r.wc.Dirstate, r.tree.Files(dir.node), r.tree.Subdirs(dir.node), r.tree.Dir(dir.node).Skip}
	}
	for place, ent := range r.ents {
		if wants.Names != nil && !wants.Wants(string(r.name(ent))) || dir.path == "" && string(r.name(ent)) == ".hg" {
			continue
		}
		r.entry(fd, dir, &known, ent, place)
	}
	return nil
}

// entriesOf is what the dirstate has directly in one directory.
type entriesOf struct {
	tree  *dirstate.Tree
	all   *dirstate.Dirstate
	files []int32
	dirs  []int32
	skip  int // where the names begin in the paths
}

// file finds the entry of a name.
func (k *entriesOf) file(name []byte) (int, bool) {
	lo, hi := 0, len(k.files)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch at := k.all.Path(int(k.files[mid]))[k.skip:]; {
		case at == string(name):
			return int(k.files[mid]), true
		case at < string(name):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// dir finds the directory of a name.
func (k *entriesOf) dir(name []byte) int {
	lo, hi := 0, len(k.dirs)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch at := k.tree.Dir(int(k.dirs[mid])).Path[k.skip:]; {
		case at == string(name):
			return int(k.dirs[mid])
		case at < string(name):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

func (r *reader) entry(fd int, dir *directory, known *entriesOf, ent dirent, place int) {
	name := r.name(ent)
	if i, ok := known.file(name); ok {
		if path := known.all.Path(i); r.always || r.m.Match(path) {
			r.tracked(fd, i, ent)
		}
		if ent.kind == unix.DT_DIR {
			r.subdirectory(dir, known, name, place)
		}
		return
	}
	switch ent.kind {
	case unix.DT_DIR:
		r.subdirectory(dir, known, name, place)
	case unix.DT_REG, unix.DT_LNK:
		path := below(dir.path, name)
		if r.isSubrepo(path) {
			return
		}
		if (r.always || r.m.Match(path)) && !r.isIgnored(path) {
			r.met = append(r.met, path)
		}
	}
}

// below is the path of a name in a directory.
func below(dir string, name []byte) string {
	if dir == "" {
		return string(name)
	}
	return dir + "/" + string(name)
}

// errSpecial is about a file that hg takes for missing, or for what is tracked:
// with some patterns its walk meets the name, with others it looks at the file
// alone.
var errSpecial = hgerr.NewUnsupported("a pipe or socket in the place of a tracked file, beside patterns")

// tracked judges entry i of the dirstate by what bears its name.
func (r *reader) tracked(fd, i int, ent dirent) {
	if ent.kind != unix.DT_REG && ent.kind != unix.DT_LNK {
		if !r.always && ent.kind != unix.DT_DIR {
			r.fail(errSpecial)
			return
		}
		r.judge(i, nil)
		return
	}
	if !needsStat(r.wc.Dirstate.Item(i)) {
		r.judge(i, &fileStat{mode: uint32(ent.kind) << 12, size: -1})
		return
	}
	if r.stat(fd, ent, &r.st) != 0 {
		return // it is gone; the last step of the walk finds that out
	}
	st := fileStat{mode: r.st.Mode, size: r.st.Size, sec: r.st.Mtim.Sec} // hg's listing of directories knows seconds only
	if !st.trackable() {
		r.judge(i, nil)
		return
	}
	r.judge(i, &st)
}

func (r *reader) subdirectory(dir *directory, known *entriesOf, name []byte, place int) {
	n := known.dir(name)
	var path string
	if n >= 0 {
		path = r.tree.Dir(n).Path
	} else {
		path = below(dir.path, name)
	}
	if r.isSubrepo(path) {
		return
	}
	if r.dirIgnored(n, path) {
		return
	}
	if len(r.spare) == 0 {
		r.spare = make([]directory, 64)
	}
	child := &r.spare[0]
	r.spare = r.spare[1:]
	*child = directory{path, n, dir, place}
	r.children = append(r.children, child)
}

func openDir(at int, path string) (int, error) {
	for {
		fd, err := unix.Openat(at, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
