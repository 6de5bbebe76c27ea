// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"time"

	"hgbroker/protocol"
)

// What runs in the background, in idle readers, beside at most as many as
// slots allow: the verification of donated images, and loads. Verifications go
// first, since an image that waits is memory without use.
type jobs struct {
	slots   int
	nextID  uint32
	waiting []*job // in order; verifications are put before loads
	running []*job
	again   map[string]bool // loads asked for while one of the same root runs

	// received numbers donations, and admitted is the newest one admitted for a
	// key. The newest state wins, whoever tells of it first.
	received uint64
	admitted map[protocol.ImageKey]age
}

type jobKind uint8

const (
	jobVerify jobKind = iota
	jobLoad
)

type job struct {
	kind  jobKind
	id    uint32
	root  string  // of a load: the working directory
	image *sealed // of a verification: holds a reference
	donor uint64
	age   age // of the donation
}

// age orders donations by the state that they stand for: by when the command
// began that looked at the disk, and if that is not known, or the same, by when
// they came.
type age struct{ begun, number uint64 }

func (a age) newer(b age) bool {
	if a.begun != b.begun && a.begun != 0 && b.begun != 0 {
		return a.begun > b.begun
	}
	return a.number > b.number
}

// Bounds on what waits.
const (
	maxVerify = 16
	maxLoads  = 64
)

func newJobs(slots int) *jobs {
	return &jobs{slots: slots, again: map[string]bool{}, admitted: map[protocol.ImageKey]age{}}
}

func (q *jobs) pending(kind jobKind) int {
	n := 0
	for _, list := range [][]*job{q.waiting, q.running} {
		for _, j := range list {
			if j.kind == kind {
				n++
			}
		}
	}
	return n
}

// wantReaders is how many idle readers it takes to do what waits: who donated an
// image is not one that may verify it, and it knows best what its client asks next.
func (m *master) wantReaders() int {
	q := m.jobs
	n := min(len(q.waiting), q.slots-len(q.running))
	if n > 0 && m.cfg.MaxWorkers > 1 {
		for _, j := range q.waiting {
			if w := m.workers[j.donor]; j.kind == jobVerify && w != nil && w.state == idle {
				return n + 1
			}
		}
	}
	return n
}

// donated takes the image that came with a finished-command message.
func (m *master) donated(w *worker, fin *protocol.Finished, f *protocol.Frame, now time.Time) {
	m.counts.donated.Received++
	if len(f.Files) != 1 {
		m.refuseDonation(w, fin.Donated, refusedEmpty, "")
		return
	}
	size, cost, why := inspect(fin.Donated, f.Files[0], 2*m.cache.maxBytes)
	if why == "" && m.jobs.pending(jobVerify) >= maxVerify {
		why = refusedBusy
	}
	if why != "" {
		m.refuseDonation(w, fin.Donated, why, "")
		return
	}
	s := newSealed(fin.Donated, fin.Generation, f.Files[0], size, cost)
	s.begun = fin.Begun
	f.Files = nil
	w.images[s.key] = true
	q := m.jobs
	q.received++
	j := &job{kind: jobVerify, image: s, donor: w.id, age: age{fin.Begun, q.received}}
	at := 0
	for at < len(q.waiting) && q.waiting[at].kind == jobVerify {
		at++
	}
	q.waiting = append(q.waiting[:at:at], append([]*job{j}, q.waiting[at:]...)...)
}

func (m *master) refuseDonation(w *worker, key protocol.ImageKey, why, detail string) {
	m.counts.donated.Refused[why]++
	m.log("worker %d: image of %s refused: %s %s", w.id, key.Path, why, detail)
	m.claimed(key, time.Now())
}

// load has the repository at root loaded, or refreshed, in the background. One
// load of a root runs at a time; a request that comes meanwhile is remembered
// once, and the newest wins.
func (m *master) load(root string) {
	if !sanePath(root) || m.draining {
		return
	}
	q := m.jobs
	m.counts.loads.Requested++
	for _, j := range q.waiting {
		if j.kind == jobLoad && j.root == root {
			m.counts.loads.Joined++
			return
		}
	}
	for _, j := range q.running {
		if j.kind == jobLoad && j.root == root {
			m.counts.loads.Joined++
			q.again[root] = true
			return
		}
	}
	q.waiting = append(q.waiting, &job{kind: jobLoad, root: root})
	if q.pending(jobLoad) > maxLoads {
		for i, j := range q.waiting {
			if j.kind == jobLoad { // the oldest
				q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
				return
			}
		}
	}
}

