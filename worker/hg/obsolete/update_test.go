// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// tangle is a graph of any shape, of which a prefix can be seen.
type tangle struct {
	parents [][2]node.Rev
	roots   []phases.Phase // a changeset's own, before what it has of its parents
	phases  []phases.Phase
	n       int
}

// settle works the phases out.
func (g *tangle) settle() {
	g.phases = slices.Clone(g.roots)
	for i, both := range g.parents {
		for _, p := range both {
			if p >= 0 {
				g.phases[i] = max(g.phases[i], g.phases[p])
			}
		}
	}
}

func (g *tangle) Children(r node.Rev) (out []int32) {
	for i, both := range g.parents[:g.n] {
		if both[0] == r || both[1] == r {
			out = append(out, int32(i))
		}
	}
	return out
}

func numbered(i int) (id node.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint32(id[16:], uint32(i)+1)
	return id
}

func (g *tangle) Len() int                           { return g.n }
func (g *tangle) Node(r node.Rev) node.ID            { return numbered(int(r)) }
func (g *tangle) Phase(r node.Rev) phases.Phase      { return g.phases[r] }
func (g *tangle) Parents(r node.Rev) (p, q node.Rev) { return g.parents[r][0], g.parents[r][1] }
func (g *tangle) Rev(id node.ID) (node.Rev, bool) {
	i := int(binary.BigEndian.Uint32(id[16:])) - 1
	return node.Rev(i), i >= 0 && i < g.n && id == numbered(i)
}

// marker is one in version 1, without parents and metadata.
func marker(flags uint16, pred int, succs ...int) []byte {
	be := binary.BigEndian
	b := be.AppendUint32(nil, uint32(fixedV1+len(succs)*node.Size))
	b = append(b, make([]byte, 10)...)
	b = be.AppendUint16(b, flags)
	b = append(b, byte(len(succs)), noParents, 0)
	id := numbered(pred)
	b = append(b, id[:]...)
	for _, s := range succs {
		id := numbered(s)
		b = append(b, id[:]...)
	}
	return b
}

// TestUpdateIsCompute lets histories and markers grow in steps and compares each
// step with a computation from nothing. A marker may speak of changesets that
// come later, or never.
func TestUpdateIsCompute(t *testing.T) {
	var kept, changed, later int
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		g := &tangle{}
		for i := range 60 {
			p, q := node.NullRev, node.NullRev
			phase := phases.Public
			if i > 0 && rnd.IntN(20) > 0 {
				p = node.Rev(max(0, i-1-rnd.IntN(5)))
			}
			if p > 0 && rnd.IntN(10) == 0 {
				q = node.Rev(rnd.IntN(int(p)))
			}
			switch {
			case i > 10 && rnd.IntN(4) == 0:
				phase = phases.Draft
			case rnd.IntN(40) == 0:
				phase = phases.Internal
			}
			g.parents = append(g.parents, [2]node.Rev{p, q})
			g.roots = append(g.roots, phase)
		}
		g.settle()
		s := mustParse(t, []byte{1})
		var flags []Flag
		for g.n < len(g.parents) {
			count, added := g.n, uint32(s.Len())
			g.n = min(len(g.parents), g.n+max(1-min(1, count), rnd.IntN(4)))
			var more []byte
			for range rnd.IntN(3) {
				pred := rnd.IntN(80)
				var succs []int
				for range rnd.IntN(3) {
					if to := rnd.IntN(80); to > pred {
						succs = append(succs, to)
					}
				}
				more = append(more, marker(uint16(rnd.IntN(2)), pred, succs...)...)
			}
			grown, err := s.Append(more)
			if err != nil {
				t.Fatal(err)
			}
			if err := grown.Verify(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			raw, starts, byPred, bySuccs := grown.MoreTables()
			if err := VerifyMore(1, added0(grown), raw, starts, byPred, bySuccs); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			whole, err := grown.Whole()
			if err != nil {
				t.Fatal(err)
			}
			was := g.phases
			for range rnd.IntN(3) {
				g.roots[rnd.IntN(g.n)] = []phases.Phase{phases.Public, phases.Public, phases.Draft, phases.Secret, phases.Archived}[rnd.IntN(5)]
			}
			g.settle()
			var moved []node.Rev
			for rev := range node.Rev(count) {
				if g.phases[rev] != was[rev] {
					moved = append(moved, rev)
				}
			}
			lowest := node.Rev(slices.IndexFunc(append(slices.Clone(g.phases[:g.n]), phases.Draft), func(p phases.Phase) bool { return p != phases.Public }))
			want, err := Compute(g, whole, lowest)
			if err != nil {
				t.Fatal(err)
			}
			before := flags
			tail, changes, ok, err := Update(g, grown, func(r node.Rev) Flag { return before[r] }, count, added, moved)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !ok:
				later++
				flags = want
			default:
				if flags = append(slices.Clone(before), tail...); len(changes) == 0 {
					kept++
				}
				for _, c := range changes {
					if before[c.Rev] == c.Flags {
						t.Fatalf("seed %d: changeset %d has changed from %d to %d", seed, c.Rev, c.Flags, c.Flags)
					}
					changed++
					flags[c.Rev] = c.Flags
				}
			}
			if !bytes.Equal(flags, want) {
				t.Fatalf("seed %d, %d changesets from %d on, markers from %d on:\n%v, not\n%v", seed, g.n, count, added, flags, want)
			}
			for i := range 80 {
				id := numbered(i)
				if !slices.Equal(grown.WithPredecessor(id), whole.WithPredecessor(id)) ||
					!slices.Equal(grown.WithSuccessor(nil, id), whole.WithSuccessor(nil, id)) {
					t.Fatalf("seed %d: markers of node %d", seed, i)
				}
			}
			if s = grown; rnd.IntN(5) == 0 {
				s = whole
			}
		}
	}
	if kept == 0 || changed == 0 {
		t.Errorf("%d steps kept the old flags, %d changed them, %d were computed", kept, changed, later)
	}
}

func added0(s *Store) uint32 {
	first, _ := s.Added()
	return first
}
