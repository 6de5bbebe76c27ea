// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol"
)

// What the cache is for, in seconds: traces of how people and scripts use their
// repositories are replayed through the cache, as the master uses it, and through
// two simpler ones with as much memory on average. The cost of a miss is modelled:
// 50 ms and 10 ms for each megabyte of the image.
//
// go test ./master -run TestTraces -v  (HGBROKER_TRACES=20 for more seeds; each has a line)
// go test ./master -run xxx -bench Traces

// access is one command on a repository.
type access struct {
	repository int
	after      time.Duration // the one before
	// counted says that its rebuilding counts. A script that walks over more than
	// can be kept costs the same with every cache, and only hides the rest.
	counted bool
}

type trace struct {
	sizes  []int64 // bytes of each repository's image
	budget int64
	list   []access
}

const megabyte = 1 << 20

// imageSizes are those of n repositories: most are small, some very large.
func imageSizes(r *rand.Rand, n int) []int64 {
	sizes := make([]int64, n)
	for i := range sizes {
		sizes[i] = int64(megabyte * min(1000, max(1, 20*math.Exp(1.5*r.NormFloat64()))))
	}
	return sizes
}

// zipf is a choice among n by rank: the second is chosen half as often as the
// first, the third a third as often.
type zipf []float64

func newZipf(n int) zipf {
	z := make(zipf, n)
	sum := 0.0
	for i := range z {
		sum += 1 / float64(i+1)
		z[i] = sum
	}
	return z
}

func (z zipf) next(r *rand.Rand) int { return sort.SearchFloat64s(z, r.Float64()*z[len(z)-1]) }

// commands appends n commands on a repository, as somebody gives them who comes
// to it.
func (t *trace) commands(repository, n int) {
	for i := range n {
		pause := 2 * time.Second
		if i == 0 {
			pause = 3 * time.Minute
		}
		t.list = append(t.list, access{repository, pause, true})
	}
}

// walk appends one command of a script on each repository. beside is called
// between them.
func (t *trace) walk(r *rand.Rand, counted bool, beside func()) {
	for _, i := range r.Perm(len(t.sizes)) {
		t.list = append(t.list, access{i, time.Second, counted})
		beside()
	}
}

// sessionLength is how many commands somebody gives: 20 on average.
func sessionLength(r *rand.Rand) int { return 1 + int(19*r.ExpFloat64()) }

// traces are the ways of use that measurements named.
var traces = []struct {
	name, what string
	make       func(r *rand.Rand) *trace
}{
	{"zipf", "50 repositories, each command on another one", func(r *rand.Rand) *trace {
		t, rank, z := ranked(r)
		for len(t.list) < traceLength {
			t.commands(rank[z.next(r)], 1)
		}
		return t
	}},
	{"bursts", "50 repositories, about 20 commands on one at a time", func(r *rand.Rand) *trace {
		t, rank, z := ranked(r)
		for len(t.list) < traceLength {
			t.commands(rank[z.next(r)], sessionLength(r))
		}
		return t
	}},
	{"windows", "bursts in two windows, in turn", func(r *rand.Rand) *trace {
		t, rank, z := ranked(r)
		for len(t.list) < traceLength {
			a, b := rank[z.next(r)], rank[z.next(r)]
			for range sessionLength(r) {
				t.list = append(t.list, access{a, 2 * time.Second, true}, access{b, 2 * time.Second, true})
			}
			t.list[len(t.list)-1].after = 3 * time.Minute
		}
		return t
	}},
	{"drift", "bursts, and every tenth time a new favourite", func(r *rand.Rand) *trace {
		t, rank, z := ranked(r)
		for k := 1; len(t.list) < traceLength; k++ {
			if k%10 == 0 {
				at := r.IntN(len(rank))
				favourite := rank[at]
				copy(rank[1:at+1], rank[:at])
				rank[0] = favourite
			}
			t.commands(rank[z.next(r)], sessionLength(r))
		}
		return t
	}},
	{"sweeps", "bursts, and every fiftieth time a script on all 50", func(r *rand.Rand) *trace {
		t, rank, z := ranked(r)
		for k := 1; len(t.list) < traceLength; k++ {
			if k%50 == 0 {
				t.walk(r, true, func() {})
			}
			t.commands(rank[z.next(r)], sessionLength(r))
		}
		return t
	}},
	{"sweep 1000", "three in daily use, scripts on 1,000 others beside them", func(r *rand.Rand) *trace {
		t := &trace{sizes: imageSizes(r, 1000), budget: 500 * megabyte}
		daily := []int{r.IntN(300), 300 + r.IntN(300), 600 + r.IntN(300)}
		for i, size := range []int64{60, 25, 120} {
			t.sizes[daily[i]] = size * megabyte
		}
		for len(t.list) < traceLength {
			for range 15 {
				t.commands(daily[r.IntN(3)], sessionLength(r))
			}
			t.walk(r, false, func() {
				if r.IntN(100) == 0 {
					t.commands(daily[r.IntN(3)], 3)
				}
			})
		}
		return t
	}},
}

