// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// FileStat is the lines that a patch adds to a file and removes from it.
type FileStat struct {
	Name           string
	Added, Removed int
	Binary         bool
}

// A Stat counts what patches do. Like hg it reads the patches as text, so that
// what looks like a header counts as one.
type Stat struct {
	Files   []FileStat
	cur     FileStat
	started bool
	header  bool
}

// Add reads the header and the text that Writer.Write returned.
func (s *Stat) Add(header, text []byte) error {
	for _, part := range [2][]byte{header, text} {
		for len(part) > 0 {
			// Other than a diff, hg ends a line here at a carriage return, too.
			end := bytes.IndexAny(part, "\r\n")
			if end < 0 {
				end = len(part)
			}
			if err := s.line(part[:end]); err != nil {
				return err
			}
			if bytes.HasPrefix(part[end:], []byte("\r\n")) {
				end++
			}
			part = part[min(end+1, len(part)):]
		}
	}
	return nil
}

// End completes the last file.
func (s *Stat) End() {
	if s.started && s.cur.Name != "" {
		s.Files = append(s.Files, s.cur)
	}
	s.started = false
}

func (s *Stat) line(line []byte) error {
	has := func(prefix string) bool { return len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix }
	switch {
	case has("diff"):
		s.End()
		s.started, s.header = true, true
		s.cur = FileStat{Name: s.cur.Name}
		ok := true
		if has("diff --git a/") {
			s.cur.Name, ok = gitName(string(line))
		} else if has("diff -r") {
			s.cur.Name, ok = plainName(string(line))
		}
		if !ok {
			return hgerr.NewUnsupported("diffstat of a line that looks like a header")
		}
	case has("@@"):
		s.header = false
	case has("+") && !s.header:
		s.cur.Added++
	case has("-") && !s.header:
		s.cur.Removed++
	case has("GIT binary patch"), has("Binary file"):
		s.cur.Binary = true
	case has("rename from"):
		s.cur.Name = string(line[min(12, len(line)):])
	case has("rename to"):
		s.cur.Name += " => " + string(line[min(10, len(line)):])
	}
	return nil
}

// gitName is the new name in git's first header line.
func gitName(line string) (string, bool) {
	at := strings.LastIndex(line, " b/")
	return line[at+len(" b/"):], at >= len("diff --git a/")
}

// plainName is the name in hg's header line: what follows the last revision.
func plainName(line string) (string, bool) {
	const option = "-r "
	for end := len(line); ; {
		at := strings.LastIndex(line[:end], option)
		if at < len("diff ") {
			return "", false
		}
		rest := line[at+len(option):]
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		if n > 0 && strings.IndexByte(" \t\n\r\f\v", rest[n]) >= 0 {
			return rest[n+1:], true
		}
		end = at
	}
}

// Totals are the lines added and removed in all files.
func (s *Stat) Totals() (added, removed int) {
	for _, f := range s.Files {
		added += f.Added
		removed += f.Removed
	}
	return added, removed
}

// minGraph is how wide the histogram is at least.
const minGraph = 10

// Append writes the histogram, width columns wide; columns measures a name.
func (s *Stat) Append(out *bytes.Buffer, width int, columns func(string) int) {
	if len(s.Files) == 0 {
		return
	}
	widest, most, binary := 0, 0, false
	for _, f := range s.Files {
		widest = max(widest, columns(f.Name))
		most = max(most, f.Added+f.Removed)
		binary = binary || f.Binary
	}
	digits := len(strconv.Itoa(most))
	if binary {
		digits = max(digits, len("Bin"))
	}
	graph := max(width-digits-widest-6, minGraph)
	scale := func(n int) int {
		if most <= graph || n == 0 {
			return n
		}
		return max(n*graph/most, 1)
	}
	for _, f := range s.Files {
		count := "Bin"
		if !f.Binary {
			count = strconv.Itoa(f.Added + f.Removed)
		}
		fmt.Fprintf(out, " %s%s |  %*s %s%s\n", f.Name, strings.Repeat(" ", widest-columns(f.Name)), digits, count,
			strings.Repeat("+", scale(f.Added)), strings.Repeat("-", scale(f.Removed)))
	}
	added, removed := s.Totals()
	fmt.Fprintf(out, " %d files changed, %d insertions(+), %d deletions(-)\n", len(s.Files), added, removed)
}
