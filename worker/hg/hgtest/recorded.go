// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Recorded is one repository of testdata/repos, as testdata/repos.json tells
// it. Its tar holds one or more top-level folders.
type Recorded struct {
	Name   string `json:"name"`
	About  string `json:"about"`            // what it is there for
	Recipe string `json:"recipe"`           // file and function below testdata/recipe that made it
	Hg     string `json:"hg"`               // version of Mercurial that made it
	Dir    string `json:"dir"`              // the top-level folder to run commands in
	Broken bool   `json:"broken,omitempty"` // damaged on purpose
}

// testTmp stands in recorded files and outputs for the folder that a
// repository was extracted into.
const testTmp = "$TESTTMP"

var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module hgbroker\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("not run inside of hgbroker's module: no go.mod of it above the working directory")
		}
	}
})

// Testdata returns the path of testdata or of a file in it.
func Testdata(elem ...string) (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{dir, "testdata"}, elem...)...), nil
}

// LoadManifest reads testdata/repos.json.
func LoadManifest() ([]Recorded, error) {
	path, err := Testdata("repos.json")
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []Recorded
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s lists no repositories", path)
	}
	return list, nil
}

var manifest = sync.OnceValues(LoadManifest)

// Repos lists the recorded repositories.
func Repos(t testing.TB) []Recorded {
	t.Helper()
	list, err := manifest()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func recorded(t testing.TB, name string) Recorded {
	t.Helper()
	for _, r := range Repos(t) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no recorded repository %q in testdata/repos.json", name)
	panic("unreachable")
}

// Extract unpacks the recorded repository name into a folder of the test's own
// and returns the directory to run commands in, symlinks resolved.
func Extract(t testing.TB, name string) string {
	t.Helper()
	r := recorded(t, name)
	tmp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ExtractTo(tmp); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(tmp, r.Dir)
}

// ExtractTo unpacks r into the existing folder tmp.
func (r Recorded) ExtractTo(tmp string) error {
	path, err := Testdata("repos", r.Name+".tar.gz")
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := Unpack(f, tmp); err != nil {
		return fmt.Errorf("unpack %s: %w", path, err)
	}
	return nil
}
