// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/template"
)

// A map file is a style in a file of the user's (`hg help templates`): an hgrc
// whose sections are
//
//	[templates]      name = "template", or the name of a file that holds one,
//	                 relative to the map file; also what stands before any heading
//	[templatealias]  as in a configuration, whose own aliases do not count
//
// "__base__ = other" in [templates] takes everything from another map file
// first, and %include reads one into this. Both look beside the map file and
// then among the files that hg brings.

// maxBases bounds how many map files build upon each other.
const maxBases = 20

// mapReader reads map files.
type mapReader struct {
	cfg   *Config
	depth int
}

// readMap reads the map file called name; missing tells of the error that hg has
// for a style that does not exist.
func readMap(cfg *Config, name string) (*style, error) {
	r := &mapReader{cfg: cfg}
	return r.read(name)
}

func noStyle(name string) error {
	return hgerr.Abortf(hgerr.Other, "style '%s' not found", name).WithHint("available styles: %s", StyleNames())
}

// text reads a file; ok is false when it is not there.
func (r *mapReader) text(name string) (text string, ok bool, err error) {
	if r.cfg.ReadFile == nil {
		return "", false, hgerr.NewUnsupported("style file %s", name)
	}
	data, err := r.cfg.ReadFile(name)
	switch {
	case err == nil:
		return string(data), true, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	}
	return "", false, hgerr.NewUnsupported("style file that cannot be read")
}

// stock is a file that hg brings.
func (r *mapReader) stock(name string) (string, error) {
	dir := ""
	if r.cfg.StockDir != nil {
		dir = r.cfg.StockDir()
	}
	if dir == "" {
		return "", hgerr.NewUnsupported("style file that refers to %s (hg's own files are not found)", name)
	}
	return path.Clean(path.Join(dir, name)), nil
}

func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	} else if i == 0 {
		return "/"
	}
	return ""
}

func (r *mapReader) read(name string) (*style, error) {
	if r.depth++; r.depth > maxBases {
		return nil, hgerr.NewUnsupported("style file %s with this many bases", name)
	}
	text, ok, err := r.text(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noStyle(name)
	}
	base := dirOf(name)
	conf, err := config.ReadStandalone(name, text, "templates", func(_, rel string) (string, string, bool, error) {
		return r.include(base, rel)
	})
	if err != nil {
		return nil, err
	}
	st := &style{}
	if value, _, ok := conf.Get("templates", "__base__"); ok && value != "" && !quoted(value) {
		below, err := r.base(base, value)
		if err != nil {
			return nil, err
		}
		*st = style{fragments: below.fragments, aliases: below.aliases}
	}
	for _, item := range conf.Items("templates") {
		switch {
		case item.Text == "":
			return nil, parseErrorAt(item.Source, "missing value")
		case quoted(item.Text) && item.Text[0] != item.Text[len(item.Text)-1]:
			return nil, parseErrorAt(item.Source, "unmatched quotes")
		case quoted(item.Text):
			st.fragments = append(st.fragments, template.Extra{Key: item.Name, Value: unquote(item.Text)})
		case item.Name != "__base__":
			text, err := r.fragment(path.Join(base, item.Text))
			if err != nil {
				return nil, err
			}
			st.fragments = append(st.fragments, template.Extra{Key: item.Name, Value: text})
		}
	}
	for _, item := range conf.Items("templatealias") {
		st.aliases = append(st.aliases, template.Extra{Key: item.Name, Value: item.Text})
	}
	return st, nil
}

func quoted(s string) bool { return s != "" && (s[0] == '\'' || s[0] == '"') }

// include finds what a %include line names. One that is nowhere is passed over.
func (r *mapReader) include(base, rel string) (name, text string, ok bool, err error) {
	if strings.ContainsAny(rel, "$~") {
		return "", "", false, hgerr.NewUnsupported("%%include %s in a style file", rel)
	}
	if base != "" {
		name = path.Join(base, rel)
		if text, ok, err = r.text(name); ok || err != nil {
			return name, text, ok, err
		}
	}
	at, err := r.stock(rel)
	if err != nil {
		return "", "", false, err
	}
	if name = at; !strings.Contains(rel, "/") {
		name = rel
	}
	text, ok, err = r.text(at)
	return name, text, ok, err
}

// base reads what __base__ names: a map file, or the folder of one of hg's.
func (r *mapReader) base(dir, value string) (*style, error) {
	name := path.Join(dir, value)
	_, ok, err := r.text(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		at, err := r.stock(value)
		if err != nil {
			return nil, err
		}
		for _, candidate := range []string{at, path.Join(at, "map")} {
			if r.cfg.IsFile != nil && r.cfg.IsFile(candidate) {
				name = candidate
				break
			}
		}
	}
	return r.read(name)
}

// fragment reads a template that stands in a file of its own.
func (r *mapReader) fragment(name string) (string, error) {
	text, ok, err := r.text(name)
	if err == nil && !ok {
		err = hgerr.NewUnsupported("style file that refers to a missing file")
	}
	return text, err
}

// parseErrorAt is hg's ParseError with a place in a file.
func parseErrorAt(location, message string) error {
	a := hgerr.Abortf(hgerr.Input, "%s", message)
	a.Prefix = "hg: parse error at " + location + ": "
	return a
}
