// SPDX-License-Identifier: GPL-2.0-or-later

// Package fileset implements Mercurial's language for selecting files (`hg help
// filesets`), the patterns that begin with "set:".
//
// An expression goes through hg's stages: tokens, a raw tree, an analyzed tree
// that says where a status is computed, an optimized tree, and then a matcher
// for files in one changeset or in the working directory. Errors are
// *hgerr.Abort with the bytes that hg prints. Unlike revsets, filesets have no
// aliases and no caret below their errors.
//
// The package asks a Repo for what it must know of files and refuses to open
// any itself. A predicate, argument or pattern that is not implemented exactly
// is hgerr.Unsupported when the matcher is made, before any file is tested.
//
// Invariants: trees never change; a Matcher asks its Repo from one goroutine at
// a time; what goes wrong while a file is tested makes the answer no, and
// Matcher.Err tell.
package fileset
