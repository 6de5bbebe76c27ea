// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"errors"
	"io"
	"os"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
)

// The parents stand at the beginning of the dirstate, so that asking for them
// does not read the rest (`hg help internals.dirstate-v2`):
//
//	version 1   20 bytes first parent, 20 bytes second parent, then the files
//	version 2   "dirstate-v2\n", 32 bytes first parent, 32 bytes second parent,
//	            of which the first 20 are used, then 49 more bytes and a name
//
// hg reads a docket of version 2 whole, so one that is cut off does not count.
const (
	v2Marker   = "dirstate-v2\n"
	v2NodeSize = 32
	v2Docket   = len(v2Marker) + 2*v2NodeSize + 49
)

// readParents are the parents in the dirstate; both null without one.
func (r *Repo) readParents() (p [2]node.ID, err error) {
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
	size := node.Size
	if r.Layout.Requirements.Has(requires.DirstateV2) && n > 0 {
		if n < cap(buf) || string(buf[:len(v2Marker)]) != v2Marker {
			// hg reads a dirstate of version 1 in such a repository, too.
			return p, hgerr.NewUnsupported("dirstate that is not of version 2")
		}
		buf, size = buf[len(v2Marker):], v2NodeSize
	}
	switch {
	case n == 0:
		return p, nil
	case len(buf) < 2*size:
		return p, hgerr.Damagef("read", "dirstate", "%d bytes are less than two parents", n)
	}
	return [2]node.ID{node.ID(buf[:node.Size]), node.ID(buf[size : size+node.Size])}, nil
}
