// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"fmt"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/command"
)

// buffer decodes what hg/lineDiff and hg/annotate have in common.
func buffer(uri, rev protocol.Text, content *protocol.Text) (command.Buffer, error) {
	path, err := uri.FilePath()
	if err != nil || path == "" {
		return command.Buffer{}, &paramsError{fmt.Errorf("params: uri %q: %v", string(uri), err)}
	}
	b := command.Buffer{Path: path, Rev: string(rev)}
	if content != nil {
		b.Contents, b.Unsaved = []byte(*content), true
	}
	return b, nil
}

func lineDiff(ctx context.Context, e Engine, r *hg.Request, raw []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.LineDiffParams
	if err := params(raw, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	b, err := buffer(p.URI, p.Rev, p.Content)
	if err != nil {
		return nil, nil, hg.Result{}, err
	}
	d, res, err := e.LineDiff(ctx, r, b)
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.LineDiffResult{Path: protocol.Text(d.Path), Binary: d.Binary, Hunks: make([]protocol.LineHunk, len(d.Hunks))}
	for i, h := range d.Hunks {
		a.Hunks[i] = protocol.LineHunk(h)
	}
	return a, &a.Bound, res, nil
}

func annotate(ctx context.Context, e Engine, r *hg.Request, raw []byte) (any, *protocol.Bound, hg.Result, error) {
	var p protocol.AnnotateParams
	if err := params(raw, &p); err != nil {
		return nil, nil, hg.Result{}, err
	}
	b, err := buffer(p.URI, p.Rev, p.Content)
	if err != nil {
		return nil, nil, hg.Result{}, err
	}
	q := hg.AnnotateQuery{Buffer: b, NoFollow: p.Follow != nil && !*p.Follow, IgnoreWhitespace: p.IgnoreWhitespace}
	if p.Range != nil {
		q.First, q.Last = p.Range.First, p.Range.Last
		if q.First < 0 || q.Last < 0 {
			return nil, nil, hg.Result{}, &paramsError{fmt.Errorf("params: range %d to %d", q.First, q.Last)}
		}
	}
	found, res, err := e.Annotate(ctx, r, q)
	if err != nil {
		return nil, nil, res, err
	}
	a := &protocol.AnnotateResult{Path: protocol.Text(found.Path), Binary: found.Binary, Lines: make([]protocol.AnnotatedLine, len(found.Lines)),
		Commits: commits(found.Commits)}
	for i, l := range found.Lines {
		a.Lines[i] = protocol.AnnotatedLine{Commit: l.Commit, Line: l.Line}
		if l.Path != found.Path {
			a.Lines[i].Path = protocol.Text(l.Path)
		}
	}
	return a, &a.Bound, res, nil
}
