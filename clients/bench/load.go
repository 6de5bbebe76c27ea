// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hgbroker/protocol"
)

// What answers cost the machine: CPU time for a warm one, and memory while many
// are asked for at once.

// load is the CPU time of one contender for one command, in microseconds.
type load struct {
	Contender string             `json:"contender"`
	Command   string             `json:"command"`
	Commands  int                `json:"commands"` // of which it is the mean
	CPU       float64            `json:"cpuUs"`
	Parts     map[string]float64 `json:"partsUs"`
}

// mostLoad is how many commands a mean is taken of at most.
const mostLoad = 4000

// cpu has the contenders that can account for it answer for a while each. The
// kernel counts in ticks, so a while should be many of them.
func (w *world) cpu(lines [][]string, while time.Duration) ([]load, error) {
	var all []load
	for _, e := range w.entries {
		a, ok := e.contender.(accountable)
		if !ok {
			continue
		}
		for _, line := range lines {
			_, _, err := e.ask(line)
			if errors.Is(err, errOther) {
				continue
			}
			if err != nil {
				fmt.Fprintf(w.notes, "no CPU time of %s: %v\n", e.name, err)
				continue
			}
			before, err := a.cpu()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			l := load{Contender: e.name, Command: quoted(line), Parts: map[string]float64{}}
			for start := time.Now(); l.Commands == 0 || time.Since(start) < while && l.Commands < mostLoad; l.Commands++ {
				if _, _, err := e.ask(line); err != nil {
					return nil, fmt.Errorf("%s: %w", e.name, err)
				}
			}
			now, err := a.cpu()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			for part := range maps.Keys(now) {
				us := float64((now[part] - before[part]).Microseconds()) / float64(l.Commands)
				l.Parts[part] = us
				l.CPU += us
			}
			all = append(all, l)
		}
	}
	fmt.Fprintf(w.notes, "measured CPU time\n")
	return all, nil
}

// memory is what many busy processes hold together, in bytes of PSS.
type memory struct {
	Contender string `json:"contender"`
	Processes int    `json:"processes"`
	PSS       int64  `json:"pss"`
	Master    int64  `json:"master,omitempty"` // beside them
	Images    int64  `json:"images,omitempty"` // what the cache holds, which is in PSS
}

// busy are the commands that they all run.
var busy = [][]string{typical, {"log", "-r", "draft()"}, {"tags"}}

// memories compares workers on one repository with as many hglib servers.
func (w *world) memories(count int) ([]memory, error) {
	b, err := w.below("memory")
	if err != nil {
		return nil, err
	}
	ours, err := b.workers(count)
	if err != nil {
		return nil, fmt.Errorf("workers: %w", err)
	}
	all := []memory{*ours}
	for range count {
		if err = b.enter("hglib"); err != nil {
			break
		}
	}
	if err == nil && len(b.entries) > 0 {
		var theirs *memory
		if theirs, err = b.hglibs(); err == nil {
			all = append(all, *theirs)
		}
	}
	if err = errors.Join(err, b.leave()); err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	fmt.Fprintf(w.notes, "measured memory\n")
	return all, nil
}

