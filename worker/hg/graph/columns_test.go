// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"reflect"
	"testing"

	"hgbroker/worker/hg/node"
)

func TestColumns(t *testing.T) {
	// 5 merges 4 and 3; 4 and 3 come from 1; 2 is a head of its own on 0, over
	// something that is not shown; 0's parent is missing.
	rows := []struct {
		rev   node.Rev
		edges []Edge
		want  Placed
	}{
		{5, []Edge{{Parent, 3}, {Parent, 4}}, Placed{0, 1, []Line{{0, 0, Parent}, {0, 1, Parent}}}},
		{4, []Edge{{Parent, 1}}, Placed{1, 2, []Line{{0, 0, Parent}, {1, 1, Parent}}}},
		{3, []Edge{{Parent, 1}}, Placed{0, 2, []Line{{1, 0, Parent}, {0, 0, Parent}}}},
		{2, []Edge{{Grandparent, 0}}, Placed{1, 2, []Line{{0, 0, Parent}, {1, 1, Grandparent}}}},
		{1, []Edge{{Parent, 0}}, Placed{0, 2, []Line{{1, 0, Grandparent}, {0, 0, Parent}}}},
		{0, []Edge{{Missing, -1}}, Placed{0, 1, []Line{{0, -1, Missing}}}},
	}
	var c Columns
	for _, r := range rows {
		if got := c.Place(r.rev, r.edges); !reflect.DeepEqual(got, r.want) {
			t.Errorf("%d: %+v, want %+v", r.rev, got, r.want)
		}
	}
	if len(c.open) != 0 {
		t.Errorf("left open: %v", c.open)
	}
}
