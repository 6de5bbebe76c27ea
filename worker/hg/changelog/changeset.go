// SPDX-License-Identifier: GPL-2.0-or-later

// Package changelog reads changesets: the texts of the changelog.
//
// It takes texts apart and nothing more: no conversion to the local encoding
// (strings are UTF-8 as stored, or whatever bytes an old client wrote), no
// filtering of hidden changesets, no knowledge of the other logs.
//
// # Format
//
// A text is a few lines, a blank one, and the description to the end
// (Mercurial's wiki, "ChangelogFormat" and mercurial/changelog.py):
//
//	40 hex digits        node of the manifest
//	user                 UTF-8
//	TIME TZ[ EXTRA]      seconds since 1970; seconds west of Greenwich
//	file                 one line for each file that changed, sorted
//	...
//	(blank)
//	description          UTF-8, without a newline at the end
//
// EXTRA is "key:value" fields, sorted by key and separated by zero bytes, with
// backslash escapes for newline, carriage return, zero and backslash.
//
// Worked example:
//
//	80b5d5e0f8ef61b0c9dfd7dfa3a97b3a2a6f1f51
//	alice <alice@example.com>
//	1136214245 25200 branch:stable\0close:1
//	README
//
//	close the branch
//
// An empty text is the null revision: no manifest, no files, branch default.
package changelog

import (
	"bytes"
	"iter"
	"math"
	"strconv"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// DefaultBranch is the branch of a changeset that does not name one.
const DefaultBranch = "default"

// MaxExtras bounds the extra fields of one changeset.
const MaxExtras = 1 << 16

// Changeset is a parsed text. Its accessors return parts of the text, which
// must stay unchanged for as long as they are used. Nothing is copied or decoded
// before it is asked for.
type Changeset struct {
	text []byte
	// Where the parts end: manifest, user, date with extra, files. The blank
	// line follows files; all zero for an empty text.
	manifest, user, date, files int
}

// Size is the length of the text in bytes.
func (c Changeset) Size() int { return len(c.text) }

// Date is a moment as Mercurial has it.
type Date struct {
	Time float64 // seconds since 1970; a whole number but for some conversions
	TZ   int     // offset in seconds, west of Greenwich positive
}

// Seconds returns the time without its fraction.
func (d Date) Seconds() int64 { return int64(d.Time) }

// Extra is one extra field.
type Extra struct {
	Key, Value string
}

func damaged(format string, args ...any) error {
	return hgerr.Damagef("parse", "changeset", format, args...)
}

// Parse finds the parts of a changeset's text.
func Parse(text []byte) (Changeset, error) {
	c := Changeset{text: text}
	if len(text) == 0 {
		return c, nil
	}
	end := func(from int) int {
		i := bytes.IndexByte(text[from:], '\n')
		if i < 0 {
			return -1
		}
		return from + i
	}
	if c.manifest = 2 * node.Size; c.manifest >= len(text) || text[c.manifest] != '\n' || bytes.IndexByte(text[:c.manifest], '\n') >= 0 {
		c.manifest = end(0)
	}
	if c.manifest < 0 {
		return Changeset{}, damaged("no manifest line")
	}
	if c.user = end(c.manifest + 1); c.user < 0 {
		return Changeset{}, damaged("no user line")
	}
	if c.date = end(c.user + 1); c.date < 0 {
		return Changeset{}, damaged("no date line")
	}
	switch {
	case c.date+1 < len(text) && text[c.date+1] == '\n':
		c.files = c.date
	default:
		i := bytes.Index(text[c.date+1:], []byte("\n\n"))
		if i < 0 {
			return Changeset{}, damaged("no blank line before the description")
		}
		c.files = c.date + 1 + i
	}
	return c, nil
}

// Ends are where the lines of user and date and those of the files end, for At. ok
// is false for a text that does not begin with a whole node.
func (c Changeset) Ends() (user, date, files int, ok bool) {
	return c.user, c.date, c.files, len(c.text) > 0 && c.manifest == 2*node.Size
}

// At is Parse of a text whose Ends are known. ok is false where they cannot be its.
func At(text []byte, user, date, files int) (c Changeset, ok bool) {
	manifest := 2 * node.Size
	if user <= manifest || date <= user || files < date || files+2 > len(text) {
		return c, false
	}
	return Changeset{text, manifest, user, date, files}, text[manifest] == '\n' && text[user] == '\n' && text[date] == '\n' && text[files] == '\n' && text[files+1] == '\n'
}

// Text returns the whole text.
func (c Changeset) Text() []byte { return c.text }

// Manifest returns the manifest's node.
func (c Changeset) Manifest() (node.ID, error) {
	if len(c.text) == 0 {
		return node.Null, nil
	}
	id, ok := node.FromHex(string(c.text[:c.manifest]))
	if !ok {
		return node.Null, damaged("manifest %q is no node", c.text[:c.manifest])
	}
	return id, nil
}

// User returns who committed, in UTF-8.
func (c Changeset) User() []byte {
	if len(c.text) == 0 {
		return nil
	}
	return c.text[c.manifest+1 : c.user]
}

// Description returns the commit message, in UTF-8.
func (c Changeset) Description() []byte {
	if len(c.text) == 0 {
		return nil
	}
	return c.text[c.files+2:]
}

// IsText tells whether n bytes of the text, from at on, belong to the user, to the
// name of a file or to the description, and to one of them only if none is a
// newline.
func (c Changeset) IsText(at, n int) bool {
	if at+n > len(c.text) {
		return false
	}
	return at > c.manifest && at+n <= c.user || at > c.date
}

// dateLine returns the fields of the third line. Only the first two blanks
// separate: extra may hold more.
func (c Changeset) dateLine() (time, tz, extra []byte, fields int) {
	if len(c.text) == 0 {
		return nil, nil, nil, 0
	}
	time, rest, ok := bytes.Cut(c.text[c.user+1:c.date], []byte{' '})
	if !ok {
		return time, nil, nil, 1
	}
	tz, extra, ok = bytes.Cut(rest, []byte{' '})
	if !ok {
		return time, tz, nil, 2
	}
	return time, tz, extra, 3
}

// Date returns when it was committed. A time zone that is no number is 0, as
// hg has it.
func (c Changeset) Date() (Date, error) {
	if len(c.text) == 0 {
		return Date{}, nil
	}
	time, tz, _, fields := c.dateLine()
	if fields < 2 {
		return Date{}, damaged("date %q has no time zone", time)
	}
	var d Date
	if n, ok := digits(time); ok {
		d.Time = float64(n)
	} else {
		f, err := strconv.ParseFloat(string(bytes.TrimSpace(time)), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return Date{}, damaged("date %q is no number", time)
		}
		d.Time = f
	}
	if n, ok := digits(tz); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
		d.TZ = int(n)
	} else if n, err := strconv.ParseInt(string(bytes.TrimSpace(tz)), 10, 32); err == nil {
		d.TZ = int(n)
	}
	return d, nil
}

