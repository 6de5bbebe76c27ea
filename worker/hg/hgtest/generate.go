// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Generator makes random repositories with Mercurial's own code: one process
// of testdata/recipe/random_repo.py, in the interpreter of a real hg, kept open.
// Its methods may be called by several goroutines, which then take turns.
type Generator struct {
	mu  sync.Mutex // guards all
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log *logBuffer
}

// OpenGenerator starts the generator under the hg at path.
func OpenGenerator(path string) (*Generator, error) {
	python, err := HgPython(path)
	if err != nil {
		return nil, err
	}
	script, err := Testdata("recipe", "random_repo.py")
	if err != nil {
		return nil, err
	}
	g := &Generator{cmd: exec.Command(python, script, "--serve"), log: new(logBuffer)}
	g.cmd.Env = BaseEnv("PYTHONDONTWRITEBYTECODE=1")
	g.cmd.Stderr = g.log
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.out = bufio.NewReader(out)
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the repository generator: %w", err)
	}
	return g, nil
}

// Make makes the repository of seed and variant at dir, which must not exist.
// In a share variant the shared repository lies beside it as dir+"-source".
func (g *Generator) Make(dir string, seed uint64, v Variant) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if strings.ContainsAny(dir, "\t\n") {
		return fmt.Errorf("generate %q: the name holds a tab or newline", dir)
	}
	if _, err := fmt.Fprintf(g.in, "%d\t%s\t%s\n", seed, v, dir); err != nil {
		return fmt.Errorf("generate seed %d %q: %w; it said %s", seed, v, err, g.log)
	}
	line, err := g.out.ReadString('\n')
	if err != nil || line != "ok\n" {
		return fmt.Errorf("generate seed %d %q: answer %q, %v; it said %s", seed, v, line, err, g.log)
	}
	return nil
}

// Close ends the process.
func (g *Generator) Close() {
	g.in.Close()
	io.Copy(io.Discard, g.out)
	g.cmd.Wait()
}

// NewGenerator is OpenGenerator for a test: it ends with t.
func NewGenerator(t testing.TB, path string) *Generator {
	t.Helper()
	g, err := OpenGenerator(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// New makes the repository of seed and variant in a folder of the test's own
// and returns its directory.
func (g *Generator) New(t testing.TB, seed uint64, v Variant) string {
	t.Helper()
	tmp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(tmp, "repo")
	if err := g.Make(dir, seed, v); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Generate makes one random repository with Hg's Mercurial. A test of many
// opens a Generator.
func Generate(t testing.TB, seed uint64, v Variant) string {
	t.Helper()
	g, err := OpenGenerator(Hg(t))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	return g.New(t, seed, v)
}
