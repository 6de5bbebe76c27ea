// SPDX-License-Identifier: GPL-2.0-or-later

// Package config reads Mercurial's configuration: the hgrc files, what the
// environment and the command line put over them, which of it is trusted, and
// what plain mode (HGPLAIN) hides.
//
// Documented in `hg help config` and `hg help environment`. Everything comes
// in through Sources; the package opens files for reading and nothing else. It
// runs no hook, no editor and no extension, and it never writes.
//
// The order in which hg builds a configuration, which callers follow:
//
//	base, err := config.Load(sources)        // packaged, system, environment, user
//	base.AddFiles(early.ConfigFiles, ...)    // --config-file
//	base.AddOverrides(early.Config)          // --config
//	lui, err := base.WithRepositoryEarly(root) // .hg/hgrc: for aliases, defaults, extensions
//	base.Set("ui", "verbose", "True", "--verbose")   // flags, on both
//	ui, err := base.WithRepository(root)     // hg reads .hg/hgrc again for the repository itself
//	ui.Set("bundle", "mainreporoot", root, "repo")
//
// Each step prints what its Warnings say, so hg's user sees a warning about
// .hg/hgrc twice.
//
// Invariants: a Config is not safe for concurrent writes; a Config that is no
// longer written to may be read, copied and asked WithRepository by many
// goroutines at once. A copy shares nothing with its original.
package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// Config is a loaded configuration.
type Config struct {
	sources *Sources
	plain   plainMode

	// The same items three times, as hg keeps them: what trusted sources say,
	// what all sources say, and what was set on top of files (command line),
	// which is laid over the first two again whenever a file is read.
	trusted, untrusted, overrides *layer

	trustUsers, trustGroups map[string]bool
	pathRoots               map[pathKey]string
	tweaked                 bool

	// Verbose, Quiet and Debug are ui.verbose, ui.quiet and ui.debug after
	// hg's rules between them: debug implies verbose and excludes quiet, and
	// verbose and quiet together are neither.
	Verbose, Quiet, Debug bool
	// Traceback is ui.traceback, Timestamps ui.timestamp-output.
	Traceback, Timestamps bool
	// MessageOutput is ui.message-output: "stdio", "stderr" or "channel".
	MessageOutput string

	reportUntrusted bool
	missingDefaults bool
	readUntrusted   bool
	warnings        []string
	inputs          []input
	machine         bool      // what is read now is the machine's
	looked          time.Time // at the inputs that are the machine's
}

// pathKey names one value of [paths]; the directory that it is relative to is
// remembered under it.
type pathKey struct{ name, text, source string }

// Load reads the configuration outside of any repository. On error the
// warnings printed before it are in the returned Config's Warnings.
func Load(sources Sources) (*Config, error) {
	if sources.Version == (Version{}) {
		sources.Version = Version{6, 3}
	}
	c := &Config{
		sources:     &sources,
		trusted:     newLayer(),
		untrusted:   newLayer(),
		overrides:   newLayer(),
		trustUsers:  map[string]bool{},
		trustGroups: map[string]bool{},
		pathRoots:   map[pathKey]string{},
	}
	c.plain = sources.plainMode()
	if err := c.fix("", ""); err != nil {
		return c, err
	}
	list, dirs, found := sources.components()
	c.missingDefaults = !found
	_, given := sources.getenv("HGRCPATH")
	c.machine = !given
	for _, dir := range dirs {
		c.addInput(dir)
	}
	for _, step := range list {
		c.machine = step.machine
		if step.path != "" {
			if err := c.readFile(step.path, step.name, "", true); err != nil {
				return c, err
			}
			continue
		}
		if err := c.applyEnvironment(step.items); err != nil {
			return c, err
		}
	}
	c.machine = false
	if err := c.maybeTweak(); err != nil {
		return c, err
	}
	c.newSource()
	return c, nil
}

func (c *Config) newSource() {
	c.overrides.newSource()
	c.trusted.newSource()
	c.untrusted.newSource()
}

// applyEnvironment sets the items that environment variables stand for. They
// are no overrides: a file that is read later wins.
func (c *Config) applyEnvironment(items []item) error {
	c.newSource()
	var sections []string
	for _, it := range items {
		c.trusted.set(it.section, it.name, it.text, it.source)
		c.untrusted.set(it.section, it.name, it.text, it.source)
		if !slices.Contains(sections, it.section) {
			sections = append(sections, it.section)
		}
	}
	for _, s := range sections {
		if err := c.fix("", s); err != nil {
			return err
		}
	}
	return nil
}

// Copy returns an independent configuration without the warnings of c.
func (c *Config) Copy() (*Config, error) {
	n := *c
	n.trusted, n.untrusted, n.overrides = c.trusted.copy(), c.untrusted.copy(), c.overrides.copy()
	n.trustUsers, n.trustGroups = maps.Clone(c.trustUsers), maps.Clone(c.trustGroups)
	n.pathRoots = maps.Clone(c.pathRoots)
	n.warnings = nil
	n.inputs = slices.Clone(c.inputs)
	return &n, n.fix("", "")
}

// Set overrides one item, as the command line does: the value stays over those
// of files that are read later.
func (c *Config) Set(section, name, text, source string) error {
	for _, l := range []*layer{c.overrides, c.trusted, c.untrusted} {
		l.set(section, name, text, source)
	}
	if err := c.fix("", section); err != nil {
		return err
	}
	return c.maybeTweak()
}

