// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
)

// guess makes room for the marks of guessed lines.
func (v *version) guess() {
	if v.skipped == nil {
		v.skipped = make([]bool, len(v.ends))
	}
}

// giveAway attributes the lines that v still owns, because v is to be skipped:
// within a changed piece the first line goes to the first that it replaced, and
// so on; when there are more new lines than old ones, the last old one gets all
// of the rest. Pieces where that is not needed come first, over all parents, and
// the second parent before the first. kept are the matching blocks by parent.
func (v *version) giveAway(self int32, parents []*version, kept [2][]block) error {
	var remaining [2][]block
	for i, p := range slices.Backward(parents) {
		for b := range pieces(kept[i]) {
			if b.a2-b.a1 < b.b2-b.b1 {
				remaining[i] = append(remaining[i], b)
				continue
			}
			if err := v.assign(self, p, b); err != nil {
				return err
			}
		}
	}
	for i, p := range slices.Backward(parents) {
		for _, b := range remaining[i] {
			if err := v.assign(self, p, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// pieces are the matching blocks and the changed pieces between them.
func pieces(blocks []block) func(yield func(block) bool) {
	return func(yield func(block) bool) {
		var before block
		for _, b := range blocks {
			gap := block{before.a2, b.a1, before.b2, b.b1}
			if (gap.a1 != gap.a2 || gap.b1 != gap.b2) && !yield(gap) || !yield(b) {
				return
			}
			before = b
		}
	}
}

// assign gives the lines of one piece that v owns to a parent.
func (v *version) assign(self int32, p *version, b block) error {
	for at := b.b1; at < b.b2; at++ {
		if v.from[at] != self {
			continue
		}
		old := min(b.a1+at-b.b1, b.a2-1)
		if old < 0 {
			// A piece without old lines at the very start. hg counts from the
			// end then, and fails when there is none.
			old += int32(len(p.ends))
		}
		if old < 0 {
			return &hgerr.Unsupported{What: errEmptyParent.Error(), Err: errEmptyParent}
		}
		v.guess()
		v.from[at], v.number[at], v.skipped[at] = p.from[old], p.number[old], true
	}
	return nil
}
