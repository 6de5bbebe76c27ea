// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// Python returns a command that runs the interpreter of the hg at path, which
// can import its Mercurial, with args ("-c" and a program, or a script's file)
// in BaseEnv. The test may set the command's Dir, Stdin or Env before Output.
func Python(t testing.TB, path string, args ...string) *exec.Cmd {
	t.Helper()
	python, err := HgPython(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, args...)
	cmd.Env = BaseEnv("PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// Output runs a command to its end and returns what it prints to stdout; a
// command that fails fails the test, with what it printed to stderr.
func Output(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, &stderr)
	}
	return out
}

// maxOracleLine bounds one line of an Oracle.
const maxOracleLine = 1 << 24

// Oracle runs a script of the test's own testdata folder in the Python of Hg
// and calls each for every JSON object that it prints, one a line. Such a
// script makes random input from a seed, asks Mercurial's own functions what
// comes of it, and prints both; strings of bytes are in the form of Latin1. A
// script that prints nothing fails the test.
func Oracle[T any](t testing.TB, script string, args []string, each func(T)) {
	t.Helper()
	cmd := Python(t, Hg(t), append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Env = append(cmd.Env, "HGPLAIN=")
	lines := bufio.NewScanner(bytes.NewReader(Output(t, cmd)))
	lines.Buffer(nil, maxOracleLine)
	count := 0
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue // a debug message of hg
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v in %q", script, err, lines.Bytes())
		}
		each(v)
		count++
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	if count == 0 {
		t.Fatalf("%s printed nothing", script)
	}
}

// Latin1 writes bytes as ISO-8859-1 text, a code point for each, so that any
// of them get through JSON and back.
func Latin1(bytes string) string {
	text := make([]rune, len(bytes))
	for i := range len(bytes) {
		text[i] = rune(bytes[i])
	}
	return string(text)
}

// FromLatin1 gives back the bytes that Latin1 wrote.
func FromLatin1(text string) string {
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		bytes = append(bytes, byte(r))
	}
	return string(bytes)
}
