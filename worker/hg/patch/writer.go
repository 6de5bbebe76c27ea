// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"strconv"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/manifest"
)

// A File is one side of a change.
type File struct {
	Flag manifest.Flag
	Data []byte
}

// A Change is what became of a file. Old is nil for a new file, New for one
// that is gone; never both.
type Change struct {
	Old, New *File
	// OldName and NewName are shown. Of a file that was neither copied nor
	// renamed both are its name.
	OldName, NewName string
	// OldKnown and NewKnown tell whether the side has a file by the name that is
	// shown; git's index line has no hash for one that it has not.
	OldKnown, NewKnown bool
	Op                 string // of Pair
}

// A Writer makes patches of one pair of sides.
type Writer struct {
	Options
	// Revs are the hashes in the headers that are not git's; without any there
	// are no such headers.
	Revs []string
	// OldDate and NewDate are the dates of both sides, as they are to be printed.
	OldDate, NewDate string
	// Keep, if set, chooses the hunks to be written by their lines in the new
	// file (from 1, as the hunk has them).
	Keep func(start, length int) bool

	differ   bdiff.Differ
	old, new bdiff.Lines
	header   []byte
	text     []byte
	body     []byte
}

// epoch is the date of a file that is not there.
const epoch = "Thu Jan 01 00:00:00 1970 +0000"

// noHash is what an index line has for a file that is not there.
const noHash = "0000000000000000000000000000000000000000"

// Binary tells whether hg takes a content for binary.
func Binary(data []byte) bool { return bytes.IndexByte(data, 0) >= 0 }

// mode is how git writes a flag.
func mode(f manifest.Flag) string {
	switch f {
	case manifest.Symlink:
		return "120000"
	case manifest.Executable:
		return "100755"
	}
	return "100644"
}

// Write makes the patch of one change: its header lines and what follows. Both
// are empty when there is nothing to show, and good until the next call.
func (w *Writer) Write(c *Change) (header, text []byte) {
	w.header, w.text = w.header[:0], w.text[:0]
	var old, new []byte
	if c.Old != nil {
		old = c.Old.Data
	}
	if c.New != nil {
		new = c.New.Data
	}
	binary := !w.Text && (Binary(old) || Binary(new))
	lines := 0
	switch {
	case w.Git:
		lines = w.gitHeader(c)
	case len(w.Revs) > 0:
		lines = 1
		w.header = append(w.header, "diff"...)
		for _, rev := range w.Revs {
			w.header = append(append(w.header, " -r "...), rev...)
		}
		w.line(" ", c.OldName)
	}
	switch {
	case binary && w.Git && !w.NoBinary:
		if c.Old == nil && len(new) == 0 || c.New == nil && len(old) == 0 || bytes.Equal(old, new) {
			break
		}
		w.line("index ", index(old, c.OldKnown), "..", index(new, c.NewKnown))
		lines++
		w.text = appendBinary(w.text, new)
	default:
		if w.Git && w.Index > 0 {
			flag := c.New
			if c.Old != nil {
				flag = c.Old
			}
			n := min(w.Index, len(noHash))
			w.line("index ", index(old, c.OldKnown)[:n], "..", index(new, c.NewKnown)[:n], " ", mode(flag.Flag))
			lines++
		}
		if binary {
			if c.Old == nil || c.New == nil || !bytes.Equal(old, new) {
				w.text = append(append(append(w.text, "Binary file "...), c.OldName...), " has changed\n"...)
			}
		} else if len(old) > 0 || len(new) > 0 {
			lines += w.unified(c, old, new)
		}
	}
	if len(w.text) == 0 && lines <= 1 {
		w.header = w.header[:0]
	}
	return w.header, w.text
}

// line ends a header line.
func (w *Writer) line(parts ...string) {
	for _, p := range parts {
		w.header = append(w.header, p...)
	}
	w.header = append(w.header, '\n')
}

func (w *Writer) prefixes() (string, string) {
	if w.NoPrefix {
		return "", ""
	}
	return "a/", "b/"
}

// gitHeader writes git's header lines but for the index, and counts them.
func (w *Writer) gitHeader(c *Change) int {
	a, b := w.prefixes()
	w.line("diff --git ", a, c.OldName, " ", b, c.NewName)
	switch {
	case c.Old == nil:
		w.line("new file mode ", mode(c.New.Flag))
		return 2
	case c.New == nil:
		w.line("deleted file mode ", mode(c.Old.Flag))
		return 2
	}
	n := 1
	if m1, m2 := mode(c.Old.Flag), mode(c.New.Flag); m1 != m2 {
		w.line("old mode ", m1)
		w.line("new mode ", m2)
		n += 2
	}
	if c.Op != "" {
		w.line(c.Op, " from ", c.OldName)
		w.line(c.Op, " to ", c.NewName)
		n += 2
	}
	return n
}

// index is the hash that git has for a content.
func index(data []byte, known bool) string {
	if !known {
		return noHash
	}
	h := sha1.New()
	h.Write([]byte("blob " + strconv.Itoa(len(data)) + "\x00"))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// fileLine writes one of the two lines before the hunks.
func (w *Writer) fileLine(mark, prefix, name, date string, gone bool) {
	w.header = append(w.header, mark...)
	if gone {
		prefix, name, date = "", "/dev/null", epoch
	}
	w.header = append(append(w.header, prefix...), name...)
	switch {
	case !w.Git && !w.NoDates:
		w.header = append(append(w.header, '\t'), date...)
	case !gone && bytes.IndexByte([]byte(name), ' ') >= 0:
		w.header = append(w.header, '\t')
	}
	w.header = append(w.header, '\n')
}
