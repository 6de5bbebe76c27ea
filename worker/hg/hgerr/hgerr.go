// SPDX-License-Identifier: GPL-2.0-or-later

// Package hgerr holds the errors that the engine returns, so that every layer
// above can tell by type what happened and what hg's user would see.
//
// There are two families:
//
//   - Unsupported: the engine does not implement this exactly. Nothing was
//     printed; the caller runs the real hg instead.
//   - Abort: what real hg ends a command with. It knows hg's own wording, hint
//     and exit codes, and a Kind that clients can match without reading English.
//
// Anything else that comes out of the engine (an I/O error, a damaged file) is
// turned into an Abort in one place, the command dispatcher.
package hgerr

import (
	"errors"
	"fmt"
)

// Kind classifies an Abort for clients. The names go over the wire.
type Kind string

// The kinds of Abort.
const (
	NotARepository         Kind = "NotARepository"
	UnknownRevision        Kind = "UnknownRevision"
	AmbiguousRevision      Kind = "AmbiguousRevision"
	HiddenRevision         Kind = "HiddenRevision"
	FileNotInRevision      Kind = "FileNotInRevision"
	UnsupportedRequirement Kind = "UnsupportedRequirement"
	Input                  Kind = "Input"
	Config                 Kind = "Config"
	Corrupt                Kind = "Corrupt"
	IO                     Kind = "IO"
	Other                  Kind = "Other"
)

// Unsupported says that the engine leaves this to the real hg.
type Unsupported struct {
	// What names the thing, as a user would look for it: "log --template",
	// "requirement treemanifest", "extension mq".
	What string
	// Err is the cause when the engine could have answered but for a damaged
	// file or a failed system call, about which hg has its own words.
	Err error
}

func (e *Unsupported) Error() string { return "not native: " + e.What }

// Unwrap returns the cause.
func (e *Unsupported) Unwrap() error { return e.Err }

// NewUnsupported formats an Unsupported.
func NewUnsupported(format string, args ...any) error {
	return &Unsupported{What: fmt.Sprintf(format, args...)}
}

// IsUnsupported reports whether err is, or wraps, an Unsupported.
func IsUnsupported(err error) bool {
	var u *Unsupported
	return errors.As(err, &u)
}

// Abort is the end of a command as hg's user sees it: "abort: Message" on
// stderr, "(Hint)" below it, and an exit code.
type Abort struct {
	Kind    Kind
	Message string // bytes as printed after "abort: ", without a newline
	Hint    string // printed in parentheses on a line of its own when not empty
	// Prefix replaces "abort: " when not empty ("hg: parse error: " and its like).
	Prefix string
	// Code is the exit code; 0 means the usual 255.
	Code int
	// Detailed is the exit code under ui.detailed-exit-code=yes; 0 means Code.
	Detailed int
	// Err is the cause, for logs.
	Err error
}

func (e *Abort) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Abort) Unwrap() error { return e.Err }

// Detailed exit codes of Mercurial (`hg help scripting`, "ui.detailed-exit-code").
const (
	DetailedInput    = 10
	DetailedState    = 20
	DetailedConfig   = 30
	DetailedHook     = 40
	DetailedStorage  = 50
	DetailedRemote   = 100
	DetailedSecurity = 150
	DetailedCanceled = 250
)

// Abortf formats an Abort of the given kind without a hint.
func Abortf(kind Kind, format string, args ...any) *Abort {
	a := &Abort{Kind: kind, Message: fmt.Sprintf(format, args...)}
	switch kind {
	case Input, UnknownRevision, AmbiguousRevision, HiddenRevision, FileNotInRevision:
		a.Detailed = DetailedInput
	case Config:
		a.Detailed = DetailedConfig
	case Corrupt:
		a.Detailed = DetailedStorage
	}
	return a
}

// WithHint sets the hint and returns the same Abort.
func (e *Abort) WithHint(format string, args ...any) *Abort {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Damage says that a file of the repository cannot be understood. Operation,
// thing and cause, as in "read 00changelog.i: entry 17: length past end of file".
type Damage struct {
	Op    string // what was being done: "read", "decode"
	Path  string // the file, relative to its store or .hg
	Cause string
	// Changed is set when the file was seen to change while it was read: the
	// command may simply be run again.
	Changed bool
}

func (e *Damage) Error() string { return e.Op + " " + e.Path + ": " + e.Cause }

// Damagef formats a Damage.
func Damagef(op, path, format string, args ...any) error {
	return &Damage{Op: op, Path: path, Cause: fmt.Sprintf(format, args...)}
}
