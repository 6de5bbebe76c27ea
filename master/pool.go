// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// worker is one worker process, from its fork until it is reaped.
//
//	starting ──CtlReady──▶ idle ──CtlAttach──▶ busy ──CtlIdle──▶ idle
//	                       idle ──CtlLoad, CtlVerify──▶ job ──CtlDone──▶ idle
//	any ──CtlRetire, or the end of its socket──▶ retiring
//	any ──the end of its process──▶ (gone)
type worker struct {
	id      uint64
	class   protocol.Class
	process *process // owned; nil until it started
	link    *link    // owned; nil before that, and after it hung up
	ready   bool     // it said so
	state   workerState
	since   time.Time // when the state began
	limit   time.Time // when the state has lasted too long; zero: never

	client    *client // whose channel it serves; nil when idle, or when the client left
	dir       string  // of the client that it serves, or served last
	reclaimed bool    // the client was told that others wait
	job       *job    // what it does in the background

	commands  int
	firstHeap uint64 // private memory after the first command
	heap      uint64 // after the last
	broken    string // why it must not be used again
	killed    bool   // we did it
	retired   bool   // we asked it to go

	images map[protocol.ImageKey]bool // what it may have mapped
	last   protocol.ImageKey          // the store that its last command was about
}

type workerState uint8

const (
	starting workerState = iota
	idle
	busy
	job_
	retiring
)

func (s workerState) String() string {
	return [...]string{"starting", "idle", "busy", "job", "retiring"}[s]
}

// count counts the workers of a class in a state.
func (m *master) count(c protocol.Class, s workerState) int {
	n := 0
	for _, w := range m.workers {
		if w.class == c && w.state == s {
			n++
		}
	}
	return n
}

func (m *master) busy() int { return m.count(protocol.Reader, busy) + m.count(protocol.Runner, busy) }

// idleWorker returns the idle worker of a class that worked last, since it has
// the most in its memory; nil when there is none. prefer breaks the tie.
func (m *master) idleWorker(c protocol.Class, prefer func(*worker) bool) *worker {
	var best *worker
	for _, w := range m.workers {
		if w.class != c || w.state != idle {
			continue
		}
		if best == nil || prefer(w) && !prefer(best) || prefer(w) == prefer(best) && w.since.After(best.since) {
			best = w
		}
	}
	return best
}

// assign gives idle workers to those who wait, and starts workers for the rest
// and for the spares.
func (m *master) assign(now time.Time) {
	for m.queue.size > 0 && m.busy() < m.cfg.MaxWorkers {
		r := m.queue.take(func(r *request) bool { return m.count(r.class, idle) > 0 && m.returning(r, now) == nil })
		if r == nil {
			break
		}
		m.grant(r, now)
	}
	room := m.cfg.MaxWorkers - m.busy()
	if m.queue.size > 0 && room <= 0 {
		m.reclaim()
	}
	if m.draining && m.queue.size == 0 {
		return
	}
	for _, c := range []protocol.Class{protocol.Reader, protocol.Runner} {
		want := min(m.queue.waiting(c), room)
		if c == protocol.Reader {
			want = max(want, m.cfg.Spares, m.wantReaders())
		}
		for have := m.count(c, idle) + m.count(c, starting); have < want; have++ {
			if !m.spawn(c, now) {
				return
			}
		}
	}
}

// grant makes a channel and hands its ends out.
func (m *master) grant(r *request, now time.Time) {
	key, _ := m.wanted(r.client)
	w := m.idleWorker(r.class, func(w *worker) bool { return w.knows(key) })
	theirs, clients, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		m.refuse(r, protocol.RefusedStart, err.Error())
		return
	}
	w.enter(busy, now, 0)
	w.client, w.dir, w.reclaimed = r.client, r.client.dir, false
	m.counts.queue.Granted++
	w.link.sendFd(&protocol.Frame{Type: protocol.CtlAttach, Payload: protocol.EncodeAttach(w.id)}, theirs)
	r.client.link.sendFd(&protocol.Frame{Type: protocol.DoorGranted, ID: r.id, Payload: protocol.EncodeWorker(w.id)}, clients)
}

