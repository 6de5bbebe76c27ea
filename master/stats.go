// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"cmp"
	"os"
	"slices"
	"time"

	"hgbroker/protocol"
)

// Stats is the answer to DoorStats, as JSON. All counts start with the master.
type Stats struct {
	Uptime       float64                 `json:"uptimeSeconds"`
	PID          int                     `json:"pid"`
	Build        string                  `json:"build"`
	Protocol     int                     `json:"protocol"`
	Draining     bool                    `json:"draining"`
	Clients      int                     `json:"clients"`
	Landlock     string                  `json:"landlock"` // what readers cannot do, or why nothing is forbidden
	Workers      WorkerStats             `json:"workers"`
	Queue        QueueStats              `json:"queue"`
	Cache        CacheStats              `json:"cache"`
	Donations    DonationStats           `json:"donations"`
	Loads        LoadStats               `json:"loads"`
	Leases       LeaseStats              `json:"leases"`
	Watches      WatchStats              `json:"watches"`
	Recent       RecentStats             `json:"recent"`
	Pressure     PressureStats           `json:"pressure"`
	Requests     CommandStats            `json:"requests"` // all commands together
	Commands     map[string]CommandStats `json:"commands"` // by hg's name of the command
	Repositories []RepositoryStats       `json:"repositories"`
}

// WorkerStats count worker processes.
type WorkerStats struct {
	Reader  map[string]int `json:"reader"` // living ones by state: starting, idle, busy, job, retiring
	Runner  map[string]int `json:"runner"`
	Max     int            `json:"max"`
	Spawned uint64         `json:"spawned"`
	Retired uint64         `json:"retired"` // told to exit: idle, or used up
	Killed  uint64         `json:"killed"`  // because a command ignored its cancel, or they did not obey
	Lost    uint64         `json:"lost"`    // ended by themselves
	Failed  uint64         `json:"failed"`  // never became ready
}

// QueueStats count requests for a worker.
type QueueStats struct {
	Waiting int    `json:"waiting"`
	Max     int    `json:"max"`
	Granted uint64 `json:"granted"`
	Refused uint64 `json:"refused"`
}

// CacheStats count how repositories were found by the commands that needed
// one, and what is held. A refreshed image is a hit that was not up to date.
type CacheStats struct {
	Hits       uint64 `json:"hits"`
	Refreshed  uint64 `json:"refreshed"`
	Misses     uint64 `json:"misses"`
	Entries    int    `json:"entries"`
	Bytes      int64  `json:"bytes"`
	MaxBytes   int64  `json:"maxBytes"`
	HotSlots   int    `json:"hotSlots"`
	Evictions  uint64 `json:"evictions"`
	Rejections uint64 `json:"rejections"` // images that were worth less than what was there

	Kinds map[string]KindStats `json:"kinds"` // of what is held: store, growth, texts
}

