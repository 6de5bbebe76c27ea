// SPDX-License-Identifier: GPL-2.0-or-later

package requires

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/store"
)

// Layout says where the parts of a repository are. All paths are absolute. It
// is immutable.
type Layout struct {
	Root         string // the working directory, symbolic links resolved: what `hg root` prints
	Dot          string // Root/.hg
	SharedDot    string // the .hg that owns the store: a share's source, else Dot
	StorePath    string // the store with symbolic links resolved: its identity
	Requirements Set    // of the checkout and of the store together
	Shared       bool   // the store belongs to another repository
	ShareSafe    bool   // the store has requirements of its own

	// Sources are the files that all this was read from. While every one of
	// them is Fresh, Resolve would return the same.
	Sources []store.Stamped
}

// Fresh reports whether nothing that Resolve read has changed since. It costs
// one stat for each source, two for a usual repository. dot is .hg, held open for
// the command, or nil.
func (l *Layout) Fresh(dot *store.Absences) bool {
	for _, s := range l.Sources {
		if !s.FreshIn(dot) {
			return false
		}
	}
	return true
}

// Encoding returns how the store's file names are encoded.
func (l *Layout) Encoding() store.Encoding {
	r := l.Requirements
	switch {
	case !r.Has(Store):
		return store.Plain
	case r.Has(PlainEncode):
		return store.Literal
	case r.Has(FileIndex):
		return store.DotEncode
	case !r.Has(FnCache):
		return store.Encoded
	case !r.Has(DotEncode):
		return store.FnCache
	}
	return store.DotEncode
}

// Store returns the repository's store.
func (l *Layout) Store() *store.Store {
	if l.Requirements.Has(FileIndex) || l.Requirements.Has(PlainEncode) {
		return store.OpenUnlisted(l.StorePath, l.Encoding())
	}
	return store.Open(l.StorePath, l.Encoding())
}

// CacheDir returns the directory of the caches that belong to the store, which
// a share has in common with its source.
func (l *Layout) CacheDir() string { return l.SharedDot + "/cache" }

// WCacheDir returns the directory of the caches that belong to the checkout.
func (l *Layout) WCacheDir() string { return l.Dot + "/wcache" }

// Resolve reads the layout of the repository whose working directory is root.
//
// A root without a .hg directory, and a share whose source is gone, are
// *hgerr.Abort in hg's words. Requirements beyond the engine are
// *hgerr.Unsupported, and so are states that hg answers in a way that depends
// on its version or configuration (a share that is older or newer than its
// source's share-safe setting).
func Resolve(root string) (*Layout, error) {
	real := realPath(root)
	l := &Layout{Root: real, Dot: join(real, ".hg")}
	if fi, err := os.Stat(l.Dot); err != nil || !fi.IsDir() {
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		return nil, hgerr.Abortf(hgerr.NotARepository, "repository %s not found", root)
	}
	l.SharedDot = l.Dot

	own, _, err := l.read(l.Dot + "/requires")
	if err != nil {
		return nil, err
	}
	l.Requirements = own
	l.ShareSafe = own.Has(ShareSafe)
	l.Shared = own.Has(Shared) || own.Has(RelShared)
	if l.Shared {
		if err := l.resolveShare(); err != nil {
			return nil, err
		}
	}
	if l.ShareSafe {
		of, exists, err := l.read(l.SharedDot + "/store/requires")
		if err != nil {
			return nil, err
		}
		if !exists {
			return nil, hgerr.NewUnsupported("share-safe repository without .hg/store/requires")
		}
		l.Requirements = own.Union(of)
	}
	if err := l.Requirements.check(); err != nil {
		return nil, err
	}
	l.StorePath = l.SharedDot
	if l.Requirements.Has(Store) {
		l.StorePath += "/store"
	}
	l.StorePath = realPath(l.StorePath)
	return l, nil
}

// resolveShare finds the repository that a share borrows its store from.
func (l *Layout) resolveShare() error {
	path := l.Dot + "/sharedpath"
	data, stamp, err := store.ReadFile(path)
	if err != nil {
		return err
	}
	l.Sources = append(l.Sources, store.Stamped{Path: path, Stamp: stamp})
	if !stamp.Exists {
		return hgerr.NewUnsupported("share without .hg/sharedpath")
	}
	dot := string(bytes.TrimRight(data, "\n"))
	if l.Requirements.Has(RelShared) && !filepath.IsAbs(dot) {
		dot = filepath.Join(l.Dot, dot)
	}
	if !filepath.IsAbs(dot) || strings.IndexByte(dot, 0) >= 0 {
		return hgerr.NewUnsupported("share with a relative .hg/sharedpath")
	}
	l.SharedDot = realPath(dot)
	if _, err := os.Stat(l.SharedDot); err != nil {
		if !os.IsNotExist(err) {
			return err
		}
		return hgerr.Abortf(hgerr.NotARepository, ".hg/sharedpath points to nonexistent directory %s", l.SharedDot)
	}
	// The source may have changed sides since the share was made; what hg does
	// then, up to rewriting the share, is up to [share] safe-mismatch.
	source, exists, err := l.read(l.SharedDot + "/requires")
	var abort *hgerr.Abort
	if errors.As(err, &abort) {
		// hg looks for one line there, whatever the others are.
		return hgerr.NewUnsupported("share of a repository with damaged requirements")
	}
	if err != nil {
		return err
	}
	if source.Has(ShareSafe) != l.ShareSafe || !exists {
		return hgerr.NewUnsupported("share that differs from its source in share-safe")
	}
	return nil
}

// read reads one requires file and notes its stamp. A missing one is an empty
// set.
func (l *Layout) read(path string) (s Set, exists bool, err error) {
	data, stamp, err := store.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	l.Sources = append(l.Sources, store.Stamped{Path: path, Stamp: stamp})
	s, err = Parse(data)
	return s, stamp.Exists, err
}

// realPath resolves symbolic links as far as the path exists and keeps the
// rest, like Python's os.path.realpath.
func realPath(path string) string {
	path = filepath.Clean(path)
	rest := ""
	for dir := path; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return path
		}
		rest = filepath.Join(filepath.Base(dir), rest)
		dir = parent
	}
}

func join(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}
