// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"hgbroker/worker/hg/hgerr"
)

// registeredText holds the items that Mercurial registers with their defaults,
// one a line, fields separated by tabs:
//
//	section
//	name      a regular expression, matched at the start, when the item is generic
//	release   "*" all, "6" up to 6.x, "7" from 7.0 on
//	kind      bool int float str list (of strings), "-" none, dynamic (the
//	          code that reads it gives the default), encoding (the local one)
//	default   str and list elements in double quotes
//	aliases   older names as section.name, separated by spaces
//	generic   "generic" and a priority for items that are a pattern
//
// Sources of the facts: mercurial/configitems.py of 6.3 and configitems.toml
// of 7.2. Items of extensions are there as far as 7.2 registers them in core.
//
//go:embed registered.txt
var registeredText string

// registeredItem is one line of the table.
type registeredItem struct {
	kind     string
	def      string
	words    []string
	aliases  []key
	generic  *regexp.Regexp
	name     string
	priority int
}

// registry finds registered items of one release.
type registry struct {
	release  string
	sections map[string]*registeredSection
}

// registeredSection is what the table has of one section. It is read when one of
// its items is first asked for: few commands ask for more than some sections.
type registeredSection struct {
	text  string // its lines
	items atomic.Pointer[registeredItems]
}

// registeredItems are the items of one section.
type registeredItems struct {
	exact    map[string]*registeredItem
	generics []*registeredItem // in order of priority and name
}

var registries = [2]func() *registry{
	sync.OnceValue(func() *registry { return newRegistry(registeredText, "6") }),
	sync.OnceValue(func() *registry { return newRegistry(registeredText, "7") }),
}

func (v Version) registry() *registry {
	if v.AtLeast(7, 0) {
		return registries[1]()
	}
	return registries[0]()
}

// newRegistry splits the table, in which the lines of a section stand together.
func newRegistry(text, release string) *registry {
	r := &registry{release: release, sections: make(map[string]*registeredSection, 128)}
	begin, end, last := 0, 0, ""
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "\t")
		if name != last {
			begin, last = end, name
			r.sections[name] = &registeredSection{}
		}
		end += len(line)
		r.sections[name].text = text[begin:end]
	}
	return r
}

// section returns the items of a section.
func (r *registry) section(name string) *registeredItems {
	s := r.sections[name]
	if s == nil {
		return &registeredItems{}
	}
	items := s.items.Load()
	if items == nil {
		var err error
		if items, err = readItems(s.text, r.release); err != nil {
			panic(err) // the embedded table is wrong, which a test rules out
		}
		s.items.Store(items)
	}
	return items
}

func readItems(text, release string) (*registeredItems, error) {
	r := &registeredItems{exact: map[string]*registeredItem{}}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		fields = append(fields, make([]string, 7-min(7, len(fields)))...)
		if fields[2] != "*" && fields[2] != release {
			continue
		}
		it := &registeredItem{name: fields[1], kind: fields[3], def: fields[4]}
		switch it.kind {
		case "str":
			var err error
			if it.def, err = strconv.Unquote(it.def); err != nil {
				return nil, fmt.Errorf("registered item %s.%s: %w", fields[0], fields[1], err)
			}
		case "list":
			for w := range strings.SplitSeq(it.def, ", ") {
				if w != "" {
					it.words = append(it.words, strings.Trim(w, `"`))
				}
			}
		case "-", "bool", "int", "float", "dynamic", "encoding":
		default:
			return nil, fmt.Errorf("registered item %s.%s: kind %q", fields[0], fields[1], it.kind)
		}
		for alias := range strings.FieldsSeq(fields[5]) {
			section, name, _ := strings.Cut(alias, ".")
			it.aliases = append(it.aliases, key{section, name})
		}
		if prio, ok := strings.CutPrefix(fields[6], "generic"); ok {
			var err error
			if it.priority, err = strconv.Atoi(prio); err != nil {
				return nil, fmt.Errorf("registered item %s.%s: %w", fields[0], fields[1], err)
			}
			if it.generic, err = regexp.Compile("^(?:" + it.name + ")"); err != nil {
				return nil, fmt.Errorf("registered item %s.%s: %w", fields[0], fields[1], err)
			}
			r.generics = append(r.generics, it)
			continue
		}
		r.exact[it.name] = it
	}
	slices.SortFunc(r.generics, func(a, b *registeredItem) int {
		if a.priority != b.priority {
			return a.priority - b.priority
		}
		return strings.Compare(a.name, b.name)
	})
	return r, nil
}

// registered finds what Mercurial registers for an item, nil for nothing.
func (c *Config) registered(section, name string) *registeredItem {
	items := c.sources.Version.registry().section(section)
	if it, ok := items.exact[name]; ok {
		return it
	}
	for _, it := range items.generics {
		if it.generic.MatchString(name) {
			return it
		}
	}
	return nil
}

// text is the default as text, if it has one.
func (it *registeredItem) text() (string, bool) {
	switch it.kind {
	case "str", "bool", "int", "float":
		return it.def, true
	}
	return "", false
}

func (it *registeredItem) list() []string {
	switch it.kind {
	case "list":
		return slices.Clone(it.words)
	case "str":
		return ParseList(it.def)
	}
	return nil
}

// DefaultKind tells what sort of default an item has.
type DefaultKind string

// The kinds of default, and what `hg config -Tjson` prints for them under
// "defaultvalue".
const (
	DefaultNone    DefaultKind = "none" // null; also for items that are not registered
	DefaultBool    DefaultKind = "bool"
	DefaultInt     DefaultKind = "int"
	DefaultFloat   DefaultKind = "float"
	DefaultString  DefaultKind = "str"
	DefaultList    DefaultKind = "list"
	DefaultDynamic DefaultKind = "dynamic"  // not printed
	DefaultLocal   DefaultKind = "encoding" // the name of the local encoding
)

// Default is the registered default of an item.
type Default struct {
	Kind DefaultKind
	Text string   // as Python prints it ("True", "10", "0.5")
	List []string // for DefaultList
}

// Default tells what Mercurial registers as the default of an item.
func (c *Config) Default(section, name string) Default {
	it := c.registered(section, name)
	if it == nil || it.kind == "-" {
		return Default{Kind: DefaultNone}
	}
	return Default{Kind: DefaultKind(it.kind), Text: it.def, List: slices.Clone(it.words)}
}

// IsRegistered tells whether Mercurial registers an item, so that asking for
// it raises no developer warning.
func (c *Config) IsRegistered(section, name string) bool { return c.registered(section, name) != nil }

// RequireDefaults returns an Unsupported when the packaged default files are
// missing: for callers that list sections or read [merge-tools].
func (c *Config) RequireDefaults() error {
	if c.missingDefaults {
		return hgerr.NewUnsupported("packaged default configuration (not found beside hg)")
	}
	return nil
}
