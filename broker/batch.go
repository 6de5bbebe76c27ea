// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"hgbroker/protocol"
)

// runBatch answers hg/runBatch. Items run in order. Neighbours that name a native
// command are tried side by side, since a native command changes nothing; when
// one of them turns out to be for the real hg, which may write, it has its turn
// before those behind it, and they are run again.
func (s *Server) runBatch(ctx context.Context, r *request) ([]byte, error) {
	inlineOf(ctx).leave()
	var p protocol.RunBatchParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	if len(p.Items) > protocol.MaxBatch {
		return nil, invalidParams(fmt.Sprintf("more than %d items", protocol.MaxBatch))
	}
	ctx, done := s.withTask(ctx, r, nil, "")
	defer done()
	set := s.settings()
	items := make([]batchItem, len(p.Items))
	for i := range items {
		q := &p.Items[i]
		if q.Stream {
			return nil, invalidParams("an item of a batch cannot be streamed")
		}
		run, err := commandLine(q, set)
		if err != nil {
			return nil, err
		}
		items[i] = batchItem{params: q, run: run}
	}
	for i := 0; i < len(items); {
		end := i
		for end < len(items) && set.fallback != protocol.FallbackAlways && s.namesNative(items[end].run.Args) {
			end++
		}
		s.side(end-i, func(k int) { items[i+k].native(s, ctx) })
		for i < end && !items[i].unsupported {
			i++
		}
		if i < len(items) {
			items[i].whole(s, ctx, set.fallback)
			i++
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	result := protocol.RunBatchResult{Results: make([]protocol.RunBatchItem, len(items))}
	for i := range items {
		item := &items[i]
		if item.err != nil {
			result.Results[i].Error = batchError(item.err)
			continue
		}
		r.served = slower(r.served, item.end.Served.String())
		result.Results[i].Result = bytes.Join(runResult(item.end).Parts(&item.out.text[0], &item.out.text[1]), nil)
	}
	return protocol.MarshalResult(result)
}

// batchItem is one command line of a batch, and its outcome.
type batchItem struct {
	params      *protocol.RunParams
	run         *protocol.Run
	out         buffer
	end         *protocol.Exit
	err         error
	unsupported bool
}

// native tries the item natively.
func (b *batchItem) native(s *Server, ctx context.Context) {
	ctx, cancel := withTimeout(ctx, b.params)
	defer cancel()
	b.out.reset()
	end, err := s.runNative(ctx, b.run, &b.out)
	b.unsupported = err == nil && end.Unsupported != nil
	b.end, b.err = nil, err
	if err == nil && !b.unsupported {
		b.end, b.err = exited(ctx, end)
	}
}

// whole runs the item as hg/run would.
func (b *batchItem) whole(s *Server, ctx context.Context, policy protocol.Fallback) {
	ctx, cancel := withTimeout(ctx, b.params)
	defer cancel()
	b.out.reset()
	b.end, b.err = s.runCommand(ctx, b.run, &b.out, policy)
}

// namesNative tells whether the first word that is no option is the name of a
// native command.
func (s *Server) namesNative(args []string) bool {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return slices.Contains(s.opts.NativeCommands, a)
		}
	}
	return false
}

// side calls f for 0 to n-1, as many at once as the client may have workers.
func (s *Server) side(n int, f func(int)) {
	places := make(chan struct{}, max(1, s.opts.MaxWorkers))
	var wg sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			f(i)
			<-places
		})
	}
	wg.Wait()
}

// slower is the slower of two ways to be served.
func slower(a, b string) string {
	order := []string{"", "none", "native", "warm", "cold", "fallback"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

func batchError(err error) *protocol.BatchError {
	e := wireError(err)
	b := &protocol.BatchError{Code: e.Code, Message: e.Message}
	if e.Data != nil {
		b.Data = &protocol.ErrorData{}
		_ = json.Unmarshal(*e.Data, b.Data)
	}
	return b
}

// catBatch answers hg/catBatch: each item is an hg/cat of its own.
func (s *Server) catBatch(ctx context.Context, r *request) ([]byte, error) {
	inlineOf(ctx).leave()
	var p protocol.CatBatchParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	if len(p.Items) > protocol.MaxBatch {
		return nil, invalidParams(fmt.Sprintf("more than %d items", protocol.MaxBatch))
	}
	result := protocol.CatBatchResult{Results: make([]protocol.CatBatchItem, len(p.Items))}
	served := make([]string, len(p.Items))
	s.side(len(p.Items), func(i int) {
		one := &request{Message: &protocol.Message{Method: protocol.MethodCat}}
		params, err := protocol.MarshalResult(protocol.CatParams{Place: p.Place, URI: p.Items[i].URI, Rev: p.Items[i].Rev})
		if err == nil {
			one.Params = params
			result.Results[i].Result, err = s.typed(ctx, one)
		}
		if err != nil {
			result.Results[i].Error = batchError(err)
		}
		served[i] = one.served
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, how := range served {
		r.served = slower(r.served, how)
	}
	return protocol.MarshalResult(result)
}
