// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"unicode/utf8"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/template"
)

// facts are what every listing asks of a changeset's text. They are found out when
// the first one asks, and stay with the text.
type facts struct {
	known bool
	// plain says that the user, the branch and the description are UTF-8, and the date
	// is one. Without it, nothing below counts.
	plain bool
	ascii bool // they are ASCII
	date  dates.Date
	// shown is date in the default form, which is this long; empty before it is needed.
	shown [len("Thu Jan 01 00:00:00 1970 +0000")]byte
	// branch is nil for the default branch.
	branch []byte
	// The description without white space around it, and its first line, in bytes
	// of the description.
	begin, line, end int
}

func factsOf(c *changelog.Changeset) facts {
	f := facts{known: true}
	desc := c.Description()
	branch, _, err := c.BranchBytes()
	if err != nil || c.Size() == 0 {
		return f
	}
	f.ascii = encoding.IsASCII(c.User()) && encoding.IsASCII(desc) && encoding.IsASCII(branch)
	if !f.ascii && !(utf8.Valid(c.User()) && utf8.Valid(desc) && utf8.Valid(branch)) {
		return f
	}
	sec, tz, err := seconds(*c)
	if err != nil {
		return f
	}
	if string(branch) != changelog.DefaultBranch {
		f.branch = branch
	}
	f.date = dates.Date{Unix: sec, Offset: tz}
	f.begin = len(desc) - len(bytes.TrimLeft(desc, python.Space))
	f.end = f.begin + len(bytes.TrimRight(desc[f.begin:], python.Space))
	f.line = f.begin + template.FirstLine(desc[f.begin:f.end])
	f.plain = true
	return f
}

// stored are the facts of a text as an image of texts has them; nil when they are
// not plain.
func (f *facts) stored(c *changelog.Changeset) *snapshot.TextFacts {
	user, date, files, ok := c.Ends()
	if !ok || !f.plain {
		return nil
	}
	return &snapshot.TextFacts{User: user, Date: date, Files: files, Begin: f.begin, Line: f.line, End: f.end,
		Unix: f.date.Unix, Offset: f.date.Offset, ASCII: f.ascii, Branch: f.branch != nil}
}

// factsFrom is factsOf with what an image has of it; ok is false when that cannot be
// of this text.
func factsFrom(c *changelog.Changeset, is *snapshot.TextFacts) (f facts, ok bool) {
	f = facts{known: true, plain: true, ascii: is.ASCII, date: dates.Date{Unix: is.Unix, Offset: is.Offset},
		begin: is.Begin, line: is.Line, end: is.End}
	if f.begin > f.line || f.line > f.end || f.end > len(c.Description()) {
		return f, false
	}
	if is.Branch {
		var err error
		f.branch, _, err = c.BranchBytes()
		return f, err == nil
	}
	return f, true
}
