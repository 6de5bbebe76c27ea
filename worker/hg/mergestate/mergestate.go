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

// Extra is something recorded about a file beside its state.
type Extra struct{ Key, Value string }

// Source tells which of the two files a state comes from.
type Source int

// What Read may find.
const (
	// Nothing: files without a record.
	Nothing Source = iota
	// Version2 is confirmed by version 1 or stands alone.
	Version2
	// OnlyVersion1 has no version 2 beside it.
	OnlyVersion1
	// NewerVersion1 contradicts a version 2, which does not count then.
	NewerVersion1
)

// State is a merge under way.
type State struct {
	From Source
	// Local and Other are the two changesets. Version 1 does not know the other
	// one: it is the last parent of the working directory then.
	Local, Other node.ID
	Labels       []string // of the two, as far as they have some
	Files        []File
	Extras       map[string][]Extra // by file, which need not be one of Files

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

// record is a line of version 1 or a record of version 2.
type record struct {
	kind    byte
	payload string
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
	v1 := splitV1(raw1)
	v2, err := splitV2(raw2)
	if err != nil {
		return nil, err
	}
	var s *State
	from := Version2
	switch {
	case len(v1) == 0 && len(v2) == 0:
		return &State{}, nil
	case covers(v2, v1):
		s, err = gather(v2)
	default:
		if from = NewerVersion1; len(v2) == 0 {
			from = OnlyVersion1
		}
		s, err = gather(withOtherNode(v1))
	}
	if err != nil {
		return nil, err
	}
	s.From = from
	return s, nil
}

// covers tells whether records of version 2 have what version 1 says, which knows
// neither the last field but one of a file nor any but type "F".
func covers(v2, v1 []record) bool {
	known := make(map[record]bool, len(v2))
	for _, r := range v2 {
		switch r.kind {
		case 'L':
			known[r] = true
		case 'F':
			fields := bytes.Split([]byte(r.payload), []byte{0})
			if n := len(fields); n >= 2 {
				fields = slices.Delete(fields, n-2, n-1)
			}
			known[record{'F', string(bytes.Join(fields, []byte{0}))}] = true
		}
	}
	for _, r := range v1 {
		if !known[r] {
			return false
		}
	}
	return true
}

// withOtherNode adds the field that version 1 does not have, empty, to its files.
func withOtherNode(v1 []record) []record {
	out := slices.Clone(v1)
	for i, r := range out {
		if r.kind == 'F' {
			fields := bytes.Split([]byte(r.payload), []byte{0})
			if n := len(fields); n >= 2 {
				fields = slices.Insert(fields, n-2, nil)
			}
			out[i].payload = string(bytes.Join(fields, []byte{0}))
		}
	}
	return out
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

// splitV1 takes the text of `state` apart.
func splitV1(raw []byte) []record {
	var out []record
	for len(raw) > 0 {
		line, rest, found := bytes.Cut(raw, []byte{'\n'})
		if !found {
			line = line[:len(line)-1] // hg takes the last byte for the end of the line
		}
		raw = rest
		kind := byte('F')
		if out == nil {
			kind = 'L'
		}
		out = append(out, record{kind, string(line)})
	}
	return out
}

// splitV2 takes the bytes of `state2` apart.
func splitV2(raw []byte) ([]record, error) {
	var out []record
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
		out = append(out, record{kind, string(payload)})
	}
	return out, nil
}

// ParseV1 reads the text of `state`.
func ParseV1(raw []byte) (*State, error) { return gather(withOtherNode(splitV1(raw))) }

// ParseV2 reads the bytes of `state2`.
func ParseV2(raw []byte) (*State, error) {
	records, err := splitV2(raw)
	if err != nil {
		return nil, err
	}
	return gather(records)
}

// gather makes a state of records.
func gather(records []record) (*State, error) {
	s := &State{Extras: map[string][]Extra{}}
	for _, r := range records {
		switch r.kind {
		case 'L', 'O':
			id, ok := node.FromHex(r.payload)
			if !ok {
				return nil, hgerr.Damagef("read", "merge/state", "record %c is no node", r.kind)
			}
			if r.kind == 'L' {
				s.Local = id
			} else {
				s.Other = id
			}
		case 'F', 'P', 'D', 'C', 'R':
			f, err := parseFile([]byte(r.payload))
			if err != nil {
				return nil, err
			}
			if f.State == noConflict {
				s.setExtra(f.Path, Extra{"filenode-source", "other"})
			} else {
				s.add(f)
			}
		case 'f':
			if err := s.addExtras(r.payload); err != nil {
				return nil, err
			}
		case 'l':
			s.Labels = nil
			for _, label := range bytes.SplitN([]byte(r.payload), []byte{0}, 3) {
				if len(label) > 0 {
					s.Labels = append(s.Labels, string(label))
				}
			}
		default:
			if r.kind < 'a' || r.kind > 'z' {
				return nil, hgerr.NewUnsupported("merge state record %q", string(r.kind))
			}
		}
	}
	return s, nil
}

// addExtras takes a record of type "f": a file, then keys and values in turn.
func (s *State) addExtras(payload string) error {
	fields := bytes.Split([]byte(payload), []byte{0})
	if len(fields) < 3 || len(fields)%2 == 0 {
		return hgerr.Damagef("read", "merge/state2", "extra fields that are no pairs")
	}
	path := string(fields[0])
	s.Extras[path] = nil
	for i := 1; i < len(fields); i += 2 {
		s.setExtra(path, Extra{string(fields[i]), string(fields[i+1])})
	}
	return nil
}

// setExtra records one field about a file; the last value of a key counts.
func (s *State) setExtra(path string, x Extra) {
	list := s.Extras[path]
	if i := slices.IndexFunc(list, func(o Extra) bool { return o.Key == x.Key }); i >= 0 {
		list[i] = x
		return
	}
	s.Extras[path] = append(list, x)
}
