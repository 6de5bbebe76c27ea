// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgurl"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// peer is another repository on this machine, seen as hg sees it when it pulls
// from there or pushes to it: secret changesets are not served.
type peer struct {
	*repo.View
	where    string // its address
	shown    string // where it is, as printed: without a password
	branch   string // what "#branch" at the end names
	bookmode string // bookmarks.mode of its path
}

// place is where a peer is said to be.
type place struct {
	raw string // as configured or given
	sub []config.SubOption
}

func (p place) option(name string) string {
	for _, o := range p.sub {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}

// places are what [paths] has under a name.
func (c *Context) places(name string) ([]place, error) {
	list, err := c.Config.Paths()
	if err != nil {
		return nil, err
	}
	var out []place
	for _, p := range list {
		if p.Name == name {
			out = append(out, place{p.Raw, p.Sub})
		}
	}
	return out, nil
}

// pullPlace is the place that a command looks at.
func (c *Context) pullPlace(command, name string) (place, error) {
	list, err := c.places(name)
	switch {
	case err != nil:
		return place{}, err
	case len(list) > 1 && command != "incoming":
		return place{}, hgerr.Abortf(hgerr.Other, "path points to %d urls while %s only supports one: %s", len(list), command, name)
	case len(list) > 1:
		return place{}, hgerr.Abortf(hgerr.Other, "for now, incoming supports only a single source, %d provided", len(list))
	case len(list) == 1:
		return list[0], nil
	}
	return place{raw: name}, c.noStar()
}

// noStar refuses sub-options that hold for all places, even those that were only
// given.
func (c *Context) noStar() error {
	if len(c.Config.SubOptions("paths", "*")) > 0 {
		return unsupported("sub-options of paths.*")
	}
	return nil
}

// pushPlace is the place that outgoing compares with.
func (c *Context) pushPlace(names []string) (place, error) {
	if len(names) > 1 {
		return place{}, unsupported("outgoing to several places")
	}
	tried := names
	if len(names) == 0 {
		tried = []string{"default-push", "default"}
	}
	for _, name := range tried {
		list, err := c.places(name)
		if err != nil {
			return place{}, err
		}
		if len(list) > 1 {
			return place{}, unsupported("outgoing to several places")
		}
		if len(list) == 1 {
			return list[0], nil
		}
	}
	if len(names) == 0 {
		a := hgerr.Abortf(hgerr.Config, "default repository not configured!")
		a.Prefix = "config error: "
		return place{}, a.WithHint("see 'hg help config.paths'")
	}
	if err := c.noStar(); err != nil {
		return place{}, err
	}
	u, err := hgurl.Parse(names[0])
	if err != nil {
		return place{}, err
	}
	if u.Scheme == "" {
		u.Frag = nil
		if fi, err := os.Stat(filepath.Join(c.abs(u.String()), ".hg")); err != nil || !fi.IsDir() {
			return place{}, hgerr.Abortf(hgerr.Other, "repository %s does not exist", names[0])
		}
	}
	return place{raw: names[0]}, nil
}

func (c *Context) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Cwd, path)
}

// openPeer opens the repository at a place, to compare with it. Those that are not
// on this machine, and bundles, are Unsupported. Where there is none, the peer has
// nothing but its name.
func (c *Context) openPeer(p place, push bool) (*peer, error) {
	out, r, err := c.openPlace(p, push)
	if err != nil {
		return out, err
	}
	if r.Snapshot().Markers().Len() > 0 {
		return nil, unsupported("a peer with obsolescence markers")
	}
	// What is printed of its changesets is so from its unfiltered view.
	out.View, err = r.NewView(c.Config, c.Encoding, r.Layout.Root, c.Getenv, repo.Visibility{Hidden: true}, c.warnRaw)
	if err != nil {
		return nil, err
	}
	if out.Snapshot().HiddenCount() > 0 {
		return nil, unsupported("a peer with hidden changesets")
	}
	if c.Debug {
		err = refuseChatter(out.View)
	}
	return out, err
}

