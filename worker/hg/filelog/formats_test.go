// SPDX-License-Identifier: GPL-2.0-or-later

package filelog_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// What follows is beside hgtest's generator because it needs what that does
// not give: one history in every format, with a chosen limit of inline revlogs,
// and a dump of all that real hg reads from each revlog.

// dumpedRev is one revision as hg reads it. Strings are in the form of
// hgtest.Latin1; texts are given as hex SHA-256.
type dumpedRev struct {
	Kind, Path string // "changelog", "manifest" or "filelog" of a path
	Rev        int32
	Node       string
	P1, P2     int32
	Link       int32
	Flags      uint16
	Size       int64
	Text       string // of the stored text
	Delta      int32  // what it is a delta of
	Inline     bool

	// Of a changeset.
	Manifest, User string
	Time           float64
	TZ             int
	Extra          map[string]string
	Files          []string
	Desc           string
	Closes         bool

	// Of a manifest: the SHA-256 over path, 0, node, flag, newline of each file.
	Entries string
	Count   int

	// Of a file revision.
	Copy        []string // source and its node
	Content     string   // without metadata
	ContentSize int64
}

// format is how a repository can be stored.
type format struct {
	name   string
	inline int // longest inline revlog in bytes
	config []string
}

// formats lists what each test should pass with.
func formats() []format {
	const inline = 131072
	return []format{
		{"default", inline, nil},
		{"split", 2000, nil},
		{"inline", 1 << 30, nil},
		{"zlib", inline, []string{"format.revlog-compression=zlib"}},
		{"none", inline, []string{"format.revlog-compression=none"}},
		{"no-sparse", inline, []string{"format.sparse-revlog=no"}},
		{"no-sparse-split-zlib", 2000, []string{"format.sparse-revlog=no", "format.revlog-compression=zlib"}},
		{"no-generaldelta", inline, []string{"format.usegeneraldelta=no", "format.sparse-revlog=no"}},
		{"no-generaldelta-split", 2000, []string{"format.usegeneraldelta=no", "format.sparse-revlog=no"}},
		{"no-dotencode", inline, []string{"format.dotencode=no"}},
		{"no-fncache", inline, []string{"format.usefncache=no"}},
		{"no-store", inline, []string{"format.usestore=no", "format.use-share-safe=no"}},
		{"unlimited-chain", 2000, []string{"format.maxchainlen=100000"}},
		{"nodemap", 2000, []string{"format.use-persistent-nodemap=yes", "storage.revlog.persistent-nodemap.slow-path=allow"}},
	}
}

// makeSource makes the repository that the formats are pulled from: some 125
// changesets, two heads, a merge, copies, odd file names and contents.
func makeSource(t testing.TB, v hgtest.Version) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "source")
	runScript(t, v, "make.py", dir)
	return dir
}

// pull pulls source into a new repository of the given format.
func pull(t testing.TB, v hgtest.Version, source string, f format) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), f.name)
	runScript(t, v, "clone.py", append([]string{source, dir, strconv.Itoa(f.inline)}, f.config...)...)
	return dir
}

// dumpRevs reads all of a repository with hg.
func dumpRevs(t testing.TB, v hgtest.Version, repo string) []dumpedRev {
	t.Helper()
	var revs []dumpedRev
	d := json.NewDecoder(bytes.NewReader(runScript(t, v, "dump.py", repo)))
	for d.More() {
		var r dumpedRev
		if err := d.Decode(&r); err != nil {
			t.Fatalf("decode dump of %s: %v", repo, err)
		}
		revs = append(revs, r)
	}
	if len(revs) < 100 {
		t.Fatalf("dump of %s has only %d revisions", repo, len(revs))
	}
	return revs
}

// sum returns the hash of a text as a dumpedRev has it.
func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

// runScript runs a script of testdata in the Python of an hg and returns what
// it prints.
func runScript(t testing.TB, v hgtest.Version, script string, args ...string) []byte {
	t.Helper()
	return hgtest.Output(t, hgtest.Python(t, v.Path, append([]string{filepath.Join("testdata", script)}, args...)...))
}
