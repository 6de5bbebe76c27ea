// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"bytes"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// kindPattern is one pattern after normalization: a path in it is relative to
// the root. source is the file that it came from, or "".
type kindPattern struct{ kind, pat, source string }

// Kind returns the kind that a pattern names ("glob" of "glob:*.c") and what
// follows the colon, or the default kind and the whole pattern. Unknown kinds
// are not kinds: "foo:bar" is a path.
func Kind(pattern, standard string, v7 bool) (kind, rest string) {
	if kind, rest, ok := strings.Cut(pattern, ":"); ok {
		switch kind {
		case "re", "glob", "path", "relglob", "relpath", "relre", "rootglob", "listfile",
			"listfile0", "set", "include", "subinclude", "rootfilesin":
			return kind, rest
		case "filepath":
			if v7 {
				return kind, rest
			}
		}
	}
	return standard, pattern
}

// alwaysMatch reports whether the patterns select everything, as "relpath:." in
// the root does.
func alwaysMatch(kps []kindPattern) bool {
	for _, kp := range kps {
		if kp.pat != "" || kp.kind != "relpath" && kp.kind != "glob" {
			return false
		}
	}
	return true
}

// normalize makes paths canonical and puts the contents of pattern files in
// their place.
func (b *builder) normalize(patterns []string, standard string) ([]kindPattern, error) {
	if b.depth > maxNesting {
		return nil, tooDeep(patterns[0])
	}
	var kps []kindPattern
	for _, pattern := range patterns {
		kind, pat := Kind(pattern, standard, b.v7())
		switch kind {
		case "relpath", "glob":
			p, err := CanonPath(b.Root, b.cwd, pat, b.auditor)
			if err != nil {
				return nil, err
			}
			kps = append(kps, kindPattern{kind, p, ""})
		case "relglob", "path", "filepath", "rootfilesin", "rootglob":
			p := NormPath(pat)
			if strings.HasPrefix(p, "//") {
				return nil, hgerr.NewUnsupported("pattern %s with two slashes at its start", pattern)
			}
			kps = append(kps, kindPattern{kind, p, ""})
		case "listfile", "listfile0":
			more, err := b.listFile(kind, pat, standard)
			if err != nil {
				return nil, err
			}
			kps = append(kps, more...)
		case "include":
			more, err := b.includeFile(pat, standard)
			if err != nil {
				return nil, err
			}
			kps = append(kps, more...)
		case "set":
			return nil, hgerr.NewUnsupported("pattern set:%s", pat)
		default: // re, relre and subinclude cannot be normalized
			kps = append(kps, kindPattern{kind, pat, ""})
		}
	}
	return kps, nil
}

// nested is the builder for the patterns of a pattern file.
func (b *builder) nested() *builder {
	n := *b
	n.depth++
	return &n
}

// listFile reads the patterns of a listfile: or listfile0: pattern.
func (b *builder) listFile(kind, pat, standard string) ([]kindPattern, error) {
	if strings.IndexByte(pat, 0) >= 0 {
		return nil, hgerr.NewUnsupported("pattern file with a NUL in its name")
	}
	text, err := b.readFile(join(b.cwd, pat))
	if err != nil {
		return nil, hgerr.Abortf(hgerr.Other, "unable to read file list (%s)", pat)
	}
	var names []string
	if kind == "listfile0" {
		names = strings.Split(string(text), "\x00")
	} else {
		// Python's bytes.splitlines: \n, \r and \r\n end a line.
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
		names = strings.Split(string(text), "\n")
	}
	var full []string
	for _, name := range names {
		if name != "" {
			full = append(full, name)
		}
	}
	if len(full) == 0 {
		return nil, nil
	}
	kps, err := b.nested().normalize(full, standard)
	for i := range kps {
		kps[i].source = pat
	}
	return kps, err
}
