// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

func v1File(entries ...string) []byte {
	b := make([]byte, v1Header)
	for _, e := range entries {
		b = append(b, e...)
	}
	return b
}

func v1Record(state byte, mode, size, mtime int32, name string) string {
	b := []byte{state}
	for _, n := range []int32{mode, size, mtime, int32(len(name))} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return string(b) + name
}

// TestWorkedExample is the one above the reader.
func TestWorkedExample(t *testing.T) {
	raw, _ := hex.DecodeString("6e000081a4000000065f5e10000000000161")
	d, err := ParseV1(append(make([]byte, v1Header), raw...))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := d.Lookup("a")
	mode, size, mtime := e.Item.V1()
	if !ok || e.Item.State() != 'n' || mode != 0o100644 || size != 6 || mtime != 0x5f5e1000 {
		t.Errorf("%+v", e)
	}
}

// TestV1Meaning pins what version 1's special numbers stand for, and that
// V1 gives them back.
func TestV1Meaning(t *testing.T) {
	for _, c := range []struct {
		state       byte
		size, mtime int32
		flags       Flags
		is          string
	}{
		{'n', 5, 7, WdirTracked | P1Tracked | HasModeAndSize | HasMtime, "maybe clean"},
		{'n', 5, -1, WdirTracked | P1Tracked | HasModeAndSize, "maybe clean"},
		{'n', -1, -1, WdirTracked | P1Tracked, "maybe clean"},
		{'n', -2, -1, WdirTracked | P2Info, "p2 info, from p2"},
		{'m', -2, -1, WdirTracked | P1Tracked | P2Info, "p2 info, merged"},
		{'a', -1, -1, WdirTracked, "added"},
		{'r', 0, 0, P1Tracked, "removed"},
		{'r', -1, 0, P1Tracked | P2Info, "removed"},
		{'r', -2, 0, P2Info, "removed"},
	} {
		i, ok := fromV1(c.state, 0o100644, c.size, c.mtime)
		if !ok || i.Flags != c.flags {
			t.Errorf("%c %d %d: %+v", c.state, c.size, c.mtime, i)
		}
		var is []string
		for _, p := range []struct {
			name string
			ok   bool
		}{{"maybe clean", i.MaybeClean()}, {"p2 info", i.P2Info()}, {"from p2", i.FromP2()}, {"merged", i.Merged()}, {"added", i.Added()}, {"removed", i.Removed()}} {
			if p.ok {
				is = append(is, p.name)
			}
		}
		if got := strings.Join(is, ", "); got != c.is {
			t.Errorf("%c %d %d is %s, want %s", c.state, c.size, c.mtime, got, c.is)
		}
		if _, size, mtime := i.V1(); i.State() != c.state || size != c.size || mtime != c.mtime {
			t.Errorf("%c %d %d comes back as %c %d %d", c.state, c.size, c.mtime, i.State(), size, mtime)
		}
	}
}

