// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"cmp"
	"path/filepath"
	"slices"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

// Templates is a view as templates ask it.
type Templates struct {
	*View
	// Eval runs a revset for the function revset().
	Eval func(query string) ([]node.Rev, error)
	// Files answers what is asked about files.
	Files template.FileReader
	// Diffs makes the diffs of changesets.
	Diffs template.DiffReader
}

var (
	_ template.Repo            = (*Templates)(nil)
	_ template.RevsetEvaluator = (*Templates)(nil)
	_ template.FileReader      = (*Templates)(nil)
	_ template.DiffReader      = (*Templates)(nil)
)

// text is a stored string in both forms.
func (v *View) text(stored string) template.Text {
	t := v.Encoding.ToLocal(stored)
	if t.UTF8 == t.Local {
		t.UTF8 = ""
	}
	return template.Text{Local: t.Local, UTF8: t.UTF8}
}

// maxWords bounds what a View remembers of users and branches.
const maxWords = 1024

// wordText is text for a committer or a branch. Few of them stand in most of a
// history.
func (v *View) wordText(stored []byte) template.Text {
	if t, ok := v.words[string(stored)]; ok {
		return t
	}
	if v.words == nil || len(v.words) >= maxWords {
		v.words = map[string]template.Text{}
	}
	name := string(stored)
	t := v.text(name)
	v.words[name] = t
	return t
}

// Root is the working directory's root.
func (t *Templates) Root() string { return t.Layout.Root }

// Changectx returns a changeset; NullRev and WdirRev too.
func (t *Templates) Changectx(rev node.Rev) (template.Changectx, error) {
	c := &changectx{v: t.View, rev: rev}
	c.read()
	return c, c.err
}

// Refer is Changectx for who asks Err before he believes what he was told: the
// changeset is read when one of its columns is wanted.
func (t *Templates) Refer(rev node.Rev) template.Changectx {
	return &changectx{v: t.View, rev: rev}
}

// Again is Refer in the memory of what Refer or Again has returned before, which
// nobody uses any more; nil has none.
func (t *Templates) Again(last template.Changectx, rev node.Rev) template.Changectx {
	c, ok := last.(*changectx)
	if !ok {
		return t.Refer(rev)
	}
	c.v, c.rev, c.kept, c.err = t.View, rev, nil, nil
	return c
}

// Lookup finds a visible changeset by its ID.
func (t *Templates) Lookup(id node.ID) (node.Rev, bool) {
	rev, ok := t.Rev(id)
	return rev, ok && (rev == node.WdirRev || !t.Hidden(rev))
}

// Resolve finds the one visible changeset that a prefix names.
func (t *Templates) Resolve(prefix string) (node.ID, bool) {
	rev, ok, err := t.View.prefix(prefix)
	if err != nil || !ok || rev == node.WdirRev || t.Hidden(rev) {
		return node.Null, false
	}
	return t.Node(rev), true
}

// ShortestPrefix is how many digits tell an ID from all others.
func (t *Templates) ShortestPrefix(id node.ID) (int, bool) {
	rev, ok := t.snap.Rev(id)
	if ok && rev == node.NullRev {
		n := 1
		for n < node.HexSize && len(t.snap.Prefix(id.Hex()[:n], 1)) > 0 {
			n++
		}
		return n, true
	}
	if !ok || rev < 0 {
		return 0, false
	}
	return max(t.snap.Shortest(rev), leadingZeros(id)+1), true
}

// leadingZeros is how many digits an ID has in common with the null ID.
func leadingZeros(id node.ID) int {
	n := 0
	for _, c := range id.Hex() {
		if c != '0' {
			break
		}
		n++
	}
	return n
}

// Symbol resolves a name as a revset string does.
func (t *Templates) Symbol(name string) (node.Rev, bool) {
	rev, err := t.View.Lookup(name)
	return rev, err == nil
}

// ActiveBookmark is the active bookmark.
func (t *Templates) ActiveBookmark() template.Text {
	t.say(&t.markWarnings)
	return t.text(t.active)
}

// WorkingParents are the dirstate's parents.
func (t *Templates) WorkingParents() (p1, p2 node.ID) { return t.workingParents() }

func (v *View) workingParents() (p1, p2 node.ID) {
	a, b := v.wdir()
	return v.Node(a), v.Node(b)
}

