// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/tags"
)

// names are the names that a view knows, made when first asked for.
type names struct {
	tagsKnown  bool
	tags       []Tag          // visible ones, ordered by changeset, then name
	tagByName  map[string]Tag // all but removed ones, also of unknown changesets
	tagsByRev  *byRev[string]
	marksByRev *byRev[Bookmark]
}

// Tag is a tag in the local encoding.
type Tag struct {
	Name string
	UTF8 string
	Node node.ID
	Rev  node.Rev
	Type string // "global", "local", or "" for tip
}

// Bookmark is a bookmark in the local encoding.
type Bookmark struct {
	Name string
	UTF8 string
	Rev  node.Rev
}

// BookmarkList are the bookmarks whose changesets exist, sorted by name. Those of the
// store stay for later commands, which only read them.
func (v *View) BookmarkList() []Bookmark {
	marks, k := v.storedMarks(), v.keptMarks()
	if k != nil && k.byName != nil {
		return k.byName
	}
	byName := map[string]Bookmark{}
	for _, b := range marks {
		rev, _ := v.snap.Rev(b.Node)
		name := v.local(b.Name)
		byName[name] = Bookmark{Name: name, UTF8: b.Name, Rev: rev}
	}
	out := make([]Bookmark, 0, len(byName))
	for _, b := range byName {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b Bookmark) int { return strings.Compare(a.Name, b.Name) })
	if k != nil {
		k.byName = out
	}
	return out
}

// keptMarks is what earlier commands left of the store's bookmarks, nil when others
// count.
func (v *View) keptMarks() *storedMarks {
	k := &v.checkout.stored
	if !v.storeMarks {
		return nil
	}
	if k.encoding != v.Encoding {
		k.byRev, k.byName, k.encoding = nil, nil, v.Encoding
	}
	return k
}

// ActiveName is the active bookmark in the local encoding, "" without one.
func (v *View) ActiveName() string {
	v.say(&v.markWarnings)
	return v.local(v.active)
}

// BookmarksAt are the bookmarks of a changeset, sorted by name.
func (v *View) BookmarksAt(rev node.Rev) []Bookmark {
	if v.names.marksByRev == nil {
		v.names.marksByRev = v.bookmarksByRev()
	}
	return v.names.marksByRev.at(rev)
}

// bookmarksByRev are the bookmarks of all changesets. Those of the store stay for
// later commands, which only read them.
func (v *View) bookmarksByRev() *byRev[Bookmark] {
	marks, k := v.storedMarks(), v.keptMarks()
	if k != nil && k.byRev != nil {
		return k.byRev
	}
	all := newByRev[Bookmark]()
	// A name that stands in the file twice is one bookmark, where the last
	// line has it, but hg shows it with both changesets.
	for _, b := range marks {
		if rev, ok := v.snap.Rev(b.Node); ok {
			all.add(rev, Bookmark{Name: v.local(b.Name), UTF8: b.Name, Rev: rev})
		}
	}
	for _, list := range all.lists {
		slices.SortFunc(list, func(a, b Bookmark) int { return strings.Compare(a.Name, b.Name) })
	}
	if k != nil {
		k.byRev = all
	}
	return all
}

// BookmarksOf are the names of a changeset's bookmarks, sorted.
func (v *View) BookmarksOf(rev node.Rev) []string {
	var names []string
	for _, b := range v.BookmarksAt(rev) {
		names = append(names, b.Name)
	}
	return names
}

// named resolves a name: a bookmark, a tag, a branch, in this order. A name of
// something hidden or unknown is not found.
func (v *View) named(name string) (node.Rev, bool, error) {
	for _, b := range slices.Backward(v.storedMarks()) {
		if v.local(b.Name) == name {
			if rev, ok := v.snap.Rev(b.Node); ok && !v.Hidden(rev) {
				return rev, true, nil
			}
		}
	}
	if err := v.loadTags(); err != nil {
		return node.NullRev, false, err
	}
	if t, ok := v.names.tagByName[name]; ok && t.Rev >= 0 && !v.Hidden(t.Rev) {
		return t.Rev, true, nil
	}
	bm, err := v.Branchmap()
	if err != nil {
		return node.NullRev, false, err
	}
	if b := bm.byName[name]; b != nil {
		tip, _ := b.Tip()
		return tip, true, nil
	}
	if v.Topics != "" {
		return v.topicNamed(name)
	}
	return node.NullRev, false, nil
}

