// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// line is a graph of draft changesets, each the child of the one before but
// for those in roots.
type line struct {
	ids   []node.ID
	byID  map[node.ID]node.Rev
	roots bool // nobody has a parent
}

func newLine(roots bool, ids ...node.ID) *line {
	g := &line{ids: ids, byID: map[node.ID]node.Rev{}, roots: roots}
	for i, id := range ids {
		g.byID[id] = node.Rev(i)
	}
	return g
}

// graphOf is a line of all nodes that markers speak of.
func graphOf(s *Store) *line {
	seen := map[node.ID]bool{}
	var ids []node.ID
	for i := range uint32(min(s.Len(), 64)) {
		for _, id := range append(s.Successors(nil, i), s.Predecessor(i)) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return newLine(false, ids...)
}

func (g *line) Len() int                           { return len(g.ids) }
func (g *line) Node(r node.Rev) node.ID            { return g.ids[r] }
func (g *line) Rev(id node.ID) (node.Rev, bool)    { r, ok := g.byID[id]; return r, ok }
func (g *line) Phase(node.Rev) phases.Phase        { return phases.Draft }
func (g *line) Parents(r node.Rev) (p, q node.Rev) { return g.parent(r), node.NullRev }
func (g *line) parent(r node.Rev) node.Rev {
	if g.roots {
		return node.NullRev
	}
	return r - 1
}

// within fails when fn takes longer than any machine needs for what is not a
// hang.
func within(t *testing.T, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("%s does not end", what)
	}
}

