// SPDX-License-Identifier: GPL-2.0-or-later

package hgurl_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/hgurl"
)

// script answers each line of hexadecimal digits, a place, with the place as hg
// writes it, without its password, and the local path if there is one.
const script = `
import sys
from mercurial import error
from mercurial.utils import urlutil
for line in sys.stdin:
    text = bytes.fromhex(line.strip())
    try:
        u = urlutil.url(text)
    except error.Abort:
        print('-')
        continue
    local = u.localpath() if u.islocal() else b'?'
    print(b'\0'.join([bytes(u), urlutil.hidepassword(text), local]).hex())
`

var seeds = []string{
	"", "#a", "/srv/repo", "../x#branch", "http://h/p", "http://u:p@h:80/p?q=1#f", "ssh://u@[::1]:22//abs", "file:///x/y", "file://localhost/x",
	"file://elsewhere/x", "bundle:foo", "bundle://../foo", `c:\x`, "http:", "http://h", "http://h/%41%zz b?x%20", "https://u:p%40@h/a b", "path://default", "a b",
	"ssh://h/~/x", "http://:p@h/", "http://u:@h/", "svn+ssh://h", "x:y", "http://@h/", "file:x", "file:", "http://h:/p", "file:/x", "http://?q",
}

// TestAgainstMercurial compares with hg's own class on random places.
func TestAgainstMercurial(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	texts := seeds
	for range 3000 {
		var b strings.Builder
		for range rng.IntN(12) {
			b.WriteString([]string{"http", "file", ":", "//", "/", "@", "#", "?", "a", "host", "%41", "%", "[::1]", "é", " ", "bundle:", "~", ".", "+", "localhost", "\\", "&"}[rng.IntN(22)])
		}
		texts = append(texts, b.String())
	}
	var in bytes.Buffer
	for _, text := range texts {
		in.WriteString(hex.EncodeToString([]byte(text)) + "\n")
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-c", script)
	cmd.Stdin = &in
	lines := strings.Split(strings.TrimSuffix(string(hgtest.Output(t, cmd)), "\n"), "\n")
	if len(lines) != len(texts) {
		t.Fatalf("%d answers to %d questions", len(lines), len(texts))
	}
	for i, text := range texts {
		got := "-"
		if u, err := hgurl.Parse(text); err == nil {
			hidden, err := hgurl.HidePassword(text)
			if err != nil {
				t.Fatal(err)
			}
			local := "?"
			if u.IsLocal() {
				local = u.LocalPath()
			}
			got = hex.EncodeToString([]byte(u.String() + "\x00" + hidden + "\x00" + local))
		}
		if got != lines[i] {
			want, _ := hex.DecodeString(lines[i])
			have, _ := hex.DecodeString(got)
			t.Errorf("%q: %q, hg has %q", text, have, want)
		}
	}
}

// FuzzParse: any text can be read and written.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := hgurl.HidePassword(text); err != nil {
			return
		}
		u, err := hgurl.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		u.LocalPath()
	})
}
