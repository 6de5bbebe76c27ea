// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"context"
	"encoding/json"
	"os"

	"hgbroker/protocol"
)

// Initialize begins the conversation; nothing else is answered before it. The
// broker ends with this process even when its stdin stays open elsewhere.
func (c *Client) Initialize(ctx context.Context, p protocol.InitializeParams) (*protocol.InitializeResult, error) {
	if p.ProcessID == nil {
		pid := os.Getpid()
		p.ProcessID = &pid
	}
	if p.Capabilities == nil {
		p.Capabilities = json.RawMessage("{}")
	}
	r := &protocol.InitializeResult{}
	if err := c.Call(ctx, protocol.MethodInitialize, p, r); err != nil {
		return nil, err
	}
	return r, c.Notify(protocol.MethodInitialized, struct{}{})
}

// Run runs one hg command line and returns its output.
func (c *Client) Run(ctx context.Context, p protocol.RunParams) (*protocol.RunResult, error) {
	p.Stream = false
	r := &protocol.RunResult{}
	return r, c.Call(ctx, protocol.MethodRun, p, r)
}

// Hg is Run for a plain command line in dir.
func (c *Client) Hg(ctx context.Context, dir string, args ...string) (*protocol.RunResult, error) {
	return c.Run(ctx, commandLine(dir, args))
}

func commandLine(dir string, args []string) protocol.RunParams {
	p := protocol.RunParams{Cwd: protocol.Text(dir), Args: []protocol.Text{}}
	for _, a := range args {
		p.Args = append(p.Args, protocol.Text(a))
	}
	return p
}

// Stream runs one hg command line and hands its output over as it comes, in
// order, in the reading goroutine: while output runs nothing else is read, and
// in the end the command itself waits.
func (c *Client) Stream(ctx context.Context, p protocol.RunParams, output func(stderr bool, data []byte)) (*protocol.RunResult, error) {
	p.Stream = true
	r := &protocol.RunResult{}
	return r, c.call(ctx, protocol.MethodRun, p, r, output)
}

// State asks hg/state.
func (c *Client) State(ctx context.Context, p protocol.StateParams) (*protocol.StateResult, error) {
	r := &protocol.StateResult{}
	return r, c.Call(ctx, protocol.MethodState, p, r)
}

// Status asks hg/status.
func (c *Client) Status(ctx context.Context, p protocol.StatusParams) (*protocol.StatusResult, error) {
	r := &protocol.StatusResult{}
	return r, c.Call(ctx, protocol.MethodStatus, p, r)
}

// Log asks hg/log.
func (c *Client) Log(ctx context.Context, p protocol.LogParams) (*protocol.LogResult, error) {
	r := &protocol.LogResult{}
	return r, c.Call(ctx, protocol.MethodLog, p, r)
}

// Cat asks hg/cat.
func (c *Client) Cat(ctx context.Context, p protocol.CatParams) (*protocol.CatResult, error) {
	r := &protocol.CatResult{}
	return r, c.Call(ctx, protocol.MethodCat, p, r)
}

// Stats asks broker/stats: the broker's and the master's counters, as JSON.
func (c *Client) Stats(ctx context.Context) (json.RawMessage, error) {
	var r json.RawMessage
	return r, c.Call(ctx, protocol.MethodStats, nil, &r)
}

// Flush drops what is cached of a repository, or of all with "".
func (c *Client) Flush(ctx context.Context, repository string) error {
	return c.Call(ctx, protocol.MethodFlush, protocol.FlushParams{Repository: protocol.Text(repository)}, nil)
}
