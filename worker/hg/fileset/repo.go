// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
)

// Repo is what the language needs to know about a repository. rev is a changeset
// or node.WdirRev, the working directory. Paths are relative to the root. Errors
// other than hgerr's reach the user through Matcher.Err.
type Repo interface {
	// Revs evaluates a revset, in its order; Pair one or two that stand for two
	// sides, as `diff -r` takes them.
	Revs(spec string) ([]node.Rev, error)
	Pair(base, rev string) (a, b node.Rev, err error)
	// FirstParent is NullRev where there is none.
	FirstParent(rev node.Rev) node.Rev

	// Status compares two sides, for the files that m matches; nil is all of
	// them. m may ask the Repo, from any goroutine, but one at a time: Status
	// itself must not use what the other methods do while it asks m.
	Status(base, rev node.Rev, m match.Matcher, want StatusLists) (*status.Result, error)
	// Tracked tells whether rev has a file. In the working directory it need not
	// exist, but must not be removed.
	Tracked(rev node.Rev, path string) (bool, error)
	// Flag is Regular for what is not there.
	Flag(rev node.Rev, path string) (manifest.Flag, error)
	// Size is the file's size in bytes as hg counts it, and Data its content.
	// ok is false for a file that hg passes over: one that the changeset does
	// not have, or one in the working directory that cannot be read or lies
	// behind a symbolic link. Untracked files in the working directory count.
	Size(rev node.Rev, path string) (size int64, ok bool, err error)
	Data(rev node.Rev, path string) (data []byte, ok bool, err error)
	// Copied tells whether a file is recorded as a copy of another one.
	Copied(rev node.Rev, path string) (bool, error)

	// MergeState is the merge under way, nil without one.
	MergeState() (*mergestate.State, error)
	// Ignored matches what the ignore rules match.
	Ignored() (match.Matcher, error)
	// Subrepos are the paths of the subrepositories of rev.
	Subrepos(rev node.Rev) ([]string, error)
}

// StatusLists are the lists of a status that are made on demand only.
type StatusLists struct {
	Unknown, Ignored, Clean bool
	// Quiet says that names in the patterns that are not there are not
	// reported. hg reports them all the same when the working directory is
	// compared with another revision than its first parent.
	Quiet bool
}
