// SPDX-License-Identifier: GPL-2.0-or-later

package mq

import (
	"bytes"
	"strings"
)

// white is what Python's bytes.strip removes.
const white = " \t\n\r\v\f"

// A patch may begin with a message in three forms: Mercurial's own ("# HG changeset
// patch", then "# " lines of data, then the message), that of a mail ("Subject:"
// and "From:" lines up to an empty one), or none, which is all message. It ends
// where the diff begins.
type form int

const (
	free form = iota
	exported
	mail
	mailDone
)

// Message returns the lines of the message at the beginning of a patch, without
// what of it is data about the changeset.
func Message(text []byte) []string {
	var message []string
	state, subject := free, ""
	afterMinus := false // the line before began with "--- "
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), white)
		if strings.HasPrefix(s, "diff --git") || afterMinus && strings.HasPrefix(s, "+++ ") {
			break
		}
		if afterMinus = strings.HasPrefix(s, "--- "); afterMinus {
			continue
		}
		begins := func(name string) bool {
			return state != mailDone && (strings.HasPrefix(s, name) || strings.HasPrefix(s, strings.ToLower(name)))
		}
		switch {
		case state == exported:
			if s != "" && !strings.HasPrefix(s, "# ") {
				message = append(message, s)
				state = free
			}
		case s == "# HG changeset patch":
			message, state = nil, exported
		case begins("Subject: "):
			subject, state = s[len("Subject: "):], mail
		case begins("From: "), begins("Date: "):
			state = mail
		case state == mail && s == "":
			state = mailDone
		case len(message) > 0 || s != "":
			message = append(message, s)
		}
	}
	for len(message) > 0 && startsDiff(message[len(message)-1]) {
		message = message[:len(message)-1]
	}
	for len(message) > 0 && strings.Trim(message[len(message)-1], white) == "" {
		message = message[:len(message)-1]
	}
	if (state == mail || state == mailDone) && subject != "" {
		message = append([]string{subject}, message...)
	}
	return message
}

// startsDiff tells whether a line is one that stands in front of a diff.
func startsDiff(line string) bool {
	return strings.HasPrefix(line, "diff -") || strings.HasPrefix(line, "Index:") || strings.HasPrefix(line, "===========")
}

// IsGit tells whether a patch is in git's format.
func IsGit(text []byte) bool {
	return bytes.HasPrefix(text, []byte("diff --git")) || bytes.Contains(text, []byte("\ndiff --git"))
}