// work hands waiting jobs to idle readers.
func (m *master) work(now time.Time) {
	q := m.jobs
	for i := 0; i < len(q.waiting) && len(q.running) < q.slots; {
		j := q.waiting[i]
		w := m.jobWorker(j)
		if w == nil {
			i++
			continue
		}
		q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
		q.nextID++
		j.id = q.nextID
		q.running = append(q.running, j)
		w.job = j
		w.enter(job_, now, m.cfg.times.job)
		if j.kind == jobLoad {
			m.watches.loading(j.root)
			w.link.send(&protocol.Frame{Type: protocol.CtlLoad, ID: j.id, Payload: protocol.EncodeKey(protocol.ImageKey{Kind: storeKind, Path: j.root})}, nil)
			continue
		}
		f := &protocol.Frame{Type: protocol.CtlVerify, ID: j.id, Payload: protocol.EncodeKey(j.image.key), Files: []int{j.image.fd}}
		j.image.acquire() // ours holds, so it cannot fail
		w.link.send(f, j.image.release)
	}
}

// jobWorker is the idle reader for a job: for a verification another one than
// the donor, unless there cannot be another.
func (m *master) jobWorker(j *job) *worker {
	w := m.idleWorker(protocol.Reader, func(w *worker) bool {
		if j.kind == jobVerify {
			return w.id != j.donor
		}
		return w.images[protocol.ImageKey{Kind: storeKind, Path: m.stores[j.root]}]
	})
	if w != nil && j.kind == jobVerify && w.id == j.donor && m.cfg.MaxWorkers > 1 {
		return nil // another one will be there in a moment
	}
	return w
}

// jobDone takes a job's end: failure is "" when it went well.
func (m *master) jobDone(j *job, failure string, now time.Time) {
	q := m.jobs
	for i := range q.running {
		if q.running[i] == j {
			q.running = append(q.running[:i:i], q.running[i+1:]...)
			break
		}
	}
	if j.kind == jobLoad {
		if m.counts.loads.Done++; failure != "" {
			m.counts.loads.Done--
			m.counts.loads.Failed++
			m.log("load %s: %s", j.root, failure)
			m.unfollow(func(w *watched) bool { return w.root == j.root }) // it may be gone
		}
		m.recents.loaded(j.root, failure == "")
		if q.again[j.root] {
			delete(q.again, j.root)
			m.counts.loads.Requested--
			m.load(j.root)
		}
		return
	}
	s := j.image
	defer m.claimed(s.key, now)
	why := ""
	if failure != "" {
		why = refusedVerify
	} else if q.admitted[s.key].newer(j.age) {
		why = refusedOlder
	}
	if why != "" {
		m.counts.donated.Refused[why]++
		m.log("worker %d: image of %s refused: %s %s", j.donor, s.key.Path, why, failure)
		s.release()
		return
	}
	if len(q.admitted) >= maxIDs {
		clear(q.admitted) // what is in flight may then win over a newer one
	}
	q.admitted[s.key] = j.age
	m.counts.donated.Admitted++
	m.cache.put(s)
	if s.key.Kind == storeKind {
		m.cached(s.key.Path, now)
	}
}

// dropLost tells workers to unmap what is cached no more.
func (m *master) dropLost() {
	for _, key := range m.cache.lost() {
		if key.Kind == storeKind {
			m.unfollow(func(w *watched) bool { return w.store == key.Path })
		}
		for _, w := range m.workers {
			if w.images[key] && w.link != nil {
				delete(w.images, key)
				if w.last == key {
					w.last = protocol.ImageKey{}
				}
				w.link.send(&protocol.Frame{Type: protocol.CtlDrop, Payload: protocol.EncodeKey(key)}, nil)
			}
		}
	}
}
