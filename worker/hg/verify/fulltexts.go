// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// fullTexts is hg's cache of the manifests that it read last, which it keeps in
// the file wcache/manifestfulltextcache, the least recent one first:
//
//	20   node
//	4    length of the text
//	     the text
//
// What is cut off at the end is left out. The zero value has no file.
type fullTexts struct {
	path   string
	loaded bool
	list   []fullText // the most recent one last
}

type fullText struct {
	id   node.ID
	text []byte
}

// fullTextsKept is how many manifests hg keeps.
const fullTextsKept = 4

func (f *fullTexts) load() {
	if f.loaded {
		return
	}
	f.loaded = true
	if f.path == "" {
		return
	}
	raw, _, err := store.ReadFile(f.path)
	if err != nil {
		return // as if there were none
	}
	for len(raw) >= node.Size+4 {
		id, _ := node.FromBytes(raw[:node.Size])
		n := int64(binary.BigEndian.Uint32(raw[node.Size:]))
		if raw = raw[node.Size+4:]; n > int64(len(raw)) {
			break
		}
		f.put(id, raw[:n])
		raw = raw[n:]
	}
}

// find returns a text and makes it the most recent one.
func (f *fullTexts) find(id node.ID) ([]byte, bool) {
	f.load()
	i := slices.IndexFunc(f.list, func(t fullText) bool { return t.id == id })
	if i < 0 {
		return nil, false
	}
	text := f.list[i].text
	f.put(id, text)
	return text, true
}

func (f *fullTexts) add(id node.ID, text []byte) {
	f.load()
	f.put(id, text)
}

func (f *fullTexts) put(id node.ID, text []byte) {
	f.list = slices.DeleteFunc(f.list, func(t fullText) bool { return t.id == id })
	f.list = append(f.list, fullText{id, text})
	if len(f.list) > fullTextsKept {
		f.list = f.list[1:]
	}
}
