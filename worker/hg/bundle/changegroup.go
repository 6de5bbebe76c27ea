// SPDX-License-Identifier: GPL-2.0-or-later

package bundle

import (
	"encoding/binary"
	"fmt"
	"io"

	"hgbroker/worker/hg/node"
)

// A changegroup is the deltas of the changelog, those of the manifest, from
// version 03 on those of manifests of directories, each under its name, and
// those of files, each under its name. All of it is chunks:
//
//	4    length, these four bytes included; 0 ends a list
//	     a name, or a delta: its head and the delta itself
//
// The head of a delta, by version of the changegroup:
//
//	01   20 node, 20 first parent, 20 second parent, 20 changeset; the delta is
//	     against the one before it, the first one against its first parent
//	02   20 node, 20, 20 parents, 20 base, 20 changeset
//	03   the same and 2 flags
//	04   of hg 6.3: 1 protocol flags in front of that; a delta with the bit 1
//	     has another chunk behind it
//	04   of hg 7: as 03, then 1 level of snapshot, 4 size, 1 compression,
//	     1 protocol flags (the bit 2: a text instead of a delta), 20 base and
//	     1 level of where it was stored
//	05   as 04 of hg 6.3

// format is how a version lays a delta's head out.
type format struct {
	head     int // bytes
	node     int // where the node stands
	base     bool
	protocol int // where the protocol flags stand, -1 without
	sidedata bool
}

var formats = map[string]format{
	"01": {head: 80, protocol: -1},
	"02": {head: 100, base: true, protocol: -1},
	"03": {head: 102, base: true, protocol: -1},
}

// Formats of the version 04, which is one thing in hg 6.3 and another in hg 7,
// where that is called 05.
var (
	format05 = format{head: 103, node: 1, base: true, sidedata: true}
	format04 = format{head: 130, base: true, protocol: 108}
)

// Bits of the protocol flags.
const (
	protocolSidedata = 1
	protocolFullText = 2
)

// Delta is one revision of a changegroup.
type Delta struct {
	Node, P1, P2 node.ID
	Changeset    node.ID
	Base         node.ID
	Size         int64 // of the delta in bytes
	FullText     bool  // it is no delta
}

// Group reads a changegroup.
type Group struct {
	r      io.Reader
	format format
	before node.ID
	begun  bool // a delta of the list has been read
}

// NewGroup reads the changegroup of a version in a part. hg7 says whose version
// 04 it is.
func NewGroup(r io.Reader, version string, hg7 bool) (*Group, error) {
	f, ok := formats[version]
	switch {
	case version == "04" && !hg7, version == "05" && hg7:
		f, ok = format05, true
	case version == "04":
		f, ok = format04, true
	}
	if !ok {
		return nil, fmt.Errorf("a changegroup of version %q", version)
	}
	return &Group{r: r, format: f}, nil
}

// chunk reads the length of a chunk, 0 at the end of a list.
func (g *Group) chunk() (int64, error) {
	n, err := number(g.r)
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, nil
	case n <= 4:
		return 0, fmt.Errorf("a chunk of %d bytes", n)
	}
	return int64(n) - 4, nil
}

// Name reads the name above a list of deltas; ok is false behind the last.
func (g *Group) Name() (name string, ok bool, err error) {
	n, err := g.chunk()
	if err != nil || n == 0 {
		return "", false, err
	}
	if n > MaxName {
		return "", false, fmt.Errorf("a name of %d bytes", n)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(g.r, buf); err != nil {
		return "", false, unexpected(err)
	}
	return string(buf), true, nil
}

// Delta reads the next delta of a list; ok is false behind the last. The delta
// itself is passed over.
func (g *Group) Delta() (d Delta, ok bool, err error) {
	n, err := g.chunk()
	if err != nil || n == 0 {
		g.begun = false
		return d, false, err
	}
	if n < int64(g.format.head) {
		return d, false, fmt.Errorf("a delta of %d bytes", n)
	}
	var buf [130]byte
	head := buf[:g.format.head]
	if _, err := io.ReadFull(g.r, head); err != nil {
		return d, false, unexpected(err)
	}
	ids := head[g.format.node:]
	id := func(i int) node.ID { return node.ID(ids[20*i : 20*i+20]) }
	d.Node, d.P1, d.P2 = id(0), id(1), id(2)
	if g.format.base {
		d.Base, d.Changeset = id(3), id(4)
	} else {
		d.Changeset = id(3)
		if d.Base = d.P1; g.begun {
			d.Base = g.before
		}
	}
	g.before, g.begun = d.Node, true
	d.Size = n - int64(g.format.head)
	if err := g.skip(d.Size); err != nil {
		return d, false, err
	}
	if g.format.protocol < 0 {
		return d, true, nil
	}
	flags := head[g.format.protocol]
	d.FullText = !g.format.sidedata && flags&protocolFullText != 0
	if g.format.sidedata && flags&protocolSidedata != 0 {
		n, err := g.chunk()
		if err != nil {
			return d, false, err
		}
		return d, true, g.skip(n)
	}
	return d, true, nil
}

func (g *Group) skip(n int64) error {
	_, err := io.CopyN(io.Discard, g.r, n)
	return unexpected(err)
}

// StoreHead reads the head of a bundle of a store's files:
//
//	2    "UN"
//	8    number of files
//	8    their bytes
//	2    length of the requirements
//	     the requirements, separated by commas, and a zero byte
func (b *Bundle) StoreHead() (files, bytes uint64, requirements string, err error) {
	var head [20]byte
	if _, err := io.ReadFull(b.r, head[:]); err != nil {
		return 0, 0, "", unexpected(err)
	}
	if string(head[:2]) != "UN" {
		return 0, 0, "", ErrCompression
	}
	list := make([]byte, binary.BigEndian.Uint16(head[18:]))
	if _, err := io.ReadFull(b.r, list); err != nil {
		return 0, 0, "", unexpected(err)
	}
	if len(list) == 0 || list[len(list)-1] != 0 {
		return 0, 0, "", fmt.Errorf("requirements that do not end")
	}
	return binary.BigEndian.Uint64(head[2:]), binary.BigEndian.Uint64(head[10:]), string(list[:len(list)-1]), nil
}
