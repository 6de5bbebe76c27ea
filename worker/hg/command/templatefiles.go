// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// templateFiles answers what templates ask about files.
type templateFiles struct {
	c *Context
	v *repo.View
	s *filesets
}

func (c *Context) templateFiles(v *repo.View) *templateFiles {
	return &templateFiles{c, v, &filesets{c: c, v: v, auditor: &match.Auditor{Root: v.Layout.Root}}}
}

func (t *templateFiles) FileSize(ctx template.Changectx, path string) (int64, bool, error) {
	if ctx.Rev() != node.WdirRev {
		return t.s.Size(ctx.Rev(), path)
	}
	full := filepath.Join(t.v.Layout.Root, path)
	fi, err := os.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, hgerr.Abortf(hgerr.Other, "No such file or directory: '%s'", full)
	}
	if err != nil {
		return 0, false, unsupported("size of %s: %v", path, err)
	}
	return fi.Size(), true, nil
}

// FileStatus compares the file with the first parent's.
func (t *templateFiles) FileStatus(ctx template.Changectx, path string) (string, error) {
	rev := ctx.Rev()
	if rev == node.WdirRev {
		return "", unsupported("status of a file in the working directory in a template")
	}
	p1, _ := ctx.Parents()
	now, is, err := t.s.entry(rev, path)
	if err != nil {
		return "", err
	}
	before, was, err := t.s.entry(p1, path)
	switch {
	case err != nil:
		return "", err
	case is && !was:
		return "A", nil
	case was && !is:
		return "R", nil
	case !is:
		return "", nil
	case now.Node != before.Node || now.Flag != before.Flag:
		return "M", nil
	}
	return "C", nil
}

func (t *templateFiles) MatchFiles(ctx template.Changectx, pattern string) ([]string, error) {
	rev := ctx.Rev()
	if rev == node.WdirRev {
		return nil, unsupported("files of the working directory in a template")
	}
	m, err := t.v.ManifestOf(rev)
	if err != nil {
		return nil, err
	}
	mt, err := fileset.New(match.Options{
		Root: t.v.Layout.Root, Cwd: t.v.RelCwd(), Patterns: []string{pattern},
		Default: "glob", NoFS: true, Version: t.c.Config.Version(),
	}, t.s, rev, true)
	if err != nil {
		return nil, err
	}
	var paths []string
	_, err = eachMatch(m, mt, func(e manifest.Entry) error {
		paths = append(paths, string(e.Path))
		return nil
	})
	if err == nil {
		err = mt.Err()
	}
	return paths, err
}

func (t *templateFiles) WorkingFile(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(t.v.Layout.Root, path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unsupported("read %s: %v", path, err)
	}
	return data, nil
}

// Subrepos is what a changeset says of its subrepositories.
func (t *templateFiles) Subrepos(ctx template.Changectx) (map[string]string, error) {
	return repo.Revsets{View: t.v}.Substate(ctx.Rev())
}

// peerPaths is the [paths] section as templates see it.
func (c *Context) peerPaths() ([]template.PeerPath, error) {
	var list []template.PeerPath
	for _, it := range c.Config.MainItems("paths") {
		if len(c.Config.SubOptions("paths", it.Name)) > 0 {
			return nil, unsupported("sub-options of paths.%s in a template", it.Name)
		}
		places, err := c.Config.Locations(it.Name)
		if err != nil {
			return nil, err
		}
		p := template.PeerPath{Name: it.Name}
		for _, place := range places {
			p.Places = append(p.Places, template.PeerPlace{URL: place.Raw})
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b template.PeerPath) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// exportedEnviron are the variables that experimental.exportableenviron names.
func (c *Context) exportedEnviron() (list []template.Extra, known bool) {
	for _, name := range c.Config.List("experimental", "exportableenviron") {
		if name == "*" {
			return nil, false
		}
		if v, ok := c.Getenv(name); ok && !slices.ContainsFunc(list, func(x template.Extra) bool { return x.Key == name }) {
			list = append(list, template.Extra{Key: name, Value: v})
		}
	}
	slices.SortFunc(list, func(a, b template.Extra) int { return strings.Compare(a.Key, b.Key) })
	return list, true
}

// configDefault is the registered default of an item as templates see it.
func (c *Context) configDefault(section, name string) (v template.Value, known bool) {
	known = c.Config.IsRegistered(section, name)
	if known && c.Config.Default(section, name).Kind == config.DefaultDynamic && c.At72() {
		known = false // as if nobody had said anything
	}
	return c.registeredDefault(section, name), known
}

func (c *Context) registeredDefault(section, name string) template.Value {
	d := c.Config.Default(section, name)
	switch d.Kind {
	case config.DefaultBool:
		return template.Bool(d.Text == "True")
	case config.DefaultInt:
		if n, err := python.Int(d.Text); err == nil {
			return template.Int(n)
		}
	case config.DefaultFloat:
		if f, err := python.Float(d.Text); err == nil {
			return template.Float(f)
		}
	case config.DefaultString:
		return template.Bytes(d.Text)
	case config.DefaultList:
		words := make([]template.Value, len(d.List))
		for i, w := range d.List {
			words[i] = template.Bytes(w)
		}
		return template.PlainList(words)
	case config.DefaultLocal:
		return template.Bytes(c.Encoding.Name())
	}
	return template.Value{}
}
