// SPDX-License-Identifier: GPL-2.0-or-later

// Package revset implements Mercurial's language for selecting revisions
// (`hg help revisions`).
//
// An expression goes through hg's stages: tokens, a raw tree, alias expansion,
// folding of "##", an analyzed tree with the pseudo operators gone, an
// optimized tree, and then an ordered Set that is evaluated as far as its
// reader asks. Errors are *hgerr.Abort with the bytes that hg prints.
//
// The package talks to a repository through Repo and keeps nothing between
// evaluations. It refuses to open files, to look at a clock (Options.Now), and
// to guess: what a predicate cannot do exactly is hgerr.Unsupported.
//
// Invariants: a Set never yields a revision twice; it yields hidden revisions
// only under --hidden; NullRev and WdirRev appear only when named. After an
// iteration the reader asks Set.Err, because a filter that reads changesets can
// fail half way.
package revset
