// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/subrepo"
)

// pathNamer returns how a command shows paths: relative to the working
// directory or to the root. legacy is what ui.relative-paths=legacy means for
// the command; force, when not nil, overrides the configuration.
func (c *Context) pathNamer(v *repo.View, legacy bool, force *bool) (func(string) string, error) {
	relative := legacy
	if force != nil {
		relative = *force
	} else if value := c.Config.GetOr("ui", "relative-paths", "legacy"); value != "legacy" {
		on, ok := config.ParseBool(value)
		if !ok {
			return nil, unsupported("ui.relative-paths=%s", value)
		}
		relative = on
	}
	if relative && v.RelCwd() != "" {
		return v.PathTo, nil
	}
	return func(path string) string { return path }, nil
}

// matcher reads patterns given on the command line, with -I and -X. onDisk says
// that they are about the working directory, where symbolic links count.
func (c *Context) matcher(v *repo.View, patterns, include, exclude []string, onDisk bool) (match.Matcher, error) {
	for _, list := range [][]string{patterns, include, exclude} {
		for _, p := range list {
			if strings.HasPrefix(p, "set:") {
				return nil, unsupported("filesets")
			}
		}
	}
	return match.New(match.Options{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Patterns: patterns, Include: include, Exclude: exclude,
		Default: "relpath", NoFS: !onDisk, Version: c.Config.Version(), Nested: c.nestedIn(v), Fail: c.onMatchFailure(),
	})
}

// CanonPath turns a path given by the user into one inside the repository.
func (c *Context) CanonPath(path string) (string, error) {
	v, err := c.View()
	if err != nil {
		return "", err
	}
	m, err := c.matcher(v, []string{"path:" + path}, nil, nil, false)
	if strings.HasPrefix(path, "/") || v.RelCwd() != "" {
		m, err = c.matcher(v, []string{"relpath:" + path}, nil, nil, false)
	}
	if err != nil {
		return "", err
	}
	if files := m.Files(); len(files) == 1 {
		return files[0], nil
	}
	return "", inputError("%s is not one file", path)
}

// manifestFiles yields the files of a manifest that match, in order, and then
// reports what was named and is not there, as hg's walk over a manifest does.
func (c *Context) manifestFiles(v *repo.View, rev node.Rev, m manifest.Manifest, mt match.Matcher, yield func(manifest.Entry) error) error {
	// Of a tree manifest, a file that is named and does not match is not there.
	seen := map[string]bool{}
	known := func(path string) bool { return m.Has(path) || m.HasDir(path) }
	each := yield
	if m.IsTree() {
		each = func(e manifest.Entry) error {
			if mt.Exact(string(e.Path)) {
				seen[string(e.Path)] = true
			}
			return yield(e)
		}
		known = func(path string) bool { return seen[path] || m.HasDir(path) }
	}
	whole, err := eachMatch(m, mt, each)
	if err != nil || !whole {
		return err
	}
	name := c.badNames
	if name == nil {
		if name, err = c.pathNamer(v, true, nil); err != nil {
			return err
		}
	}
	subs, err := v.Subrepos(rev)
	if err != nil {
		return err
	}
	for _, f := range sorted(mt.Files()) {
		if f != "" && !known(f) && !subrepo.Holds(subs, f) {
			c.Warnf("%s: no such file in rev %s\n", name(f), v.Node(rev).Short())
		}
	}
	return nil
}

// sorted is a list in order, each word once.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// eachMatch yields the files of a manifest that match, in order. It tells whether
// it looked for names that are not there: not when there are only good ones.
func eachMatch(m manifest.Manifest, mt match.Matcher, yield func(manifest.Entry) error) (whole bool, err error) {
	if mt.Always() {
		for e, err := range m.All() {
			if err == nil {
				err = yield(e)
			}
			if err != nil {
				return false, err
			}
		}
		return false, nil
	}
	files := sorted(mt.Files())
	all := true
	for _, f := range files {
		all = all && m.Has(f)
	}
	selected := mt.Match
	if m.IsTree() {
		selected = (&match.Trees{M: mt}).Walks
	}
	if len(files) < 100 && !m.IsTree() && (mt.IsExact() || mt.Prefix() && all) {
		for _, f := range files {
			e, ok, err := m.Lookup(f)
			if err != nil {
				return false, err
			}
			if ok {
				e.Path = []byte(f)
				if err := yield(e); err != nil {
					return false, err
				}
			}
		}
		return false, nil
	}
	for e, err := range m.All() {
		if err != nil {
			return false, err
		}
		if selected(string(e.Path)) {
			if err := yield(e); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}
