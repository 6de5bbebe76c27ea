// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
)

// plainMode is what HGPLAIN and HGPLAINEXCEPT ask for (`hg help environment`).
type plainMode struct {
	on         bool
	exceptions []string
}

func (s *Sources) plainMode() plainMode {
	plain, hasPlain := s.getenv("HGPLAIN")
	except, hasExcept := s.getenv("HGPLAINEXCEPT")
	p := plainMode{on: hasPlain || hasExcept}
	p.exceptions = strings.Split(python.Strip(except), ",")
	if !slices.Contains(strings.Split(plain, ","), "+strictflags") {
		p.exceptions = append(p.exceptions, "strictflags")
	}
	return p
}

// Plain tells whether plain mode is on for a feature ("alias", "color",
// "i18n", "strictflags", ...); "" asks whether it is on at all.
func (c *Config) Plain(feature string) bool {
	if !c.plain.on {
		return false
	}
	return feature == "" || !slices.Contains(c.plain.exceptions, feature)
}

// plainDropsUI lists the [ui] items that plain mode takes out of files.
var plainDropsUI = []string{
	"debug", "fallbackencoding", "quiet", "slash", "logtemplate", "message-output",
	"statuscopies", "style", "traceback", "verbose",
}

// dropForPlain removes from one file's items what plain mode hides. It works
// on files only: --config and the environment are what the script itself said.
func (c *Config) dropForPlain(l *layer) {
	if c.Plain("") {
		for _, name := range plainDropsUI {
			l.remove("ui", name)
		}
		for _, section := range []string{"defaults", "commands", "command-templates"} {
			clear(l.sections[section])
		}
	}
	for _, section := range []string{"alias", "revsetalias", "templatealias"} {
		if c.Plain(section) {
			clear(l.sections[section])
		}
	}
}
