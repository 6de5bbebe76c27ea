// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"sync"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// sealed is the descriptor of one image, counted: the cache holds a reference,
// a hot slot, every lease under way to a worker, and a verification. The last
// one to let go closes it. A mapping in a worker does not need it any more, so
// no eviction can hurt a running command.
type sealed struct {
	key        protocol.ImageKey
	generation string // as the donor said it
	size       int64  // bytes of the file
	cost       int64  // bytes of memory that it occupies
	begun      uint64 // when its maker's command began, by protocol.Clock

	mu     sync.Mutex // guards what follows
	refs   int
	fd     int // owned; -1 once refs is 0
	cached bool
	hot    bool
}

// newSealed takes ownership of fd. The caller holds the first reference.
func newSealed(key protocol.ImageKey, generation string, fd int, size, cost int64) *sealed {
	return &sealed{key: key, generation: generation, fd: fd, size: size, cost: cost, refs: 1}
}

// acquire takes a reference. It fails when the last one is gone already: the
// cache may hand out what it evicts the next moment.
func (s *sealed) acquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs == 0 {
		return false
	}
	s.refs++
	return true
}

// release gives a reference back.
func (s *sealed) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs--; s.refs == 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

// mark notes whether the cache, or a hot slot, holds the image.
func (s *sealed) mark(cached, hot *bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cached != nil {
		s.cached = *cached
	}
	if hot != nil {
		s.hot = *hot
	}
}

func (s *sealed) held() (cached, hot bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cached, s.hot
}
