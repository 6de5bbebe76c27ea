// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"fmt"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// CensoredError says that a file revision was censored: the text that is stored
// is a tombstone. What hg makes of it depends on censor.policy, so the commands
// decide.
type CensoredError struct {
	Display   string // the revlog, as hg calls it
	Node      node.ID
	Tombstone []byte // the text that is stored
}

func (e *CensoredError) Error() string { return e.Display + ":" + e.Node.Short() }

// corrupt is what hg says of an index that it cannot use. The cause is ours.
func corrupt(name, format string, args ...any) error {
	a := hgerr.Abortf(hgerr.Corrupt, "index %s is corrupted", name)
	a.Err = hgerr.Damagef("read", name, format, args...)
	return a
}

// damaged is a chunk that cannot be read or decoded. hg has words of its own
// for a hash that does not match only.
func (r *Revlog) damaged(rev node.Rev, format string, args ...any) error {
	return &hgerr.Damage{
		Op:      "read",
		Path:    r.files.Display,
		Cause:   fmt.Sprintf("revision %d: ", rev) + fmt.Sprintf(format, args...),
		Changed: r.changed(),
	}
}

// mismatch is a text that does not hash to its node.
func (r *Revlog) mismatch(rev node.Rev) error {
	a := hgerr.Abortf(hgerr.Corrupt, "integrity check failed on %s:%d", r.files.Display, rev)
	a.Err = r.damaged(rev, "text does not match its node %s", r.Index.Node(rev).Short())
	return a
}

// NoNode is hg's error for a node that a revlog does not have.
func (r *Revlog) NoNode(id node.ID) error {
	return hgerr.Abortf(hgerr.Corrupt, "%s@%s: no node", r.files.Display, id)
}