// TagList are the tags whose changesets are visible, tip included, ordered by
// changeset, then by name.
func (v *View) TagList() ([]Tag, error) {
	err := v.loadTags()
	return v.names.tags, err
}

// TagsOf are the tags of a changeset, sorted by name.
func (v *View) TagsOf(rev node.Rev) ([]string, error) {
	if !v.names.tagsKnown {
		if err := v.loadTags(); err != nil {
			return v.names.tagsByRev.at(rev), err
		}
	}
	return v.names.tagsByRev.at(rev), nil
}

// TagType is "global" or "local" for a tag that was once given, removed or not.
func (v *View) TagType(name string) string { return v.names.tagByName[name].Type }

// parseLocalTags takes .hg/localtags apart, whose names are in the local encoding.
func (v *View) parseLocalTags(text []byte) (err error) {
	v.localTags = tags.Parse(text, func(local string) string {
		stored, ferr := v.Encoding.FromLocal(local)
		if ferr != nil && err == nil {
			// hg says so only when the command asks for tags.
			err = &hgerr.Unsupported{What: "local tags that are not in the encoding", Err: ferr}
		}
		return stored
	})
	return err
}

func (v *View) loadTags() error {
	if v.names.tagsKnown {
		return nil
	}
	if !v.HasQueue() && v.keptTags() {
		return nil
	}
	global, err := v.globalTags()
	if err != nil {
		return err
	}
	known := v.tagRevs(global)
	all := &tags.Table{}
	types := map[string]string{}
	for _, name := range all.Merge(global) {
		types[name] = "global"
	}
	local := &tags.Table{}
	parsed := v.localTags
	for _, name := range parsed.Names {
		// Local tags of changesets that are not here, or are hidden, do not count.
		if rev, ok := v.snap.Rev(parsed.ByName[name].Node); ok && (rev < 0 || !v.Hidden(rev)) {
			local.Merge(&tags.Table{Names: []string{name}, ByName: map[string]*tags.Entry{name: parsed.ByName[name]}})
		}
	}
	for _, name := range all.Merge(local) {
		types[name] = "local"
	}
	if v.Config.Debug && global.Skipped+v.localTags.Skipped > 0 {
		return hgerr.NewUnsupported("--debug with malformed lines of tags")
	}
	// The first ones are those of global, unless somebody moved them.
	revOf := func(i int, id node.ID) (node.Rev, bool) {
		if i < len(known) && known[i] >= 0 && int(known[i]) < v.snap.Len() && global.ByName[all.Names[i]].Node == id {
			return node.Rev(known[i]), true
		}
		return v.snap.Rev(id)
	}
	if known == nil {
		ids := make([]node.ID, 0, len(all.Names))
		for _, name := range all.Names {
			ids = append(ids, all.ByName[name].Node)
		}
		v.snap.Revs(ids, func(int, node.Rev) {}) // together, for the loop below
	}
	n := &v.names
	n.tagByName = map[string]Tag{}
	n.tagsByRev = newByRev[string]()
	for i, name := range all.Names {
		id := all.ByName[name].Node
		if id.IsNull() {
			continue
		}
		t := Tag{Name: v.local(name), UTF8: name, Node: id, Type: types[name]}
		var ok bool
		if t.Rev, ok = revOf(i, id); !ok {
			t.Rev = node.NullRev
		}
		n.tagByName[t.Name] = t
	}
	patched, err := v.addPatchTags()
	if err != nil {
		return err
	}
	tip := v.Tip()
	n.tagByName["tip"] = Tag{Name: "tip", UTF8: "tip", Node: v.Node(tip), Rev: tip}
	n.tags = nil
	for _, t := range n.tagByName {
		if t.Name == "tip" || t.Rev >= 0 {
			n.tagsByRev.add(t.Rev, t.Name)
			if t.Rev < 0 || !v.Hidden(t.Rev) {
				n.tags = append(n.tags, t)
			}
		}
	}
	for _, list := range n.tagsByRev.lists {
		slices.Sort(list)
	}
	slices.SortFunc(n.tags, func(a, b Tag) int {
		if a.Rev != b.Rev {
			return int(a.Rev) - int(b.Rev)
		}
		return strings.Compare(a.Name, b.Name)
	})
	n.tagsKnown = true
	if global.Skipped == 0 && !patched {
		v.keepTags()
	}
	return nil
}

