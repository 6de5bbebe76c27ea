// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/protocol/inotify"
)

// A repository that a client has opened is followed by two inotify watches, on
// .hg and on its store. They say that something happened and, by the names that
// hg gives its files, of what kind; what is really there a worker is asked, whose
// generation also tells whether anything changed at all. hg's locks bracket what
// belongs together: while one of them is held nothing is told.

const (
	// settleFor is how long a repository without a lock must be quiet.
	settleFor = 20 * time.Millisecond
	// settleMost bounds the wait for that, and for locks: a lock may have been
	// left behind.
	settleMost = 2 * time.Second
	// maxFollowed bounds the repositories that one client has open.
	maxFollowed = 256
)

// follower follows the repositories of one client.
type follower struct {
	s      *Server
	notify *inotify.Watcher // nil when the system has no more watches to give
	err    error            // why

	mu    sync.Mutex // guards what follows
	roots map[string]*followed
	dirs  map[int32][]*followed // by watch; a store may be that of several
	ended bool
	tasks sync.WaitGroup
}

// followed is one repository.
type followed struct {
	root, dot, store string
	opened           int // how often
	watches          []int32

	kinds      map[string]bool // that changed since the last notification
	first      time.Time       // of those changes
	timer      *time.Timer
	generation string
}

func (s *Server) follower() *follower {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.following == nil {
		f := &follower{s: s, roots: map[string]*followed{}, dirs: map[int32][]*followed{}}
		if f.notify, f.err = inotify.New(); f.err == nil {
			f.tasks.Go(func() { f.notify.Read(f.event) })
		}
		s.following = f
	}
	return s.following
}

// endFollowing ends all watches.
func (s *Server) endFollowing() {
	s.mu.Lock()
	f := s.following
	s.mu.Unlock()
	if f == nil {
		return
	}
	f.mu.Lock()
	f.ended = true
	for _, r := range f.roots {
		r.stop()
	}
	f.mu.Unlock()
	if f.notify != nil {
		f.notify.Close()
	}
	f.tasks.Wait()
}

func (r *followed) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// repositoryOpen answers repository/open.
func (s *Server) repositoryOpen(ctx context.Context, r *request) ([]byte, error) {
	inlineOf(ctx).leave()
	set := s.settings()
	dir, err := r.place(set.dir)
	if err != nil {
		return nil, err
	}
	h := s.asker(ctx, dir, set)
	where, err := h.records(3, "root", "-T", `{reporoot}\0{hgpath}\0{storepath}\0`)
	if err != nil {
		return nil, err
	}
	if len(where) != 1 {
		return nil, fmt.Errorf("hg printed %d roots", len(where))
	}
	res := &protocol.OpenResult{Root: protocol.Text(where[0][0]), Store: protocol.Text(where[0][2]), Requirements: []protocol.Text{}}
	out, err := h.hg(0, "debugrequirements")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		res.Requirements = append(res.Requirements, protocol.Text(strings.TrimSuffix(line, "\n")))
	}
	// It is watched before it is looked at: no change falls between the two.
	f := s.follower()
	if err := f.open(where[0][0], where[0][1], where[0][2]); err != nil {
		if f.err == nil {
			return nil, err
		}
		s.warn("%v is not watched: %v", where[0][0], f.err)
	} else {
		res.Watched = true
	}
	state, reason, err := s.stateNow(ctx, where[0][0])
	if err != nil {
		f.close(where[0][0])
		return nil, err
	}
	f.seen(where[0][0], state)
	res.Native, res.Reason, res.Generation = reason == "", reason, state
	r.served = h.bound.Served
	return protocol.MarshalResult(res)
}

// stateNow asks a reader for the generation of a repository, and so has it
// loaded; reason is why it cannot be read natively.
func (s *Server) stateNow(ctx context.Context, root string) (generation, reason string, err error) {
	set := s.settings()
	call := &protocol.Call{Method: protocol.MethodState, Params: []byte("{}"), Dir: root, Config: set.config}
	end, err := s.ask(ctx, protocol.Reader, func() bool { return true }, func(c *protocol.Channel) (*protocol.Ending, error) {
		return c.Call(ctx, call)
	})
	switch {
	case err != nil:
		return "", "", err
	case end.Unsupported != nil:
		return "", end.Unsupported.Message, nil
	case end.Failed != nil:
		return "", end.Failed.Message, nil
	}
	var bound protocol.Bound
	if err := json.Unmarshal(end.Result, &bound); err != nil {
		return "", "", fmt.Errorf("decode a worker's result: %w", err)
	}
	return bound.Generation, "", nil
}

// repositoryClose answers repository/close.
func (s *Server) repositoryClose(ctx context.Context, r *request) ([]byte, error) {
	dir, err := r.place(s.settings().dir)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if !s.follower().close(dir) {
		return nil, invalidParams(dir + " is in no open repository")
	}
	return []byte("null"), nil
}

