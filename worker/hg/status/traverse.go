// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"errors"
	"runtime"
	"slices"

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
	// inside is where the contents are kept of one that the tree does not have.
	inside **contents
	// Files number from to end, 0 for none, are all that is to be looked at.
	from, end int
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

// traversal is the parallel walk below one directory. Beside what a gang guards,
// mu guards stack and readers; the entries of the dirstate that a directory holds
// belong to who reads it.
type traversal struct {
	*walker
	gang[*directory]
	keeper
	ctx     context.Context
	top     int // descriptor of the working directory's root
	stack   []*directory
	readers []*reader
	limit   int // of readers
}

// reader is the part of a traversal that one goroutine has for itself.
type reader struct {
	*traversal
	*listing
	base
	st       unix.Stat_t
	path     []byte          // of what is looked at, with a zero at its end
	short    [shortPath]byte // memory for most paths
	met      []string        // files that are not in the dirstate
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

const (
	// filesWorth is how many files one more goroutine must be good for.
	filesWorth = 128
	// directoriesWorth is the same of directories of which nothing is known.
	directoriesWorth = 16
	// piece is how many files of a directory are looked at together.
	piece = 64
	// shortPath is how long most paths are at most, with the zero at their end.
	shortPath = 256
	// firstRoom is for how many directories there is room at first.
	firstRoom = 16
)

// traverse walks the directory dir and all below it.
func (w *walker) traverse(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	root := &directory{path: dir, node: -1}
	if n, ok := w.tree.Find(dir); ok {
		root.node = n
	}
	fd, err := openDir(unix.AT_FDCWD, w.wc.Root, unix.O_PATH)
	if err != nil {
		return hgerr.NewUnsupported("directory %s: %v", w.wc.Root, err)
	}
	defer unix.Close(fd)
	t := &traversal{walker: w, ctx: ctx, stack: append(make([]*directory, 0, firstRoom), root), top: fd, limit: w.workers()}
	t.keep(w, fd)
	t.gang.init(t.pop)
	t.work(t.another(base{fd, false}).look)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	var refused []refusal
	for _, r := range t.readers {
		w.found = append(w.found, r.met...)
		refused = append(refused, r.refused...)
		if r.listing != nil {
			listings.Put(r.listing)
		}
	}
	slices.SortFunc(refused, func(a, b refusal) int { return before(a.dir, b.dir) })
	for _, r := range refused {
		w.bad(match.PathTo(w.wc.Root, w.wc.Cwd, r.dir.path), r.reason)
	}
	return nil
}

// another adds a reader. It is called under mu, or by the first one.
func (t *traversal) another(b base) *reader {
	r := &reader{traversal: t, base: b}
	r.path = r.short[:0]
	t.readers = append(t.readers, r)
	return r
}

func (t *traversal) pop() (*directory, bool) {
	last := len(t.stack) - 1
	if last < 0 {
		return nil, false
	}
	if err := t.ctx.Err(); err != nil {
		t.err = err
		return nil, false
	}
	dir := t.stack[last]
	t.stack = t.stack[:last]
	return dir, true
}

// push adds the directories that r has met to those to read, and starts one more
// goroutine when there is enough to do.
func (r *reader) push() {
	if len(r.children) == 0 {
		return
	}
	t := r.traversal
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stack = append(t.stack, r.children...)
	r.children = r.children[:0]
	t.rouse()
	n := len(t.stack)
	if len(t.readers) < t.limit && n > 1 && (n > directoriesWorth || t.wc.Dirstate.Len() > filesWorth*len(t.readers)) {
		helper := t.another(noBase)
		go func() {
			defer helper.close()
			t.work(helper.look)
		}()
	}
}

// look looks at the entries of one directory.
func (r *reader) look(dir *directory) error {
	defer r.push()
	if err := r.open(r.top); err != nil {
		return err
	}
	if dir.end > 0 {
		r.files(dir)
		return nil
	}
	var wants match.Children
	if !r.always {
		if wants = r.m.VisitChildren(dir.path); wants.Visit == match.VisitNo {
			return nil
		}
	}
	r.path = append(append(r.path[:0], dir.path...), 0)
	if dir.path == "" {
		r.path = append(r.path[:0], '.', 0)
	}
	slot := r.slot(dir)
	if slot != nil && *slot != nil && r.identity(dir) == (*slot).identity {
		r.recall(dir, *slot)
		return nil
	}
	fd, err := openDir(r.root, string(r.path[:len(r.path)-1]), unix.O_RDONLY)
	var id identity
	keep := false
	if err == nil {
		defer unix.Close(fd)
		if slot != nil {
			id, keep = r.identify(fd)
		}
		if r.listing == nil {
			r.listing = listings.Get().(*listing)
		}
		err = r.read(fd)
	}
	var last *contents
	if slot != nil {
		last, *slot = *slot, nil
	}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOENT):
		reason, _ := match.Strerror(err)
		r.refused = append(r.refused, refusal{dir, reason})
		return nil
	case err != nil:
		return hgerr.NewUnsupported("directory %s: %v", dir.path, err)
	}
	met := len(r.met)
	foreign := r.repo && dir.path != "" // another repository
	if !foreign {
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
	}
	if keep && r.room(len(r.met)-met+len(r.children)) {
		*slot = &contents{id, foreign, slices.Clone(r.met[met:]), r.adopt(last)}
	}
	return nil
}

