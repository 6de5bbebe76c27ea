// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const listPredicates = `
from mercurial import registrar, revset
try:
    from mercurial import revset_predicates
except ImportError:
    pass
cmdtable = {}
command = registrar.command(cmdtable)
@command(b'listpredicates', [], b'')
def listpredicates(ui, repo):
    for name, f in revset.symbols.items():
        ui.write(b'%s %s %d %d\n' % (name, b'%.1f' % getattr(f, '_weight', 1), bool(f.__doc__), getattr(f, '_takeorder', False)))
`

// TestTable checks that the table has every predicate of hg, with its weight,
// and says of each that is not implemented why.
func TestTable(t *testing.T) {
	dir := t.TempDir()
	hg := initHg(t, dir)
	ext := filepath.Join(dir, "listpredicates.py")
	if err := os.WriteFile(ext, []byte(listPredicates), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".hg", "hgrc"), []byte("[extensions]\nlistpredicates="+ext+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out, stderr := hg.run(t, "listpredicates")
	if stderr != "" {
		t.Fatal(stderr)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		f := strings.Fields(line)
		p := predicates()[f[0]]
		if p == nil {
			t.Errorf("%s is not in the table", f[0])
			continue
		}
		seen[f[0]] = true
		weight, _ := strconv.ParseFloat(f[1], 64)
		if p.weight != weight || (p.Doc != "") != (f[2] == "1") || p.TakesOrder != (f[3] == "1") {
			t.Errorf("%s: the table has weight %v, documented %v, order %v; hg says %s", p.Name, p.weight, p.Doc != "", p.TakesOrder, line)
		}
	}
	for _, p := range Predicates() {
		if !seen[p.Name] && p.Name != "_internal" {
			t.Errorf("%s is not a predicate of hg", p.Name)
		}
		if p.eval == nil {
			t.Errorf("%s is not implemented", p.Name)
		}
	}
}
