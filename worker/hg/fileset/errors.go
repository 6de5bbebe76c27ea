// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"fmt"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/language"
)

// parseErrorf is hg's ParseError.
func parseErrorf(format string, args ...any) *hgerr.Abort {
	a := hgerr.Abortf(hgerr.Input, format, args...)
	a.Prefix, a.Detailed = "hg: parse error: ", hgerr.DetailedInput
	return a
}

// parseErrorAt is a ParseError with a place in the expression, in bytes.
func parseErrorAt(at int, format string, args ...any) *hgerr.Abort {
	a := parseErrorf(format, args...)
	a.Prefix = fmt.Sprintf("hg: parse error at %d: ", at)
	return a
}

// unknownIdentifier is the error about a function that is not in the table.
func unknownIdentifier(name string) error {
	a := parseErrorf("unknown identifier: %s", name)
	var names []string
	for _, p := range Predicates() {
		names = append(names, p.Name)
	}
	a.Hint = language.Suggest(name, names)
	return a
}
