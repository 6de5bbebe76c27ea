// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/hgerr"
)

// The typed methods: the client's JSON is decoded here, the engine asked, and
// its answer encoded, so that the broker only carries bytes.

// paramsError says that a method's parameters are not what it takes.
type paramsError struct{ err error }

func (e *paramsError) Error() string { return e.err.Error() }
func (e *paramsError) Unwrap() error { return e.err }

// query is one typed method: it decodes its parameters, asks the engine, and
// returns its result, into which bind puts what all answers carry.
type query func(ctx context.Context, e Engine, r *hg.Request, params []byte) (answer any, bound *protocol.Bound, res hg.Result, err error)

var queries = sync.OnceValue(func() map[string]query {
	return map[string]query{
		protocol.MethodState:  state,
		protocol.MethodStatus: status,
		protocol.MethodLog:    log,
		protocol.MethodCat:    cat,

		protocol.MethodLineDiff: lineDiff,
		protocol.MethodAnnotate: annotate,
	}
})

// call answers one typed method.
func (w *worker) call(ctx context.Context, c *channel, call *protocol.Call, start time.Time) outcome {
	env := c.environ(call.Env)
	r := &hg.Request{Dir: call.Dir, Env: env, UID: w.uid, Stdin: nothing{}, Stdout: nothing{}, Stderr: nothing{},
		Now: start, Hg: w.hgs.of(call.RealHg, env, start)}
	for _, item := range call.Config {
		r.Args = append(r.Args, "--config", item)
	}
	var answer any
	var bound *protocol.Bound
	var res hg.Result
	var result []byte
	err := w.native(func() (err error) {
		q := queries()[call.Method]
		if q == nil {
			return hgerr.NewUnsupported("method %s", call.Method)
		}
		if answer, bound, res, err = q(ctx, w.engine, r, call.Params); err != nil {
			return err
		}
		bound.Generation, bound.Served = res.Generation, served(&res).String()
		result, err = protocol.MarshalResult(answer)
		return err
	})
	o := w.outcome(ctx, &res, err, nil, start)
	o.fin.Command = call.Method
	if len(o.fin.Command) > 40 {
		o.fin.Command = "other"
	}
	if bad, ok := err.(*paramsError); ok {
		f := protocol.Failure{Kind: kindParams, Message: bad.Error(), ExitCode: 255}
		o.fin.Failed, o.frame, o.payload = f.Kind, protocol.ChFailed, f.Encode()
	}
	if o.frame == protocol.ChExit && err == nil {
		o.frame, o.payload = protocol.ChResult, result
	}
	return o
}

func params(b []byte, into any) error {
	if len(b) == 0 || string(b) == "null" {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return &paramsError{fmt.Errorf("params: %w", err)}
	}
	return nil
}

func state(ctx context.Context, e Engine, r *hg.Request, b []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.StateParams
	if err := params(b, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	s, res, err := e.State(ctx, r)
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.StateResult{Root: protocol.Text(s.Root), Parents: commits(s.Parents), Branch: protocol.Text(s.Branch),
		Bookmark: protocol.Text(s.Bookmark), Topic: protocol.Text(s.Topic), Conflicts: s.Conflicts}
	if s.Operation != nil {
		a.Operation = &protocol.Operation{Name: s.Operation.Name, Continue: s.Operation.Continue, Abort: s.Operation.Abort}
	}
	return a, &a.Bound, res, nil
}

// statusLetters are those that hg/status may be asked for.
const statusLetters = "MAR!?IC"

func status(ctx context.Context, e Engine, r *hg.Request, b []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.StatusParams
	if err := params(b, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	if i := strings.IndexFunc(p.Kinds, func(c rune) bool { return !strings.ContainsRune(statusLetters, c) }); i >= 0 {
		return nil, nil, hg.Result{}, &paramsError{fmt.Errorf("params: kinds %q: letters are %s", p.Kinds, statusLetters)}
	}
	files, res, err := e.Status(ctx, r, hg.StatusQuery{Rev: string(p.Rev), Rev2: string(p.Rev2), Change: string(p.Change),
		Paths: literal(p.Paths), Include: raw(p.Include), Exclude: raw(p.Exclude), Kinds: p.Kinds, Copies: p.Copies})
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.StatusResult{Files: make([]protocol.FileStatus, len(files))}
	for i, f := range files {
		a.Files[i] = protocol.FileStatus{Path: protocol.Text(f.Path), Status: string(rune(f.Status)), CopySource: protocol.Text(f.CopySource)}
	}
	return a, &a.Bound, res, nil
}

func log(ctx context.Context, e Engine, r *hg.Request, b []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.LogParams
	if err := params(b, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	switch {
	case p.Limit < 0:
		return nil, nil, hg.Result{}, &paramsError{fmt.Errorf("params: limit %d", p.Limit)}
	}
	list, next, res, err := e.Log(ctx, r, hg.LogQuery{Revset: string(p.Revset), Limit: p.Limit, After: p.Cursor,
		Paths: raw(p.Paths), Follow: p.Follow, Graph: p.Graph,
		Files: slices.Contains(p.Fields, "files")})
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.LogResult{Commits: commits(list), Next: next}
	return a, &a.Bound, res, nil
}

func cat(ctx context.Context, e Engine, r *hg.Request, b []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.CatParams
	if err := params(b, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	path, err := p.URI.FilePath()
	if err != nil || path == "" {
		return nil, nil, hg.Result{}, &paramsError{fmt.Errorf("params: uri %q: %v", string(p.URI), err)}
	}
	rev := string(p.Rev)
	if rev == "" {
		rev = "."
	}
	f, res, err := e.Cat(ctx, r, path, rev)
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.CatResult{Path: protocol.Text(f.Path), Content: protocol.Text(f.Content), Size: len(f.Content),
		Node: f.Node, Flags: f.Flags, Binary: f.Binary}
	return a, &a.Bound, res, nil
}

func commits(list []hg.Commit) []protocol.Commit {
	out := make([]protocol.Commit, len(list))
	for i, c := range list {
		out[i] = protocol.Commit{Rev: c.Rev, Node: c.Node, Parents: append([]string{}, c.Parents...), User: protocol.Text(c.User),
			Date: [2]int64{c.Time, int64(c.TZ)}, Branch: protocol.Text(c.Branch), Desc: protocol.Text(c.Desc), Phase: c.Phase,
			Bookmarks: texts(c.Bookmarks), Tags: texts(c.Tags), Obsolete: c.Obsolete}
		if c.Files != nil {
			out[i].Files = texts(c.Files)
		}
		if g := c.Graph; g != nil {
			row := &protocol.GraphRow{Column: g.Column, Columns: g.Columns, Edges: make([]protocol.GraphEdge, len(g.Lines))}
			for k, l := range g.Lines {
				row.Edges[k] = protocol.GraphEdge{From: l.From, To: l.To, Kind: edgeKinds[byte(l.Type)]}
			}
			out[i].Graph = row
		}
	}
	return out
}

// edgeKinds are the names of the engine's kinds of edges.
var edgeKinds = map[byte]string{'P': "parent", 'G': "grandparent", 'M': "missing"}

func texts(list []string) []protocol.Text {
	out := make([]protocol.Text, len(list))
	for i, s := range list {
		out[i] = protocol.Text(s)
	}
	return out
}

// literal are patterns that stand for paths and nothing else.
func literal(list []protocol.Text) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = "relpath:" + string(s)
	}
	return out
}

func raw(list []protocol.Text) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
