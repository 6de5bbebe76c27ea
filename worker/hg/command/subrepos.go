// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/subrepo"
)

// nested is a subrepository while a command looks into it: a command of its own
// in the repository inside, and what is recorded of it outside.
type nested struct {
	*Context
	v     *repo.View
	path  string // from the repository around it
	state subrepo.State
	// unordered is one of several that hg looks into in any order.
	unordered bool
}

// opened is what subrepositories a command has opened, by their roots.
type opened map[string]struct {
	repo   *repo.Repo
	config *config.Config
}

// sub opens the subrepository that state is about. hg looks at its kind and its
// place first, and has its own words about both. One that is not there hg makes,
// out of nothing, even when it only looks: that is left to it.
func (c *Context) sub(v *repo.View, state subrepo.State) (*nested, error) {
	root := v.Layout.Root
	if err := c.auditSub(root, state); err != nil {
		return nil, err
	}
	inner := filepath.Join(root, state.Path)
	fi, err := os.Stat(filepath.Join(inner, ".hg"))
	if err != nil || !fi.IsDir() {
		return nil, unsupported("subrepository %s, which is not there", state.Path)
	}
	if strings.ContainsRune(root, '$') || filepath.Clean(inner) != inner {
		return nil, unsupported("subrepository in %s", inner)
	}
	if real, err := filepath.EvalSymlinks(inner); err != nil || real != inner {
		return nil, hgerr.Abortf(hgerr.Other, "subrepo path contains illegal component: %s", state.Path)
	}
	child := &Context{
		Context: c.Context, Global: c.Global, Opts: c.Opts, Encoding: c.Encoding, Cwd: c.Cwd, Now: c.Now, Local: c.Local,
		Getenv: c.Getenv, Version: c.Version, Stdout: c.Stdout, Stderr: c.Stderr, Color: c.Color,
		OpenRepo: c.OpenRepo, OpenSub: c.OpenSub, opened: c.opened, within: c.relative(state.Path),
	}
	if child.opened == nil {
		child.opened = opened{}
		c.opened = child.opened
	}
	o, ok := child.opened[inner]
	if !ok {
		if c.OpenSub == nil {
			return nil, unsupported("a subrepository")
		}
		if o.repo, o.config, err = c.OpenSub(inner); err != nil {
			return nil, err
		}
		if o.repo.Layout.Requirements.Has(requires.TreeManifest) {
			// hg takes no short cuts there, which show when a directory above is named.
			return nil, unsupported("subrepository %s with tree manifests", state.Path)
		}
		if err := o.repo.Begin(c, time.Now); err != nil {
			return nil, err
		}
		child.opened[inner] = o
	}
	child.Repo, child.Config = o.repo, o.config
	child.Quiet, child.Verbose, child.Debug = o.config.Quiet, o.config.Verbose, o.config.Debug
	n := &nested{Context: child, path: state.Path, state: state}
	if n.v, err = child.View(); err != nil {
		return nil, err
	}
	outer := c.badNames
	if outer == nil {
		if outer, err = c.pathNamer(v, true, nil); err != nil {
			return nil, err
		}
	}
	child.badNames = func(path string) string { return outer(state.Path + "/" + path) }
	return n, nil
}

// quiet is the same command while it finds out what it is going to say.
func (c *Context) quiet() *Context {
	if c.opened == nil {
		c.opened = opened{}
	}
	q := *c
	q.Stderr = io.Discard
	return &q
}

// relative is a path as seen from the outermost repository.
func (c *Context) relative(path string) string {
	if c.within == "" {
		return path
	}
	return c.within + "/" + path
}

