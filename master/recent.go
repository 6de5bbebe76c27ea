// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// The repositories used last are remembered in a file, so that the next master
// can load them before somebody asks. It holds paths and nothing of what is in
// them:
//
//	hgbroker recent 1        the format
//	/home/me/src/project     working directories, the one used last first
//	...
//
// The file is "recent" in the user's own cache directory, which must be his alone.
// It is replaced as a whole (rename), at most every few minutes and at the end. It
// may be lost or old at any time: nothing depends on it. Masters of several
// builds share it, and the one that writes last wins.

const (
	recentHead  = "hgbroker recent 1\n"
	recentFile  = "recent"
	maxRecents  = 32       // repositories in it
	maxRecentIn = 64 << 10 // bytes of it that are read
	// maxPreload is how many of them are loaded at a start.
	maxPreload = 4
)

// recents is what the loop knows of them.
type recents struct {
	dir     string   // "" when nothing is kept
	list    []recent // the one used last first
	changed bool     // since it was written
	written time.Time
	writing chan struct{} // closed when the write that is under way ends; nil: none

	preload   []string // to be loaded when there is time, in order
	asked     string   // what of it is being loaded
	preloaded uint64
	failed    uint64
}

type recent struct {
	root string
	used time.Time // zero when it is known from the file
}

// RecentDir is the directory of the list: hgbroker in $XDG_CACHE_HOME or, when
// that is not an absolute path, in .cache of the user's home; "" without a home.
func RecentDir(getenv func(string) string) string {
	base := getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "hgbroker")
}

// keepRecents begins with the list in dir. It is read beside the loop, which gets
// it when it is there: a home may be slow.
func (m *master) keepRecents(dir string) {
	m.recents.dir = dir
	m.recents.written = m.started
	if dir == "" {
		return
	}
	go func() {
		roots, err := readRecents(dir)
		m.post(func() {
			if err != nil {
				m.log("recent repositories: %v", err)
			}
			m.known(roots)
		})
	}()
}

// known takes over the list of the file behind what was used since.
func (m *master) known(roots []string) {
	r := &m.recents
	for _, root := range roots {
		if len(r.list) >= maxRecents || slices.ContainsFunc(r.list, func(x recent) bool { return x.root == root }) {
			continue
		}
		r.list = append(r.list, recent{root: root})
		if len(r.preload) < maxPreload {
			r.preload = append(r.preload, root)
		}
	}
}

// use moves a repository to the front.
func (r *recents) use(root string, now time.Time) {
	r.preload = slices.DeleteFunc(r.preload, func(x string) bool { return x == root }) // it has come by itself
	if len(r.list) > 0 && r.list[0].root == root {
		r.changed = r.changed || r.list[0].used.IsZero()
		r.list[0].used = now
		return
	}
	r.list = slices.DeleteFunc(r.list, func(x recent) bool { return x.root == root })
	r.list = slices.Insert(r.list, 0, recent{root, now})
	r.list = r.list[:min(len(r.list), maxRecents)]
	r.changed = true
}

// loaded takes the end of a load.
func (r *recents) loaded(root string, well bool) {
	if root != r.asked || root == "" {
		return
	}
	r.asked = ""
	if well {
		r.preloaded++
		return
	}
	r.failed++
	r.list = slices.DeleteFunc(r.list, func(x recent) bool { return x.root == root && x.used.IsZero() })
	r.changed = true
}

// preload loads the next of the list, one at a time, while nobody wants anything.
func (m *master) preload(now time.Time) {
	r := &m.recents
	if len(r.preload) == 0 || r.asked != "" || m.draining || m.queue.size > 0 || len(m.jobs.waiting) > 0 || now.Before(m.nextPreload()) {
		return
	}
	if m.cache.total() > m.cache.limit/2 {
		r.preload = nil // there is room for what is asked for, and that is better known
		return
	}
	root := r.preload[0]
	r.preload = r.preload[1:]
	r.asked = root
	m.load(root)
}

