// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"encoding/binary"
	"maps"
	"slices"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/template"
)

// visible is what follows from a snapshot and from which of its changesets are
// visible. Working it out takes time in proportion to the repository, so it stays
// for later commands. Whoever gets something of it only reads it.
type visible struct {
	of        *snapshot.Snapshot
	all       bool   // nothing is hidden
	revealed  string // changesets that are visible beyond the snapshot's flags
	heads     []int32
	nonPublic []node.Rev // once phased
	phased    bool
	branchmap *branchmap
	encoding  *encoding.Encoding // of the names in branchmap
	tags      *keptTags
	topics    *topical // nil until it is asked for
	fates     map[node.Rev][]template.SuccessorSet
}

// keptFates is of how many obsolete changesets it is remembered what became of them.
const keptFates = 256

// keepFate remembers what became of a changeset.
func (k *visible) keepFate(rev node.Rev, sets []template.SuccessorSet) {
	if k.fates == nil || len(k.fates) == keptFates {
		k.fates = map[node.Rev][]template.SuccessorSet{}
	}
	k.fates[rev] = sets
}

// keptVisible is how many visibilities are remembered: without and with --hidden,
// and some that pins make.
const keptVisible = 4

// known returns what is known of the changesets that v shows.
func (v *View) known() *visible {
	v.filter()
	if v.seeing != nil && v.seeing.of == v.snap {
		return v.seeing
	}
	v.seeing = v.findVisible()
	return v.seeing
}

func (v *View) findVisible() *visible {
	revealed := ""
	if len(v.revealed) > 0 {
		var b []byte
		for _, rev := range slices.Sorted(maps.Keys(v.revealed)) {
			b = binary.LittleEndian.AppendUint32(b, uint32(rev))
		}
		revealed = string(b)
	}
	list := v.Repo.visible
	for i, k := range list {
		if k.of == v.snap && k.all == v.all && k.revealed == revealed {
			copy(list[1:i+1], list[:i])
			list[0] = k
			return k
		}
	}
	k := &visible{of: v.snap, all: v.all, revealed: revealed}
	// What belongs to another snapshot will not be asked for again.
	list = slices.DeleteFunc(list, func(k *visible) bool { return k.of != v.snap })
	v.Repo.visible = slices.Insert(list[:min(len(list), keptVisible-1)], 0, k)
	return k
}
