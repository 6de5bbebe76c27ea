// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/template"
)

var (
	_ template.ObsoleteReader = (*Templates)(nil)
	_ template.CopyTracer     = (*Templates)(nil)
)

// seen tells whether a node is a visible changeset.
func (v *View) seen(id node.ID) bool {
	rev, ok := v.snap.Rev(id)
	return ok && (rev < 0 || !v.Hidden(rev))
}

// SuccessorSets are the closest visible changesets that an obsolete one has
// become, with the markers.
func (t *Templates) SuccessorSets(ctx template.Changectx) ([]template.SuccessorSet, error) {
	k, rev := t.known(), ctx.Rev()
	if out, ok := k.fates[rev]; ok {
		return out, nil
	}
	markers := t.snap.Markers()
	sets, err := obsolete.Fate(markers, ctx.Node(), t.seen)
	if err != nil {
		return nil, err
	}
	var out []template.SuccessorSet
	for _, set := range sets {
		s := template.SuccessorSet{Successors: set.Nodes}
		for _, i := range set.Markers {
			m := markers.Marker(i)
			tm := template.Marker{Predecessor: m.Predecessor, Successors: m.Successors, Flags: int(m.Flags), Unix: m.Seconds, Offset: m.TZ}
			for _, p := range m.Metadata {
				tm.Metadata = append(tm.Metadata, template.Extra{Key: p.Key, Value: p.Value})
			}
			if m.KnowsParents() {
				tm.Parents = append([]node.ID{}, m.Parents...)
			}
			s.Markers = append(s.Markers, tm)
		}
		out = append(out, s)
	}
	k.keepFate(rev, out)
	return out, nil
}

// Predecessors are the closest visible changesets that one came from.
func (t *Templates) Predecessors(ctx template.Changectx) ([]node.ID, error) {
	return obsolete.ClosestPredecessors(t.snap.Markers(), ctx.Node(), t.seen), nil
}

// Username is who would commit, "" when nobody said.
func (t *Templates) Username() template.Text {
	name, set := t.Getenv("HGUSER")
	if !set {
		name, set = t.Config.Get("ui", "username")
		if !set {
			name, _ = t.Getenv("EMAIL")
		}
	}
	if strings.Contains(name, "$") {
		// A variable in it: who that is, only hg's own expansion tells, and a
		// name that matches nobody hides nobody.
		name = ""
	}
	stored, err := t.Encoding.FromLocal(name)
	if err != nil {
		return template.PlainText(name)
	}
	return template.Text{Local: name, UTF8: stored}
}

// Copies are the copies that a changeset records.
func (t *Templates) Copies(ctx template.Changectx) ([]template.Copy, error) {
	if ctx.Rev() == node.WdirRev {
		return nil, hgerr.NewUnsupported("copies of the working directory")
	}
	copies, err := t.RecordedCopies(ctx.Rev())
	out := make([]template.Copy, 0, len(copies))
	for _, c := range copies {
		out = append(out, template.Copy{Dest: c.Dest, Source: c.Source})
	}
	return out, err
}

// FileCopy is a file and what it is a copy of.
type FileCopy struct{ Dest, Source string }

// RecordedCopies lists the copies that a changeset records for the files that it
// names, in their order. A filelog tells of a copy once, for the changeset that
// brought the file's revision; another changeset with the same revision made the
// same copy unless a parent has that revision too.
func (v *View) RecordedCopies(rev node.Rev) ([]FileCopy, error) {
	c, err := v.Changeset(rev)
	if err != nil || !c.HasFiles() {
		return nil, err
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return nil, err
	}
	p1, p2 := v.Parents(rev)
	var out []FileCopy
	for _, path := range c.FileList() {
		e, ok, err := m.Lookup(path)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		source, err := v.copySource(path, e.Node, rev, p1, p2)
		if err != nil {
			return nil, err
		}
		if source != "" {
			out = append(out, FileCopy{path, source})
		}
	}
	return out, nil
}

func (v *View) copySource(path string, id node.ID, rev, p1, p2 node.Rev) (string, error) {
	f, err := v.FilelogPart(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	flrev, err := f.FindNear(id, rev)
	if err != nil {
		return "", err
	}
	source, _, ok, err := f.Renamed(flrev)
	if err != nil || !ok {
		return "", err
	}
	if f.LinkRev(flrev) == rev {
		return source, nil
	}
	for _, p := range [2]node.Rev{p1, p2} {
		have, err := v.FileNode(p, path)
		if err != nil {
			return "", err
		}
		if have == id {
			return "", nil
		}
	}
	return source, nil
}
