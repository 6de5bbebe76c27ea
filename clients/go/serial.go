// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// Serial is a connection to a broker of its own, for one goroutine that makes one
// call after the other, as a script does. It reads in its caller and so needs
// neither another goroutine nor its wake-up: of everything here it is the fastest
// to get one answer. Notifications are handed over while a call waits.
type Serial struct {
	stream *protocol.Stream
	notify func(string, json.RawMessage)
	cmd    *exec.Cmd
	next   uint64
	haste  protocol.Haste
}

// StartSerial starts a broker.
func StartSerial(o Options) (*Serial, error) {
	if o.Framing == protocol.FramingAuto {
		o.Framing = protocol.FramingLSP
	}
	stdin, in, err := blockingPipe()
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	out, stdout, err := blockingPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start broker: %w", err), stdin.Close(), in.Close())
	}
	cmd := exec.Command(o.Executable, o.Args...)
	cmd.Env, cmd.Dir, cmd.Stderr, cmd.Stdin, cmd.Stdout = o.Env, o.Dir, o.Stderr, stdin, stdout
	err = cmd.Start()
	stdin.Close()
	stdout.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start broker: %w", err), in.Close(), out.Close())
	}
	ends := &pipes{out, in}
	return &Serial{stream: protocol.NewStream(out, in, ends, o.Framing), notify: o.Notify, cmd: cmd}, nil
}

// blockingPipe is a pipe that Go's poller does not know of: whoever reads it
// waits in the kernel.
func blockingPipe() (r, w *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	return os.NewFile(uintptr(p[0]), "broker's output"), os.NewFile(uintptr(p[1]), "broker's input"), nil
}

// Call sends a request, waits for its answer and decodes it into result, which
// may be nil.
func (c *Serial) Call(method string, params, result any) error {
	c.next++
	id := protocol.RawID(strconv.FormatUint(c.next, 10))
	b, err := request(id, method, params)
	if err != nil {
		return err
	}
	if err := c.stream.WriteRaw(b); err != nil {
		return err
	}
	for {
		if c.stream.Drained() {
			c.stream.WithInput(func(fd int) { c.haste.Wait(fd, -1, protocol.BriefWait) })
		}
		body, err := c.stream.ReadMessage()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrClosed, err)
		}
		if wanted, ok := result.(*protocol.RunResult); ok {
			if got, run, ok := protocol.ParseRunResponse(body); ok && got == id {
				*wanted = *run
				c.stream.Recycle(body)
				return nil
			}
		}
		m, bad := protocol.ParseMessage(body)
		switch {
		case bad != nil:
			return fmt.Errorf("broker sent: %w", bad)
		case m.Response && m.ID == id:
			return decode(answer{Incoming: m}, method, result)
		case m.Notif && c.notify != nil:
			c.notify(m.Method, m.Params)
		case !m.Response && !m.Notif:
			_ = c.stream.WriteError(m.ID, protocol.CodeMethodNotFound, "Method not found", nil)
		}
	}
}

// Initialize begins the conversation; nothing else is answered before it.
func (c *Serial) Initialize(p protocol.InitializeParams) (*protocol.InitializeResult, error) {
	if p.Capabilities == nil {
		p.Capabilities = json.RawMessage("{}")
	}
	r := &protocol.InitializeResult{}
	if err := c.Call(protocol.MethodInitialize, p, r); err != nil {
		return nil, err
	}
	b, err := request("", protocol.MethodInitialized, struct{}{})
	if err != nil {
		return nil, err
	}
	return r, c.stream.WriteRaw(b)
}

// Hg runs one hg command line in dir and returns its output.
func (c *Serial) Hg(dir string, args ...string) (*protocol.RunResult, error) {
	p := commandLine(dir, args)
	r := &protocol.RunResult{}
	return r, c.Call(protocol.MethodRun, p, r)
}

// Close ends the broker and waits for it; after 10 seconds it is killed.
func (c *Serial) Close() error {
	_ = c.stream.Close()
	kill := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	return c.cmd.Wait()
}
