// SPDX-License-Identifier: GPL-2.0-or-later

package mq

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// patches are beginnings of patches in all forms, odd ones too.
var patches = []string{
	"", "\n", "a\n", "one\ntwo\n\nthree\n\ndiff -r 1 a\n--- a/a\n+++ b/a\n", "one\ndiff --git a/a b/a\n",
	"# HG changeset patch\n# User me\n# Date 0 0\n#      Thu Jan 01 00:00:00 1970 +0000\n# Node ID 1\n# Parent  0\nthe first line\n\nthe last line\n\ndiff -r 0 -r 1 a\n--- a/a\tx\n+++ b/a\ty\n@@ -1 +1 @@\n",
	"# HG changeset patch\n\n\n# User me\n#odd\n# not data any more\n--- no diff\nmore\n", "junk\n# HG changeset patch\n# Date 1 0\nmessage\n# HG changeset patch\nagain\n",
	"From: me\nSubject: what\nDate: today\n\nbody\nSubject: no more\n---\na | 1 +\n", "subject: low\nfrom: me\nbody without an empty line\n", "Subject: alone\n", "Subject: \n\nx\n",
	"text\nFrom: me\nmore\n", "text \t\r\nIndex: a\n===========\n--- a\n+++ a\n", "--- \n+++ x\nnot reached\n", "--- a\nb\n+++ c\n", "diff -u a b\nIndex: x\n\n",
	"\n\nmessage\n\n \n", "# comment\nmessage\n", "# HG changeset patch\n# only data\n", "a\x00b\n\xff\n", "no end of line",
}

// TestMessageAgainstMercurial compares with the class that mq reads patches with.
func TestMessageAgainstMercurial(t *testing.T) {
	const script = `
import sys
from hgext import mq
sys.stdout.buffer.write(b'\n'.join(mq.patchheader(sys.argv[1].encode()).message))`
	for _, v := range hgtest.HgVersions(t) {
		for i, text := range patches {
			file := filepath.Join(t.TempDir(), "patch")
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := hgtest.Python(t, v.Path, "-c", script, file)
			want := string(hgtest.Output(t, cmd))
			if got := strings.Join(Message([]byte(text)), "\n"); got != want {
				t.Errorf("hg %s, patch %d, %q: %q, want %q", v.Number, i, text, got, want)
			}
		}
	}
}

// FuzzMessage feeds it anything: no line of a message has a line end.
func FuzzMessage(f *testing.F) {
	for _, text := range patches {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, line := range Message(text) {
			if strings.Contains(line, "\n") {
				t.Errorf("%q has a line %q", text, line)
			}
		}
	})
}