// fix brings everything that is derived from items up to date after a change
// of section ("" for all). root is what new relative [paths] are relative to.
func (c *Config) fix(root, section string) error {
	if section == "" || section == "paths" {
		c.fixPaths(root)
	}
	if section == "" || section == "ui" {
		if err := c.fixUI(); err != nil {
			return err
		}
	}
	if section == "" || section == "trusted" {
		for _, u := range c.List("trusted", "users") {
			c.trustUsers[u] = true
		}
		for _, g := range c.List("trusted", "groups") {
			c.trustGroups[g] = true
		}
	}
	return nil
}

// fixUI derives the flags that [ui] sets. An item that is not a boolean ends
// the command here, whatever the command is.
func (c *Config) fixUI() error {
	c.MessageOutput, _ = c.Get("ui", "message-output")
	switch c.MessageOutput {
	case "stdio", "stderr", "channel":
	default:
		return hgerr.Abortf(hgerr.Other, "invalid ui.message-output destination: %s", c.MessageOutput)
	}
	var err error
	flag := func(name string) bool {
		v, e := c.Bool("ui", name)
		if err == nil {
			err = e
		}
		return v
	}
	c.Debug = flag("debug")
	if err != nil {
		return err
	}
	// hg does not look at verbose and quiet under debug.
	c.Verbose = c.Debug || flag("verbose")
	c.Quiet = !c.Debug && flag("quiet")
	if c.Verbose && c.Quiet {
		c.Verbose, c.Quiet = false, false
	}
	c.reportUntrusted = c.Debug || flag("report_untrusted")
	c.Timestamps = flag("timestamp-output")
	c.Traceback = flag("traceback")
	flag("logblockedtimes")
	return err
}

// AddOverrides applies --config arguments ("section.name=value") in order.
func (c *Config) AddOverrides(args []string) error {
	for _, arg := range args {
		section, name, text, ok := splitOverride(arg)
		if !ok {
			return malformedOverride(arg)
		}
		if err := c.Set(section, name, text, "--config"); err != nil {
			return err
		}
	}
	return nil
}

// Warnings are the lines (with their newlines) that hg printed on stderr while
// this Config was loaded, set and fixed, in order, and not those of the Config
// that it was copied from.
func (c *Config) Warnings() []string { return c.warnings }

func (c *Config) warn(line string) { c.warnings = append(c.warnings, line) }

// MissingDefaults tells that the packaged default rc files were wanted but not
// found, so that [merge-tools], and a listing of everything, would be incomplete.
func (c *Config) MissingDefaults() bool { return c.missingDefaults }

// Version is the release of hg that c behaves as.
func (c *Config) Version() Version { return c.sources.Version }

// Sources returns what c was loaded from.
func (c *Config) Sources() *Sources { return c.sources }

// Untrusted returns a view of c that also sees the values of files that are
// not trusted. It must not be written to.
func (c *Config) Untrusted() *Config {
	n := *c
	n.readUntrusted = true
	return &n
}

// HasUntrusted tells whether some value differs between the trusted and the
// untrusted view. hg --debug prints a line each time it looks at such an item.
func (c *Config) HasUntrusted() bool {
	for s, items := range c.untrusted.sections {
		for n, v := range items {
			if t, ok := c.trusted.get(s, n); !ok || t.text != v.text {
				return true
			}
		}
	}
	return false
}

func (c *Config) view() *layer {
	if c.readUntrusted {
		return c.untrusted
	}
	return c.trusted
}

// Sections lists the sections that any source mentions, sorted.
func (c *Config) Sections() []string { return c.view().sortedSections() }

// HasSection tells whether a source mentions section, if only its header.
func (c *Config) HasSection(section string) bool {
	_, ok := c.view().sections[section]
	return ok
}

// Item is one value as it was set.
type Item struct {
	Name   string
	Text   string
	Source string // "FILE:LINE", "--config", "$EDITOR", "repo", ... as `hg config --source` prints it
}

// Items lists a section in hg's order: each item stands where it was last set.
func (c *Config) Items(section string) []Item {
	l := c.view()
	names := l.names(section)
	list := make([]Item, len(names))
	for i, n := range names {
		v, _ := l.get(section, n)
		list[i] = Item{n, v.text, v.source}
	}
	return list
}

// MainItems is Items without sub-options ("name:option").
func (c *Config) MainItems(section string) []Item {
	return slices.DeleteFunc(c.Items(section), func(it Item) bool { return strings.Contains(it.Name, ":") })
}

// SubOptions returns the sub-options of an item by their own name.
func (c *Config) SubOptions(section, name string) map[string]string {
	sub := map[string]string{}
	for n, v := range c.view().sections[section] {
		if opt, ok := strings.CutPrefix(n, name+":"); ok {
			sub[opt] = v.text
		}
	}
	return sub
}

// IsSet tells whether a source sets exactly this item (aliases do not count).
func (c *Config) IsSet(section, name string) bool {
	_, ok := c.view().get(section, name)
	return ok
}

// Source tells where exactly this item was set; "" when it was not.
func (c *Config) Source(section, name string) string {
	v, _ := c.view().get(section, name)
	return v.source
}
