// SPDX-License-Identifier: GPL-2.0-or-later

package filehistory

import (
	"container/heap"

	"hgbroker/worker/hg/node"
)

// Walk visits file revisions and all that they came from, copies included, from
// the latest changeset down (dagop.filectxancestors in Mercurial).
type Walk struct {
	h         *History
	firstOnly bool
	queue     node.Heap
	waiting   map[node.Rev][]Revision
	parents   []Revision
}

// NewWalk starts a walk. firstOnly follows only the first parent of each: of a
// copy, its source.
func (h *History) NewWalk(firstOnly bool, starts ...Revision) (*Walk, error) {
	w := &Walk{h: h, firstOnly: firstOnly, waiting: map[node.Rev][]Revision{}}
	for _, r := range starts {
		if err := w.add(r); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Walk) add(r Revision) error {
	rev, err := w.h.Changeset(&r)
	if err != nil {
		return err
	}
	list, queued := w.waiting[rev]
	if !queued {
		heap.Push(&w.queue, rev)
	}
	for i := range list {
		if list[i].Key() == r.Key() {
			return nil
		}
	}
	w.waiting[rev] = append(list, r)
	return nil
}

// Next is the next changeset with the file revisions that are met in it; ok is
// false at the end. A changeset comes again when a later one led to an
// inconsistent link.
func (w *Walk) Next() (rev node.Rev, met []Revision, ok bool, err error) {
	if len(w.queue) == 0 {
		return 0, nil, false, nil
	}
	rev = heap.Pop(&w.queue).(node.Rev)
	met = w.waiting[rev]
	delete(w.waiting, rev)
	for i := range met {
		if met[i].Wdir() {
			continue
		}
		if w.parents, err = w.h.Parents(w.parents[:0], &met[i]); err != nil {
			return rev, nil, false, err
		}
		for j, p := range w.parents {
			if w.firstOnly && j > 0 {
				break
			}
			if err := w.add(p); err != nil {
				return rev, nil, false, err
			}
		}
	}
	return rev, met, true, nil
}
