// SPDX-License-Identifier: GPL-2.0-or-later

// Package status tells which files changed: in the working directory against
// its first parent (Status), against any other revision (Against), and between
// two revisions (Revisions).
//
// It gives what hg gives, down to the corners of hg's walk: what an explicitly
// named file means, what is left out below ignored directories and nested
// repositories, which directories cannot be read. The work is arranged
// differently: directories are read in parallel beside the dirstate's Tree, the
// files' types come from the directory, and only a file that a stat can say
// something about is stat'ed. With a Memo a directory that is what it was is not
// read again (contents.go). Results stand where the dirstate's entries stand, so
// that only what is not tracked is sorted.
//
// It opens directories and stats files, and never writes: hg, unlike this
// package, records in the dirstate what it found clean. Contents are compared
// by the caller's Differs; what is in subrepositories is the caller's to add. Narrow checkouts,
// case-insensitive file systems and those without symbolic links or execute
// bits (CheckFilesystem) are the caller's to refuse. The directory times that
// dirstate-v2 can hold are not used to save reading directories: only the Rust
// implementation of hg writes them.
package status

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
)

// Result is the files by what became of them, each list sorted by bytes.
type Result struct {
	Modified, Added, Removed, Deleted, Unknown, Ignored, Clean []string
}

// Reverse is the result seen from the other side: what was added is removed.
// Of the working directory's own kinds nothing is left, as in hg.
func (r *Result) Reverse() *Result {
	return &Result{Modified: r.Modified, Added: r.Removed, Removed: r.Added, Clean: r.Clean}
}

func (r *Result) sort() {
	for _, l := range []*[]string{&r.Modified, &r.Added, &r.Removed, &r.Deleted, &r.Unknown, &r.Ignored, &r.Clean} {
		slices.Sort(*l)
	}
}

// Files finds files in one revision of the manifest. A manifest.Manifest does.
type Files interface {
	Lookup(path string) (manifest.Entry, bool, error)
}

// Ignorer decides about one path, not about the directories above it. An
// *ignore.Rules does. It must be safe for concurrent use.
type Ignorer interface {
	Ignored(path string) bool
}

// WorkingCopy is a working directory and what is asked about it.
type WorkingCopy struct {
	// Root is the absolute path of the working directory's root.
	Root string
	// Cwd is where the user is, as in match.Options.
	Cwd      string
	Dirstate *dirstate.Dirstate
	// P1 is the first parent's manifest.
	P1 Files
	// Ignore loads the rules of what is ignored; nil when nothing is. It is
	// called at most once, and only when hg would load them: a broken rule
	// does not disturb a command that has no use for it. warn is for the
	// warnings of loading.
	Ignore func(warn func(string)) (Ignorer, error)
	// Match selects the files; nil means all.
	Match match.Matcher
	// ListUnknown, ListIgnored and ListClean ask for those files, too. Without
	// the first two only the files in the dirstate are looked at.
	ListUnknown, ListIgnored, ListClean bool
	// Differs compares a file (or the target of a symbolic link) in the working
	// directory with a revision of it. It is called with the path and entry of
	// that revision, from one goroutine, in the order of the paths. An error of
	// the file system makes the file a deleted one.
	Differs func(ctx context.Context, path string, e manifest.Entry) (bool, error)
	// Bad is told of what was named and is not there, and of directories that
	// cannot be read, in hg's order and with hg's reasons ("No such file or
	// directory"). name is relative to the root, but for an unreadable
	// directory it is relative to Cwd already, as it is when hg shows it.
	// Warn is given Ignore's warnings. Both are called at the end, and not at
	// all when the answer is Unsupported. Either may be nil.
	Bad  func(name, reason string)
	Warn func(text string)
	// Now is the time in seconds since 1970, or 0. A file whose modification
	// time is not before it is compared whatever the dirstate says, as Mercurial
	// does since 7.
	Now int64
	// Subrepos are the paths of the subrepositories, sorted. Nothing in or about
	// them is looked at.
	Subrepos []string
	// Sparse makes the matcher of a sparse checkout; nil when it is none. A file
	// that it does not match is looked at only when it is named. It is called at
	// most once, when hg would read the rules; warn is for its warnings.
	Sparse func(warn func(string)) (match.Matcher, error)
	// Memo remembers what was found; nil remembers nothing. Began is when the
	// command began, before which a file must have changed for its comparison to
	// be remembered.
	Memo  *Memo
	Began time.Time
	// Filesystem is what CheckFilesystem found; 0 when it is not known.
	Filesystem int64
	// Workers bounds the goroutines that read directories; 0 means as many as
	// there are processors, up to 8.
	Workers int

	auditor *match.Auditor
}

// Status compares the working directory with its first parent.
func Status(ctx context.Context, wc *WorkingCopy) (*Result, error) {
	w := newWalker(wc)
	r, err := w.status(ctx)
	if hgerr.IsUnsupported(err) {
		return nil, err
	}
	w.tell()
	return r, err
}