// reclaim asks the holders of as many channels as requests wait to close them
// as soon as nothing runs there; those that were granted longest ago first.
func (m *master) reclaim() {
	asked := 0
	for _, w := range m.workers {
		if w.state == busy && w.reclaimed {
			asked++
		}
	}
	for ; asked < m.queue.size; asked++ {
		var oldest *worker
		for _, w := range m.workers {
			if w.state == busy && !w.reclaimed && w.client != nil && (oldest == nil || w.since.Before(oldest.since)) {
				oldest = w
			}
		}
		if oldest == nil {
			return
		}
		m.giveBack(oldest)
	}
}

// giveBack asks a worker's client to close its channel when it is idle.
func (m *master) giveBack(w *worker) {
	if w.client != nil && !w.reclaimed {
		w.reclaimed = true
		w.client.link.send(&protocol.Frame{Type: protocol.DoorReclaim, Payload: protocol.EncodeWorker(w.id)}, nil)
	}
}

// maxStarts is how many workers in a row may fail to start before those who
// wait are told.
const maxStarts = 3

// spawn orders a worker. After a failure it waits before the next try.
func (m *master) spawn(c protocol.Class, now time.Time) bool {
	if now.Before(m.spawnAfter) || m.done {
		return false
	}
	m.nextWorker++
	w := &worker{id: m.nextWorker, class: c, images: map[protocol.ImageKey]bool{}}
	w.enter(starting, now, m.cfg.times.start)
	m.workers[w.id] = w
	m.counts.workers.Spawned++
	s := m.readers
	if c == protocol.Runner {
		if m.runners == nil {
			m.runners = newSpawner(false, false, m.cfg.backlog())
		}
		s = m.runners
	}
	s.orders <- order{args: m.cfg.WorkerArgs, env: m.cfg.WorkerEnv, done: func(p spawned, err error) {
		m.post(func() { m.spawned(w, p, err) })
	}}
	return true
}

// spawned takes a started process over.
func (m *master) spawned(w *worker, p spawned, err error) {
	if err == nil {
		w.link, err = m.newLink(p.control, func(f *protocol.Frame) { m.fromWorker(w, f) }, func() { m.hungUp(w) })
	}
	if p.process != nil {
		w.process = p.process
		go func() {
			p.process.yield()
			p.process.wait()
			m.post(func() { m.ended(w) })
		}()
	}
	if err != nil {
		m.log("worker %d: %v", w.id, err)
		if w.process == nil {
			delete(m.workers, w.id)
			m.startFailed(err.Error())
		} else {
			m.kill(w)
		}
		return
	}
}

// startFailed counts a worker that never became ready.
func (m *master) startFailed(why string) {
	m.counts.workers.Failed++
	m.startFailures++
	pause := min(50*time.Millisecond<<min(m.startFailures, 7), 5*time.Second)
	m.spawnAfter = time.Now().Add(pause)
	if m.startFailures >= maxStarts {
		m.refuseAll(protocol.RefusedStart, "workers do not start: "+why)
	}
}

// fromWorker handles a frame of a worker's control socket.
func (m *master) fromWorker(w *worker, f *protocol.Frame) {
	defer f.CloseFiles()
	now := time.Now()
	switch f.Type {
	case protocol.CtlReady:
		if w.state == starting {
			w.ready = true
			m.startFailures = 0
			w.enter(idle, now, 0)
		}
	case protocol.CtlLease:
		key, err := protocol.DecodeKey(f.Payload)
		if err != nil {
			m.disown(w, "lease", err)
			return
		}
		m.lease(w, f.ID, key, now)
	case protocol.CtlClaim:
		key, err := protocol.DecodeKey(f.Payload)
		if err != nil {
			m.disown(w, "claim", err)
			return
		}
		m.claim(w, f.ID, key, now)
	case protocol.CtlFinished:
		fin, err := protocol.DecodeFinished(f.Payload)
		if err != nil {
			m.disown(w, "finished", err)
			return
		}
		m.finished(w, fin, f, now)
	case protocol.CtlRan:
		list, err := protocol.DecodeRan(f.Payload)
		if err != nil {
			m.disown(w, "ran", err)
			return
		}
		for _, fin := range list {
			m.finished(w, fin, f, now)
		}
	case protocol.CtlTold:
		m.told(w, f.ID)
	case protocol.CtlIdle:
		if w.state == busy {
			w.client = nil
			w.enter(idle, now, 0)
		}
	case protocol.CtlDone:
		failure, err := protocol.DecodeDone(f.Payload)
		if err != nil {
			m.disown(w, "done", err)
			return
		}
		if w.state == job_ && w.job.id == f.ID {
			done := w.job
			w.job = nil
			w.enter(idle, now, 0)
			m.jobDone(done, failure, now)
		}
	default:
		m.disown(w, "frame", fmt.Errorf("type %d", f.Type))
	}
}