func TestV1Order(t *testing.T) {
	d, err := ParseV1(v1File(
		v1Record('n', 0, 1, 2, "b"), v1Record('a', 0, -1, -1, "a/x\x00b"), v1Record('n', 0, 1, 2, "a-"), v1Record('r', 0, 0, 0, "b")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range d.Len() {
		e := d.At(i)
		got = append(got, fmt.Sprintf("%c %s %s", e.Item.State(), e.Path, e.CopySource))
	}
	if s := strings.Join(got, ";"); s != "n a- ;a a/x b;r b " {
		t.Error(s)
	}
	if !d.HasDir("a") || d.HasDir("b") {
		t.Error("directories")
	}
}

func TestDamage(t *testing.T) {
	good := v1File(v1Record('n', 0, 1, 2, "name"))
	for n := 1; n < len(good); n++ {
		_, err := ParseV1(bytes.Clone(good[:n]))
		var damage *hgerr.Damage
		var abort *hgerr.Abort
		switch {
		case n < v1Header:
			if !errors.As(err, &abort) || abort.Message != "working directory state appears damaged!" {
				t.Errorf("%d bytes: %v", n, err)
			}
		case n > v1Header && !errors.As(err, &damage):
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := ParseV1(v1File(v1Record('z', 0, 1, 2, "name"))); err == nil {
		t.Error("unknown state")
	}
	if _, err := ParseDocket([]byte("something else")); !hgerr.IsUnsupported(err) {
		t.Errorf("docket without marker: %v", err)
	}
}

// v2Cycle is a data file of one node whose child is itself.
func v2Cycle() (docket, data []byte) {
	node := make([]byte, v2Node)
	binary.BigEndian.PutUint32(node[18:], 1)
	docket = append([]byte(v2Marker), make([]byte, v2Docket-len(v2Marker))...)
	binary.BigEndian.PutUint32(docket[len(v2Marker)+2*v2Parent+4:], 1)
	docket[v2Docket-1] = 2
	return append(docket, "id"...), node
}

func TestV2Cycle(t *testing.T) {
	raw, data := v2Cycle()
	docket, err := ParseDocket(raw)
	if err != nil || docket.DataFile() != "dirstate.id" {
		t.Fatalf("%+v, %v", docket, err)
	}
	if _, err := ParseV2(docket, data); err == nil {
		t.Error("a tree that is its own branch was read")
	}
}

func FuzzParseV1(f *testing.F) {
	f.Add(v1File(v1Record('n', 0o100644, 1, 2, "name"), v1Record('a', 0, -1, -1, "x\x00y")))
	f.Add(v1File(v1Record('r', 0, -2, 0, "b"), v1Record('m', 0, -2, -1, "a")))
	f.Add(v1File(v1Record('a', 0, 0, 0, ""), v1Record('a', 0, 0, 0, "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseV1(bytes.Clone(data))
		if err == nil {
			checkSorted(t, d)
			checkTable(t, d)
		}
	})
}

func FuzzParseV2(f *testing.F) {
	docket, data := v2Cycle()
	f.Add(docket, data)
	two := append(bytes.Clone(data), data...)
	binary.BigEndian.PutUint32(two[14:], v2Node)
	binary.BigEndian.PutUint16(two[v2Node+4:], 3)
	binary.BigEndian.PutUint16(two[v2Node+30:], uint16(WdirTracked|P1Tracked|HasModeAndSize|HasMtime))
	binary.BigEndian.PutUint32(two[v2Node+18:], 0)
	f.Add(docket, two)
	f.Fuzz(func(t *testing.T, docket, data []byte) {
		dk, err := ParseDocket(docket)
		if err != nil {
			return
		}
		d, err := ParseV2(dk, data)
		if err == nil {
			checkSorted(t, d)
			checkTable(t, d)
		}
	})
}

func checkSorted(t *testing.T, d *Dirstate) {
	for i := range d.Len() {
		e := d.At(i)
		if i > 0 && d.Path(i-1) >= e.Path {
			t.Fatal("not sorted")
		}
		if !e.Item.AnyTracked() {
			t.Fatal("an entry that is tracked nowhere")
		}
		e.Item.V1()
	}
}

func BenchmarkParseV1(b *testing.B) {
	for _, sorted := range []bool{true, false} {
		var entries []string
		for i := range 100_000 {
			dir := i / 200
			if !sorted {
				dir = i % 500
			}
			entries = append(entries, v1Record('n', 0o100644, int32(i), 1_600_000_000, fmt.Sprintf("dir%03d/sub/some file name %06d.c", dir, i)))
		}
		data := v1File(entries...)
		read := bytes.Clone(data)
		b.Run(fmt.Sprintf("sorted=%v", sorted), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				copy(read, data)
				if d, err := ParseV1(read); err != nil || d.Len() != len(entries) {
					b.Fatal(err)
				}
			}
		})
	}
}
