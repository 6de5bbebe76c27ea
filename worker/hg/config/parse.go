// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// The syntax of an hgrc (`hg help config`, "Syntax"), line by line:
//
//	[section]            up to the last ']' before a second '['; the rest of the line is ignored
//	name = value         white space around both is dropped; value may be empty
//	  more               a line that starts with white space continues the value, joined by a newline
//	; or # in column 0   a comment, which does not end a value
//	%include path        read another file here
//	%unset name          drop an item of this section that was set before
//
// Lines end with \n, \r\n or \r. An empty line ends a value. A UTF-8 byte
// order mark on the first line is skipped. Anything else is an error.

const byteOrderMark = "\xef\xbb\xbf"

// syntaxError is a line that is not hgrc, with its place.
type syntaxError struct {
	location string // FILE:LINE
	message  string
}

func (e *syntaxError) Error() string { return e.location + ": " + e.message }

// abort is the error as hg's user sees it.
func (e *syntaxError) abort() *hgerr.Abort {
	a := hgerr.Abortf(hgerr.Config, "%s", e.message)
	a.Prefix = "config error at " + e.location + ": "
	return a
}

// parse reads the text of one hgrc into l. src is the file's name as values
// record it. include reads another file into l; nil leaves %include lines to
// the error case.
func (l *layer) parse(src, text string, include func(path, location string) error) error {
	return l.parseIn("", src, text, include)
}

// parseIn is parse where items before the first heading belong to section.
func (l *layer) parseIn(section, src, text string, include func(path, location string) error) error {
	var (
		item       string
		continues  bool
		more       []byte // what continues the value of item, set when it ends
		line, last int
	)
	finish := func() {
		if len(more) > 0 {
			v, _ := l.get(section, item)
			l.set(section, item, v.text+string(more), src+":"+strconv.Itoa(last))
			more = more[:0]
		}
		continues = false
	}
	defer finish()
	for text != "" {
		var cur string
		cur, text = cutLine(text)
		line++
		location := func() string { return src + ":" + strconv.Itoa(line) }
		if line == 1 {
			cur = strings.TrimPrefix(cur, byteOrderMark)
		}
		body := python.Strip(cur)
		if continues {
			if isComment(cur) {
				continue
			}
			if body != "" && isSpace(cur[0]) {
				more = append(append(more, '\n'), body...)
				last = line
				continue
			}
			finish()
		}
		if path, ok := directive(cur, "%include"); ok && include != nil {
			if err := include(path, location()); err != nil {
				return err
			}
			continue
		}
		if body == "" || isComment(cur) {
			continue
		}
		if name, ok := sectionHeader(cur); ok {
			section = name
			l.addSection(section)
			continue
		}
		if name, text, ok := assignment(cur); ok {
			item, continues = name, true
			l.set(section, item, text, location())
			continue
		}
		if rest, ok := directive(cur, "%unset"); ok {
			name := rest
			if i := strings.IndexAny(rest, python.Space); i >= 0 {
				name = rest[:i]
			}
			l.remove(section, name)
			l.unset = append(l.unset, key{section, name})
			continue
		}
		message := strings.TrimRight(cur, python.Space)
		if strings.HasPrefix(cur, " ") {
			message = "unexpected leading whitespace: " + message
		}
		return &syntaxError{location: location(), message: message}
	}
	return nil
}

// cutLine splits off the first line with its end.
func cutLine(s string) (line, rest string) {
	i := strings.IndexAny(s, "\r\n")
	switch {
	case i < 0:
		return s, ""
	case s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n':
		i++
	}
	return s[:i+1], s[i+1:]
}

func isSpace(c byte) bool { return strings.IndexByte(python.Space, c) >= 0 }

func isComment(line string) bool { return line != "" && (line[0] == ';' || line[0] == '#') }

// directive returns the argument of a %word line.
func directive(line, word string) (string, bool) {
	rest, ok := strings.CutPrefix(line, word)
	if !ok || rest == "" || !isSpace(rest[0]) {
		return "", false
	}
	rest = python.Strip(rest)
	return rest, rest != ""
}

// sectionHeader reads "[name]".
func sectionHeader(line string) (string, bool) {
	rest, ok := strings.CutPrefix(line, "[")
	if !ok {
		return "", false
	}
	if i := strings.IndexByte(rest, '['); i >= 0 {
		rest = rest[:i]
	}
	i := strings.LastIndexByte(rest, ']')
	if i < 1 {
		return "", false
	}
	return rest[:i], true
}

// assignment reads "name = value".
func assignment(line string) (name, text string, ok bool) {
	if line == "" || isSpace(line[0]) {
		return "", "", false
	}
	name, text, ok = strings.Cut(line, "=")
	name = strings.TrimRight(name, python.Space)
	if !ok || name == "" {
		return "", "", false
	}
	return name, python.Strip(text), true
}
