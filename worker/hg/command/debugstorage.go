// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"strconv"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

// Commands that look into one revlog: debugdata, debugindex, debugindexdot,
// debugancestor.

func storageOptions() []Option {
	return join(native(cmdline.Flag("c", "changelog"), cmdline.Flag("m", "manifest")), others(cmdline.Text("", "dir", "")))
}

// storage is the revlog that the options or a file's name ask for.
func (c *Context) storage(v *repo.View, file string) (*revlog.Revlog, error) {
	cl, mf := c.Opts.On("changelog"), c.Opts.On("manifest")
	switch {
	case cl && mf:
		return nil, inputError("cannot specify --changelog and --manifest at the same time")
	case (cl || mf) && file != "":
		return nil, inputError("cannot specify filename with --changelog or --manifest")
	}
	if strings.HasPrefix(file, "../") || strings.Contains(file, "/../") || strings.HasPrefix(file, "/") {
		return nil, unsupported("a filelog outside of the store")
	}
	var r *revlog.Revlog
	var err error
	switch {
	case cl:
		r, err = revlog.Open(v.Store().Changelog())
	case mf:
		r, err = revlog.Open(v.Store().Manifest())
	case file != "":
		r, err = revlog.Open(v.Store().Filelog(file))
	}
	if err != nil {
		return nil, err
	}
	if r == nil || r.Len() == 0 {
		if r != nil {
			r.Close()
		}
		return nil, inputError("cannot give path to non-revlog")
	}
	return r, nil
}

var debugdataSpec = Spec{
	Name:    "debugdata",
	Options: storageOptions,
	Run: func(c *Context) (int, error) {
		file, rev := "", ""
		switch named := c.Opts.On("changelog") || c.Opts.On("manifest"); {
		case named && len(c.Args) == 1:
			rev = c.Args[0]
		case !named && len(c.Args) == 2:
			file, rev = c.Args[0], c.Args[1]
		default:
			return 0, unsupported("usage error: debugdata")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		r, err := c.storage(v, file)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		at, ok, err := lookupIn(r, rev, file != "")
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, hgerr.Abortf(hgerr.Other, "invalid revision identifier %s", rev)
		}
		text, err := r.RawText(at)
		if err != nil {
			return 0, err
		}
		c.Print(string(text))
		return 0, nil
	},
}

// lookupIn finds a revision by its number, counted from the end when negative,
// or its hash, which may be shortened unless it is a file's.
func lookupIn(r *revlog.Revlog, name string, ofFile bool) (node.Rev, bool, error) {
	if len(name) == 20 {
		return 0, false, unsupported("a revision that may be a binary hash")
	}
	if id, ok := node.FromHex(name); ok {
		rev, found := r.Rev(id)
		return rev, found && rev >= 0, nil
	}
	if n, err := strconv.Atoi(name); err == nil && strconv.Itoa(n) == name {
		if n < 0 && !ofFile {
			n += r.Len()
		}
		if n >= 0 && n < r.Len() {
			return node.Rev(n), true, nil
		}
		if ofFile && n < 0 {
			return 0, false, unsupported("a negative revision of a file")
		}
	}
	if ofFile || name == "" || len(name) > 40 || strings.Trim(name, "0123456789abcdefABCDEF") != "" {
		return 0, false, nil
	}
	if strings.Trim(name, "fF") == "" || strings.Trim(name, "0") == "" {
		return 0, false, unsupported("a hash that may be a pseudo changeset's")
	}
	prefix := strings.ToLower(name)
	found, at := 0, node.Rev(0)
	for rev := range node.Rev(r.Len()) {
		if strings.HasPrefix(r.Node(rev).Hex(), prefix) {
			found, at = found+1, rev
		}
	}
	return at, found == 1, nil
}

// indexColumns are the columns of debugindex; those that have text only there
// with --verbose.
var indexColumns = []struct {
	name    string
	width   int // 0 is that of a hash
	verbose bool
	value   func(r *revlog.Revlog, rev node.Rev, hash func(node.Rev) string) string
}{
	{"rev", 6, false, func(_ *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return rev.String() }},
	{"rank", 6, true, func(*revlog.Revlog, node.Rev, func(node.Rev) string) string { return "-1" }},
	{"linkrev", 7, false, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return r.LinkRev(rev).String() }},
	{"nodeid", 0, false, func(_ *revlog.Revlog, rev node.Rev, hash func(node.Rev) string) string { return hash(rev) }},
	{"p1-rev", 6, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return first(r, rev).String() }},
	{"p1-nodeid", 0, false, func(r *revlog.Revlog, rev node.Rev, hash func(node.Rev) string) string { return hash(first(r, rev)) }},
	{"p2-rev", 6, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return second(r, rev).String() }},
	{"p2-nodeid", 0, false, func(r *revlog.Revlog, rev node.Rev, hash func(node.Rev) string) string { return hash(second(r, rev)) }},
	{"full-size", 20, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string {
		return fmt.Sprint(r.RawSize(rev))
	}},
	{"delta-base", 10, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return r.Base(rev).String() }},
	{"flags", 5, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string { return fmt.Sprint(r.Flags(rev)) }},
	{"comp-mode", 9, true, func(*revlog.Revlog, node.Rev, func(node.Rev) string) string { return "2" }},
	{"data-offset", 20, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string {
		return fmt.Sprint(r.DataOffset(rev))
	}},
	{"chunk-size", 10, true, func(r *revlog.Revlog, rev node.Rev, _ func(node.Rev) string) string {
		return fmt.Sprint(r.DataLength(rev))
	}},
	{"sd-comp-mode", 12, true, func(*revlog.Revlog, node.Rev, func(node.Rev) string) string { return "inline" }},
	{"sidedata-offset", 20, true, func(*revlog.Revlog, node.Rev, func(node.Rev) string) string { return "0" }},
	{"sd-chunk-size", 13, true, func(*revlog.Revlog, node.Rev, func(node.Rev) string) string { return "0" }},
}

