// SPDX-License-Identifier: GPL-2.0-or-later

// Package revlogtest makes repositories in every revlog format with real hg's
// own code, and tells what is in them as real hg reads it. Only tests import
// it; it starts processes, which the packages that it tests must not.
package revlogtest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

//go:embed make.py
var makeScript []byte

//go:embed clone.py
var cloneScript []byte

//go:embed dump.py
var dumpScript []byte

// Rev is one revision as hg reads it. Strings hold one byte a code point
// (Bytes gives them back); texts are given as hex SHA-256.
type Rev struct {
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

// Variant is a format that a repository can be stored in.
type Variant struct {
	Name   string
	Inline int // longest inline revlog in bytes
	Config []string
}

// Variants lists what each test should pass with.
func Variants() []Variant {
	const inline = 131072
	return []Variant{
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

// Make makes the repository that the variants are pulled from: some 125
// changesets, two heads, a merge, copies, odd file names and contents.
func Make(t testing.TB, v hgtest.Version) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "source")
	run(t, v, makeScript, dir)
	return dir
}

// Clone pulls source into a new repository of the given format.
func Clone(t testing.TB, v hgtest.Version, source string, format Variant) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), format.Name)
	run(t, v, cloneScript, append([]string{source, dir, strconv.Itoa(format.Inline)}, format.Config...)...)
	return dir
}

// Dump reads all of a repository with hg.
func Dump(t testing.TB, v hgtest.Version, repo string) []Rev {
	t.Helper()
	var revs []Rev
	d := json.NewDecoder(bytes.NewReader(run(t, v, dumpScript, repo)))
	for d.More() {
		var r Rev
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

// Bytes returns the bytes that a string of a Rev stands for.
func Bytes(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// Sum returns the hash of a text as a Rev has it.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// run runs a script in the Python of an hg and returns what it prints.
func run(t testing.TB, v hgtest.Version, script []byte, args ...string) []byte {
	t.Helper()
	python, err := hgtest.HgPython(v.Path)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, append([]string{file}, args...)...)
	cmd.Env = hgtest.BaseEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", python, args, err, &stderr)
	}
	return out
}
