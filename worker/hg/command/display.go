// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

// flushSize is how much a command collects before it hands it on.
const flushSize = 64 << 10

// formatterConfig is what templates and formats can see of the command.
func (c *Context) formatterConfig() (*formatter.Config, error) {
	cfg := &formatter.Config{
		Options: template.Options{
			Quiet: c.Quiet, Verbose: c.Verbose, Debug: c.Debug,
			TermWidth:   c.termWidth(),
			Features:    template.FeatureRevset | template.FeatureObsolete | template.FeatureCopies | template.FeatureFiles | template.FeaturePaths | template.FeatureDiff,
			Encoding:    c.Encoding,
			Now:         c.Now,
			Location:    c.Local,
			CheckRevset: c.checkRevset,
			ParseRevset: revset.CheckSyntax,
			Config: func(section, name string) (string, bool, error) {
				if !c.Config.IsSet(section, name) {
					return "", false, nil
				}
				v, ok := c.Config.Get(section, name)
				return v, ok, nil
			},
			ConfigDefault:      c.configDefault,
			Paths:              c.peerPaths,
			Evolve:             c.Evolve != "",
			Topics:             c.Topic != "",
			DisambiguateWithin: c.Config.GetOr("experimental", "revisions.disambiguatewithin", ""),
		},
		LogTemplate:     c.Config.GetOr("command-templates", "log", c.Config.GetOr("ui", "logtemplate", "")),
		Style:           c.Config.GetOr("ui", "style", ""),
		SummaryTemplate: c.Config.GetOr("command-templates", "oneline-summary", ""),
		IsFile:          func(path string) bool { return c.isFile(path) },
		ReadFile:        func(path string) ([]byte, error) { return os.ReadFile(c.absolute(path)) },
		RealPath:        c.realPath,
		StockDir:        c.Config.TemplateDir,
	}
	if env, known := c.exportedEnviron(); known {
		cfg.Options.Environ = env
		cfg.Options.Features |= template.FeatureEnviron
	}
	if c.Color != nil {
		cfg.Options.Label = func(text, label string) string { return c.Color.Label(label, text) }
	}
	var err error
	if cfg.Options.PrefixHexNode, err = c.Config.Bool("experimental", "revisions.prefixhexnode"); err != nil {
		return nil, err
	}
	if cfg.FormatDebug, err = c.Config.Bool("ui", "formatdebug"); err != nil {
		return nil, err
	}
	if cfg.FormatJSON, err = c.Config.Bool("ui", "formatjson"); err != nil {
		return nil, err
	}
	if c.At72() {
		cfg.Options.Version = template.Hg72
	}
	for _, it := range c.Config.Items("templates") {
		cfg.Templates = append(cfg.Templates, template.Extra{Key: it.Name, Value: it.Text})
	}
	for _, it := range c.Config.Items("templatealias") {
		cfg.Aliases = append(cfg.Aliases, template.Extra{Key: it.Name, Value: it.Text})
	}
	return cfg, nil
}

// termWidth is how wide hg takes the terminal to be when there is none.
func (c *Context) termWidth() int {
	if columns, ok := c.Getenv("COLUMNS"); ok {
		if n, err := python.Int(columns); err == nil {
			return int(n)
		}
	}
	return 80
}

// absolute is a path as seen from the command's directory.
func (c *Context) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Cwd, path)
}

