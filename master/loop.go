// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// master is the state that the loop owns.
type master struct {
	cfg     Config
	started time.Time
	events  chan func()
	stopped chan struct{} // closed when the loop takes no more events

	listener int       // owned; -1 once closed
	lock     int       // owned; -1 once given up
	path     string    // of the socket; "" once unlinked
	dev, ino uint64    // of the socket's file
	acceptAt time.Time // when to try again, after that failed; zero: it did not
	poller   *poller   // owned

	clients    map[uint64]*client
	nextClient uint64
	lastClient time.Time // when the last one left
	lastUsed   map[uint64]protocol.ImageKey

	workers       map[uint64]*worker // from order to death
	nextWorker    uint64
	dying         int // zombies that are being swept
	readers       *spawner
	runners       *spawner // nil until a runner is wanted
	spawnAfter    time.Time
	startFailures int

	queue  *queue
	jobs   *jobs
	cache  *cache
	claims map[protocol.ImageKey]*claim
	stores map[string]string // working directory's root to its store
	counts counts
	asked  []*statsQuestion
	active time.Time // when a client last wanted anything

	watches  watches
	recents  recents
	pressure pressure

	tells uint32 // questions to workers so far

	draining bool
	drainEnd time.Time
	done     bool
	deleted  bool      // our executable's file is gone
	nextLook time.Time // at socket file and executable
}

// newMaster takes ownership of both descriptors; lock may be -1.
func newMaster(cfg Config, listener, lock int) (*master, error) {
	cfg = cfg.withDefaults()
	now := time.Now()
	m := &master{
		cfg: cfg, started: now, lastClient: now, active: now, nextLook: now.Add(cfg.times.house),
		events: make(chan func(), 256), stopped: make(chan struct{}),
		listener: listener, lock: lock,
		clients: map[uint64]*client{}, lastUsed: map[uint64]protocol.ImageKey{},
		workers: map[uint64]*worker{}, stores: map[string]string{}, claims: map[protocol.ImageKey]*claim{},
		queue: &queue{max: cfg.MaxQueue},
	}
	m.jobs = newJobs(min(2, cfg.MaxWorkers))
	m.counts.commands = map[string]*tally{}
	m.counts.donated.Refused = map[string]uint64{}
	addr, err := unix.Getsockname(listener)
	if err != nil {
		return nil, fmt.Errorf("listening socket: %w", err)
	}
	un, ok := addr.(*unix.SockaddrUnix)
	if !ok || !strings.HasPrefix(un.Name, "/") {
		return nil, fmt.Errorf("listening socket: not bound to an absolute path")
	}
	m.path = un.Name
	var st unix.Stat_t
	if err := unix.Stat(m.path, &st); err == nil {
		m.dev, m.ino = uint64(st.Dev), st.Ino
	}
	if err := unix.SetNonblock(listener, true); err != nil {
		return nil, fmt.Errorf("listening socket: %w", err)
	}
	if m.poller, err = newPoller(); err != nil {
		return nil, err
	}
	// On an edge: everybody is let in, unless there are no descriptors left.
	if err := m.poller.add(listener, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return nil, fmt.Errorf("listening socket: %w", err)
	}
	// The first workers start while the rest is made: whoever started this process
	// waits for one.
	m.readers = newSpawner(true, cfg.times.noLandlock, cfg.backlog())
	for range cfg.Spares {
		m.spawn(protocol.Reader, now)
	}
	if m.cfg.CacheBytes == 0 {
		m.cfg.CacheBytes = defaultBudget()
	}
	if m.cache, err = newCache(m.cfg.CacheBytes, cfg.HotSlots, cfg.times.burst); err != nil {
		return nil, err
	}
	return m, nil
}

// post hands f to the loop. It tells whether the loop will run it.
func (m *master) post(f func()) bool {
	select {
	case <-m.stopped:
		return false
	default:
	}
	select {
	case m.events <- f:
		m.poller.ring()
		return true
	case <-m.stopped:
		return false
	}
}

func (m *master) log(format string, args ...any) {
	fmt.Fprintf(m.cfg.Log, "%s master %d: %s\n", time.Now().Format("2006-01-02 15:04:05.000"), os.Getpid(), fmt.Sprintf(format, args...))
}

// run is the loop. It returns when the master has nothing left to do.
func (m *master) run() error {
	m.startWatching()
	m.watchPressure(pressureFiles())
	m.keepRecents(m.cfg.RecentDir)
	m.log("serves %s, build %s; %s", m.path, m.cfg.Build, m.readers.state())
	for {
		now := time.Now()
		m.settle(now)
		if m.done {
			break
		}
		m.wait(m.nextDeadline(now))
	}
	return m.finish()
}

// settle does what the last event made possible.
func (m *master) settle(now time.Time) {
	m.keepDoor(now)
	m.assign(now)
	m.refresh(now)
	m.preload(now)
	m.work(now)
	m.tidy(now)
	m.look(now)
	m.dropLost()
	m.answerStats(now)
	m.maybeExit(now)
}

// look does the rare checks.
func (m *master) look(now time.Time) {
	m.cache.coolIdle(m.cfg.times.hotIdle, now)
	m.easePressure(now)
	if now.Before(m.nextLook) {
		return
	}
	m.nextLook = now.Add(m.cfg.times.house)
	m.deleted = executableDeleted()
	if m.pressure.ask && underPressure() {
		m.pressed(now)
	}
	m.unfollow(func(w *watched) bool { return now.Sub(w.used) >= m.cfg.times.follow })
	m.save(now)
	if m.path != "" && !m.socketIsOurs() {
		// A cleaner of temporary files took it. Nobody can reach us, and
		// while we hold the lock nobody can start another.
		m.path = ""
		m.drain("the socket's file is gone")
	}
}

// nextDeadline is when settle has something to do without an event.
func (m *master) nextDeadline(now time.Time) time.Time {
	next := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for _, w := range m.workers {
		if !w.killed {
			sooner(w.limit)
		}
	}
	if w := m.surplus(); w != nil {
		sooner(w.since.Add(m.cfg.times.workerIdle))
	}
	sooner(m.acceptAt)
	sooner(m.nextHello())
	if m.spawnAfter.After(now) {
		sooner(m.spawnAfter)
	}
	sooner(m.cache.nextIdle(m.cfg.times.hotIdle))
	sooner(m.nextLook)
	sooner(m.watches.nextRefresh())
	sooner(m.nextPreload())
	sooner(m.nextReturn(now))
	sooner(m.pressure.relax)
	for _, q := range m.asked {
		sooner(q.until)
	}
	if m.draining {
		sooner(m.drainEnd)
	} else if m.unused() {
		sooner(m.lastClient.Add(m.cfg.IdleTimeout))
	}
	return next
}
