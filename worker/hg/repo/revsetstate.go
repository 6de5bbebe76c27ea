// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/revset"
)

// What the revset language asks about the checkout's unfinished operations, about
// files that are named, and about rewritten changesets.

var (
	_ revset.WorkState  = Revsets{}
	_ revset.Rewrites   = Revsets{}
	_ revset.FileReader = Revsets{}
	_ revset.FileTexts  = Revsets{}
)

// Bisection reads .hg/bisect.state: a line for each changeset that is marked,
// "good", "bad", "skip" or "current", a space, forty digits. Without the file
// nothing is marked.
func (v Revsets) Bisection() (map[string][]node.Rev, error) {
	raw, err := text(v.Layout.Dot + "/bisect.state")
	if err != nil {
		return nil, fmt.Errorf("read bisect.state: %w", err)
	}
	return parseBisection(raw, v.snap.Rev)
}

func parseBisection(raw []byte, find func(node.ID) (node.Rev, bool)) (map[string][]node.Rev, error) {
	marked := map[string][]node.Rev{}
	for line := range bytes.Lines(raw) {
		mark, digits, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		id, isHex := node.FromHex(digits)
		if !ok || !isHex || !strings.HasSuffix(string(line), "\n") {
			return nil, hgerr.NewUnsupported("state of a bisection with the line %q", line)
		}
		rev, known := find(id)
		if !known {
			return nil, hgerr.NewUnsupported("state of a bisection with an unknown changeset")
		}
		if !slices.Contains([]string{"good", "bad", "skip", "current"}, mark) {
			return nil, hgerr.Abortf(hgerr.Other, "unknown bisect kind %s", mark)
		}
		marked[mark] = append(marked[mark], rev)
	}
	return marked, nil
}

// Merging returns the sides of the recorded merge.
func (v Revsets) Merging() (local, other node.ID, ok bool) {
	if m := v.merge; m != nil && !m.Local.IsNull() {
		return m.Local, m.Other, true
	}
	return local, other, false
}

// IsObsolete tells whether a changeset has a newer version.
func (v Revsets) IsObsolete(rev node.Rev) bool { return v.flags(rev)&obsolete.Obsolete != 0 }

// Newest is what a changeset was rewritten as in the end.
func (v Revsets) Newest(rev node.Rev) ([]node.Rev, error) {
	sets, err := obsolete.NewestSuccessors(v.snap.Markers(), v.Node(rev), v.seen)
	var out []node.Rev
	for _, s := range sets {
		for _, id := range s.Nodes {
			if r, ok := v.snap.Rev(id); ok {
				out = append(out, r)
			}
		}
	}
	return out, err
}

// ReadListed reads a file relative to the command's directory.
func (v Revsets) ReadListed(path string, limit int64) ([]byte, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	if strings.ContainsRune(path, 0) {
		return nil, hgerr.NewUnsupported("file with a NUL in its name")
	}
	if !filepath.IsAbs(path) {
		path = strings.TrimSuffix(v.Cwd, "/") + "/" + path
	}
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() && !fi.IsDir() {
		return nil, hgerr.NewUnsupported("list in %s, which is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, hgerr.NewUnsupported("list in %s, which is longer than %d bytes", path, limit)
	}
	return data, err
}

// ExternalData is an item of [extdata].
func (v Revsets) ExternalData(source string) string {
	return v.Config.GetOr("extdata", source, "")
}

// ToLocal converts to the local encoding.
func (v Revsets) ToLocal(text string) string { return v.local(text) }

// Substate is what a changeset, or the working directory, says of each of its
// subrepositories; what is compared is opaque.
func (v Revsets) Substate(rev node.Rev) (map[string]string, error) {
	list, err := v.Subrepos(rev)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(list))
	for _, s := range list {
		out[s.Path] = s.Kind + "\x00" + s.Source + "\x00" + s.Rev
	}
	return out, nil
}

// FileText is the content of a file in a changeset.
func (v Revsets) FileText(rev node.Rev, path string) (data []byte, ok bool, err error) {
	id, err := v.FileNode(rev, path)
	if err != nil || id.IsNull() {
		return nil, false, err
	}
	f, err := v.Filelog(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	flrev, err := f.FindRev(id)
	if err != nil {
		return nil, false, err
	}
	if f.Censored(flrev) {
		return nil, false, hgerr.NewUnsupported("content of a censored file in a revset")
	}
	data, err = f.Data(flrev)
	return data, err == nil, err
}
