// SPDX-License-Identifier: GPL-2.0-or-later

package changelog

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

const example = "80b5d5e0f8ef61b0c9dfd7dfa3a97b3a2a6f1f51\nalice <alice@example.com>\n1136214245 25200 branch:stable\x00close:1\nREADME\n\nclose the branch"

// TestWorkedExample has the bytes of the package comment.
func TestWorkedExample(t *testing.T) {
	c, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	man, err1 := c.Manifest()
	date, err2 := c.Date()
	branch, closes, err3 := c.Branch()
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if man.Short() != "80b5d5e0f8ef" || string(c.User()) != "alice <alice@example.com>" || date != (Date{1136214245, 25200}) ||
		branch != "stable" || !closes || string(c.Description()) != "close the branch" ||
		fmt.Sprint(c.FileList()) != "[README]" || !c.HasFiles() || date.Seconds() != 1136214245 {
		t.Errorf("%v %q %v %q %v %q %q", man, c.User(), date, branch, closes, c.Description(), c.FileList())
	}
}

func TestNullChangeset(t *testing.T) {
	c, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	man, err1 := c.Manifest()
	date, err2 := c.Date()
	branch, closes, err3 := c.Branch()
	extras, err4 := c.Extras()
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || !man.IsNull() || date != (Date{}) || branch != "default" || closes ||
		len(extras) != 1 || c.User() != nil || c.FileList() != nil || c.Description() != nil {
		t.Errorf("%v %v %q %v", man, date, branch, extras)
	}
}

func TestOddDates(t *testing.T) {
	for line, want := range map[string]Date{
		"0 0":                  {0, 0},
		"-1 -3600":             {-1, -3600},
		"1157407993.0252 0":    {1157407993.0252, 0},
		"12 what":              {12, 0}, // a time zone that is no number counts as 0
		"12 5 branch:a b c":    {12, 5},
		"99999999999999999 0":  {99999999999999999, 0},
		"1136214245 +25200 ":   {1136214245, 25200},
		"1136214245 25200 a:b": {1136214245, 25200},
	} {
		c, err := Parse([]byte("x\nu\n" + line + "\n\nd"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Date(); err != nil || got != want {
			t.Errorf("%q: got %v, want %v (%v)", line, got, want, err)
		}
	}
	for _, line := range []string{"", "12", "what 0", "nan 0", "inf 0", " 0"} {
		c, err := Parse([]byte("x\nu\n" + line + "\n\nd"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Date(); err == nil {
			t.Errorf("%q: got %v", line, got)
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, text := range []string{"x", "x\nu", "x\nu\n0 0", "x\nu\n0 0\n", "x\nu\n0 0\nfile", "x\nu\n0 0\nfile\n"} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, c)
		}
	}
	c, err := Parse([]byte("x\nu\n0 0 a\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Manifest(); err == nil {
		t.Error("manifest x")
	}
	if _, err := c.Extras(); err == nil {
		t.Error("extra without a value")
	}
}

// decodeScript decodes lines of hex as extra fields with hg's own code, and
// prints the table, or "error".
const decodeScript = `
import sys
from mercurial import changelog
for line in sys.stdin:
    try:
        extra = changelog.decodeextra(bytes.fromhex(line))
        print(' '.join('%s:%s' % (k.hex(), v.hex()) for k, v in extra.items()))
    except ValueError:
        print('error')
`

// TestExtrasLikeMercurial decodes random fields, most of them odder than hg
// writes.
func TestExtrasLikeMercurial(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	pieces := []string{"\\", "\\", "\\\\", "\\n", "\\r", "\\0", "0", "1", "12", "7", "8", "x", "\\x41", "\\x4", "a", ":", ":", "\x00", "\x00", "branch", "branch:b", "close:1",
		"\\'", "\\\"", "\\t", "\\q", "\\18", "\\777", "\\400", " ", "é", "\\é", "key:", "a:b"}
	var fields []string
	var in strings.Builder
	for range 20000 {
		var b strings.Builder
		for range rnd.IntN(10) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		fields = append(fields, b.String())
		in.WriteString(hex.EncodeToString([]byte(b.String())) + "\n")
	}
	for _, v := range hgtest.HgVersions(t) {
		cmd := hgtest.Python(t, v.Path, "-W", "ignore", "-c", decodeScript)
		cmd.Stdin = strings.NewReader(in.String())
		out := hgtest.Output(t, cmd)
		lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(lines) != len(fields) {
			t.Fatalf("%d answers for %d fields", len(lines), len(fields))
		}
		good := 0
		for i, field := range fields {
			c, err := Parse([]byte("x\nu\n0 0 " + field + "\n\nd"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			extras, err := c.Extras()
			for _, x := range extras {
				got = append(got, hex.EncodeToString([]byte(x.Key))+":"+hex.EncodeToString([]byte(x.Value)))
			}
			text := strings.Join(got, " ")
			if err != nil {
				text = "error"
			} else {
				good++
			}
			if text != lines[i] {
				t.Errorf("hg %s: %q: got %s (%v), want %s", v.Number, field, text, err, lines[i])
			}
		}
		if good < 1000 {
			t.Errorf("only %d fields decoded", good)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("80b5d5e0f8ef61b0c9dfd7dfa3a97b3a2a6f1f51\nu\n0 0\n\nd"))
	f.Add([]byte("x\nu\n1.5 -7200 a:\\0\\x41\\\\\nf\ng\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		var list []string
		for name := range c.Files() {
			list = append(list, string(name))
		}
		if fmt.Sprint(list) != fmt.Sprint(c.FileList()) {
			t.Errorf("files %q and %q", list, c.FileList())
		}
		_, _ = c.Manifest()
		_, _ = c.Date()
		c.User()
		c.Description()
		branch, closes, err := c.Branch()
		extras, err2 := c.Extras()
		if (err == nil) != (err2 == nil) {
			t.Errorf("%v but %v", err, err2)
		}
		if err != nil {
			return
		}
		seen := map[string]string{}
		for _, x := range extras {
			if _, twice := seen[x.Key]; twice {
				t.Errorf("%q twice", x.Key)
			}
			seen[x.Key] = x.Value
		}
		if _, ok := seen["close"]; ok != closes || seen["branch"] != branch {
			t.Errorf("branch %q %v of %q", branch, closes, seen)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := []byte(example)
	b.ReportAllocs()
	for b.Loop() {
		c, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Date(); err != nil {
			b.Fatal(err)
		}
	}
}
