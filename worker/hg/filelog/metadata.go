// SPDX-License-Identifier: GPL-2.0-or-later

package filelog

import (
	"bytes"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// marker starts and ends the metadata of a text.
var marker = []byte("\x01\n")

// Metadata is what stands before a file's content. The zero Metadata is that of
// a text without any.
type Metadata struct {
	Source     string // "copy": the path that it was copied or renamed from
	SourceNode node.ID
	Copied     bool // both "copy" and "copyrev" are there
	Censored   bool // the content was removed by `hg censor`
}

// Split divides a text into its metadata, without the markers, and the content.
// present is false for a text that has none.
func Split(text []byte) (meta, content []byte, present bool, err error) {
	rest, ok := bytes.CutPrefix(text, marker)
	if !ok {
		return nil, text, false, nil
	}
	meta, content, ok = bytes.Cut(rest, marker)
	if !ok {
		return nil, nil, false, damaged("metadata does not end")
	}
	return meta, content, true, nil
}

// ParseMetadata reads the metadata of a text, and returns the content behind
// it.
func ParseMetadata(text []byte) (m Metadata, content []byte, err error) {
	meta, content, _, err := Split(text)
	if err != nil {
		return Metadata{}, nil, err
	}
	var source, sourceNode []byte
	var hasSource, hasNode bool
	for len(meta) > 0 {
		line := meta
		// Lines end as Python's splitlines has it.
		if i := bytes.IndexAny(meta, "\r\n"); i >= 0 {
			line = meta[:i]
			if meta[i] == '\r' && i+1 < len(meta) && meta[i+1] == '\n' {
				i++
			}
			meta = meta[i+1:]
		} else {
			meta = nil
		}
		key, value, ok := bytes.Cut(line, []byte(": "))
		if !ok {
			return Metadata{}, nil, damaged("metadata line %q has no value", line)
		}
		switch string(key) {
		case "copy":
			source, hasSource = value, true
		case "copyrev":
			sourceNode, hasNode = value, true
		case "censored":
			m.Censored = true
		}
	}
	// Old bugs left one of the two without the other.
	if hasSource && hasNode {
		id, ok := node.FromHex(string(sourceNode))
		if !ok {
			return Metadata{}, nil, damaged("copyrev %q is no node", sourceNode)
		}
		m.Source, m.SourceNode, m.Copied = string(source), id, true
	}
	return m, content, nil
}

func damaged(format string, args ...any) error {
	return hgerr.Damagef("parse", "file metadata", format, args...)
}
