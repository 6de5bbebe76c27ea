// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"hgbroker/protocol/inotify"
)

// A cached repository that was asked for lately is watched: .hg and the store, two
// inotify watches. They are a hint that it is worth loading again before the next
// command comes, and never tell anybody that an image is up to date: that a worker
// sees for itself, each time. hg's locks bracket what belongs together, so that
// nothing is loaded while one of them is held.
//
// Paths may lie on a file system that does not answer, so that only a goroutine
// of their own (scout) touches them; the loop never does.

// Bounds of watching.
const (
	maxWatched = 64 // repositories; the one asked for longest ago makes room
	maxScouted = 64 // questions that wait for the scout
)

type watches struct {
	notify *inotify.Watcher // owned; nil when there is none
	state  string           // why there is none, or "on"
	orders chan func()      // to the scout; nil when there is none; closed at the end
	roots  map[string]*watched
	dirs   map[int32][]*watched // by watch; a store may be that of several
	stale  []int32              // watches that nobody needs, not told the scout yet

	events, refreshes, overflows, failed uint64
}

// watched is one repository.
type watched struct {
	root, store string
	ids         []int32
	used        time.Time // asked for
	ended       bool

	first time.Time // of the changes that no load covers yet; zero: there are none
	due   time.Time // when to look at the locks; zero: not now
}

func (w *watched) dirs() []string {
	return slices.Compact([]string{path.Join(w.root, ".hg"), w.store})
}

// startWatching begins with no watch at all. Without inotify nothing is watched.
func (m *master) startWatching() {
	s := &m.watches
	s.roots, s.dirs = map[string]*watched{}, map[int32][]*watched{}
	var err error
	if s.notify, err = inotify.New(); err != nil {
		s.state = err.Error()
		m.log("repositories are not watched: %v", err)
		return
	}
	s.state = "on"
	s.orders = make(chan func(), maxScouted)
	go s.notify.Read(m.noticed)
	go scout(s.orders)
}

// scout ends when orders is closed, or with the process when a file system never
// answers.
func scout(orders chan func()) {
	for f := range orders {
		f()
	}
}

// stopWatching ends the reader, the scout and all watches.
func (m *master) stopWatching() {
	s := &m.watches
	if s.notify == nil {
		return
	}
	s.notify.Close()
	close(s.orders)
	s.notify, s.orders = nil, nil
	s.state = "off"
	clear(s.roots)
	clear(s.dirs)
}

// ask has the scout run f, unless it is stuck.
func (s *watches) ask(f func()) bool {
	if s.orders == nil {
		return false
	}
	select {
	case s.orders <- f:
		return true
	default:
		s.failed++
		return false
	}
}

// follow watches a repository that is cached and was asked for.
func (m *master) follow(root, store string, now time.Time) {
	s := &m.watches
	if w := s.roots[root]; w != nil {
		if w.store == store {
			w.used = now
			return
		}
		m.unfollow(func(x *watched) bool { return x == w })
	}
	if s.orders == nil || m.draining {
		return
	}
	if len(s.roots) >= maxWatched {
		var oldest *watched
		for _, w := range s.roots {
			if oldest == nil || w.used.Before(oldest.used) {
				oldest = w
			}
		}
		m.unfollow(func(w *watched) bool { return w == oldest })
	}
	w := &watched{root: root, store: store, used: now}
	s.roots[root] = w
	notify := s.notify
	if !s.ask(func() {
		var ids []int32
		var err error
		for _, dir := range w.dirs() {
			var id int32
			if id, err = notify.Add(dir); err != nil {
				break
			}
			ids = append(ids, id)
		}
		m.post(func() { m.followed(w, ids, err) })
	}) {
		delete(s.roots, root)
	}
}

// followed takes what the scout has added.
func (m *master) followed(w *watched, ids []int32, err error) {
	s := &m.watches
	if s.notify == nil {
		return
	}
	for _, id := range ids {
		s.dirs[id] = append(s.dirs[id], w)
	}
	w.ids = ids
	if err != nil {
		s.failed++
		m.log("%s is not watched: %v", w.root, err)
	}
	if err != nil || w.ended {
		m.release(w)
		m.unfollow(func(x *watched) bool { return x == w })
	}
}

// unfollow ends the watching of those for which f says so.
func (m *master) unfollow(f func(*watched) bool) {
	for root, w := range m.watches.roots {
		if f(w) {
			delete(m.watches.roots, root)
			m.release(w)
		}
	}
	m.watches.giveBack()
}

// giveBack has the scout end the watches that nobody needs; what it has no time
// for is tried again.
func (s *watches) giveBack() {
	notify, ids := s.notify, s.stale
	if len(ids) > 0 && notify != nil && s.ask(func() {
		for _, id := range ids {
			notify.Remove(id)
		}
	}) {
		s.stale = nil
	}
}

