// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"maps"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgurl"
)

// NamedPath is one place that a name in [paths] stands for.
type NamedPath struct {
	Name string
	Raw  string // expanded; absolute unless it is a URL
	// Sub are the sub-options that hg knows and that say something, by name, in
	// the form in which hg shows them.
	Sub []SubOption
}

// SubOption is a sub-option of a path, such as pushurl.
type SubOption struct{ Name, Value string }

// Paths lists [paths], sorted by name (`hg help config`, "paths"). What makes hg
// warn about a sub-option, and what refers to another name with path://, is
// Unsupported.
func (c *Config) Paths() ([]NamedPath, error) {
	var list []NamedPath
	items := c.MainItems("paths")
	slices.SortStableFunc(items, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	star := c.SubOptions("paths", "*")
	for _, it := range items {
		if it.Text == "" {
			continue
		}
		own := c.SubOptions("paths", it.Name)
		texts := []string{it.Text}
		if multi, ok := ParseBool(own["multi-urls"]); ok && multi {
			texts = ParseList(it.Text)
		}
		all := maps.Clone(star)
		maps.Copy(all, own)
		sub, err := c.pathOptions(it.Name, all)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			text, err := c.address(it, text)
			if err != nil {
				return nil, err
			}
			if _, err := hgurl.Parse(text); err != nil {
				return nil, err
			}
			if hgurl.HasDriveLetter(text) {
				return nil, hgerr.NewUnsupported("paths.%s = %s", it.Name, text)
			}
			list = append(list, NamedPath{it.Name, text, sub})
		}
	}
	return list, nil
}

// pathOptions reads the sub-options of a path.
func (c *Config) pathOptions(name string, given map[string]string) ([]SubOption, error) {
	var list []SubOption
	for _, opt := range slices.Sorted(maps.Keys(given)) {
		text := given[opt]
		bad := hgerr.NewUnsupported("paths.%s:%s = %s", name, opt, text)
		switch opt {
		case "pushurl":
			u, err := hgurl.Parse(text)
			if err != nil || u.Scheme == "" || u.Frag != nil && *u.Frag != "" {
				return nil, bad
			}
			u.Frag = nil
			text = u.String()
		case "pushrev":
		case "bookmarks.mode":
			if text == "default" {
				continue
			}
			if text != "mirror" && text != "ignore" {
				return nil, bad
			}
		case "multi-urls":
			multi, ok := ParseBool(text)
			if !ok {
				return nil, bad
			}
			if text = "no"; multi {
				text = "yes"
			}
		case "pulled-delta-reuse-policy":
			if !c.Version().AtLeast(6, 4) || text == "default" {
				continue
			}
			if text != "try-base" && text != "no-reuse" && text != "forced" {
				return nil, bad
			}
		default:
			continue
		}
		list = append(list, SubOption{opt, text})
	}
	return list, nil
}
