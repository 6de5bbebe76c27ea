// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"io"
	"math"

	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/template"
)

// differ makes the diffs of a command.
type differ struct {
	c    *Context
	v    *repo.View
	opts patch.Options
	// asked is the command that the user called, when it is not c but one in a
	// repository around that of c.
	asked *Context
	// plain means no colors whatever the user wants.
	plain bool
	// refused is why no diff can be made, if one is asked for.
	refused error
	// match chooses the files of a changeset's diff; nil means all of them.
	match func(rev node.Rev) (match.Matcher, error)
	// keep, if set, chooses among the hunks of a changeset's file.
	keep func(rev node.Rev, path string, start, length int) bool

	writer patch.Writer
	kept   [4]keptManifest
	oldest int // of kept
}

// keptManifest is one of the manifests read last: a changeset's is often that
// of the next one's parent, or the other way round.
type keptManifest struct {
	rev  node.Rev
	read bool
	manifest.Manifest
}

func (d *differ) manifestOf(rev node.Rev) (manifest.Manifest, error) {
	for _, k := range d.kept {
		if k.read && k.rev == rev {
			return k.Manifest, nil
		}
	}
	m, err := d.v.ManifestOf(rev)
	if err == nil {
		d.kept[d.oldest] = keptManifest{rev, true, m}
		d.oldest = (d.oldest + 1) % len(d.kept)
	}
	return m, err
}

// status compares two sides.
func (d *differ) status(q *comparison) (*status.Result, error) {
	if q.a == node.WdirRev || q.b == node.WdirRev {
		return d.c.statusOf(d.v, q.a, q.b, q.match, false, false, false)
	}
	a, err := d.manifestOf(q.a)
	if err != nil {
		return nil, err
	}
	b, err := d.manifestOf(q.b)
	if err != nil {
		return nil, err
	}
	return status.Revisions(d.c, a, b, q.match, false)
}

// comparison is what a diff is about.
type comparison struct {
	a, b  node.Rev // NullRev and WdirRev as well
	exact bool     // null against null is no difference
	match match.Matcher
	// chosen is match before --root narrowed it, where that counts for
	// subrepositories; nil is match.
	chosen match.Matcher
	opts   patch.Options
	name   func(path string) string // how files are shown; nil is as they are
	// prefix is where a subrepository lies, which is shown before its files.
	prefix string
	// source, if set, says what may be named as the source of a copy.
	source func(path string) bool
	keep   func(path string, start, length int) bool
	// inspect, if set, sees each change before its patch is made, and may end it all.
	inspect func(*patch.Change) error
}

// prefixed is a path with the prefix.
func (q *comparison) prefixed(path string) string {
	if q.prefix == "" {
		return path
	}
	return q.prefix + "/" + path
}

// each makes the patches of all files that differ, in order. What it hands over
// is good until it returns.
func (d *differ) each(q comparison, yield func(header, text []byte) error) error {
	c, v := d.c, d.v
	if q.a == node.NullRev && q.b == node.NullRev && !q.exact {
		q.a, _ = v.WdirParents() // hg takes two nulls for no revisions
	}
	st, err := d.status(&q)
	if err != nil {
		return err
	}
	if len(st.Modified)+len(st.Added)+len(st.Removed) == 0 {
		return nil
	}
	old, err := d.side(q.a)
	if err != nil {
		return err
	}
	new, err := d.side(q.b)
	if err != nil {
		return err
	}
	// What a merge brought in was not there before: files that it changed are
	// new, and those that were removed since never were.
	var modified, removed []string
	added := st.Added
	for _, path := range st.Modified {
		if old.has(path) {
			modified = append(modified, path)
		} else {
			added = append(added, path)
		}
	}
	for _, path := range st.Removed {
		if old.has(path) {
			removed = append(removed, path)
		}
	}
	var copied map[string]string
	if q.opts.Git && len(added) > 0 {
		if copied, err = c.pathCopies(v, q.a, q.b, q.match); err != nil {
			return err
		}
		for to, from := range copied {
			if !old.has(from) || q.source != nil && !q.source(from) {
				delete(copied, to)
			}
		}
	}
	w := &d.writer
	w.Options, w.OldDate, w.NewDate, w.Revs, w.Keep = q.opts, old.date, new.date, w.Revs[:0], nil
	for _, rev := range [2]node.Rev{q.a, q.b} {
		if rev == node.WdirRev {
			continue
		}
		hash := v.Node(rev).Hex()
		if !c.Debug {
			hash = hash[:12]
		}
		w.Revs = append(w.Revs, hash)
	}
	name := q.name
	if name == nil {
		name = q.prefixed
	}
	for _, p := range patch.Pairs(modified, added, removed, copied, q.opts.Git) {
		if err := c.Err(); err != nil {
			return err
		}
		change := patch.Change{Op: p.Op}
		if change.Old, err = old.file(p.Old); err != nil {
			return err
		}
		if change.New, err = new.file(p.New); err != nil {
			return err
		}
		for _, f := range [2]*patch.File{change.Old, change.New} {
			if f != nil && len(f.Data) > math.MaxInt32 {
				return unsupported("diff of a file of 2 GiB")
			}
		}
		if p.Old == "" {
			p.Old = p.New
		} else if p.New == "" {
			p.New = p.Old
		}
		change.OldName, change.NewName = name(p.Old), name(p.New)
		change.OldKnown, change.NewKnown = old.has(change.OldName), new.has(change.NewName)
		if q.inspect != nil {
			if err := q.inspect(&change); err != nil {
				return err
			}
		}
		if q.keep != nil {
			w.Keep = func(start, length int) bool { return q.keep(p.New, start, length) }
		}
		if err := yield(w.Write(&change)); err != nil {
			return err
		}
	}
	return nil
}

