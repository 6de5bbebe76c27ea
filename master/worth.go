// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"math"
	"time"

	"hgbroker/protocol"
	"hgbroker/worker/hg/image"
)

// What a cached image is worth: the seconds of rebuilding that each of its bytes
// is expected to save, which is how often it is used times what it would take to
// make it again, by its size.
//
// How often is counted in bursts of use, and time is counted in them too, so that
// nothing is forgotten over night. Most of a burst's weight is gone soon, so that what
// is used now wins; the rest lasts, so that what is used now and then, all the time,
// is told from what never comes back. One rate of forgetting does worse at either. A burst of what was not used before does not
// move the clock, so that a script may walk over a thousand repositories and nothing
// is forgotten. What this costs in seconds of rebuilding, beside keeping what was
// used last, by number or by bytes, is what BenchmarkTraces shows.

const (
	// soonHalf and laterHalf are how soon the parts of a burst's weight are halved, on
	// the cache's clock: in bursts of all repositories that were used before.
	soonHalf, laterHalf = 16, 200
	// soonPart is the part that goes first.
	soonPart = 0.8
	// remembered is how much of a burst must be left of one that was used before.
	remembered = 0.25
)

// usage is how often something is used.
type usage struct {
	soon    float64   // weights of the bursts, of which the older ones are less
	later   float64   // the part that lasts
	at      float64   // on the cache's clock, when those were brought up to date
	counted time.Time // when the last burst began
}

// known tells whether it was used before.
func (u *usage) known(clock float64) bool { return u.rate(clock) >= remembered }

// count notes a burst that begins.
func (u *usage) count(clock float64, now time.Time) {
	u.rate(clock)
	u.soon += soonPart
	u.later += 1 - soonPart
	u.counted = now
}

// rate is how many bursts there were lately.
func (u *usage) rate(clock float64) float64 {
	u.soon *= math.Exp2((u.at - clock) / soonHalf)
	u.later *= math.Exp2((u.at - clock) / laterHalf)
	u.at = clock
	return u.soon + u.later
}

// kind is how images of one kind are held.
type kind struct {
	// seconds to make one again: fixed, and for each byte.
	fixed, perByte float64
	// hot says that it is part of what a hot slot keeps.
	hot bool
	// ofStore says that it is used whenever its store's image is, and nothing
	// without it.
	ofStore bool
	// cold says that it is the first to go when memory runs out.
	cold bool
}

var (
	storeKind  = image.Store.String() // the wire's names
	growthKind = image.Growth.String()
	textsKind  = image.Texts.String()
	// checkoutKind is a working directory's dirstate, manifestKind that of its parent.
	checkoutKind = image.Checkout.String()
	manifestKind = image.Manifest.String()
)

// kinds are those whose use is known. Of texts a command without them reads only
// those that it prints.
var kinds = map[string]kind{
	storeKind:    {fixed: 0.05, perByte: 10e-9, hot: true},
	growthKind:   {fixed: 0.05, perByte: 10e-9, hot: true, ofStore: true},
	textsKind:    {fixed: 0.05, perByte: 3e-9, cold: true},
	checkoutKind: {fixed: 0.0001, perByte: 0.6e-9, cold: true},
	manifestKind: {fixed: 0.001, perByte: 4e-9, cold: true},
}

// kindOf is how images of a key are held; of a kind that is not known they are
// like a store's, but without a hot slot.
func kindOf(key protocol.ImageKey) kind {
	if k, ok := kinds[key.Kind]; ok {
		return k
	}
	return kind{fixed: 0.05, perByte: 10e-9}
}

// rebuild is the seconds that it takes to make an image of so many bytes.
func (k kind) rebuild(bytes int64) float64 { return k.fixed + k.perByte*float64(bytes) }
