// SPDX-License-Identifier: GPL-2.0-or-later

package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
)

// TestTreesAgainstHg reads the manifests of a repository with trees, in an order
// in which each may be written out of the one before, and compares the text with
// what hg lists.
func TestTreesAgainstHg(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "repo")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			s := &hgtest.Shell{Hg: hgtest.CLI(version.Path), Dir: dir, Env: hgtest.BaseEnv()}
			s.Must(t, "--config", "experimental.treemanifest=yes", "init")
			long := strings.Repeat("Directory With A Long Name/", 6)
			commit := func(pairs ...string) {
				for i := 0; i < len(pairs); i += 2 {
					path := filepath.Join(dir, pairs[i])
					if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(pairs[i+1]), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				s.Must(t, "commit", "-q", "-A", "-m", "x", "-u", "x", "-d", "0 0")
			}
			commit("a", "1", "lib/x/y/z", "1", "lib.o", "1", "lib/x.c", "1", "lib-a/b", "1", long+"f", "1")
			commit("lib/x/y/z", "2")
			commit("other/Dir/f", "1", "a", "2")
			s.Must(t, "remove", "-q", filepath.Join(dir, "lib"))
			s.Must(t, "commit", "-q", "-m", "x", "-u", "x", "-d", "0 0")
			layout, err := requires.Resolve(dir)
			if err != nil {
				t.Fatal(err)
			}
			log, err := manifest.Open(layout.Store(), layout.Requirements.Has(requires.TreeManifest))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			for _, rev := range []string{"0", "1", "3", "2", "0", "2", "1", "3"} {
				m, err := log.Manifest(node.Rev(rev[0] - '0'))
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				for e, err := range m.All() {
					if err != nil {
						t.Fatal(err)
					}
					got.WriteString(e.Node.Hex() + " " + string(e.Path) + "\n")
				}
				want := ""
				for line := range strings.Lines(s.Must(t, "manifest", "--debug", "-r", rev)) {
					id, rest, _ := strings.Cut(line, " ")
					want += id + " " + strings.TrimLeft(rest[3:], " *@")
				}
				if got.String() != want {
					t.Errorf("manifest %s is\n%snot\n%s", rev, got.String(), want)
				}
				if _, err := manifest.Parse(m.Text()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
