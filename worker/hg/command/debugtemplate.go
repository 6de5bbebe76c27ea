// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

var debugtemplateSpec = Spec{
	Name:    "debugtemplate",
	Options: func() []Option { return join(native(cmdline.Words("r", "rev")), others(cmdline.Words("D", "define"))) },
	Run:     runDebugtemplate,
}

// runDebugtemplate prints a template for changesets, or by itself.
func runDebugtemplate(c *Context) (int, error) {
	if len(c.Args) != 1 {
		return 0, unsupported("usage error: debugtemplate")
	}
	if c.Verbose {
		return 0, unsupported("debugtemplate --verbose, which shows Mercurial's own parse")
	}
	text := c.Args[0]
	specs := c.Opts.List("rev")
	if len(specs) == 0 {
		return 0, c.renderAlone(text)
	}
	if !strings.Contains(text, "{") {
		return 0, unsupported("a template that could be a name")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	revs, err := c.eval(v, specs)
	if err != nil {
		return 0, err
	}
	inner := *c
	inner.Opts.Set("template", cmdline.Value{Text: text, Given: true})
	p, err := inner.changesetPrinter(v, false, false)
	if err != nil {
		return 0, err
	}
	for rev := range revs.All() {
		if rev == node.WdirRev {
			return 0, unsupported("debugtemplate of the working directory")
		}
		if err := p.show(rev); err != nil {
			return 0, err
		}
	}
	if err := revs.Err(); err != nil {
		return 0, err
	}
	return 0, p.close()
}

// renderAlone prints a template without a changeset.
func (c *Context) renderAlone(text string) error {
	cfg, err := c.formatterConfig()
	if err != nil {
		return err
	}
	cfg.Options.NoKeywords = true // hg knows none without a changeset
	e := template.New(cfg.Options)
	for _, a := range cfg.Aliases {
		e.Alias(a.Key, a.Value)
	}
	t, err := e.Literal(text)
	if err != nil {
		return err
	}
	res := template.Resources{Index: -1}
	if c.Repo != nil {
		v, err := c.View()
		if err != nil {
			return err
		}
		res.Repo = c.templates(v)
	}
	var b bytes.Buffer
	if err := t.Render(&b, res); err != nil {
		return err
	}
	c.Print(b.String())
	return nil
}
