// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"context"

	"hgbroker/worker/hg/hgerr"
)

// The typed questions: what an editor asks without parsing a command's text.
// Strings hold bytes in the repository's own form (paths) or in UTF-8 (users,
// descriptions).

// Commit describes one changeset.
type Commit struct {
	Rev       int
	Node      string // forty digits
	Parents   []string
	User      string
	Time      int64 // seconds since 1970
	TZ        int   // offset in seconds, west of Greenwich positive
	Branch    string
	Desc      string
	Phase     string // "public", "draft", "secret"
	Bookmarks []string
	Tags      []string
	Files     []string // only when asked for
	Obsolete  bool
}

// Operation is something under way in a working directory.
type Operation struct {
	Name     string // "merge", "rebase", "graft", "histedit", "unshelve", "bisect", ...
	Continue string // hg command line that goes on, "" when there is none
	Abort    string
}

// State answers hg/state.
type State struct {
	Root      string
	Parents   []Commit
	Branch    string // of the working directory
	Bookmark  string // active one
	Topic     string
	Operation *Operation
	Conflicts int
}

// FileStatus is one line of hg/status.
type FileStatus struct {
	Path       string
	Status     byte // M A R ! ? I C
	CopySource string
}

// StatusQuery are hg/status's parameters.
type StatusQuery struct {
	Rev, Rev2, Change       string
	Paths, Include, Exclude []string
	Kinds                   string // letters of FileStatus.Status; "" means "MAR!?"
	Copies                  bool
}

// LogQuery are hg/log's parameters.
type LogQuery struct {
	Revset string
	Limit  int
	After  string // cursor: forty digits of the last commit seen
	Files  bool
}

// FileContent answers hg/cat.
type FileContent struct {
	Path    string
	Content []byte
	Node    string // of the changeset
	Flags   string // "", "x" or "l"
	Binary  bool
}

// State answers hg/state for the repository that holds r.Dir. As in Run, Args
// holds global options (--config) only.
func (e *Engine) State(ctx context.Context, r *Request) (*State, Result, error) {
	return nil, Result{}, hgerr.NewUnsupported("everything")
}

// Status answers hg/status.
func (e *Engine) Status(ctx context.Context, r *Request, q StatusQuery) ([]FileStatus, Result, error) {
	return nil, Result{}, hgerr.NewUnsupported("everything")
}

// Log answers hg/log: newest first as `hg log` would order the revset. next is
// a cursor when the limit cut the answer.
func (e *Engine) Log(ctx context.Context, r *Request, q LogQuery) (commits []Commit, next string, res Result, err error) {
	return nil, "", Result{}, hgerr.NewUnsupported("everything")
}

// Cat answers hg/cat for one file, path relative to r.Dir or absolute.
func (e *Engine) Cat(ctx context.Context, r *Request, path, rev string) (*FileContent, Result, error) {
	return nil, Result{}, hgerr.NewUnsupported("everything")
}
