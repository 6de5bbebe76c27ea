// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"context"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// AnnotateQuery are hg/annotate's parameters.
type AnnotateQuery struct {
	command.Buffer
	NoFollow         bool
	IgnoreWhitespace bool
	First, Last      int // lines that are wanted, from 1; 0 means from the start, to the end
}

// AnnotatedLine is one line of hg/annotate.
type AnnotatedLine struct {
	Commit int // counts in Annotation.Commits; -1: not committed
	Line   int // its number there, from 1
	Path   string
}

// Annotation answers hg/annotate.
type Annotation struct {
	Path    string
	Binary  bool
	Lines   []AnnotatedLine
	Commits []Commit
}

// LineDiff answers hg/lineDiff.
func (e *Engine) LineDiff(ctx context.Context, r *Request, b command.Buffer) (*command.LineDiff, Result, error) {
	var out *command.LineDiff
	res, err := e.ask(ctx, r, "hg/lineDiff", func(c *command.Context) (err error) {
		out, err = c.LineDiff(b)
		return err
	})
	return out, res, err
}

// Annotate answers hg/annotate.
func (e *Engine) Annotate(ctx context.Context, r *Request, q AnnotateQuery) (*Annotation, Result, error) {
	var out *Annotation
	res, err := e.ask(ctx, r, "hg/annotate", func(c *command.Context) error {
		found, path, err := c.AnnotateBuffer(q.Buffer, q.NoFollow, bdiff.Options{IgnoreAllSpace: q.IgnoreWhitespace})
		if err != nil {
			return err
		}
		v, err := c.View()
		if err != nil {
			return err
		}
		out = &Annotation{Path: path, Binary: found.Binary}
		lines := found.Lines
		if q.First > 0 {
			lines = lines[min(q.First-1, len(lines)):]
		}
		if q.Last > 0 {
			lines = lines[:min(max(0, q.Last-max(q.First-1, 0)), len(lines))]
		}
		index := map[node.Rev]int{node.WdirRev: -1}
		for _, l := range lines {
			o := found.Origins[l.Origin]
			if o.Rev != node.WdirRev && o.Rev < 0 {
				return hgerr.NewUnsupported("a line of revision %d", o.Rev)
			}
			at, known := index[o.Rev]
			if !known {
				cm, err := commit(v, o.Rev, false)
				if err != nil {
					return err
				}
				at = len(out.Commits)
				index[o.Rev] = at
				out.Commits = append(out.Commits, cm)
			}
			out.Lines = append(out.Lines, AnnotatedLine{Commit: at, Line: int(l.Number), Path: o.Path})
		}
		return nil
	})
	return out, res, err
}
