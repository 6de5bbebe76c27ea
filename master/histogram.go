// SPDX-License-Identifier: GPL-2.0-or-later

package master

import "math/bits"

// histogram counts durations in buckets of a fixed number: four for each power
// of two of a microsecond, so a quantile is known to about a fifth. Durations
// below 4 µs have a bucket each; those above 2^33 µs (two hours) share the last.
type histogram struct {
	counts [32 * 4]uint32
	total  uint64
}

func (h *histogram) add(us uint64) {
	h.counts[bucket(us)]++
	h.total++
}

func bucket(us uint64) int {
	if us < 4 {
		return int(us)
	}
	exp := bits.Len64(us) - 1 // us has its highest bit there
	return min((exp-1)*4+int(us>>(exp-2)&3), 32*4-1)
}

// upper is the smallest duration beyond a bucket.
func upper(b int) uint64 {
	if b < 4 {
		return uint64(b) + 1
	}
	exp := b/4 + 1
	return uint64(4+b%4+1) << (exp - 2)
}

// quantile is a duration that the share q of all stays at or below, in
// microseconds; 0 when nothing was counted.
func (h *histogram) quantile(q float64) uint64 {
	rank := uint64(q * float64(h.total))
	var seen uint64
	for b, n := range h.counts {
		if seen += uint64(n); n > 0 && seen > rank {
			return upper(b) - 1
		}
	}
	for b := len(h.counts) - 1; b >= 0; b-- {
		if h.counts[b] > 0 {
			return upper(b) - 1
		}
	}
	return 0
}
