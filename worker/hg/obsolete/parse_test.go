// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
)

// id is a node that begins with a number.
func id(n int) node.ID {
	var out node.ID
	binary.BigEndian.PutUint32(out[:], uint32(n)*2654435761)
	binary.BigEndian.PutUint32(out[4:], uint32(n))
	out[node.Size-1] = 1 // never the null ID
	return out
}

// appendV1 writes a marker without parents and metadata.
func appendV1(b []byte, flags uint16, pred node.ID, succs ...node.ID) []byte {
	be := binary.BigEndian
	b = be.AppendUint32(b, uint32(fixedV1+len(succs)*node.Size))
	b = be.AppendUint64(b, math.Float64bits(1.5e9))
	b = be.AppendUint16(b, 0)
	b = be.AppendUint16(b, flags)
	b = append(b, byte(len(succs)), noParents, 0)
	b = append(b, pred[:]...)
	for _, s := range succs {
		b = append(b, s[:]...)
	}
	return b
}

func mustParse(t testing.TB, raw []byte) *Store {
	t.Helper()
	s, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSizes(t *testing.T) {
	if fixedV0 != 26 || fixedV1 != 39 {
		t.Errorf("a marker's fixed part has %d (version 0) and %d bytes (version 1)", fixedV0, fixedV1)
	}
}

// real is a marker as `hg debugobsolete -T json` has it.
type real struct {
	Pred     string            `json:"prednode"`
	Succs    []string          `json:"succnodes"`
	Parents  []string          `json:"parentnodes"`
	Flag     uint16            `json:"flag"`
	Date     [2]float64        `json:"date"`
	Metadata map[string]string `json:"metadata"`
}

func (r real) String() string {
	return fmt.Sprintf("%s -> %v flag %d parents %v date %.1f%+.0f %v", r.Pred, r.Succs, r.Flag, r.Parents, r.Date[0], r.Date[1], r.Metadata)
}

func ours(m Marker) real {
	r := real{Pred: m.Predecessor.Hex(), Flag: m.Flags, Date: [2]float64{m.Seconds, float64(m.TZ)}, Metadata: map[string]string{}}
	for _, id := range m.Successors {
		r.Succs = append(r.Succs, id.Hex())
	}
	for _, id := range m.Parents {
		r.Parents = append(r.Parents, id.Hex())
	}
	for _, p := range m.Metadata {
		r.Metadata[p.Key] = p.Value
	}
	return r
}

// compareMarkers compares all markers of a repository with hg's reading.
func compareMarkers(t *testing.T, hg hgtest.Runner, dir string) (version byte, n int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, ".hg/store/obsstore"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	out, stderr, code, _, err := hg.Run(dir, []string{"debugobsolete", "-T", "json"}, hgtest.BaseEnv("HGPLAIN=1"))
	if err != nil || code != 0 {
		t.Fatalf("hg debugobsolete: %d, %v, %s", code, err, stderr)
	}
	var want []real
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	s := mustParse(t, raw)
	var got, wanted []string
	for i := range s.Len() {
		got = append(got, ours(s.Marker(uint32(i))).String())
	}
	for _, r := range want {
		wanted = append(wanted, r.String())
	}
	// hg prints them in the order of a set.
	slices.Sort(got)
	slices.Sort(wanted)
	if got = slices.Compact(got); !slices.Equal(got, wanted) {
		t.Errorf("%s: markers\n%q\nhg reads\n%q", dir, got, wanted)
	}
	checkLookups(t, s)
	return raw[0], s.Len()
}

// checkLookups compares both lookups with a walk over all markers.
func checkLookups(t *testing.T, s *Store) {
	t.Helper()
	byPred, bySucc := map[node.ID][]uint32{}, map[node.ID][]uint32{}
	for i := range uint32(s.Len()) {
		byPred[s.Predecessor(i)] = append(byPred[s.Predecessor(i)], i)
		for _, suc := range s.Successors(nil, i) {
			bySucc[suc] = append(bySucc[suc], i)
		}
	}
	byPred[id(-1)], bySucc[id(-1)] = nil, nil
	for id, want := range byPred {
		if got := s.WithPredecessor(id); !slices.Equal(got, want) {
			t.Errorf("markers with predecessor %v: %v, not %v", id, got, want)
		}
	}
	for id, want := range bySucc {
		if got := s.WithSuccessor(nil, id); !slices.Equal(got, want) {
			t.Errorf("markers with successor %v: %v, not %v", id, got, want)
		}
	}
	raw, starts, pred, succ := s.Tables()
	again, err := Open(raw, starts, pred, succ)
	if err == nil {
		err = again.Verify()
	}
	if err != nil {
		t.Errorf("tables of a parsed store: %v", err)
	}
}

func TestMarkersAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	gen := hgtest.NewGenerator(t, hgtest.Hg(t))
	var markers [2]int
	for _, name := range []string{"obsolescence", "obsstore-v0"} {
		version, n := compareMarkers(t, hg, hgtest.Extract(t, name))
		markers[version] += n
	}
	for seed := range uint64(12) {
		version, n := compareMarkers(t, hg, gen.New(t, 100+seed, "evolution"))
		markers[version] += n
	}
	// Version 0 with metadata that no Mercurial writes.
	dir := hgtest.Extract(t, "obsstore-v0")
	raw := []byte{0}
	for i, meta := range []string{"", "a:b", "b:2\x00a:1\x00", "a:1\x00a:2", "date:1 2", "date:1", "date:1 2 3", "date:x 2", "date:2 -3600\x00user:me",
		"p0:", "p0:\x00p1:" + id(1).Hex(), "p1:" + id(1).Hex() + "\x00p2:" + id(2).Hex(), "p2:" + id(2).Hex() + "\x00p1:" + id(1).Hex(),
		"p1:x", "p1:abcd", "p1:" + id(1).Hex() + "\x00p2:", "a::b", "::", "p3:" + id(3).Hex()} {
		raw = append(raw, 1)
		raw = binary.BigEndian.AppendUint32(raw, uint32(len(meta)))
		raw = append(raw, 0)
		pred, succ := id(2*i), id(2*i+1)
		raw = append(append(append(raw, pred[:]...), succ[:]...), meta...)
	}
	if err := os.WriteFile(filepath.Join(dir, ".hg/store/obsstore"), raw, 0o666); err != nil {
		t.Fatal(err)
	}
	version, n := compareMarkers(t, hg, dir)
	markers[version] += n
	t.Logf("compared %d markers of version 0 and %d of version 1", markers[0], markers[1])
	if markers[0] == 0 || markers[1] == 0 {
		t.Error("a version was not met")
	}
}