// disown gets rid of a worker that does not keep to the protocol.
func (m *master) disown(w *worker, what string, err error) {
	m.log("worker %d: %s: %v", w.id, what, err)
	m.kill(w)
}

// lease answers a worker's question for an image.
func (m *master) lease(w *worker, id uint32, key protocol.ImageKey, now time.Time) {
	answer := &protocol.Frame{Type: protocol.CtlImage, ID: id}
	s := m.cache.lease(key, now)
	if s == nil {
		m.counts.leases.Empty++
		w.link.send(answer, nil)
		return
	}
	m.counts.leases.Granted++
	w.images[key] = true
	answer.Files = []int{s.fd} // valid until the reference is released
	w.link.send(answer, s.release)
}

// failedUnsupported is Finished.Failed of a command that the worker left to
// the real hg, failedBug that of one that panicked.
const (
	failedUnsupported = "Unsupported"
	failedBug         = "Bug"
)

// finished takes a finished-command message.
func (m *master) finished(w *worker, fin *protocol.Finished, f *protocol.Frame, now time.Time) {
	if m.cfg.Trace {
		m.log("worker %d: %s in %s: %s, exit %d, %d µs (load %d µs %s), failed %q, donates %q",
			w.id, fin.Command, fin.Repository, fin.Served, fin.ExitCode, fin.DurationUs, fin.LoadUs, fin.Loaded, fin.Failed, fin.Donated.Path)
	}
	if !fin.Background {
		w.commands++
		m.counts.count(fin)
		m.active = now
	}
	if w.firstHeap == 0 {
		w.firstHeap = fin.HeapBytes
	}
	w.heap = fin.HeapBytes
	if fin.Failed == failedBug {
		w.broken = "panicked"
		m.log("worker %d: %s panicked", w.id, fin.Command)
	}
	if fin.Store != "" && fin.Repository != "" {
		m.remember(fin.Repository, fin.Store)
	}
	if !fin.Background {
		m.asksFor(w, fin, now)
	}
	if fin.Donated.Kind != "" || len(f.Files) > 0 {
		m.donated(w, fin, f, now)
	}
	if fin.Wrote && fin.Repository != "" {
		m.load(fin.Repository)
	}
	if w.state == busy && m.usedUp(w) != "" {
		m.giveBack(w) // a busy client would keep it for ever
	}
}

// asksFor notes which repository a client's command was about. One that the real
// hg ran tells only the working directory.
func (m *master) asksFor(w *worker, fin *protocol.Finished, now time.Time) {
	store := fin.Store
	if store == "" {
		store = m.stores[fin.Repository]
	}
	if fin.Repository != "" {
		m.recents.use(fin.Repository, now)
	}
	if store == "" {
		return
	}
	key := protocol.ImageKey{Kind: storeKind, Path: store}
	m.cache.use(key, now)
	w.last = key
	if w.client != nil {
		m.lastUsed[w.client.id] = key
	}
	if fin.Repository != "" && m.cache.has(key) {
		m.follow(fin.Repository, store, now)
	}
}

// aloneFactor is how many times the commands and the memory of others a worker may
// use that alone knows a repository.
const aloneFactor = 10

