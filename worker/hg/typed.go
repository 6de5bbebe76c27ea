// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"path/filepath"

	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/graph"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// The typed questions: what an editor asks without parsing a command's text.
// Strings hold bytes in the repository's own form (paths) or in UTF-8 (users,
// descriptions, names).

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
	Graph     *graph.Placed // only when asked for
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
	Paths  []string // relative to the directory of the request
	Follow bool
	Limit  int
	After  string // cursor: forty digits of the last commit seen
	Files  bool
	Graph  bool // order for drawing: as `hg log -G` has it
}

// FileContent answers hg/cat.
type FileContent struct {
	Path    string
	Content []byte
	Node    string // of the changeset
	Flags   string // "", "x" or "l"
	Binary  bool
}

// ask runs a typed question: it opens the repository that holds r.Dir, hands a
// context for it to fn, and starts again when the store changed meanwhile.
func (e *Engine) ask(ctx context.Context, r *Request, name string, fn func(*command.Context) error) (Result, error) {
	defer e.leave()
	for attempt := 1; ; attempt++ {
		e.trim()
		d := &dispatcher{e: e, ctx: ctx, r: r, out: newOutput(r.Stdout, r.Stderr, &e.held)}
		d.result.Command = name
		err := d.typed(fn)
		if err == nil && d.repo != nil {
			err = d.repo.Err()
		}
		if err == nil {
			d.finish(0)
			return d.result, nil
		}
		if ctx.Err() != nil || attempt == runAttempts || !d.storeMoved(err) {
			return d.result, err
		}
	}
}

func (d *dispatcher) typed(fn func(*command.Context) error) error {
	if err := d.start(); err != nil {
		return err
	}
	root, err := d.enter()
	if err != nil {
		return err
	}
	if root == "" {
		return hgerr.Abortf(hgerr.NotARepository, "no repository found in '%s' (.hg not found)", d.cwd)
	}
	if err := d.loadConfig(root); err != nil {
		return err
	}
	if d.loaded.extension != nil {
		return d.loaded.extension
	}
	if err := d.refuseTyped(); err != nil {
		return err
	}
	d.enc = encoding.UTF8()
	if d.repo, err = d.e.open(root, d.resolved(root), d.dot); err != nil {
		return err
	}
	if err := d.loaded.dormant(d.repo); err != nil {
		return err
	}
	d.result.Repository, d.result.Store = d.repo.Layout.Root, d.repo.Layout.StorePath
	zone, err := d.env.location()
	if err != nil {
		return err
	}
	d.cmd = &command.Context{
		Context: d.ctx,
		Config:  d.cfg, Encoding: d.enc, Cwd: d.cwd, Now: d.r.Now, Local: zone, Getenv: d.env.get,
		Evolve: d.loaded.releases["evolve"], Topic: d.loaded.releases["topic"], RefuseText: d.loaded.refuseText(),
		Version: d.r.Hg.Version, Stdout: &d.out.out, Stderr: &d.out.err, Repo: d.repo, OpenSub: d.openSub, AsksQueue: true,
	}
	return fn(d.cmd)
}

// commit describes a changeset.
func commit(v *repo.View, rev node.Rev, files bool) (Commit, error) {
	c, err := v.Changeset(rev)
	if err != nil {
		return Commit{}, err
	}
	date, err := c.Date()
	if err != nil {
		return Commit{}, err
	}
	branch, _, err := repo.BranchOf(c)
	if err != nil {
		return Commit{}, err
	}
	out := Commit{
		Rev: int(rev), Node: v.Node(rev).Hex(), User: string(c.User()), Time: date.Seconds(), TZ: date.TZ,
		Branch: branch, Desc: string(c.Description()), Phase: v.PhaseOf(rev).String(), Bookmarks: v.BookmarksOf(rev),
		Obsolete: v.Flags(rev)&obsolete.Obsolete != 0,
	}
	p1, p2 := v.Parents(rev)
	for _, p := range [2]node.Rev{p1, p2} {
		if p >= 0 {
			out.Parents = append(out.Parents, v.Node(p).Hex())
		}
	}
	if out.Tags, err = v.TagsOf(rev); err != nil {
		return Commit{}, err
	}
	if files {
		out.Files = c.FileList()
	}
	return out, nil
}

// operations are the files in .hg that tell what is under way, in the order in
// which hg looks at them (`hg help` has them under each command; the list stands
// in Mercurial's state.py).
var operations = []struct{ file, name, next, abort string }{
	{"graftstate", "graft", "hg graft --continue", "hg graft --abort"},
	{"updatestate", "update", "hg update .", ""},
	{"rebasestate", "rebase", "hg rebase --continue", "hg rebase --abort"},
	{"histedit-state", "histedit", "hg histedit --continue", "hg histedit --abort"},
	{"shelvedstate", "unshelve", "hg unshelve --continue", "hg unshelve --abort"},
	{"transplant/journal", "transplant", "hg transplant --continue", "hg transplant --stop"},
	{"evolvestate", "evolve", "hg evolve --continue", "hg evolve --abort"},
	{"bisect.state", "bisect", "", "hg bisect --reset"},
}

