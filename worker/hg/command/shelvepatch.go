// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// shelfShown is what of the shelves is shown: those that are named, or without
// --list and names the newest.
func (c *Context) shelfShown(shelves []shelf) ([]string, error) {
	names := c.Args
	if c.Opts.On("list") {
		return names, nil
	}
	if c.Opts.On("patch") && c.Opts.On("stat") {
		return nil, inputError("options '--patch' and '--stat' may not be used together")
	}
	if len(names) == 0 {
		if len(shelves) == 0 {
			return nil, hgerr.Abortf(hgerr.Other, "there are no shelves to show")
		}
		return []string{shelves[0].name}, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(shelves, func(s shelf) bool { return s.name == name }) {
			return nil, hgerr.Abortf(hgerr.Other, "cannot find shelf %s", name)
		}
	}
	return names, nil
}

// showShelf prints what a shelf changes, as --patch and --stat ask for it.
func (c *Context) showShelf(v *repo.View, rev node.Rev, dir, name string) error {
	if !c.Opts.On("patch") && !c.Opts.On("stat") {
		return nil
	}
	var text []byte
	var err error
	if rev >= 0 {
		text, err = c.shelfPatch(v, rev)
	} else {
		text, _, err = store.ReadFile(filepath.Join(dir, name+".patch"))
	}
	if err != nil {
		return err
	}
	// The line of the description that the list shows, and what is above it.
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
	}
	if c.Opts.On("patch") {
		if c.Color == nil {
			c.Stdout.Write(text)
		} else {
			emit := func(label, text string) { io.WriteString(c.Stdout, c.Color.Label(label, text)) }
			l := patch.Labeler{Emit: emit}
			for line := range bytes.Lines(text) {
				l.Add(line)
			}
		}
	}
	if !c.Opts.On("stat") {
		return nil
	}
	var st patch.Stat
	if err := st.Add(nil, text); err != nil {
		return err
	}
	st.End()
	width := 80
	if !c.Config.Plain("") {
		width = c.termWidth()
	}
	var table bytes.Buffer
	st.Append(&table, width, c.Encoding.ColWidth)
	if c.Color == nil {
		c.Stdout.Write(table.Bytes())
		return nil
	}
	patch.LabelStat(table.Bytes(), func(label, text string) { c.PrintLabel(label, text) })
	return nil
}

// shelfPatch is a shelf as `hg export --git` would have it, from its description
// on.
func (c *Context) shelfPatch(v *repo.View, rev node.Rev) ([]byte, error) {
	ctx, err := c.templates(v).Changectx(rev)
	if err != nil {
		return nil, err
	}
	p1, p2 := v.Parents(rev)
	if p2 != node.NullRev {
		return nil, unsupported("a shelf with two parents")
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n\n", rstrip(ctx.Desc().Local))
	d := &differ{c: c, v: v, plain: true}
	err = d.patches(&text, comparison{a: p1, b: rev, exact: true, match: match.Always(), opts: patch.Options{Git: true, Context: 3, Identifiers: c.At72()}})
	if err == nil {
		err = ctx.Err()
	}
	return text.Bytes(), err
}
