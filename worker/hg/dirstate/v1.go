// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"bytes"
	"encoding/binary"
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

// ParseV1 reads the contents of a version 1 file. It takes data over, and puts the
// names where the records are: they become the text of the Dirstate.
func ParseV1(data []byte) (*Dirstate, error) {
	d := &Dirstate{version: 1}
	if len(data) == 0 {
		return d, nil
	}
	if len(data) < v1Header {
		return nil, hgerr.Abortf(hgerr.Corrupt, "working directory state appears damaged!")
	}
	if len(data) > maxText {
		return nil, hgerr.NewUnsupported("dirstate of %d bytes", len(data))
	}
	d.p1, d.p2 = node.ID(data[:node.Size]), node.ID(data[node.Size:v1Header])
	g := newGathering(d, countV1(data))
	used := 0 // of data, as text
	var last []byte
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
		path, from, copied := bytes.Cut(data[pos:pos+length], []byte{0})
		at := used
		used += copy(data[used:], path)
		path = data[at:used]
		if d.Len() > 0 && bytes.Compare(last, path) >= 0 {
			g.sorted = false
		}
		last = path
		n := g.add(uint32(at), uint32(len(path)), item)
		if copied && len(from) > 0 {
			g.copies = append(g.copies, source{n, uint32(used), uint32(len(from))})
			used += copy(data[used:], from)
		}
		pos += length
	}
	return g.finish(data[:used]), nil
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
