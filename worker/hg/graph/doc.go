// SPDX-License-Identifier: GPL-2.0-or-later

// Package graph draws history as `hg log --graph` does.
//
// A Walker turns revisions, from high to low or in topological order, into
// edges to the other revisions shown: to a parent, to the nearest shown
// ancestors of a parent that is not shown, or to nowhere. A Drawer lays these
// out in columns beside the text of each changeset.
//
// The package formats no changeset and chooses no node symbol; both are handed
// to it. It reads no configuration: Styles carries what
// experimental.graphstyle.* and experimental.graphshorten say.
//
// Invariant: what is written is what Mercurial's graphmod writes, its
// irregularities with several ending edges included.
package graph
