// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"hgbroker/protocol"
)

const (
	// firstPart is how many changesets the first part of a log has: what fills a
	// window.
	firstPart = 50
	// laterPart is how many each of the others has.
	laterPart = 500
)

// hgLog answers hg/log. With a partialResultToken it asks for one part after the
// other and sends each on; the answer itself has no changesets then.
func (s *Server) hgLog(ctx context.Context, r *request) ([]byte, error) {
	if !bytes.Contains(r.Params, []byte(`"partialResultToken"`)) {
		return s.typed(ctx, r)
	}
	inlineOf(ctx).leave()
	var p protocol.LogParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	token := p.PartialResultToken
	if !protocol.ValidToken(token) {
		return nil, invalidParams("partialResultToken must be an integer or a string")
	}
	p.PartialResultToken = nil
	limit, size := p.Limit, firstPart
	served := ""
	for {
		p.Limit = size
		if limit > 0 && (size == 0 || limit < size) {
			p.Limit = limit
		}
		params, err := protocol.MarshalResult(p)
		if err != nil {
			return nil, fmt.Errorf("hg/log: %w", err)
		}
		part := &request{Message: &protocol.Message{Method: r.Method, Params: params}}
		b, err := s.typed(ctx, part)
		if err != nil {
			return nil, err
		}
		var got struct {
			Commits []json.RawMessage `json:"commits"`
			protocol.LogResult
		}
		if err := json.Unmarshal(b, &got); err != nil {
			return nil, fmt.Errorf("decode a part of hg/log: %w", err)
		}
		served = slower(served, part.served)
		if len(got.Commits) > 0 {
			s.notify(protocol.MethodProgress, partOfLog{Token: token, Value: commitsPart{got.Commits}})
		}
		limit -= len(got.Commits)
		if got.Next == "" || limit == 0 {
			r.served = served
			got.LogResult.Commits = []protocol.Commit{}
			return protocol.MarshalResult(got.LogResult)
		}
		p.Cursor, size = got.Next, laterPart
		if part.served == protocol.ServedFallback.String() {
			size = 0 // the real hg begins anew each time: the rest at once
		}
	}
}

// partOfLog is a $/progress, of which the changesets go on as they came.
type partOfLog struct {
	Token json.RawMessage `json:"token"`
	Value commitsPart     `json:"value"`
}

type commitsPart struct {
	Commits []json.RawMessage `json:"commits"`
}
