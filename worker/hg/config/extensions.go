// SPDX-License-Identifier: GPL-2.0-or-later

package config

import "strings"

// absorbed tells whether an extension became part of Mercurial: to enable it loads
// nothing. "shelve" and "color" are the ones still seen.
func absorbed(name string) bool {
	switch name {
	case "hbisect", "bookmarks", "color", "parentrevspec", "progress", "interhg", "inotify", "hgcia", "shelve":
		return true
	}
	return false
}

// Extensions lists the extensions that [extensions] enables, by their short
// name ("rebase" for "hgext.rebase"), with the path given for them, which is ""
// for one that comes with Mercurial. Those that are disabled with "!" are left
// out, and so are those that Mercurial absorbed.
func (c *Config) Extensions() map[string]string {
	enabled := map[string]string{}
	for _, it := range c.MainItems("extensions") {
		if strings.HasPrefix(it.Text, "!") {
			continue
		}
		name := it.Name
		if strings.HasPrefix(name, "hgext.") || strings.HasPrefix(name, "hgext/") {
			name = name[len("hgext."):]
		}
		if _, known := enabled[name]; !known && !absorbed(name) {
			enabled[name] = it.Text
		}
	}
	return enabled
}
