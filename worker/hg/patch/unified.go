// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"bytes"
	"strconv"

	"hgbroker/worker/hg/bdiff"
)

// noNewline follows a last line that lacks its newline.
const noNewline = "\n\\ No newline at end of file\n"

// functionWidth is how much of a function's line a hunk shows, with the blank
// before it, if it is ASCII.
const functionWidth = 41

// unified writes the hunks and the two lines before them, and counts these.
func (w *Writer) unified(c *Change, old, new []byte) int {
	switch {
	case len(old) == 0:
		w.whole('+', new)
	case len(new) == 0:
		w.whole('-', old)
	default:
		w.old.Reset(old)
		w.new.Reset(new)
		if !w.hunks() {
			return 0
		}
	}
	a, b := w.prefixes()
	w.fileLine("--- ", a, c.OldName, w.OldDate, c.Old == nil)
	w.fileLine("+++ ", b, c.NewName, w.NewDate, c.New == nil)
	return 2
}

// whole writes the hunk of a file that was empty, or is now.
func (w *Writer) whole(mark byte, data []byte) {
	n := bdiff.CountLines(data)
	if mark == '+' && !w.keep(1, n) || mark == '-' && !w.keep(0, 0) {
		return
	}
	w.text = append(w.text, "@@ -0,0 +1,"...)
	if mark == '-' {
		w.text = append(w.text[:0], "@@ -1,"...)
	}
	w.text = strconv.AppendInt(w.text, int64(n), 10)
	if mark == '-' {
		w.text = append(w.text, " +0,0"...)
	}
	w.text = append(w.text, " @@\n"...)
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n') + 1
		if end == 0 {
			end = len(data)
		}
		w.text = append(append(w.text, mark), data[:end]...)
		if data[end-1] != '\n' {
			w.text = append(w.text, noNewline...)
		}
		data = data[end:]
	}
}

func (w *Writer) keep(start, length int) bool { return w.Keep == nil || w.Keep(start, length) }

// hunk is what a hunk covers so far: of the old text lines from a1, of the new
// one from b1, up to the end of its last change; its lines are in Writer.body.
type hunk struct {
	a1, a2, b1, b2 int
	// oldEnd and newEnd are where the last line of the old text and the last
	// added one end in the body, 0 without any.
	oldEnd, newEnd int
	context        bool // the last line of the old text is in both
}

// hunks writes the hunks that lead from w.old to w.new, if there are any.
func (w *Writer) hunks() bool {
	var cur hunk
	open, any := false, false
	ignored := 0    // lines by which the new text is longer, in blank lines ignored
	f := function{} // of the last hunk
	w.body = w.body[:0]
	for _, p := range w.differ.PartsOf(&w.old, &w.new, w.Whitespace) {
		switch p.Kind {
		case bdiff.PartBlank:
			ignored += (p.B2 - p.B1) - (p.A2 - p.A1)
			continue
		case bdiff.PartEqual:
			continue
		}
		start := max(p.A1-w.Context, 0)
		if open && start < cur.a2+w.Context+1 {
			start = cur.a2
		} else {
			if open {
				w.finish(&cur, &f)
			}
			cur = hunk{a1: start, b1: max(p.B1-ignored-w.Context, 0)}
			open, any = true, true
			w.body = w.body[:0]
		}
		cur.a2, cur.b2 = p.A2, p.B2-ignored
		w.context(&cur, start, p.A1)
		if p.A1 < p.A2 {
			w.lines('-', &w.old, p.A1, p.A2)
			cur.oldEnd, cur.context = len(w.body), false
		}
		if p.B1 < p.B2 {
			w.lines('+', &w.new, p.B1, p.B2)
			cur.newEnd = len(w.body)
		}
	}
	if open {
		w.finish(&cur, &f)
	}
	return any
}

// lines adds lines i to j of a text to the body.
func (w *Writer) lines(mark byte, l *bdiff.Lines, i, j int) {
	for ; i < j; i++ {
		w.body = append(append(w.body, mark), l.Line(i)...)
	}
}

func (w *Writer) context(h *hunk, i, j int) {
	if i < j {
		w.lines(' ', &w.old, i, j)
		h.oldEnd, h.context = len(w.body), true
	}
}

// finish ends a hunk with its context and writes it.
func (w *Writer) finish(h *hunk, f *function) {
	end := min(h.a2+w.Context, w.old.Len())
	oldLen, newLen := end-h.a1, h.b2-h.b1+end-h.a2
	w.context(h, h.a2, end)
	if w.ShowFunc {
		w.function(h.a1, f)
	}
	// A range without lines begins one line earlier.
	oldStart, newStart := h.a1, h.b1
	if oldLen != 0 {
		oldStart++
	}
	if newLen != 0 {
		newStart++
	}
	if !w.keep(newStart, newLen) {
		return
	}
	w.text = append(w.text, "@@ -"...)
	w.text = strconv.AppendInt(w.text, int64(oldStart), 10)
	w.text = append(w.text, ',')
	w.text = strconv.AppendInt(w.text, int64(oldLen), 10)
	w.text = append(w.text, " +"...)
	w.text = strconv.AppendInt(w.text, int64(newStart), 10)
	w.text = append(w.text, ',')
	w.text = strconv.AppendInt(w.text, int64(newLen), 10)
	w.text = append(w.text, " @@"...)
	w.text = append(append(w.text, f.text...), '\n')

	body, shared := w.body, false
	oldMarked, newMarked := 0, 0
	if !bytes.HasSuffix(w.old.Text(), []byte{'\n'}) && oldStart+oldLen == w.old.Len()+1 && h.oldEnd > 0 {
		oldMarked, shared = h.oldEnd, h.context
	}
	if !shared && !bytes.HasSuffix(w.new.Text(), []byte{'\n'}) && newStart+newLen == w.new.Len()+1 {
		newMarked = h.newEnd
	}
	at := 0
	for _, mark := range [2]int{min(oldMarked, newMarked), max(oldMarked, newMarked)} {
		if mark > 0 {
			w.text = append(append(w.text, body[at:mark]...), noNewline...)
			at = mark
		}
	}
	w.text = append(w.text, body[at:]...)
}

// function is the line that names what hunks are in.
type function struct {
	searched int // lines before this one have been looked at
	text     []byte
}

// function looks above line start for the line of a function.
func (w *Writer) function(start int, f *function) {
	for i := start - 1; i >= f.searched; i-- {
		line := w.old.Line(i)
		if !w.beginsFunction(line[0]) {
			continue
		}
		line = bytes.TrimRight(line, " \t\n\r\v\f")
		f.text = append(append(f.text[:0], ' '), line...)
		if len(f.text) > functionWidth && isASCII(f.text) {
			f.text = f.text[:functionWidth]
		}
		break
	}
	f.searched = start
}

func (w *Writer) beginsFunction(c byte) bool {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return true
	case w.Identifiers:
		return c == '_' || c == '$'
	}
	return '0' <= c && c <= '9'
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
