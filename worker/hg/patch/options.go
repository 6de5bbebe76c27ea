// SPDX-License-Identifier: GPL-2.0-or-later

// Package patch writes differences between files as patches: hunks in the
// unified format, Mercurial's and git's headers, git's binary patches, and the
// histogram of --stat, byte for byte as Mercurial does (mercurial/patch.py,
// mercurial/mdiff.py; `hg help diffs`).
//
// It is given pairs of files with their names, flags and contents, and knows
// nothing of repositories: which files differ, what is a copy of what and in
// which form names are shown is the caller's business. It neither colours nor
// reads patches, and refuses nothing.
package patch

import "hgbroker/worker/hg/bdiff"

// Options are hg's diff options.
type Options struct {
	Whitespace bdiff.Options

	Context  int  // lines shown around a change
	Text     bool // no file is binary
	Git      bool // git's headers
	NoDates  bool
	NoBinary bool // under Git, binary files are only named
	NoPrefix bool // no a/ and b/
	ShowFunc bool // each hunk names the function that it is in
	// Index is how many digits of the contents' hashes git's index line shows,
	// 0 for no such line.
	Index int
	// Identifiers lets a function begin with a letter, _ or $, as in Mercurial 7,
	// instead of a letter or digit.
	Identifiers bool
}

// ForStat is the options that --stat compares with: no context, all prefixes.
func (o Options) ForStat() Options {
	o.Context, o.NoPrefix = 0, false
	return o
}
