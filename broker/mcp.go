// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sourcegraph/jsonrpc2"

	"hgbroker/protocol"
)

// mcp serves an agent: the Model Context Protocol in front of the same server.
// Its tools read; the one that runs any command is there only when the user
// allowed it.
type mcp struct {
	s      *Server
	writes bool
}

const mcpInstructions = "Tools that look at Mercurial (hg) repositories. Give `repository` a path inside the repository; " +
	"revisions are Mercurial revsets (`.` is the parent of the working directory, `tip`, a hash, `.~3`, `branch(default)`). " +
	"Long answers come in pages: an answer that was cut ends with the `cursor` that continues it."

// Handle implements jsonrpc2.Handler, in the read loop.
func (m *mcp) Handle(_ context.Context, _ *jsonrpc2.Conn, _ *jsonrpc2.Request) {
	msg := m.s.stream.Current()
	if msg.Notif {
		m.notification(msg)
		return
	}
	switch msg.Method {
	case protocol.MethodInitialize:
		m.s.reply(msg, m.initialize, running)
	case protocol.McpPing:
		m.s.answer(msg.ID, [][]byte{[]byte("{}")}, nil)
	case protocol.McpListTools:
		m.s.reply(msg, m.list, running)
	case protocol.McpCallTool:
		m.s.begin(msg, m.call)
	default:
		m.s.answer(msg.ID, nil, rpcError(protocol.CodeMethodNotFound, "Method not found: "+msg.Method))
	}
}

func (m *mcp) notification(msg *protocol.Message) {
	var p protocol.McpCancelledParams
	if msg.Method != protocol.McpCancelled || json.Unmarshal(msg.Params, &p) != nil {
		return
	}
	m.s.mu.Lock()
	cancel := m.s.requests[protocol.RawID(p.RequestID)]
	m.s.mu.Unlock()
	if cancel != nil {
		cancel(errUnwanted)
	}
}

func (m *mcp) initialize(msg *protocol.Message, _ phase) ([]byte, error) {
	var p protocol.McpInitializeParams
	if err := (&request{Message: msg}).decode(&p); err != nil {
		return nil, err
	}
	version := p.ProtocolVersion
	if !slices.Contains(protocol.McpVersions, version) {
		version = protocol.McpVersions[0]
	}
	return protocol.MarshalResult(protocol.McpInitializeResult{ProtocolVersion: version, Capabilities: json.RawMessage(`{"tools":{}}`),
		ServerInfo: protocol.ProgramInfo{Name: "hgbroker", Version: m.s.opts.Version}, Instructions: mcpInstructions})
}

func (m *mcp) list(*protocol.Message, phase) ([]byte, error) {
	tools := []protocol.McpTool{}
	for _, t := range mcpTools {
		if t.writes && !m.writes {
			continue
		}
		tool := protocol.McpTool{Name: t.name, Title: t.title, Description: t.text,
			InputSchema: protocol.McpSchema{Type: "object", Properties: map[string]protocol.McpProperty{}, Required: t.required},
			Annotations: &protocol.McpAnnotations{ReadOnly: !t.writes, Destructive: t.writes}}
		for _, name := range append([]string{"repository"}, t.arguments...) {
			tool.InputSchema.Properties[name] = mcpArguments()[name]
		}
		tools = append(tools, tool)
	}
	return protocol.MarshalResult(map[string]any{"tools": tools})
}

// call runs one tool.
func (m *mcp) call(s *Server, ctx context.Context, r *request) ([]byte, error) {
	var p protocol.McpCallParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(mcpTools, func(t mcpTool) bool { return t.name == p.Name && (m.writes || !t.writes) })
	if i < 0 {
		return nil, invalidParams(fmt.Sprintf("unknown tool %q", p.Name))
	}
	t := &mcpTools[i]
	a, err := t.decode(p.Arguments)
	if err != nil {
		return nil, invalidParams(err.Error())
	}
	set := s.settings()
	dir, err := place(&protocol.Place{Cwd: protocol.Text(a.Repository)}, "", set.dir)
	if err != nil {
		return nil, err
	}
	h := s.asker(ctx, dir, set)
	h.plain = []string{"HGPLAIN=+strictflags"} // a value is never taken for an option
	text, err := t.run(h, a)
	r.served = h.bound.Served
	result := protocol.McpCallResult{}
	if err != nil {
		var e *jsonrpc2.Error
		if !errors.As(err, &e) || e.Code != protocol.CodeRequestFailed {
			return nil, err
		}
		text, result.IsError = "error: "+e.Message, true
	}
	result.Content = []protocol.McpContent{{Type: "text", Text: text}}
	return protocol.MarshalResult(result)
}
