// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"hgbroker/protocol"
)

// cache keeps the images of the repositories in use. Ristretto holds them and
// bounds their bytes. What goes when they do not all fit is decided here, by what
// each is worth (worth.go), and before ristretto is given a new one, so that it
// never has to choose: with few, large entries its own choice costs more than it
// saves (an image that it rejects has evicted others already). A few hot slots
// keep what was used last whatever it is worth.
//
// The settings are those that were measured to work for few large entries used
// in bursts, and each one that matters is pinned by a test (cache_test.go):
//
//   - IgnoreInternalCost: the cost is bytes of memory and nothing else;
//   - keys are dense numbers times an odd constant: no two collide in the sketch;
//   - NumCounters in proportion to the entries, BufferItems 1: its counts are few;
//   - an entry is replaced by Del, Set, Wait, never updated: an update evicts
//     nothing, and a second Set of a new key is rejected at the first one's cost;
//   - OnExit may be called with nil.
//
// Each kind of image of a repository has an entry and a cost of its own.
//
// Only the loop calls its methods. Ristretto's own goroutine calls the three
// callbacks.
type cache struct {
	main     *ristretto.Cache[uint64, *sealed]
	maxBytes int64
	limit    int64     // what may be held now: less than maxBytes after memory pressure
	hot      []hotSlot // the last used first
	hotSlots int
	burst    time.Duration
	clock    float64 // bursts counted

	entries map[protocol.ImageKey]*entry
	nextID  uint64
	gone    []protocol.ImageKey // dropped since lost was called

	evictions, rejections atomic.Uint64
}

// entry is what is known of a key, whether an image is there or not.
type entry struct {
	id    uint64
	uses  usage
	image *sealed // what main or a hot slot may hold; nil when neither does
	// aside says that there was no room for image among those that are worth
	// more: a hot slot holds it while it is used, beside the limit, since its
	// worker has it in memory anyway.
	aside bool
}

// hotSlot keeps the images of one path.
type hotSlot struct {
	path string
	used time.Time
}

// counters is ristretto's NumCounters: ten times the repositories expected, and
// a power of two.
const counters = 512

// maxIDs bounds how many keys are remembered that are not cached.
const maxIDs = 4096

func newCache(maxBytes int64, hotSlots int, burst time.Duration) (*cache, error) {
	c := &cache{maxBytes: maxBytes, limit: maxBytes, hotSlots: hotSlots, burst: burst, entries: map[protocol.ImageKey]*entry{}}
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

func (c *cache) entry(key protocol.ImageKey) *entry {
	e := c.entries[key]
	if e == nil {
		if len(c.entries) >= maxIDs {
			c.forget()
		}
		c.nextID++
		e = &entry{id: c.nextID}
		c.entries[key] = e
	}
	return e
}

// forget drops half of the keys that have no image, those used least.
func (c *cache) forget() {
	type known struct {
		key  protocol.ImageKey
		rate float64
	}
	var list []known
	for k, e := range c.entries {
		if e.image == nil {
			list = append(list, known{k, e.uses.rate(c.clock)})
		}
	}
	slices.SortFunc(list, func(a, b known) int { return cmp.Compare(a.rate, b.rate) })
	for _, k := range list[:(len(list)+1)/2] {
		delete(c.entries, k.key)
	}
}

// image is the image of a key, or nil.
func (c *cache) image(key protocol.ImageKey) *sealed {
	if e := c.entries[key]; e != nil {
		return e.image
	}
	return nil
}

// has tells whether the key's image is held.
func (c *cache) has(key protocol.ImageKey) bool { return c.image(key) != nil }

// use counts a use of the key, one for each burst, and keeps its path hot.
func (c *cache) use(key protocol.ImageKey, now time.Time) {
	k := kindOf(key)
	if k.ofStore {
		key.Kind = storeKind
	}
	u := c.usage(key)
	if u.counted.IsZero() || now.Sub(u.counted) >= c.burst {
		switch {
		case key.Kind != storeKind: // the clock is moved by what it belongs to
		case u.known(c.clock):
			c.clock++
		default:
			c.clock += stranger
		}
		u.count(c.clock, now)
		c.main.Get(c.entry(key).id)
	}
	if k.hot {
		c.heat(key.Path, now)
	}
}

// lease returns the key's image with a reference for the caller, or nil.
func (c *cache) lease(key protocol.ImageKey, now time.Time) *sealed {
	c.use(key, now)
	s := c.image(key)
	if s == nil || !s.acquire() {
		return nil
	}
	return s
}

// put makes s the image of its key, unless there is no room for what it is
// worth. The caller's reference becomes the cache's.
func (c *cache) put(s *sealed) {
	e := c.entry(s.key)
	if e.image != nil {
		c.drop(s.key, e)
	}
	if s.key.Kind == storeKind {
		// What came to the old image cannot be used with this one.
		key := protocol.ImageKey{Kind: growthKind, Path: s.key.Path}
		if g := c.entries[key]; g != nil && g.image != nil && g.image.begun <= s.begun {
			c.drop(key, g)
		}
	}
	e.image = s
	yes, no := true, false
	s.mark(&yes, nil)
	hot := kindOf(s.key).hot && c.isHot(s.key.Path)
	if hot && c.usage(s.key).settled() {
		c.pin(s) // somebody works with it: the others make room
	}
	c.shrink(c.limit)
	if e.image != s {
		c.rejections.Add(1) // it is worth less than what is here
		s.mark(&no, nil)
		if hot {
			e.image, e.aside = s, true
			c.pin(s)
		}
		s.release()
		return
	}
	if hot {
		c.pin(s)
	}
	if !c.main.Set(e.id, s, s.cost) {
		// Dropped without a callback: the reference is still ours.
		s.mark(&no, nil)
		s.release()
	}
	c.main.Wait()
}

// drop lets go of an entry's image.
func (c *cache) drop(key protocol.ImageKey, e *entry) {
	c.unpin(e.image)
	e.image, e.aside = nil, false
	c.gone = append(c.gone, key)
	c.main.Del(e.id)
}

// held is an image with what it is worth.
type held struct {
	key   protocol.ImageKey
	e     *entry
	worth float64
}

// loose lists what no hot slot keeps, by what it is worth, the least first, and
// counts the bytes that the limit is about.
func (c *cache) loose() (list []held, bytes int64) {
	for key, e := range c.entries {
		if e.image == nil || e.aside {
			continue
		}
		bytes += e.image.cost
		if _, hot := e.image.held(); !hot {
			list = append(list, held{key, e, c.worth(key, e)})
		}
	}
	slices.SortFunc(list, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(a.e.id, b.e.id))
	})
	return list, bytes
}

