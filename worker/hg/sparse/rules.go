// SPDX-License-Identifier: GPL-2.0-or-later

// Package sparse reads which files a sparse checkout has: .hg/sparse, the
// profiles that it names in a changeset, and .hg/tempsparse (mercurial/sparse.py).
//
// It makes one matcher of them. Only a walk of the working directory asks it: a
// file outside that nobody names is as if it were not there.
//
// # Format
//
// .hg/sparse and profiles, which are tracked files, are lines. "%include PATH"
// names a profile; after a line "[include]" or "[exclude]" come patterns, globs
// unless they say otherwise. Lines that begin with # are comments.
//
//	%include profiles/backend
//	[include]
//	src
//	[exclude]
//	src/*.bin
//
// .hg/tempsparse has a path a line: files that a merge needed for a while.
package sparse

import (
	"fmt"
	"slices"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
)

// Rules are what one file says.
type Rules struct {
	Include, Exclude, Profiles []string
}

// Parse reads .hg/sparse or a profile. warn is given hg's warnings, newline
// included. The error is hg's.
func Parse(text string, warn func(string)) (Rules, error) {
	var r Rules
	var current *[]string
	for line := range strings.SplitSeq(text, "\n") {
		line = python.Strip(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "%include "):
			if path := python.Strip(line[len("%include "):]); path != "" {
				r.Profiles = append(r.Profiles, path)
			}
		case line == "[include]":
			// hg compares what was collected, so that as long as nothing was, and
			// when both lists have the same, it does not notice.
			if current == &r.Exclude && !sameSet(r.Include, r.Exclude) {
				return r, hgerr.Abortf(hgerr.Other, "sparse config cannot have includes after excludes")
			}
			current = &r.Include
		case line == "[exclude]":
			current = &r.Exclude
		case current == nil:
			return r, hgerr.Abortf(hgerr.Other, "sparse config entry outside of section: %s", line).
				WithHint("add an [include] or [exclude] line to declare the entry type")
		case line[0] == '/':
			warn(fmt.Sprintf("warning: sparse profile cannot use paths starting with /, ignoring %s\n", line))
		default:
			*current = append(*current, line)
		}
	}
	return r, nil
}

func sameSet(a, b []string) bool {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(sorted(a), sorted(b))
}

// Side is a parent of the working directory.
type Side struct {
	Shown string // as hg prints it
	// Read reads a profile; known is false of one that it has not.
	Read func(path string) (data []byte, known bool, err error)
}

// Options are what a matcher is made of.
type Options struct {
	Root         string
	Config, Temp []byte // .hg/sparse and .hg/tempsparse
	Sides        []Side // the parents that there are
	Version      config.Version
	Fail         func(error) // as that of match.Options
	// Missing is called for a profile that a side has not, with hg's warning.
	Missing func(warning string) error
	Warn    func(string)
}

// maxProfiles bounds the profiles of one side.
const maxProfiles = 10000

// New makes the matcher.
func New(o Options) (match.Matcher, error) {
	var list []match.Matcher
	for _, side := range o.Sides {
		r, err := o.rules(side)
		if err != nil {
			return nil, err
		}
		if len(r.Include)+len(r.Exclude) == 0 {
			continue
		}
		if slices.ContainsFunc(slices.Concat(r.Include, r.Exclude), func(p string) bool { return strings.HasPrefix(p, "set:") }) {
			return nil, hgerr.NewUnsupported("filesets in a sparse checkout's rules")
		}
		m, err := match.New(match.Options{Root: o.Root, Include: r.Include, Exclude: r.Exclude, Default: "relpath", Version: o.Version, Fail: o.Fail})
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		list = append(list, match.Always())
	}
	if kept := tempPatterns(string(o.Temp)); len(kept) > 0 {
		temp, err := match.New(match.Options{Root: o.Root, Include: kept, Version: o.Version})
		if err != nil {
			return nil, err
		}
		list = append(list, temp)
	}
	return match.Union(list...), nil
}

func tempPatterns(text string) []string {
	var list []string
	for path := range strings.SplitSeq(text, "\n") {
		if path != "" {
			list = append(list, "path:"+path)
		}
	}
	return list
}

// rules are those that hold for one side.
func (o *Options) rules(side Side) (Rules, error) {
	if len(o.Config) == 0 {
		return Rules{}, nil
	}
	// Profiles come in any order in hg, and what it says of them does, too.
	said := 0
	warn := func(text string) {
		said++
		o.Warn(text)
	}
	all, err := Parse(string(o.Config), warn)
	if err != nil {
		return all, err
	}
	before := said
	waiting := slices.Clone(all.Profiles)
	seen := map[string]bool{}
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		if seen[path] {
			continue
		}
		if seen[path] = true; len(seen) > maxProfiles {
			return all, hgerr.NewUnsupported("more than %d sparse profiles", maxProfiles)
		}
		data, known, err := side.Read(path)
		if err != nil {
			return all, err
		}
		if !known {
			said++
			if err := o.Missing(fmt.Sprintf("warning: sparse profile '%s' not found in rev %s - ignoring it\n", path, side.Shown)); err != nil {
				return all, err
			}
			continue
		}
		r, err := Parse(string(data), warn)
		if err != nil && len(all.Profiles) > 1 {
			return all, hgerr.NewUnsupported("sparse profile %s: %v", path, err)
		}
		if err != nil {
			return all, err
		}
		all.Include, all.Exclude = append(all.Include, r.Include...), append(all.Exclude, r.Exclude...)
		all.Profiles = append(all.Profiles, r.Profiles...)
		waiting = append(waiting, r.Profiles...)
	}
	if said-before > 1 {
		return all, hgerr.NewUnsupported("several warnings about sparse profiles, which hg gives in any order")
	}
	if len(all.Include) > 0 {
		all.Include = append(all.Include, ".hg*")
	}
	return all, nil
}
