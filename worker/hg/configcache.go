// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config"
)

// configCache keeps the configurations that were loaded last. Loading one
// parses a dozen files; asking whether it is still fresh stats them.
type configCache struct {
	entries []*loadedConfig // the one used last comes first
}

// keptConfigs is how many combinations of environment, repository and flags are
// remembered.
const keptConfigs = 16

// loadedConfig is a configuration with all that it depends on but files.
type loadedConfig struct {
	key  string
	base *config.Config // without the repository
	full *config.Config // with it, and with the flags of the command line
}

// flagNames are the options of the command line that become configuration.
var flagNames = [...]string{"verbose", "debug", "quiet"}

// configKey joins what a configuration depends on besides files.
func configKey(env []string, cwd, root string, version string, early cmdline.Values, flags [len(flagNames)]string) string {
	var b strings.Builder
	for _, list := range [][]string{env, {cwd, root, version}, early.List("config"), early.List("config-file"), flags[:]} {
		for _, s := range list {
			b.WriteString(s)
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	return b.String()
}

func (c *configCache) get(key string) *loadedConfig {
	for i, l := range c.entries {
		if l.key != key {
			continue
		}
		if !l.full.Fresh() {
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