// openPlace opens the repository at a place and brings it up to date.
func (c *Context) openPlace(p place, push bool) (*peer, *repo.Repo, error) {
	raw, err := hgurl.Parse(p.raw)
	if err != nil {
		return nil, nil, err
	}
	out := &peer{bookmode: p.option("bookmarks.mode")}
	if raw.Frag != nil && *raw.Frag != "" {
		out.branch = *raw.Frag
	}
	raw.Frag = nil
	where := raw.String()
	if push {
		if to := p.option("pushurl"); to != "" {
			where = to
		}
	}
	u, err := hgurl.Parse(where)
	if err != nil {
		return nil, nil, err
	}
	if !u.IsLocal() || u.Scheme == "bundle" {
		return nil, nil, unsupported("a repository elsewhere: %s://", u.Scheme)
	}
	out.where = where
	if out.shown, err = hgurl.HidePassword(where); err != nil {
		return nil, nil, err
	}
	path := u.LocalPath()
	if strings.ContainsAny(path, "~$") {
		return nil, nil, unsupported("expansion in %s", path)
	}
	root := filepath.Clean(c.abs(path))
	fi, err := os.Stat(filepath.Join(root, ".hg"))
	if err != nil || !fi.IsDir() {
		if fi, err := os.Stat(root); err == nil && !fi.IsDir() {
			return nil, nil, unsupported("a bundle")
		}
		return out, nil, hgerr.Abortf(hgerr.Other, "repository %s not found", path)
	}
	if c.view != nil && root == c.Repo.Layout.Root {
		return out, c.Repo, nil // it has begun
	}
	if err := c.plainConfig(root); err != nil {
		return nil, nil, err
	}
	if c.OpenRepo == nil {
		return nil, nil, unsupported("a second repository")
	}
	r, err := c.OpenRepo(root)
	if err != nil {
		return nil, nil, err
	}
	if err := r.Begin(c, time.Now); err != nil {
		return nil, nil, err
	}
	return out, r, nil
}

// openServed opens the repository at a place as hg looks into it for its user: with
// what it serves, which has to be all that is not hidden.
func (c *Context) openServed(p place) (*peer, error) {
	out, r, err := c.openPlace(p, false)
	if err != nil {
		return nil, err
	}
	out.View, err = r.NewView(c.Config, c.Encoding, r.Layout.Root, c.Getenv, repo.Visibility{}, c.warnRaw)
	if err != nil {
		return nil, err
	}
	if secrets(out.View) {
		return nil, unsupported("a repository that does not serve all of it")
	}
	if c.Debug {
		err = refuseChatter(out.View)
	}
	return out, err
}

// plainConfig refuses the configuration of a peer that may change what it
// serves or make hg warn.
func (c *Context) plainConfig(root string) error {
	for _, name := range []string{"hgrc", "hgrc-not-shared"} {
		text, stamp, err := store.ReadFile(filepath.Join(root, ".hg", name))
		if err != nil {
			return err
		}
		if !stamp.Exists {
			continue
		}
		fi, err := os.Stat(filepath.Join(root, ".hg", name))
		if err != nil {
			return err
		}
		if st, ok := fi.Sys().(*syscall.Stat_t); !ok || st.Uid != c.Config.Sources().UID {
			return unsupported("configuration of a peer that belongs to somebody else")
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimSpace(line)
			switch {
			case len(line) == 0 || line[0] == '#' || line[0] == ';':
			case bytes.HasPrefix(line, []byte("[paths]")), bytes.HasPrefix(line, []byte("[ui]")), bytes.HasPrefix(line, []byte("[phases]")),
				bytes.HasPrefix(line, []byte("[web]")), bytes.HasPrefix(line, []byte("[diff]")):
			case line[0] == '[' || line[0] == '%' || bytes.IndexByte(line, '=') < 0:
				return unsupported("configuration of a peer")
			}
		}
	}
	return nil
}

// serves tells whether a changeset is served.
func (p *peer) serves(id node.ID) (node.Rev, bool) {
	rev, ok := p.Rev(id)
	return rev, ok && rev >= 0 && p.PhaseOf(rev) < phases.Secret
}

// secrets tells whether some changeset is not served.
func secrets(v *repo.View) bool {
	snap := v.Snapshot()
	for rev := snap.FirstMutable(); int(rev) < snap.Len(); rev++ {
		if snap.Phase(rev) >= phases.Secret {
			return true
		}
	}
	return false
}

// servedHeads are the heads of what a view serves, ascending; the null revision
// when that is nothing.
func servedHeads(v *repo.View) []node.Rev {
	n := v.Len()
	inner := make([]bool, n)
	var heads []node.Rev
	for rev := node.Rev(n) - 1; rev >= 0; rev-- {
		if v.Hidden(rev) || v.PhaseOf(rev) >= phases.Secret {
			continue
		}
		if !inner[rev] {
			heads = append(heads, rev)
		}
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				inner[p] = true
			}
		}
	}
	if len(heads) == 0 {
		return []node.Rev{node.NullRev}
	}
	slices.Reverse(heads)
	return heads
}

// missing are the ancestors of heads, themselves included, that are not
// ancestors of common, ascending.
func missing(v *repo.View, common, heads []node.Rev) []node.Rev {
	const (
		wanted = 1 << iota
		had
	)
	marks := make([]uint8, v.Len())
	top := node.NullRev
	mark := func(list []node.Rev, bit uint8) {
		for _, rev := range list {
			if rev >= 0 {
				marks[rev] |= bit
				top = max(top, rev)
			}
		}
	}
	mark(heads, wanted)
	mark(common, had)
	var out []node.Rev
	for rev := top; rev >= 0; rev-- {
		if marks[rev] == 0 {
			continue
		}
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				marks[p] |= marks[rev]
			}
		}
		if marks[rev] == wanted {
			out = append(out, rev)
		}
	}
	slices.Reverse(out)
	return out
}
