// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/revset"
)

// Revsets is a view as the revset language asks it.
type Revsets struct {
	*View
	// Sets makes the matcher of patterns among which there are filesets, which
	// are evaluated in rev; nil leaves them to the real hg.
	Sets func(o match.Options, rev node.Rev) (match.Matcher, error)
}

var _ revset.Repo = Revsets{}

// IsName tells whether a symbol names a bookmark, a tag or a branch.
func (v Revsets) IsName(symbol string) bool {
	_, ok, err := v.named(symbol)
	if err != nil && v.Repo.unsaid == nil {
		v.Repo.unsaid = err
	}
	return err == nil && ok
}

// Phase is a changeset's phase by its number.
func (v Revsets) Phase(rev node.Rev) int { return int(v.PhaseOf(rev)) }

// Branch is a changeset's branch in the local encoding.
func (v Revsets) Branch(rev node.Rev) (name string, closes bool) {
	switch {
	case rev == node.WdirRev:
		return v.WdirBranch(), false
	case rev < 0:
		return changelog.DefaultBranch, false
	}
	if v.snap.HasBranches() {
		name, closes = v.snap.Branch(rev)
		return v.local(name), closes
	}
	c, err := v.Changeset(rev)
	if err != nil {
		return "", false
	}
	if name, closes, err = BranchOf(c); err != nil {
		return "", false
	}
	return v.local(name), closes
}

// Branches are the named branches with their tips.
func (v Revsets) Branches() ([]revset.NamedRev, error) {
	list, err := v.View.Branches()
	var out []revset.NamedRev
	for _, b := range list {
		tip, _ := b.Tip()
		out = append(out, revset.NamedRev{Name: b.Name, Rev: tip})
	}
	return out, err
}

// Outgoing are the changesets that another repository lacks.
func (v Revsets) Outgoing(dest string) ([]node.Rev, error) {
	if v.OutgoingTo == nil {
		return nil, hgerr.NewUnsupported("revset outgoing() here")
	}
	return v.OutgoingTo(dest)
}

// Remote is the changeset that a name stands for in another repository.
func (v Revsets) Remote(name, source string) (node.ID, error) {
	if v.RemoteNode == nil {
		return node.Null, hgerr.NewUnsupported("revset remote() here")
	}
	return v.RemoteNode(name, source)
}

// BranchHeads are the heads of all branches.
func (v Revsets) BranchHeads() ([]node.Rev, error) {
	list, err := v.View.Branches()
	var out []node.Rev
	for _, b := range list {
		out = append(out, b.Heads...)
	}
	return out, err
}

// HeadRevs are the heads, ascending.
func (v Revsets) HeadRevs() ([]node.Rev, error) {
	heads := v.Heads()
	if v.Len() == 0 {
		return []node.Rev{node.NullRev}, nil
	}
	out := make([]node.Rev, len(heads))
	for i, h := range heads {
		out[i] = node.Rev(h)
	}
	return out, nil
}

// Bookmarks are the bookmarks by name.
func (v Revsets) Bookmarks() ([]revset.NamedRev, error) {
	var out []revset.NamedRev
	for _, b := range v.BookmarkList() {
		out = append(out, revset.NamedRev{Name: b.Name, Rev: b.Rev})
	}
	return out, nil
}

// ActiveBookmark is the active bookmark.
func (v Revsets) ActiveBookmark() (string, error) { return v.ActiveName(), nil }

// Tags are the visible tags.
func (v Revsets) Tags() ([]revset.NamedRev, error) {
	list, err := v.TagList()
	var out []revset.NamedRev
	for _, t := range list {
		if t.Rev >= 0 {
			out = append(out, revset.NamedRev{Name: t.Name, Rev: t.Rev})
		}
	}
	return out, err
}

// column reads a changeset that is not the working directory.
func (v Revsets) column(rev node.Rev, what string) (changelog.Changeset, error) {
	if rev == node.WdirRev {
		return changelog.Changeset{}, hgerr.NewUnsupported("%s of the working directory in a revset", what)
	}
	return v.Changeset(rev)
}

// User is who committed, in the local encoding.
func (v Revsets) User(rev node.Rev) (string, error) {
	c, err := v.column(rev, "user")
	return v.local(string(c.User())), err
}

// Desc is the description, in the local encoding.
func (v Revsets) Desc(rev node.Rev) (string, error) {
	c, err := v.column(rev, "description")
	return v.local(string(c.Description())), err
}

// Date is when it was committed.
func (v Revsets) Date(rev node.Rev) (int64, int, error) {
	c, err := v.column(rev, "date")
	if err != nil {
		return 0, 0, err
	}
	return seconds(c)
}

