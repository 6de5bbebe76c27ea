// SPDX-License-Identifier: GPL-2.0-or-later

// Package formatter prints what commands have to say, as text, JSON, CBOR or by
// a template: whatever -T asks for.
//
// A command is written once, against a Formatter: it starts an item, hands over
// named values together with the plain text that shows them, and the Formatter
// keeps the one or the other. Changesets have their own printers (Displayer),
// since `hg log` has several hard-coded layouts beside templates. The two that are
// printed most, that of `hg log` and JSON, each without an option, are also written in
// one go from template.Columns where a changeset has them; a test compares both ways.
//
// What -T means is decided by Lookup, before the first byte of output: a
// literal template, "json", a style, a name from [templates], a file. Styles are
// kept in styles.go, written for this package so that they print what Mercurial's
// style files print, labels for colours included; map files of the user's own are
// read by mapfile.go.
//
// The package does not colour by itself (template.Options.Label does), does not
// translate, opens files only through its Config, and leaves "pickle" to the real
// hg (hgerr.Unsupported). Like the templates under it, nothing here is safe for
// concurrent use.
package formatter