// MergeNodes are the sides of a merge with unresolved files.
func (t *Templates) MergeNodes() (local, other node.ID, ok bool) {
	if t.merge == nil || t.merge.Unresolved() == 0 {
		return node.Null, node.Null, false
	}
	return t.merge.Local, t.merge.Other, true
}

// GlobalTag tells whether a tag stands in .hgtags.
func (t *Templates) GlobalTag(name string) bool { return t.TagType(name) == "global" }

// RelPath is a path relative to the command's directory.
func (t *Templates) RelPath(path string) string { return t.PathTo(path) }

// PathTo turns a path inside the repository into one relative to the command's
// directory.
func (v *View) PathTo(path string) string { return match.PathTo(v.Layout.Root, v.RelCwd(), path) }

// RelCwd is the command's directory relative to the root, "" at the root; an
// absolute path when it lies outside.
func (v *View) RelCwd() string {
	rel, err := filepath.Rel(v.Layout.Root, v.Cwd)
	switch {
	case err != nil || rel == ".." || len(rel) > 3 && rel[:3] == "../":
		return v.Cwd
	case rel == ".":
		return ""
	}
	return rel
}

// Revset runs a query.
func (t *Templates) Revset(query string) ([]node.Rev, error) { return t.Eval(query) }

// MatchFiles lists the files of a changeset that a pattern selects.
func (t *Templates) MatchFiles(ctx template.Changectx, pattern string) ([]string, error) {
	return t.Files.MatchFiles(ctx, pattern)
}

// WorkingFile reads a file in the working directory.
func (t *Templates) WorkingFile(path string) ([]byte, error) { return t.Files.WorkingFile(path) }

// Subrepos is what a changeset says of its subrepositories.
func (t *Templates) Subrepos(ctx template.Changectx) (map[string]string, error) {
	return t.Files.Subrepos(ctx)
}

// FileSize is the size of a file in a changeset.
func (t *Templates) FileSize(ctx template.Changectx, path string) (int64, bool, error) {
	return t.Files.FileSize(ctx, path)
}

// FileStatus is the letter of a file against the first parent.
func (t *Templates) FileStatus(ctx template.Changectx, path string) (string, error) {
	return t.Files.FileStatus(ctx, path)
}

// changectx is one changeset.
type changectx struct {
	v    *View
	rev  node.Rev
	kept *keptChangeset // nil before read
	own  keptChangeset  // what kept is, unless that is of the repository's
	err  error
}

// read is the changeset's text; that of the null revision and of the working
// directory is empty.
func (c *changectx) read() *changelog.Changeset {
	if c.kept == nil {
		c.load()
	}
	return &c.kept.c
}

func (c *changectx) load() {
	c.kept = noChangeset
	if c.rev < 0 || c.rev == node.WdirRev {
		return
	}
	k, err := c.v.changeset(c.rev)
	if err != nil {
		c.fail(err)
		return
	}
	if k == &c.v.Repo.texts.stored {
		c.own = *k // another one will take its place
		k = &c.own
	}
	c.kept = k
}

// plain tells whether the text's facts count, and its words are shown as stored.
func (c *changectx) plain() bool {
	f := &c.kept.facts
	return f.plain && (f.ascii || c.v.Encoding.IsUTF8())
}

// Columns fills in what listings show, if the facts of the text say it all.
func (c *changectx) Columns(to *template.Columns) bool {
	text := c.read()
	k := c.kept
	if !k.facts.known {
		k.facts = factsOf(text)
	}
	f := &k.facts
	if !c.plain() || c.err != nil {
		return false
	}
	snap := c.v.snap
	if to.Branch = changelog.DefaultBranch; f.branch != nil {
		if snap.HasBranches() {
			to.Branch, _ = snap.Branch(c.rev) // the same, as a string
		} else {
			to.Branch = c.v.wordText(f.branch).Local
		}
	}
	to.Node = snap.Node(c.rev)
	to.Parents[0], to.Parents[1] = snap.Parents(c.rev)
	to.User, to.Date = text.User(), f.date
	to.Desc = text.Description()
	to.Summary = to.Desc[f.begin:f.line]
	return true
}

func (c *changectx) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *changectx) wdir() bool { return c.rev == node.WdirRev }

func (c *changectx) Rev() node.Rev { return c.rev }
func (c *changectx) Node() node.ID { return c.v.Node(c.rev) }
func (c *changectx) Err() error    { return c.err }

