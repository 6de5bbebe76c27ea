// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"hgbroker/protocol"
)

// brokerStats answers broker/stats: this client's counters, and the master's,
// which are null while no master runs.
func (s *Server) brokerStats(ctx context.Context, _ *request) ([]byte, error) {
	st := s.counts.stats()
	st.PID = os.Getpid()
	st.Running = len(s.slots)
	st.Busy, st.Idle = s.pool.held()
	st.Masters = s.pool.generation()
	own, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("encode stats: %w", err)
	}
	theirs, err := s.askMaster(ctx, protocol.DoorStats, nil)
	if err != nil {
		return nil, err
	}
	if theirs == nil {
		theirs = []byte("null")
	}
	b := append([]byte(`{"broker":`), own...)
	b = append(append(b, `,"master":`...), theirs...)
	return append(b, '}'), nil
}

// brokerFlush answers broker/flush: what the master holds of a repository, or
// of all, is dropped. Commands that use it are not disturbed.
func (s *Server) brokerFlush(ctx context.Context, r *request) ([]byte, error) {
	var p protocol.FlushParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	payload := protocol.EncodeFlush("")
	if p.Repository != "" {
		dir, err := directory(p.Repository, s.settings().dir)
		if err != nil {
			return nil, err
		}
		payload = protocol.EncodeFlush(dir)
	}
	answer, err := s.askMaster(ctx, protocol.DoorFlush, payload)
	if err == nil && answer == nil {
		answer = []byte("{}") // no master holds nothing
	}
	return answer, err
}

func (s *Server) askMaster(ctx context.Context, t protocol.FrameType, payload []byte) ([]byte, error) {
	door, err := s.pool.running(ctx)
	if door == nil || err != nil {
		return nil, err
	}
	b, err := door.Ask(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("%w: the master's answer is not JSON", protocol.ErrProtocol)
	}
	return b, nil
}
