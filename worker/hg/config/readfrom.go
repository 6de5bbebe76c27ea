// SPDX-License-Identifier: GPL-2.0-or-later

package config

// ReadFrom lists what a configuration outside of any repository is read from,
// as `hg config --debug` does: files, whether they exist or not, and packaged
// ones as "resource:PACKAGE.NAME".
func (c *Config) ReadFrom() []string {
	var names []string
	list, _, _ := c.sources.components()
	for _, part := range list {
		if part.path != "" {
			names = append(names, part.name)
		}
	}
	return names
}
