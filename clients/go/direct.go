// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"context"

	"hgbroker/protocol"
)

// Direct is a client of the master without a broker in between: it asks for a
// worker and gives it one command line, with its own descriptors if it likes.
// It neither repeats nor falls back; whoever uses it decides that.
type Direct struct{ door *protocol.Door }

// Command is one command line for a worker.
type Command struct {
	Args  []string // without argv[0]
	Dir   string   // absolute
	Env   []string // NAME=VALUE, all of it
	Umask int
	Class protocol.Class
	// RealHg is what a runner runs. A reader only wants to know for whose
	// release it answers.
	RealHg string
	// Files are stdin, stdout and stderr, which stay the caller's. Without them
	// the command reads Stdin, and Output gets what it prints.
	Files  []int
	Stdin  []byte
	Output func(stderr bool, data []byte) error
}

// Connect reaches the master, after starting one if need be.
func Connect(ctx context.Context, dialer protocol.Dialer) (*Direct, error) {
	conn, welcome, err := dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &Direct{door: protocol.NewDoor(conn, welcome, nil)}, nil
}

// Door is the connection to the master, for what Direct has no method for.
func (d *Direct) Door() *protocol.Door { return d.door }

// Close leaves the master.
func (d *Direct) Close() { d.door.Close() }

// Run runs one command in a worker of its own. When ctx ends the worker is told
// to cancel, and its answer is awaited.
func (d *Direct) Run(ctx context.Context, c Command) (*protocol.Ending, error) {
	ch, err := d.door.Acquire(ctx, c.Class)
	if err != nil {
		return nil, err
	}
	defer ch.Close()
	if err := ch.SetEnviron(c.Env, c.Umask); err != nil {
		return nil, err
	}
	run := &protocol.Run{Args: c.Args, Dir: c.Dir, Stdin: c.Stdin, RealHg: c.RealHg,
		HasFiles: len(c.Files) == 3, Fallback: protocol.FallbackNever}
	if c.Class == protocol.Runner {
		run.Fallback = protocol.FallbackAlways
	}
	return ch.Run(ctx, run, c.Files, c.Output)
}
