// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"hgbroker/protocol"
)

// cache keeps the images of the repositories in use. Which ones is ristretto's
// decision, by how often they are used and what they cost; a few hot slots
// beside it keep the last ones used whatever it decides.
//
// The settings are those that were measured to work for few large entries used
// in bursts, and each one that matters is pinned by a test (cache_test.go):
//
//   - BufferItems 1, or the few uses that there are would never be counted;
//   - NumCounters in proportion to the entries, so that old uses are forgotten;
//   - IgnoreInternalCost: the cost is bytes of memory and nothing else;
//   - keys are dense numbers times an odd constant: no two collide in the sketch;
//   - one Get for each burst of uses: an editor's twenty commands count as one;
//   - an entry is replaced by Del, Set, Wait, never updated: an update evicts
//     nothing, and a second Set of a new key is rejected at the first one's cost;
//   - OnExit may be called with nil.
//
// Only the loop calls its methods. Ristretto's own goroutine calls the three
// callbacks.
type cache struct {
	main     *ristretto.Cache[uint64, *sealed]
	maxBytes int64
	hot      []hotSlot // the last used first
	hotSlots int
	burst    time.Duration

	ids    map[protocol.ImageKey]uint64
	nextID uint64
	known  map[protocol.ImageKey]*sealed // what main or a hot slot may hold
	last   protocol.ImageKey             // what was used last, and when it was counted
	lastAt time.Time

	evictions, rejections atomic.Uint64
}

type hotSlot struct {
	image *sealed // holds a reference
	used  time.Time
}

// counters is ristretto's NumCounters: ten times the repositories expected, and
// a power of two.
const counters = 512

// maxIDs bounds how many keys are remembered that are not cached.
const maxIDs = 4096

func newCache(maxBytes int64, hotSlots int, burst time.Duration) (*cache, error) {
	c := &cache{maxBytes: maxBytes, hotSlots: hotSlots, burst: burst,
		ids: map[protocol.ImageKey]uint64{}, known: map[protocol.ImageKey]*sealed{}}
	no := false
	main, err := ristretto.NewCache(&ristretto.Config[uint64, *sealed]{
		NumCounters:        counters,
		MaxCost:            maxBytes,
		BufferItems:        1,
		IgnoreInternalCost: true,
		Metrics:            true,
		KeyToHash:          func(id uint64) (uint64, uint64) { return spread(id), 0 },
		OnEvict:            func(*ristretto.Item[*sealed]) { c.evictions.Add(1) },
		OnReject:           func(*ristretto.Item[*sealed]) { c.rejections.Add(1) },
		OnExit: func(s *sealed) {
			if s != nil {
				s.mark(&no, nil)
				s.release()
			}
		},
		// Nothing expires, so nobody has to wake up for it.
		TtlTickerDurationInSec: 24 * 60 * 60,
	})
	if err != nil {
		return nil, fmt.Errorf("cache of %d bytes: %w", maxBytes, err)
	}
	c.main = main
	return c, nil
}

// spread turns a dense number into a hash. Times an odd constant, numbers that
// differ in their low bits still do, which is all that ristretto's sketch looks at.
func spread(id uint64) uint64 { return id * 0x9E3779B97F4A7C15 }

func (c *cache) id(key protocol.ImageKey) uint64 {
	id, ok := c.ids[key]
	if !ok {
		if len(c.ids) >= maxIDs {
			for k := range c.ids {
				if c.known[k] == nil {
					delete(c.ids, k)
				}
			}
		}
		c.nextID++
		id = c.nextID
		c.ids[key] = id
	}
	return id
}

// use counts a use of the key, one for each burst, and keeps its image hot.
func (c *cache) use(key protocol.ImageKey, now time.Time) {
	if key != c.last || now.Sub(c.lastAt) >= c.burst {
		c.last, c.lastAt = key, now
		c.main.Get(c.id(key))
	}
	if s := c.known[key]; s != nil {
		c.heat(s, now)
	}
}

// lease returns the key's image with a reference for the caller, or nil.
func (c *cache) lease(key protocol.ImageKey, now time.Time) *sealed {
	c.use(key, now)
	s := c.known[key]
	if s == nil || !s.acquire() {
		return nil
	}
	return s
}

// put makes s the image of its key. The caller's reference becomes the cache's.
func (c *cache) put(s *sealed, now time.Time) {
	id := c.id(s.key)
	if old := c.known[s.key]; old != nil {
		c.cool(old)
	}
	c.main.Del(id)
	c.known[s.key] = s
	c.heat(s, now) // so that it survives its own rejection
	yes, no := true, false
	s.mark(&yes, nil)
	if !c.main.Set(id, s, s.cost) {
		// Dropped without a callback: the reference is still ours.
		s.mark(&no, nil)
		s.release()
	}
	c.main.Wait()
}

// heat moves an image to the first hot slot.
func (c *cache) heat(s *sealed, now time.Time) {
	for i := range c.hot {
		if c.hot[i].image == s {
			slot := c.hot[i]
			slot.used = now
			copy(c.hot[1:i+1], c.hot[:i])
			c.hot[0] = slot
			return
		}
	}
	if c.hotSlots <= 0 || !s.acquire() {
		return
	}
	yes := true
	s.mark(nil, &yes)
	c.hot = slices.Insert(c.hot, 0, hotSlot{s, now})
	for len(c.hot) > c.hotSlots {
		c.cool(c.hot[len(c.hot)-1].image)
	}
}

// cool takes an image out of its hot slot, if it has one.
func (c *cache) cool(s *sealed) {
	for i := range c.hot {
		if c.hot[i].image == s {
			c.hot = slices.Delete(c.hot, i, i+1)
			no := false
			s.mark(nil, &no)
			s.release()
			return
		}
	}
}

// coolIdle empties the hot slots that nobody used for so long, or under memory
// pressure all but the first.
func (c *cache) coolIdle(idle time.Duration, now time.Time, pressure bool) {
	for i := len(c.hot) - 1; i >= 0; i-- {
		if now.Sub(c.hot[i].used) >= idle || pressure && i > 0 {
			c.cool(c.hot[i].image)
		}
	}
}

// nextIdle is when coolIdle has work again; zero when never.
func (c *cache) nextIdle(idle time.Duration) time.Time {
	if len(c.hot) == 0 {
		return time.Time{}
	}
	return c.hot[len(c.hot)-1].used.Add(idle)
}

// lost returns the keys whose image neither the cache nor a hot slot holds any
// more, once each: what workers mapped of them may go.
func (c *cache) lost() []protocol.ImageKey {
	var keys []protocol.ImageKey
	for k, s := range c.known {
		if cached, hot := s.held(); !cached && !hot {
			delete(c.known, k)
			keys = append(keys, k)
		}
	}
	return keys
}

// flush drops the images of the keys for which f says so.
func (c *cache) flush(f func(protocol.ImageKey) bool) (entries int, bytes int64) {
	for k, s := range c.known {
		if f(k) {
			c.cool(s)
			c.main.Del(c.id(k))
			entries++
			bytes += s.cost
		}
	}
	c.main.Wait()
	return entries, bytes
}

// size counts what is held, in the cache or in a hot slot.
func (c *cache) size() (entries int, bytes int64) {
	for _, s := range c.known {
		if cached, hot := s.held(); cached || hot {
			entries++
			bytes += s.cost
		}
	}
	return entries, bytes
}

// close drops everything. The cache is not used afterwards.
func (c *cache) close() {
	c.flush(func(protocol.ImageKey) bool { return true })
	c.main.Close()
}