// identity is that of a directory, whose path r.path is; the zero identity when it
// cannot be looked at.
func (r *reader) identity(dir *directory) identity {
	if dir.path == "" {
		return r.here
	}
	if statAt(r.root, &r.path[0], &r.st) != 0 {
		return identity{}
	}
	return identityOf(&r.st)
}

// recall does what look does, from what is known of the directory.
func (r *reader) recall(dir *directory, c *contents) {
	if c.repo {
		return
	}
	r.room(len(c.unknown) + len(c.dirs))
	r.met = append(r.met, c.unknown...)
	for i := range c.dirs {
		sub := &c.dirs[i]
		if sub.node >= 0 {
			r.descend(directory{path: r.tree.Dir(sub.node).Path, node: sub.node, parent: dir, place: sub.place})
		} else {
			r.descend(directory{path: sub.path, node: -1, parent: dir, place: sub.place, inside: &sub.inside})
		}
	}
	if dir.node < 0 {
		return
	}
	n := len(r.tree.Files(dir.node))
	for from := piece; from < n; from += piece {
		r.descend(directory{path: dir.path, node: dir.node, from: from, end: min(from+piece, n)})
	}
	dir.end = min(n, piece)
	r.files(dir)
}

// adopt makes the children that were met those of contents. What is known of one
// that the tree does not have stays known.
func (r *reader) adopt(last *contents) []child {
	if len(r.children) == 0 {
		return nil
	}
	var known map[string]*contents
	if last != nil {
		for _, c := range last.dirs {
			if c.inside != nil {
				if known == nil {
					known = map[string]*contents{}
				}
				known[c.path] = c.inside
			}
		}
	}
	list := make([]child, len(r.children))
	for i, dir := range r.children {
		list[i] = child{node: dir.node, place: dir.place}
		if c := &list[i]; dir.node < 0 {
			c.path, c.inside = dir.path, known[dir.path]
			dir.inside = &c.inside
		}
	}
	return list
}

// farFrom is how many files of a directory make it worth to open it, and look at
// them by their names alone.
const farFrom = 16

// files looks at entries of the dirstate that are in one directory.
func (r *reader) files(dir *directory) {
	files := r.tree.Files(dir.node)[dir.from:dir.end]
	at, skip := r.root, 0
	if len(files) >= farFrom && dir.path != "" {
		if fd, err := openDir(r.root, dir.path, unix.O_PATH); err == nil {
			defer unix.Close(fd)
			at, skip = fd, len(dir.path)+1
		}
	}
	for _, i := range files {
		r.path = append(append(r.path[:0], r.wc.Dirstate.Path(int(i))[skip:]...), 0)
		if statAt(at, &r.path[0], &r.st) == 0 { // otherwise the last step of the walk finds out
			r.settle(int(i))
		}
	}
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
	if r.stat(fd, ent, &r.st) == 0 { // otherwise it is gone; the last step of the walk finds that out
		r.settle(i)
	}
}

// settle judges entry i by r.st.
func (r *reader) settle(i int) {
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
	r.descend(directory{path: path, node: n, parent: dir, place: place})
}

// descend has a directory looked at later.
func (r *reader) descend(dir directory) {
	if len(r.spare) == 0 {
		r.spare = make([]directory, min(r.tree.Len()+1, 64))
	}
	if r.children == nil {
		r.children = make([]*directory, 0, firstRoom)
	}
	child := &r.spare[0]
	r.spare = r.spare[1:]
	*child = dir
	r.children = append(r.children, child)
}

func openDir(at int, path string, how int) (int, error) {
	for {
		fd, err := unix.Openat(at, path, how|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
