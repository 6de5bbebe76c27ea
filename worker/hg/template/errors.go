// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// parseError is what hg calls a ParseError: the author of the template got
// something wrong, in its syntax or in what a value can do. hg prints "hg: parse
// error: msg", or "hg: parse error at loc: msg", and the hint in parentheses.
type parseError struct {
	msg, hint string
	loc       int // -1 when unknown
}

func (e *parseError) Error() string { return e.msg }

func parseErrorf(format string, args ...any) error {
	return &parseError{msg: fmt.Sprintf(format, args...), loc: -1}
}

func parseErrorAt(loc int, format string, args ...any) error {
	return &parseError{msg: fmt.Sprintf(format, args...), loc: loc}
}

// withHint gives a parse error another hint and forgets its place, as hg does
// when it raises a new error from an old one. Other errors pass unchanged.
func withHint(err error, format string, args ...any) error {
	var pe *parseError
	if !errors.As(err, &pe) {
		return err
	}
	return &parseError{msg: pe.msg, hint: fmt.Sprintf(format, args...), loc: -1}
}

func isParseError(err error) bool {
	var pe *parseError
	return errors.As(err, &pe)
}

// pointAt adds the line under the template text that points at the place of a
// parse error. Line ends are shown as \n, so each before the place moves the
// caret by one.
func pointAt(err error, text string) error {
	var pe *parseError
	if !errors.As(err, &pe) || pe.loc < 0 {
		return err
	}
	before := text[:min(pe.loc, len(text))]
	column := pe.loc + 1 + strings.Count(before, "\n")
	hint := strings.ReplaceAll(text, "\n", `\n`) + "\n" + strings.Repeat(" ", column) + "^ here"
	return &parseError{msg: pe.msg, hint: hint, loc: pe.loc}
}

// unavailable is raised where a resource (a repository, a changeset, a file) is
// needed and the item has none. A keyword that meets it is empty.
type unavailable struct{ resource string }

func (e *unavailable) Error() string { return "template resource not available: " + e.resource }

// abort turns an error into what the caller prints. Errors of the repository
// pass unchanged.
func abort(err error) error {
	if err == nil {
		return nil
	}
	var pe *parseError
	if errors.As(err, &pe) {
		a := &hgerr.Abort{
			Kind: hgerr.Input, Message: pe.msg, Hint: pe.hint,
			Prefix: "hg: parse error: ", Detailed: hgerr.DetailedInput,
		}
		if pe.loc >= 0 {
			a.Prefix = "hg: parse error at " + strconv.Itoa(pe.loc) + ": "
		}
		return a
	}
	var ue *unavailable
	if errors.As(err, &ue) {
		return hgerr.Abortf(hgerr.Other, "%s", ue.Error())
	}
	return err
}
