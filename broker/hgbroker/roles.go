// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"hgbroker/broker"
	"hgbroker/master"
	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/command"
)

// runBroker serves one client on stdin and stdout.
func runBroker(o *options) error {
	dialer, err := o.dialer("broker")
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	umask := syscall.Umask(0o077)
	syscall.Umask(umask)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A client that is gone is an error of the write, not our death; and not
	// ignored, because an ignored signal would be inherited by every hg.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	opts := broker.Options{
		Dialer: dialer, Fallback: o.fallback, RealHg: o.hg, Framing: o.framing,
		MaxWorkers: o.config.MaxWorkers, Environ: os.Environ(), Umask: umask, Dir: dir,
		Version: version(), Trace: o.config.Trace,
		NativeCommands: slices.Sorted(maps.Keys(command.Table())), Requirements: hg.NativeRequirements(), Languages: hg.NativeLanguages(),
	}
	if o.mcp {
		opts.MCP, opts.MCPWrites, opts.Framing = true, o.writes, protocol.FramingLines
	}
	log, err := o.openLog()
	if err != nil {
		return err
	}
	if log != nil {
		defer log.Close()
		opts.Log = log
	}
	debug.SetGCPercent(brokerGCPercent)
	return exitCode(broker.Serve(ctx, os.Stdin, os.Stdout, stdio{}, opts))
}

// brokerGCPercent is for a process that holds next to nothing but what it is
// handing on: by default it would collect its few hundred kilobytes all the time.
const brokerGCPercent = 400

// stdio closes both ends.
type stdio struct{}

func (stdio) Close() error { return errors.Join(os.Stdin.Close(), os.Stdout.Close()) }

// runMaster is the master's process.
func runMaster(o *options) error {
	cfg := master.Config{
		Build: o.build, WorkerArgs: []string{"worker"}, WorkerEnv: os.Environ(),
		CacheBytes: o.config.CacheBytes, MaxWorkers: o.config.MaxWorkers,
		IdleTimeout: o.config.IdleTimeout, Trace: o.config.Trace,
	}
	log, err := o.openLog()
	if err != nil {
		return err
	}
	if log != nil {
		defer log.Close()
		cfg.Log = log
	}
	return master.Main(cfg)
}

// askMaster sends one question to a master that runs already.
func askMaster(o *options, client string, question protocol.FrameType) ([]byte, error) {
	dialer, err := o.dialer(client)
	if err != nil {
		return nil, err
	}
	conn, welcome, err := dialer.ConnectAny()
	if err != nil {
		return nil, err
	}
	door := protocol.NewDoor(conn, welcome, nil)
	defer door.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return door.Ask(ctx, question, nil)
}

func runStats(o *options) error {
	b, err := askMaster(o, "stats", protocol.DoorStats)
	if err != nil {
		return err
	}
	if o.json {
		_, err := fmt.Printf("%s\n", bytes.TrimSpace(b))
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return outline(os.Stdout, dec, "")
}

// outline prints JSON for people: a line for each value, in the order in which
// it came, with objects and arrays indented below their name.
func outline(w io.Writer, dec *json.Decoder, indent string) error {
	t, err := dec.Token()
	if err != nil {
		return fmt.Errorf("read stats: %w", err)
	}
	d, nested := t.(json.Delim)
	if !nested {
		_, err := fmt.Fprintf(w, " %v\n", t)
		return err
	}
	if indent != "" {
		fmt.Fprintln(w)
	}
	for dec.More() {
		if d == '{' {
			name, err := dec.Token()
			if err != nil {
				return fmt.Errorf("read stats: %w", err)
			}
			fmt.Fprintf(w, "%s%v:", indent, name)
		} else {
			fmt.Fprintf(w, "%s-", indent)
		}
		if err := outline(w, dec, indent+"  "); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func runStop(o *options) error {
	_, err := askMaster(o, "stop", protocol.DoorStop)
	if errors.Is(err, protocol.ErrNoMaster) {
		return nil // what was asked for is so already
	}
	return err
}