func (c *Context) realPath(path string) string {
	path = c.absolute(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func (c *Context) isFile(path string) bool {
	fi, err := os.Stat(c.absolute(path))
	return err == nil && fi.Mode().IsRegular()
}

// templates is the view as templates see it; nil without a repository.
func (c *Context) templates(v *repo.View) *repo.Templates {
	return &repo.Templates{
		View:  v,
		Files: c.templateFiles(v),
		Diffs: &templateDiffs{c: c, v: v},
		Eval: func(query string) ([]node.Rev, error) {
			revs, err := c.eval(v, []string{query})
			if err != nil {
				return nil, err
			}
			return revs.Revs()
		},
	}
}

// checkRevset tells whether a revset in a template can be evaluated at all.
func (c *Context) checkRevset(query string) error {
	_, err := revset.Compile([]string{query}, nil, c.revsetOptions().Aliases)
	return err
}

// output is a command's formatter with the buffer that it fills.
type output struct {
	*formatter.Formatter
	c    *Context
	buf  *bytes.Buffer
	repo *repo.Templates
}

// formatter starts the formatter that -T asks for. v may be nil.
func (c *Context) formatter(topic string, v *repo.View) (*output, error) {
	cfg, err := c.formatterConfig()
	if err != nil {
		return nil, err
	}
	o := &output{c: c, buf: c.buffer()}
	spec, err := formatter.Lookup(cfg, topic, c.Opts.Text("template"), o.buf)
	if err != nil {
		return nil, err
	}
	var tr template.Repo
	if v != nil {
		o.repo = c.templates(v)
		tr = o.repo
	}
	o.Formatter, err = formatter.New(cfg, spec, topic, tr, o.buf)
	c.outputs = append(c.outputs, o)
	return o, err
}

// nameRow is how a listing shows a name and, without --quiet, its changeset.
type nameRow struct {
	field    string // of the name
	labels   string // of the name
	atLabels string // of the changeset
	room     int    // columns that the name has, at least
	revWidth int    // columns that the number of the changeset has, at least
}

// named writes the beginning of a line about a name.
func (o *output) named(row nameRow, name template.Text, rev node.Rev, id node.ID) {
	blanks := max(row.room-o.c.Encoding.ColWidth(name.Local), 0)
	if o.IsPlain() && o.c.Color == nil {
		// Without values: there may be many of them.
		b := append(o.buf.AvailableBuffer(), name.Local...)
		if !o.c.Quiet {
			b = append(appendBlanks(b, blanks), ' ')
			var number [12]byte
			digits := strconv.AppendInt(number[:0], int64(rev), 10)
			b = append(append(appendBlanks(b, row.revWidth-len(digits)), digits...), ':')
			if o.c.Debug {
				b = id.AppendHex(b)
			} else {
				b = id.AppendShort(b)
			}
		}
		o.buf.Write(b)
		return
	}
	o.As(row.labels).Write(row.field, "%s", template.TextValue(name))
	number := " %d:%s"
	if row.revWidth > 0 {
		number = " %" + strconv.Itoa(row.revWidth) + "d:%s"
	}
	o.As(row.atLabels).CondWrite(!o.c.Quiet, "rev node", pad(blanks)+number, template.Int(int64(rev)), template.Bytes(o.Hash(id)))
}

// appendBlanks appends n blanks.
func appendBlanks(b []byte, n int) []byte {
	const some = "                                "
	for ; n > len(some); n -= len(some) {
		b = append(b, some...)
	}
	return append(b, some[:max(n, 0)]...)
}

// spill hands on what has been collected, when it is much.
func (o *output) spill() {
	if o.buf.Len() >= flushSize {
		o.c.Stdout.Write(o.buf.Bytes())
		o.buf.Reset()
	}
}

// release hands on what has been collected.
func (o *output) release() {
	o.c.Stdout.Write(o.buf.Bytes())
	o.buf.Reset()
}

// context puts a changeset in view of the current item.
func (o *output) context(rev node.Rev) error {
	if o.IsPlain() {
		return nil
	}
	ctx, err := o.repo.Changectx(rev)
	if err == nil {
		o.Context(ctx)
	}
	return err
}

// plainInside refuses templates that show items of subrepositories: what they say
// of a changeset would be of one there.
func (o *output) plainInside() error {
	if o.Templated() {
		return unsupported("-T of files in subrepositories")
	}
	return nil
}

// finish completes the output.
func (o *output) finish() error {
	err := o.End()
	o.c.Stdout.Write(o.buf.Bytes())
	o.buf.Reset()
	return err
}

// strings prepares a list of local strings.
func (o *output) strings(name, sep string, list []string) template.Value {
	values := make([]template.Value, len(list))
	for i, s := range list {
		values[i] = template.Bytes(s)
	}
	return o.List(name, sep, values)
}

// printer shows changesets as --template, --style and the configuration ask.
type printer struct {
	formatter.Displayer
	c    *Context
	v    *repo.View
	repo *repo.Templates
	spec formatter.Spec
	buf  *bytes.Buffer

	forgets bool               // see formatter.Forgets
	ctx     template.Changectx // the last one, if it was forgotten
	copies  bool               // --copies

	text  bytes.Buffer // of one changeset beside its graph
	lines []string     // of it
}

// changesetPrinter makes the printer of a command that shows changesets.
func (c *Context) changesetPrinter(v *repo.View, log, graph bool) (*printer, error) {
	cfg, err := c.formatterConfig()
	if err != nil {
		return nil, err
	}
	p := &printer{c: c, v: v, repo: c.templates(v), buf: c.buffer()}
	spec, err := formatter.LookupChangeset(cfg, c.Opts.Text("template"), c.Opts.Text("style"), p.buf)
	if err != nil {
		return nil, err
	}
	p.spec = spec
	shown := formatter.DisplayOptions{Graph: graph, Log: log, Stat: c.Opts.On("stat"), Patch: c.Opts.On("patch")}
	differ, refused := c.changesetDiffer(v, spec.Format())
	if refused != nil && !spec.Format() {
		return nil, refused
	}
	shown.Differ = differ
	p.Displayer, err = formatter.NewDisplayer(cfg, spec, p.repo, shown)
	if err != nil {
		return nil, err
	}
	p.forgets, p.copies = formatter.Forgets(p.Displayer), c.Opts.On("copies")
	if err = p.Open(p.buf); err == nil {
		err = refused // after the beginning of JSON
	}
	return p, err
}

// show prints one changeset.
func (p *printer) show(rev node.Rev) error {
	ctx := p.refer(rev)
	props, err := p.props(ctx)
	if err != nil {
		return err
	}
	if err := p.Show(p.buf, ctx, props); err != nil {
		return err
	}
	p.Flush(p.buf, rev)
	return p.spill()
}

// refer is a changeset to show next; it may have taken the place of the one before.
func (p *printer) refer(rev node.Rev) template.Changectx {
	if !p.forgets {
		return p.repo.Refer(rev)
	}
	p.ctx = p.repo.Again(p.ctx, rev)
	return p.ctx
}

// props are what the command's options add to a changeset.
func (p *printer) props(ctx template.Changectx) (formatter.Props, error) {
	var props formatter.Props
	var err error
	if p.copies {
		props.Copies, err = p.repo.Copies(ctx)
	}
	return props, err
}

func (p *printer) spill() error {
	if p.buf.Len() >= flushSize {
		if _, err := p.c.Stdout.Write(p.buf.Bytes()); err != nil {
			return err
		}
		p.buf.Reset()
	}
	return p.c.Err()
}

// close prints what comes after the last changeset.
func (p *printer) close() error {
	err := p.Close(p.buf)
	p.flush()
	return err
}

func (p *printer) flush() {
	p.c.Stdout.Write(p.buf.Bytes())
	p.buf.Reset()
}

// pad is n blanks.
func pad(n int) string { return strings.Repeat(" ", max(n, 0)) }
