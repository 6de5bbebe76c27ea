// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// dirstate-v2 (`hg help internals.dirstate-v2`) is two files. The docket,
// .hg/dirstate, has
//
//	12  "dirstate-v2\n"
//	32  first parent, of which 20 bytes are used
//	32  second parent
//	44  metadata of the tree
//	4   used size of the data file; all numbers are big-endian
//	1   length of the identifier that follows
//	n   identifier: the data file is .hg/dirstate.IDENTIFIER
//
// and the tree's metadata
//
//	4   where the root's nodes start in the data file
//	4   how many there are
//	4   nodes with an entry
//	4   nodes with a copy source
//	4   bytes of the data file that are not used any more
//	4   unused
//	20  hash of the ignore rules, or zeros
//
// The data file is nodes and paths in any order. The nodes of one directory
// stand together, sorted. A node has
//
//	4   where its full path starts
//	2   length of the path
//	2   where the path's last part begins
//	4   where the source of a copy starts, 0 without one
//	2   its length
//	4   where the nodes below start
//	4   how many there are
//	4   nodes below that have an entry
//	4   nodes below that are tracked
//	2   Flags
//	4   size in bytes, modulo 1<<31
//	4   modification time in seconds, modulo 1<<31
//	4   and its nanoseconds
//
// (hg's own text counts one byte less, from the time when flags had one.) In
// version 2 an empty docket also means null parents and no files.
const (
	v1Name     = "dirstate"
	v2Marker   = "dirstate-v2\n"
	v2Parent   = 32
	v2Tree     = 44
	v2Docket   = len(v2Marker) + 2*v2Parent + v2Tree + 4 + 1
	v2Node     = 44
	v2MaxDepth = math.MaxUint16 / 2 // parts in a path of the longest length
)

// Docket is what .hg/dirstate holds in version 2.
type Docket struct {
	P1, P2     node.ID
	RootStart  uint32
	RootNodes  uint32
	DataSize   uint32
	Entries    uint32 // nodes with an entry
	Copies     uint32 // nodes with a copy source
	Unused     uint32 // bytes of the data file
	IgnoreHash [20]byte
	UUID       string // "" without a data file
}

// DataFile is the data file's name in .hg, or "".
func (d *Docket) DataFile() string {
	if d.UUID == "" {
		return ""
	}
	return v1Name + "." + d.UUID
}

// ParseDocket reads the contents of a docket. One without the marker is
// Unsupported, because some releases of hg read a version 1 file there.
func ParseDocket(data []byte) (*Docket, error) {
	d := &Docket{}
	if len(data) == 0 {
		return d, nil
	}
	if !strings.HasPrefix(string(data[:min(len(data), len(v2Marker))]), v2Marker) {
		return nil, hgerr.NewUnsupported("dirstate that is not of version 2")
	}
	if len(data) < v2Docket {
		return nil, damaged("%d bytes are less than a docket", len(data))
	}
	at := len(v2Marker)
	d.P1, d.P2 = node.ID(data[at:at+node.Size]), node.ID(data[at+v2Parent:at+v2Parent+node.Size])
	at += 2 * v2Parent
	d.RootStart = binary.BigEndian.Uint32(data[at:])
	d.RootNodes = binary.BigEndian.Uint32(data[at+4:])
	d.Entries = binary.BigEndian.Uint32(data[at+8:])
	d.Copies = binary.BigEndian.Uint32(data[at+12:])
	d.Unused = binary.BigEndian.Uint32(data[at+16:])
	d.IgnoreHash = [20]byte(data[at+24:])
	at += v2Tree
	d.DataSize = binary.BigEndian.Uint32(data[at:])
	length := int(data[at+4])
	if len(data) < v2Docket+length {
		return nil, damaged("identifier past the end")
	}
	d.UUID = string(data[v2Docket : v2Docket+length])
	if strings.ContainsAny(d.UUID, "/\x00") {
		return nil, damaged("identifier %q is no part of a file name", d.UUID)
	}
	return d, nil
}

