// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sourcegraph/jsonrpc2"

	"hgbroker/protocol"
)

// Causes that end a request's context.
var (
	errCanceled = errors.New("request was canceled")
	errTimeout  = errors.New("timeoutMs passed")
	errEnding   = errors.New("the broker is ending")
	errUnwanted = errors.New("nobody waits for the answer any more")
)

// rpcError is an error of the given code without data.
func rpcError(code int64, message string) *jsonrpc2.Error {
	return &jsonrpc2.Error{Code: code, Message: message}
}

func invalidParams(message string) *jsonrpc2.Error {
	return rpcError(protocol.CodeInvalidParams, "Invalid params: "+message)
}

// requestFailed is a -32803 with its data.
func requestFailed(message string, data protocol.ErrorData) *jsonrpc2.Error {
	e := rpcError(protocol.CodeRequestFailed, message)
	if b, err := json.Marshal(data); err == nil {
		e.Data = (*json.RawMessage)(&b)
	}
	return e
}

// failed is the error for what a worker could not do.
func failed(f *protocol.Failure) *jsonrpc2.Error {
	return requestFailed(f.Message, protocol.ErrorData{Kind: f.Kind, ExitCode: f.ExitCode,
		Stderr: protocol.Text(f.Stderr), Hint: protocol.Text(f.Hint)})
}

// wireError is the one place where an error becomes what the client sees.
func wireError(err error) *jsonrpc2.Error {
	var rpc *jsonrpc2.Error
	var refused *protocol.Refused
	switch {
	case errors.As(err, &rpc):
		return rpc
	case errors.Is(err, errTimeout):
		return requestFailed("timed out", protocol.ErrorData{Kind: protocol.KindTimeout})
	case errors.Is(err, errCanceled), errors.Is(err, errEnding), errors.Is(err, errUnwanted), errors.Is(err, context.Canceled):
		return rpcError(protocol.CodeRequestCancelled, "Request cancelled")
	case errors.As(err, &refused):
		kind := protocol.KindBusy
		if refused.Reason != protocol.RefusedFull {
			kind = protocol.KindNoMaster
		}
		return requestFailed(err.Error(), protocol.ErrorData{Kind: kind})
	case errors.Is(err, protocol.ErrWorkerLost):
		return requestFailed("the worker that ran this died, and it was not repeated: "+err.Error(),
			protocol.ErrorData{Kind: protocol.KindWorkerLost})
	case errors.Is(err, protocol.ErrMasterLost), errors.Is(err, errNoMaster):
		return requestFailed(err.Error(), protocol.ErrorData{Kind: protocol.KindNoMaster})
	}
	return rpcError(protocol.CodeInternalError, "Internal error: "+err.Error())
}
