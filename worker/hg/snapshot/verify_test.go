// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/tags"
)

// full is a snapshot with markers and all optional sections.
func full(t testing.TB) *Snapshot {
	t.Helper()
	s := load(t, hgtest.Extract(t, "obsolescence"), nil)
	if s.Len() < 4 || s.Markers().Len() < 2 || s.HiddenCount() == 0 {
		t.Fatalf("%d changesets, %d markers, %d hidden are too few", s.Len(), s.Markers().Len(), s.HiddenCount())
	}
	of := make([]uint32, s.Len())
	of[1] = 1<<1 | 1
	table := tags.Parse([]byte(s.Node(0).Hex()+" first\n"+s.Node(1).Hex()+" second\n"+s.Node(2).Hex()+" first\n"), nil)
	s.SetBranches(&BranchColumns{Names: []string{"default", "süd"}, Of: of})
	s.SetBranchHeads([]BranchHeads{{Branch: 1, Heads: []BranchHead{{Rev: 1, Reached: true}, {Rev: 2}}}, {Branch: 0, Heads: []BranchHead{{Rev: 3}}}}, 4)
	s.SetTags(&TagColumns{HeadsHash: HeadsHash(s.Heads()), Table: table, Files: []TagFile{{0, s.Node(3)}, {2, node.Null}}})
	s.AddMissing(Missing{Heads: []node.Rev{1, 3}, N: 3})
	s.AddMissing(Missing{Heads: []node.Rev{3}, Common: []node.Rev{0}, N: 2})
	out := openBytes(t, imageOf(t, s))
	if err := out.Verify(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSizes(t *testing.T) {
	if stampSize != 48 || tagFileSize != 28 || revlog.EntrySize != 64 || NumInputs != 4 {
		t.Error("a record has another size than the format's text says; give the image a new version")
	}
	want := []string{"inputs", "index", "order", "fan", "phases", "flags", "markers", "starts", "by-pred", "by-succ", "bookmarks", "heads", "branches", "branch-of", "tags", "tag-files",
		"roots", "summary", "child-first", "child-list", "lineage", "", "", "branch-heads", "phase-text", "", "", "branch-before", "tag-revs", "missing"}
	for i, sec := range sections {
		if want[sec.id-1] != sec.name {
			t.Errorf("section %d is %d %q; ids never change their meaning", i, sec.id, sec.name)
		}
	}
	if len(sections)+4 != len(want) { // four are of growths only
		t.Errorf("%d sections", len(sections))
	}
}

func TestExtend(t *testing.T) {
	plain := load(t, hgtest.Extract(t, "obsolescence"), nil)
	s := full(t)
	for _, sec := range sections {
		a, _ := s.img.Section(sec.id)
		b, _ := plain.img.Section(sec.id)
		// The two repositories are two extractions, so their files are others.
		if !sec.optional && sec.id != secInputs && !bytes.Equal(a, b) {
			t.Errorf("section %s was not taken over", sec.name)
		}
	}
	if plain.HasBranches() || plain.HasTags() || !s.HasBranches() || !s.HasTags() {
		t.Error("the optional sections are not where they were put")
	}
	if name, closes := s.Branch(1); name != "süd" || !closes {
		t.Errorf("changeset 1 is on %q, %v", name, closes)
	}
	if name, closes := s.Branch(0); name != "default" || closes {
		t.Errorf("changeset 0 is on %q, %v", name, closes)
	}
	hash := HeadsHash(s.Heads())
	table, ok := s.Tags(hash)
	if !ok || !slices.Equal(table.Names, []string{"first", "second"}) || table.ByName["first"].Node != s.Node(2) ||
		!slices.Equal(table.ByName["first"].History, []node.ID{s.Node(0)}) {
		t.Errorf("tags %+v, %v", table, ok)
	}
	if _, ok := s.Tags(hash + 1); ok {
		t.Error("tags of other heads")
	}
	if revs := s.TagRevs(); !slices.Equal(revs, []int32{2, 1}) {
		t.Errorf("the tags are at %v", revs)
	}
	if id, ok := s.TagFile(0); !ok || id != s.Node(3) {
		t.Errorf("head 0 has .hgtags %v, %v", id, ok)
	}
	if id, ok := s.TagFile(2); !ok || id != node.Null {
		t.Errorf("head 2 has .hgtags %v, %v", id, ok)
	}
	if _, ok := s.TagFile(1); ok {
		t.Error("changeset 1 is a head with .hgtags")
	}
	if m := s.Missing(); len(m) != 2 || !slices.Equal(m[0].Heads, []node.Rev{3}) || !slices.Equal(m[0].Common, []node.Rev{0}) || m[0].N != 2 ||
		!slices.Equal(m[1].Heads, []node.Rev{1, 3}) || len(m[1].Common) != 0 || m[1].N != 3 {
		t.Errorf("missing: %v", m)
	}
	if same := imageOf(t, s); !bytes.Equal(same, s.imageBytes(t)) {
		t.Error("the image of an image is another one")
	}
	s.MoveTags(hash+1, nil)
	again := openBytes(t, imageOf(t, s))
	if table, ok := again.Tags(hash + 1); !ok || len(table.Names) != 2 || !slices.Equal(again.TagRevs(), []int32{2, 1}) {
		t.Error("tags did not move to other heads")
	}
	if name, _ := again.Branch(1); name != "süd" {
		t.Errorf("new tags moved changeset 1 to %q", name)
	}
}

// imageOf are the bytes of a snapshot's whole image.
func imageOf(t testing.TB, s *Snapshot) []byte {
	t.Helper()
	b, err := s.Image()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageBytes are the bytes of a snapshot's image.
func (s *Snapshot) imageBytes(t testing.TB) []byte { return rebuilt(t, s, nil) }

// check opens and verifies.
func check(data []byte) error {
	img, err := image.Open(data, nil)
	if err != nil {
		return err
	}
	s, err := Open(img)
	if err != nil {
		return err
	}
	return s.Verify()
}

func TestVerifyRefuses(t *testing.T) {
	s := full(t)
	if err := check(s.imageBytes(t)); err != nil {
		t.Fatal(err)
	}
	le, be := binary.LittleEndian, binary.BigEndian
	last := s.Len() - 1
	numbers := func(b []byte, change func(a []uint32)) []byte {
		a := slices.Clone(image.Numbers[uint32](b))
		change(a)
		return image.Bytes(a)
	}
	swap := func(a []uint32) { a[0], a[1] = a[1], a[0] }
	entry := func(rev, at int, value uint32) func(b []byte) []byte {
		return func(b []byte) []byte { be.PutUint32(b[rev*revlog.EntrySize+at:], value); return b }
	}
	cases := []struct {
		name string
		id   image.ID
		edit func(b []byte) []byte
	}{
		{"existence of an input", secInputs, func(b []byte) []byte { b[0] |= 2; return b }},
		{"reserved bytes of an input", secInputs, func(b []byte) []byte { b[5] = 1; return b }},
		{"one input less", secInputs, func(b []byte) []byte { return b[stampSize:] }},
		{"parent above", secIndex, entry(1, 24, 1)},
		{"parent below null", secIndex, entry(1, 24, 0xfffffffe)},
		{"second parent above", secIndex, entry(last, 28, 1<<30)},
		{"delta base above", secIndex, entry(1, 16, 2)},
		{"negative length", secIndex, entry(1, 8, 1<<31)},
		{"version", secIndex, func(b []byte) []byte { b[3] = 2; return b }},
		{"another node", secIndex, func(b []byte) []byte { copy(b[32:52], b[revlog.EntrySize+32:]); return b }},
		{"one changeset less", secIndex, func(b []byte) []byte { return b[revlog.EntrySize:] }},
		{"order", secOrder, func(b []byte) []byte { return numbers(b, swap) }},
		{"order out of range", secOrder, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 31 }) }},
		{"fan does not start at 0", secFan, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 }) }},
		{"fan ends elsewhere", secFan, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[len(a)-1]++ }) }},
		{"fan of another size", secFan, func(b []byte) []byte { return numbers(append(b, b...), func([]uint32) {}) }},
		{"fan of one entry", secFan, func(b []byte) []byte { return b[:4] }},
		{"a phase that there is not", secPhases, func(b []byte) []byte { b[last] = 7; return b }},
		{"public above draft", secPhases, func(b []byte) []byte { return append(slices.Repeat([]byte{1}, last), 0) }},
		{"phases and flags", secPhases, func(b []byte) []byte { return make([]byte, len(b)) }},
		{"flags", secFlags, func(b []byte) []byte { b[last] ^= 1; return b }},
		{"hidden", secFlags, func(b []byte) []byte { b[last] ^= 16; return b }},
		{"flags that mean nothing", secFlags, func(b []byte) []byte { b[0] |= 128; return b }},
		{"markers cut off", secMarkers, func(b []byte) []byte { return b[:len(b)-1] }},
		{"no markers", secMarkers, func([]byte) []byte { return []byte{} }},
		{"version of markers", secMarkers, func(b []byte) []byte { b[0] = 9; return b }},
		{"starts", secStarts, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0]++ }) }},
		{"starts past the end", secStarts, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 31 }) }},
		{"one start less", secStarts, func(b []byte) []byte { return b[4:] }},
		{"by predecessor", secByPred, func(b []byte) []byte { return numbers(b, swap) }},
		{"by predecessor out of range", secByPred, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 20 }) }},
		{"by successor", secBySucc, func(b []byte) []byte { le.PutUint64(b, 1<<40); return b }},
		{"one successor less", secBySucc, func(b []byte) []byte { return b[8:] }},
		{"one head less", secHeads, func(b []byte) []byte { return b[4:] }},
		{"a head out of range", secHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 31 }) }},
		{"branches cut off", secBranches, func(b []byte) []byte { return b[:len(b)-1] }},
		{"a branch of huge length", secBranches, func(b []byte) []byte { le.PutUint32(b, 0xffffffff); return b }},
		{"branch out of range", secBranchOf, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 2 << 1 }) }},
		{"one changeset's branch missing", secBranchOf, func(b []byte) []byte { return b[4:] }},
		{"tags cut off", secTags, func(b []byte) []byte { return b[:7] }},
		{"a root less", secRoots, func(b []byte) []byte { return b[8:] }},
		{"a root out of range", secRoots, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 31 }) }},
		{"a root less in the text", secPhaseText, func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] }},
		{"text of no roots", secPhaseText, func(b []byte) []byte { return append(b, "1 x\n"...) }},
		{"lowest mutable", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0]++ }) }},
		{"lowest mutable out of range", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 31 }) }},
		{"number of hidden", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[1]++ }) }},
		{"number of drafts", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[3]++ }) }},
		{"number of orphans", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[5]++ }) }},
		{"nothing can be hidden", secSummary, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[2] = 0 }) }},
		{"children's places", secChildFirst, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[1]++ }) }},
		{"children's places out of range", secChildFirst, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[1] = 1 << 31 }) }},
		{"children of one less", secChildFirst, func(b []byte) []byte { return b[4:] }},
		{"a child less", secChildList, func(b []byte) []byte { return b[4:] }},
		{"another child", secChildList, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0]++ }) }},
		{"lineage of more", secLineage, func(b []byte) []byte { le.PutUint64(b, 1000); return b }},
		{"another hash", secLineage, func(b []byte) []byte { b[9]++; return b }},
		{"lineage of much more", secLineage, func(b []byte) []byte { return append(slices.Repeat([]byte{9}, 16), b...) }},
		{"no lineage", secLineage, func([]byte) []byte { return []byte{} }},
		{"heads of branches cut off", secBranchHeads, func(b []byte) []byte { return b[:len(b)-4] }},
		{"heads of branches for more", secBranchHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 << 30 }) }},
		{"heads of branches for less", secBranchHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[0] = 1 }) }},
		{"heads of no branch", secBranchHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[1] = 2 }) }},
		{"many heads of branches", secBranchHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[2] = 1 << 31 }) }},
		{"heads of branches, order", secBranchHeads, func(b []byte) []byte { return numbers(b, func(a []uint32) { a[3], a[4] = a[4], a[3] }) }},
		{"heads of branches before, cut off", secBranchBefore, func(b []byte) []byte { return b[:len(b)-4] }},
		{"a tag elsewhere", secTagRevs, func(b []byte) []byte { b[0]--; return b }},
		{"a tag too many", secTagRevs, func(b []byte) []byte { return append(b, 0, 0, 0, 0) }},
		{"missing without a head", secMissing, func(b []byte) []byte { b[0] = 0; return b }},
		{"missing heads beyond the end", secMissing, func(b []byte) []byte { b[3] = 0x7f; return b }},
		{"missing heads below none", secMissing, func(b []byte) []byte { b[3] = 0xff; return b }},
		{"missing a changeset beyond the end", secMissing, func(b []byte) []byte { b[14] = 1; return b }},
		{"missing in another order", secMissing, func(b []byte) []byte { b[len(b)-8] = 3; return b }},
		{"missing more than there are", secMissing, func(b []byte) []byte { b[9] = 1; return b }},
		{"missing cut off", secMissing, func(b []byte) []byte { return b[:len(b)-4] }},
		{"missing and half a record", secMissing, func(b []byte) []byte { return append(b, 1, 0, 0, 0) }},
		{"missing too often", secMissing, func(b []byte) []byte { return bytes.Repeat(b, 3) }},
		{"a tag beyond the end", secTagRevs, func(b []byte) []byte { b[2] = 1; return b }},
		{"tag files cut off", secTagFiles, func(b []byte) []byte { return b[1:] }},
	}
	tested := map[image.ID]bool{secBookmarks: true} // any bytes are a bookmarks file
	for _, c := range cases {
		tested[c.id] = true
		data, _ := s.img.Section(c.id)
		err := check(rebuilt(t, s, map[image.ID][]byte{c.id: c.edit(slices.Clone(data))}))
		var damage *hgerr.Damage
		if !errors.Is(err, image.ErrFormat) && !errors.As(err, &damage) && !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, sec := range sections {
		if !tested[sec.id] {
			t.Errorf("section %s was not tampered with", sec.name)
		}
		err := check(rebuilt(t, s, map[image.ID][]byte{sec.id: nil}))
		if err == nil && sec.id != secBranchHeads && sec.id != secBranchBefore && sec.id != secMissing {
			t.Errorf("without section %s: accepted", sec.name)
		}
		err = check(rebuilt(t, s, map[image.ID][]byte{sec.id: {1, 2, 3}}))
		if err == nil && sec.id != secBookmarks {
			t.Errorf("section %s of three bytes: accepted", sec.name)
		}
	}
	if _, err := Open(mustOpen(t, image.NewBuilder(image.Kind(77)).Bytes())); !errors.Is(err, image.ErrFormat) {
		t.Errorf("an image of another kind: %v", err)
	}
}

