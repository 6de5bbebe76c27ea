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

// RemoteReader is an optional part of a Repo for remote().
type RemoteReader interface {
	// Remote is the changeset that a name stands for in the repository at source.
	// One that is not on this machine is Unsupported.
	Remote(name, source string) (node.ID, error)
}

func remote(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 2, "remote takes zero, one, or two arguments")
	if err != nil {
		return nil, err
	}
	name, source := ".", ""
	if len(args) > 0 {
		if name, err = getString(args[0], "remote requires a string id"); err != nil {
			return nil, err
		}
	}
	if name == "." {
		rev, err := ev.repo.Lookup(".")
		if err != nil {
			return nil, err
		}
		if name, _ = ev.repo.Branch(rev); rev == node.NullRev {
			name = "default"
		}
	}
	if len(args) > 1 {
		if source, err = getString(args[1], "remote requires a repository path"); err != nil {
			return nil, err
		}
	}
	if source == "" {
		source = "default"
	}
	reader, ok := ev.repo.(RemoteReader)
	if !ok {
		return nil, hgerr.NewUnsupported("revset remote()")
	}
	id, err := reader.Remote(name, source)
	if err != nil {
		return nil, err
	}
	if rev, ok := ev.repo.Rev(id); ok && !ev.hidden(rev) && subset.contains(rev) {
		return ev.withRevs(subset, []node.Rev{rev}), nil
	}
	return ev.withRevs(subset, nil), nil
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
