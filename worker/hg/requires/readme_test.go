// SPDX-License-Identifier: GPL-2.0-or-later

package requires

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestReadmeRequirements holds the README's table of formats against the code.
// HGBROKER_PRINT_README=1 prints the table.
func TestReadmeRequirements(t *testing.T) {
	const head = "| requirement | |\n| --- | --- |\n"
	rows := []string{"| `" + strings.Join(Native(), "` `") + "` | native |"}
	for _, f := range ForeignRequirements {
		rows = append(rows, fmt.Sprintf("| `%s` | to the real `hg`: %s |", f.Name, f.Reason))
	}
	want := head + strings.Join(rows, "\n") + "\n"
	if os.Getenv("HGBROKER_PRINT_README") != "" {
		fmt.Print(want)
	}
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), want) {
		t.Errorf("the README's table is not the code's; it would be\n%s", want)
	}
}

// TestEveryRequirementIsKnown asks each hg for the requirements that it knows.
func TestEveryRequirementIsKnown(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		python, err := hgtest.HgPython(version.Path)
		if err != nil {
			t.Skipf("no Python for hg %s: %v", version.Number, err)
		}
		out, err := exec.Command(python, "-c", `from mercurial import requirements as r
print(*(v.decode() for k, v in vars(r).items() if k.endswith("REQUIREMENT") and isinstance(v, bytes)))`).Output()
		if err != nil {
			t.Fatalf("hg %s: %v", version.Number, err)
		}
		names := strings.Fields(string(out))
		if len(names) < 15 {
			t.Fatalf("hg %s knows only %q", version.Number, names)
		}
		for _, name := range names {
			if !slices.Contains(Native(), name) && !slices.ContainsFunc(ForeignRequirements, func(f Foreign) bool { return f.Name == name }) {
				t.Errorf("hg %s knows the requirement %s, and no table here does", version.Number, name)
			}
		}
	}
}
