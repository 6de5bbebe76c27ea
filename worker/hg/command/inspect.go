// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// Commands about the repository as a whole and its configuration: root, version,
// config, manifest.

var rootSpec = Spec{
	Name:    "root",
	Options: formatterOptions,
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("root with arguments")
		}
		fm, err := c.formatter("root", nil)
		if err != nil {
			return 0, err
		}
		l := c.Repo.Layout
		fm.StartItem()
		fm.Write("reporoot", "%s\n", template.Bytes(l.Root))
		fm.Data("hgpath", template.Bytes(l.Dot))
		fm.Data("storepath", template.Bytes(l.StorePath))
		return 0, fm.finish()
	},
}

var versionSpec = Spec{
	Name:    "version",
	Options: formatterOptions,
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("version with arguments")
		}
		if c.Version == "" {
			return 0, unsupported("version of an hg that was not found")
		}
		fm, err := c.formatter("version", nil)
		if err != nil {
			return 0, err
		}
		if fm.IsPlain() && (!c.Quiet || c.Verbose) {
			return 0, unsupported("version in full, with Mercurial's copyright")
		}
		if !fm.IsPlain() && len(c.Config.Extensions()) > 0 {
			return 0, unsupported("versions of extensions")
		}
		fm.StartItem()
		fm.Write("ver", "Mercurial Distributed SCM (version %s)\n", template.Bytes(c.Version))
		if !fm.IsPlain() {
			if err := fm.Nested("extensions", "{name}\n", "").End(); err != nil {
				return 0, err
			}
		}
		return 0, fm.finish()
	},
}

var configSpec = Spec{
	Name: "config",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("u", "untrusted"), cmdline.Flag("", "source")),
			others(cmdline.Flag("", "exp-all-known"), cmdline.Flag("e", "edit"), cmdline.Flag("l", "local"),
				cmdline.Flag("", "shared"), cmdline.Flag("", "non-shared"), cmdline.Flag("g", "global")),
			formatterOptions())
	},
	Run: runConfig,
}

func runConfig(c *Context) (int, error) {
	if err := c.Config.RequireDefaults(); err != nil {
		return 0, err
	}
	fm, err := c.formatter("config", nil)
	if err != nil {
		return 0, err
	}
	cfg := c.Config
	if c.Debug {
		for _, name := range cfg.ReadFrom() {
			c.Print("read config from: " + name + "\n")
		}
	}
	if c.Opts.On("untrusted") {
		cfg = cfg.Untrusted()
	}
	sections, entries := map[string]bool{}, map[string]bool{}
	for _, a := range c.Args {
		if strings.Contains(a, ".") {
			entries[a] = true
		} else {
			sections[a] = true
		}
	}
	unique := len(entries) == 1 && len(sections) == 0 && len(c.Args) == 1
	matched := false
	for _, section := range cfg.Sections() {
		for _, it := range cfg.Items(section) {
			entry := section + "." + it.Name
			if len(c.Args) > 0 && !sections[section] && !entries[entry] {
				continue
			}
			matched = true
			value, source := it.Text, it.Source
			if fm.IsPlain() {
				value = strings.ReplaceAll(value, "\n", "\\n")
				if source == "" {
					source = "none"
				}
			}
			fm.StartItem()
			fm.CondWrite(c.Debug || c.Opts.On("source"), "source", "%s: ", template.Bytes(source))
			if unique {
				fm.Data("name", template.Bytes(entry))
				fm.Write("value", "%s\n", template.Bytes(value))
			} else {
				fm.Write("name value", "%s=%s\n", template.Bytes(entry), template.Bytes(value))
			}
			if err := c.defaultValue(fm, section, it.Name); err != nil {
				return 0, err
			}
			fm.spill()
		}
	}
	if err := fm.finish(); err != nil {
		return 0, err
	}
	if matched {
		return 0, nil
	}
	return 1, nil
}

// defaultValue adds what Mercurial registers as an item's default.
func (c *Context) defaultValue(fm *output, section, name string) error {
	if fm.IsPlain() {
		return nil
	}
	var v template.Value
	switch d := c.Config.Default(section, name); d.Kind {
	case config.DefaultNone:
		v = template.None()
	case config.DefaultBool:
		v = template.Bool(d.Text == "True")
	case config.DefaultInt:
		n, err := strconv.ParseInt(d.Text, 10, 64)
		if err != nil {
			return unsupported("default of %s.%s", section, name)
		}
		v = template.Int(n)
	case config.DefaultFloat:
		f, err := strconv.ParseFloat(d.Text, 64)
		if err != nil {
			return unsupported("default of %s.%s", section, name)
		}
		v = template.Float(f)
	case config.DefaultString:
		v = template.Bytes(d.Text)
	case config.DefaultLocal:
		v = template.Bytes(c.Encoding.Name())
	case config.DefaultList:
		v = fm.strings("value", " ", d.List)
	case config.DefaultDynamic:
		return nil
	}
	fm.Data("defaultvalue", v)
	return nil
}

var manifestSpec = Spec{
	Name: "manifest",
	Options: func() []Option {
		return join(native(cmdline.Text("r", "rev", ""), cmdline.Flag("", "all")), formatterOptions())
	},
	Run: runManifest,
}

func runManifest(c *Context) (int, error) {
	if len(c.Args) > 1 {
		return 0, unsupported("manifest with arguments")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("manifest", v)
	if err != nil {
		return 0, err
	}
	spec := c.Opts.Text("rev")
	if c.Opts.On("all") {
		if spec != "" || len(c.Args) > 0 {
			return 0, inputError("can't specify a revision with --all")
		}
		return 0, c.manifestOfAll(v, fm)
	}
	if len(c.Args) == 1 {
		if spec != "" {
			return 0, inputError("please specify just one revision")
		}
		spec = c.Args[0]
	}
	rev, err := c.Single(spec, ".")
	if err != nil {
		return 0, err
	}
	if rev == node.WdirRev {
		return 0, unsupported("manifest of the working directory")
	}
	c.nullParent(v, spec, rev)
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	for e, err := range m.All() {
		if err != nil {
			return 0, err
		}
		mode, kind := "644", ""
		switch e.Flag {
		case manifest.Executable:
			mode, kind = "755", "*"
		case manifest.Symlink:
			kind = "@"
		}
		fm.StartItem()
		if err := fm.context(rev); err != nil {
			return 0, err
		}
		fm.CondWrite(c.Debug, "hash", "%s ", template.Bytes(e.Node.Hex()))
		fm.CondWrite(c.Verbose, "mode type", "%s %1s ", template.Bytes(mode), template.Bytes(kind))
		fm.Write("path", "%s\n", template.Bytes(string(e.Path)))
		fm.spill()
	}
	return 0, fm.finish()
}

// manifestOfAll lists every file that any changeset touched.
func (c *Context) manifestOfAll(v *repo.View, fm *output) error {
	seen := map[string]struct{}{}
	for rev := node.Rev(0); int(rev) < v.Len(); rev++ {
		if v.Hidden(rev) {
			continue
		}
		cs, err := v.Changeset(rev)
		if err != nil {
			return err
		}
		for name := range cs.Files() {
			if _, ok := seen[string(name)]; !ok {
				seen[string(name)] = struct{}{}
			}
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fm.StartItem()
		fm.Write("path", "%s\n", template.Bytes(name))
		fm.spill()
	}
	return fm.finish()
}
