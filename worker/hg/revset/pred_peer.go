// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// OutgoingReader is an optional part of a Repo for outgoing().
type OutgoingReader interface {
	// Outgoing are the changesets that another repository lacks: the one at dest,
	// or the one that is pushed to when dest is "". Those that are not on this
	// machine are Unsupported.
	Outgoing(dest string) ([]node.Rev, error)
}

func outgoing(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "outgoing takes one or no arguments")
	if err != nil {
		return nil, err
	}
	dest := ""
	if len(args) > 0 {
		if dest, err = getString(args[0], "outgoing requires a repository path"); err != nil {
			return nil, err
		}
	}
	reader, ok := ev.repo.(OutgoingReader)
	if !ok {
		return nil, hgerr.NewUnsupported("revset outgoing()")
	}
	revs, err := reader.Outgoing(dest)
	if err != nil {
		return nil, err
	}
	return ev.withRevs(subset, revs), nil
}