// nextPreload is when the next may be loaded, zero when there is none.
func (m *master) nextPreload() time.Time {
	if len(m.recents.preload) == 0 || m.recents.asked != "" {
		return time.Time{}
	}
	return m.active.Add(m.cfg.times.quiet)
}

// save has the list written if it changed, and enough time has passed.
func (m *master) save(now time.Time) {
	r := &m.recents
	if r.dir == "" || !r.changed || r.writing != nil || now.Sub(r.written) < m.cfg.times.save {
		return
	}
	done := m.write(now)
	go func() {
		<-done
		m.post(func() { r.writing = nil })
	}()
}

// write begins to write the list.
func (m *master) write(now time.Time) chan struct{} {
	r := &m.recents
	roots := make([]string, 0, len(r.list))
	for _, x := range r.list {
		roots = append(roots, x.root)
	}
	done := make(chan struct{})
	r.changed, r.written, r.writing = false, now, done
	go func() {
		defer close(done)
		if err := writeRecents(r.dir, roots); err != nil {
			m.post(func() { m.log("recent repositories: %v", err) })
		}
	}()
	return done
}

// saveLast writes the list at the master's end. A file system that does not
// answer is not waited for.
func (m *master) saveLast() {
	r := &m.recents
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for range 2 { // what is under way, and then the last
		done := r.writing
		if done == nil {
			if r.dir == "" || !r.changed {
				return
			}
			done = m.write(time.Now())
		}
		select {
		case <-done:
			r.writing = nil
		case <-patience.C:
			return
		}
	}
}

// readRecents reads the list; an absent one is empty. What is another user's, or
// could be written by one, is refused.
func readRecents(dir string) ([]string, error) {
	if err := private(dir); err != nil {
		if os.IsNotExist(err) {
			return nil, nil
		}
		return nil, err
	}
	name := filepath.Join(dir, recentFile)
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Getuid() || st.Mode&0o022 != 0 {
		return nil, fmt.Errorf("read %s: not a file of ours alone", name)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxRecentIn))
	if err != nil {
		return nil, fmt.Errorf("read recent repositories: %w", err)
	}
	return parseRecents(string(text)), nil
}

// parseRecents returns the sane paths of a list, and none of a text that is not
// one.
func parseRecents(text string) (roots []string) {
	rest, ok := strings.CutPrefix(text, recentHead)
	if !ok {
		return nil
	}
	for line := range strings.Lines(rest) {
		root, whole := strings.CutSuffix(line, "\n")
		if whole && sanePath(root) && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
		if len(roots) == maxRecents {
			break
		}
	}
	return roots
}

// formatRecents is the reverse. A path that cannot stand on a line is left out.
func formatRecents(roots []string) string {
	var b strings.Builder
	b.WriteString(recentHead)
	for _, root := range roots {
		if sanePath(root) && !strings.Contains(root, "\n") && b.Len()+len(root) < maxRecentIn {
			b.WriteString(root + "\n")
		}
	}
	return b.String()
}

// writeRecents replaces the list.
func writeRecents(dir string, roots []string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	if err := private(dir); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, recentFile+".*") // 0600, and nobody's link
	if err != nil {
		return err
	}
	_, err = temporary.WriteString(formatRecents(roots))
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(dir, recentFile))
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// private checks that a directory is ours, and nobody else's.
func private(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Getuid() || st.Mode&0o077 != 0 {
		return fmt.Errorf("%s: not a directory of ours alone (mode 0700)", dir)
	}
	return nil
}

// listsRecents tells whether a master at this socket keeps a list: only one in the
// directory that is the user's by default. One that was told to live elsewhere is
// to be apart from the others in everything.
func listsRecents(socket string) bool {
	dir, err := protocol.RuntimeDir("")
	return err == nil && filepath.Dir(socket) == dir
}
