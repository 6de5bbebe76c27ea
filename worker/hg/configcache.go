// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/store"
)

// configCache keeps the configurations that were loaded last. Loading one
// parses a dozen files; asking whether it is still fresh stats them.
type configCache struct {
	entries []*loadedConfig // the one used last comes first
}

// keptConfigs is how many combinations of environment, repository and flags are
// remembered.
const keptConfigs = 16

// configKey is all that a configuration depends on but files.
type configKey struct {
	env         *environment
	cwd, root   string
	version, hg string // of the real hg
	uid         int
	given       string // --config and --config-file, each followed by a zero byte
	flags       [len(flagNames)]string
}

// flagNames are the options of the command line that become configuration.
var flagNames = [...]string{"verbose", "debug", "quiet"}

// given joins the early options that are configuration.
func given(early cmdline.Values) string {
	configs, files := early.List("config"), early.List("config-file")
	if len(configs)+len(files) == 0 {
		return ""
	}
	var b strings.Builder
	for _, list := range [][]string{configs, files} {
		for _, s := range list {
			b.WriteString(s)
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	return b.String()
}

// loadedConfig is a configuration, with what the dispatcher wants to know of it
// each time.
type loadedConfig struct {
	key  configKey
	base *config.Config // without the repository
	full *config.Config // with it, and with the flags of the command line

	refusal    error             // why the real hg must run whatever comes, nil if it need not
	extension  error             // the part of refusal that is about extensions
	extensions []*extension      // those that are enabled
	releases   map[string]string // of those that do not come with Mercurial
	files      []stamp           // on which that depends, besides the configuration's
	// refusedAliases are names in [revsetalias] and the like that stand for what
	// only an extension knows.
	refusedAliases []string
	aliases        []string // names in [alias]; plain mode hides those in files
	strict         bool     // ui.strict
	strictErr      error
	hooks          []string // names in [hooks] that are set
	fallback       string   // ui.fallbackencoding
	filters        bool     // devel.debug.repo-filters, or it cannot be told
}

// settle works out what is asked of a configuration for each command.
func (l *loadedConfig) settle() {
	if l.extension = l.enableExtensions(); l.extension == nil {
		l.refusedAliases, l.extension = refuseTexts(l.extensions, l.full)
	}
	if l.releases["evolve"] != "" && l.key.root != "" && len(l.full.List("experimental", "evolution")) == 0 {
		if err := l.full.Set("experimental", "evolution", "all", "evolve"); err != nil && l.extension == nil {
			l.extension = err
		}
	}
	if l.refusal = l.extension; l.refusal == nil {
		l.refusal = refuseConfig(l.full, l.key.env)
	}
	for _, it := range l.full.MainItems("alias") {
		l.aliases = append(l.aliases, it.Name)
	}
	l.strict, l.strictErr = l.full.Bool("ui", "strict")
	l.fallback = l.full.GetOr("ui", "fallbackencoding", "")
	filters, err := l.full.Bool("devel", "debug.repo-filters")
	l.filters = err != nil || filters
	for _, it := range l.full.Items("hooks") {
		if it.Text != "" {
			l.hooks = append(l.hooks, it.Name)
		}
	}
}

// installed tells whether the extensions' own files are as they were.
func (l *loadedConfig) installed() bool {
	return !slices.ContainsFunc(l.files, func(s stamp) bool { return stampOf(s.path) != s })
}

// hook finds a hook of a command that hg would run before or after it.
func (l *loadedConfig) hook(command string) (name string, ok bool) {
	for _, when := range []string{"pre-", "post-", "fail-"} {
		for _, h := range l.hooks {
			if name, _, _ := strings.Cut(h, "."); name == when+command {
				return h, true
			}
		}
	}
	return "", false
}

func (c *configCache) get(key configKey, now time.Time, absent *store.Absences) *loadedConfig {
	for i, l := range c.entries {
		want := key
		if !l.full.CwdCounts() {
			want.cwd = l.key.cwd
		}
		if l.key != want {
			continue
		}
		if !l.full.Fresh(now, absent) || !l.installed() {
			c.entries = append(c.entries[:i], c.entries[i+1:]...)
			return nil
		}
		copy(c.entries[1:i+1], c.entries[:i])
		c.entries[0] = l
		return l
	}
	return nil
}

func (c *configCache) put(l *loadedConfig) {
	// A configuration that warned is loaded, and warns, each time.
	if len(l.full.Warnings()) > 0 || len(l.base.Warnings()) > 0 {
		return
	}
	if len(c.entries) >= keptConfigs {
		c.entries = c.entries[:keptConfigs-1]
	}
	c.entries = append([]*loadedConfig{l}, c.entries...)
}

// refuseConfig sends to the real hg what the configuration and the environment
// ask for and the engine does not have.
func refuseConfig(cfg *config.Config, env *environment) error {
	if _, ok := env.get("POSIXLY_CORRECT"); ok {
		return hgerr.NewUnsupported("POSIXLY_CORRECT, which changes how options are read")
	}
	if cfg.Debug && cfg.HasUntrusted() {
		return hgerr.NewUnsupported("--debug with untrusted configuration")
	}
	if encoding.Translated(env.get, cfg.Plain("i18n")) {
		return hgerr.NewUnsupported("messages in another language")
	}
	for _, item := range [][2]string{{"ui", "formatted"}, {"profiling", "enabled"}, {"ui", "traceback"}, {"devel", "all-warnings"}, {"ui", "timestamp-output"}} {
		if on, err := cfg.Bool(item[0], item[1]); err != nil || on {
			return hgerr.NewUnsupported("%s.%s", item[0], item[1])
		}
	}
	if name := misread(cfg); name != "" {
		return hgerr.NewUnsupported("the value of %s", name)
	}
	if out := cfg.MessageOutput; out != "" && out != "stdio" {
		return hgerr.NewUnsupported("ui.message-output=%s", out)
	}
	return nil
}

// readOnOpening are the sections that hg reads when it opens a repository.
var readOnOpening = []string{"format", "storage", "devel", "debug", "experimental"}

// misread finds an item that is no boolean or number where hg wants one, whatever the
// command is: while it opens a repository, or asks how to show what.
func misread(cfg *config.Config) string {
	bad := func(section, name string) bool {
		var err error
		switch cfg.Default(section, name).Kind {
		case config.DefaultBool:
			_, err = cfg.Bool(section, name)
		case config.DefaultInt:
			_, _, err = cfg.Int(section, name)
		case config.DefaultFloat:
			_, err = python.Float(cfg.GetOr(section, name, "0"))
		}
		return err != nil
	}
	for _, section := range readOnOpening {
		for _, it := range cfg.Items(section) {
			if bad(section, it.Name) {
				return section + "." + it.Name
			}
		}
	}
	for _, name := range []string{"formatdebug", "formatjson", "nontty", "paginate", "slash"} {
		if bad("ui", name) {
			return "ui." + name
		}
	}
	return ""
}

// alwaysPages tells whether a value of --pager starts the pager even where the
// output is no terminal. "auto" and everything that means no do not.
func alwaysPages(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on", "always":
		return true
	}
	return false
}