func TestParseRefuses(t *testing.T) {
	be := binary.BigEndian
	good := appendV1([]byte{1}, 0, id(1), id(2), id(3))
	edit := func(fn func(b []byte) []byte) []byte { return fn(slices.Clone(good)) }
	v0 := append(append([]byte{0, 0, 0, 0, 0, 4, 0}, make([]byte, 20)...), "a:b\x00"...)
	mustParse(t, good)
	mustParse(t, v0)
	for name, raw := range map[string][]byte{
		"cut in the head":           good[:20],
		"cut in the successors":     good[:len(good)-1],
		"size of zero":              edit(func(b []byte) []byte { be.PutUint32(b[1:], 0); return b }),
		"size too small":            edit(func(b []byte) []byte { be.PutUint32(b[1:], 60); return b }),
		"size too large":            edit(func(b []byte) []byte { be.PutUint32(b[1:], 1<<31); return b }),
		"size past the end":         edit(func(b []byte) []byte { be.PutUint32(b[1:], be.Uint32(b[1:])+1); return b }),
		"room that nothing fills":   edit(func(b []byte) []byte { be.PutUint32(b[1:], be.Uint32(b[1:])+1); return append(b, 0) }),
		"255 successors":            edit(func(b []byte) []byte { b[17] = 255; return b }),
		"parents that are not here": edit(func(b []byte) []byte { b[18] = 2; return b }),
		"255 pairs":                 edit(func(b []byte) []byte { b[19] = 255; return b }),
		"a byte behind":             edit(func(b []byte) []byte { return append(b, 0) }),
		"the null ID as successor":  appendV1([]byte{1}, 0, id(1), id(2), node.Null),
		"version 0, cut off":        v0[:len(v0)-1],
		"version 0, no key":         append(append([]byte{0, 0, 0, 0, 0, 4, 0}, make([]byte, 20)...), "a:\x00b"...),
		"version 0, only p2":        append(append([]byte{0, 0, 0, 0, 0, 4, 0}, make([]byte, 20)...), "p2:a"...),
		"version 0, huge metadata":  append(append([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0}, make([]byte, 20)...), "a:b"...),
		"version 0, successors":     append([]byte{0, 255, 0, 0, 0, 0, 0}, make([]byte, 40)...),
	} {
		var d *hgerr.Damage
		if _, err := Parse(raw); !errors.As(err, &d) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string][]byte{
		"version 2": {2},
		"SHA-256":   edit(func(b []byte) []byte { be.PutUint16(b[15:], usingSHA256); return b }),
	} {
		if _, err := Parse(raw); !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := mustParse(t, nil); s.Len() != 0 || s.WithPredecessor(id(1)) != nil || s.WithSuccessor(nil, id(1)) != nil {
		t.Error("an empty obsstore has markers")
	}
	if s := mustParse(t, []byte{1}); s.Len() != 0 {
		t.Error("an obsstore without markers has some")
	}
}

func TestVerifyRefusesOtherTables(t *testing.T) {
	raw := []byte{1}
	for i := range 20 {
		raw = appendV1(raw, 0, id(i), id(i+1), id(i/2))
	}
	s := mustParse(t, raw)
	_, starts, pred, succ := s.Tables()
	change := func(a []uint32) []uint32 {
		a = slices.Clone(a)
		a[3], a[4] = a[4], a[3]
		return a
	}
	shuffled := slices.Clone(succ)
	slices.Reverse(shuffled)
	for name, tables := range map[string]func() (*Store, error){
		"starts":          func() (*Store, error) { return Open(raw, change(starts), pred, succ) },
		"by predecessor":  func() (*Store, error) { return Open(raw, starts, change(pred), succ) },
		"by successor":    func() (*Store, error) { return Open(raw, starts, pred, shuffled) },
		"fewer markers":   func() (*Store, error) { return Open(raw, starts[1:], pred[1:], succ) },
		"other lengths":   func() (*Store, error) { return Open(raw, starts[1:], pred, succ) },
		"no successors":   func() (*Store, error) { return Open(raw, starts, pred, nil) },
		"no bytes":        func() (*Store, error) { return Open(nil, starts, pred, succ) },
		"tables of none":  func() (*Store, error) { return Open(raw, nil, nil, nil) },
		"starts past end": func() (*Store, error) { return Open(raw[:len(raw)-1], starts, pred, succ) },
	} {
		s, err := tables()
		if err == nil {
			err = s.Verify()
		}
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	raw := []byte{1}
	for i := range 4 {
		raw = appendV1(raw, uint16(i%2), id(i), id(i+1), id((i+2)%4))
	}
	f.Add(raw)
	f.Add(append(append([]byte{0, 1, 0, 0, 0, 9, 1}, slices.Repeat([]byte{7}, 40)...), "date:0 0\x00"...))
	f.Add([]byte{2})
	for _, name := range []string{"obsolescence", "obsstore-v0"} {
		real, err := os.ReadFile(filepath.Join(hgtest.Extract(f, name), ".hg/store/obsstore"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(real)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(raw)
		if err != nil {
			return
		}
		if s.Len()*fixedV0 > len(raw) {
			t.Fatalf("%d markers in %d bytes", s.Len(), len(raw))
		}
		g := graphOf(s)
		for i := range uint32(s.Len()) {
			m := s.Marker(i)
			if !slices.Contains(s.WithPredecessor(m.Predecessor), i) {
				t.Fatalf("marker %d is not found by its predecessor", i)
			}
			for _, suc := range m.Successors {
				if !slices.Contains(s.WithSuccessor(nil, suc), i) {
					t.Fatalf("marker %d is not found by its successor %v", i, suc)
				}
			}
			if i < 8 {
				NewestSuccessors(s, m.Predecessor, func(id node.ID) bool { _, ok := g.Rev(id); return ok })
				Fate(s, m.Predecessor, func(id node.ID) bool { return id[0]&1 == 0 })
				ClosestPredecessors(s, m.Predecessor, func(id node.ID) bool { return id[0]&1 == 0 })
				AllSuccessors(s, []node.ID{m.Predecessor})
			}
		}
		if flags, err := Compute(g, s, 0); err == nil && len(flags) != g.Len() {
			t.Fatalf("%d flags for %d changesets", len(flags), g.Len())
		}
	})
}
