// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/template"
)

// Props is what a command knows about a changeset beside the changeset.
type Props struct {
	// Copies are those of `log --copies`, nil without it.
	Copies []template.Copy
	// GraphWidth is the width of the graph left of the changeset, or 0.
	GraphWidth int
	// Graph is set under --graph, where {graphwidth} is bound.
	Graph bool
}

// Differ prints the diffs of `log -p` and the histogram of `log --stat`.
type Differ interface {
	// Stat is what the histogram shows.
	Stat(ctx template.Changectx) ([]patch.FileStat, error)
	ShowDiff(w *bytes.Buffer, ctx template.Changectx, stat bool, graphWidth int) error
}

// Displayer prints changesets. Open comes first, then any number of Shows, then
// Close, after which there may be more Shows, each with its Close, as hg 7's
// outgoing does it: what the first Close left comes again then. Under --graph, Show gets a buffer of its own, and Flush, which comes
// before the graph's lines of that changeset, the real one.
type Displayer interface {
	Open(w *bytes.Buffer) error
	Show(w *bytes.Buffer, ctx template.Changectx, p Props) error
	Flush(w *bytes.Buffer, rev node.Rev)
	Close(w *bytes.Buffer) error
}

// DisplayOptions says how changesets are to be shown.
type DisplayOptions struct {
	// Stat and Patch ask for what Differ prints.
	Stat, Patch bool
	Differ      Differ
	// Graph is set for --graph: headers wait for Flush.
	Graph bool
	// Log is set for `hg log`, which puts a header before the separator of
	// items; the other commands do it the other way round.
	Log bool
}

// NewDisplayer makes the printer that spec (of LookupChangeset) asks for.
func NewDisplayer(cfg *Config, spec Spec, repo template.Repo, o DisplayOptions) (Displayer, error) {
	if (o.Stat || o.Patch) && o.Differ == nil {
		return nil, hgerr.NewUnsupported("diffs of changesets")
	}
	switch {
	case spec.Format():
		return newFieldDisplayer(cfg, spec, repo, o)
	case spec.Empty():
		return newPrinter(cfg, repo, o), nil
	}
	// "debug" is no machine format here: hg looks for a template of that name.
	return newTemplateDisplayer(cfg, spec, repo, o)
}

// showPatch prints what --stat and --patch add to a changeset.
func (o *DisplayOptions) showPatch(w *bytes.Buffer, ctx template.Changectx, graphWidth int) error {
	if o.Stat {
		if err := o.Differ.ShowDiff(w, ctx, true, graphWidth); err != nil {
			return err
		}
		if o.Patch {
			w.WriteByte('\n')
		}
	}
	if o.Patch {
		if err := o.Differ.ShowDiff(w, ctx, false, graphWidth); err != nil {
			return err
		}
	}
	if o.Stat || o.Patch {
		w.WriteByte('\n')
	}
	return nil
}
