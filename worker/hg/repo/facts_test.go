// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"reflect"
	"strings"
	"testing"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
)

// What an image says of a text is what the text says.
func TestStoredFacts(t *testing.T) {
	manifest := strings.Repeat("0f", node.Size)
	texts := []string{
		"\nAda\n0 0\n\nplain",
		"\nAda <ada@example.org>\n1136214245 25200\nREADME\nsrc/a b\n\nfirst line\nsecond\r\nthird\n",
		"\nAda\n1136214245 -7200 branch:stable\x00close:1\nf\n\n \t\n  begins and ends with space \v\n",
		"\nAda\n1136214245 0 branch:a\\nb\n\nan escape",
		"\nZo\xc3\xab\n4294967295 0\n\n\xc2\xa0caf\xc3\xa9\xe2\x80\xa8line",
		"\nZo\xeb\n5 0\n\nLatin-1",
		"\nAda\n-1 0\n\nbefore 1970",
		"\nAda\n4294967296 0\n\nafter 2106",
		"\nAda\n7.5 0\n\na fraction",
		"\nAda\n7 nonsense\n\nno time zone",
		"\n\n7 0\n\n",
		"\nAda\n7 0\n\n\n\n",
		"\nAda\n7 0\nf\n\n\r",
	}
	var p snapshot.TextsPart
	var known int
	for i, text := range texts {
		texts[i] = manifest + text
		c, err := changelog.Parse([]byte(texts[i]))
		if err != nil {
			t.Fatal(i, err)
		}
		f := factsOf(&c)
		p.Add(c.Text(), f.stored(&c))
	}
	short := "0f0f\nAda\n7 0\n\na short manifest"
	p.Add([]byte(short), nil)
	img, err := image.Open(snapshot.BuildTexts(snapshot.Ancestor{Len: len(texts) + 1}, nil, []snapshot.TextsPart{p}).Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := snapshot.OpenTexts(img)
	if err != nil {
		t.Fatal(err)
	}
	r := &Repo{}
	r.columns.open = open
	for i, text := range append(texts, short) {
		k, ok := r.stored(node.Rev(i))
		want, err := changelog.Parse([]byte(text))
		if !ok || err != nil || !reflect.DeepEqual(k.c, want) {
			t.Errorf("%q: %+v, %v, not %+v, %v", text, k.c, ok, want, err)
			continue
		}
		if !k.facts.known {
			continue
		}
		if known++; !reflect.DeepEqual(k.facts, factsOf(&want)) {
			t.Errorf("%q: %+v, not %+v", text, k.facts, factsOf(&want))
		}
	}
	if want := 9; known != want {
		t.Errorf("%d texts have facts in the image, not %d", known, want)
	}
	// Facts of another text name nothing outside of the one that they are used with.
	for i := range texts {
		f, ok := open.Facts(node.Rev(i))
		if !ok {
			continue
		}
		for _, text := range texts {
			c, ok := changelog.At([]byte(text), f.User, f.Date, f.Files)
			if !ok {
				continue
			}
			if got, ok := factsFrom(&c, &f); ok && (got.begin > got.line || got.line > got.end || got.end > len(c.Description())) {
				t.Errorf("%q with the facts of %d: %+v", text, i, got)
			}
		}
	}
	if _, ok := changelog.At([]byte("short"), 41, 42, 43); ok {
		t.Error("a short text has a changeset's lines")
	}
}
