// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// readmeRow is an extension as the README's table has it.
func (x *extension) readmeRow() string {
	what := "nothing"
	var parts []string
	if x.touches != "" && x.touchesWhen == "" {
		parts = append(parts, "`"+strings.Join(strings.Fields(x.touches), "`, `")+"`")
	}
	if x.touchesWhen != "" {
		scope := "all"
		if x.touches != "" {
			scope = "`" + strings.Join(strings.Fields(x.touches), "`, `") + "`"
		}
		var files []string
		for file := range strings.FieldsSeq(x.touchesWhen) {
			files = append(files, "`.hg/"+file+"`")
		}
		parts = append(parts, scope+" while "+strings.Join(files, " or ")+" has something")
	}
	if x.sets != "" {
		parts = append(parts, "`config` without arguments and of `"+strings.Join(strings.Fields(x.sets), "`, `")+"`")
	}
	if x.chatters {
		parts = append(parts, "all with `--debug`")
	}
	if len(parts) > 0 {
		what = strings.Join(parts, "; ")
	}
	if x.names != "" {
		var names []string
		for name := range strings.FieldsSeq(x.names) {
			names = append(names, "`"+strings.TrimRight(name, "(!")+"`")
		}
		what += "; what uses " + strings.Join(names, ", ")
	}
	if x.outside != nil {
		what += fmt.Sprintf("; all, unless it is release %s beside hg 6 or %s beside hg 7", strings.Join(x.outside.old, "*, ")+"*", strings.Join(x.outside.new, "*, ")+"*")
	}
	if x.why != "" {
		what += " (" + x.why + ")"
	}
	return fmt.Sprintf("| `%s` | %s |", x.name, strings.TrimPrefix(what, "nothing; "))
}

// TestReadmeExtensions keeps the README's table of extensions equal to the code.
// HGBROKER_PRINT_README prints it.
func TestReadmeExtensions(t *testing.T) {
	if !slices.IsSortedFunc(extensions, func(a, b extension) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table is not in alphabetical order")
	}
	var want []string
	for i := range extensions {
		want = append(want, extensions[i].readmeRow())
	}
	if os.Getenv("HGBROKER_PRINT_README") != "" {
		fmt.Println("| extension | commands that go to the real `hg` |\n| --- | --- |\n" + strings.Join(want, "\n"))
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| extension | commands that go to the real `hg` |\n| --- | --- |\n")
	if !ok {
		t.Skip("the README has no table of extensions")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.Split(strings.TrimSpace(table), "\n"); !slices.Equal(got, want) {
		t.Errorf("the README's table is not the code's; HGBROKER_PRINT_README=1 prints it:\n%s", strings.Join(want, "\n"))
	}
}

// TestExtensions compares commands with hg's while one extension after the other
// is enabled: what is native then must be as hg has it. All of them are asked
// when HGBROKER_DIFFERENTIAL is set.
func TestExtensions(t *testing.T) {
	lines := []string{
		"status", "log -l2", "log -G -l3 -T '{rev} {desc|firstline}\\n'", "summary", "identify", "branches", "tags", "bookmarks", "branch", "cat -r tip .hgignore", "parents",
		"files -r tip", "paths", "phase -r .", "heads", "config ui", "log -r 'mq()'", "log -r 'transplanted()'", "log -l1 -T '{svnrev}|{transplanted}|{lfs_files}\\n'", "st", "sum", "hi -l1", "bra", "sh", "stri",
		"log -r tip --stat", "status -Tjson", "root", "resolve -l", "diff --nodates", "annotate .hgignore", "manifest",
	}
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 30
		dir := hgtest.Extract(t, "merges-renames")
		inst := Installation{Path: version.Path, Version: version.Number}
		e := engineRunner("engine", inst, false)
		names := []string{"mq", "rebase", "share"}
		if os.Getenv("HGBROKER_DIFFERENTIAL") != "" {
			names = nil
			for i := range extensions {
				names = append(names, extensions[i].name)
			}
		}
		for _, name := range names {
			// A server of its own: what an extension did to hg stays in the process.
			real := hgtest.OpenReal(version.Path)
			var cmds []hgtest.Command
			for _, line := range lines {
				c, err := hgtest.ParseCommand("hg --config extensions." + name + "= " + line)
				if err != nil {
					t.Fatal(err)
				}
				cmds = append(cmds, c)
			}
			hgtest.Compare(t, y, dir, cmds, e, hgtest.Named{Name: "hg " + version.Number, Runner: real})
			real.Close()
		}
	}
}
