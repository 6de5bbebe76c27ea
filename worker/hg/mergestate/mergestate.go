// SPDX-License-Identifier: GPL-2.0-or-later

// Package mergestate reads what an unfinished merge left in .hg/merge.
//
// Two files may be there (`hg help internals` does not tell; the formats stand at
// the head of Mercurial's mergestate.py):
//
//	state   version 1, text: the local changeset's forty digits, then a line a
//	        file, its fields separated by NUL: name, state ("u" unresolved, "r"
//	        resolved), hash of the local content, names and nodes of the three
//	        sides, flags
//	state2  version 2, records of one byte type, four bytes big-endian length,
//	        payload. "L" and "O" hold the digits of the two changesets, "F", "P",
//	        "D", "C", "R" a file with its fields separated by NUL: name, state, ...
//	        ("pu" and "pr" are path conflicts, "o" is no conflict), "l" the labels,
//	        "m" a merge driver, "f" extra fields of a file. Other types must be
//	        understood, but for lower-case letters, which may be ignored. "t" wraps
//	        a record: its payload begins with the type.
//
// Both are written together, and a Mercurial before 2.9.1 writes only the first:
// version 2 counts when it says all that version 1 says.
package mergestate

import (
	"bytes"
	"encoding/binary"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// File is the state of one file of the merge.
type File struct {
	Path  string
	State string   // "u", "r", "pu", "pr", ...
	Rest  []string // the fields that follow
}

// Unresolved tells whether somebody still has to decide.
func (f File) Unresolved() bool { return f.State == "u" || f.State == "pu" }

// State is a merge under way.
type State struct {
	Local, Other node.ID
	Files        []File

	at map[string]int // where in Files a path is
}

// Unresolved counts the files that are not resolved.
func (s *State) Unresolved() int {
	n := 0
	for _, f := range s.Files {
		if f.Unresolved() {
			n++
		}
	}
	return n
}

// Read reads the state in a directory .hg/merge; nil when no merge is recorded.
func Read(dir string) (*State, error) {
	raw1, stamp1, err := store.ReadFile(dir + "/state")
	if err != nil {
		return nil, err
	}
	raw2, stamp2, err := store.ReadFile(dir + "/state2")
	if err != nil || !stamp1.Exists && !stamp2.Exists {
		return nil, err
	}
	var v1, v2 *State
	if len(raw1) > 0 {
		if v1, err = ParseV1(raw1); err != nil {
			return nil, err
		}
	}
	if len(raw2) > 0 {
		if v2, err = ParseV2(raw2); err != nil {
			return nil, err
		}
	}
	switch {
	case v1 == nil && v2 == nil:
		return &State{}, nil
	case v1 == nil:
		return v2, nil
	case v2 == nil:
		return v1, nil
	case !v2.covers(v1):
		// What else hg takes from there depends on the working directory.
		return nil, hgerr.NewUnsupported("merge state of an older Mercurial beside a newer one's")
	}
	return v2, nil
}

// covers tells whether a state of version 2 has what one of version 1 says, which
// knows neither the last field but one of a file nor any but type "F".
func (s *State) covers(v1 *State) bool {
	if s.Local != v1.Local {
		return false
	}
	for _, f := range v1.Files {
		i, ok := s.at[f.Path]
		if !ok || s.Files[i].State != f.State {
			return false
		}
		rest := s.Files[i].Rest
		if n := len(rest); n >= 2 {
			rest = slices.Delete(slices.Clone(rest), n-2, n-1)
		}
		if !slices.Equal(rest, f.Rest) {
			return false
		}
	}
	return true
}

// noConflict is the state of a file that is recorded for other reasons.
const noConflict = "o"

// add records a file; the last record about it counts.
func (s *State) add(f File) {
	if i, ok := s.at[f.Path]; ok {
		s.Files[i] = f
		return
	}
	if s.at == nil {
		s.at = map[string]int{}
	}
	s.at[f.Path] = len(s.Files)
	s.Files = append(s.Files, f)
}

func parseFile(payload []byte) (File, error) {
	fields := bytes.Split(payload, []byte{0})
	if len(fields) < 2 {
		return File{}, hgerr.Damagef("read", "merge/state", "a file without a state")
	}
	f := File{Path: string(fields[0]), State: string(fields[1])}
	for _, x := range fields[2:] {
		f.Rest = append(f.Rest, string(x))
	}
	return f, nil
}

// ParseV1 reads the text of `state`.
func ParseV1(raw []byte) (*State, error) {
	s := &State{}
	for n := 0; len(raw) > 0; n++ {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		if n == 0 {
			id, ok := node.FromHex(string(line))
			if !ok {
				return nil, hgerr.Damagef("read", "merge/state", "first line is no node")
			}
			s.Local = id
			continue
		}
		f, err := parseFile(line)
		if err != nil {
			return nil, err
		}
		s.add(f)
	}
	return s, nil
}

// ParseV2 reads the bytes of `state2`.
func ParseV2(raw []byte) (*State, error) {
	s := &State{}
	for len(raw) > 0 {
		if len(raw) < 5 {
			return nil, hgerr.Damagef("read", "merge/state2", "cut off inside a record")
		}
		kind, size := raw[0], binary.BigEndian.Uint32(raw[1:])
		if uint64(size) > uint64(len(raw)-5) {
			return nil, hgerr.Damagef("read", "merge/state2", "record of %d bytes, %d are left", size, len(raw)-5)
		}
		payload := raw[5 : 5+size]
		raw = raw[5+size:]
		if kind == 't' && len(payload) > 0 {
			kind, payload = payload[0], payload[1:]
		}
		switch kind {
		case 'L', 'O':
			id, ok := node.FromHex(string(payload))
			if !ok {
				return nil, hgerr.Damagef("read", "merge/state2", "record %c is no node", kind)
			}
			if kind == 'L' {
				s.Local = id
			} else {
				s.Other = id
			}
		case 'F', 'P', 'D', 'C', 'R':
			f, err := parseFile(payload)
			if err != nil {
				return nil, err
			}
			if f.State != noConflict {
				s.add(f)
			}
		default:
			if kind < 'a' || kind > 'z' {
				return nil, hgerr.NewUnsupported("merge state record %q", string(kind))
			}
		}
	}
	return s, nil
}
