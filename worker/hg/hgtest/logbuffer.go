// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bytes"
	"sync"
)

// maxLog is how much of a process's stderr is kept.
const maxLog = 64 << 10

// logBuffer keeps the first bytes of what a process writes to its stderr,
// readable while it runs.
type logBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Write(p[:min(len(p), max(0, maxLog-l.b.Len()))])
	return len(p), nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