func mustOpen(t testing.TB, data []byte) *image.Image {
	t.Helper()
	img, err := image.Open(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// askEverything calls every method for every changeset.
func askEverything(s *Snapshot) {
	for rev := node.NullRev; int(rev) < s.Len(); rev++ {
		s.Children(rev)
		id := s.Node(rev)
		s.Rev(id)
		if rev < 0 {
			continue
		}
		s.Parents(rev)
		s.Phase(rev)
		s.Flags(rev)
		s.Shortest(rev)
		s.Prefix(id.Hex()[:3], 4)
		s.TagFile(rev)
		if s.HasBranches() {
			s.Branch(rev)
			s.BranchID(rev)
		}
	}
	s.Tags(HeadsHash(s.Heads()))
	s.HiddenCount()
	s.Hideable()
	for i := range uint32(s.Markers().Len()) {
		s.Markers().Marker(i)
	}
}

// FuzzSection puts arbitrary bytes into a section of a good image. What Verify
// accepts must answer every question.
func FuzzSection(f *testing.F) {
	s := full(f)
	for _, sec := range sections {
		data, _ := s.img.Section(sec.id)
		f.Add(uint8(sec.id), slices.Clone(data))
	}
	f.Add(uint8(secFan), []byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, id uint8, data []byte) {
		sec := image.ID(id)
		if sec < secInputs || sec > secMissing {
			return
		}
		if data == nil {
			data = []byte{}
		}
		tampered, err := Open(mustOpen(t, rebuilt(t, s, map[image.ID][]byte{sec: data})))
		if err == nil && tampered.Verify() == nil {
			askEverything(tampered)
		}
	})
}

// a growth of full, by a changeset and a marker.
func growth(t testing.TB, base *Snapshot) *image.Builder {
	t.Helper()
	entries := base.Index().Entries()
	more := slices.Clone(entries[len(entries)-revlog.EntrySize:])
	more[40] ^= 0xff // another node
	index, err := revlog.NewGrownIndex(entries, more)
	if err != nil {
		t.Fatal(err)
	}
	raw, starts, _, _ := base.Markers().Tables()
	f := &Files{Stamps: base.Stamps(), Index: index, Prior: base.Len(), Appended: true, ObsStore: raw[starts[len(starts)-1]:]}
	f.Stamps[Changelog].Size += revlog.EntrySize
	f.Stamps[ObsStore].Size++
	for _, r := range base.roots {
		f.PhaseRoots = fmt.Appendf(f.PhaseRoots, "%d %s\n", r.phase, base.Node(r.rev).Hex())
	}
	s := Grow(f, base)
	s.SetBranches(&BranchColumns{Names: append(slices.Clone(base.BranchNames()), "third"), Of: []uint32{2 << 1}})
	b, err := s.Growth()
	if err != nil || b == nil {
		t.Fatalf("no growth: %v", err)
	}
	return b
}

// FuzzGrowth puts arbitrary bytes into a section of a good growth. What
// VerifyGrowth accepts must answer every question beside its base.
func FuzzGrowth(f *testing.F) {
	base := full(f)
	good := mustOpen(f, growth(f, base).Bytes())
	if g, err := OpenGrown(base, good); err != nil || g.Verify() != nil {
		f.Fatal(err, g.Verify())
	}
	for _, s := range good.Info().Sections {
		data, _ := good.Section(s.ID)
		f.Add(uint8(s.ID), slices.Clone(data))
	}
	f.Fuzz(func(t *testing.T, id uint8, data []byte) {
		b := image.NewBuilder(image.Growth)
		for _, s := range good.Info().Sections {
			if s.ID == image.ID(id) {
				b.Add(s.ID, data)
			} else {
				b.AddFrom(good, s.ID)
			}
		}
		img := mustOpen(t, b.Bytes())
		if VerifyGrowth(img) != nil {
			return
		}
		if g, err := OpenGrown(base, img); err == nil {
			askEverything(g)
			g.Verify()
		}
	})
}

// FuzzTexts opens an image of texts with arbitrary sections.
func FuzzTexts(f *testing.F) {
	part := func(words ...string) (p TextsPart) {
		for i, w := range words {
			p.Add([]byte(w), &TextFacts{User: i, Unix: 1, Offset: -1})
		}
		return p
	}
	of := Ancestor{2, 7}
	good := mustOpen(f, BuildTexts(of, nil, []TextsPart{part("a", "bc")}).Bytes())
	texts, err := OpenTexts(good)
	if err != nil || texts.Verify() != nil || texts.Of() != of || string(texts.Text(0)) != "a" || string(texts.Text(1)) != "bc" {
		f.Fatal("texts are not what they were made of")
	}
	more := mustOpen(f, BuildTexts(Ancestor{3, 8}, texts, []TextsPart{part("def")}).Bytes())
	if longer, err := OpenTexts(more); err != nil || longer.Verify() != nil || string(longer.Text(2)) != "def" || string(longer.Text(1)) != "bc" {
		f.Fatal("more texts are not what they were made of")
	}
	get := func(id image.ID) []byte { b, _ := good.Section(id); return slices.Clone(b) }
	f.Add(get(textsOf), get(textsStarts), get(textsData), get(textsFacts))
	f.Add(get(textsOf), slices.Concat(get(textsStarts)[:16], []byte{9, 0, 0, 0, 0, 0, 0, 0}), get(textsData), get(textsFacts)[:16])
	f.Fuzz(func(t *testing.T, of, starts, data, facts []byte) {
		b := image.NewBuilder(image.Texts)
		b.Add(textsOf, of)
		b.Add(textsStarts, starts)
		b.Add(textsData, data)
		b.Add(textsFacts, facts)
		texts, err := OpenTexts(mustOpen(t, b.Bytes()))
		if err != nil || texts.Verify() != nil {
			return
		}
		for rev := range texts.Len() {
			texts.Text(node.Rev(rev))
			texts.Facts(node.Rev(rev))
		}
	})
}

// What fits in a record comes out of it as it went in, and what doesn't is unknown.
func TestTextFacts(t *testing.T) {
	for _, test := range []struct {
		f    TextFacts
		fits bool
	}{
		{TextFacts{}, true},
		{TextFacts{User: 50, Date: 70, Files: 1 << 31, Begin: 1, Line: 20, End: 1 << 30, Unix: 1 << 31, Offset: -50400, ASCII: true}, true},
		{TextFacts{Unix: 1<<32 - 1, Offset: 1<<27 - 1, Branch: true}, true},
		{TextFacts{Offset: 1 - 1<<27, ASCII: true, Branch: true}, true},
		{TextFacts{Unix: 1 << 32}, false},
		{TextFacts{Unix: -1}, false},
		{TextFacts{Offset: 1 << 27}, false},
		{TextFacts{Offset: -1 << 27}, false},
	} {
		var p TextsPart
		p.Add(nil, &test.f)
		texts, err := OpenTexts(mustOpen(t, BuildTexts(Ancestor{1, 1}, nil, []TextsPart{p}).Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := texts.Facts(0); ok != test.fits || ok && f != test.f {
			t.Errorf("%+v came back as %+v, %v", test.f, f, ok)
		}
	}
	var p TextsPart
	p.Add([]byte("x"), nil)
	texts, err := OpenTexts(mustOpen(t, BuildTexts(Ancestor{1, 1}, nil, []TextsPart{p}).Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := texts.Facts(0); ok {
		t.Errorf("a text without facts has %+v", f)
	}
}

// FuzzImage opens arbitrary bytes.
func FuzzImage(f *testing.F) {
	f.Add(full(f).imageBytes(f))
	f.Add(image.NewBuilder(image.Store).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := image.Open(data, nil)
		if err != nil {
			return
		}
		if s, err := Open(img); err == nil && s.Verify() == nil {
			askEverything(s)
		}
	})
}

// Every single byte of an image, changed with the checksums made to fit.
func TestEveryByte(t *testing.T) {
	s := full(t)
	accepted := map[string]int{}
	for _, sec := range sections {
		data, _ := s.img.Section(sec.id)
		for i := range data {
			changed := slices.Clone(data)
			changed[i] ^= 0x81
			tampered, err := Open(mustOpen(t, rebuilt(t, s, map[image.ID][]byte{sec.id: changed})))
			if err == nil && tampered.Verify() == nil {
				accepted[sec.name]++
				askEverything(tampered)
			}
		}
	}
	// These are derived from others, byte for byte.
	for _, name := range []string{"order", "fan", "flags", "starts", "by-pred", "by-succ", "heads", "child-first", "child-list"} {
		if accepted[name] > 0 {
			t.Errorf("%d changes in section %s were accepted", accepted[name], name)
		}
	}
}
