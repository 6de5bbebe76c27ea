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
// saves (an image that it rejects has evicted others already).
//
// A few hot slots keep images beside ristretto, and beside its limit: those used
// last, which their workers have in memory anyway, and one more: where the limit
// runs through an image, it is kept if that comes nearer to the limit than leaving
// it out. On average as much is held as the limit says, and an image that is large
// beside the limit is neither kept out for ever nor does it push out all others.
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
	// aside says that only a hot slot holds image.
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
		if key.Kind == storeKind && u.known(c.clock) { // the others belong to one
			c.clock++
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
	defer s.release()
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
	e.image, e.aside = s, true
	c.choose()
	if cached, _ := s.held(); !cached {
		c.rejections.Add(1) // it is worth less than what is here
	}
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
	hot   bool // its path has a hot slot
}

// list is all images, those that are worth the most first. When memory is short,
// those in use come before the others.
func (c *cache) list() (list []held) {
	for key, e := range c.entries {
		if e.image != nil {
			list = append(list, held{key, e, c.worth(key, e), kindOf(key).hot && c.isHot(key.Path)})
		}
	}
	slices.SortFunc(list, func(a, b held) int {
		if a.hot != b.hot && c.limit < c.maxBytes {
			return first(a.hot)
		}
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(b.e.id, a.e.id))
	})
	return list
}

// first orders what is before what is not.
func first(is bool) int {
	if is {
		return -1
	}
	return 1
}

// choose decides what is held, and by whom: all writes to ristretto that bring or
// move an image are here.
func (c *cache) choose() (dropped int) {
	var bytes int64
	var enter, free []*entry // into ristretto, out of a hot slot
	for _, h := range c.list() {
		if h.e.image == nil {
			continue // it went with its store
		}
		cost := h.e.image.cost
		inside := bytes+cost <= c.limit
		across := !inside && bytes+cost/2 <= c.limit && c.limit == c.maxBytes && kindOf(h.key).hot
		if inside || across {
			bytes += cost
		}
		switch {
		case across || h.hot:
			c.pin(h.e.image)
		case inside:
			if _, hot := h.e.image.held(); hot {
				free = append(free, h.e)
			}
		default:
			dropped += c.evict(h.key, h.e)
			continue
		}
		if inside && h.e.aside {
			enter = append(enter, h.e)
		} else if !inside && !h.e.aside {
			h.e.aside = true
			c.main.Del(h.e.id)
		}
	}
	if len(enter) == 0 && len(free) == 0 {
		return dropped
	}
	c.main.Wait() // for the room, and for what Del says to the images
	for _, e := range enter {
		if e.image != nil && e.image.acquire() {
			c.enter(e)
		}
	}
	for _, e := range free {
		if e.image != nil {
			c.unpin(e.image)
		}
	}
	c.main.Wait()
	return dropped
}

// enter gives an image to ristretto, with a reference.
func (c *cache) enter(e *entry) {
	yes, no := true, false
	e.aside = false
	e.image.mark(&yes, nil)
	if !c.main.Set(e.id, e.image, e.image.cost) {
		// Dropped without a callback: the reference is still ours.
		e.image.mark(&no, nil)
		e.image.release()
	}
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
// cold or was beside the limit, and if nothing was, half of what is not in use, the
// least worthy first. What is left is the limit until relax is called.
func (c *cache) squeeze() (dropped int, bytes int64) {
	before := c.bytes()
	var loose int64
	for _, h := range c.list() {
		switch {
		case h.e.image == nil:
		case h.e.aside || kindOf(h.key).cold:
			dropped += c.evict(h.key, h.e)
		case !h.hot:
			loose += h.e.image.cost
		}
	}
	c.limit = max(min(c.limit, c.total()), 1)
	if dropped == 0 {
		c.limit = max(c.limit-(loose+1)/2, 1)
		dropped = c.choose()
		c.limit = max(min(c.limit, c.total()), 1)
	}
	c.main.Wait()
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
	c.hot = c.hot[:min(len(c.hot), c.hotSlots)]
	c.choose()
}

func (c *cache) isHot(path string) bool {
	return slices.ContainsFunc(c.hot, func(h hotSlot) bool { return h.path == path })
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
	n := len(c.hot)
	for n > 0 && now.Sub(c.hot[n-1].used) >= idle {
		n--
	}
	if n < len(c.hot) {
		c.hot = c.hot[:n]
		c.choose()
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
