// SPDX-License-Identifier: GPL-2.0-or-later

package changelog

import (
	"errors"
	"fmt"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// Log is the changelog. It is not safe for concurrent use.
type Log struct {
	*revlog.Revlog
}

// Open opens a store's changelog, reading its index whole. A store without one
// has no changesets.
func Open(s *store.Store) (*Log, error) {
	r, err := revlog.Open(s.Changelog())
	if err != nil {
		return nil, err
	}
	return &Log{r}, nil
}

// OpenWithIndex is the changelog of a store whose index is held already; stamp
// as in revlog.OpenWithIndex.
func OpenWithIndex(s *store.Store, x revlog.Index, stamp store.Stamp) *Log {
	return &Log{revlog.OpenWithIndex(s.Changelog(), x, stamp)}
}

// Changeset reads a changeset. NullRev is the empty one.
func (l *Log) Changeset(clrev node.Rev) (Changeset, error) {
	text, err := l.Text(clrev)
	if err != nil {
		return Changeset{}, err
	}
	return parse(clrev, text)
}

// Each calls fn for the changesets from from up to, but without, to, in
// ascending order. A changeset is only valid during the call. It is much faster
// than Changeset for many of them.
func (l *Log) Each(from, to node.Rev, fn func(clrev node.Rev, c Changeset) error) error {
	return l.Scan(from, to, func(clrev node.Rev, text []byte) error {
		c, err := parse(clrev, text)
		if err != nil {
			return err
		}
		return fn(clrev, c)
	})
}

func parse(clrev node.Rev, text []byte) (Changeset, error) {
	c, err := Parse(text)
	var d *hgerr.Damage
	if errors.As(err, &d) {
		err = hgerr.Damagef(d.Op, fmt.Sprintf("changeset %d", clrev), "%s", d.Cause)
	}
	return c, err
}
