// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

var listed = regexp.MustCompile(`(?m)^ {4}([a-z_][a-z_0-9]*)(\(.*\))?(  +\S.*)?$`)

// TestTablesAreComplete asks hg's own help which names there are.
func TestTablesAreComplete(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		hg := hgtest.NewShell(t, v.Path, t.TempDir())
		for _, table := range []struct {
			topic string
			rows  []Row
			least int
		}{{"keywords", Keywords(), 40}, {"filters", Filters(), 30}, {"functions", Functions(), 30}} {
			names := listed.FindAllStringSubmatch(hg.Must(t, "help", "--verbose", "templates."+table.topic), -1)
			if len(names) < table.least {
				t.Errorf("hg %s lists only %d %s", v.Number, len(names), table.topic)
			}
			for _, m := range names {
				if !slices.ContainsFunc(table.rows, func(r Row) bool { return r.Name == m[1] }) {
					t.Errorf("hg %s has %s in its %s", v.Number, m[1], table.topic)
				}
			}
		}
	}
}

// names lists the names in Mercurial's own tables, "kind name" a line.
func names(t *testing.T, v hgtest.Version) string {
	return string(hgtest.Output(t, hgtest.Python(t, v.Path, "testdata/names.py")))
}

// TestCoverage prints how much of the language is native, of the names that
// Mercurial 7.2 has; they were recorded for machines without it. HGBROKER_RECORD
// records them anew.
func TestCoverage(t *testing.T) {
	const file = "testdata/names-7.2.txt"
	for _, v := range hgtest.HgVersions(t) {
		live := names(t, v)
		if strings.HasPrefix(v.Number, "7.2") {
			if os.Getenv("HGBROKER_RECORD") != "" {
				if err := os.WriteFile(file, []byte(live), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if recorded, err := os.ReadFile(file); err != nil || string(recorded) != live {
				t.Errorf("%s is not what hg %s has (%v)", file, v.Number, err)
			}
		}
		coverage(t, "hg "+v.Number, live)
	}
}

func TestCoverageOfRecordedNames(t *testing.T) {
	text, err := os.ReadFile("testdata/names-7.2.txt")
	if err != nil {
		t.Fatal(err)
	}
	coverage(t, "recorded from 7.2", string(text))
}

func coverage(t *testing.T, of, names string) {
	t.Helper()
	rows := map[string][]Row{"keyword": Keywords(), "filter": Filters(), "function": Functions()}
	native, all := map[string]int{}, map[string]int{}
	var rest []string
	for line := range strings.Lines(names) {
		kind, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		i := slices.IndexFunc(rows[kind], func(r Row) bool { return r.Name == name })
		all[kind]++
		switch {
		case i < 0:
			t.Errorf("%s: %s %s is not in the table", of, kind, name)
		case rows[kind][i].Unsupported != "":
			rest = append(rest, kind+" "+name+" ("+rows[kind][i].Unsupported+")")
		default:
			native[kind]++
		}
	}
	some, total := 0, 0
	for _, kind := range []string{"keyword", "filter", "function"} {
		t.Logf("%s: %d of %d %ss native", of, native[kind], all[kind], kind)
		some, total = some+native[kind], total+all[kind]
	}
	t.Logf("%s: left to hg: %s", of, strings.Join(rest, ", "))
	if total < 120 || some*100 < total*97 {
		t.Errorf("%s: only %d of %d are native", of, some, total)
	}
}

// TestRowsSayWhat keeps the tables readable.
func TestRowsSayWhat(t *testing.T) {
	for _, r := range slices.Concat(Keywords(), Filters(), Functions()) {
		if r.Doc == "" {
			t.Errorf("%s has no description", r.Name)
		}
	}
	for name, k := range keywords() {
		if (k.value == nil) != (k.unsupported != "") {
			t.Errorf("keyword %s is neither native nor unsupported", name)
		}
	}
	for name, f := range functions() {
		if (f.call == nil) != (f.unsupported != "") {
			t.Errorf("function %s is neither native nor unsupported", name)
		}
	}
}