// digits parses a plain decimal number without allocating.
func digits(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// HasFiles reports whether the changeset names any file.
func (c Changeset) HasFiles() bool { return c.files > c.date }

// Files iterates over the names of the changed files, as raw bytes.
func (c Changeset) Files() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !c.HasFiles() {
			return
		}
		rest, more := c.text[c.date+1:c.files], true
		for more {
			var name []byte
			if name, rest, more = bytes.Cut(rest, []byte{'\n'}); !yield(name) {
				return
			}
		}
	}
}

// FileList returns the names of the changed files.
func (c Changeset) FileList() []string {
	if !c.HasFiles() {
		return nil
	}
	return strings.Split(string(c.text[c.date+1:c.files]), "\n")
}

// Extras returns the extra fields in the order in which they are stored, sorted
// by key; without one named "branch" that of the default branch is put first,
// as in hg's own table.
func (c Changeset) Extras() ([]Extra, error) {
	_, _, raw, fields := c.dateLine()
	extras := []Extra{{"branch", DefaultBranch}}
	if fields < 3 {
		return extras, nil
	}
	for len(raw) > 0 {
		field, rest, _ := bytes.Cut(raw, []byte{0})
		raw = rest
		if len(field) == 0 {
			continue
		}
		x, err := parseExtra(field)
		if err != nil {
			return nil, err
		}
		extras = setExtra(extras, x)
		if len(extras) > MaxExtras {
			return nil, damaged("more than %d extra fields", MaxExtras)
		}
	}
	return extras, nil
}

// setExtra adds a field; a later one with the same key wins.
func setExtra(extras []Extra, x Extra) []Extra {
	// Keys are sorted when hg wrote them, so only the branch that was put first
	// and the last one can be the same.
	for _, i := range [...]int{0, len(extras) - 1} {
		if extras[i].Key == x.Key {
			extras[i].Value = x.Value
			return extras
		}
	}
	if x.Key < extras[len(extras)-1].Key && len(extras) > 1 {
		for i := range extras {
			if extras[i].Key == x.Key {
				extras[i].Value = x.Value
				return extras
			}
		}
	}
	return append(extras, x)
}

// Extra returns the value of one extra field, "default" for a "branch" that is
// not stored. It does not allocate for the usual changeset, which stores none.
func (c Changeset) Extra(key string) (value string, ok bool, err error) {
	if _, _, raw, fields := c.dateLine(); fields < 3 || len(raw) == 0 {
		if key == "branch" {
			return DefaultBranch, true, nil
		}
		return "", false, nil
	}
	extras, err := c.Extras()
	if err != nil {
		return "", false, err
	}
	for _, x := range extras {
		if x.Key == key {
			return x.Value, true, nil
		}
	}
	return "", false, nil
}

// Branch returns the named branch, in UTF-8, and whether the changeset closes
// it.
func (c Changeset) Branch() (name string, closes bool, err error) {
	stored, closes, err := c.BranchBytes()
	if len(stored) == len(DefaultBranch) && string(stored) == DefaultBranch {
		return DefaultBranch, closes, err
	}
	return string(stored), closes, err
}

var defaultBranch = []byte(DefaultBranch)

// BranchBytes is Branch with a part of the text, where that has the name as it is.
func (c Changeset) BranchBytes() (name []byte, closes bool, err error) {
	_, _, raw, fields := c.dateLine()
	if fields < 3 || len(raw) == 0 {
		return defaultBranch, false, nil
	}
	name = defaultBranch
	rest, plain := raw, bytes.IndexByte(raw, '\\') < 0
	for n := 1; plain && len(rest) > 0; n++ {
		var field []byte
		field, rest, _ = bytes.Cut(rest, []byte{0})
		if len(field) == 0 {
			continue
		}
		key, value, ok := bytes.Cut(field, []byte{':'})
		plain = ok && n < MaxExtras
		switch string(key) {
		case "branch":
			name = value
		case "close":
			closes = true
		}
	}
	if plain {
		return name, closes, nil
	}
	// It has escapes, or is not as it should be.
	extras, err := c.Extras()
	if err != nil {
		return nil, false, err
	}
	closes = false
	for _, x := range extras {
		switch x.Key {
		case "branch":
			name = []byte(x.Value)
		case "close":
			closes = true
		}
	}
	return name, closes, nil
}
