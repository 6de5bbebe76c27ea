// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
)

// Standalone is a text in the syntax of an hgrc that is no configuration: a map
// file of templates, a .hgsub.
type Standalone struct{ layer *layer }

// ReadStandalone parses such a text; src is its name in errors and in the
// sources of items. What stands before the first heading is in section first.
// include reads a file that the one called from names on a %include line: its
// own name and its text, or false for one that is passed over. A nil include
// makes such lines errors. The errors are hg's *hgerr.Abort.
func ReadStandalone(src, text, first string, include func(from, path string) (name, text string, ok bool, err error)) (*Standalone, error) {
	s := &Standalone{newLayer()}
	r := standaloneReader{s.layer, first, include, 0}
	return s, r.read(src, text, 0)
}

type standaloneReader struct {
	layer   *layer
	first   string
	include func(from, path string) (name, text string, ok bool, err error)
	count   int
}

func (r *standaloneReader) read(src, text string, depth int) error {
	var include func(path, location string) error
	if r.include != nil {
		include = func(path, _ string) error {
			if r.count++; depth == maxIncludeDepth || r.count > maxIncludes {
				return hgerr.NewUnsupported("%%include nested too deeply in %s", src)
			}
			name, text, ok, err := r.include(src, path)
			if err != nil || !ok {
				return err
			}
			return r.read(name, text, depth+1)
		}
	}
	err := r.layer.parseIn(r.first, src, text, include)
	if e, ok := err.(*syntaxError); ok {
		return e.abort()
	}
	return err
}

// Items lists a section in its order.
func (s *Standalone) Items(section string) []Item {
	var items []Item
	for _, name := range s.layer.names(section) {
		v, _ := s.layer.get(section, name)
		items = append(items, Item{Name: name, Text: v.text, Source: v.source})
	}
	return items
}

// Get returns an item's text and where it was set.
func (s *Standalone) Get(section, name string) (text, source string, ok bool) {
	v, ok := s.layer.get(section, name)
	return v.text, v.source, ok
}

// Sections lists the sections that have items, sorted.
func (s *Standalone) Sections() []string { return slices.Clone(s.layer.sortedSections()) }
