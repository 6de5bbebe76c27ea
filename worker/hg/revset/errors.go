// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// parseError is Mercurial's ParseError: a message and, if the text could not be
// parsed, the place in bytes. It becomes an *hgerr.Abort at the border of the
// package.
type parseError struct {
	msg  string
	hint string
	at   int // -1 when it has no place
}

func (e *parseError) Error() string { return e.msg }

func parseErrorf(format string, args ...any) error {
	return &parseError{msg: fmt.Sprintf(format, args...), at: -1}
}

func parseErrorAt(at int, format string, args ...any) error {
	return &parseError{msg: fmt.Sprintf(format, args...), at: at}
}

// detail is the message with its place, as alias errors quote it.
func (e *parseError) detail() string {
	if e.at >= 0 {
		return fmt.Sprintf("at %d: %s", e.at, e.msg)
	}
	return e.msg
}

// abort converts to what hg prints.
func (e *parseError) abort() *hgerr.Abort {
	a := &hgerr.Abort{Kind: hgerr.Input, Message: e.msg, Hint: e.hint, Prefix: "hg: parse error: ", Detailed: hgerr.DetailedInput}
	if e.at >= 0 {
		a.Prefix = fmt.Sprintf("hg: parse error at %d: ", e.at)
	}
	return a
}

// pointAt sets the hint of an error with a place: the expression, and below it
// a caret under that place (one to the right, since the hint is printed in
// parentheses).
func pointAt(err error, spec string) error {
	var pe *parseError
	if !errors.As(err, &pe) || pe.at < 0 {
		return err
	}
	spec = strings.ReplaceAll(spec, "\n", " ")
	return &parseError{msg: pe.msg, at: pe.at, hint: spec + "\n" + strings.Repeat(" ", pe.at+1) + "^ here"}
}

// printable converts internal errors to what hg prints.
func printable(err error) error {
	var pe *parseError
	if errors.As(err, &pe) {
		return pe.abort()
	}
	return err
}

// lookupErrorf is Mercurial's RepoLookupError, which present() swallows.
func lookupErrorf(format string, args ...any) error {
	return hgerr.Abortf(hgerr.UnknownRevision, format, args...)
}

func inputErrorf(format string, args ...any) error {
	return hgerr.Abortf(hgerr.Input, format, args...)
}

// isLookupError tells whether err says that a revision is not found (or not
// visible).
func isLookupError(err error) bool {
	var a *hgerr.Abort
	return errors.As(err, &a) && (a.Kind == hgerr.UnknownRevision || a.Kind == hgerr.HiddenRevision)
}

func isAmbiguous(err error) bool {
	var a *hgerr.Abort
	return errors.As(err, &a) && a.Kind == hgerr.AmbiguousRevision
}

// errWdir is what hg says where the working directory has no place.
func errWdir() error {
	return &hgerr.Abort{Kind: hgerr.Input, Message: "working directory revision cannot be specified"}
}

// unknownIdentifier names the identifiers of candidates that resemble name.
func unknownIdentifier(name string, candidates []string) error {
	var similar []string
	for _, c := range candidates {
		if similarity(name, c) > 0.6 {
			similar = append(similar, c)
		}
	}
	e := &parseError{msg: "unknown identifier: " + name, at: -1}
	switch {
	case len(similar) == 1:
		e.hint = "did you mean " + similar[0] + "?"
	case len(similar) > 1:
		sort.Strings(similar)
		e.hint = "did you mean one of " + strings.Join(similar, ", ") + "?"
	}
	return e
}

// similarity is Ratcliff and Obershelp's measure, as Python's difflib
// computes it: twice the characters in common blocks over all characters, with
// blocks found by taking the longest, then looking left and right of it.
func similarity(a, b string) float64 {
	total := len(a) + len(b)
	if total == 0 {
		return 1
	}
	if limit := 2 * float64(min(len(a), len(b))) / float64(total); limit <= 0.6 {
		return limit
	}
	return 2 * float64(commonChars(a, b)) / float64(total)
}

func commonChars(a, b string) int {
	if a == "" || b == "" {
		return 0
	}
	bi, bj, size := 0, 0, 0
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for i := 0; i < len(a); i++ {
		for j := 0; j < len(b); j++ {
			cur[j+1] = 0
			if a[i] == b[j] {
				k := prev[j] + 1
				cur[j+1] = k
				if k > size {
					bi, bj, size = i-k+1, j-k+1, k
				}
			}
		}
		prev, cur = cur, prev
	}
	if size == 0 {
		return 0
	}
	return size + commonChars(a[:bi], b[:bj]) + commonChars(a[bi+size:], b[bj+size:])
}
