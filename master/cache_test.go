// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// The first half of this file is the contract with ristretto: what this package
// depends on, one test each. A failure after an upgrade of the library means
// that cache.go has to be thought over.

type spy struct {
	mu                      sync.Mutex
	exits, evicted, refused []string
	nils                    int
}

func (s *spy) count(list *[]string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(*list)
}

func newRistretto(t *testing.T, maxCost int64) (*ristretto.Cache[uint64, *string], *spy) {
	t.Helper()
	s := &spy{}
	note := func(list *[]string, v *string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if v == nil {
			s.nils++
			return
		}
		*list = append(*list, *v)
	}
	c, err := ristretto.NewCache(&ristretto.Config[uint64, *string]{
		NumCounters: counters, MaxCost: maxCost, BufferItems: 1, IgnoreInternalCost: true, Metrics: true,
		KeyToHash: func(id uint64) (uint64, uint64) { return spread(id), 0 },
		OnExit:    func(v *string) { note(&s.exits, v) },
		OnEvict:   func(i *ristretto.Item[*string]) { note(&s.evicted, i.Value) },
		OnReject:  func(i *ristretto.Item[*string]) { note(&s.refused, i.Value) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s
}

func text(format string, args ...any) *string {
	s := fmt.Sprintf(format, args...)
	return &s
}

func TestRistrettoSetIsVisibleAfterWait(t *testing.T) {
	c, _ := newRistretto(t, 100)
	if !c.Set(1, text("a"), 10) {
		t.Fatal("dropped")
	}
	c.Wait()
	if v, ok := c.Get(1); !ok || *v != "a" {
		t.Error("not there")
	}
}

func TestRistrettoCostIsExact(t *testing.T) {
	c, s := newRistretto(t, 100)
	for i := range uint64(10) {
		c.Set(i+1, text("%d", i), 10)
		c.Wait()
	}
	if n := s.count(&s.exits); n != 0 || c.RemainingCost() != 0 {
		t.Errorf("%d left, %d remain: something is added to the cost", n, c.RemainingCost())
	}
}

func TestRistrettoReplaceByDelSetWait(t *testing.T) {
	c, s := newRistretto(t, 100)
	c.Set(1, text("old"), 60)
	c.Wait()
	c.Del(1)
	c.Set(1, text("new"), 80)
	c.Wait()
	if v, ok := c.Get(1); !ok || *v != "new" {
		t.Error("the new one is not there")
	}
	if len(s.exits) != 1 || s.exits[0] != "old" || c.RemainingCost() != 20 {
		t.Errorf("exits %q, %d remain", s.exits, c.RemainingCost())
	}
}

func TestRistrettoDelOfAbsentKeyCallsOnExitWithZero(t *testing.T) {
	c, s := newRistretto(t, 100)
	c.Del(7)
	c.Wait()
	if s.nils == 0 {
		t.Error("OnExit is not called with nil any more: only a note, cache.go is ready for both")
	}
}

func TestRistrettoItemOverMaxCostIsRejectedWithCallback(t *testing.T) {
	c, s := newRistretto(t, 100)
	if !c.Set(1, text("big"), 101) {
		t.Fatal("Set returns false: the caller still owns the value")
	}
	c.Wait()
	if _, ok := c.Get(1); ok || s.count(&s.exits) != 1 || s.count(&s.refused) != 1 {
		t.Errorf("exits %q, rejected %q", s.exits, s.refused)
	}
}

func TestRistrettoUpdateNeverEvicts(t *testing.T) {
	// Why cache.go never updates.
	c, s := newRistretto(t, 100)
	c.Set(1, text("a"), 10)
	c.Wait()
	c.Set(1, text("b"), 500)
	c.Wait()
	if v, ok := c.Get(1); !ok || *v != "b" || c.RemainingCost() != -400 || s.count(&s.evicted) != 0 {
		t.Errorf("%v %d: updates are bounded now", ok, c.RemainingCost())
	}
}

// uses makes n Gets that are counted. Each one is told at once to the policy,
// which drops it when it is behind: here, where no time passes between two.
func uses(t *testing.T, c *ristretto.Cache[uint64, *string], id, n uint64) {
	t.Helper()
	told := func() uint64 { return c.Metrics.GetsKept() + c.Metrics.GetsDropped() }
	eventually(t, "the Gets are counted", func() bool {
		before := told()
		c.Get(id)
		if told() != before+1 {
			t.Fatal("a Get waits for others before it is counted")
		}
		return c.Metrics.GetsKept() >= n
	})
}

func TestRistrettoCountsSingleGetsWithBufferItems1(t *testing.T) {
	c, s := newRistretto(t, 100)
	c.Set(1, text("often used"), 100)
	c.Wait()
	uses(t, c, 1, 12)
	c.Set(2, text("seen once"), 100)
	c.Wait()
	if _, ok := c.Get(1); !ok || s.count(&s.refused) != 1 {
		t.Error("a newcomer displaced what is used often")
	}
}

func TestRistrettoNewcomerGetsInByUse(t *testing.T) {
	c, _ := newRistretto(t, 100)
	c.Set(1, text("resident"), 100)
	c.Wait()
	uses(t, c, 2, 30) // counters saturate: nobody is kept out for ever
	c.Set(2, text("newcomer"), 100)
	c.Wait()
	if _, ok := c.Get(2); !ok {
		t.Error("still kept out")
	}
}

func TestRistrettoExitsExactlyOnce(t *testing.T) {
	c, s := newRistretto(t, 1000)
	const n = 3000
	for i := range n {
		id := uint64(i%97 + 1)
		c.Del(id)
		if !c.Set(id, text("%d", i), int64(i%150+1)) {
			s.mu.Lock()
			s.exits = append(s.exits, fmt.Sprint(i))
			s.mu.Unlock()
		}
		c.Wait()
	}
	for id := range uint64(97) {
		c.Del(id + 1)
	}
	c.Wait()
	seen := map[string]int{}
	for _, v := range s.exits {
		seen[v]++
	}
	if len(seen) != n || len(s.exits) != n {
		t.Errorf("%d values, %d exits of %d different ones", n, len(s.exits), len(seen))
	}
}

func TestDenseKeysDoNotCollideInTheSketch(t *testing.T) {
	seen := map[uint64]bool{}
	for id := range uint64(counters) {
		low := spread(id) & (counters - 1)
		if seen[low] {
			t.Fatalf("%d collides", id)
		}
		seen[low] = true
	}
}

// From here on: our own cache.

func sealedOf(t *testing.T, path string, cost int64) *sealed {
	t.Helper()
	fd := goodImage(t, 100)
	return newSealed(protocol.ImageKey{Kind: "store", Path: path}, "g", fd, cost, cost)
}

func testCache(t *testing.T, max int64, hot int) *cache {
	t.Helper()
	before := descriptors(t)
	c, err := newCache(max, hot, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.close()
		eventually(t, "every descriptor is closed", func() bool { return descriptors(t) == before })
	})
	return c
}

func readable(s *sealed) bool {
	var b [8]byte
	n, err := unix.Pread(s.fd, b[:], 0)
	return err == nil && n == 8
}

func TestEvictedWhileLeasedStillReadable(t *testing.T) {
	c := testCache(t, 1000, 1)
	now := time.Now()
	a := sealedOf(t, "/a", 900)
	c.put(a, now)
	lease := c.lease(a.key, now)
	if lease != a {
		t.Fatal("no lease")
	}
	c.flush(func(protocol.ImageKey) bool { return true })
	if got := c.lost(); len(got) != 1 || got[0] != a.key {
		t.Errorf("lost %v", got)
	}
	if c.lease(a.key, now) != nil {
		t.Error("a flushed image is leased")
	}
	if !readable(lease) {
		t.Error("a leased image is closed")
	}
	lease.release()
	if a.acquire() {
		t.Error("acquired after the last release")
	}
}

func TestHotSlotsKeepWhatTheCacheRejects(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	big := sealedOf(t, "/big", 5000)
	c.put(big, now)
	if cached, hot := big.held(); cached || !hot || c.rejections.Load() != 1 {
		t.Errorf("cached %v, hot %v", cached, hot)
	}
	s := c.lease(big.key, now)
	if s == nil {
		t.Fatal("no lease of a hot image")
	}
	s.release()
	small := []*sealed{sealedOf(t, "/1", 10), sealedOf(t, "/2", 10)}
	for _, s := range small {
		c.put(s, now)
	}
	if got := c.lost(); len(got) != 1 || got[0] != big.key {
		t.Errorf("lost %v", got)
	}
	if n, bytes := c.size(); n != 2 || bytes != 20 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	c.use(small[0].key, now.Add(time.Second))
	c.coolIdle(time.Minute, now.Add(time.Minute), false) // the other one
	if len(c.hot) != 1 || c.hot[0].image != small[0] {
		t.Errorf("%+v", c.hot)
	}
	if next := c.nextIdle(time.Minute); !next.Equal(now.Add(time.Minute + time.Second)) {
		t.Error(next)
	}
	if len(c.lost()) != 0 {
		t.Error("cooled images are still cached")
	}
}

func TestReplacementReleasesTheOldImage(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	old, young := sealedOf(t, "/a", 400), sealedOf(t, "/a", 500)
	c.put(old, now)
	c.put(young, now)
	if old.acquire() {
		t.Error("the old one is still held")
	}
	if n, bytes := c.size(); n != 1 || bytes != 500 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	if s := c.lease(young.key, now); s != young {
		t.Error("no lease of the new one")
	} else {
		s.release()
	}
}

func TestOneGetForEachBurst(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	a, b := protocol.ImageKey{Kind: "store", Path: "/a"}, protocol.ImageKey{Kind: "store", Path: "/b"}
	gets := func() uint64 { return c.main.Metrics.Hits() + c.main.Metrics.Misses() }
	for i := range 20 {
		c.use(a, now.Add(time.Duration(i)*time.Second))
	}
	if gets() != 1 {
		t.Errorf("%d Gets for a burst", gets())
	}
	c.use(b, now)
	c.use(a, now)
	if gets() != 3 {
		t.Errorf("%d Gets after two changes", gets())
	}
	c.use(a, now.Add(time.Minute))
	if gets() != 4 {
		t.Errorf("%d Gets after the burst's time", gets())
	}
}

func TestKeysAreForgotten(t *testing.T) {
	c := testCache(t, 1000, 1)
	now := time.Now()
	kept := sealedOf(t, "/kept", 10)
	c.put(kept, now)
	for i := range 2 * maxIDs {
		c.use(protocol.ImageKey{Kind: "store", Path: fmt.Sprint("/", i)}, now)
	}
	if len(c.ids) > maxIDs {
		t.Errorf("%d keys remembered", len(c.ids))
	}
	if s := c.lease(kept.key, now); s == nil {
		t.Error("what is cached was forgotten")
	} else {
		s.release()
	}
}

func TestManyImagesInASmallCache(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	for i := range 500 {
		c.put(sealedOf(t, fmt.Sprint("/", i%40), int64(i%7*100+50)), now)
		if s := c.lease(protocol.ImageKey{Kind: "store", Path: fmt.Sprint("/", (i*7)%40)}, now); s != nil {
			if !readable(s) {
				t.Fatal("a leased image is closed")
			}
			s.release()
		}
		c.lost()
	}
	if n, bytes := c.size(); n == 0 || bytes > 1000+2*650 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
}
