// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// OldHg is the Mercurial whose output the plain golden files hold, NewHg the
// one whose differing lines lie in a second file beside each.
const (
	OldHg = "6.3.2"
	NewHg = "7.2"
)

// Golden is what real hg answered to one command line in a recorded
// repository.
//
// A golden file is testdata/golden/NAME.jsonl.gz: one JSON object a line, in
// the order in which they were recorded; NAME@7.2.jsonl.gz holds those that
// Mercurial 7.2 answers otherwise, known by their line. Strings that are not
// UTF-8 are written as "base64:...". The folder that the repository was
// extracted into is written as $TESTTMP.
type Golden struct {
	Line    string // of testdata/commands.txt, before its placeholders were filled
	Command        // with them filled
	Stdout  []byte
	Stderr  []byte // of a crash only its first line
	Code    int
	Crash   bool // hg died of an unexpected exception: only its failing is meant to last
}

// Key tells the goldens of one repository apart.
func (g Golden) Key() string { return g.Line + "\x00" + g.Command.String() }

// goldenLine is the written form.
type goldenLine struct {
	Line  text   `json:"line"`
	Args  []text `json:"args"`
	Env   []text `json:"env,omitempty"`
	Sub   text   `json:"cd,omitempty"`
	Out   text   `json:"out,omitempty"`
	Err   text   `json:"err,omitempty"`
	Code  int    `json:"code"`
	Crash bool   `json:"crash,omitempty"`
}

// text is a string of raw bytes in JSON.
type text string

const base64Mark = "base64:"

func (s text) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(s)) && !strings.HasPrefix(string(s), base64Mark) {
		return []byte(s), nil
	}
	return []byte(base64Mark + base64.StdEncoding.EncodeToString([]byte(s))), nil
}

func (s *text) UnmarshalText(data []byte) error {
	encoded, ok := strings.CutPrefix(string(data), base64Mark)
	if !ok {
		*s = text(data)
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	*s = text(raw)
	return err
}

func texts(list []string) []text {
	var out []text
	for _, s := range list {
		out = append(out, text(s))
	}
	return out
}

func untexts(list []text) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// Expand returns g as it must come out in a repository that Extract put at
// dir: with the real folder for $TESTTMP.
func (g Golden) Expand(dir string) Golden {
	tmp := filepath.Dir(dir)
	expand := func(s string) string { return strings.ReplaceAll(s, testTmp, tmp) }
	c := Command{Sub: g.Sub}
	for _, a := range g.Args {
		c.Args = append(c.Args, expand(a))
	}
	for _, e := range g.Env {
		c.Env = append(c.Env, expand(e))
	}
	g.Command = c
	g.Stdout = []byte(expand(string(g.Stdout)))
	g.Stderr = []byte(expand(string(g.Stderr)))
	return g
}

// NewGolden is what the recorder writes for an answer that real hg gave in the
// repository extracted at dir. It fails where the replacement by $TESTTMP
// could not be undone.
func NewGolden(line string, c Command, dir string, stdout, stderr []byte, code int) (Golden, error) {
	tmp := filepath.Dir(dir)
	if bytes.Contains(stdout, []byte(testTmp)) || bytes.Contains(stderr, []byte(testTmp)) {
		return Golden{}, fmt.Errorf("record %s: its output holds %s", c, testTmp)
	}
	fold := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(tmp), []byte(testTmp)) }
	g := Golden{Line: line, Command: c, Stdout: fold(stdout), Stderr: fold(stderr), Code: code}
	if g.Crash = isCrash(stderr); g.Crash {
		g.Stdout, g.Stderr = nil, uncrash(stderr)
	}
	return g, nil
}

// WriteGoldens writes a golden file.
func WriteGoldens(path string, list []Golden) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false)
	for _, g := range list {
		l := goldenLine{text(g.Line), texts(g.Args), texts(g.Env), text(g.Sub), text(g.Stdout), text(g.Stderr), g.Code, g.Crash}
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// ReadGoldens reads a golden file.
func ReadGoldens(path string) ([]Golden, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := json.NewDecoder(z)
	var list []Golden
	for {
		var l goldenLine
		if err := d.Decode(&l); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", path, len(list), err)
		}
		list = append(list, Golden{
			Line:    string(l.Line),
			Command: Command{Args: untexts(l.Args), Env: untexts(l.Env), Sub: string(l.Sub)},
			Stdout:  []byte(l.Out), Stderr: []byte(l.Err), Code: l.Code, Crash: l.Crash,
		})
	}
}

// GoldenPath is where the goldens of a recorded repository lie; second selects
// the file of what NewHg answers otherwise.
func GoldenPath(name string, second bool) (string, error) {
	if second {
		name += "@" + NewHg
	}
	return Testdata("golden", name+".jsonl.gz")
}

// Goldens yields the goldens of the recorded repository name for a version of
// Mercurial: those of NewHg for it and whatever starts with it, of OldHg for
// all others. A recorded repository without goldens fails the test.
func Goldens(t testing.TB, name, version string) iter.Seq[Golden] {
	t.Helper()
	path, err := GoldenPath(name, false)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ReadGoldens(path)
	if err != nil {
		t.Fatalf("goldens: %v", err)
	}
	if len(list) == 0 {
		t.Fatalf("goldens: %s holds none", path)
	}
	newer := make(map[string]Golden)
	if strings.HasPrefix(version, NewHg) {
		path, err := GoldenPath(name, true)
		if err != nil {
			t.Fatal(err)
		}
		differing, err := ReadGoldens(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("goldens: %v", err)
		}
		for _, g := range differing {
			newer[g.Key()] = g
		}
	}
	return func(yield func(Golden) bool) {
		for _, g := range list {
			if n, ok := newer[g.Key()]; ok {
				g = n
			}
			if !yield(g) {
				return
			}
		}
	}
}
