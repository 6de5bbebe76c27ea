// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import "hgbroker/worker/hg/encoding"

// keptTags are the tags of a visibility: making them takes time in proportion to
// their number, and a revset looks each of its names up among them. They are kept
// where there are no local tags, which may change without the store.
type keptTags struct {
	encoding  *encoding.Encoding
	tags      []Tag
	tagByName map[string]Tag
	tagsByRev *byRev[string]
}

// keptTags takes the tags over that an earlier command left; false without them.
func (v *View) keptTags() bool {
	if len(v.localTags.Names) > 0 || v.localTags.Skipped > 0 {
		return false
	}
	k := v.known().tags
	if k == nil || k.encoding != v.Encoding {
		return false
	}
	n := &v.names
	n.tags, n.tagByName, n.tagsByRev, n.tagsKnown = k.tags, k.tagByName, k.tagsByRev, true
	return true
}

// keepTags leaves the tags for later commands, which only read them.
func (v *View) keepTags() {
	if n := &v.names; len(v.localTags.Names) == 0 && v.localTags.Skipped == 0 {
		v.known().tags = &keptTags{v.Encoding, n.tags, n.tagByName, n.tagsByRev}
	}
}
