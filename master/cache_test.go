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

// put is what a finished command does: the use, and what it donates.
func put(c *cache, s *sealed, now time.Time) {
	c.use(s.key, now)
	c.put(s)
}

// held counts the images of a cache and their bytes.
func (c *cache) counted() (entries int, bytes int64) {
	for _, e := range c.entries {
		if e.image != nil {
			entries++
		}
	}
	return entries, c.bytes()
}

func TestEvictedWhileLeasedStillReadable(t *testing.T) {
	c := testCache(t, 1000, 1)
	now := time.Now()
	a := sealedOf(t, "/a", 900)
	put(c, a, now)
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

func TestHotSlotsKeepWhatIsTooLarge(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	big := sealedOf(t, "/big", 5000)
	put(c, big, now)
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
		put(c, s, now)
	}
	if got := c.lost(); len(got) != 1 || got[0] != big.key {
		t.Errorf("lost %v", got)
	}
	if n, bytes := c.counted(); n != 2 || bytes != 20 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	c.use(small[0].key, now.Add(time.Second))
	c.coolIdle(time.Minute, now.Add(time.Minute)) // the other one
	if len(c.hot) != 1 || c.hot[0].path != small[0].key.Path {
		t.Errorf("%+v", c.hot)
	}
	if next := c.nextIdle(time.Minute); !next.Equal(now.Add(time.Minute + time.Second)) {
		t.Error(next)
	}
	if len(c.lost()) != 0 {
		t.Error("cooled images are still cached")
	}
}

func TestWhatTheLimitRunsThrough(t *testing.T) {
	c := testCache(t, 1000, 1)
	now := time.Now()
	used := func(path string, cost int64, times int) *sealed {
		s := sealedOf(t, path, cost)
		for range times {
			now = now.Add(time.Hour)
			c.use(s.key, now)
		}
		c.put(s)
		return s
	}
	where := func(s *sealed) string {
		cached, hot := s.held()
		return fmt.Sprintf("cached %v, hot %v", cached, hot)
	}
	small, large := used("/small", 400, 8), used("/large", 980, 4)
	used("/other", 10, 1) // takes the hot slot
	if got := where(large); got != "cached false, hot true" {
		t.Errorf("more of it lies below the limit than above: %s", got)
	}
	if cached, _ := small.held(); !cached || !c.has(small.key) {
		t.Error("what is worth more is not cached")
	}
	if n, bytes := c.counted(); n != 3 || bytes != 1390 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	// There is one such place: what is worth less than it stays out.
	used("/another", 300, 1)
	used("/other", 10, 1)
	if n, bytes := c.counted(); n != 3 || bytes != 1390 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	// When it is worth the most it is inside, and most of the other outside.
	for range 40 {
		now = now.Add(time.Hour)
		c.use(large.key, now)
	}
	used("/other", 10, 1)
	if got := where(large); got != "cached true, hot false" {
		t.Error(got)
	}
	if n, bytes := c.counted(); n != 2 || bytes != 990 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
}