const traceLength = 10000

// ranked begins a trace of 50 repositories, of which a quarter can be kept.
func ranked(r *rand.Rand) (*trace, []int, zipf) {
	t := &trace{sizes: imageSizes(r, 50)}
	for _, s := range t.sizes {
		t.budget += s / 4
	}
	return t, r.Perm(50), newZipf(50)
}

// keeper is a cache under test. asked tells whether it had the repository, and
// has it afterwards if it wants to.
type keeper interface {
	asked(repository int, size int64, now time.Time) bool
	bytes() int64
}

// spent is what a trace cost.
type spent struct {
	seconds     float64 // of rebuilding
	hits        float64 // share of the accesses
	memory, max float64 // mean and most, bytes
}

func (t *trace) replay(k keeper) (s spent) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	n := float64(len(t.list))
	for _, a := range t.list {
		now = now.Add(a.after)
		size := t.sizes[a.repository]
		if k.asked(a.repository, size, now) {
			s.hits += 1 / n
		} else if a.counted {
			s.seconds += kinds[storeKind].rebuild(size)
		}
		held := float64(k.bytes())
		s.memory += held / n
		s.max = max(s.max, held)
	}
	return s
}

// ours is the real cache.
type ours struct{ *cache }

func (o ours) asked(repository int, size int64, now time.Time) bool {
	key := protocol.ImageKey{Kind: storeKind, Path: fmt.Sprint("/", repository)}
	s := o.lease(key, now)
	if s != nil {
		s.release()
		return true
	}
	o.put(newSealed(key, "", -1, size, size)) // without a descriptor: closing it fails, and that is all
	o.lost()
	return false
}

// lru keeps what was used last: of a number, or of bytes; 0 means any.
type lru struct {
	number int
	limit  int64
	list   []int // the one used last first
	sizes  map[int]int64
	held   int64
}

func (l *lru) asked(repository int, size int64, _ time.Time) bool {
	at := slices.Index(l.list, repository)
	if at >= 0 {
		copy(l.list[1:at+1], l.list[:at])
		l.list[0] = repository
		return true
	}
	l.list = slices.Insert(l.list, 0, repository)
	l.sizes[repository] = size
	l.held += size
	for len(l.list) > 1 && (l.number > 0 && len(l.list) > l.number || l.limit > 0 && l.held > l.limit) {
		last := len(l.list) - 1
		l.held -= l.sizes[l.list[last]]
		l.list = l.list[:last]
	}
	return false
}

func (l *lru) bytes() int64 { return l.held }

// byNumber is what an LRU of N costs whose mean memory is m; between two N it is
// interpolated.
func (t *trace) byNumber(m float64) float64 {
	var before spent
	for n := 1; ; n++ {
		s := t.replay(&lru{number: n, sizes: map[int]int64{}})
		if s.memory >= m || n == len(t.sizes) {
			if n == 1 || s.memory <= before.memory {
				return s.seconds
			}
			return before.seconds + (s.seconds-before.seconds)*(m-before.memory)/(s.memory-before.memory)
		}
		before = s
	}
}

