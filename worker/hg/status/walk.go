// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
)

// walker is one run of hg's dirstate.walk, in its three steps: the explicitly
// named files, the directories below the named ones, and what the dirstate has
// beyond those.
type walker struct {
	special  atomic.Bool // something that is no file stands where a file is tracked
	wc       *WorkingCopy
	m        match.Matcher
	always   bool
	tree     *dirstate.Tree
	class    []class  // of each entry of the dirstate
	explicit []string // named files that are not in the dirstate
	found    []string // met files that are not in the dirstate, may repeat

	rules   Ignorer         // nil until they are loaded
	ignored map[string]bool // what is known of directories, with those above them
	known   []byte          // of the tree's directories; nil without a Memo
	said    []message
}

// message is something for WorkingCopy.Warn, or with a name for Bad.
type message struct {
	bad        bool
	name, text string
}

func newWalker(wc *WorkingCopy) *walker {
	w := &walker{wc: wc, m: wc.Match, class: make([]class, wc.Dirstate.Len())}
	if w.m == nil {
		w.m = match.Always()
	}
	w.always = w.m.Always()
	w.tree = wc.Dirstate.Tree()
	return w
}

func (w *walker) walk(ctx context.Context) error {
	wc := w.wc
	if wc.ListUnknown && !wc.ListIgnored {
		if err := w.loadIgnore(); err != nil {
			return err
		}
	}
	if wc.Sparse != nil {
		some, err := wc.Sparse(func(text string) { w.said = append(w.said, message{text: text}) })
		if err != nil {
			return err
		}
		w.m = match.Intersect(w.m, match.Union(some, match.Exact(w.m.Files())))
		w.always = w.m.Always()
	}
	exact := w.m.IsExact()
	work, notFound, err := w.named()
	if err != nil {
		return err
	}
	if (wc.ListUnknown || wc.ListIgnored) && !exact {
		for _, dir := range work {
			if w.pathIgnored(dir) {
				continue
			}
			if err := w.traverse(ctx, dir); err != nil {
				return err
			}
		}
	}
	if exact || w.m.Prefix() && len(work) == 0 && !notFound {
		return nil
	}
	return w.remaining(ctx)
}

// judge records what is on disk for entry i.
func (w *walker) judge(i int, st *fileStat) {
	w.class[i] = classify(w.wc.Dirstate.Item(i), w.wc.Dirstate.Copied(i), st, w.wc.Now)
}

func (w *walker) loadIgnore() error {
	if w.wc.Ignore == nil {
		return nil
	}
	var err error
	w.rules, err = w.wc.Ignore(func(text string) { w.said = append(w.said, message{text: text}) })
	w.known = w.wc.Memo.directories(w.rules, w.wc.Dirstate)
	return err
}

// dirIgnored is isIgnored of a directory, which is number n of the tree or -1.
func (w *walker) dirIgnored(n int, path string) bool {
	if n < 0 || w.known == nil {
		return w.isIgnored(path)
	}
	if w.known[n] == unasked {
		w.known[n] = spared
		if w.isIgnored(path) {
			w.known[n] = ignored
		}
	}
	return w.known[n] == ignored
}

// isIgnored asks the rules, if they are loaded, about path alone.
func (w *walker) isIgnored(path string) bool { return w.rules != nil && w.rules.Ignored(path) }

// pathIgnored asks about the directories above path, too.
func (w *walker) pathIgnored(path string) bool {
	if w.rules == nil {
		return false
	}
	if w.rules.Ignored(path) {
		return true
	}
	if path == "" {
		return false
	}
	dir := path[:max(strings.LastIndexByte(path, '/'), 0)]
	ignored, known := w.ignored[dir]
	if !known {
		ignored = w.pathIgnored(dir)
		if w.ignored == nil {
			w.ignored = map[string]bool{}
		}
		w.ignored[dir] = ignored
	}
	return ignored
}

func (w *walker) bad(name, reason string) {
	w.said = append(w.said, message{bad: true, name: name, text: reason})
}

// tell passes the messages on, in order.
func (w *walker) tell() {
	for _, m := range w.said {
		switch {
		case m.bad && w.wc.Bad != nil:
			w.wc.Bad(m.name, m.text)
		case !m.bad && w.wc.Warn != nil:
			w.wc.Warn(m.text)
		}
	}
}

// named looks at what the matcher names. It returns the directories to walk,
// and whether some are only in the dirstate.
func (w *walker) named() (work []string, notFound bool, err error) {
	if w.always && len(w.m.Files()) == 0 {
		return []string{""}, false, nil
	}
	files := slices.DeleteFunc(slices.Sorted(slices.Values(w.m.Files())), w.inSubrepo)
	if len(files) == 0 || files[0] == "" {
		files = []string{""}
	}
	d := w.wc.Dirstate
	seen := map[string]bool{".hg": true}
	for _, path := range w.wc.Subrepos {
		seen[path] = true
	}
	patterns := match.AnyPatterns(w.m)
	for _, name := range files {
		if seen[name] {
			continue
		}
		i, tracked := d.Index(name)
		selected := !patterns || w.m.Match(name)
		record := func(st *fileStat) {
			seen[name] = true
			switch {
			case !selected:
			case tracked:
				w.judge(i, st)
			default:
				w.explicit = append(w.explicit, name)
			}
		}
		st, err := lstat(join(w.wc.Root, name))
		switch {
		case err == nil && st.kind() == unix.S_IFDIR:
			if tracked {
				record(nil)
			}
			work = append(work, name)
		case err == nil && st.trackable():
			record(st)
		case err == nil:
			w.bad(name, badType(st.kind()))
			if tracked {
				record(nil)
			}
		case tracked:
			record(nil)
		case d.HasDir(name):
			notFound = true
		default:
			reason, ok := match.Strerror(err)
			if !ok {
				return nil, false, hgerr.NewUnsupported("file %s: %v", name, err)
			}
			w.bad(name, reason)
		}
	}
	return work, notFound, nil
}

// inSubrepo tells whether path lies in a subrepository.
func (w *walker) inSubrepo(path string) bool {
	return slices.ContainsFunc(w.wc.Subrepos, func(sub string) bool { return strings.HasPrefix(path, sub+"/") })
}

// isSubrepo tells whether path is a subrepository.
func (w *walker) isSubrepo(path string) bool {
	if len(w.wc.Subrepos) == 0 {
		return false
	}
	_, is := slices.BinarySearch(w.wc.Subrepos, path)
	return is
}

func badType(kind uint32) string {
	name := "unknown"
	switch kind {
	case unix.S_IFCHR:
		name = "character device"
	case unix.S_IFBLK:
		name = "block device"
	case unix.S_IFIFO:
		name = "fifo"
	case unix.S_IFSOCK:
		name = "socket"
	}
	return "unsupported file type (type is " + name + ")"
}

// remaining looks at the selected entries of the dirstate that the walk did
// not meet. After a walk for unknown files they are missing, below something
// that is ignored, or behind a symbolic link, where nothing counts as there.
// Without one they are all, and links are followed.
func (w *walker) remaining(ctx context.Context) error {
	if bytes.IndexByte(w.class, classNone) < 0 {
		return ctx.Err()
	}
	wanted := func(i int) bool { return w.class[i] == classNone && (w.always || w.m.Match(w.wc.Dirstate.Path(i))) }
	return w.statAll(ctx, wanted, w.wc.ListUnknown)
}
