// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// printer is the layout of `hg log` without a template (changesetprinter): a
// column of labels, 13 wide, and an empty line after each changeset.
type printer struct {
	opts  *template.Options
	repo  template.Repo
	ids   nodes // repo, if it is one
	o     DisplayOptions
	fate  *template.Template // nil before it is needed
	fates bytes.Buffer

	// short is the layout without an option: neither more nor fewer lines, no colors.
	short   bool
	columns template.Columns

	labelled bool // a changeset was shown
}

func newPrinter(cfg *Config, repo template.Repo, o DisplayOptions) *printer {
	p := &printer{opts: &cfg.Options, repo: repo, o: o}
	p.ids, _ = repo.(nodes)
	x := p.opts
	p.short = !x.Quiet && !x.Verbose && !x.Debug && !x.Topics && x.Label == nil && p.ids != nil
	return p
}

// obsolete is what became of a changeset, a line each.
func (p *printer) obsolete(ctx template.Changectx) ([]string, error) {
	if p.fate == nil {
		opts := *p.opts
		opts.RepoResident = true
		var err error
		if p.fate, err = template.New(opts).Literal(`{join(obsfate, "\n")}`); err != nil {
			return nil, err
		}
	}
	p.fates.Reset()
	err := p.fate.Render(&p.fates, template.Resources{Repo: p.repo, Ctx: ctx, Index: -1})
	return template.SplitLines(p.fates.String()), err
}

func (p *printer) Open(*bytes.Buffer) error      { return nil }
func (p *printer) Flush(*bytes.Buffer, node.Rev) {}
func (p *printer) Close(*bytes.Buffer) error     { return nil }

// colored labels, under hg's names, what stands in b from mark on.
func (p *printer) colored(b []byte, mark int, labels string) []byte {
	if p.opts.Label != nil && len(b) > mark {
		b = append(b[:mark], p.opts.Label(string(b[mark:]), labels)...)
	}
	return b
}

// changesetLabels are the labels of the line that names a changeset.
func changesetLabels(ctx template.Changectx) string {
	labels := "log.changeset changeset." + ctx.Phase().String()
	if ctx.Obsolete() {
		labels += " changeset.obsolete"
	}
	if words := ctx.Instabilities(); len(words) > 0 {
		labels += " changeset.unstable"
		for _, word := range words {
			labels += " instability." + word
		}
	}
	return labels
}

// changeID appends "rev:node" and a line end.
func (p *printer) changeID(b []byte, rev node.Rev, id node.ID) []byte {
	b = append(strconv.AppendInt(b, int64(rev), 10), ':')
	if p.opts.Debug {
		return append(id.AppendHex(b), '\n')
	}
	return append(id.AppendShort(b), '\n')
}

// line appends a line: what it is about, the text, and the labels of both.
func (p *printer) line(b []byte, about, text, labels string) []byte {
	mark := len(b)
	b = append(append(append(b, about...), text...), '\n')
	return p.colored(b, mark, labels)
}

// parent is a changeset of which no more than ID and phase is wanted, for which
// it need not be read.
func (p *printer) parent(rev node.Rev) (template.Changectx, error) {
	if repo, ok := p.repo.(interface {
		Refer(rev node.Rev) template.Changectx
	}); ok {
		return repo.Refer(rev), nil
	}
	return p.repo.Changectx(rev)
}

// nodes is a repository that knows IDs without making a Changectx.
type nodes interface{ Node(rev node.Rev) node.ID }

// nodeOf is the ID of a changeset.
func nodeOf(repo template.Repo, rev node.Rev) (node.ID, error) {
	if ids, ok := repo.(nodes); ok {
		return ids.Node(rev), nil
	}
	ctx, err := repo.Changectx(rev)
	if err != nil {
		return node.Null, err
	}
	return ctx.Node(), nil
}

