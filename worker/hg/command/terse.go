// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/status"
)

// terseLetters are the states that --terse knows, by the lists of a result.
func terseLetters(r *status.Result) map[byte]*[]string {
	return map[byte]*[]string{'m': &r.Modified, 'a': &r.Added, 'r': &r.Removed, 'd': &r.Deleted, 'u': &r.Unknown, 'i': &r.Ignored, 'c': &r.Clean}
}

// terse replaces files by their directory where all in it share one state, if
// that is one of wanted. The result must have all kinds of files, clean ones too.
func terse(r *status.Result, wanted string) (*status.Result, error) {
	for i := range len(wanted) {
		if strings.IndexByte("marduic", wanted[i]) < 0 {
			return nil, inputError("'%s' not recognized", wanted[i:i+1])
		}
	}
	// The states below each directory: a letter, or mixed for several.
	const mixed = 0
	states := map[string]byte{}
	for letter, list := range terseLetters(r) {
		for _, path := range *list {
			for dir := parent(path); dir != ""; dir = parent(dir) {
				if have, ok := states[dir]; !ok {
					states[dir] = letter
				} else if have != letter {
					states[dir] = mixed
				}
			}
		}
	}
	short := &status.Result{}
	into := terseLetters(short)
	for letter, list := range terseLetters(r) {
		out := into[letter]
		for _, path := range *list {
			if strings.IndexByte(wanted, letter) >= 0 {
				for dir := parent(path); dir != ""; dir = parent(dir) {
					if states[dir] == letter {
						path = dir + "/"
					}
				}
			}
			*out = append(*out, path)
		}
		slices.Sort(*out)
		*out = slices.Compact(*out)
	}
	return short, nil
}

// parent is the directory that a path is in; "" for the root.
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }
