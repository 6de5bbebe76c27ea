// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/match"
)

func getSymbol(t *Tree) (string, error) {
	if t != nil && t.Op == "symbol" {
		return t.Value, nil
	}
	return "", parseErrorf("not a symbol")
}

// getString takes a name or a string; what is the error otherwise.
func getString(t *Tree, what string) (string, error) {
	if t.isText() {
		return t.Value, nil
	}
	return "", parseErrorf("%s", what)
}

// getArgs takes an argument list of min to max elements.
func getArgs(t *Tree, min, max int, what string) ([]*Tree, error) {
	list := t.list()
	if len(list) < min || len(list) > max {
		return nil, parseErrorf("%s", what)
	}
	return list, nil
}

// getPattern takes a name, a string or kind:pattern, and returns the pattern in
// one piece.
func getPattern(t *Tree, v config.Version, what string) (string, error) {
	if t == nil || t.Op != "kindpat" {
		return getString(t, what)
	}
	kind, err := getSymbol(t.Args[0])
	if err != nil {
		return "", err
	}
	pat, err := getString(t.Args[1], what)
	if err != nil {
		return "", err
	}
	if known, _ := match.Kind(kind+":", "", v.AtLeast(7, 0)); known == "" {
		return "", parseErrorf("invalid pattern kind: %s", kind)
	}
	return kind + ":" + pat, nil
}
