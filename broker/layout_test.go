// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// topLevel is all that may lie at the top of the tree, beside dot files.
var topLevel = []string{"broker", "protocol", "master", "worker", "clients", "testdata", "go.mod", "go.sum", "CHANGES", "README.md"}

// mayImport says which of our packages a folder's packages may import, beside
// their own folder's. The longest matching folder counts. Tests may import more:
// they put things together that must not know each other.
var mayImport = []struct {
	folder string
	of     []string
	why    string
}{
	{"protocol", nil, "the wires know nothing of what is at their ends"},
	{"worker/hg", nil, "the engine is a library"},
	{"worker", []string{"protocol", "worker/hg"}, "a worker serves its wires with the engine"},
	{"master", []string{"protocol", "worker/hg/image"}, "the master parses nothing of a repository, image headers at most"},
	{"broker", []string{"protocol"}, "the broker knows no format of Mercurial's"},
	{"broker/hgbroker", []string{"protocol", "broker", "master", "worker", "clients/hg"}, "main puts the processes together"},
	{"clients", []string{"protocol"}, "a client sees only the wires"},
}

// engineMayNotImport keeps processes, sockets and the like out of worker/hg.
var engineMayNotImport = []string{"os/exec", "net", "net/http", "log", "log/slog", "os/signal"}

// nobodyImports would be linked into every worker and slow down its start.
var nobodyImports = []string{"net/http", "crypto/tls", "net/http/pprof"}

var junkDrawers = []string{"util", "utils", "common", "helper", "helpers", "misc", "types", "shared", "lib", "tools"}

const maxLines = 700

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s: the top level holds only %s and dot files", e.Name(), strings.Join(topLevel, ", "))
		}
	}
}

// goFile is one source file of the tree.
type goFile struct {
	path   string // slashes, from the top
	folder string
	text   []byte
	test   bool // also all of a package for tests, whose name ends with "test"
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel("..", p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || rel == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(rel) != ".go" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files = append(files, goFile{rel, path.Dir(rel), text, strings.HasSuffix(rel, "_test.go") || forTests(path.Dir(rel))})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files: this test looks in the wrong place", len(files))
	}
	return files
}

func forTests(folder string) bool { return strings.HasSuffix(folder, "test") }

func under(folder, top string) bool { return folder == top || strings.HasPrefix(folder, top+"/") }

func TestImports(t *testing.T) {
	for _, f := range goFiles(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.ImportsOnly)
		if err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		own, of, why := "", []string(nil), "it is in none of the folders that the table knows"
		for _, rule := range mayImport {
			if under(f.folder, rule.folder) && len(rule.folder) > len(own) {
				own, of, why = rule.folder, rule.of, rule.why
			}
		}
		for _, spec := range parsed.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if slices.Contains(nobodyImports, name) && !f.test {
				t.Errorf("%s imports %s: every worker would carry it", f.path, name)
			}
			if under(f.folder, "worker/hg") && !f.test && slices.Contains(engineMayNotImport, name) {
				t.Errorf("%s imports %s: the engine has no process, socket or log", f.path, name)
			}
			ours, ok := strings.CutPrefix(name, "hgbroker/")
			if !ok || f.test {
				continue
			}
			if forTests(ours) {
				t.Errorf("%s imports %s: that is for tests", f.path, name)
			}
			allowed := own != "" && under(ours, own)
			for _, top := range of {
				allowed = allowed || under(ours, top)
			}
			if !allowed {
				t.Errorf("%s imports %s: %s may import only %s: %s", f.path, name, own, strings.Join(append([]string{"itself"}, of...), ", "), why)
			}
		}
	}
}

func TestSourceFiles(t *testing.T) {
	const spdx = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
	packages := map[string]bool{} // folder → it has a package comment
	for _, f := range goFiles(t) {
		if !bytes.HasPrefix(f.text, []byte(spdx)) {
			t.Errorf("%s: the first line must be %q", f.path, strings.TrimSpace(spdx))
		}
		if n := bytes.Count(f.text, []byte("\n")); n > maxLines && !f.test {
			t.Errorf("%s has %d lines: a file is one noun, and at most %d lines", f.path, n, maxLines)
		}
		for _, part := range append(strings.Split(f.folder, "/"), strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")) {
			if slices.Contains(junkDrawers, part) {
				t.Errorf("%s: %q says nothing about what is in it", f.path, part)
			}
		}
		if f.test {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		packages[f.folder] = packages[f.folder] || parsed.Doc != nil && len(parsed.Doc.Text()) > 40
	}
	for folder, documented := range packages {
		if !documented {
			t.Errorf("package %s has no comment that says what it is", folder)
		}
	}
}
