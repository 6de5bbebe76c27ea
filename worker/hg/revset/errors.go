// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"errors"
	"fmt"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/language"
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

// unknownIdentifier is the error about a name that is none of candidates.
func unknownIdentifier(name string, candidates []string) error {
	return &parseError{msg: "unknown identifier: " + name, hint: language.Suggest(name, candidates), at: -1}
}
