// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"maps"
	"slices"
	"strings"

	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

var debugmergestateSpec = Spec{Name: "debugmergestate", Options: templateOptions, Run: runDebugmergestate}

// runDebugmergestate prints what an unfinished merge recorded. hg's text of it is
// a template of its own, so that neither labels nor ui.formatjson change it.
func runDebugmergestate(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	m := v.MergeState()
	if m == nil {
		m = &mergestate.State{}
	}
	if c.Verbose {
		switch m.From {
		case mergestate.OnlyVersion1:
			c.Print("no version 2 merge state\n")
		case mergestate.NewerVersion1:
			c.Print("v1 and v2 states mismatch: using v1\n")
		case mergestate.Version2:
			c.Print("v1 and v2 states match: using v2\n")
		}
	}
	sides := mergeSides(v, m)
	files := slices.SortedFunc(slices.Values(m.Files), func(a, b mergestate.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if (f.State == "u" || f.State == "r") && len(f.Rest) < 7 || (f.State == "pu" || f.State == "pr") && len(f.Rest) < 2 {
			return 0, unsupported("a merge state with too few fields")
		}
	}
	if m.From != mergestate.Nothing && m.Local.IsNull() {
		return 0, unsupported("a merge state without a changeset")
	}
	if c.Opts.Text("template") == "" {
		c.printMergeState(m, sides, files)
		return 0, nil
	}
	fm, err := c.formatter("debugmergestate", nil)
	if err != nil {
		return 0, err
	}
	fm.StartItem()
	commits := fm.Nested("commits", "", " ")
	for _, s := range sides {
		commits.StartItem()
		commits.Data("name", template.Bytes(s.name))
		commits.Data("node", template.Bytes(s.node))
		if s.label != "" {
			commits.Data("label", template.Bytes(s.label))
		}
	}
	if err := commits.End(); err != nil {
		return 0, err
	}
	list := fm.Nested("files", "", " ")
	for _, f := range files {
		list.StartItem()
		list.Data("path", template.Bytes(f.Path))
		list.Data("state", template.Bytes(f.State))
		for i, name := range mergeFields(f.State) {
			list.Data(name, template.Bytes(f.Rest[i]))
		}
		extras := list.Nested("extras", "", " ")
		for _, x := range sortedExtras(m.Extras[f.Path]) {
			extras.StartItem()
			extras.Data("key", template.Bytes(x.Key))
			extras.Data("value", template.Bytes(x.Value))
		}
		if err := extras.End(); err != nil {
			return 0, err
		}
	}
	if err := list.End(); err != nil {
		return 0, err
	}
	extras := fm.Nested("extras", "", " ")
	for _, path := range strayExtras(m) {
		for _, x := range m.Extras[path] {
			extras.StartItem()
			extras.Data("file", template.Bytes(path))
			extras.Data("key", template.Bytes(x.Key))
			extras.Data("value", template.Bytes(x.Value))
		}
	}
	if err := extras.End(); err != nil {
		return 0, err
	}
	return 0, fm.finish()
}

// mergeFields are the names of what follows the state of a file in the merge state.
func mergeFields(state string) []string {
	switch state {
	case "u", "r":
		return contentFields
	case "pu", "pr":
		return pathFields
	}
	return nil
}

var pathFields = []string{"renamed_path", "rename_side"}

var contentFields = []string{"local_key", "local_path", "ancestor_path", "ancestor_node", "other_path", "other_node", "local_flags"}

// mergeSide is one of the two changesets of a merge.
type mergeSide struct{ name, node, label string }

// mergeSides are the changesets of a merge, none without one.
func mergeSides(v *repo.View, m *mergestate.State) []mergeSide {
	if m.From == mergestate.Nothing {
		return nil
	}
	other := m.Other
	if m.From != mergestate.Version2 {
		p1, p2 := v.WdirParents()
		if other = v.Node(p1); p2 >= 0 {
			other = v.Node(p2)
		}
	}
	sides := []mergeSide{{name: "local", node: m.Local.Hex()}, {name: "other", node: other.Hex()}}
	for i := range sides {
		if i < len(m.Labels) {
			sides[i].label = m.Labels[i]
		}
	}
	return sides
}

func sortedExtras(list []mergestate.Extra) []mergestate.Extra {
	return slices.SortedFunc(slices.Values(list), func(a, b mergestate.Extra) int { return strings.Compare(a.Key, b.Key) })
}

// strayExtras are the files that something is recorded about, but no state.
func strayExtras(m *mergestate.State) []string {
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(m.Extras)) {
		if !slices.ContainsFunc(m.Files, func(f mergestate.File) bool { return f.Path == path }) {
			paths = append(paths, path)
		}
	}
	return paths
}

// printMergeState is the output without -T.
func (c *Context) printMergeState(m *mergestate.State, sides []mergeSide, files []mergestate.File) {
	if len(sides) == 0 {
		c.Print("no merge state found\n")
	}
	for _, s := range sides {
		label := ""
		if s.label != "" {
			label = " (" + s.label + ")"
		}
		c.Printf("%s%s: %s\n", s.name, label, s.node)
	}
	for _, f := range files {
		c.Printf("file: %s (state \"%s\")\n", f.Path, f.State)
		switch r := f.Rest; len(mergeFields(f.State)) {
		case len(contentFields):
			if r[1] != "" {
				c.Printf("  local path: %s (hash %s, flags \"%s\")\n  ancestor path: %s (node %s)\n  other path: %s (node %s)\n", r[1], r[0], r[6], r[2], r[3], r[4], r[5])
			}
		case 2:
			if r[1] != "" {
				c.Printf("  rename side: %s\n  renamed path: %s\n", r[1], r[0])
			}
		}
		for _, x := range sortedExtras(m.Extras[f.Path]) {
			c.Printf("  extra: %s = %s\n", x.Key, x.Value)
		}
	}
	for _, path := range strayExtras(m) {
		for _, x := range m.Extras[path] {
			c.Printf("extra: %s (%s = %s)\n", path, x.Key, x.Value)
		}
	}
}
