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

func line(w *bytes.Buffer, label, text string) {
	w.WriteString(label)
	w.WriteString(text)
	w.WriteByte('\n')
}

func files(w *bytes.Buffer, label string, names []string) {
	if len(names) == 0 {
		return
	}
	w.WriteString(label)
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
		p.changeID(w, ctx.Rev(), ctx.Node())
		return nil
	}
	debug, verbose := p.opts.Debug, p.opts.Verbose || p.opts.Debug
	w.WriteString("changeset:   ")
	p.changeID(w, ctx.Rev(), ctx.Node())
	if b := ctx.Branch(); b.Local != "default" {
		line(w, "branch:      ", b.Local)
	}
	for _, b := range ctx.Bookmarks() {
		line(w, "bookmark:    ", b.Local)
	}
	for _, t := range ctx.Tags() {
		line(w, "tag:         ", t.Local)
	}
	if debug {
		line(w, "phase:       ", ctx.Phase().String())
	}
	for _, r := range template.MeaningfulParents(ctx, debug) {
		parent, err := p.repo.Changectx(r)
		if err != nil {
			return err
		}
		w.WriteString("parent:      ")
		p.changeID(w, parent.Rev(), parent.Node())
	}
	if debug {
		id, rev := ctx.ManifestNode(), ctx.ManifestRev()
		if ctx.Rev() == node.WdirRev {
			id, rev = node.Wdir, node.WdirRev
		}
		w.WriteString("manifest:    ")
		p.changeID(w, rev, id)
	}
	line(w, "user:        ", ctx.User().Local)
	unix, offset := ctx.Date()
	date, err := dates.Date{Unix: unix, Offset: offset}.Format(dates.DefaultFormat)
	if err != nil {
		return err
	}
	line(w, "date:        ", date)
	if words := ctx.Instabilities(); len(words) > 0 {
		line(w, "instability: ", strings.Join(words, ", "))
	} else if ctx.Obsolete() {
		p.fates.Reset()
		if err := p.fate.Render(&p.fates, template.Resources{Repo: p.repo, Ctx: ctx, Index: -1}); err != nil {
			return err
		}
		for _, fate := range template.SplitLines(p.fates.String()) {
			line(w, "obsolete:    ", fate)
		}
	}
	if debug {
		modified, added, removed := ctx.FileStatus()
		files(w, "files:       ", modified)
		files(w, "files+:      ", added)
		files(w, "files-:      ", removed)
	} else if verbose {
		files(w, "files:       ", ctx.Files())
	}
	if len(props.Copies) > 0 && verbose {
		names := make([]string, len(props.Copies))
		for i, c := range props.Copies {
			names[i] = c.Dest + " (" + c.Source + ")"
		}
		files(w, "copies:      ", names)
	}
	if debug {
		for _, x := range ctx.Extras() {
			line(w, "extra:       ", x.Key+"="+python.Escape(x.Value))
		}
	}
	if desc := ctx.Desc().Trim().Local; desc != "" {
		if verbose {
			line(w, "description:\n", desc)
			w.WriteByte('\n')
		} else {
			line(w, "summary:     ", template.FirstLine(desc))
		}
	}
	w.WriteByte('\n')
	return p.o.showPatch(w, ctx, props.GraphWidth)
}