func (p *printer) files(b []byte, about string, names []string, labels string) []byte {
	if len(names) == 0 {
		return b
	}
	return p.line(b, about, strings.Join(names, " "), labels)
}

// showRoom is how much of a buffer most changesets need, in bytes.
const showRoom = 512

func (p *printer) Show(w *bytes.Buffer, ctx template.Changectx, props Props) error {
	mark := w.Len()
	w.Grow(showRoom)
	b, err := p.append(w.AvailableBuffer(), ctx, props)
	if err == nil {
		w.Write(b)
		if !p.opts.Quiet {
			err = p.o.showPatch(w, ctx, props.GraphWidth)
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		w.Truncate(mark)
	}
	return err
}

// append appends a changeset without its patch.
func (p *printer) append(b []byte, ctx template.Changectx, props Props) ([]byte, error) {
	if p.opts.Quiet {
		mark := len(b)
		b = p.changeID(b, ctx.Rev(), ctx.Node())
		return p.colored(b, mark, "log.node"), nil
	}
	if !p.labelled {
		// hg's label of the first line tells whether it is obsolete, so that hg warns
		// of markers before it does of names.
		p.labelled = true
		ctx.Obsolete()
	}
	if p.short {
		if c, ok := ctx.(template.ColumnReader); ok && c.Columns(&p.columns) {
			return p.appendShort(b, ctx, c)
		}
	}
	debug, verbose := p.opts.Debug, p.opts.Verbose || p.opts.Debug
	mark := len(b)
	b = append(b, "changeset:   "...)
	b = p.changeID(b, ctx.Rev(), ctx.Node())
	if p.opts.Label != nil {
		b = p.colored(b, mark, changesetLabels(ctx))
	}
	if name := ctx.Branch(); name.Local != "default" {
		b = p.line(b, "branch:      ", name.Local, "log.branch")
	}
	for _, name := range ctx.Bookmarks() {
		b = p.line(b, "bookmark:    ", name.Local, "log.bookmark")
	}
	for _, t := range ctx.Tags() {
		b = p.line(b, "tag:         ", t.Local, "log.tag")
	}
	if p.opts.Topics {
		if topic := template.TopicOf(ctx); topic != "" {
			b = p.line(b, "topic:       ", topic, "log.topic")
		}
	}
	if debug {
		b = p.line(b, "phase:       ", ctx.Phase().String(), "log.phase")
	}
	parents, n := template.MeaningfulParents(ctx, debug)
	for _, r := range parents[:n] {
		mark := len(b)
		b = append(b, "parent:      "...)
		if p.ids != nil && p.opts.Label == nil {
			b = p.changeID(b, r, p.ids.Node(r))
			continue
		}
		parent, err := p.parent(r)
		if err != nil {
			return b, err
		}
		b = p.changeID(b, r, parent.Node())
		if p.opts.Label != nil {
			b = p.colored(b, mark, "log.parent changeset."+parent.Phase().String())
		}
	}
	if debug {
		id, rev := ctx.ManifestNode(), ctx.ManifestRev()
		if ctx.Rev() == node.WdirRev {
			id, rev = node.Wdir, node.WdirRev
		}
		mark := len(b)
		b = append(b, "manifest:    "...)
		b = p.changeID(b, rev, id)
		b = p.colored(b, mark, "ui.debug log.manifest")
	}
	mark = len(b)
	b = append(template.AppendUser(append(b, "user:        "...), ctx), '\n')
	b = p.colored(b, mark, "log.user")
	unix, offset := ctx.Date()
	mark = len(b)
	b = append(b, "date:        "...)
	b = dates.Date{Unix: unix, Offset: offset}.AppendDefault(b)
	b = append(b, '\n')
	b = p.colored(b, mark, "log.date")
	if words := ctx.Instabilities(); len(words) > 0 {
		b = p.line(b, "instability: ", strings.Join(words, ", "), "log.instability")
	} else if ctx.Obsolete() {
		var err error
		if b, err = p.fateLines(b, ctx); err != nil {
			return b, err
		}
	}
	if debug {
		modified, added, removed := ctx.FileStatus()
		b = p.files(b, "files:       ", modified, "ui.debug log.files")
		b = p.files(b, "files+:      ", added, "ui.debug log.files")
		b = p.files(b, "files-:      ", removed, "ui.debug log.files")
	} else if verbose {
		b = p.files(b, "files:       ", ctx.Files(), "ui.note log.files")
	}
	if len(props.Copies) > 0 && verbose {
		names := make([]string, len(props.Copies))
		for i, c := range props.Copies {
			names[i] = c.Dest + " (" + c.Source + ")"
		}
		b = p.files(b, "copies:      ", names, "ui.note log.copies")
	}
	if debug {
		for _, x := range ctx.Extras() {
			b = p.line(b, "extra:       ", x.Key+"="+python.Escape(x.Value), "ui.debug log.extra")
		}
	}
	return append(p.description(b, ctx, verbose), '\n'), nil
}

// fateLines appends what became of an obsolete changeset.
func (p *printer) fateLines(b []byte, ctx template.Changectx) ([]byte, error) {
	fates, err := p.obsolete(ctx)
	for _, fate := range fates {
		b = p.line(b, "obsolete:    ", fate, "log.obsfate")
	}
	return b, err
}

// appendShort is append for the layout that short says, of a changeset that has said
// all of columns.
func (p *printer) appendShort(b []byte, ctx template.Changectx, c template.ColumnReader) ([]byte, error) {
	is, rev := &p.columns, ctx.Rev()
	b = append(b, "changeset:   "...)
	b = append(strconv.AppendInt(b, int64(rev), 10), ':')
	b = append(is.Node.AppendShort(b), '\n')
	if is.Branch != "default" {
		b = append(append(append(b, "branch:      "...), is.Branch...), '\n')
	}
	for _, name := range ctx.Bookmarks() {
		b = append(append(append(b, "bookmark:    "...), name.Local...), '\n')
	}
	for _, t := range ctx.Tags() {
		b = append(append(append(b, "tag:         "...), t.Local...), '\n')
	}
	if is.Parents[1] != node.NullRev || is.Parents[0] < rev-1 {
		b = append(b, "parent:      "...)
		b = p.changeID(b, is.Parents[0], p.ids.Node(is.Parents[0]))
		if is.Parents[1] != node.NullRev {
			b = append(b, "parent:      "...)
			b = p.changeID(b, is.Parents[1], p.ids.Node(is.Parents[1]))
		}
	}
	b = append(append(append(b, "user:        "...), is.User...), '\n')
	b = append(c.AppendDate(append(b, "date:        "...)), '\n')
	if words, obsolete := c.Fate(); len(words) > 0 {
		b = append(b, "instability: "...)
		for i, word := range words {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, word...)
		}
		b = append(b, '\n')
	} else if obsolete {
		var err error
		if b, err = p.fateLines(b, ctx); err != nil {
			return b, err
		}
	}
	if len(is.Summary) > 0 {
		b = append(append(append(b, "summary:     "...), is.Summary...), '\n')
	}
	return append(b, '\n'), nil
}

// description appends the description, or the first line of it.
func (p *printer) description(b []byte, ctx template.Changectx, verbose bool) []byte {
	about, labels := "summary:     ", "log.summary"
	if verbose {
		about, labels = "description:\n", "ui.note log.description"
	}
	mark := len(b)
	b = append(b, about...)
	if verbose {
		b = p.colored(b, mark, labels)
	}
	at := len(b)
	b = template.AppendDesc(b, ctx)
	switch {
	case len(b) == at:
		return b[:mark]
	case verbose:
		return append(p.colored(b, at, labels), "\n\n"...)
	}
	b = append(b[:at+template.FirstLine(b[at:])], '\n')
	return p.colored(b, mark, labels)
}