// worth is the seconds of rebuilding that a byte of an image saves in a burst.
func (c *cache) worth(key protocol.ImageKey, e *entry) float64 {
	k := kindOf(key)
	if k.ofStore && !c.has(protocol.ImageKey{Kind: storeKind, Path: key.Path}) {
		return 0
	}
	store := protocol.ImageKey{Kind: storeKind, Path: key.Path}
	rate := c.rate(key)
	switch {
	case k.ofStore:
		rate = c.rate(store)
	case k.cold:
		rate = min(rate, c.rate(store)) // it is read beside a store
	}
	return rate * k.rebuild(e.image.cost) / float64(max(1, e.image.cost))
}

// rate is how often a key is used.
func (c *cache) rate(key protocol.ImageKey) float64 {
	if e := c.entries[key]; e != nil {
		return e.uses.rate(c.clock)
	}
	return 0
}

// usage is where the uses of a key's image are counted.
func (c *cache) usage(key protocol.ImageKey) *usage {
	if kindOf(key).ofStore {
		key.Kind = storeKind
	}
	return &c.entry(key).uses
}

// shrink lets the least worthy go until no more than limit bytes are held, or
// what the hot slots keep.
func (c *cache) shrink(limit int64) (dropped int) {
	if c.total() <= limit {
		return 0
	}
	list, bytes := c.loose()
	n := 0
	for ; n < len(list) && bytes > limit; n++ {
		bytes -= list[n].e.image.cost
	}
	// The last one that went may have been large: what still fits may stay.
	for i := n - 1; i >= 0; i-- {
		h := list[i]
		if bytes+h.e.image.cost <= limit {
			bytes += h.e.image.cost
			continue
		}
		dropped += c.evict(h.key, h.e)
	}
	return dropped
}

// evict drops an image, and with a store's what came to it.
func (c *cache) evict(key protocol.ImageKey, e *entry) (dropped int) {
	if e.image == nil {
		return 0 // it went with its store
	}
	c.drop(key, e)
	c.evictions.Add(1)
	dropped = 1
	if key.Kind == storeKind {
		if g := c.entries[protocol.ImageKey{Kind: growthKind, Path: key.Path}]; g != nil {
			dropped += c.evict(protocol.ImageKey{Kind: growthKind, Path: key.Path}, g)
		}
	}
	return dropped
}