func (c *changectx) Parents() (p1, p2 node.Rev) {
	switch {
	case c.wdir():
		return c.v.wdir()
	case c.rev < 0:
		return node.NullRev, node.NullRev
	}
	return c.v.Parents(c.rev)
}

func (c *changectx) Children() []node.Rev {
	var out []node.Rev
	if c.wdir() {
		return nil
	}
	for _, child := range c.v.snap.Children(c.rev) {
		if !c.v.Hidden(node.Rev(child)) {
			out = append(out, node.Rev(child))
		}
	}
	return out
}

// unavailable records that the working directory was asked for something that
// needs more than the dirstate's parents.
func (c *changectx) unavailable(what string) { c.fail(unsupportedWdir(what)) }

func (c *changectx) User() template.Text {
	if c.wdir() {
		c.unavailable("user")
	}
	return c.v.wordText(c.read().User())
}

// AppendUser appends User().Local.
func (c *changectx) AppendUser(dst []byte) []byte {
	if user := c.read().User(); !c.wdir() && (c.plain() || encoding.IsASCII(user)) {
		return append(dst, user...)
	}
	return append(dst, c.User().Local...)
}

// AppendDesc appends Desc().Trim().Local.
func (c *changectx) AppendDesc(dst []byte) []byte {
	desc := c.read().Description()
	if f := &c.kept.facts; c.plain() {
		return append(dst, desc[f.begin:f.end]...)
	}
	if !encoding.IsASCII(desc) {
		return append(dst, c.Desc().Trim().Local...)
	}
	if n := len(desc); n > 0 && (desc[0] <= ' ' || desc[n-1] <= ' ') {
		desc = bytes.Trim(desc, python.Space)
	}
	return append(dst, desc...)
}

func (c *changectx) Desc() template.Text { return c.v.text(string(c.read().Description())) }

func (c *changectx) Date() (int64, int) {
	if c.wdir() {
		c.unavailable("date")
	}
	text := c.read()
	if f := &c.kept.facts; f.plain {
		return f.date.Unix, f.date.Offset
	}
	sec, tz, err := seconds(*text)
	if err != nil {
		c.fail(err)
	}
	return sec, tz
}

func (c *changectx) Branch() template.Text {
	if c.wdir() {
		return c.v.text(c.v.branch)
	}
	if c.rev >= 0 && c.v.snap.HasBranches() {
		name, _ := c.v.snap.Branch(c.rev)
		return c.v.text(name)
	}
	name, _, err := c.read().BranchBytes()
	if err != nil {
		c.fail(err)
	}
	return c.v.wordText(name)
}

func (c *changectx) ClosesBranch() bool {
	_, closes, err := c.read().BranchBytes()
	if err != nil {
		c.fail(err)
	}
	return closes
}

