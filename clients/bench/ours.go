// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// Ours, three ways. None falls back: what is not native would be measured as hg.

// stdio is a client that makes one call after the other, as the one of hglib
// does, with one broker that stays.
type stdio struct {
	w     *world
	flags []string
	c     *client.Serial
	last  string // how the last answer was served
}

func startStdio(w *world) (contender, error) { return newStdio(w, "run-stdio") }

// newStdio starts a broker with a runtime directory, and so a master, of its own.
func newStdio(w *world, runtime string) (*stdio, error) {
	s := &stdio{w: w, flags: []string{"--runtime-dir=" + filepath.Join(w.temp, runtime), "--fallback=never", "--idle-timeout=60s"}}
	if w.hg != "" {
		s.flags = append(s.flags, "--hg="+w.hg)
	}
	var err error
	s.c, err = client.StartSerial(client.Options{Executable: filepath.Join(w.bin, "hgbroker"), Args: s.flags, Env: w.env, Dir: w.repo,
		Framing: protocol.FramingLSP, Stderr: os.Stderr})
	if err != nil {
		return nil, err
	}
	if _, err := s.c.Initialize(protocol.InitializeParams{}); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stdio) ask(args []string) ([]byte, time.Duration, error) {
	start := time.Now()
	r, err := s.c.Hg(s.w.repo, args...)
	took := time.Since(start)
	if err != nil {
		return nil, took, err
	}
	s.last = r.Served
	return []byte(r.Stdout), took, nil
}

// served is "warm" if the last answer came from an image that was there.
func (s *stdio) served() string { return s.last }

func (s *stdio) cpu() (map[string]time.Duration, error) {
	var st struct{ Broker, Master struct{ PID int } }
	if err := s.c.Call(protocol.MethodStats, nil, &st); err != nil {
		return nil, err
	}
	broker, err := spent(false, st.Broker.PID)
	if err != nil {
		return nil, err
	}
	parts, err := masterCPU(st.Master.PID)
	if err == nil {
		parts["broker"] = broker
	}
	return parts, err
}

// masterCPU is what a master and its workers used, those that ended too.
func masterCPU(pid int) (map[string]time.Duration, error) {
	_, own, ended, err := stat(pid)
	if err != nil {
		return nil, err
	}
	workers, err := children(pid)
	if err != nil {
		return nil, err
	}
	alive, err := spent(false, workers...)
	return map[string]time.Duration{"master": own, "workers": ended + alive}, err
}

func (s *stdio) close() error {
	return errors.Join(s.c.Close(), s.stop())
}

// stop ends the master.
func (s *stdio) stop() error {
	cmd := exec.Command(filepath.Join(s.w.bin, "hgbroker"), append([]string{"stop"}, s.flags...)...)
	cmd.Env = s.w.env
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("hgbroker stop: %w\n%s", err, text)
	}
	return nil
}

// channel is a kept channel to a worker without a broker in between: what the
// worker's side of stdio costs.
type channel struct {
	w    *world
	door *protocol.Door
	c    *protocol.Channel
	text []byte
}

func startChannel(w *world) (contender, error) {
	d := protocol.Dialer{Executable: filepath.Join(w.bin, "hgbroker"), RuntimeDir: filepath.Join(w.temp, "run-channel"), Client: "bench",
		Config: protocol.MasterConfig{IdleTimeout: 60 * time.Second}}
	conn, welcome, err := d.Dial(w.ctx)
	if err != nil {
		return nil, err
	}
	c := &channel{w: w, door: protocol.NewDoor(conn, welcome, nil)}
	if c.c, err = c.door.Acquire(w.ctx, protocol.Reader); err == nil {
		err = c.c.SetEnviron(w.env, 0o22)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *channel) ask(args []string) ([]byte, time.Duration, error) {
	c.text = nil
	run := &protocol.Run{Args: args, Dir: c.w.repo, RealHg: c.w.hg, Fallback: protocol.FallbackNever}
	start := time.Now()
	end, err := c.c.Run(c.w.ctx, run, nil, func(stderr bool, data []byte) error {
		if !stderr {
			c.text = append(c.text, data...)
		}
		return nil
	})
	took := time.Since(start)
	if err == nil && (end.Exit == nil || end.Exit.Code > 1) {
		err = fmt.Errorf("ended with %+v", *end)
	}
	return c.text, took, err
}

func (c *channel) close() error {
	if c.c != nil {
		c.c.Close()
	}
	_, err := c.door.Ask(context.Background(), protocol.DoorStop, nil)
	c.door.Close()
	return err
}

// cold is the first command of a broker that has no master yet: the master, its
// worker and the image of the repository are made for it.
type cold struct {
	w    *world
	runs int
}

func startCold(w *world) (contender, error) { return &cold{w: w}, nil }

func (c *cold) ask(args []string) (text []byte, took time.Duration, err error) {
	c.runs++
	dir := fmt.Sprintf("run-cold-%d", c.runs)
	s, err := newStdio(c.w, dir)
	if err != nil {
		return nil, 0, err
	}
	text, took, err = s.ask(args)
	return text, took, errors.Join(err, s.close(), os.RemoveAll(filepath.Join(c.w.temp, dir)))
}

func (c *cold) close() error { return nil }

// dropIn is the drop-in hg as a process for each command.
type dropIn struct{ process }

func startDropIn(w *world) (contender, error) {
	env := append(w.env[:len(w.env):len(w.env)], protocol.EnvRuntimeDir+"="+filepath.Join(w.temp, "run-drop-in"), protocol.EnvFallback+"=never",
		protocol.EnvIdleTimeout+"=60s", protocol.EnvHg+"="+w.hg)
	return &dropIn{process{w: w, program: filepath.Join(w.bin, "hg"), env: env}}, nil
}

// master asks hgbroker something about the master.
func (d *dropIn) master(args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(d.w.bin, "hgbroker"), args...)
	cmd.Env, cmd.Stderr = d.env, os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hgbroker %s: %w", args[0], err)
	}
	return text, nil
}

func (d *dropIn) cpu() (map[string]time.Duration, error) {
	text, err := d.master("stats", "--json")
	if err != nil {
		return nil, err
	}
	var st struct{ PID int }
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, fmt.Errorf("hgbroker stats: %w", err)
	}
	parts, err := masterCPU(st.PID)
	if err == nil {
		parts["client"] = d.spent
	}
	return parts, err
}

func (d *dropIn) close() error {
	_, err := d.master("stop")
	return err
}