// release gives up the watches that nobody else needs.
func (m *master) release(w *watched) {
	s := &m.watches
	w.ended = true
	w.first, w.due = time.Time{}, time.Time{}
	for _, id := range w.ids {
		left := slices.DeleteFunc(s.dirs[id], func(x *watched) bool { return x == w })
		if len(left) > 0 {
			s.dirs[id] = left
			continue
		}
		delete(s.dirs, id)
		s.stale = append(s.stale, id)
	}
	w.ids = nil
}

// meaning is what the change of a file in .hg or the store may mean to an image.
// The names are those that Mercurial's sources and `hg help internals` know.
type meaning uint8

const (
	nothing meaning = iota
	aLock           // when it goes, what was held back may be loaded
	content
)

func meaningOf(name string) meaning {
	switch name {
	case "lock", "wlock":
		return aLock
	case "00changelog.i", "00changelog.d", "00changelog.n", "phaseroots", "obsstore", // in the store
		"bookmarks", "localtags", "dirstate", "branch", "requires", "sharedpath":
		return content
	}
	return nothing
}

// noticed is called by the reader of inotify. Most events mean nothing, and do not
// wake the loop.
func (m *master) noticed(e inotify.Event) {
	if e.Lost() || e.Gone() || meaningOf(e.Name) != nothing {
		m.post(func() { m.stirred(e, time.Now()) })
	}
}

// stirred takes an event.
func (m *master) stirred(e inotify.Event, now time.Time) {
	s := &m.watches
	s.events++
	if e.Lost() {
		// What was lost nobody knows: all of them may have changed.
		s.overflows++
		for _, w := range s.roots {
			m.changed(w, content, now)
		}
		return
	}
	for _, w := range slices.Clone(s.dirs[e.Watch]) {
		if e.Gone() {
			m.unfollow(func(x *watched) bool { return x == w })
			continue
		}
		m.changed(w, meaningOf(e.Name), now)
	}
}

// changed notes a change, and puts the load off until nothing more comes.
func (m *master) changed(w *watched, what meaning, now time.Time) {
	if what == aLock && w.first.IsZero() || w.ended {
		return
	}
	if w.first.IsZero() {
		w.first = now
	}
	w.due = now.Add(max(0, min(m.cfg.times.settle, m.cfg.times.settleMost-now.Sub(w.first))))
}

// loading says that a load begins: it sees all that changed before.
func (s *watches) loading(root string) {
	if w := s.roots[root]; w != nil {
		w.first, w.due = time.Time{}, time.Time{}
	}
}

// refresh has loaded what changed and is quiet now.
func (m *master) refresh(now time.Time) {
	s := &m.watches
	for _, w := range s.roots {
		if w.due.IsZero() || now.Before(w.due) {
			continue
		}
		w.due = time.Time{} // until the scout is back, or another event comes
		locks := []string{path.Join(w.root, ".hg/wlock"), path.Join(w.store, "lock")}
		if !s.ask(func() {
			held := slices.ContainsFunc(locks, lockHeld)
			m.post(func() { m.scouted(w, held, time.Now()) })
		}) {
			w.first = time.Time{} // only a hint was lost
		}
	}
}

// scouted knows whether hg is still at work.
func (m *master) scouted(w *watched, held bool, now time.Time) {
	if w.ended || w.first.IsZero() {
		return
	}
	if held {
		// The lock's end is an event. One that was left behind is waited for
		// a while.
		if end := w.first.Add(m.cfg.times.settleMost); now.Before(end) {
			if w.due.IsZero() {
				w.due = end
			}
			return
		}
	}
	w.first, w.due = time.Time{}, time.Time{}
	m.watches.refreshes++
	m.load(w.root)
}

// nextRefresh is when refresh has something to do; zero when never.
func (s *watches) nextRefresh() (next time.Time) {
	for _, w := range s.roots {
		if !w.due.IsZero() && (next.IsZero() || w.due.Before(next)) {
			next = w.due
		}
	}
	return next
}

// cached begins to watch the repositories of a store whose image was admitted,
// if somebody asked for them lately.
func (m *master) cached(store string, now time.Time) {
	for _, r := range m.recents.list {
		if m.stores[r.root] == store && now.Sub(r.used) < m.cfg.times.follow {
			m.follow(r.root, store, r.used)
		}
	}
}

// lockHeld tells whether one of hg's locks is held: it is a symbolic link, or a
// file where there are none.
func lockHeld(lock string) bool {
	_, err := os.Lstat(lock)
	return !errors.Is(err, fs.ErrNotExist)
}
