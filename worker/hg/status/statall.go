// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/match"
)

// statChunk is how many directories one goroutine takes at a time.
const statChunk = 16

// statAll stats the entries of the dirstate that wanted selects, in parallel,
// one directory after the other. Without audit it follows links above them. With
// it, what hg refuses to look at is taken as missing, as hg does.
func (w *walker) statAll(ctx context.Context, wanted func(i int) bool, audit bool) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(w.workers(), w.tree.Len()/statChunk+1) {
		wg.Go(func() {
			s := statter{walker: w, wanted: wanted}
			if audit {
				s.auditor = &match.Auditor{Root: w.wc.Root}
			}
			for ctx.Err() == nil {
				end := int(next.Add(statChunk))
				if end-statChunk >= w.tree.Len() {
					return
				}
				for n := end - statChunk; n < min(end, w.tree.Len()); n++ {
					s.directory(n)
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() == nil && w.special.Load() {
		return errSpecial
	}
	return ctx.Err()
}

// statter is what one goroutine of statAll has for itself.
type statter struct {
	*walker
	wanted  func(i int) bool
	auditor *match.Auditor // nil: no audit
	st      unix.Stat_t
	name    []byte
}

// directory stats the wanted entries of one directory.
func (s *statter) directory(n int) {
	files := s.tree.Files(n)
	for len(files) > 0 && !s.wanted(int(files[0])) {
		files = files[1:]
	}
	if len(files) == 0 {
		return
	}
	dir := s.tree.Dir(n)
	if s.auditor != nil && dir.Skip > 0 && s.auditor.Audit(dir.Path+"/x") != nil {
		for _, i := range files {
			if s.wanted(int(i)) {
				s.judge(int(i), nil)
			}
		}
		return
	}
	fd, skip := unix.AT_FDCWD, 0
	if at, err := unix.Open(join(s.wc.Root, dir.Path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		defer unix.Close(at)
		fd, skip = at, dir.Skip
	}
	for _, file := range files {
		i := int(file)
		if !s.wanted(i) {
			continue
		}
		path := s.wc.Dirstate.Path(i)
		if s.auditor != nil && !innocent(path[dir.Skip:]) && s.auditor.Audit(path) != nil {
			s.judge(i, nil)
			continue
		}
		s.name = s.name[:0]
		if fd == unix.AT_FDCWD {
			s.name = append(append(s.name, s.wc.Root...), '/')
		}
		s.name = append(append(s.name, path[skip:]...), 0)
		s.settle(i, statAt(fd, &s.name[0], &s.st) == 0)
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
	if there && st.kind() == unix.S_IFDIR && s.auditor != nil {
		// The walk has not met this directory, and hg compares it like a file.
		s.judge(i, &st)
		return
	}
	if !there || !st.trackable() {
		s.judge(i, nil)
		return
	}
	s.judge(i, &st)
}