// byBytes is what an LRU of bytes costs whose mean memory is m.
func (t *trace) byBytes(m float64) float64 {
	low, high := 0.0, 8*m
	for range 20 {
		middle := (low + high) / 2
		if t.replay(&lru{limit: int64(middle), sizes: map[int]int64{}}).memory < m {
			low = middle
		} else {
			high = middle
		}
	}
	return t.replay(&lru{limit: int64(high), sizes: map[int]int64{}}).seconds
}

// compared is one line of the table.
type compared struct {
	ours, byNumber, byBytes float64 // seconds
	hits, memory, most      float64 // memory as a share of the budget
}

func (c compared) String() string {
	return fmt.Sprintf("%8.1f %8.1f %8.1f   %5.1f %5.1f %%  %5.1f%% %6.2f %6.2f", c.ours, c.byNumber, c.byBytes,
		100*(1-c.ours/c.byNumber), 100*(1-c.ours/c.byBytes), 100*c.hits, c.memory, c.most)
}

// compare replays a trace of one seed.
func compare(t testing.TB, make func(*rand.Rand) *trace, seed int) compared {
	t.Helper()
	trace := make(rand.New(rand.NewPCG(uint64(seed), 3)))
	kept, err := newCache(trace.budget, 2, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.close()
	s := trace.replay(ours{kept})
	budget := float64(trace.budget)
	return compared{s.seconds, trace.byNumber(s.memory), trace.byBytes(s.memory), s.hits, s.memory / budget, s.max / budget}
}

// mean is that of several seeds; most is the most of all.
func mean(list []compared) (c compared) {
	n := float64(len(list))
	for _, x := range list {
		c.ours += x.ours / n
		c.byNumber += x.byNumber / n
		c.byBytes += x.byBytes / n
		c.hits += x.hits / n
		c.memory += x.memory / n
		c.most = max(c.most, x.most)
	}
	return c
}

func TestTraces(t *testing.T) {
	seeds := 5
	if n := os.Getenv("HGBROKER_TRACES"); n != "" {
		seeds = number(t, n)
	} else if testing.Short() || raceDetector {
		t.Skip("takes long")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rebuild seconds with the same mean memory; memory as a share of the budget\n")
	fmt.Fprintf(&b, "%-16s %8s %8s %8s   %-13s %6s %7s %6s\n", "trace", "ours", "LRU of N", "of bytes", "ours is less", "hits", "memory", "most")
	for _, tr := range traces {
		var list []compared
		for seed := range seeds {
			list = append(list, compare(t, tr.make, seed))
			fmt.Fprintf(&b, "%-10s %5d %v\n", tr.name, seed, list[seed])
		}
		c := mean(list)
		fmt.Fprintf(&b, "%-10s  mean %v  %s\n", tr.name, c, tr.what)
		if c.ours >= c.byNumber || c.ours >= c.byBytes {
			t.Errorf("%s: %.1f s, an LRU of N %.1f, of bytes %.1f", tr.name, c.ours, c.byNumber, c.byBytes)
		}
	}
	t.Log("\n" + b.String())
}

// BenchmarkTraces reports the same numbers for benchstat, and what a command costs
// the cache.
func BenchmarkTraces(b *testing.B) {
	for _, tr := range traces {
		b.Run(strings.ReplaceAll(tr.name, " ", ""), func(b *testing.B) {
			c := mean([]compared{compare(b, tr.make, 0), compare(b, tr.make, 1), compare(b, tr.make, 2)})
			made := tr.make(rand.New(rand.NewPCG(0, 3)))
			accesses := 0
			for b.Loop() {
				kept, err := newCache(made.budget, 2, 30*time.Second)
				if err != nil {
					b.Fatal(err)
				}
				made.replay(ours{kept})
				kept.close()
				accesses += len(made.list)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(accesses), "ns/command")
			b.ReportMetric(c.ours, "s-ours")
			b.ReportMetric(c.byNumber, "s-LRU-N")
			b.ReportMetric(c.byBytes, "s-LRU-bytes")
		})
	}
}
