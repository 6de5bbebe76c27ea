// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"crypto/sha512"
	"encoding/binary"
	"slices"
)

// pythonRandom draws the numbers of Python's random module, which is what a
// sort by "random" with a seed depends on: a Mersenne Twister of 32 bits
// (MT19937, Matsumoto and Nishimura 1998), started from an array.
type pythonRandom struct {
	state [624]uint32
	next  int
}

// newPythonRandom is random.Random(seed) for bytes: the seed and its SHA-512
// form one large big-endian number, whose words start the generator.
func newPythonRandom(seed string) *pythonRandom {
	sum := sha512.Sum512([]byte(seed))
	digits := append([]byte(seed), sum[:]...)
	slices.Reverse(digits)
	for len(digits)%4 != 0 {
		digits = append(digits, 0)
	}
	var key []uint32
	for ; len(digits) > 0; digits = digits[4:] {
		key = append(key, binary.LittleEndian.Uint32(digits))
	}
	for len(key) > 1 && key[len(key)-1] == 0 {
		key = key[:len(key)-1]
	}
	r := &pythonRandom{}
	s := &r.state
	n := uint32(len(s))
	s[0] = 19650218
	for i := uint32(1); i < n; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + i
	}
	i, j := uint32(1), 0
	for range max(len(s), len(key)) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		i, j = i+1, (j+1)%len(key)
		if i == n {
			s[0], i = s[n-1], 1
		}
	}
	for range n - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - i
		if i++; i == n {
			s[0], i = s[n-1], 1
		}
	}
	s[0] = 1 << 31
	r.next = len(s)
	return r
}

func (r *pythonRandom) word() uint32 {
	const shift = 397
	s := &r.state
	if r.next == len(s) {
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%len(s)]&(1<<31-1)
			x := s[(i+shift)%len(s)] ^ y>>1
			if y&1 != 0 {
				x ^= 0x9908b0df
			}
			s[i] = x
		}
		r.next = 0
	}
	y := s[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// pick is a number of 32 bits as randint draws it from all of them: 33 bits, again
// until they are few enough.
func (r *pythonRandom) pick() uint32 {
	for {
		low, high := r.word(), r.word()>>31
		if high == 0 {
			return low
		}
	}
}
