// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/template"
)

var debugobsoleteSpec = Spec{
	Name: "debugobsolete",
	Options: func() []Option {
		return join(
			others(cmdline.Text("", "flags", ""), cmdline.Flag("", "record-parents")),
			native(cmdline.Words("r", "rev")),
			others(cmdline.Flag("", "exclusive")),
			native(cmdline.Flag("", "index")),
			others(cmdline.Words("", "delete"), cmdline.Text("d", "date", ""), cmdline.Text("u", "user", "")),
			formatterOptions())
	},
	Run: runDebugobsolete,
}

// runDebugobsolete lists obsolescence markers: all in the order of the store, or
// those that have to do with some changesets, sorted.
func runDebugobsolete(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("debugobsolete that creates a marker")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if v.Len() > 0 {
		v.Flags(0) // hg may warn of markers
	}
	store := v.Snapshot().Markers()
	var list []uint32
	if specs := c.Opts.List("rev"); len(specs) > 0 {
		revs, err := c.eval(v, specs)
		if err != nil {
			return 0, err
		}
		var ids []node.ID
		for rev := range revs.All() {
			ids = append(ids, v.Node(rev))
		}
		if err := revs.Err(); err != nil {
			return 0, err
		}
		list = relevantMarkers(store, ids)
		if !c.Opts.On("index") {
			slices.SortStableFunc(list, func(a, b uint32) int { return compareMarkers(store.Marker(a), store.Marker(b)) })
		}
	} else {
		for i := range uint32(store.Len()) {
			list = append(list, i)
		}
	}
	fm, err := c.formatter("debugobsolete", nil)
	if err != nil {
		return 0, err
	}
	if fm.Hinted("metadata") {
		return 0, unsupported("metadata of markers in a template")
	}
	for _, i := range list {
		fm.StartItem()
		if c.Opts.On("index") {
			fm.Write("index", "%d ", template.Int(int64(i)))
		}
		showMarker(fm, store.Marker(i))
		fm.spill()
	}
	return 0, fm.finish()
}

func showMarker(fm *output, m obsolete.Marker) {
	fm.Write("prednode", "%s ", template.Bytes(m.Predecessor.Hex()))
	hexes := func(ids []node.ID, sep string) template.Value {
		list := make([]string, len(ids))
		for i, id := range ids {
			list[i] = id.Hex()
		}
		return fm.strings("node", sep, list)
	}
	fm.CondWrite(len(m.Successors) > 0, "succnodes", "%s ", hexes(m.Successors, " "))
	if fm.IsPlain() {
		fm.Plain(fmt.Sprintf("%X ", m.Flags))
	} else {
		fm.Data("flag", template.Int(int64(m.Flags)))
	}
	if m.KnowsParents() {
		fm.Write("parentnodes", "{%s} ", hexes(m.Parents, ", "))
	}
	fm.Write("date", "(%s) ", fm.Date(int64(m.Seconds), m.TZ, ""))
	pairs := slices.Clone(m.Metadata)
	slices.SortFunc(pairs, func(a, b obsolete.Pair) int { return strings.Compare(a.Key, b.Key) })
	var words []string
	var entries []template.Binding
	for _, p := range pairs {
		if p.Key != "date" {
			words = append(words, python.Repr(p.Key)+": "+python.Repr(p.Value))
			entries = append(entries, template.Binding{Name: p.Key, Value: template.Bytes(p.Value)})
		}
	}
	if fm.IsPlain() {
		fm.Plain("{" + strings.Join(words, ", ") + "}\n")
	} else {
		fm.Data("metadata", fm.Dict("key", "value", ", ", entries))
	}
}

// relevantMarkers are the markers that lead to changesets, and those that pruned
// them or their children, and so on back from there, in the order of the store.
func relevantMarkers(s *obsolete.Store, ids []node.ID) []uint32 {
	pruned := map[node.ID][]uint32{} // by a parent of what was pruned
	for i := range uint32(s.Len()) {
		if m := s.Marker(i); len(m.Successors) == 0 && m.HasParents {
			for _, p := range m.Parents {
				pruned[p] = append(pruned[p], i)
			}
		}
	}
	seen := map[uint32]bool{}
	met := map[node.ID]bool{}
	for _, id := range ids {
		met[id] = true
	}
	for len(ids) > 0 {
		id := ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		direct := append(s.WithSuccessor(nil, id), pruned[id]...)
		for _, i := range s.WithPredecessor(id) {
			if len(s.Marker(i).Successors) == 0 {
				direct = append(direct, i)
			}
		}
		for _, i := range direct {
			seen[i] = true
			if p := s.Predecessor(i); !met[p] {
				met[p] = true
				ids = append(ids, p)
			}
		}
	}
	list := make([]uint32, 0, len(seen))
	for i := range seen {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}

// compareMarkers orders markers as Python orders their tuples.
func compareMarkers(a, b obsolete.Marker) int {
	ids := func(x, y node.ID) int { return bytes.Compare(x[:], y[:]) }
	return cmp.Or(
		ids(a.Predecessor, b.Predecessor),
		slices.CompareFunc(a.Successors, b.Successors, ids),
		cmp.Compare(a.Flags, b.Flags),
		slices.CompareFunc(a.Metadata, b.Metadata, func(x, y obsolete.Pair) int {
			return cmp.Or(strings.Compare(x.Key, y.Key), strings.Compare(x.Value, y.Value))
		}),
		cmp.Compare(a.Seconds, b.Seconds), cmp.Compare(a.TZ, b.TZ),
		slices.CompareFunc(a.Parents, b.Parents, ids))
}
