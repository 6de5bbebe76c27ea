// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
)

// dirstate reads the whole dirstate.
func (c *Context) dirstate(v *repo.View) (*dirstate.Dirstate, error) {
	return dirstate.Open(v.Layout.Dot, v.Layout.Requirements.Has(requires.DirstateV2))
}

// trackedMatching lists the tracked files that match, sorted.
func trackedMatching(d *dirstate.Dirstate, mt match.Matcher) []string {
	var out []string
	for _, e := range d.Entries() {
		if e.Item.Tracked() && (mt.Always() || mt.Match(e.Path)) {
			out = append(out, e.Path)
		}
	}
	slices.Sort(out)
	return out
}

// FileState is one file of a status.
type FileState struct {
	Path       string
	Kind       byte
	CopySource string
}

// StatusQuery is what a typed status asks for.
type StatusQuery struct {
	Rev, Rev2, Change       string
	Paths, Include, Exclude []string
	Kinds                   string
	Copies                  bool
}

func (c *Context) FileStatus(q StatusQuery) ([]FileState, error) {
	return nil, unsupported("status")
}

func (c *Context) dirty(v *repo.View) (bool, error) { return false, unsupported("status") }

var statusSpec = Spec{Name: "status", Run: func(c *Context) (int, error) { return 0, unsupported("status") }}
