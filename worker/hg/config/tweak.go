// SPDX-License-Identifier: GPL-2.0-or-later

package config

// tweaks are the items that ui.tweakdefaults sets where nothing else does
// (`hg help config`, "ui.tweakdefaults"), in the order in which hg sets them.
var tweaks = []item{
	{"commands", "grep.all-files", "True", ""},
	{"commands", "update.check", "noconflict", ""},
	{"commands", "status.verbose", "True", ""},
	{"commands", "resolve.explicit-re-merge", "True", ""},
	{"diff", "git", "1", ""},
	{"diff", "showfunc", "1", ""},
	{"diff", "word-diff", "1", ""},
	{"ui", "rollback", "False", ""},
	{"ui", "statuscopies", "yes", ""},
	{"ui", "interface", "curses", ""},
	{"ui", "relative-paths", "yes", ""},
}

// maybeTweak applies the tweaks once, when ui.tweakdefaults asks for them and
// plain mode does not forbid it. hg looks at the item after loading the global
// files and after each override, not after reading a repository's hgrc.
func (c *Config) maybeTweak() error {
	on, err := c.Bool("ui", "tweakdefaults")
	if err != nil || !on || c.tweaked || c.Plain("tweakdefaults") {
		return err
	}
	c.tweaked = true
	for _, t := range tweaks {
		if !c.IsSet(t.section, t.name) {
			if err := c.Set(t.section, t.name, t.text, "<tweakdefaults>"); err != nil {
				return err
			}
		}
	}
	return nil
}
