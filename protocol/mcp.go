// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import "encoding/json"

// The Model Context Protocol, as far as `hgbroker mcp` speaks it: JSON-RPC 2.0,
// one object a line (modelcontextprotocol.io/specification).
//
//	agent                                     hgbroker mcp
//	  │── initialize {protocolVersion} ────────▶ │
//	  │ ◀── {protocolVersion, capabilities} ──── │  the agent's version when it is known here, else our newest
//	  │── notifications/initialized ───────────▶ │
//	  │── tools/list ──────────────────────────▶ │
//	  │ ◀── {tools: [...]} ───────────────────── │
//	  │── tools/call {name, arguments} ────────▶ │
//	  │── notifications/cancelled {requestId} ─▶ │  then there is no answer
//	  │ ◀── {content: [{type, text}], isError} ─ │
const (
	McpInitialized = "notifications/initialized"
	McpCancelled   = "notifications/cancelled"
	McpPing        = "ping"
	McpListTools   = "tools/list"
	McpCallTool    = "tools/call"
)

// McpVersions are the protocol's versions that are known, newest first.
var McpVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// McpInitializeParams are the parameters of initialize.
type McpInitializeParams struct {
	ProtocolVersion string       `json:"protocolVersion"`
	ClientInfo      *ProgramInfo `json:"clientInfo,omitempty"`
}

// McpInitializeResult answers initialize.
type McpInitializeResult struct {
	ProtocolVersion string          `json:"protocolVersion"`
	Capabilities    json.RawMessage `json:"capabilities"`
	ServerInfo      ProgramInfo     `json:"serverInfo"`
	Instructions    string          `json:"instructions,omitempty"`
}

// McpTool describes a tool.
type McpTool struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	InputSchema McpSchema       `json:"inputSchema"`
	Annotations *McpAnnotations `json:"annotations,omitempty"`
}

// McpSchema is the JSON Schema of a tool's arguments.
type McpSchema struct {
	Type       string                 `json:"type"` // "object"
	Properties map[string]McpProperty `json:"properties"`
	Required   []string               `json:"required,omitempty"`
	Additional bool                   `json:"additionalProperties"` // false
}

// McpProperty is one argument.
type McpProperty struct {
	Type        string       `json:"type"` // string, integer, boolean, array
	Description string       `json:"description"`
	Items       *McpProperty `json:"items,omitempty"` // of an array
	Minimum     *int         `json:"minimum,omitempty"`
}

// McpAnnotations are hints for whoever decides whether a tool may be called.
type McpAnnotations struct {
	ReadOnly    bool `json:"readOnlyHint"`
	Destructive bool `json:"destructiveHint"`
	OpenWorld   bool `json:"openWorldHint"`
}

// McpCallParams are the parameters of tools/call.
type McpCallParams struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// McpCallResult answers tools/call. A tool that fails says so here; JSON-RPC's
// errors are for calls that name no tool or give it wrong arguments.
type McpCallResult struct {
	Content []McpContent `json:"content"`
	IsError bool         `json:"isError,omitempty"`
}

// McpContent is a piece of text.
type McpContent struct {
	Type string `json:"type"` // "text"
	Text string `json:"text"`
}

// McpCancelledParams are the parameters of notifications/cancelled.
type McpCancelledParams struct {
	RequestID json.RawMessage `json:"requestId"`
}