// auditSub refuses what hg refuses before it opens a subrepository.
func (c *Context) auditSub(root string, state subrepo.State) error {
	path := state.Path
	if strings.HasPrefix(path, "~") || strings.ContainsRune(path, '$') {
		return hgerr.Abortf(hgerr.Other, "subrepo path contains illegal component: %s", path)
	}
	if err := (&match.Auditor{Root: root}).Audit(path); err != nil {
		return err
	}
	if fi, err := os.Lstat(filepath.Join(root, path)); err == nil && fi.Mode()&os.ModeSymlink != 0 {
		return hgerr.Abortf(hgerr.Other, "subrepo '%s' traverses symbolic link", path)
	}
	const hint = "see 'hg help config.subrepos' for details"
	on, err := c.Config.BoolOr("subrepos", "allowed", true)
	if err != nil {
		return err
	}
	if !on {
		return hgerr.Abortf(hgerr.Other, "subrepos not enabled").WithHint(hint)
	}
	if on, err = c.Config.BoolOr("subrepos", state.Kind+":allowed", state.Kind == "hg"); err != nil {
		return err
	}
	switch {
	case !on:
		return hgerr.Abortf(hgerr.Other, "%s subrepos not allowed", state.Kind).WithHint(hint)
	case state.Kind == "hg":
		return nil
	case state.Kind == "git" || state.Kind == "svn":
		return unsupported("a subrepository of kind %s", state.Kind)
	}
	return hgerr.Abortf(hgerr.Other, "unknown subrepo type %s", state.Kind)
}

// wrap says of an error in which subrepository it was, in the innermost one.
func (n *nested) wrap(err error) error {
	var a *hgerr.Abort
	var lost *lostRevision
	if err == nil || hgerr.IsUnsupported(err) || errors.As(err, &lost) || !errors.As(err, &a) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if a.Prefix != "" || a.Code != 0 || a.Kind == hgerr.UnknownRevision || a.Kind == hgerr.HiddenRevision || a.Kind == hgerr.NotARepository {
		return unsupported("an error of another kind in subrepository %s: %v", n.path, err)
	}
	suffix := "(in subrepository "
	if strings.Contains(a.Message, suffix) {
		return err
	}
	wrapped := hgerr.Abortf(hgerr.Other, "%s %s\"%s\")", a.Message, suffix, n.within)
	wrapped.Hint = a.Hint
	return wrapped
}

// lostRevision is that the recorded revision is not in the subrepository.
type lostRevision struct{ message string }

func (e *lostRevision) Error() string { return e.message }

// abort is what hg says where nothing else is said of it.
func (e *lostRevision) abort() error {
	return hgerr.Abortf(hgerr.UnknownRevision, "%s", e.message)
}

// lookup finds a recorded revision. By its digits hg finds it among what is
// visible, which it works out for that; direct is by its node, where it knows some
// changesets without.
func (n *nested) lookup(digits string, direct bool) (node.Rev, error) {
	id, ok := node.FromHex(digits)
	if !ok {
		return node.NullRev, unsupported("subrepository %s at revision %q", n.path, digits)
	}
	rev, ok := n.v.Rev(id)
	if direct && (id.IsNull() || ok && n.nearby(rev)) {
		return rev, nil
	}
	n.v.HiddenCount()
	switch {
	case id.IsNull():
		return node.NullRev, nil
	case !ok:
		return node.NullRev, &lostRevision{fmt.Sprintf("unknown revision '%s'", digits)}
	case n.v.Hidden(rev):
		return node.NullRev, &lostRevision{fmt.Sprintf("filtered revision '%s'", digits)}
	}
	return rev, nil
}

// nearby tells whether a changeset is a parent of the working directory or a
// parent of one: hg knows those without asking what is hidden.
func (n *nested) nearby(rev node.Rev) bool {
	p1, p2 := n.v.WdirParents()
	for _, p := range [2]node.Rev{p1, p2} {
		if p < 0 {
			continue
		}
		if a, b := n.v.Parents(p); rev == p || rev == a || rev == b {
			return true
		}
	}
	return false
}