func (c *changectx) Extras() []template.Extra {
	if c.wdir() {
		out := []template.Extra{{Key: "branch", Value: c.v.branch}}
		if c.v.Topics != "" {
			more, err := c.v.wdirTopics()
			if err != nil {
				c.fail(err)
			}
			for _, x := range more {
				out = append(out, template.Extra{Key: x[0], Value: x[1]})
			}
		}
		return out
	}
	list, err := c.read().Extras()
	if err != nil {
		c.fail(err)
	}
	out := make([]template.Extra, 0, len(list))
	for _, x := range list {
		out = append(out, template.Extra{Key: x.Key, Value: x.Value})
	}
	slices.SortFunc(out, func(a, b template.Extra) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func (c *changectx) ManifestNode() node.ID {
	id, err := c.read().Manifest()
	if err != nil {
		c.fail(err)
	}
	return id
}

func (c *changectx) ManifestRev() node.Rev {
	id := c.ManifestNode()
	if id.IsNull() {
		return node.NullRev
	}
	log, err := c.v.Manifests()
	if err != nil {
		c.fail(err)
		return node.NullRev
	}
	rev, ok := log.RevNear(id, c.rev)
	if !ok {
		c.fail(log.NoNode(id))
	}
	return rev
}

func (c *changectx) Phase() template.Phase { return template.Phase(c.v.PhaseOf(c.rev)) }

func (c *changectx) Tags() []template.Text {
	if c.wdir() {
		return nil
	}
	names, err := c.v.TagsOf(c.rev)
	if err != nil {
		c.fail(err)
	}
	out := make([]template.Text, 0, len(names))
	for _, n := range names {
		out = append(out, c.v.text(c.v.names.tagByName[n].UTF8))
	}
	return out
}

func (c *changectx) Bookmarks() []template.Text {
	if c.wdir() {
		return nil
	}
	var out []template.Text
	for _, b := range c.v.BookmarksAt(c.rev) {
		out = append(out, c.v.text(b.UTF8))
	}
	return out
}

func (c *changectx) Files() []string {
	if c.wdir() {
		modified, added, removed := c.FileStatus()
		return slices.Sorted(slices.Values(slices.Concat(modified, added, removed)))
	}
	return c.read().FileList()
}

// FileStatus compares the manifest with that of the first parent, for the files
// that the changeset names.
func (c *changectx) FileStatus() (modified, added, removed []string) {
	if c.wdir() {
		if c.v.WdirStatus == nil {
			c.unavailable("files")
			return nil, nil, nil
		}
		modified, added, removed, err := c.v.WdirStatus()
		if err != nil {
			c.fail(err)
		}
		return modified, added, removed
	}
	modified, added, removed, err := c.v.ChangedFiles(c.rev)
	if err != nil {
		c.fail(err)
	}
	return modified, added, removed
}

func (c *changectx) flags() obsolete.Flag {
	if c.wdir() || c.rev < 0 {
		c.v.sayMarkers()
		return 0
	}
	return c.v.flags(c.rev)
}

func (c *changectx) Obsolete() bool { return c.flags()&obsolete.Obsolete != 0 }

func (c *changectx) Instabilities() []string { return instabilities(c.flags()) }

// AppendDate appends the date of Columns, in the default form.
func (c *changectx) AppendDate(dst []byte) []byte {
	f := &c.kept.facts
	if f.shown[0] == 0 {
		at := len(dst)
		dst = f.date.AppendDefault(dst)
		if len(dst)-at == len(f.shown) {
			copy(f.shown[:], dst[at:])
		}
		return dst
	}
	return append(dst, f.shown[:]...)
}

// Fate is Instabilities and Obsolete in one look.
func (c *changectx) Fate() (instability []string, obsoleted bool) {
	flags := c.flags()
	return instabilities(flags), flags&obsolete.Obsolete != 0
}

// instabilities are the names of the instabilities among flags; not to be changed.
func instabilities(flags obsolete.Flag) []string {
	if flags&(obsolete.Orphan|obsolete.PhaseDivergent|obsolete.ContentDivergent) == 0 {
		return nil
	}
	n := 0
	for i, f := range [3]obsolete.Flag{obsolete.Orphan, obsolete.PhaseDivergent, obsolete.ContentDivergent} {
		if flags&f != 0 {
			n |= 1 << i
		}
	}
	return instabilityNames[n]
}

var instabilityNames = func() (all [8][]string) {
	for n := range all {
		for i, name := range [3]string{"orphan", "phase-divergent", "content-divergent"} {
			if n&(1<<i) != 0 {
				all[n] = append(all[n], name)
			}
		}
	}
	return all
}()

// ChangedFiles splits the files that a changeset names by what happened to them
// against its first parent.
func (v *View) ChangedFiles(rev node.Rev) (modified, added, removed []string, err error) {
	c, err := v.Changeset(rev)
	if err != nil || !c.HasFiles() {
		return nil, nil, nil, err
	}
	mine, err := v.ManifestOf(rev)
	if err != nil {
		return nil, nil, nil, err
	}
	p1, p2 := v.Parents(rev)
	first, err := v.ManifestOf(p1)
	if err != nil {
		return nil, nil, nil, err
	}
	second, err := v.ManifestOf(p2)
	if err != nil {
		return nil, nil, nil, err
	}
	byParent, err := v.removedByParent(p1, p2, first, second)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, f := range c.FileList() {
		switch in1, in2 := first.Has(f), second.Has(f); {
		case !mine.Has(f):
			left, err := byParent(f)
			if err != nil {
				return nil, nil, nil, err
			}
			if left {
				modified = append(modified, f)
			} else {
				removed = append(removed, f)
			}
		case !in1 && !in2:
			added = append(added, f)
		default:
			modified = append(modified, f)
		}
	}
	return modified, added, removed, nil
}

// HasFile tells whether a changeset has a file.
func (v Revsets) HasFile(rev node.Rev, path string) (bool, error) {
	m, err := v.ManifestOf(rev)
	return m.Has(path), err
}

var _ revset.StatusReader = Revsets{}

func unsupportedWdir(what string) error {
	return hgerr.NewUnsupported("%s of the working directory in a template", what)
}