// ShowDiff writes the diff or the histogram of a changeset against its first
// parent, for the displayers.
func (d *differ) ShowDiff(w *bytes.Buffer, ctx template.Changectx, stat bool, graphWidth int) error {
	q, err := d.ofChangeset(ctx.Rev())
	if err != nil {
		return err
	}
	if err := d.c.refuseLostSubs(d.v); err != nil {
		return err
	}
	return d.show(w, q, stat, graphWidth, false)
}

// Stat counts the lines that a changeset changes.
func (d *differ) Stat(ctx template.Changectx) ([]patch.FileStat, error) {
	q, err := d.ofChangeset(ctx.Rev())
	if err != nil {
		return nil, err
	}
	if err := d.forStat(&q); err != nil {
		return nil, err
	}
	st, err := d.count(q)
	return st.Files, err
}

func (d *differ) ofChangeset(rev node.Rev) (comparison, error) {
	if rev == node.WdirRev {
		return comparison{}, unsupported("patch of the working directory")
	}
	if err := d.c.plainParent(d.v, rev); err != nil {
		return comparison{}, err
	}
	q := comparison{b: rev, opts: d.opts, match: match.Always()}
	if d.refused != nil {
		return q, d.refused
	}
	q.a, _ = d.v.Parents(rev)
	if d.match != nil {
		var err error
		if q.match, err = d.match(rev); err != nil {
			return q, err
		}
	}
	if d.keep != nil {
		q.keep = func(path string, start, length int) bool { return d.keep(rev, path, start, length) }
	}
	return q, nil
}

// plainParent refuses to compare a merge with what would have been merged.
func (c *Context) plainParent(v *repo.View, rev node.Rev) error {
	_, p2 := v.WdirParents()
	if rev != node.WdirRev {
		_, p2 = v.Parents(rev)
	}
	on, err := c.Config.Bool("diff", "merge")
	if err == nil && on && p2 != node.NullRev {
		err = unsupported("diff.merge")
	}
	return err
}

// patches writes the whole diff without colors.
func (d *differ) patches(w *bytes.Buffer, q comparison) error {
	return d.each(q, func(header, text []byte) error {
		w.Write(header)
		w.Write(text)
		return nil
	})
}

// colored writes the diff as the user is to see it.
func (d *differ) colored(w io.Writer, q comparison) error {
	if d.asking().Color == nil || d.plain {
		return d.each(q, func(header, text []byte) error {
			w.Write(header)
			_, err := w.Write(text)
			return err
		})
	}
	asked := d.asking()
	words, err := asked.Config.Bool("diff", "word-diff")
	if err != nil {
		return err
	}
	emit := func(label, text string) { io.WriteString(w, asked.Color.Label(label, text)) }
	l := patch.Labeler{Emit: emit, Words: words && !asked.Config.Plain("")}
	return d.each(q, func(header, text []byte) error {
		l.Add(header)
		l.Add(text)
		return d.c.Err()
	})
}

// forStat changes a comparison to that of --stat.
func (d *differ) forStat(q *comparison) error {
	q.opts = q.opts.ForStat()
	if q.name != nil {
		return nil // --root counts, and not ui.relative-paths
	}
	shown, err := d.c.pathNamer(d.v, false, nil)
	prefixed := q.prefixed
	q.name = func(path string) string { return shown(prefixed(path)) }
	return err
}

func (d *differ) count(q comparison) (patch.Stat, error) {
	var st patch.Stat
	err := d.each(q, st.Add)
	st.End()
	return st, err
}

// histogram writes the diffstat beside a graph.
func (d *differ) histogram(w *bytes.Buffer, q comparison, graphWidth int) error {
	if err := d.forStat(&q); err != nil {
		return err
	}
	st, err := d.count(q)
	if err != nil {
		return err
	}
	width, asked := 80, d.asking()
	if !asked.Config.Plain("") {
		width = asked.termWidth() - graphWidth
	}
	if asked.Color == nil || d.plain {
		st.Append(w, width, d.c.Encoding.ColWidth)
		return nil
	}
	var text bytes.Buffer
	st.Append(&text, width, d.c.Encoding.ColWidth)
	patch.LabelStat(text.Bytes(), func(label, text string) { w.WriteString(asked.Color.Label(label, text)) })
	return nil
}