func (f *follower) open(root, dot, store string) error {
	if f.notify == nil {
		return f.err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.roots[root]; r != nil {
		r.opened++
		return nil
	}
	if len(f.roots) >= maxFollowed {
		return requestFailed(fmt.Sprintf("more than %d repositories are open", maxFollowed), protocol.ErrorData{Kind: protocol.KindBusy})
	}
	r := &followed{root: root, dot: dot, store: store, opened: 1, kinds: map[string]bool{}}
	for _, dir := range slices.Compact([]string{dot, store}) {
		w, err := f.notify.Add(dir)
		if err != nil {
			f.forget(r)
			if errors.Is(err, unix.ENOSPC) {
				f.err = err
			}
			return err
		}
		r.watches = append(r.watches, w)
		f.dirs[w] = append(f.dirs[w], r)
	}
	f.roots[root] = r
	return nil
}

// seen notes the generation that the client was given when it opened root, unless
// it has been told of a newer one.
func (f *follower) seen(root, generation string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.roots[root]; r != nil && r.generation == "" {
		r.generation = generation
	}
}

// close closes the repository that holds dir, and reports whether one was open.
func (f *follower) close(dir string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; ; dir = filepath.Dir(dir) {
		if r := f.roots[dir]; r != nil {
			if r.opened--; r.opened == 0 {
				f.forget(r)
			}
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// forget ends the watches of r that nobody else needs. f.mu is held.
func (f *follower) forget(r *followed) {
	r.stop()
	delete(f.roots, r.root)
	for _, w := range r.watches {
		f.dirs[w] = slices.DeleteFunc(f.dirs[w], func(x *followed) bool { return x == r })
		if len(f.dirs[w]) == 0 {
			delete(f.dirs, w)
			f.notify.Remove(w)
		}
	}
}

// event is called by the reader of inotify.
func (f *follower) event(e inotify.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Lost() {
		for _, r := range f.roots {
			f.changed(r, everyKind)
		}
		return
	}
	for _, r := range f.dirs[e.Watch] {
		if e.Gone() {
			f.changed(r, everyKind)
			continue
		}
		if kinds := kindsOf(e.Name); kinds != nil {
			f.changed(r, kinds)
		}
	}
}

var everyKind = []string{"commits", "config", "conflicts", "refs", "state", "status"}

// kindsOf is what a change of a file in .hg or its store may mean; nil means
// nothing to a client. The files are those that `hg help internals` and
// Mercurial's own sources name.
func kindsOf(name string) []string {
	switch name {
	case "wlock", "lock":
		return []string{} // when it goes, what was held back may be told
	case "dirstate", "branch":
		return []string{"state", "status"}
	case "00changelog.i", "00changelog.d", "00manifest.i":
		return []string{"commits", "refs"}
	case "phaseroots", "obsstore":
		return []string{"commits"}
	case "bookmarks", "bookmarks.current", "localtags", "remotenames":
		return []string{"refs", "state"}
	case "hgrc", "hgrc-not-shared", "requires", "sharedpath":
		return []string{"config"}
	case "merge":
		return []string{"conflicts", "state", "status"}
	case "topic", "graftstate", "rebasestate", "histedit-state", "shelvedstate", "updatestate", "bisect.state", "evolvestate", "sparse", "narrowspec":
		return []string{"state", "status"}
	}
	return nil
}

// changed notes what changed and puts the telling off a little. f.mu is held.
func (f *follower) changed(r *followed, kinds []string) {
	if f.ended || len(kinds) == 0 && len(r.kinds) == 0 {
		return
	}
	now := time.Now()
	if len(r.kinds) == 0 {
		r.first = now
	}
	for _, k := range kinds {
		r.kinds[k] = true
	}
	f.later(r, now)
}

func (f *follower) later(r *followed, now time.Time) {
	wait := min(settleFor, max(0, settleMost-now.Sub(r.first)))
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, func() { f.settle(r) })
		return
	}
	r.timer.Reset(wait)
}

// settle tells the client, unless hg is still at work.
func (f *follower) settle(r *followed) {
	now := time.Now()
	f.mu.Lock()
	if f.ended || f.roots[r.root] != r || len(r.kinds) == 0 {
		f.mu.Unlock()
		return
	}
	if (held(r.dot+"/wlock") || held(r.store+"/lock")) && now.Sub(r.first) < settleMost {
		f.later(r, now)
		f.mu.Unlock()
		return
	}
	kinds := slices.Sorted(maps.Keys(r.kinds))
	clear(r.kinds)
	last := r.generation
	f.tasks.Add(1)
	f.mu.Unlock()
	defer f.tasks.Done()

	ctx, cancel := context.WithTimeout(f.s.ctx, settleMost)
	defer cancel()
	generation, reason, err := f.s.stateNow(ctx, r.root)
	if err != nil || reason != "" {
		generation = "" // nobody can tell: it counts as changed
	}
	f.mu.Lock()
	if f.ended || f.roots[r.root] != r {
		f.mu.Unlock()
		return
	}
	r.generation = generation
	f.mu.Unlock()
	if generation == last && generation != "" && !slices.Contains(kinds, "config") && !slices.Contains(kinds, "conflicts") {
		return // hg rewrote what it had
	}
	f.s.notify(protocol.MethodDidChange, protocol.DidChangeParams{Root: protocol.Text(r.root), Generation: generation, Kinds: kinds})
}

// held tells whether one of hg's locks is held: it is a symbolic link, or a file
// where there are none.
func held(lock string) bool {
	_, err := os.Lstat(lock)
	return !errors.Is(err, fs.ErrNotExist)
}
