// SPDX-License-Identifier: GPL-2.0-or-later

// Package status tells which files changed: in the working directory against
// its first parent (Status), against any other revision (Against), and between
// two revisions (Revisions).
//
// It gives what hg gives, down to the corners of hg's walk: what an explicitly
// named file means, what is left out below ignored directories and nested
// repositories, which directories cannot be read. The work is arranged
// differently: directories are read in parallel, the files' types come from the
// directory, and only a file that a stat can say something about is stat'ed.
//
// It opens directories and stats files, and never writes: hg, unlike this
// package, records in the dirstate what it found clean. Contents are compared
// by the caller's Differs. Subrepositories, sparse and narrow checkouts,
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
	// Ignore is nil when nothing is ignored.
	Ignore Ignorer
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
	// directory"). It is called before Status returns, and not at all when
	// Status fails. name is relative to the root, but for an unreadable
	// directory it is relative to Cwd already, as it is when hg shows it.
	Bad func(name, reason string)
	// Now is the time in seconds since 1970, or 0. A file whose modification
	// time is not before it is compared whatever the dirstate says, as Mercurial
	// does since 7.
	Now int64
	// Workers bounds the goroutines that read directories; 0 means as many as
	// there are processors, up to 8.
	Workers int
}

// Status compares the working directory with its first parent.
func Status(ctx context.Context, wc *WorkingCopy) (*Result, error) {
	w, err := walk(ctx, wc)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	entries := wc.Dirstate.Entries()
	for i, c := range w.class {
		path := entries[i].Path
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
			if wc.ListClean {
				r.Clean = append(r.Clean, path)
			}
		case classUnsure:
			if err := w.compare(ctx, path, r); err != nil {
				return nil, err
			}
		}
	}
	for _, path := range w.explicit {
		switch ignored := w.pathIgnored(path); {
		case ignored && wc.ListIgnored:
			w.ignored = append(w.ignored, path)
		case !ignored && wc.ListUnknown:
			w.unknown = append(w.unknown, path)
		}
	}
	r.Unknown, r.Ignored = w.unknown, w.ignored
	r.sort()
	r.Unknown, r.Ignored = slices.Compact(r.Unknown), slices.Compact(r.Ignored)
	w.tellBad()
	return r, nil
}

// Walk lists the files that hg's ctx.walk finds: what is in the dirstate and,
// unless ignored, what is on disk, as far as it matches. ListUnknown and its
// like, P1 and Differs are not used.
func Walk(ctx context.Context, wc *WorkingCopy) ([]string, error) {
	c := *wc
	c.ListUnknown, c.ListIgnored = true, false
	w, err := walk(ctx, &c)
	if err != nil {
		return nil, err
	}
	list := append(w.unknown, w.explicit...)
	entries := c.Dirstate.Entries()
	for i, class := range w.class {
		if class != classNone {
			list = append(list, entries[i].Path)
		}
	}
	slices.Sort(list)
	w.tellBad()
	return slices.Compact(list), nil
}

// Tracked lists the files that are tracked in the working directory and match,
// without looking at it: hg's ctx.matches.
func Tracked(d *dirstate.Dirstate, m match.Matcher) []string {
	var list []string
	for i := range d.Entries() {
		e := &d.Entries()[i]
		if e.Item.Tracked() && (m == nil || m.Match(e.Path)) {
			list = append(list, e.Path)
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
	if ok && flagOf(w.wc.Root, path) == e.Flag {
		differs, err = w.wc.Differs(ctx, path, e)
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

// isFileError tells an error of the file system from hgbroker's own.
func isFileError(err error) bool {
	var pe *fs.PathError
	var errno syscall.Errno
	return !hgerr.IsUnsupported(err) && (errors.As(err, &pe) || errors.As(err, &errno))
}
