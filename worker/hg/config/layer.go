// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"maps"
	"slices"
)

// value is one item as it was last set.
type value struct {
	text   string
	source string
	// level orders values by how late they were read; an item with an alias
	// takes the value of the higher level.
	level int
	// seq orders the items of a section: setting an item again moves it to
	// the end.
	seq int
}

// key names one item.
type key struct{ section, name string }

// layer is one table of items: what one file says, or what all of them
// together say.
type layer struct {
	level    int
	seq      int
	sections map[string]map[string]value
	// unset lists what %unset named, to be removed from the layer that this
	// one is laid over.
	unset []key
}

func newLayer() *layer { return &layer{sections: map[string]map[string]value{}} }

// copy returns an independent layer one level up.
func (l *layer) copy() *layer {
	n := &layer{level: l.level + 1, seq: l.seq, sections: make(map[string]map[string]value, len(l.sections))}
	for s, items := range l.sections {
		n.sections[s] = maps.Clone(items)
	}
	return n
}

func (l *layer) newSource() { l.level++ }

func (l *layer) addSection(section string) map[string]value {
	items, ok := l.sections[section]
	if !ok {
		items = map[string]value{}
		l.sections[section] = items
	}
	return items
}

func (l *layer) set(section, name, text, source string) {
	l.put(section, name, value{text: text, source: source, level: l.level})
}

func (l *layer) put(section, name string, v value) {
	l.seq++
	v.seq = l.seq
	l.addSection(section)[name] = v
}

func (l *layer) get(section, name string) (value, bool) {
	v, ok := l.sections[section][name]
	return v, ok
}

func (l *layer) remove(section, name string) { delete(l.sections[section], name) }

// names returns the items of a section in the order in which they were last set.
func (l *layer) names(section string) []string {
	type place struct {
		name string
		seq  int
	}
	places := make([]place, 0, len(l.sections[section]))
	for n, v := range l.sections[section] {
		places = append(places, place{n, v.seq})
	}
	slices.SortFunc(places, func(a, b place) int { return a.seq - b.seq })
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.name
	}
	return names
}

func (l *layer) sortedSections() []string {
	return slices.Sorted(maps.Keys(l.sections))
}

// update lays src over l. The levels are counted as Mercurial's config.update
// counts them, since they decide between an item and its alias.
func (l *layer) update(src *layer) {
	base := l.level + 1
	highest := l.level
	for _, k := range src.unset {
		l.remove(k.section, k.name)
	}
	for _, s := range src.sortedSections() {
		l.addSection(s)
		for _, n := range src.names(s) {
			v := src.sections[s][n]
			v.level += base
			highest = v.level
			l.put(s, n, v)
		}
	}
	l.level = highest
}
