// SPDX-License-Identifier: GPL-2.0-or-later

package grep

import "slices"

// Change is a line that one side has and the other has not.
type Change struct {
	Sign byte // '+' or '-'
	Line Line
}

// Changes tells how the matching lines of a file's parent, old, became those of
// the file: for each difference first what went, then what came. Lines are the
// same when their texts are.
//
// The pairing is that of Python's difflib.SequenceMatcher ("a heuristic by
// Ratcliff and Obershelp"): the longest run that both sides have in common, the
// first in old and then in new where several are as long, then the same on
// either side of it. In a list of 200 lines or more, those that make up more than
// a hundredth of new start no run.
func Changes(old, new []Line) []Change {
	m := &pairing{old: old, new: new, at: map[string][]int{}}
	for j, l := range new {
		m.at[l.Text] = append(m.at[l.Text], j)
	}
	if n := len(new); n >= popularFrom {
		for text, list := range m.at {
			if len(list) > n/100+1 {
				delete(m.at, text)
			}
		}
	}
	m.pair()
	var out []Change
	i, j := 0, 0
	for _, r := range append(m.runs, run{len(old), len(new), 0}) {
		for ; i < r.old; i++ {
			out = append(out, Change{'-', old[i]})
		}
		for ; j < r.new; j++ {
			out = append(out, Change{'+', new[j]})
		}
		i, j = i+r.size, j+r.size
	}
	return out
}

// popularFrom is the length of a list in which lines may be too popular.
const popularFrom = 200

// run is lines that are the same on both sides.
type run struct{ old, new, size int }

type pairing struct {
	old, new []Line
	at       map[string][]int // where in new a text is, unless it is popular
	runs     []run
}

// pair finds the runs, in order.
func (m *pairing) pair() {
	type window struct{ i0, i1, j0, j1 int }
	todo := []window{{0, len(m.old), 0, len(m.new)}}
	for len(todo) > 0 {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r := m.longest(w.i0, w.i1, w.j0, w.j1)
		if r.size == 0 {
			continue
		}
		m.runs = append(m.runs, r)
		todo = append(todo, window{w.i0, r.old, w.j0, r.new}, window{r.old + r.size, w.i1, r.new + r.size, w.j1})
	}
	slices.SortFunc(m.runs, func(a, b run) int { return a.old - b.old })
}

// longest finds the longest run in a window. Popular lines only make a run
// longer that others began, or fill a window without any.
func (m *pairing) longest(i0, i1, j0, j1 int) run {
	best := run{i0, j0, 0}
	ending := map[int]int{} // length of the run that ends at a line of new and the last line of old
	for i := i0; i < i1; i++ {
		next := map[int]int{}
		for _, j := range m.at[m.old[i].Text] {
			if j < j0 {
				continue
			}
			if j >= j1 {
				break
			}
			n := ending[j-1] + 1
			next[j] = n
			if n > best.size {
				best = run{i - n + 1, j - n + 1, n}
			}
		}
		ending = next
	}
	same := func(i, j int) bool { return m.old[i].Text == m.new[j].Text }
	for best.old > i0 && best.new > j0 && same(best.old-1, best.new-1) {
		best = run{best.old - 1, best.new - 1, best.size + 1}
	}
	for best.old+best.size < i1 && best.new+best.size < j1 && same(best.old+best.size, best.new+best.size) {
		best.size++
	}
	return best
}
