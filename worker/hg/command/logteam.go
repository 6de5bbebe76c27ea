// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"runtime"
	"sync"

	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

const (
	// aloneFor is how many changesets a log prints before others help: most are
	// shorter, and those warn of whatever there is to warn of.
	aloneFor = 1024
	// chunkRevs is how many changesets one of a team prints at once.
	chunkRevs = 512
	// chunksAhead is how many chunks, for each of a team, wait for the one before.
	chunksAhead = 3
)

// showSet prints the changesets of a set, limit at most unless it is negative.
func (p *printer) showSet(revs *revset.Set, limit int) error {
	var t *team
	defer func() {
		if t != nil {
			t.close()
		}
	}()
	n := 0
	for rev := range revs.All() {
		if limit >= 0 && n == limit {
			break
		}
		if n++; n == aloneFor {
			t = p.team()
		}
		var err error
		if t != nil {
			err = t.add(rev)
		} else {
			err = p.show(rev)
		}
		if err != nil {
			return err
		}
	}
	if t != nil {
		if err := t.finish(); err != nil {
			return err
		}
	}
	return revs.Err()
}

// team prints changesets on several goroutines, a chunk at a time, and puts the
// chunks in their order. It belongs to the goroutine that made it; the others
// end with close.
type team struct {
	p     *printer
	jobs  chan *chunk
	queue []*chunk // in order
	free  []*chunk
	next  *chunk
	most  int // chunks in the queue
	all   sync.WaitGroup
	hands []*hand
}

// chunk is some changesets in a row.
type chunk struct {
	revs []node.Rev
	text bytes.Buffer
	err  error // that of the changeset behind text
	done chan struct{}
	own  bool // for who made the team to print
}

// team is nil if the printer's output depends on more than each changeset, or
// there is nobody to help.
func (p *printer) team() *team {
	n := runtime.GOMAXPROCS(0)
	ok, names := formatter.Independent(p.Displayer)
	if n < 2 || !ok || p.c.Opts.On("copies") {
		return nil
	}
	t := &team{p: p, jobs: make(chan *chunk, n*chunksAhead), most: n * chunksAhead}
	for range n {
		v, ok := p.v.Fork(names)
		if !ok {
			return nil
		}
		h := &hand{v: v, repo: &repo.Templates{View: v}}
		cfg, err := p.c.formatterConfig()
		if err == nil {
			h.shows, err = formatter.NewDisplayer(cfg, p.spec, h.repo, formatter.DisplayOptions{Log: true})
		}
		if err != nil {
			return nil // it is the same that p was made of
		}
		t.hands = append(t.hands, h)
	}
	for _, h := range t.hands {
		t.all.Go(func() { h.work(t.jobs) })
	}
	return t
}

// hand is one goroutine of a team.
type hand struct {
	v     *repo.View
	repo  *repo.Templates
	shows formatter.Displayer
}

func (h *hand) work(jobs <-chan *chunk) {
	var ctx template.Changectx
	for k := range jobs {
		for _, rev := range k.revs {
			ctx = h.repo.Again(ctx, rev)
			if k.err = h.shows.Show(&k.text, ctx, formatter.Props{}); k.err != nil {
				break
			}
		}
		k.done <- struct{}{}
	}
}

// add is the next changeset.
func (t *team) add(rev node.Rev) error {
	if t.p.v.Flags(rev)&obsolete.Obsolete != 0 {
		// What became of it no fork of the view can tell.
		if t.next != nil {
			if err := t.submit(); err != nil {
				return err
			}
		}
		return t.push(&chunk{revs: []node.Rev{rev}, own: true})
	}
	if t.next == nil {
		if n := len(t.free); n > 0 {
			t.next, t.free = t.free[n-1], t.free[:n-1]
		} else {
			t.next = &chunk{done: make(chan struct{}, 1)}
		}
	}
	if t.next.revs = append(t.next.revs, rev); len(t.next.revs) == chunkRevs {
		return t.submit()
	}
	return nil
}

func (t *team) submit() error {
	k := t.next
	t.jobs <- k
	t.next = nil
	return t.push(k)
}

// push puts a chunk at the end of the queue, and prints what is too many in front.
func (t *team) push(k *chunk) error {
	t.queue = append(t.queue, k)
	for len(t.queue) >= t.most {
		if err := t.take(); err != nil {
			return err
		}
	}
	return nil
}

// take prints the first chunk of the queue.
func (t *team) take() error {
	k := t.queue[0]
	t.queue = t.queue[1:]
	if k.own {
		return t.p.show(k.revs[0])
	}
	<-k.done
	out := t.p.buf
	if out.Len() > 0 || k.err != nil {
		out.Write(k.text.Bytes())
	} else if _, err := t.p.c.Stdout.Write(k.text.Bytes()); err != nil {
		return err
	}
	if k.err != nil {
		return k.err
	}
	k.revs = k.revs[:0]
	k.text.Reset()
	t.free = append(t.free, k)
	return t.p.spill()
}

// finish prints all that is left.
func (t *team) finish() error {
	if t.next != nil {
		if err := t.submit(); err != nil {
			return err
		}
	}
	for len(t.queue) > 0 {
		if err := t.take(); err != nil {
			return err
		}
	}
	return nil
}

func (t *team) close() {
	close(t.jobs)
	t.all.Wait()
	for _, h := range t.hands {
		t.p.v.Join(h.v)
	}
}
