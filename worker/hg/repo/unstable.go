// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/template"
)

// markerBumpedFix is the flag of a marker that repairs a phase-divergent
// changeset (obsolete.bumpedfix).
const markerBumpedFix = 1

// Mutable counts the visible changesets that are not public. It takes time in
// proportion to what pins make visible, or with --hidden and anything to hide to
// the repository's size. It does not warn of markers as a look at one of them does.
func (v *View) Mutable() snapshot.Counts {
	v7 := v.Config.Version().AtLeast(7, 0)
	count := func(c *snapshot.Counts, rev node.Rev) {
		flags, phase := v.snap.Flags(rev), v.snap.Phase(rev)
		if v7 && phase.LocalHidden() {
			flags = 0
		}
		c.Add(phase, flags, 1)
	}
	counts := v.snap.Seen()
	if v.all && v.snap.HiddenCount() > 0 {
		counts = snapshot.Counts{}
		for rev := v.snap.FirstMutable(); int(rev) < v.Len(); rev++ {
			count(&counts, rev)
		}
		return counts
	}
	v.filter()
	for rev := range v.revealed {
		count(&counts, rev)
	}
	return counts
}

// WhyUnstable tells what makes a changeset unstable: the parents of an orphan,
// public predecessors, and those that it diverged from. Where hg's order is that
// of a set of hashes, it is different each time, and Unsupported here.
func (t *Templates) WhyUnstable(ctx template.Changectx) ([]template.Instability, error) {
	kinds := ctx.Instabilities()
	if ctx.Rev() == node.WdirRev && len(kinds) > 0 {
		return nil, unsupportedWdir("instabilities")
	}
	var out []template.Instability
	if slices.Contains(kinds, "orphan") {
		p1, p2 := ctx.Parents()
		for _, p := range [2]node.Rev{p1, p2} {
			if p < 0 {
				continue
			}
			switch flags := t.flags(p); {
			case flags&obsolete.Orphan != 0:
				out = append(out, template.Instability{Kind: "orphan", Reason: "orphan parent", Node: t.Node(p)})
			case flags&obsolete.Obsolete != 0:
				out = append(out, template.Instability{Kind: "orphan", Reason: "obsolete parent", Node: t.Node(p)})
			}
		}
	}
	if slices.Contains(kinds, "phase-divergent") {
		ids, err := t.predecessorsOf(ctx.Node(), markerBumpedFix)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			rev, ok := t.Rev(id)
			if ok && rev >= 0 && !t.Hidden(rev) && t.PhaseOf(rev) == phases.Public {
				out = append(out, template.Instability{Kind: "phase-divergent", Reason: "immutable predecessor", Node: id})
			}
		}
	}
	if slices.Contains(kinds, "content-divergent") {
		more, err := t.divergence(ctx.Node())
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// divergence finds the changesets that a predecessor became beside id.
func (t *Templates) divergence(id node.ID) ([]template.Instability, error) {
	ids, err := t.predecessorsOf(id, 0)
	if err != nil {
		return nil, err
	}
	var out []template.Instability
	for _, pred := range ids {
		if pred == id {
			continue
		}
		sets, err := obsolete.NewestSuccessors(t.snap.Markers(), pred, func(id node.ID) bool { _, ok := t.snap.Rev(id); return ok })
		if err != nil {
			return nil, err
		}
		for _, set := range sets {
			known := func(why template.Instability) bool { return slices.Equal(why.Divergent, set.Nodes) }
			if slices.Contains(set.Nodes, id) || slices.ContainsFunc(out, known) {
				continue
			}
			for _, n := range set.Nodes {
				if !t.seen(n) {
					return nil, hgerr.NewUnsupported("divergence from hidden changesets")
				}
			}
			out = append(out, template.Instability{
				Kind: "content-divergent", Reason: "predecessor", Node: pred, Divergent: append([]node.ID{}, set.Nodes...),
			})
		}
	}
	return out, nil
}

// predecessorsOf follows the markers back from id, which comes first, without
// those that have one of the flags.
func (t *Templates) predecessorsOf(id node.ID, without uint16) ([]node.ID, error) {
	markers := t.snap.Markers()
	met := map[node.ID]bool{id: true}
	var out []node.ID
	var marks []uint32
	for next := []node.ID{id}; len(next) > 0; {
		if len(next) > 1 {
			return nil, hgerr.NewUnsupported("instability with several predecessors, in an order that changes")
		}
		current := next[0]
		out = append(out, current)
		next = next[:0]
		marks = markers.WithSuccessor(marks[:0], current)
		for _, m := range marks {
			if pred := markers.Predecessor(m); markers.Flags(m)&without == 0 && !met[pred] {
				met[pred] = true
				next = append(next, pred)
			}
		}
	}
	return out, nil
}
