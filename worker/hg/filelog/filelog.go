// SPDX-License-Identifier: GPL-2.0-or-later

// Package filelog reads the history of one tracked file: its contents, and what
// it was copied from.
//
// It knows one file and no changeset: that copies are followed from file to
// file is up to the caller. Contents are bytes as committed; no filter runs.
//
// # Format
//
// A text is the file's content. When the revision was copied or renamed, or was
// censored, or when the content itself starts with the two bytes 01 0a, it is
// preceded by metadata (mercurial/filelog.py, utils/storageutil.py):
//
//	01 0a
//	KEY ": " VALUE "\n"      "copy", "copyrev", "censored", ...
//	01 0a
//
// Worked example, copied from a:
//
//	\1\ncopy: a\ncopyrev: b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3\n\1\ncontent\n
package filelog

import (
	"bytes"
	"sort"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// File is the history of one tracked file. It is not safe for concurrent use.
type File struct {
	*revlog.Revlog
	path    string
	onClose func(*File) error
}

// Open opens the history of a path. A path that was never tracked has no
// revisions. The caller closes it.
func Open(s *store.Store, path string) (*File, error) {
	r, err := revlog.Open(s.Filelog(path))
	if err != nil {
		return nil, err
	}
	return &File{Revlog: r, path: path}, nil
}

// OpenPart is Open for a caller who wants few revisions: of a long index those
// parts are read that hold what is asked for.
func OpenPart(s *store.Store, path string) (*File, error) {
	r, err := revlog.OpenPaged(s.Filelog(path))
	if err != nil {
		return nil, err
	}
	return &File{Revlog: r, path: path}, nil
}

// OnClose has Close call f instead, which becomes the owner of the open file. It
// may have Close called again, by Discard.
func (f *File) OnClose(then func(*File) error) { f.onClose = then }

// Close closes the file, or hands it to who wants to keep it.
func (f *File) Close() error {
	if f.onClose != nil {
		return f.onClose(f)
	}
	return f.Revlog.Close()
}

// Discard closes a file for good.
func (f *File) Discard() {
	f.onClose = nil
	f.Revlog.Close()
}

// FindNear is FindRev for a revision as it stands in a changeset. The changesets
// that brought a file's revisions come in order, as a rule, so it is next to
// where that changeset would be; but it is found wherever it is.
func (f *File) FindNear(id node.ID, clrev node.Rev) (node.Rev, error) {
	hint := node.Rev(f.Len() - 1)
	if clrev >= 0 && hint >= 0 && f.LinkRev(hint) > clrev {
		hint = node.Rev(sort.Search(f.Len(), func(i int) bool { return f.LinkRev(node.Rev(i)) > clrev })) - 1
	}
	if rev, ok := f.RevNear(id, hint); ok {
		return rev, nil
	}
	return f.FindRev(id)
}

// Path returns the tracked file's path.
func (f *File) Path() string { return f.path }

// Data returns the content of a revision, without metadata. Do not modify it.
// A censored revision is a *revlog.CensoredError.
func (f *File) Data(flrev node.Rev) ([]byte, error) {
	text, err := f.Text(flrev)
	if err != nil {
		return nil, err
	}
	_, content, _, err := Split(text)
	return content, err
}

// Renamed returns what a revision was copied or renamed from. As in hg, a
// revision with a first parent in this filelog is no copy, whatever its text
// says.
func (f *File) Renamed(flrev node.Rev) (src string, srcNode node.ID, ok bool, err error) {
	if p1, _ := f.Parents(flrev); p1 != node.NullRev || flrev == node.NullRev {
		return "", node.Null, false, nil
	}
	if f.FilelogMeta() && f.Flags(flrev)&revlog.FlagHasMeta == 0 {
		return "", node.Null, false, nil
	}
	text, err := f.Text(flrev)
	if err != nil {
		return "", node.Null, false, err
	}
	m, _, err := ParseMetadata(text)
	if err != nil || !m.Copied {
		return "", node.Null, false, err
	}
	return m.Source, m.SourceNode, true, nil
}

// HasMeta reports whether a revision's text begins with metadata, as hg since 7.0
// knows it: by a flag where the filelog has that, else it does not look at the
// texts of revisions with a first parent.
func (f *File) HasMeta(flrev node.Rev) (bool, error) {
	if f.FilelogMeta() {
		return f.Flags(flrev)&revlog.FlagHasMeta != 0, nil
	}
	if p1, _ := f.Parents(flrev); p1 != node.NullRev {
		return false, nil
	}
	text, err := f.Text(flrev)
	return bytes.HasPrefix(text, marker), err
}

// Censored reports whether a revision's content was censored.
func (f *File) Censored(flrev node.Rev) bool { return f.Flags(flrev)&revlog.FlagCensored != 0 }

// Size returns the size of a revision's content in bytes as hg counts it: that
// of a content that is escaped, because it starts like metadata, is four more
// than its length.
func (f *File) Size(flrev node.Rev) (int64, error) {
	if f.Censored(flrev) {
		return 0, nil
	}
	_, _, copied, err := f.Renamed(flrev)
	if err != nil {
		return 0, err
	}
	if copied {
		data, err := f.Data(flrev)
		return int64(len(data)), err
	}
	return f.Revlog.Size(flrev)
}

// Same reports whether data is the content of a revision. Unless the revision
// is a copy, only data is read, not the revision.
func (f *File) Same(flrev node.Rev, data []byte) (bool, error) {
	p1, p2 := f.Parents(flrev)
	stored := data
	if bytes.HasPrefix(data, marker) {
		stored = append([]byte("\x01\n\x01\n"), data...)
	}
	if revlog.HashText(f.Node(p1), f.Node(p2), stored) == f.Node(flrev) {
		return true, nil
	}
	if f.Censored(flrev) {
		return len(data) == 0, nil
	}
	_, _, copied, err := f.Renamed(flrev)
	if err != nil || !copied {
		return false, err
	}
	content, err := f.Data(flrev)
	return err == nil && bytes.Equal(content, data), err
}
