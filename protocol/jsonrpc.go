// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Error codes of JSON-RPC 2.0 and of LSP 3.17 ("Base Protocol", "Response
// Message").
const (
	CodeParseError     = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternalError  = -32603

	CodeServerNotInitialized = -32002
	CodeRequestCancelled     = -32800
	CodeRequestFailed        = -32803
)

// Kinds of a failed request beside those of the engine's own aborts: what a
// client matches instead of English text.
const (
	KindUnsupported = "Unsupported" // not native, and the policy forbids the real hg, or there is none
	KindTimeout     = "Timeout"     // timeoutMs passed
	KindWorkerLost  = "WorkerLost"  // the worker died under the command
	KindBug         = "Bug"         // the worker panicked
	KindBusy        = "Busy"        // too many requests at once
	KindNoMaster    = "NoMaster"    // no master could be reached or started
)

// ErrorData is the data of a -32803 (RequestFailed).
type ErrorData struct {
	Kind     string `json:"kind"`
	ExitCode int    `json:"exitCode,omitempty"`
	Stderr   Text   `json:"stderr,omitempty"`
	Hint     Text   `json:"hint,omitempty"`
	Files    []Text `json:"files,omitempty"`
}

// RawID is the id of a request as its sender wrote it (a JSON string, integer
// or null), so that it goes back unchanged; empty in a notification. It is
// canonical enough to be a map's key: a client repeats its own spelling.
type RawID string

// Message is one request or notification.
type Message struct {
	ID     RawID
	Notif  bool
	Method string
	Params json.RawMessage // nil when absent or null
}

// InvalidMessage is a message that cannot be handled, with the error that its
// sender shall get.
type InvalidMessage struct {
	ID   RawID // "null" when it cannot be told
	Code int
	Text string
}

func (e *InvalidMessage) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Text) }

// Incoming is a message taken apart.
type Incoming struct {
	Message
	Response bool            // it answers a request of ours, with one of
	Result   json.RawMessage // the result, which may be null, or
	Failure  json.RawMessage // the error
}

// ParseMessage takes a JSON-RPC message apart without decoding what is in it.
// The parts share body's memory.
func ParseMessage(body []byte) (*Incoming, *InvalidMessage) {
	invalid := func(id RawID, text string) *InvalidMessage {
		if id == "" {
			id = "null"
		}
		return &InvalidMessage{ID: id, Code: CodeInvalidRequest, Text: text}
	}
	// encoding/json would replace bytes that are not UTF-8; JSON has none.
	if !validJSON(body) {
		return nil, &InvalidMessage{ID: "null", Code: CodeParseError, Text: "Parse error"}
	}
	body = bytes.TrimSpace(body)
	if body[0] == '[' {
		return nil, invalid("", "Invalid Request: batches are not supported")
	}
	if body[0] != '{' {
		return nil, invalid("", "Invalid Request: not an object")
	}
	e := &Incoming{}
	e.Notif = true
	var method, version []byte
	var id []byte
	for name, value := range members(body) {
		switch name {
		case "jsonrpc":
			version = value
		case "id":
			id = value
		case "method":
			method = value
		case "params":
			e.Params = value
		case "result":
			e.Result = value
		case "error":
			e.Failure = value
		}
	}
	if id != nil {
		raw, ok := checkID(id)
		if !ok {
			return nil, invalid("", "Invalid Request: id must be a string, an integer or null")
		}
		e.ID, e.Notif = raw, false
	}
	if version != nil && string(version) != `"2.0"` {
		return nil, invalid(e.ID, "Invalid Request: jsonrpc must be \"2.0\"")
	}
	if method == nil {
		if e.Result != nil || e.Failure != nil {
			e.Response = true
			return e, nil
		}
		return nil, invalid(e.ID, "Invalid Request: no method")
	}
	var ok bool
	if e.Method, ok = decodeString(method); !ok {
		return nil, invalid(e.ID, "Invalid Request: method must be a string")
	}
	switch {
	case e.Params == nil:
	case string(e.Params) == "null":
		e.Params = nil
	case e.Params[0] != '{' && e.Params[0] != '[':
		return nil, invalid(e.ID, "Invalid Request: params must be an object or an array")
	}
	return e, nil
}

// checkID accepts a JSON string, an integer or null.
func checkID(v []byte) (RawID, bool) {
	switch {
	case v[0] == '"' || string(v) == "null":
		return RawID(v), true
	case v[0] == '-' || v[0] >= '0' && v[0] <= '9':
		if bytes.ContainsAny(v, ".eE") {
			return "", false
		}
		return RawID(v), true
	}
	return "", false
}

// AppendResponse appends a response whose result is already JSON.
func AppendResponse(b []byte, id RawID, result []byte) []byte {
	return append(append(appendResponseHead(b, id), result...), '}')
}

func appendResponseHead(b []byte, id RawID) []byte {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, id...)
	return append(b, `,"result":`...)
}

// AppendError appends an error response; data may be nil.
func AppendError(b []byte, id RawID, code int64, message string, data []byte) []byte {
	if id == "" {
		id = "null"
	}
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, id...)
	b = append(b, `,"error":{"code":`...)
	b = strconv.AppendInt(b, code, 10)
	b = append(b, `,"message":`...)
	b = AppendText(b, validUTF8(message))
	if data != nil {
		b = append(b, `,"data":`...)
		b = append(b, data...)
	}
	return append(b, '}', '}')
}

// AppendNotification appends a notification whose params are already JSON.
func AppendNotification(b []byte, method string, params []byte) []byte {
	b = append(b, `{"jsonrpc":"2.0","method":`...)
	b = AppendText(b, method)
	b = append(b, `,"params":`...)
	b = append(b, params...)
	return append(b, '}')
}
