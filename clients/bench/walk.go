// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// walk is the bare walk below every status of a working copy that nobody
// watches: each directory is read and each name in it asked for its lstat, by as
// many threads as there are processors, with nothing done about what they say.
type walk struct{ w *world }

func startWalk(w *world) (contender, error) { return &walk{w}, nil }

func (*walk) bare() {}

func (*walk) close() error { return nil }

func (k *walk) ask(args []string) ([]byte, time.Duration, error) {
	if len(args) != 1 || args[0] != "status" {
		return nil, 0, errOther
	}
	start := time.Now()
	var t treeWalk
	t.more = sync.NewCond(&t.mu)
	t.todo = []string{k.w.repo}
	t.left = 1
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(t.work)
	}
	all.Wait()
	took := time.Since(start)
	if t.err == nil && t.files.Load() == 0 {
		t.err = fmt.Errorf("nothing to walk over in %s", k.w.repo)
	}
	return nil, took, t.err
}

// treeWalk is one walk.
type treeWalk struct {
	files atomic.Int64

	mu   sync.Mutex // guards what follows
	more *sync.Cond
	todo []string // directories to read
	left int      // those, and the ones that are being read
	err  error    // the first
}

func (t *treeWalk) work() {
	buf := make([]byte, 64<<10)
	for {
		t.mu.Lock()
		for len(t.todo) == 0 && t.left > 0 {
			t.more.Wait()
		}
		if t.left == 0 {
			t.mu.Unlock()
			return
		}
		dir := t.todo[len(t.todo)-1]
		t.todo = t.todo[:len(t.todo)-1]
		t.mu.Unlock()

		below, err := t.read(dir, buf)

		t.mu.Lock()
		t.todo = append(t.todo, below...)
		t.left += len(below) - 1
		if t.err == nil {
			t.err = err
		}
		t.more.Broadcast()
		t.mu.Unlock()
	}
}

// read reads a directory, and returns those in it.
func (t *treeWalk) read(dir string, buf []byte) (below []string, err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	defer unix.Close(fd)
	var names []string
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", dir, err)
		}
		if n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	for _, name := range names {
		var st unix.Stat_t
		switch err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); {
		case err != nil:
			return nil, fmt.Errorf("stat %s/%s: %w", dir, name, err)
		case st.Mode&unix.S_IFMT != unix.S_IFDIR:
			t.files.Add(1)
		case name != ".hg":
			below = append(below, dir+"/"+name)
		}
	}
	return below, nil
}
