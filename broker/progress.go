// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

const (
	// progressAfter is how long a command runs before it is worth a message; most
	// native ones are over by then, and say nothing at all.
	progressAfter = 200 * time.Millisecond
	// progressEvery is the time between two reports: hg would send thousands.
	progressEvery = 100 * time.Millisecond
)

// progress tells the client how far a request is. Its methods may be called on
// nil, and after end.
type progress struct {
	s     *Server
	token json.RawMessage
	title string

	mu    sync.Mutex // guards what follows; held while a message is sent, for their order
	timer *time.Timer
	begun bool
	ended bool
	last  time.Time
}

func (s *Server) newProgress(token json.RawMessage, name string) *progress {
	p := &progress{s: s, token: token, title: strings.TrimSpace("hg " + name)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(progressAfter, p.begin)
	return p
}

func (p *progress) send(v protocol.Progress) {
	p.s.notify(protocol.MethodProgress, protocol.ProgressParams{Token: p.token, Value: v})
}

// begin tells that there is something to wait for.
func (p *progress) begin() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun || p.ended {
		return
	}
	p.timer.Stop()
	p.begun = true
	p.send(protocol.Progress{Kind: "begin", Title: p.title, Cancellable: true})
}

// report passes on what hg says of its progress.
func (p *progress) report(n *cmdserver.Notice) {
	if p == nil || n.Pos < 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun || p.ended || time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	v := protocol.Progress{Kind: "report", Message: fmt.Sprintf("%s: %d", n.Topic, n.Pos)}
	if n.Total > 0 {
		v.Message += fmt.Sprintf("/%d", n.Total)
		percent := int(min(100, max(0, float64(n.Pos)*100/float64(n.Total))))
		v.Percentage = &percent
	}
	for _, more := range []string{n.Unit, n.Item} {
		if more != "" {
			v.Message += " " + more
		}
	}
	v.Message = strings.ToValidUTF8(v.Message, "\uFFFD")
	p.send(v)
}

// end tells the end of what has begun. Nothing follows it.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	if p.begun && !p.ended {
		p.send(protocol.Progress{Kind: "end"})
	}
	p.ended = true
}
