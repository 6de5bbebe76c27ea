// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
)

// diffOptions are the options of a diff: those of the command line, unless
// they are to be ignored (as in templates), then those of [diff].
func (c *Context) diffOptions(commandLine bool) (patch.Options, error) {
	o := patch.Options{Identifiers: c.At72(), Context: 3}
	// Every command that shows changesets asks: without the section, all are off.
	configured := c.Config.HasSection("diff")
	for _, f := range []struct {
		to           *bool
		option, name string
		inPlain      bool // the configuration counts under HGPLAIN, too
	}{
		{&o.NoDates, "nodates", "nodates", true},
		{&o.ShowFunc, "show-function", "showfunc", true},
		{&o.Git, "git", "git", true},
		{&o.Whitespace.IgnoreAllSpace, "ignore-all-space", "ignorews", true},
		{&o.Whitespace.IgnoreSpaceAmount, "ignore-space-change", "ignorewsamount", true},
		{&o.Whitespace.IgnoreBlankLines, "ignore-blank-lines", "ignoreblanklines", true},
		{&o.Whitespace.IgnoreSpaceAtEOL, "ignore-space-at-eol", "ignorewseol", true},
		{&o.NoBinary, "nobinary", "nobinary", false},
		{&o.NoPrefix, "noprefix", "noprefix", false},
	} {
		if commandLine && c.Opts.Given(f.option) {
			*f.to = c.Opts.On(f.option)
			continue
		}
		if !configured || !f.inPlain && c.Config.Plain("") {
			continue
		}
		var err error
		if *f.to, err = c.Config.Bool("diff", f.name); err != nil {
			return o, err
		}
	}
	if commandLine {
		o.Text = c.Opts.On("text")
		if c.Opts.Given("binary") {
			o.NoBinary = !c.Opts.On("binary")
		}
	}
	var err error
	if o.Whitespace.Xdiff, err = c.Config.Bool("experimental", "xdiff"); err != nil {
		return o, err
	}
	if on, err := c.Config.Bool("experimental", "extendedheader.similarity"); err != nil {
		return o, err
	} else if on && o.Git {
		return o, unsupported("experimental.extendedheader.similarity")
	}
	if err := c.diffIndex(&o); err != nil {
		return o, err
	}
	return o, c.diffContext(&o, commandLine)
}

// diffContext reads --unified and diff.unified.
func (c *Context) diffContext(o *patch.Options, commandLine bool) error {
	text, set := "", false
	if commandLine {
		text = c.Opts.Text("unified")
		set = text != ""
	}
	if !set {
		text, set = c.Config.Get("diff", "unified")
	}
	if !set {
		return nil
	}
	if strings.Contains(text, "_") || len(text) > 9 {
		return unsupported("diff.unified=%s", text)
	}
	n, err := strconv.Atoi(python.Strip(text))
	switch {
	case err != nil:
		return inputError("diff context lines count must be an integer, not %s", python.Repr(text))
	case n < 0:
		return unsupported("diff.unified=%s", text)
	}
	o.Context = n
	return nil
}

// diffIndex reads experimental.extendedheader.index.
func (c *Context) diffIndex(o *patch.Options) error {
	text, set := c.Config.Get("experimental", "extendedheader.index")
	if !set {
		return nil
	}
	if strings.Contains(text, "_") || len(text) > 9 {
		return unsupported("experimental.extendedheader.index=%s", text)
	}
	if n, err := strconv.Atoi(python.Strip(text)); err == nil {
		if n < 0 || n > node.HexSize {
			c.Warnf("invalid length for extendedheader.index: '%d'\n", n)
		}
		o.Index = max(n, 0)
		return nil
	}
	switch text {
	case "short", "":
		o.Index = 12
	case "full":
		o.Index = node.HexSize
	case "none":
	default:
		c.Warnf("invalid value for extendedheader.index: '%s'\n", text)
	}
	return nil
}