func first(r *revlog.Revlog, rev node.Rev) node.Rev {
	p1, _ := r.Parents(rev)
	return p1
}

func second(r *revlog.Revlog, rev node.Rev) node.Rev {
	_, p2 := r.Parents(rev)
	return p2
}

var debugindexSpec = Spec{
	Name:    "debug-revlog-index",
	Options: func() []Option { return join(storageOptions(), formatterOptions()) },
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 1 {
			return 0, unsupported("debugindex with arguments")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		r, err := c.storage(v, strings.Join(c.Args, ""))
		if err != nil {
			return 0, err
		}
		defer r.Close()
		fm, err := c.formatter("debugindex", nil)
		if err != nil {
			return 0, err
		}
		hash := func(rev node.Rev) string { return template.FormatNode(r.Node(rev), c.Debug) }
		idWidth := len(hash(0))
		columns := indexColumns[:0:0]
		var header []string
		for _, col := range indexColumns {
			if col.verbose && !c.Verbose {
				continue
			}
			if col.width == 0 {
				col.width = idWidth
			}
			columns = append(columns, col)
			header = append(header, fmt.Sprintf("%*s", col.width, col.name))
		}
		fm.Plain(strings.Join(header, " ") + "\n")
		for rev := range node.Rev(r.Len()) {
			fm.StartItem()
			for i, col := range columns {
				if i > 0 {
					fm.Plain(" ")
				}
				fm.Write(col.name, "%"+strconv.Itoa(col.width)+"s", template.Bytes(col.value(r, rev, hash)))
			}
			fm.Plain("\n")
			fm.spill()
		}
		return 0, fm.finish()
	},
}

var debugindexdotSpec = Spec{
	Name: "debugindexdot",
	Options: func() []Option {
		return join(storageOptions(), others(cmdline.Words("i", "include"), cmdline.Text("T", "template", ""),
			cmdline.Words("r", "rev"), cmdline.Flag("", "common")))
	},
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 1 || c.Repo == nil {
			return 0, unsupported("debugindexdot with arguments, or without a repository")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		r, err := c.storage(v, strings.Join(c.Args, ""))
		if err != nil {
			if c.At72() {
				err = unsupported("debugindexdot of what is no revlog")
			}
			return 0, err
		}
		defer r.Close()
		c.Print("digraph G {\n")
		for rev := range node.Rev(r.Len()) {
			p1, p2 := r.Parents(rev)
			c.Printf("\t%d -> %d\n", p1, rev)
			if p2 >= 0 {
				c.Printf("\t%d -> %d\n", p2, rev)
			}
		}
		c.Print("}\n")
		return 0, c.Err()
	},
}

var debugancestorSpec = Spec{
	Name: "debugancestor",
	Run: func(c *Context) (int, error) {
		switch {
		case len(c.Args) == 3:
			return 0, unsupported("debugancestor of an index file")
		case len(c.Args) != 2:
			return 0, hgerr.Abortf(hgerr.Other, "either two or three arguments required")
		case c.Repo == nil:
			return 0, hgerr.Abortf(hgerr.Other, "there is no Mercurial repository here (.hg not found)")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		var revs [2]node.Rev
		for i, name := range c.Args {
			if revs[i], err = v.Lookup(name); err != nil {
				return 0, err
			}
			if revs[i] == node.WdirRev {
				return 0, unsupported("debugancestor of the working directory")
			}
		}
		best := node.NullRev
		switch heads := v.CommonAncestorHeads(revs[0], revs[1]); len(heads) {
		case 0:
		case 1:
			best = heads[0]
		default: // of several, the deepest
			opts := c.revsetOptions()
			opts.Aliases, opts.PreferAncestor = nil, nil
			query := fmt.Sprintf("ancestor(rev(%d), rev(%d))", revs[0], revs[1])
			if best, _, err = revset.Single(c.Context, repo.Revsets{View: v}, query, opts); err != nil {
				return 0, err
			}
		}
		c.Printf("%d:%s\n", best, v.Node(best).Hex())
		return 0, nil
	},
}