func (w *walker) status(ctx context.Context) (*Result, error) {
	if err := w.walk(ctx); err != nil {
		return nil, err
	}
	wc, r := w.wc, &Result{}
	if err := w.others(r); err != nil {
		return nil, err
	}
	for i, c := range w.class {
		if c == classNone || c == classClean && !wc.ListClean {
			continue
		}
		path := wc.Dirstate.Path(i)
		switch c {
		case classModified:
			r.Modified = append(r.Modified, path)
		case classAdded:
			r.Added = append(r.Added, path)
		case classRemoved:
			r.Removed = append(r.Removed, path)
		case classDeleted:
			r.Deleted = append(r.Deleted, path)
		case classClean:
			r.Clean = append(r.Clean, path)
		case classUnsure:
			if err := w.compare(ctx, path, r); err != nil {
				return nil, err
			}
		}
	}
	r.sort()
	r.Unknown, r.Ignored = slices.Compact(r.Unknown), slices.Compact(r.Ignored)
	return r, nil
}

// others sorts the files that are not in the dirstate into unknown and ignored
// ones. Those that a walk for unknown files met are known not to be ignored.
func (w *walker) others(r *Result) error {
	wc := w.wc
	if wc.ListUnknown && !wc.ListIgnored {
		r.Unknown = w.found
		for _, path := range w.explicit {
			if !w.pathIgnored(path) {
				r.Unknown = append(r.Unknown, path)
			}
		}
		return nil
	}
	list := append(w.found, w.explicit...)
	if len(list) == 0 {
		return nil
	}
	if err := w.loadIgnore(); err != nil {
		return err
	}
	for _, path := range list {
		switch ignored := w.pathIgnored(path); {
		case ignored && wc.ListIgnored:
			r.Ignored = append(r.Ignored, path)
		case !ignored && wc.ListUnknown:
			r.Unknown = append(r.Unknown, path)
		}
	}
	return nil
}

// Walk lists the files that hg's ctx.walk finds: what is in the dirstate and,
// unless ignored, what is on disk, as far as it matches. ListUnknown and its
// like, P1 and Differs are not used.
func Walk(ctx context.Context, wc *WorkingCopy) ([]string, error) {
	c := *wc
	c.ListUnknown, c.ListIgnored = true, false
	w := newWalker(&c)
	err := w.walk(ctx)
	if hgerr.IsUnsupported(err) {
		return nil, err
	}
	w.tell()
	if err != nil {
		return nil, err
	}
	list := append(w.found, w.explicit...)
	for i, class := range w.class {
		if class != classNone {
			list = append(list, c.Dirstate.Path(i))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// Tracked lists the files that are tracked in the working directory and match,
// without looking at it: hg's ctx.matches. When the matcher names nothing but
// files of the dirstate they come as often as they are named, as in hg.
func Tracked(d *dirstate.Dirstate, m match.Matcher) []string {
	if m == nil {
		m = match.Always()
	}
	var list []string
	if files := m.Files(); m.IsExact() || m.Prefix() && (len(files) > 0 || namesNothing(m)) {
		all := true
		for _, path := range files {
			e, ok := d.Lookup(path)
			all = all && ok
			if e.Item.Tracked() {
				list = append(list, path)
			}
		}
		if all || m.IsExact() {
			slices.Sort(list)
			return list
		}
		list = nil
	}
	always := m.Always()
	for i := range d.Len() {
		if d.Item(i).Tracked() && (always || m.Match(d.Path(i))) {
			list = append(list, d.Path(i))
		}
	}
	return list
}

// compare finds out about a file whose stat leaves it open.
func (w *walker) compare(ctx context.Context, path string, r *Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e, ok, err := w.wc.P1.Lookup(path)
	if err != nil {
		return err
	}
	differs := true
	if ok {
		differs, err = w.wc.differs(ctx, path, e)
	}
	switch {
	case err != nil && !isFileError(err):
		return err
	case err != nil:
		r.Deleted = append(r.Deleted, path)
	case differs:
		r.Modified = append(r.Modified, path)
	case w.wc.ListClean:
		r.Clean = append(r.Clean, path)
	}
	return nil
}

// differs compares flags, then contents. hg refuses to read a file behind a
// symbolic link or in a repository inside, but only when it has to: the sizes
// may tell already. That is left to it, and so is a fifo, on which it hangs.
func (wc *WorkingCopy) differs(ctx context.Context, path string, e manifest.Entry) (bool, error) {
	var raw unix.Stat_t
	var st *fileStat // nil: no file
	if rawLstat(join(wc.Root, path), &raw) == nil {
		st = statOf(&raw)
	}
	if st.flag() != e.Flag {
		return true, nil
	}
	if st != nil && !st.trackable() && st.kind() != unix.S_IFDIR {
		return false, hgerr.NewUnsupported("comparing %s, which is no file", path)
	}
	if e.Flag != manifest.Symlink {
		if wc.auditor == nil {
			wc.auditor = &match.Auditor{Root: wc.Root}
		}
		if err := wc.auditor.Audit(path); err != nil {
			return false, hgerr.NewUnsupported("comparing a file where hg may not: %v", err)
		}
	}
	file := identityOf(&raw)
	if differs, ok := wc.Memo.compared(path, file, e); ok {
		return differs, nil
	}
	differs, err := wc.Differs(ctx, path, e)
	if err == nil && st != nil {
		wc.Memo.remember(path, file, e, differs, wc.Began)
	}
	return differs, err
}

// isFileError tells an error of the file system from hgbroker's own.
func isFileError(err error) bool {
	var pe *fs.PathError
	var errno syscall.Errno
	return !hgerr.IsUnsupported(err) && (errors.As(err, &pe) || errors.As(err, &errno))
}