// State answers hg/state for the repository that holds r.Dir. As in Run, Args
// holds global options (--config) only.
func (e *Engine) State(ctx context.Context, r *Request) (*State, Result, error) {
	var out *State
	res, err := e.ask(ctx, r, "hg/state", func(c *command.Context) error {
		v, err := c.View()
		if err != nil {
			return err
		}
		out = &State{Root: v.Layout.Root, Branch: v.WdirBranch(), Bookmark: v.ActiveName()}
		p1, p2 := v.WdirParents()
		for _, p := range [2]node.Rev{p1, p2} {
			if p < 0 {
				continue
			}
			cm, err := commit(v, p, false)
			if err != nil {
				return err
			}
			out.Parents = append(out.Parents, cm)
		}
		topic, _, err := store.ReadFile(filepath.Join(v.Layout.Dot, "topic"))
		if err != nil {
			return err
		}
		out.Topic = string(bytes.TrimSpace(topic))
		for _, op := range operations {
			st, err := store.StampOf(filepath.Join(v.Layout.Dot, op.file))
			if err != nil {
				return err
			}
			if st.Exists {
				out.Operation = &Operation{Name: op.name, Continue: op.next, Abort: op.abort}
				break
			}
		}
		if p2 >= 0 && out.Operation == nil {
			out.Operation = &Operation{Name: "merge", Continue: "hg commit", Abort: "hg merge --abort"}
		}
		if m := v.MergeState(); m != nil {
			out.Conflicts = m.Unresolved()
		}
		return nil
	})
	return out, res, err
}

// Log answers hg/log: newest first, or in the revset's own order. next is a
// cursor when the limit cut the answer.
func (e *Engine) Log(ctx context.Context, r *Request, q LogQuery) (commits []Commit, next string, res Result, err error) {
	res, err = e.ask(ctx, r, "hg/log", func(c *command.Context) error {
		commits, next = nil, ""
		v, err := c.View()
		if err != nil {
			return err
		}
		revs, err := c.History(command.HistoryQuery{Revset: q.Revset, Paths: q.Paths, Follow: q.Follow, Graph: q.Graph})
		if err != nil {
			return err
		}
		var drawing *command.Drawing
		if q.Graph {
			drawing = command.NewDrawing(v, revs)
		}
		skipping := q.After != ""
		for rev := range revs.All() {
			var place *graph.Placed
			if drawing != nil && rev != node.WdirRev {
				at := drawing.Place(rev)
				place = &at
			}
			if skipping {
				skipping = v.Node(rev).Hex() != q.After
				continue
			}
			if q.Limit > 0 && len(commits) == q.Limit {
				next = commits[len(commits)-1].Node
				break
			}
			if rev == node.WdirRev {
				return hgerr.NewUnsupported("the working directory in hg/log")
			}
			cm, err := commit(v, rev, q.Files)
			if err != nil {
				return err
			}
			cm.Graph = place
			commits = append(commits, cm)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if skipping {
			return hgerr.Abortf(hgerr.UnknownRevision, "cursor %s is not in the log", q.After)
		}
		return revs.Err()
	})
	return commits, next, res, err
}

// Cat answers hg/cat for one file, path relative to r.Dir or absolute.
func (e *Engine) Cat(ctx context.Context, r *Request, path, rev string) (*FileContent, Result, error) {
	var out *FileContent
	res, err := e.ask(ctx, r, "hg/cat", func(c *command.Context) error {
		v, err := c.View()
		if err != nil {
			return err
		}
		at, err := c.Single(rev, ".")
		if err != nil {
			return err
		}
		if at == node.WdirRev {
			return hgerr.NewUnsupported("hg/cat of the working directory")
		}
		name, err := c.CanonPath(path)
		if err != nil {
			return err
		}
		data, entry, err := c.FileIn(v, at, name)
		if err != nil {
			return err
		}
		out = &FileContent{Path: name, Content: data, Node: v.Node(at).Hex(), Flags: entry.Flag.String(), Binary: bytes.IndexByte(data, 0) >= 0}
		return nil
	})
	return out, res, err
}

// Status answers hg/status.
func (e *Engine) Status(ctx context.Context, r *Request, q StatusQuery) ([]FileStatus, Result, error) {
	var out []FileStatus
	res, err := e.ask(ctx, r, "hg/status", func(c *command.Context) error {
		kinds := q.Kinds
		if kinds == "" {
			kinds = "MAR!?"
		}
		files, err := c.FileStatus(command.StatusQuery{Rev: q.Rev, Rev2: q.Rev2, Change: q.Change, Paths: q.Paths,
			Include: q.Include, Exclude: q.Exclude, Kinds: kinds, Copies: q.Copies})
		out = make([]FileStatus, 0, len(files))
		for _, f := range files {
			out = append(out, FileStatus{Path: f.Path, Status: f.Kind, CopySource: f.CopySource})
		}
		return err
	})
	return out, res, err
}
