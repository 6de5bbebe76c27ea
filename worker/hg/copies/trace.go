// SPDX-License-Identifier: GPL-2.0-or-later

package copies

import (
	"bytes"
	"container/heap"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// tracer follows files back through their filelogs, which stay open from one to
// the next.
type tracer struct {
	repo Repo
	ends []manifest.Manifest
	logs map[string]*filelog.File
}

func (t *tracer) close() {
	for _, f := range t.logs {
		f.Close()
	}
}

// visit is a revision of a file that waits to be looked at.
type visit struct {
	path string
	log  *filelog.File
	rev  node.Rev
	id   node.ID
	link node.Rev
}

// trace returns the path of the first revision, going back, that stands under
// its own path in one of the ends; "" when none does. Revisions are visited from
// the one that was linked last, as hg does. Of two with the same link and ID,
// the one met later takes the place of the other.
func (t *tracer) trace(path string, id node.ID) (string, error) {
	current, err := t.open(path, id)
	if err != nil {
		return "", err
	}
	var queue visits
	for {
		src, srcID, copied, err := current.log.Renamed(current.rev)
		if err != nil {
			return "", err
		}
		if copied {
			p, err := t.open(src, srcID)
			if err != nil {
				return "", err
			}
			queue.put(p)
		}
		p1, p2 := current.log.Parents(current.rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				queue.put(visit{current.path, current.log, p, current.log.Node(p), current.log.LinkRev(p)})
			}
		}
		if len(queue) == 0 {
			return "", nil
		}
		current = heap.Pop(&queue).(visit)
		for _, m := range t.ends {
			e, ok, err := m.Lookup(current.path)
			if err != nil {
				return "", err
			}
			if ok && e.Node == current.id {
				return current.path, nil
			}
		}
	}
}

func (t *tracer) open(path string, id node.ID) (visit, error) {
	f := t.logs[path]
	if f == nil {
		var err error
		if f, err = t.repo.Filelog(path); err != nil {
			return visit{}, err
		}
		t.logs[path] = f
	}
	rev, err := f.FindRev(id)
	if err != nil {
		return visit{}, err
	}
	return visit{path: path, log: f, rev: rev, id: id, link: f.LinkRev(rev)}, nil
}

// visits is a heap with the latest link on top.
type visits []visit

func (v *visits) put(x visit) {
	for i := range *v {
		if old := &(*v)[i]; old.link == x.link && old.id == x.id {
			*old = x
			return
		}
	}
	heap.Push(v, x)
}

func (v visits) Len() int { return len(v) }
func (v visits) Less(i, j int) bool {
	if v[i].link != v[j].link {
		return v[i].link > v[j].link
	}
	return bytes.Compare(v[i].id[:], v[j].id[:]) > 0
}
func (v visits) Swap(i, j int) { v[i], v[j] = v[j], v[i] }
func (v *visits) Push(x any)   { *v = append(*v, x.(visit)) }
func (v *visits) Pop() any {
	old := *v
	x := old[len(old)-1]
	*v = old[:len(old)-1]
	return x
}
