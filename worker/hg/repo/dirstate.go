// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/store"
)

// The parents stand at the beginning of the dirstate, so that asking for them
// does not read the rest (`hg help internals.dirstate-v2`):
//
//	version 1   20 bytes first parent, 20 bytes second parent, then the files
//	version 2   "dirstate-v2\n", 32 bytes first parent, 32 bytes second parent,
//	            of which the first 20 are used, then 49 more bytes, of which the
//	            last 5 are the size of the data file and the length of its name
//
// hg reads a docket of version 2 whole, so one that is cut off does not count.
const (
	v2Marker   = "dirstate-v2\n"
	v2NodeSize = 32
	v2Docket   = len(v2Marker) + 2*v2NodeSize + 49
	v2DataSize = v2Docket - 5
)

// dirstateHead is what stands at the beginning.
type dirstateHead struct {
	ids  [2]node.ID // parents; both null without a dirstate
	size int64      // of what holds the files, in bytes
}

// dirstateHead reads the beginning, if it is not known.
func (r *Repo) dirstateHead(absent *store.Absences) (dirstateHead, error) {
	k := &r.checkout.parents
	head, err := k.read(absent, r.readHead, r.Layout.Dot+"/dirstate")
	if err == nil && k.known && !r.settled(k.stamps[0]) {
		k.known = false
	}
	return head, err
}

func (r *Repo) readHead() (p dirstateHead, err error) {
	f, err := os.Open(r.Layout.Dot + "/dirstate")
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	defer f.Close()
	buf := make([]byte, v2Docket)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return p, err
	}
	buf = buf[:n]
	fi, err := f.Stat()
	if err != nil {
		return p, err
	}
	size := node.Size
	p.size = fi.Size()
	if r.Layout.Requirements.Has(requires.DirstateV2) && n > 0 {
		if n < cap(buf) || string(buf[:len(v2Marker)]) != v2Marker {
			// hg reads a dirstate of version 1 in such a repository, too.
			return p, hgerr.NewUnsupported("dirstate that is not of version 2")
		}
		p.size = int64(binary.BigEndian.Uint32(buf[v2DataSize:]))
		buf, size = buf[len(v2Marker):], v2NodeSize
	}
	switch {
	case n == 0:
		return p, nil
	case len(buf) < 2*size:
		return p, hgerr.Damagef("read", "dirstate", "%d bytes are less than two parents", n)
	}
	p.ids = [2]node.ID{node.ID(buf[:node.Size]), node.ID(buf[size : size+node.Size])}
	return p, nil
}