// workers runs commands on many channels at once, each of which has a worker of
// its own, and looks at them meanwhile.
func (w *world) workers(count int) (m *memory, err error) {
	d := protocol.Dialer{Executable: filepath.Join(w.bin, "hgbroker"), RuntimeDir: filepath.Join(w.temp, "run"), Client: "bench",
		Config: protocol.MasterConfig{IdleTimeout: 60 * time.Second, MaxWorkers: count + 2}}
	conn, welcome, err := d.Dial(w.ctx)
	if err != nil {
		return nil, err
	}
	door := protocol.NewDoor(conn, welcome, nil)
	defer func() {
		_, bad := door.Ask(context.Background(), protocol.DoorStop, nil)
		err = errors.Join(err, bad)
		door.Close()
	}()
	m = &memory{Contender: "workers", Processes: count}
	channels := make([]*protocol.Channel, count)
	for i := range channels {
		if channels[i], err = door.Acquire(w.ctx, protocol.Reader); err != nil {
			return nil, err
		}
		defer channels[i].Close()
		if err := channels[i].SetEnviron(w.env, 0o22); err != nil {
			return nil, err
		}
	}
	text, err := door.Ask(w.ctx, protocol.DoorStats, nil)
	if err != nil {
		return nil, err
	}
	var st struct{ PID int }
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, err
	}
	if err := w.settle(channels[0], door); err != nil {
		return nil, err
	}
	var enough atomic.Bool
	var group sync.WaitGroup
	ends, warmed := make(chan error, count), make(chan struct{}, count)
	for _, c := range channels {
		group.Go(func() {
			tell := sync.OnceFunc(func() { warmed <- struct{}{} })
			defer tell()
			for round := 0; !enough.Load() || round < 2; round++ {
				if err := w.bustle(c); err != nil {
					ends <- err
					return
				}
				if round == 1 {
					tell()
				}
			}
		})
	}
	for range channels {
		<-warmed
	}
	m.PSS, err = shares(count, st.PID, m)
	enough.Store(true)
	group.Wait()
	close(ends)
	for bad := range ends {
		err = errors.Join(err, bad)
	}
	if err != nil {
		return nil, err
	}
	m.Images, _, err = cached(w.ctx, door)
	return m, err
}

// bustle runs the busy commands once.
func (w *world) bustle(c *protocol.Channel) error {
	for _, line := range busy {
		run := &protocol.Run{Args: line, Dir: w.repo, RealHg: w.hg, Fallback: protocol.FallbackNever}
		end, err := c.Run(w.ctx, run, nil, func(bool, []byte) error { return nil })
		if err == nil && (end.Exit == nil || end.Exit.Code > 1) {
			err = fmt.Errorf("%s ended with %+v", strings.Join(line, " "), *end)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle has one worker run the commands until the master holds what it loaded
// and nothing is under way any more: the others then share that.
func (w *world) settle(c *protocol.Channel, door *protocol.Door) error {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := w.bustle(c); err != nil {
			return err
		}
		n, pending, err := cached(w.ctx, door)
		if err != nil || n > 0 && pending == 0 {
			return err
		}
		if time.Now().After(end) {
			return errors.New("no image is in the cache after 30 s")
		}
	}
}

// cached is how many bytes the master holds, and how many donations and loads
// are under way.
func cached(ctx context.Context, door *protocol.Door) (bytes int64, pending int, err error) {
	text, err := door.Ask(ctx, protocol.DoorStats, nil)
	if err != nil {
		return 0, 0, err
	}
	var held struct {
		Repositories     []struct{ Bytes int64 }
		Donations, Loads struct{ Pending int }
	}
	if err := json.Unmarshal(text, &held); err != nil {
		return 0, 0, fmt.Errorf("stats: %w", err)
	}
	for _, r := range held.Repositories {
		bytes += r.Bytes
	}
	return bytes, held.Donations.Pending + held.Loads.Pending, nil
}

// shares sums up the memory of a master's children: the workers, and spares.
func shares(least, master int, m *memory) (sum int64, err error) {
	pids, err := children(master)
	if err != nil {
		return 0, err
	}
	if len(pids) < least {
		return 0, fmt.Errorf("%d workers live", len(pids))
	}
	if m.Master, err = pss(master); err != nil {
		return 0, err
	}
	m.Processes = len(pids)
	for _, pid := range pids {
		n, err := pss(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// hglibs has every server answer, and looks at them afterwards: they keep what
// they loaded.
func (w *world) hglibs() (*memory, error) {
	m := &memory{Contender: "hglib", Processes: len(w.entries)}
	for range 2 {
		for _, e := range w.entries {
			for _, line := range busy {
				if _, _, err := e.ask(line); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, e := range w.entries {
		n, err := pss(e.contender.(*hglib).pid)
		if err != nil {
			return nil, err
		}
		m.PSS += n
	}
	return m, nil
}