// ParseV2 reads the data file that belongs to a docket.
func ParseV2(docket *Docket, data []byte) (*Dirstate, error) {
	d := &Dirstate{p1: docket.P1, p2: docket.P2, ignore: docket.IgnoreHash, version: 2}
	if docket.UUID == "" {
		return d, nil
	}
	if uint64(len(data)) < uint64(docket.DataSize) {
		return nil, &hgerr.Damage{Op: "read", Path: docket.DataFile(), Cause: "shorter than its docket says", Changed: true}
	}
	if len(data) > maxText/v2Shared {
		return nil, hgerr.NewUnsupported("dirstate of %d bytes", len(data))
	}
	nodes := len(data) / v2Node
	entries := min(int64(docket.Entries), int64(nodes))
	r := &v2Reader{data: data, name: docket.DataFile(), budget: nodes, to: newGathering(d, int(entries))}
	r.text = make([]byte, 0, len(data)-int(entries)*v2Node)
	if err := r.nodes(docket.RootStart, docket.RootNodes, 0); err != nil {
		return nil, err
	}
	return r.to.finish(r.text), nil
}

// v2Shared is how many paths a byte of the data may be in, on the average.
const v2Shared = 2

// v2Reader walks the tree. No well-formed tree has more nodes than fit into
// the data, which bounds what a damaged one can cost.
type v2Reader struct {
	data   []byte
	name   string
	budget int
	to     *gathering
	text   []byte
	last   []byte // path
}

// slice takes a part of the data into the text.
func (r *v2Reader) slice(start, length uint32, what string) (at uint32, part []byte, err error) {
	end := uint64(start) + uint64(length)
	if end > uint64(len(r.data)) {
		return 0, nil, r.damaged(what + " past the end")
	}
	if len(r.text)+int(length) > v2Shared*len(r.data) {
		return 0, nil, r.damaged("paths overlap")
	}
	at = uint32(len(r.text))
	r.text = append(r.text, r.data[start:end]...)
	return at, r.text[at:], nil
}

func (r *v2Reader) nodes(start, count uint32, depth int) error {
	if depth > v2MaxDepth {
		return r.damaged("nodes nest too deeply")
	}
	if uint64(start)+v2Node*uint64(count) > uint64(len(r.data)) {
		return r.damaged("nodes past the end")
	}
	if r.budget -= int(count); r.budget < 0 {
		return r.damaged("nodes are used more than once")
	}
	be := binary.BigEndian
	for i := range uint64(count) {
		n := r.data[uint64(start)+v2Node*i:][:v2Node]
		pathAt, length := be.Uint32(n), uint32(be.Uint16(n[4:]))
		if uint64(pathAt)+uint64(length) > uint64(len(r.data)) {
			return r.damaged("path past the end")
		}
		entry := int32(-1) // that is a copy
		flags := Flags(be.Uint16(n[30:]))
		size, sec, nsec := int32(be.Uint32(n[32:])), int32(be.Uint32(n[36:])), int32(be.Uint32(n[40:]))
		if item := fromV2(flags, size, sec, nsec); item.AnyTracked() {
			at, path, err := r.slice(pathAt, length, "path")
			if err != nil {
				return err
			}
			if r.to.d.Len() > 0 && bytes.Compare(r.last, path) >= 0 {
				r.to.sorted = false
			}
			r.last = path
			number := r.to.add(at, length, item)
			if from, length := be.Uint32(n[8:]), uint32(be.Uint16(n[12:])); from != 0 {
				at, _, err := r.slice(from, length, "copy source")
				if err != nil {
					return err
				}
				if length > 0 {
					r.to.copies = append(r.to.copies, source{number, at, length})
					entry = number
				}
			}
		}
		if flags&IsDirectory != 0 && flags&HasMtime != 0 {
			at, _, err := r.slice(pathAt, length, "path")
			if err != nil {
				return err
			}
			known := uint32(0)
			if flags&AllUnknownRecorded != 0 {
				known |= allUnknown
			}
			if flags&AllIgnoredRecorded != 0 {
				known |= allIgnored
			}
			r.to.d.recorded = append(r.to.d.recorded, at, length, uint32(sec), uint32(nsec), known)
		}
		if below := be.Uint32(n[18:]); below > 0 {
			if err := r.nodes(be.Uint32(n[14:]), below, depth+1); err != nil {
				return err
			}
		}
		if entry >= 0 { // after what is below, as hg reads them
			r.to.order = append(r.to.order, entry)
		}
	}
	return nil
}

func (r *v2Reader) damaged(cause string) error {
	return hgerr.Damagef("parse", r.name, "%s", cause)
}