// bytes are those of all images.
func (c *cache) bytes() (bytes int64) {
	for _, e := range c.entries {
		if e.image != nil {
			bytes += e.image.cost
		}
	}
	return bytes
}

// squeeze gives memory up because the machine has none left: first all that is
// cold or was beside the limit, and if nothing was, half of what the hot slots do not keep, the least
// worthy first. What is left is the limit until relax is called.
func (c *cache) squeeze() (dropped int, bytes int64) {
	before := c.bytes()
	for key, e := range c.entries {
		if e.aside {
			dropped += c.evict(key, e)
		}
	}
	list, total := c.loose()
	var loose int64
	for _, h := range list {
		loose += h.e.image.cost
		if kindOf(h.key).cold {
			dropped += c.evict(h.key, h.e)
		}
	}
	if dropped == 0 {
		dropped = c.shrink(total - (loose+1)/2)
	}
	c.main.Wait()
	c.limit = max(min(c.limit, c.total()), 1)
	return dropped, before - c.bytes()
}

// relax takes half of the pressure back, and tells whether it is all gone.
func (c *cache) relax() bool {
	c.limit = min(c.maxBytes, max(2*c.limit, c.maxBytes/16))
	return c.limit == c.maxBytes
}

// total is the bytes that the limit is about.
func (c *cache) total() (bytes int64) {
	for _, e := range c.entries {
		if e.image != nil && !e.aside {
			bytes += e.image.cost
		}
	}
	return bytes
}

// heat moves a path to the first hot slot.
func (c *cache) heat(path string, now time.Time) {
	for i := range c.hot {
		if c.hot[i].path == path {
			slot := c.hot[i]
			slot.used = now
			copy(c.hot[1:i+1], c.hot[:i])
			c.hot[0] = slot
			return
		}
	}
	if c.hotSlots <= 0 {
		return
	}
	c.hot = slices.Insert(c.hot, 0, hotSlot{path, now})
	c.each(path, c.pin)
	for len(c.hot) > c.hotSlots {
		c.cool(len(c.hot) - 1)
	}
}

// cool empties a hot slot.
func (c *cache) cool(i int) {
	path := c.hot[i].path
	c.hot = slices.Delete(c.hot, i, i+1)
	c.each(path, c.unpin)
}

func (c *cache) isHot(path string) bool {
	return slices.ContainsFunc(c.hot, func(h hotSlot) bool { return h.path == path })
}

// each calls f with the images of a path that a hot slot keeps.
func (c *cache) each(path string, f func(*sealed)) {
	for name, k := range kinds {
		if k.hot {
			if s := c.image(protocol.ImageKey{Kind: name, Path: path}); s != nil {
				f(s)
			}
		}
	}
}

// pin holds a reference for a hot slot, and unpin gives it back.
func (c *cache) pin(s *sealed) {
	if _, hot := s.held(); !hot && s.acquire() {
		yes := true
		s.mark(nil, &yes)
	}
}

func (c *cache) unpin(s *sealed) {
	if _, hot := s.held(); hot {
		no := false
		s.mark(nil, &no)
		s.release()
	}
}

// coolIdle empties the hot slots that nobody used for so long.
func (c *cache) coolIdle(idle time.Duration, now time.Time) {
	for i := len(c.hot) - 1; i >= 0; i-- {
		if now.Sub(c.hot[i].used) >= idle {
			c.cool(i)
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
	for key, e := range c.entries {
		if e.image == nil {
			continue
		}
		if cached, hot := e.image.held(); !cached && !hot {
			e.image, e.aside = nil, false
			c.gone = append(c.gone, key)
		}
	}
	var keys []protocol.ImageKey
	for _, key := range c.gone {
		if !c.has(key) && !slices.Contains(keys, key) { // it may have been replaced
			keys = append(keys, key)
		}
	}
	c.gone = c.gone[:0]
	return keys
}

// flush drops the images of the keys for which f says so.
func (c *cache) flush(f func(protocol.ImageKey) bool) (entries int, bytes int64) {
	for k, e := range c.entries {
		if e.image != nil && f(k) {
			entries++
			bytes += e.image.cost
			c.drop(k, e)
		}
	}
	c.main.Wait()
	return entries, bytes
}

// close drops everything. The cache is not used afterwards.
func (c *cache) close() {
	c.flush(func(protocol.ImageKey) bool { return true })
	c.main.Close()
}