// usedUp says why a worker has to be replaced, or "". One that has read a repository
// of which there is no image yet stays for longer than others: whoever came after it
// would read all again.
func (m *master) usedUp(w *worker) string {
	most, growth := m.cfg.times.recycle, m.cfg.times.recycleHeap
	if w.last.Kind != "" && !m.cache.has(w.last) {
		most, growth = most*aloneFactor, growth*aloneFactor
	}
	switch {
	case w.broken != "":
		return w.broken
	case w.commands >= most:
		return fmt.Sprintf("ran %d commands", w.commands)
	case w.heap > w.firstHeap+growth:
		return fmt.Sprintf("grew by %d bytes", w.heap-w.firstHeap)
	}
	return ""
}

// enter changes the state; limit is how long it may last, 0 for ever.
func (w *worker) enter(s workerState, now time.Time, limit time.Duration) {
	w.state, w.since, w.limit = s, now, time.Time{}
	if limit > 0 {
		w.limit = now.Add(limit)
	}
}

// tidy retires workers that are used up or idle for too long, and kills those
// that do not obey.
func (m *master) tidy(now time.Time) {
	for _, w := range m.workers {
		if !w.limit.IsZero() && !now.Before(w.limit) && !w.killed {
			m.log("worker %d: still %s after %s", w.id, w.state, now.Sub(w.since).Round(time.Millisecond))
			w.limit = now.Add(time.Second) // for one that is not even forked
			m.kill(w)
		}
		if w.state == idle && m.usedUp(w) != "" {
			m.log("worker %d: %s", w.id, m.usedUp(w))
			m.retire(w, now)
		}
	}
	for {
		w := m.stale(now)
		if w == nil {
			return
		}
		m.retire(w, now)
	}
}

// stale is an idle worker beyond the spares whose time is over; nil if none.
func (m *master) stale(now time.Time) *worker {
	w := m.surplus()
	if w == nil || now.Before(w.since.Add(m.cfg.times.workerIdle)) {
		return nil
	}
	return w
}

// surplus is, of the idle workers beyond the spares, the one idle longest.
func (m *master) surplus() *worker {
	var oldest *worker
	for _, w := range m.workers {
		if w.state != idle || w.class == protocol.Reader && m.count(protocol.Reader, idle) <= m.cfg.Spares {
			continue
		}
		if oldest == nil || w.since.Before(oldest.since) {
			oldest = w
		}
	}
	return oldest
}

// retire asks an idle worker to exit.
func (m *master) retire(w *worker, now time.Time) {
	w.enter(retiring, now, m.cfg.times.retire)
	w.retired = true
	m.counts.workers.Retired++
	w.link.send(&protocol.Frame{Type: protocol.CtlRetire}, nil)
}

// kill ends a worker and all that it started.
func (m *master) kill(w *worker) {
	if w.killed || w.process == nil {
		return
	}
	w.killed = true
	m.counts.workers.Killed++
	w.process.kill()
}

// hungUp is the end of a worker's control socket: the process ended, or does so
// now.
func (m *master) hungUp(w *worker) {
	w.link = nil
	if m.workers[w.id] == w {
		now := time.Now()
		m.abandon(w, now)
		w.enter(retiring, now, m.cfg.times.retire)
	}
}

// ended is the end of a worker's process, which is a zombie now. What it had
// sent before is still read; then comes hungUp.
func (m *master) ended(w *worker) {
	delete(m.workers, w.id)
	m.abandon(w, time.Now())
	if !w.ready {
		m.startFailed("they end before they are ready")
	} else if !w.killed && !w.retired {
		m.counts.workers.Lost++
		m.log("worker %d: ended by itself", w.id)
	}
	w.state = retiring
	m.dying++
	go func() {
		if w.class == protocol.Runner {
			patience := m.cfg.times.sweep
			if w.killed {
				patience = 0
			}
			w.process.sweep(patience)
		}
		code := w.process.reap()
		m.post(func() {
			m.dying--
			if code != 0 && !w.killed {
				m.log("worker %d: exit status %d", w.id, code)
			}
		})
	}()
}

// abandon takes what a dead worker was doing away from it.
func (m *master) abandon(w *worker, now time.Time) {
	w.client = nil
	m.disclaim(w, now)
	if j := w.job; j != nil {
		w.job = nil
		m.jobDone(j, "the worker was lost", now)
	}
}
