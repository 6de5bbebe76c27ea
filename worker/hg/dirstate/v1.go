// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Version 1 (mercurial-scm.org/wiki/DirState) is one file, .hg/dirstate. An
// empty or missing one means null parents and no files.
//
//	20  first parent
//	20  second parent
//	then for each file, in no order:
//	1   state: 'n', 'm', 'a' or 'r'
//	4   mode, as st_mode; all numbers are big-endian and signed
//	4   size in bytes, modulo 1<<31; -1 unknown, -2 from the second parent
//	4   modification time in seconds, modulo 1<<31; -1 unknown
//	4   length of the name that follows
//	n   the name, and for a copy a zero byte and the name it was copied from
//
// Worked example, a file "a" of 6 bytes, mode 0100644, after the parents:
//
//	6e 000081a4 00000006 5f5e1000 00000001 61
const (
	v1Header = 2 * node.Size
	v1Entry  = 17
)

// ParseV1 reads the contents of a version 1 file.
func ParseV1(data []byte) (*Dirstate, error) {
	d := &Dirstate{version: 1, name: v1Name}
	if len(data) == 0 {
		return d, nil
	}
	if len(data) < v1Header {
		return nil, hgerr.Abortf(hgerr.Corrupt, "working directory state appears damaged!")
	}
	d.p1, d.p2 = node.ID(data[:node.Size]), node.ID(data[node.Size:v1Header])
	text := string(data) // of which the paths are parts
	d.entries = make([]Entry, 0, countV1(data))
	sorted := true
	for pos := v1Header; pos < len(data); {
		rest := data[pos:]
		if len(rest) < v1Entry {
			return nil, damaged("overflow at byte %d", pos)
		}
		field := func(at int) int32 { return int32(binary.BigEndian.Uint32(rest[at:])) }
		item, ok := fromV1(rest[0], field(1), field(5), field(9))
		if !ok {
			return nil, damaged("unknown state %q at byte %d", rest[0], pos)
		}
		length := int(field(13))
		pos += v1Entry
		if length < 0 || length > len(data)-pos {
			return nil, damaged("name past the end at byte %d", pos)
		}
		path, source, _ := strings.Cut(text[pos:pos+length], "\x00")
		pos += length
		if n := len(d.entries); n > 0 && d.entries[n-1].Path >= path {
			sorted = false
		}
		if source != "" {
			d.copies = append(d.copies, path)
		}
		d.entries = append(d.entries, Entry{Path: path, CopySource: source, Item: item})
	}
	if !sorted {
		d.entries = inOrder(d.entries)
	}
	return d, nil
}

// countV1 counts the entries, so that they are allocated once.
func countV1(data []byte) int {
	n := 0
	for pos := v1Header; len(data)-pos >= v1Entry; n++ {
		length := int(binary.BigEndian.Uint32(data[pos+13:]))
		if length > len(data)-pos-v1Entry {
			return n
		}
		pos += v1Entry + length
	}
	return n
}

// inOrder sorts entries. Of two for one path the later one counts. hg writes
// most of them in order, and what it added since behind them.
func inOrder(entries []Entry) []Entry {
	order := make([]int32, len(entries))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(strings.Compare(entries[a].Path, entries[b].Path), cmp.Compare(a, b))
	})
	sorted := make([]Entry, 0, len(entries))
	for _, i := range order {
		e := entries[i]
		if n := len(sorted); n > 0 && sorted[n-1].Path == e.Path {
			if e.CopySource == "" { // hg's map of copies is apart
				e.CopySource = sorted[n-1].CopySource
			}
			sorted[n-1] = e
			continue
		}
		sorted = append(sorted, e)
	}
	return sorted
}

func damaged(format string, args ...any) error {
	return hgerr.Damagef("parse", v1Name, format, args...)
}

// PlacesV1 returns where each file first stands among the entries of a version 1
// file that ParseV1 reads.
func PlacesV1(data []byte) map[string]int {
	places := map[string]int{}
	for pos := v1Header; len(data)-pos >= v1Entry; {
		length := int64(binary.BigEndian.Uint32(data[pos+13:]))
		pos += v1Entry
		if length > int64(len(data)-pos) {
			break
		}
		path, _, _ := strings.Cut(string(data[pos:pos+int(length)]), "\x00")
		if _, ok := places[path]; !ok {
			places[path] = len(places)
		}
		pos += int(length)
	}
	return places
}
