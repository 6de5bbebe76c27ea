// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
)

// statAll stats the entries of the dirstate that wanted selects, in parallel,
// one directory after the other. Without audit it follows links above them. With
// it, what hg refuses to look at is taken as missing, as hg does.
func (w *walker) statAll(ctx context.Context, wanted func(i int) bool, audit bool) error {
	root, err := openDir(unix.AT_FDCWD, w.wc.Root, unix.O_PATH)
	if err != nil {
		return hgerr.NewUnsupported("directory %s: %v", w.wc.Root, err)
	}
	defer unix.Close(root)
	var g gang[files]
	next := position{tree: w.tree, piece: min(max(w.wc.Dirstate.Len()/filesWorth, piece), maxPiece)}
	g.init(func() (files, bool) {
		if ctx.Err() != nil {
			return files{}, false
		}
		return next.take()
	})
	another := func(b base) *statter {
		s := &statter{walker: w, base: b, wanted: wanted, top: root}
		if audit {
			s.auditor = &match.Auditor{Root: w.wc.Root}
		}
		return s
	}
	for range min(w.workers(), (w.wc.Dirstate.Len()+filesWorth-1)/filesWorth) - 1 {
		helper := another(noBase)
		go func() {
			defer helper.close()
			g.work(helper.look)
		}()
	}
	g.work(another(base{root, false}).look)
	if err := g.failure(); err != nil {
		return err
	}
	if ctx.Err() == nil && w.special.Load() {
		return errSpecial
	}
	return ctx.Err()
}

// maxPiece is how many files at most are looked at together, but for the rest of
// a directory: two goroutines in one directory are in each other's way.
const maxPiece = 8 * piece

// files are some files, which begin in directory dir of the tree at its file from.
type files struct{ dir, from, count int }

// position is how far the files of a tree are taken.
type position struct {
	tree *dirstate.Tree // nil when all are
	files
	piece int // how many to take
}

// take takes the next files, whole directories unless they are large.
func (p *position) take() (f files, ok bool) {
	if p.tree == nil {
		return f, false
	}
	f = p.files
	for f.count < p.piece {
		left := len(p.tree.Files(p.dir)) - p.from
		if left > p.piece {
			part := p.piece - f.count
			p.from += part
			f.count += part
			break
		}
		f.count += left
		if p.dir, p.from = p.dir+1, 0; p.dir == p.tree.Len() {
			p.tree = nil
			break
		}
	}
	return f, true
}

// statter is what one goroutine of statAll has for itself.
type statter struct {
	*walker
	base
	wanted  func(i int) bool
	auditor *match.Auditor // nil: no audit
	top     int            // descriptor of the working directory's root
	st      unix.Stat_t
	name    []byte
}

// look stats the wanted ones of some files.
func (s *statter) look(f files) error {
	if err := s.open(s.top); err != nil {
		return err
	}
	for f.count > 0 {
		list := s.tree.Files(f.dir)[f.from:]
		list = list[:min(len(list), f.count)]
		s.directory(f.dir, list)
		f.count -= len(list)
		f.dir, f.from = f.dir+1, 0
	}
	return nil
}

// directory stats the wanted ones of the entries in one directory.
func (s *statter) directory(n int, list []int32) {
	for len(list) > 0 && !s.wanted(int(list[0])) {
		list = list[1:]
	}
	if len(list) == 0 {
		return
	}
	dir := s.tree.Dir(n)
	if s.auditor != nil && dir.Skip > 0 && s.auditor.Audit(dir.Path+"/x") != nil {
		for _, i := range list {
			if s.wanted(int(i)) {
				s.judge(int(i), nil)
			}
		}
		return
	}
	at, skip := s.root, 0
	if len(list) >= farFrom && dir.Skip > 0 {
		if fd, err := openDir(s.root, dir.Path, unix.O_PATH); err == nil {
			defer unix.Close(fd)
			at, skip = fd, dir.Skip
		}
	}
	for _, file := range list {
		i := int(file)
		if !s.wanted(i) {
			continue
		}
		path := s.wc.Dirstate.Path(i)
		if s.auditor != nil && !innocent(path[dir.Skip:]) && s.auditor.Audit(path) != nil {
			s.judge(i, nil)
			continue
		}
		s.name = append(append(s.name[:0], path[skip:]...), 0)
		s.settle(i, statAt(at, &s.name[0], &s.st) == 0)
	}
}

// innocent tells that nothing about a name itself can be refused by an audit.
func innocent(name string) bool {
	for i := range len(name) {
		c := name[i]
		hidden := c == '.' && i+2 < len(name) && name[i+1]|0x20 == 'h' && name[i+2]|0x20 == 'g'
		if c >= 0x80 || c == '~' || hidden {
			return false
		}
	}
	return name != "" && name != ".."
}

// settle judges entry i by what stat said.
func (s *statter) settle(i int, there bool) {
	st := fileStat{mode: s.st.Mode, size: s.st.Size, sec: s.st.Mtim.Sec} // as in a directory's listing
	if there && !st.trackable() && st.kind() != unix.S_IFDIR && !s.always {
		s.special.Store(true)
	}
	if there && s.auditor != nil {
		// The walk has not met this, and hg compares also what is no file.
		s.judge(i, &st)
		return
	}
	if !there || !st.trackable() {
		s.judge(i, nil)
		return
	}
	s.judge(i, &st)
}