// KindStats count the images of one kind.
type KindStats struct {
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`
}

// WatchStats tell which repositories are watched for changes from outside, and
// what came of it.
type WatchStats struct {
	State        string `json:"state"` // on, off, or why there are none
	Repositories int    `json:"repositories"`
	Watches      int    `json:"watches"`
	Events       uint64 `json:"events"`
	Refreshes    uint64 `json:"refreshes"` // loads that were asked for because of them
	Overflows    uint64 `json:"overflows"` // times that events were lost
	Failed       uint64 `json:"failed"`    // watches that could not be had
}

// RecentStats tell of the list of repositories that the next master loads first.
type RecentStats struct {
	Dir     string `json:"dir"` // "" when none is kept
	Known   int    `json:"known"`
	Waiting int    `json:"waiting"` // to be loaded
	Loaded  uint64 `json:"loaded"`  // because they were on it
	Failed  uint64 `json:"failed"`
}

// PressureStats tell what memory pressure did.
type PressureStats struct {
	State      string `json:"state"` // where it is told
	Events     uint64 `json:"events"`
	Dropped    uint64 `json:"dropped"` // images
	Bytes      int64  `json:"bytes"`   // of them
	LimitBytes int64  `json:"limitBytes"`
}

// DonationStats count images that workers donated.
type DonationStats struct {
	Received uint64            `json:"received"`
	Admitted uint64            `json:"admitted"`
	Pending  int               `json:"pending"` // being verified
	Refused  map[string]uint64 `json:"refused"` // by reason
}

// LoadStats count background loads.
type LoadStats struct {
	Requested uint64 `json:"requested"`
	Done      uint64 `json:"done"`
	Failed    uint64 `json:"failed"`
	Joined    uint64 `json:"joined"` // requests that found one under way
	Pending   int    `json:"pending"`
}

// LeaseStats count what workers asked the cache for.
type LeaseStats struct {
	Granted uint64 `json:"granted"`
	Empty   uint64 `json:"empty"`
}

// CommandStats count how commands ended. A command that a reader left to the
// real hg is counted as Unsupported by the reader, and as Fallback by the
// runner if the client went on to one.
type CommandStats struct {
	Native      uint64 `json:"native"`
	Warm        uint64 `json:"warm"` // of Native: from an image that was there
	Cold        uint64 `json:"cold"` // of Native: after building or refreshing one
	Fallback    uint64 `json:"fallback"`
	Unsupported uint64 `json:"unsupported"`
	Failed      uint64 `json:"failed"`
	P50         uint64 `json:"p50Us"` // of Native and Fallback, in microseconds
	P99         uint64 `json:"p99Us"`
}

// RepositoryStats describe one cached image.
type RepositoryStats struct {
	Kind       string `json:"kind"`
	Path       string `json:"path"`
	Bytes      int64  `json:"bytes"`
	Generation string `json:"generation"`
	Cached     bool   `json:"cached"`
	Hot        bool   `json:"hot"`
}

// tally counts commands; one for each name, and one for all.
type tally struct {
	CommandStats
	durations histogram
}

// maxNames bounds how many command names are told apart; the rest are "other".
const maxNames = 128

// counts are the master's own counters. Only the loop touches them.
type counts struct {
	all      tally
	commands map[string]*tally
	workers  WorkerStats
	queue    QueueStats
	cache    CacheStats
	donated  DonationStats
	loads    LoadStats
	leases   LeaseStats
}

// count takes one finished command.
func (n *counts) count(f *protocol.Finished) {
	name := cmp.Or(f.Command, "other")
	t := n.commands[name]
	if t == nil && len(n.commands) >= maxNames {
		name = "other"
		t = n.commands[name]
	}
	if t == nil {
		t = &tally{}
		n.commands[name] = t
	}
	t.count(f)
	n.all.count(f)
	if f.Failed != "" || f.Served == protocol.ServedFallback || f.Store == "" {
		return
	}
	switch f.Loaded {
	case "":
		n.cache.Hits++
	case "refreshed":
		n.cache.Refreshed++
	default:
		n.cache.Misses++
	}
}

func (t *tally) count(f *protocol.Finished) {
	switch {
	case f.Failed == failedUnsupported:
		t.Unsupported++
		return
	case f.Failed != "":
		t.Failed++
		return
	case f.Served == protocol.ServedFallback:
		t.Fallback++
	default:
		t.Native++
		switch f.Served {
		case protocol.ServedWarm:
			t.Warm++
		case protocol.ServedCold:
			t.Cold++
		}
	}
	t.durations.add(f.DurationUs)
}

func (t *tally) stats() CommandStats {
	s := t.CommandStats
	s.P50, s.P99 = t.durations.quantile(0.5), t.durations.quantile(0.99)
	return s
}

// stats collects everything.
func (m *master) stats(now time.Time) *Stats {
	n := &m.counts
	s := &Stats{
		Uptime: now.Sub(m.started).Seconds(), PID: os.Getpid(), Build: m.cfg.Build, Protocol: protocol.Version,
		Draining: m.draining, Clients: len(m.clients), Landlock: m.readers.state(),
		Workers: n.workers, Queue: n.queue, Cache: n.cache, Donations: n.donated, Loads: n.loads, Leases: n.leases,
		Requests: n.all.stats(), Commands: map[string]CommandStats{}, Repositories: []RepositoryStats{},
	}
	for name, t := range n.commands {
		s.Commands[name] = t.stats()
	}
	s.Workers.Max = m.cfg.MaxWorkers
	s.Workers.Reader, s.Workers.Runner = map[string]int{}, map[string]int{}
	for _, w := range m.workers {
		if w.class == protocol.Runner {
			s.Workers.Runner[w.state.String()]++
		} else {
			s.Workers.Reader[w.state.String()]++
		}
	}
	s.Queue.Waiting, s.Queue.Max = m.queue.size, m.queue.max
	s.Cache.MaxBytes, s.Cache.HotSlots = m.cache.maxBytes, m.cache.hotSlots
	s.Cache.Evictions, s.Cache.Rejections = m.cache.evictions.Load(), m.cache.rejections.Load()
	s.Cache.Kinds = map[string]KindStats{}
	for key, e := range m.cache.entries {
		i := e.image
		if i == nil {
			continue
		}
		cached, hot := i.held()
		s.Repositories = append(s.Repositories, RepositoryStats{Kind: key.Kind, Path: key.Path,
			Bytes: i.cost, Generation: i.generation, Cached: cached, Hot: hot})
		k := s.Cache.Kinds[key.Kind]
		s.Cache.Kinds[key.Kind] = KindStats{k.Entries + 1, k.Bytes + i.cost}
		s.Cache.Entries++
		s.Cache.Bytes += i.cost
	}
	s.Donations.Pending = m.jobs.pending(jobVerify)
	s.Loads.Pending = m.jobs.pending(jobLoad)
	x, r, p := &m.watches, &m.recents, &m.pressure
	s.Watches = WatchStats{x.state, len(x.roots), len(x.dirs), x.events, x.refreshes, x.overflows, x.failed}
	s.Recent = RecentStats{r.dir, len(r.list), len(r.preload), r.preloaded, r.failed}
	s.Pressure = PressureStats{p.state, p.events, p.dropped, p.bytes, m.cache.limit}
	slices.SortFunc(s.Repositories, func(a, b RepositoryStats) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
	return s
}
