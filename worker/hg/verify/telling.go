// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"errors"
	"fmt"

	"hgbroker/worker/hg/node"
)

// Kind says when hg prints a line, and where.
type Kind int

// The kinds of lines.
const (
	Status  Kind = iota // to standard output, not with --quiet
	Note                // to standard output, only with --verbose
	Warning             // to standard error
)

// Line is something that hg prints.
type Line struct {
	Kind Kind
	Text string
}

// telling collects what hg prints, and counts.
type telling struct {
	lines    []Line
	errors   int
	warnings int
	bad      map[node.Rev]bool // changesets that something is wrong with
}

func (t *telling) say(kind Kind, format string, args ...any) {
	t.lines = append(t.lines, Line{kind, fmt.Sprintf(format, args...)})
}

func (t *telling) warn(format string, args ...any) {
	t.say(Warning, format+"\n", args...)
	t.warnings++
}

// unknown is the linkrev of what belongs to no changeset.
const unknown = node.Rev(-1 << 30)

// err tells of an error; file may be "".
func (t *telling) err(linkrev node.Rev, message, file string) {
	where := "?"
	if linkrev != unknown {
		t.bad[linkrev] = true
		where = fmt.Sprint(int32(linkrev))
	}
	message = where + ": " + message
	if file != "" {
		message = file + "@" + message
	}
	t.say(Warning, " %s\n", message)
	t.errors++
}

// exception tells of a failure, and hands on any other error.
func (t *telling) exception(linkrev node.Rev, message string, err error, file string) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	t.err(linkrev, message+": "+f.text, file)
	return nil
}
