// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// A command that is not native, of a client that can be asked or wants to hear of
// progress, is run by a real hg that is a command server for this one command, in
// a runner worker as any other real hg: its standard streams are pipes to the
// broker, which speaks Mercurial's protocol over them.
//
//	broker                                runner                  real hg
//	  │── ChRun {serve --cmdserver pipe} ─▶ │ ── starts ──────────▶ │
//	  │ ◀═══════════ greeting, then all that is said ══════════════▶ │
//	  │   prompt and 'L': hg/prompt                                  │── HGEDITOR: hg/edit
//	  │   'r': end of input                                          │
//	  │ ◀───────────────────────── ChExit ── │ ◀── exits ────────────│
//
// So cancel, the end of the client and the finished-command message are those of
// every command. The server is not kept for the next one: it would not notice a
// change of the user's configuration or of the request's environment.
//
// A server that does not greet (its repository is broken, say) has run nothing:
// the command is then run as for any other client, and hg says what is wrong.

// trailing is how long the streams are still read after hg ended, when something
// that it started keeps them open.
const trailing = 2 * time.Second

// maxHeld bounds what a server may say on stderr before its greeting.
const maxHeld = 64 << 10

// errOver ends what a command asks when it has ended.
var errOver = errors.New("the command has ended")

// answerable tells whether a command line can be run in a command server.
func answerable(args []string) bool {
	return !slices.Contains(args, "serve") && !(len(args) == 1 && args[0] == "")
}

// serverArgs are the arguments of a command server for one command line: what
// chooses the repository and loads extensions must be known when it starts.
func serverArgs(args []string, prompt bool) []string {
	list := []string{"--config", "ui.message-output=channel", "--config", "cmdserver.message-encodings=cbor"}
	if prompt {
		list = append(list, "--config", "ui.interactive=True")
	}
	options := cmdserver.EarlyOptions(args, false)
	elsewhere := slices.ContainsFunc(options, func(o cmdserver.Option) bool { return o.Name == "cwd" })
	for _, o := range options {
		if o.Name == "config" || o.Name == "config-file" || o.Name == "repository" && !elsewhere {
			list = append(list, "--"+o.Name, o.Value)
		}
	}
	return append(list, "serve", "--cmdserver", "pipe")
}

// hasName tells whether overrides say anything of a variable.
func hasName(overrides []string, name string) bool {
	return slices.ContainsFunc(overrides, func(o string) bool { n, _, _ := strings.Cut(o, "="); return n == name })
}

// runAnswered runs a command line in the way above. begun is false when nothing of
// it was run, and nothing printed.
func (s *Server) runAnswered(ctx context.Context, t *task, run *protocol.Run, real string, out output) (_ *protocol.Exit, begun bool, err error) {
	inlineOf(ctx).leave()
	t.progress.begin()
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(errOver)

	server := *run
	server.Args, server.RealHg, server.Fallback = serverArgs(run.Args, t.client.Prompt), real, protocol.FallbackAlways
	server.For, server.Stdin, server.HasFiles = run.Args, nil, true
	server.Env = slices.Clone(run.Env)
	if t.client.Edit && !hasName(run.Env, "HGEDITOR") {
		d, err := newDesk(running, t, s.opts.Dialer.RuntimeDir)
		if err != nil {
			return nil, false, fmt.Errorf("editor: %w", err)
		}
		defer d.close()
		defer cancel(errOver) // before close
		server.Env = append(server.Env, "HGEDITOR="+editor(s.opts.Dialer.Executable), EnvEdit+"="+d.path)
	}

	streams, err := newStreams()
	if err != nil {
		return nil, false, err
	}
	defer streams.close()
	c := &conversation{task: t, ctx: running, in: streams.stdin, args: run.Args, stdin: run.Stdin, out: &gate{out: out}}
	var talking sync.WaitGroup
	talking.Go(func() {
		defer streams.stdin.Close() // ends the server
		if c.err = c.talk(&streams.stdout); c.err != nil {
			cancel(c.err)
		}
	})
	talking.Go(func() {
		if err := copyOut(&streams.stderr, c.out); err != nil {
			cancel(err)
		}
	})
	end, err := s.ask(running, protocol.Runner, func() bool { return false }, func(ch *protocol.Channel) (*protocol.Ending, error) {
		return ch.Run(running, &server, streams.theirs(), nil)
	})
	cause := context.Cause(running)
	cancel(errOver)
	streams.ended()
	talking.Wait()

	switch {
	case ctx.Err() != nil:
		return nil, true, context.Cause(ctx)
	case c.err != nil:
		if c.greeted {
			return nil, true, c.err
		}
		s.log.Printf("no command server: %v", c.err)
		return nil, false, nil
	case err != nil:
		return nil, true, err
	case cause != nil:
		return nil, true, cause
	case end.Failed != nil || end.Unsupported != nil:
		_, err = exited(ctx, end)
		return nil, true, err
	case !c.greeted:
		return nil, false, nil
	}
	exit, err := exited(ctx, end)
	if err == nil && c.ended {
		exit.Code = c.code & 255
	}
	return exit, true, err
}

// streams are the pipes to a real hg: our ends and its.
type streams struct {
	stdin          *os.File
	stdout, stderr source
	child          [3]*os.File
}

// source is an end to read. After ended, a read waits no longer than trailing.
type source struct {
	f    *os.File
	over atomic.Bool
}

func (r *source) Read(b []byte) (int, error) {
	if r.over.Load() {
		_ = r.f.SetReadDeadline(time.Now().Add(trailing))
	}
	return r.f.Read(b)
}

func newStreams() (*streams, error) {
	p := &streams{}
	var err error
	if p.child[0], p.stdin, err = os.Pipe(); err == nil {
		if p.stdout.f, p.child[1], err = os.Pipe(); err == nil {
			p.stderr.f, p.child[2], err = os.Pipe()
		}
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("pipe: %w", err)
	}
	return p, nil
}

// theirs are the descriptors of the real hg.
func (p *streams) theirs() []int {
	fds := make([]int, len(p.child))
	for i, f := range p.child {
		fds[i] = int(f.Fd())
	}
	return fds
}

// ended is called when hg has ended: what it left in the pipes can be read, and
// then their end.
func (p *streams) ended() {
	for _, f := range p.child {
		f.Close()
	}
	for _, r := range []*source{&p.stdout, &p.stderr} {
		r.over.Store(true)
		_ = r.f.SetReadDeadline(time.Now().Add(trailing))
	}
}

func (p *streams) close() {
	for _, f := range append(p.child[:], p.stdin, p.stdout.f, p.stderr.f) {
		if f != nil {
			f.Close()
		}
	}
}

// gate is a command's output, from two goroutines. Nothing goes out before the
// server's greeting, since without it there will be another try.
type gate struct {
	mu   sync.Mutex // guards what follows
	out  output
	open bool
	kept []byte // of stderr
}

func (g *gate) write(stderr bool, data []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		g.kept = append(g.kept, data[:min(len(data), maxHeld-len(g.kept))]...)
		return nil
	}
	return g.out.write(stderr, data)
}

func (g *gate) begin() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	if len(g.kept) == 0 {
		return nil
	}
	return g.out.write(true, g.kept)
}

func copyOut(r *source, out *gate) error {
	b := make([]byte, 32<<10)
	for {
		n, err := r.Read(b)
		if n > 0 {
			if err := out.write(true, b[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the end, or nobody will ever tell it
		}
	}
}