// A changeset that was amended a hundred thousand times.
func TestLongChain(t *testing.T) {
	const n = 100_000
	raw := []byte{1}
	for i := range n {
		raw = appendV1(raw, 0, id(i), id(i+1))
	}
	s := mustParse(t, raw)
	g := newLine(true, id(0), id(n/2), id(n))
	within(t, "a long chain", func() {
		flags, err := Compute(g, s, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for i, want := range []Flag{Obsolete | Hidden, Obsolete | Hidden, 0} {
			if flags[i] != want {
				t.Errorf("changeset %d has flags %#x, not %#x", i, flags[i], want)
			}
		}
		sets, err := NewestSuccessors(s, id(0), func(id node.ID) bool { _, ok := g.Rev(id); return ok })
		if err != nil || len(sets) != 1 || len(sets[0].Nodes) != 1 || sets[0].Nodes[0] != id(n) {
			t.Errorf("newest successors: %v, %v", sets, err)
		}
		sets, err = Fate(s, id(0), func(have node.ID) bool { return have == id(n) })
		if err != nil || len(sets) != 1 || len(sets[0].Nodes) != 1 || len(sets[0].Markers) != n {
			t.Errorf("fate: %d sets, %v", len(sets), err)
		}
		if got := ClosestPredecessors(s, id(n), func(have node.ID) bool { return have == id(0) }); len(got) != 1 || got[0] != id(0) {
			t.Errorf("closest predecessors: %v", got)
		}
		if got := AllSuccessors(s, []node.ID{id(0)}); len(got) != n+1 {
			t.Errorf("%d successors", len(got))
		}
	})
}

func TestCycles(t *testing.T) {
	for _, n := range []int{1, 2, 3, 1000} {
		raw := []byte{1}
		var ids []node.ID
		for i := range n {
			raw = appendV1(raw, 0, id(i), id((i+1)%n))
			ids = append(ids, id(i))
		}
		s := mustParse(t, raw)
		g := newLine(true, ids...)
		within(t, "a cycle", func() {
			flags, err := Compute(g, s, 0)
			if err != nil {
				t.Error(err)
				return
			}
			for rev, f := range flags {
				if f != Obsolete|Hidden {
					t.Errorf("cycle of %d: changeset %d has flags %#x", n, rev, f)
				}
			}
			if sets, err := NewestSuccessors(s, id(0), func(id node.ID) bool { _, ok := g.Rev(id); return ok }); err != nil || len(sets) != 0 {
				t.Errorf("cycle of %d: newest successors %v, %v", n, sets, err)
			}
			if sets, err := Fate(s, id(0), func(node.ID) bool { return false }); err != nil || len(sets) != 1 || len(sets[0].Nodes) != 0 {
				t.Errorf("cycle of %d: fate %v, %v", n, sets, err)
			}
			if got := AllSuccessors(s, []node.ID{id(0)}); len(got) != n {
				t.Errorf("cycle of %d: %d successors", n, len(got))
			}
		})
	}
}

// prunes says of one changeset a hundred thousand times that it went away.
func prunes(n int) []byte {
	raw := []byte{1}
	for range n {
		raw = appendV1(raw, 0, id(0))
	}
	return appendV1(raw, 0, id(0), id(1))
}

// contest says of one changeset that it became each of n others.
func contest(n int) []byte {
	raw := []byte{1}
	for i := range n {
		raw = appendV1(raw, 0, id(0), id(i+1))
	}
	return raw
}

// products is a split into parts, each of which diverged: 2^parts sets.
func products(parts int) []byte {
	raw := []byte{1}
	var split []node.ID
	for i := range parts {
		part := id(100 + i)
		split = append(split, part)
		raw = appendV1(raw, 0, part, id(1000+2*i))
		raw = appendV1(raw, 0, part, id(1001+2*i))
	}
	return appendV1(raw, 0, id(0), split...)
}

// splits makes a changeset into two, one of those into two, and so on.
func splits(n int) []byte {
	raw := []byte{1}
	for i := range n {
		raw = appendV1(raw, 0, id(i), id(i+1), id(1<<20+i))
	}
	return raw
}

// A hostile obsstore is refused, a large honest one is not.
func TestHostileMarkers(t *testing.T) {
	for name, c := range map[string]struct {
		raw           []byte
		sets, compute bool // refused by NewestSuccessors and Fate, by Compute
	}{
		"100000 prunes of one changeset":     {prunes(100_000), false, false},
		"100 competing rewritings":           {contest(100), false, false},
		"100000 competing rewritings":        {contest(100_000), true, true},
		"a split into 8 that all diverged":   {products(8), false, false},
		"a split into 20 that all diverged":  {products(20), true, false},
		"a split into 200 that all diverged": {products(200), true, false},
		"200 splits in turn":                 {splits(200), false, false},
		"20000 splits in turn":               {splits(20_000), true, true},
	} {
		s := mustParse(t, c.raw)
		var ids []node.ID
		seen := map[node.ID]bool{}
		for i := range uint32(s.Len()) {
			for _, id := range s.Successors(nil, i) {
				if !seen[id] && len(s.WithPredecessor(id)) == 0 {
					seen[id] = true
					ids = append(ids, id)
				}
			}
		}
		g := newLine(true, ids...)
		within(t, name, func() {
			start := time.Now()
			_, err := Compute(g, s, 0)
			if hgerr.IsUnsupported(err) != c.compute || !c.compute && err != nil {
				t.Errorf("%s: Compute says %v", name, err)
			}
			_, err = NewestSuccessors(s, id(0), func(id node.ID) bool { _, ok := g.Rev(id); return ok })
			if hgerr.IsUnsupported(err) != c.sets || !c.sets && err != nil {
				t.Errorf("%s: NewestSuccessors says %v", name, err)
			}
			_, err = Fate(s, id(0), func(id node.ID) bool { _, ok := g.Rev(id); return ok })
			if hgerr.IsUnsupported(err) != c.sets || !c.sets && err != nil {
				t.Errorf("%s: Fate says %v", name, err)
			}
			t.Logf("%s: %v", name, time.Since(start).Round(time.Millisecond))
		})
	}
}

// Many changesets that all came from the same long chain cost the chain's length
// each; that is bounded too.
func TestManyEndsOfALongChain(t *testing.T) {
	const chain, ends = 20_000, 20_000
	raw := []byte{1}
	for i := range chain {
		raw = appendV1(raw, 0, id(i), id(i+1))
	}
	var ids, split []node.ID
	for i := range ends {
		ids = append(ids, id(1<<20+i))
		if split = append(split, ids[i]); len(split) == 255 {
			raw = appendV1(raw, 0, id(chain), split...)
			split = nil
		}
	}
	s := mustParse(t, raw)
	within(t, "many ends of a long chain", func() {
		if _, err := Compute(newLine(true, ids...), s, 0); !hgerr.IsUnsupported(err) {
			t.Errorf("Compute says %v", err)
		}
	})
}