// Files are the changed files.
func (v Revsets) Files(rev node.Rev) ([]string, error) {
	c, err := v.column(rev, "files")
	return c.FileList(), err
}

// Extra are the extra fields.
func (v Revsets) Extra(rev node.Rev) (map[string]string, error) {
	c, err := v.column(rev, "extra")
	if err != nil {
		return nil, err
	}
	extras, err := c.Extras()
	out := map[string]string{}
	for _, x := range extras {
		out[x.Key] = x.Value
	}
	return out, err
}

// Obsolescence is one of the computed sets.
func (v Revsets) Obsolescence(kind revset.ObsSet) ([]node.Rev, error) {
	var want obsolete.Flag
	switch kind {
	case revset.Obsolete:
		want = obsolete.Obsolete
	case revset.Orphan:
		want = obsolete.Orphan
	case revset.PhaseDivergent:
		want = obsolete.PhaseDivergent
	case revset.ContentDivergent:
		want = obsolete.ContentDivergent
	case revset.Filtered:
		var out []node.Rev
		v.filter()
		revealed := v.revealed
		if v.all && v.snap.Hideable() {
			revealed = v.reveal()
		}
		for rev := v.snap.FirstMutable(); int(rev) < v.Len(); rev++ {
			if v.flags(rev)&obsolete.Hidden != 0 {
				if _, ok := revealed[rev]; !ok {
					out = append(out, rev)
				}
			}
		}
		return out, nil
	case revset.Extinct:
		return v.extinct(), nil
	default:
		return nil, hgerr.NewUnsupported("obsolescence set %s", kind)
	}
	var out []node.Rev
	for rev := v.snap.FirstMutable(); int(rev) < v.Len(); rev++ {
		if v.flags(rev)&want != 0 {
			out = append(out, rev)
		}
	}
	return out, nil
}

// extinct are obsolete changesets without a descendant that is an orphan.
func (v Revsets) extinct() []node.Rev {
	first := v.snap.FirstMutable()
	suspended := map[node.Rev]bool{}
	var out []node.Rev
	for rev := node.Rev(v.Len()) - 1; rev >= first; rev-- {
		flags := v.flags(rev)
		if flags&obsolete.Orphan != 0 || suspended[rev] {
			p1, p2 := v.Parents(rev)
			suspended[p1], suspended[p2] = true, true
		}
		if flags&obsolete.Obsolete != 0 && !suspended[rev] {
			out = append(out, rev)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// Successors are revs and what came of them, as far as it is here.
func (v Revsets) Successors(revs []node.Rev) ([]node.Rev, error) {
	ids := make([]node.ID, 0, len(revs))
	for _, r := range revs {
		ids = append(ids, v.Node(r))
	}
	var out []node.Rev
	for _, id := range obsolete.AllSuccessors(v.snap.Markers(), ids) {
		if rev, ok := v.snap.Rev(id); ok {
			out = append(out, rev)
		}
	}
	return out, nil
}

// SuccessorsOf lists what a changeset became in one step.
func (v Revsets) SuccessorsOf(id node.ID, _ bool) (out []node.ID) {
	markers := v.snap.Markers()
	for _, i := range markers.WithPredecessor(id) {
		out = markers.Successors(out, i)
	}
	return out
}

// identical is evolve's flag of a marker from a changeset to what is the same.
const identical = 4

// PredecessorsOf lists what a changeset came from in one step.
func (v Revsets) PredecessorsOf(id node.ID, all bool) (out []node.ID) {
	markers := v.snap.Markers()
	for _, i := range markers.WithSuccessor(nil, id) {
		if all || markers.Flags(i)&identical == 0 {
			out = append(out, markers.Predecessor(i))
		}
	}
	return out
}

// AppendChildren appends a changeset's children, hidden ones included.
func (v Revsets) AppendChildren(children []node.Rev, rev node.Rev) []node.Rev {
	for _, child := range v.snap.Children(rev) {
		children = append(children, node.Rev(child))
	}
	return children
}

// NonPublic lists the visible changesets that are not public, ascending. Nobody
// changes the list.
func (v Revsets) NonPublic() []node.Rev {
	k := v.known()
	if !k.phased {
		k.phased = true
		for rev := v.snap.FirstMutable(); int(rev) < v.Len(); rev++ {
			if v.snap.Phase(rev) != phases.Public && !v.Hidden(rev) {
				k.nonPublic = append(k.nonPublic, rev)
			}
		}
	}
	return k.nonPublic
}

// AllPublic tells whether every changeset is public, hidden ones included.
func (v Revsets) AllPublic() bool { return int(v.snap.FirstMutable()) >= v.Len() }

var (
	_ revset.ChildIndex = Revsets{}
	_ revset.PhaseIndex = Revsets{}
)
