// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	diffContext = 3  // equal lines printed around the first difference
	diffLines   = 12 // lines printed of each side from there
)

// diff writes where got and want part: the equal lines just before, then a few
// lines of each side, quoted where a plain print would hide the difference.
func diff(b *strings.Builder, what string, got, want []byte) {
	if bytes.Equal(got, want) {
		return
	}
	g, w := lines(got), lines(want)
	n := 0
	for n < len(g) && n < len(w) && g[n] == w[n] {
		n++
	}
	fmt.Fprintf(b, "%s differs at line %d of %d and %d:\n", what, n+1, len(g), len(w))
	for _, l := range g[max(0, n-diffContext):n] {
		fmt.Fprintf(b, "    %s\n", show(l))
	}
	side(b, "-", g[n:])
	side(b, "+", w[n:])
}

func side(b *strings.Builder, sign string, rest []string) {
	for i, l := range rest {
		if i == diffLines {
			fmt.Fprintf(b, "  %s ... %d more lines\n", sign, len(rest)-i)
			return
		}
		fmt.Fprintf(b, "  %s %s\n", sign, show(l))
	}
}

// lines splits after newlines; a last line without one is told apart by show.
func lines(data []byte) []string {
	l := strings.SplitAfter(string(data), "\n")
	if l[len(l)-1] == "" {
		l = l[:len(l)-1]
	}
	return l
}

// show prints a line of plain printable ASCII as it is, any other quoted.
func show(l string) string {
	body, ended := strings.CutSuffix(l, "\n")
	for i := range len(body) {
		if body[i] < ' ' || body[i] > '~' {
			return fmt.Sprintf("%q", l)
		}
	}
	if !ended || strings.HasSuffix(body, " ") {
		return fmt.Sprintf("%q", l)
	}
	return body
}
