// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"encoding/hex"
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
	o     DisplayOptions
	fate  *template.Template
	fates bytes.Buffer
}

func newPrinter(cfg *Config, repo template.Repo, o DisplayOptions) (*printer, error) {
	p := &printer{opts: &cfg.Options, repo: repo, o: o}
	if p.opts.Quiet {
		return p, nil
	}
	opts := cfg.Options
	opts.RepoResident = true
	var err error
	p.fate, err = template.New(opts).Literal(`{join(obsfate, "\n")}`)
	return p, err
}

func (p *printer) Open(*bytes.Buffer) error      { return nil }
func (p *printer) Flush(*bytes.Buffer, node.Rev) {}
func (p *printer) Close(*bytes.Buffer) error     { return nil }

// colored labels, under hg's names, what was written since mark.
func (p *printer) colored(w *bytes.Buffer, mark int, labels string) {
	if p.opts.Label != nil && w.Len() > mark {
		text := p.opts.Label(string(w.Bytes()[mark:]), labels)
		w.Truncate(mark)
		w.WriteString(text)
	}
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

// changeID writes "rev:node" and a line end.
func (p *printer) changeID(w *bytes.Buffer, rev node.Rev, id node.ID) {
	w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(rev), 10))
	w.WriteByte(':')
	digits := id[:6]
	if p.opts.Debug {
		digits = id[:]
	}
	w.Write(hex.AppendEncode(w.AvailableBuffer(), digits))
	w.WriteByte('\n')
}

// line writes a line: what it is about, the text, and the labels of both.
func (p *printer) line(w *bytes.Buffer, about, text, labels string) {
	mark := w.Len()
	w.WriteString(about)
	w.WriteString(text)
	w.WriteByte('\n')
	p.colored(w, mark, labels)
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

// summarized is a changeset that can tell the first line of its description, without
// white space around the whole, with less work than taking it out of Desc; ok is
// false when it cannot.
type summarized interface {
	Summary() (line string, ok bool)
}

func (p *printer) files(w *bytes.Buffer, about string, names []string, labels string) {
	if len(names) == 0 {
		return
	}
	mark := w.Len()
	defer func() { p.colored(w, mark, labels) }()
	w.WriteString(about)
	for i, n := range names {
		if i > 0 {
			w.WriteByte(' ')
		}
		w.WriteString(n)
	}
	w.WriteByte('\n')
}

func (p *printer) Show(w *bytes.Buffer, ctx template.Changectx, props Props) error {
	mark := w.Len()
	err := p.show(w, ctx, props)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		w.Truncate(mark)
	}
	return err
}

func (p *printer) show(w *bytes.Buffer, ctx template.Changectx, props Props) error {
	if p.opts.Quiet {
		mark := w.Len()
		p.changeID(w, ctx.Rev(), ctx.Node())
		p.colored(w, mark, "log.node")
		return nil
	}
	debug, verbose := p.opts.Debug, p.opts.Verbose || p.opts.Debug
	mark := w.Len()
	w.WriteString("changeset:   ")
	p.changeID(w, ctx.Rev(), ctx.Node())
	if p.opts.Label != nil {
		p.colored(w, mark, changesetLabels(ctx))
	}
	if b := ctx.Branch(); b.Local != "default" {
		p.line(w, "branch:      ", b.Local, "log.branch")
	}
	for _, b := range ctx.Bookmarks() {
		p.line(w, "bookmark:    ", b.Local, "log.bookmark")
	}
	for _, t := range ctx.Tags() {
		p.line(w, "tag:         ", t.Local, "log.tag")
	}
	if p.opts.Topics {
		if topic := template.TopicOf(ctx); topic != "" {
			p.line(w, "topic:       ", topic, "log.topic")
		}
	}
	if debug {
		p.line(w, "phase:       ", ctx.Phase().String(), "log.phase")
	}
	for _, r := range template.MeaningfulParents(ctx, debug) {
		mark := w.Len()
		w.WriteString("parent:      ")
		if ids, ok := p.repo.(nodes); ok && p.opts.Label == nil {
			p.changeID(w, r, ids.Node(r))
			continue
		}
		parent, err := p.parent(r)
		if err != nil {
			return err
		}
		p.changeID(w, r, parent.Node())
		if p.opts.Label != nil {
			p.colored(w, mark, "log.parent changeset."+parent.Phase().String())
		}
	}
	if debug {
		id, rev := ctx.ManifestNode(), ctx.ManifestRev()
		if ctx.Rev() == node.WdirRev {
			id, rev = node.Wdir, node.WdirRev
		}
		mark := w.Len()
		w.WriteString("manifest:    ")
		p.changeID(w, rev, id)
		p.colored(w, mark, "ui.debug log.manifest")
	}
	p.line(w, "user:        ", ctx.User().Local, "log.user")
	unix, offset := ctx.Date()
	mark = w.Len()
	w.WriteString("date:        ")
	w.Write(dates.Date{Unix: unix, Offset: offset}.AppendDefault(w.AvailableBuffer()))
	w.WriteByte('\n')
	p.colored(w, mark, "log.date")
	if words := ctx.Instabilities(); len(words) > 0 {
		p.line(w, "instability: ", strings.Join(words, ", "), "log.instability")
	} else if ctx.Obsolete() {
		p.fates.Reset()
		if err := p.fate.Render(&p.fates, template.Resources{Repo: p.repo, Ctx: ctx, Index: -1}); err != nil {
			return err
		}
		for _, fate := range template.SplitLines(p.fates.String()) {
			p.line(w, "obsolete:    ", fate, "log.obsfate")
		}
	}
	if debug {
		modified, added, removed := ctx.FileStatus()
		p.files(w, "files:       ", modified, "ui.debug log.files")
		p.files(w, "files+:      ", added, "ui.debug log.files")
		p.files(w, "files-:      ", removed, "ui.debug log.files")
	} else if verbose {
		p.files(w, "files:       ", ctx.Files(), "ui.note log.files")
	}
	if len(props.Copies) > 0 && verbose {
		names := make([]string, len(props.Copies))
		for i, c := range props.Copies {
			names[i] = c.Dest + " (" + c.Source + ")"
		}
		p.files(w, "copies:      ", names, "ui.note log.copies")
	}
	if debug {
		for _, x := range ctx.Extras() {
			p.line(w, "extra:       ", x.Key+"="+python.Escape(x.Value), "ui.debug log.extra")
		}
	}
	if s, ok := ctx.(summarized); ok && !verbose {
		if line, ok := s.Summary(); ok {
			if line != "" {
				p.line(w, "summary:     ", line, "log.summary")
			}
			w.WriteByte('\n')
			return p.o.showPatch(w, ctx, props.GraphWidth)
		}
	}
	if desc := ctx.Desc().Trim().Local; desc != "" {
		if verbose {
			const label = "ui.note log.description"
			mark := w.Len()
			w.WriteString("description:\n")
			p.colored(w, mark, label)
			mark = w.Len()
			w.WriteString(desc)
			p.colored(w, mark, label)
			w.WriteString("\n\n")
		} else {
			p.line(w, "summary:     ", template.FirstLine(desc), "log.summary")
		}
	}
	w.WriteByte('\n')
	return p.o.showPatch(w, ctx, props.GraphWidth)
}
