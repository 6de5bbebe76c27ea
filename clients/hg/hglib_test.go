// SPDX-License-Identifier: GPL-2.0-or-later

package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// hglibRunner runs python-hglib's own tests, from its source, without nose.
const hglibRunner = `
import glob, importlib.util, json, os, sys, unittest
src, hg = sys.argv[1:3]
sys.path.insert(0, src)
import hglib, tests
tests.setUp()
hglib.HGPATH = hg
suite = unittest.TestSuite()
for path in sorted(glob.glob(os.path.join(src, 'tests', 'test-*.py'))):
    name = 'tests.' + os.path.basename(path)[:-3].replace('-', '_')
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(module))
r = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
bad = sorted({t.id() for t, _ in r.failures + r.errors})
print(json.dumps({'run': r.testsRun, 'passed': r.testsRun - len(bad) - len(r.skipped), 'failed': bad}))
`

// python-hglib's own tests pass with the drop-in as they do with the real hg.
func TestHglib(t *testing.T) {
	source := os.Getenv("HGBROKER_TEST_HGLIB")
	if source == "" {
		t.Skip("HGBROKER_TEST_HGLIB is not set: the directory of python-hglib's source package")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	w := newWorld(t)
	type result struct {
		Run, Passed int
		Failed      []string
	}
	suite := func(hg string) (r result) {
		cmd := exec.Command(python, "-c", hglibRunner, source, hg)
		// The tests run plain "hg init" as well.
		cmd.Dir, cmd.Env = w.base, append(w.env[:len(w.env):len(w.env)], "PATH="+filepath.Dir(w.real)+":"+os.Getenv("PATH"), "TMPDIR="+w.base)
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &r)
		}
		if err != nil {
			t.Fatalf("tests with %s: %v\n%s", hg, err, out)
		}
		return r
	}
	want, got := suite(w.real), suite(w.dropIn)
	cmd := exec.Command(filepath.Join(built, "hgbroker"), "stats", "--json")
	cmd.Env = w.env
	var stats struct {
		Requests struct{ Native, Unsupported int }
	}
	if out, err := cmd.Output(); err != nil || json.Unmarshal(out, &stats) != nil {
		t.Logf("no stats: %v\n%s", err, out)
	}
	t.Logf("%d tests: %d pass with hg, %d with the drop-in; %d commands were native, %d not",
		want.Run, want.Passed, got.Passed, stats.Requests.Native, stats.Requests.Unsupported)
	if stats.Requests.Native == 0 {
		t.Error("no command was native")
	}
	if want.Passed == 0 || got.Passed < want.Passed {
		t.Errorf("with the drop-in these fail: %q; with hg: %q", got.Failed, want.Failed)
	}
}
