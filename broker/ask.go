// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sourcegraph/jsonrpc2"

	"hgbroker/protocol"
)

// The broker asks the client with requests of its own, over the same connection.
// Their answers are read by the read loop, so that whoever waits for one must not
// be in it.

// task is a request of the client's whose command may ask back and report how far
// it is.
type task struct {
	id       protocol.RawID
	progress *progress // nil unless the client wants it
	client   protocol.InteractiveClient
	conn     *jsonrpc2.Conn
	s        *Server
}

type taskKey struct{}

// withTask makes r's command one that may ask. The caller calls end.
func (s *Server) withTask(ctx context.Context, r *request, token json.RawMessage, name string) (_ context.Context, end func()) {
	s.mu.Lock()
	client, conn := s.interactive, s.conn
	s.mu.Unlock()
	if token == nil && client == (protocol.InteractiveClient{}) {
		return ctx, func() {}
	}
	t := &task{id: r.ID, client: client, conn: conn, s: s}
	if token != nil {
		t.progress = s.newProgress(token, name)
	}
	return context.WithValue(ctx, taskKey{}, t), t.progress.end
}

// taskOf is the task that ctx belongs to, nil when its command may not ask.
func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

// Ways in which the client does not answer.
var (
	errNoAnswer = errors.New("the client answered null")
	errCannot   = errors.New("the client cannot answer")
)

// ask asks the client for a text. The error is errNoAnswer for null, errCannot
// when it answered with an error or with something else, and another one when
// there is no client any more or ctx has ended; then the client has been told that
// its answer is not wanted.
func (t *task) ask(ctx context.Context, method string, params any) (string, error) {
	b, err := protocol.MarshalResult(params)
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	id := jsonrpc2.ID{Num: t.s.asked.Add(1)}
	call, err := t.conn.DispatchCall(ctx, method, json.RawMessage(b), jsonrpc2.PickID(id))
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	var answer *protocol.Text
	err = call.Wait(ctx, &answer)
	if ctx.Err() != nil {
		t.s.notify(protocol.MethodCancel, protocol.CancelParams{ID: json.RawMessage(id.String())})
		return "", context.Cause(ctx)
	}
	var refused *jsonrpc2.Error
	switch {
	case err == nil && answer == nil:
		return "", errNoAnswer
	case err == nil:
		return string(*answer), nil
	case errors.Is(err, jsonrpc2.ErrClosed):
		return "", fmt.Errorf("%s: %w", method, err)
	case !errors.As(err, &refused):
		t.s.log.Printf("%s: %v", method, err)
	}
	return "", errCannot
}
