// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hgbroker/protocol"
)

func (h *asker) diff(r *request) (any, error) {
	var p protocol.DiffParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "unified", "hunks", "stat"}, p.Format) {
		return nil, invalidParams("format must be unified, hunks or stat")
	}
	unified := p.Format == "" || p.Format == "unified"
	args := []string{"diff"}
	for _, o := range []struct {
		flag   string
		values []protocol.Text
	}{{"--rev", one(p.Rev)}, {"--rev", one(p.Rev2)}, {"--change", one(p.Change)}, {"-I", p.Include}, {"-X", p.Exclude}} {
		for _, v := range o.values {
			args = append(args, o.flag, string(v))
		}
	}
	for flag, on := range map[string]bool{"--ignore-all-space": p.IgnoreAllSpace, "--ignore-space-change": p.IgnoreSpaceChange,
		"--ignore-blank-lines": p.IgnoreBlankLines, "--git": !unified || p.Git == nil || *p.Git} {
		if on {
			args = append(args, flag)
		}
	}
	if p.Context != nil {
		if *p.Context < 0 {
			return nil, invalidParams("context is negative")
		}
		args = append(args, "--unified", strconv.Itoa(*p.Context))
	} else if p.Format == "stat" {
		args = append(args, "--unified", "0")
	}
	out, err := h.hg(0, names(args, p.Paths)...)
	if err != nil {
		return nil, err
	}
	res := &protocol.DiffResult{Bound: h.bound}
	if unified {
		text := protocol.Text(out)
		res.Text = &text
		return res, nil
	}
	if res.Files, err = parseDiff(out, p.Format == "hunks"); err != nil {
		return nil, err
	}
	return res, nil
}

// parseDiff takes a diff in git's format apart, as hg writes it (`hg help
// diffs`): for each file a line "diff --git a/OLD b/NEW", lines that tell what
// happened to it, and hunks or a binary patch.
func parseDiff(text []byte, hunks bool) ([]protocol.DiffFile, error) {
	d := &diffReader{hunks: hunks, files: []protocol.DiffFile{}}
	for n := 1; len(text) > 0; n++ {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if err := d.line(string(line)); err != nil {
			return nil, fmt.Errorf("hg's diff, line %d: %w", n, err)
		}
	}
	if d.old > 0 || d.new > 0 {
		return nil, fmt.Errorf("hg's diff ends inside a hunk")
	}
	return d.files, nil
}

// diffReader reads one line after the other.
type diffReader struct {
	hunks    bool
	files    []protocol.DiffFile
	old, new int // lines that the hunk still has of each side
	binary   bool
}

func (d *diffReader) line(s string) error {
	if d.old > 0 || d.new > 0 {
		return d.hunkLine(s)
	}
	if rest, ok := strings.CutPrefix(s, "diff --git a/"); ok {
		// The two names are the same, but for copies, which say so below.
		f := protocol.DiffFile{Status: "modified"}
		if n := (len(rest) - len(" b/")) / 2; n >= 0 && len(rest) == 2*n+len(" b/") && rest[n:] == " b/"+rest[:n] {
			f.Path = protocol.Text(rest[:n])
		}
		d.files, d.binary = append(d.files, f), false
		return nil
	}
	if len(d.files) == 0 {
		return nil // what an extension may print before
	}
	f := &d.files[len(d.files)-1]
	word, rest, _ := strings.Cut(s, " ")
	switch {
	case strings.HasPrefix(s, `\`):
		if k := len(f.Hunks); k > 0 {
			f.Hunks[k-1].Lines = append(f.Hunks[k-1].Lines, protocol.Text(s))
		}
	case d.binary:
	case strings.HasPrefix(s, "new file mode "):
		f.Status = "added"
	case strings.HasPrefix(s, "deleted file mode "):
		f.Status = "removed"
	case word == "rename" || word == "copy":
		f.Status = map[string]string{"rename": "renamed", "copy": "copied"}[word]
		if from, ok := strings.CutPrefix(rest, "from "); ok {
			f.OldPath = protocol.Text(from)
		} else if to, ok := strings.CutPrefix(rest, "to "); ok {
			f.Path = protocol.Text(to)
		}
	case s == "GIT binary patch" || strings.HasPrefix(s, "Binary file "):
		f.Binary, d.binary = true, true
	case word == "@@":
		return d.hunk(f, rest)
	}
	return nil
}

// hunk reads "-START,LINES +START,LINES @@"; LINES may be left out, and is 1 then.
func (d *diffReader) hunk(f *protocol.DiffFile, s string) error {
	var h protocol.DiffHunk
	minus, rest, _ := strings.Cut(s, " ")
	plus, rest, _ := strings.Cut(rest, " ")
	var ok1, ok2 bool
	h.OldStart, h.OldLines, ok1 = spanOf(minus, '-')
	h.NewStart, h.NewLines, ok2 = spanOf(plus, '+')
	if !ok1 || !ok2 || !strings.HasPrefix(rest, "@@") {
		return fmt.Errorf("hunk %q", s)
	}
	d.old, d.new = h.OldLines, h.NewLines
	if d.hunks {
		h.Lines = []protocol.Text{}
		f.Hunks = append(f.Hunks, h)
	}
	return nil
}

func spanOf(s string, sign byte) (start, lines int, ok bool) {
	if len(s) == 0 || s[0] != sign {
		return 0, 0, false
	}
	first, second, both := strings.Cut(s[1:], ",")
	start, err := strconv.Atoi(first)
	lines = 1
	if err == nil && both {
		lines, err = strconv.Atoi(second)
	}
	return start, lines, err == nil && start >= 0 && lines >= 0
}

func (d *diffReader) hunkLine(s string) error {
	f := &d.files[len(d.files)-1]
	kind := byte(' ')
	if s != "" {
		kind = s[0]
	}
	switch kind {
	case ' ':
		d.old, d.new = d.old-1, d.new-1
	case '-':
		d.old--
		f.Removed++
	case '+':
		d.new--
		f.Added++
	case '\\':
	default:
		return fmt.Errorf("%q in a hunk", s)
	}
	if d.old < 0 || d.new < 0 {
		return fmt.Errorf("more lines than the hunk has")
	}
	if d.hunks {
		h := &f.Hunks[len(f.Hunks)-1]
		h.Lines = append(h.Lines, protocol.Text(s))
	}
	return nil
}