// tagRevs are the changesets of tags, in the order of their names, if the snapshot
// has them.
func (v *View) tagRevs(global *tags.Table) []int32 {
	if !v.snap.HasTags() || v.snap.AnyTags() != global {
		return nil
	}
	if revs := v.snap.TagRevs(); len(revs) == len(global.Names) {
		return revs
	}
	return nil
}

// globalTags are the tags that .hgtags gives in the visible heads: from the
// snapshot when it has those of just these heads, else read now, and left in the
// snapshot when these are the heads that most commands see. With --debug they are
// read, since hg then speaks of lines that are none.
func (v *View) globalTags() (*tags.Table, error) {
	heads := v.Heads()
	hash := snapshot.HeadsHash(heads)
	if t, ok := v.snap.Tags(hash); ok && !v.Config.Debug {
		return t, nil
	}
	cols := &snapshot.TagColumns{HeadsHash: hash}
	hgtags, err := filelog.Open(v.store, ".hgtags")
	if err != nil {
		return nil, err
	}
	defer hgtags.Close()
	var distinct []node.ID     // in the order of the heads
	if hgtags.Stamp().Exists { // else nobody ever tagged anything
		if cols.Files, distinct, err = v.tagFiles(heads, hgtags); err != nil {
			return nil, err
		}
	}
	keep := !v.all && len(v.revealed) == 0 || !v.snap.HasTags()
	if known := v.snap.DistinctTagFiles(); v.snap.HasTags() && !v.Config.Debug && slices.Equal(known, distinct) {
		// Other heads, with the same texts.
		t := v.snap.AnyTags()
		if keep {
			v.snap.MoveTags(hash, cols.Files)
			v.extended()
		}
		return t, nil
	}
	cols.Table, err = tags.MergeAll(len(distinct), func(i int) ([]byte, error) {
		rev, ok := hgtags.Rev(distinct[i])
		if !ok {
			return nil, hgtags.NoNode(distinct[i])
		}
		return hgtags.Data(rev)
	})
	if err != nil {
		return nil, err
	}
	if keep {
		v.snap.SetTags(cols)
		v.extended()
	}
	return cols.Table, nil
}

// tagFiles finds the .hgtags of each head, and which ones they are.
func (v *View) tagFiles(heads []int32, hgtags *filelog.File) (files []snapshot.TagFile, distinct []node.ID, err error) {
	cache := v.tagFnodes()
	if cache != nil {
		defer cache.Close()
	}
	seen := map[node.ID]bool{node.Null: true}
	for _, h := range heads {
		head := node.Rev(h)
		id, known := v.snap.TagFile(head)
		if !known {
			if id, known = v.tagFnode(cache, head); known && !id.IsNull() {
				_, known = hgtags.Rev(id) // hg checks so, too
			}
		}
		if !known {
			if id, err = v.FileNode(head, ".hgtags"); err != nil {
				return nil, nil, err
			}
		}
		files = append(files, snapshot.TagFile{Head: head, File: id})
		if !seen[id] {
			seen[id] = true
			distinct = append(distinct, id)
		}
	}
	return files, distinct, nil
}

// readBranch is the working directory's branch in UTF-8.
func (r *Repo) readBranch() (string, error) {
	text, _, err := store.ReadFile(r.Layout.Dot + "/branch")
	if err != nil {
		return "", fmt.Errorf("read branch: %w", err)
	}
	if name := string(bytes.TrimSpace(text)); name != "" {
		return name, nil
	}
	return "default", nil
}

// WdirBranch is the working directory's branch in the local encoding.
func (v *View) WdirBranch() string { return v.local(v.branch) }