// side is the revision of the subrepository that belongs to one of the
// repository around it: the working directory's to the working directory.
func (n *nested) side(outer node.Rev) (node.Rev, error) {
	if outer == node.WdirRev {
		return node.WdirRev, nil
	}
	return n.lookup(n.state.Rev, false)
}

// eachSub opens the subrepositories of two sides, each at the state of the first
// one, and then what only the second has, at no revision. other is the state on
// the second side, nil without one.
func (c *Context) eachSub(v *repo.View, a, b node.Rev, yield func(n *nested, other *subrepo.State) error) error {
	first, err := v.Subrepos(a)
	if err != nil {
		return err
	}
	second, err := v.Subrepos(b)
	if err != nil {
		return err
	}
	var fresh []subrepo.State
	for _, s := range second {
		if _, ok := subrepo.Find(first, s.Path); !ok {
			s.Rev = node.Null.Hex()
			fresh = append(fresh, s)
		}
	}
	for i, s := range slices.Concat(first, fresh) {
		n, err := c.sub(v, s)
		if err != nil && i >= len(first) && len(fresh) > 1 {
			return unsupported("one of several new subrepositories, which hg takes in any order: %v", err)
		}
		if err != nil {
			return err
		}
		n.unordered = i >= len(first) && len(fresh) > 1
		var other *subrepo.State
		if o, ok := subrepo.Find(second, s.Path); ok {
			other = &o
		}
		if err := n.wrap(yield(n, other)); err != nil {
			return err
		}
		if err := n.MatchError(); err != nil {
			return err
		}
	}
	return nil
}

// dirtySub tells whether a subrepository of the working directory differs from
// what is recorded of it.
func (c *Context) dirtySub(v *repo.View, s subrepo.State, missing bool) (bool, error) {
	n, err := c.sub(v, s)
	if err != nil {
		return false, err
	}
	if s.Rev == "" {
		return true, nil
	}
	p1, _ := n.v.WdirParents()
	if n.v.Node(p1).Hex() != s.Rev {
		return true, nil
	}
	changed, err := n.changed(n.v, missing, true)
	return changed, n.wrap(err)
}

// changed tells whether a working directory is modified, its subrepositories
// included; whole counts a merge and another branch, missing counts files that
// are gone.
func (c *Context) changed(v *repo.View, missing, whole bool) (bool, error) {
	subs, err := v.Subrepos(node.WdirRev)
	if err != nil {
		return false, err
	}
	for _, s := range subs {
		if dirty, err := c.dirtySub(v, s, missing); dirty || err != nil {
			return dirty, err
		}
	}
	p1, p2 := v.WdirParents()
	if whole {
		if p2 >= 0 {
			return true, nil
		}
		revs := repo.Revsets{View: v}
		here, _ := revs.Branch(node.WdirRev)
		there := "default"
		if p1 >= 0 {
			there, _ = revs.Branch(p1)
		}
		if here != there {
			return true, nil
		}
	}
	st, err := c.statusOf(v, p1, node.WdirRev, match.Always(), false, false, false)
	if err != nil {
		return false, err
	}
	return len(st.Modified)+len(st.Added)+len(st.Removed) > 0 || missing && len(st.Deleted) > 0, nil
}

// isSub tells whether a directory of the working directory that is a repository
// is one of its subrepositories, or one of theirs.
func (c *Context) isSub(v *repo.View, dir string) (bool, error) {
	subs, err := v.Subrepos(node.WdirRev)
	if err != nil {
		return false, err
	}
	for prefix := dir; ; {
		if s, ok := subrepo.Find(subs, prefix); ok {
			if prefix == dir {
				return true, nil
			}
			n, err := c.sub(v, s)
			if err != nil {
				return false, err
			}
			return n.isSub(n.v, dir[len(prefix)+1:])
		}
		i := strings.LastIndexByte(prefix, '/')
		if i < 0 {
			return false, nil
		}
		prefix = prefix[:i]
	}
}
