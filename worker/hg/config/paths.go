// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// fixPaths remembers which directory each value of [paths] is relative to,
// when it sees the value for the first time, and undoes the doubled % of old
// configurations with hg's warning. An empty root stands for the working directory.
func (c *Config) fixPaths(root string) {
	for _, l := range []*layer{c.trusted, c.untrusted, c.overrides} {
		for _, name := range l.names("paths") {
			v, _ := l.get("paths", name)
			source := c.Source("paths", name)
			if source == "" {
				source = "none"
			}
			k := pathKey{name, v.text, source}
			if _, known := c.pathRoots[k]; !known {
				if c.pathRoots[k] = root; root == "" {
					c.pathRoots[k] = c.sources.cwd()
				}
			}
			if strings.Contains(name, ":") || !strings.Contains(v.text, "%%") {
				continue
			}
			c.warn(fmt.Sprintf("(deprecated '%%' in path %s=%s from %s)\n", name, v.text, source))
			v.text = strings.ReplaceAll(v.text, "%%", "%")
			l.put("paths", name, v)
		}
	}
}

// Location is one place that a name in [paths] stands for.
type Location struct {
	Raw string // expanded; absolute unless it is a URL
}

// Locations returns the places that a name in [paths] stands for, in order;
// more than one only with the multi-urls sub-option. None means that the name
// is not in [paths]. What needs hg's warnings about sub-options, and what
// refers to other names with path://, is Unsupported.
func (c *Config) Locations(name string) ([]Location, error) {
	var found []Location
	for _, it := range c.MainItems("paths") {
		if it.Text == "" {
			continue
		}
		texts := []string{it.Text}
		sub := c.SubOptions("paths", it.Name)
		for opt := range sub {
			if opt != "multi-urls" && opt != "pushrev" {
				return nil, hgerr.NewUnsupported("paths.%s:%s", it.Name, opt)
			}
		}
		if text, ok := sub["multi-urls"]; ok {
			multi, ok := ParseBool(text)
			if !ok {
				return nil, hgerr.NewUnsupported("paths.%s:multi-urls = %s", it.Name, text)
			}
			if multi {
				texts = ParseList(it.Text)
			}
		}
		for _, text := range texts {
			text, err := c.address(it, text)
			if err != nil {
				return nil, err
			}
			if it.Name == name {
				found = append(found, Location{Raw: text})
			}
		}
	}
	if len(c.SubOptions("paths", "*")) > 0 {
		return nil, hgerr.NewUnsupported("sub-options of paths.*")
	}
	return found, nil
}

// RepositoryArgument resolves the argument of -R as hg does: a name in [paths]
// of the repository around the working directory (c is its configuration), or
// a path as it was written. URLs, bundles and "#branch" are Unsupported.
func (c *Config) RepositoryArgument(arg string) (string, error) {
	found, err := c.Locations(arg)
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 0:
	case 1:
		arg = found[0].Raw
	default:
		return "", hgerr.Abortf(hgerr.Other, "path points to %d urls while only one is supported: %s", len(found), arg)
	}
	if hasScheme(arg) || strings.Contains(arg, "#") {
		return "", hgerr.NewUnsupported("repository %s", arg)
	}
	return arg, nil
}

// scheme returns what stands before the first colon when it can be the scheme
// of a URL.
func scheme(s string) string {
	head, _, ok := strings.Cut(s, ":")
	if !ok || head == "" {
		return ""
	}
	for i := 0; i < len(head); i++ {
		if c := head[i]; !isWord(c) && c != '+' && c != '.' && c != '-' || c == '_' {
			return ""
		}
	}
	return head
}

func hasScheme(s string) bool { return scheme(s) != "" }

// address is a value of [paths] with variables expanded; a relative path is
// relative to where the item comes from.
func (c *Config) address(it Item, text string) (string, error) {
	if scheme(text) == "path" {
		return "", hgerr.NewUnsupported("paths.%s = %s", it.Name, text)
	}
	text = c.sources.ExpandPath(text)
	if hasScheme(text) || strings.HasPrefix(text, "/") {
		return text, nil
	}
	root, ok := c.pathRoots[pathKey{it.Name, it.Text, it.Source}]
	if !ok {
		root = c.sources.expandUser("~")
	}
	return normalize(join(root, text)), nil
}
