// SPDX-License-Identifier: GPL-2.0-or-later

package mq

import (
	"strings"
	"testing"
)

// FuzzParse feeds the three files with anything: every index that comes back is
// within the series.
func FuzzParse(f *testing.F) {
	id := strings.Repeat("0123456789", 4)
	f.Add(id+":first.diff\n", "first.diff\nsecond.diff #+stable #-experimental\n# comment\n\n", "stable\n")
	f.Add("", "a\nb\n", "")
	f.Add(id+":gone\r\n"+id+":b", "a #-x\rb#+y", "x y")
	f.Add("nonsense", "a\na\n", "+x")
	f.Fuzz(func(t *testing.T, status, series, guards string) {
		var q Queue
		if q.parse(status, series, guards) != nil {
			return
		}
		if end := q.End(); end < 0 || end > len(q.Series) {
			t.Errorf("End %d of %d", end, len(q.Series))
		}
		if next := q.Next(); next < 0 || next > len(q.Series) {
			t.Errorf("Next %d of %d", next, len(q.Series))
		}
		if n := q.Unapplied(); n > len(q.Series) {
			t.Errorf("%d unapplied of %d", n, len(q.Series))
		}
		for i, p := range q.Series {
			if q.Index(p.Name) != i {
				t.Errorf("patch %q is not at %d", p.Name, i)
			}
		}
	})
}
