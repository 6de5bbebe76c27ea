// SPDX-License-Identifier: GPL-2.0-or-later

package config

// TemplateDir is the folder of the template files that the real hg brings, to
// which style files of users refer. It is found beside the packaged default
// configuration, and empty when that is not found.
func (c *Config) TemplateDir() string {
	files := c.sources.DefaultRC
	if files == nil {
		files = FindDefaultRC(c.sources.HgPath)
	}
	if len(files) == 0 {
		return ""
	}
	return join(dirname(dirname(files[0])), "templates")
}