func TestReplacementReleasesTheOldImage(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	old, young := sealedOf(t, "/a", 400), sealedOf(t, "/a", 500)
	put(c, old, now)
	put(c, young, now)
	if old.acquire() {
		t.Error("the old one is still held")
	}
	if n, bytes := c.counted(); n != 1 || bytes != 500 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	if s := c.lease(young.key, now); s != young {
		t.Error("no lease of the new one")
	} else {
		s.release()
	}
	if got := c.lost(); len(got) != 0 {
		t.Errorf("lost %v, which was replaced", got)
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
	if gets() != 1 || c.clock != 0 {
		t.Errorf("%d Gets for a burst, %v on the clock", gets(), c.clock)
	}
	// Two windows that are used in turn are one burst each.
	for range 10 {
		c.use(b, now)
		c.use(a, now)
		c.use(protocol.ImageKey{Kind: "growth", Path: "/a"}, now)
	}
	if gets() != 2 {
		t.Errorf("%d Gets", gets())
	}
	c.use(a, now.Add(time.Minute))
	if gets() != 3 || c.clock != 1 {
		t.Errorf("%d Gets after the burst's time, %v on the clock", gets(), c.clock)
	}
}

func TestKeysAreForgotten(t *testing.T) {
	c := testCache(t, 1000, 1)
	now := time.Now()
	kept := sealedOf(t, "/kept", 10)
	put(c, kept, now)
	often := protocol.ImageKey{Kind: "store", Path: "/often"}
	for i := range 2 * maxIDs {
		c.use(protocol.ImageKey{Kind: "store", Path: fmt.Sprint("/", i)}, now)
		if i%64 == 0 {
			now = now.Add(time.Minute)
			c.use(often, now)
		}
	}
	if len(c.entries) > maxIDs+1 {
		t.Errorf("%d keys remembered", len(c.entries))
	}
	if c.entries[often] == nil {
		t.Error("what is used often was forgotten")
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
		put(c, sealedOf(t, fmt.Sprint("/", i%40), int64(i%7*100+50)), now)
		now = now.Add(time.Minute)
		if s := c.lease(protocol.ImageKey{Kind: "store", Path: fmt.Sprint("/", (i*7)%40)}, now); s != nil {
			if !readable(s) {
				t.Fatal("a leased image is closed")
			}
			s.release()
		}
		c.lost()
		if n, bytes := c.counted(); n == 0 || bytes > 1000+2*650 { // hot ones beside the limit
			t.Errorf("%d images, %d bytes", n, bytes)
		}
	}
}

// of makes an image of a kind, as a command that began at a time donates it.
func of(t *testing.T, kind, path string, cost int64, begun uint64) *sealed {
	t.Helper()
	s := newSealed(protocol.ImageKey{Kind: kind, Path: path}, "g", goodImage(t, 100), cost, cost)
	s.begun = begun
	return s
}

func TestEachKindHasItsOwnEntryAndCost(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	for i, kind := range []string{"store", "growth", "texts", "checkout", "manifest"} {
		put(c, of(t, kind, "/a", int64(100+i), 5), now)
	}
	if n, bytes := c.counted(); n != 5 || bytes != 510 {
		t.Errorf("%d images, %d bytes", n, bytes)
	}
	hot := map[string]bool{}
	for key, e := range c.entries {
		if cached, h := e.image.held(); !cached {
			t.Errorf("%v is not cached", key)
		} else {
			hot[key.Kind] = h
		}
	}
	if !hot["store"] || !hot["growth"] || hot["texts"] || hot["checkout"] || hot["manifest"] || len(c.hot) != 1 {
		t.Errorf("hot: %v in %d slots", hot, len(c.hot))
	}
	// A new store image makes what came to the old one useless; not what came to
	// itself, and not the texts.
	c.put(of(t, "store", "/a", 100, 6))
	if c.has(protocol.ImageKey{Kind: "growth", Path: "/a"}) || !c.has(protocol.ImageKey{Kind: "texts", Path: "/a"}) {
		t.Error("growth of an old image, or no texts")
	}
	c.put(of(t, "growth", "/a", 100, 8))
	c.put(of(t, "store", "/a", 100, 7))
	if !c.has(protocol.ImageKey{Kind: "growth", Path: "/a"}) {
		t.Error("newer growth was dropped")
	}
}

func TestTextsDoNotPushOutStoresInDailyUse(t *testing.T) {
	const mb = 1 << 20
	c := testCache(t, 1000*mb, 2)
	now := time.Now()
	stores := []string{"/a", "/b", "/c"}
	for round := range 5 {
		for _, path := range stores {
			if now = now.Add(time.Hour); round == 0 {
				put(c, of(t, "store", path, 200*mb, 1), now)
			} else {
				c.use(protocol.ImageKey{Kind: "store", Path: path}, now)
			}
		}
	}
	for i := range 50 {
		now = now.Add(time.Minute) // one command that reads a whole history after the other
		path := fmt.Sprint("/texts", i)
		if i%2 == 0 {
			path = stores[i/2%3]
		}
		put(c, of(t, "texts", path, int64(100+i*4)*mb, 1), now)
	}
	for _, path := range stores {
		if !c.has(protocol.ImageKey{Kind: "store", Path: path}) {
			t.Errorf("the store of %s was pushed out", path)
		}
	}
	if n, bytes := c.counted(); n < 4 || bytes > 1000*mb {
		t.Errorf("%d images, %d MB", n, bytes/mb)
	}
}

func TestASweepDoesNotPushOutWhatIsInDailyUse(t *testing.T) {
	const mb = 1 << 20
	c := testCache(t, 500*mb, 2)
	now := time.Now()
	daily := []string{"/a", "/b", "/c"}
	for round := range 20 {
		for _, path := range daily {
			if now = now.Add(time.Hour); round == 0 {
				put(c, of(t, "store", path, 100*mb, 1), now)
			} else {
				c.use(protocol.ImageKey{Kind: "store", Path: path}, now)
			}
		}
	}
	for i := range 1000 {
		now = now.Add(time.Second)
		put(c, of(t, "store", fmt.Sprint("/swept/", i), int64(i%50+1)*mb, 1), now)
		if i%100 == 99 { // somebody works meanwhile
			c.use(protocol.ImageKey{Kind: "store", Path: daily[i/100%3]}, now)
		}
	}
	for _, path := range daily {
		if !c.has(protocol.ImageKey{Kind: "store", Path: path}) {
			t.Errorf("%s was pushed out", path)
		}
	}
}

func TestUnderPressureColdGoesFirst(t *testing.T) {
	c := testCache(t, 1000, 2)
	now := time.Now()
	for range 3 {
		for i := range 8 {
			for range 1 + 7/(i+1) { // the first is used most
				now = now.Add(time.Minute)
				c.use(protocol.ImageKey{Kind: "store", Path: fmt.Sprint("/", i)}, now)
			}
		}
	}
	for i := range 8 {
		c.put(of(t, "store", fmt.Sprint("/", i), 100, 1))
	}
	put(c, of(t, "texts", "/0", 100, 1), now)
	c.lost()
	if n, bytes := c.squeeze(); n != 1 || bytes != 100 || c.has(protocol.ImageKey{Kind: "texts", Path: "/0"}) {
		t.Errorf("first %d images, %d bytes: not the texts", n, bytes)
	}
	if n, bytes := c.squeeze(); n != 3 || bytes != 300 || !c.has(protocol.ImageKey{Kind: "store", Path: "/0"}) {
		t.Errorf("then %d images, %d bytes", n, bytes)
	}
	if len(c.lost()) != 4 {
		t.Error("workers are not told")
	}
	for range 5 {
		c.squeeze()
	}
	if n, bytes := c.counted(); n != 2 || bytes != 200 || !c.has(protocol.ImageKey{Kind: "store", Path: "/7"}) || !c.has(protocol.ImageKey{Kind: "store", Path: "/6"}) {
		t.Errorf("%d images, %d bytes are left: not the hot ones", n, bytes)
	}
	// The limit holds until the pressure is over, and then grows.
	c.put(of(t, "store", "/new", 100, 1))
	if c.has(protocol.ImageKey{Kind: "store", Path: "/new"}) {
		t.Error("memory is taken again")
	}
	steps := 1
	for ; !c.relax(); steps++ {
	}
	if steps < 2 || steps > 5 || c.limit != c.maxBytes {
		t.Errorf("%d steps to %d", steps, c.limit)
	}
	c.put(of(t, "store", "/new", 100, 1))
	if !c.has(protocol.ImageKey{Kind: "store", Path: "/new"}) {
		t.Error("the limit is forgotten")
	}
}
