// SPDX-License-Identifier: GPL-2.0-or-later

package language

import (
	"sort"
	"strings"
)

// resemblance is how similar a name must be for hg to suggest it.
const resemblance = 0.6

// Suggest is hg's hint about a name that it does not know: those of candidates
// that resemble it, or "" without any.
func Suggest(name string, candidates []string) string {
	var similar []string
	for _, c := range candidates {
		if similarity(name, c) > resemblance {
			similar = append(similar, c)
		}
	}
	switch len(similar) {
	case 0:
		return ""
	case 1:
		return "did you mean " + similar[0] + "?"
	}
	sort.Strings(similar)
	return "did you mean one of " + strings.Join(similar, ", ") + "?"
}

// similarity is Ratcliff and Obershelp's measure, as Python's difflib
// computes it: twice the characters in common blocks over all characters, with
// blocks found by taking the longest, then looking left and right of it.
func similarity(a, b string) float64 {
	total := len(a) + len(b)
	if total == 0 {
		return 1
	}
	if limit := 2 * float64(min(len(a), len(b))) / float64(total); limit <= resemblance {
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
