// SPDX-License-Identifier: GPL-2.0-or-later

// Package language is what Mercurial's small languages (revsets, filesets) have
// in common: the escapes in their strings, and what they suggest for a name that
// they do not know. It has no grammar of its own and no errors that a user sees.
package language
