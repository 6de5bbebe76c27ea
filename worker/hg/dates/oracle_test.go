// SPDX-License-Identifier: GPL-2.0-or-later

package dates_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hgPath finds the real hg to compare with, or skips the test.
func hgPath(t *testing.T) string {
	t.Helper()
	hg := os.Getenv("HGBROKER_TEST_HG")
	if hg == "" {
		hg = "hg"
	}
	path, err := exec.LookPath(hg)
	if err != nil {
		t.Skipf("no hg to compare with: %v", err)
	}
	return path
}

// oracle runs a script of testdata with the Python and the modules of the real
// hg, and calls each for every JSON line that it prints.
func oracle[T any](t *testing.T, script string, args []string, each func(T)) {
	t.Helper()
	text, err := os.ReadFile(hgPath(t))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	shebang := strings.Fields(strings.TrimPrefix(first, "#!"))
	if !strings.HasPrefix(first, "#!") || len(shebang) == 0 {
		t.Skipf("%s is not a Python script", hgPath(t))
	}
	script, err = filepath.Abs(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	command := append(append(shebang[1:], script), args...)
	cmd := exec.Command(shebang[0], command...)
	cmd.Env = append(os.Environ(), "HGRCPATH=", "HGPLAIN=", "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s cannot import Mercurial: %v", shebang[0], err)
	}
	count := 0
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // a debug message of hg
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		each(v)
		count++
	}
	if count == 0 {
		t.Fatal("the oracle printed nothing")
	}
}

// toBytes undoes the way in which the oracle writes bytes.
func toBytes(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
