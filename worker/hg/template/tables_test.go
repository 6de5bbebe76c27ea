// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"regexp"
	"slices"
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

// TestRowsSayWhat keeps the tables readable.
func TestRowsSayWhat(t *testing.T) {
	for _, r := range slices.Concat(Keywords(), Filters(), Functions()) {
		if r.Doc == "" {
			t.Errorf("%s has no description", r.Name)
		}
	}
	for name, k := range keywords {
		if (k.value == nil) != (k.unsupported != "") {
			t.Errorf("keyword %s is neither native nor unsupported", name)
		}
	}
	for name, f := range functions {
		if (f.call == nil) != (f.unsupported != "") {
			t.Errorf("function %s is neither native nor unsupported", name)
		}
	}
}
