// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hgbroker/protocol"
)

// typed answers hg/state, hg/status, hg/log and hg/cat: the parameters go to a
// worker as they came, and its result to the client.
func (s *Server) typed(ctx context.Context, r *request) ([]byte, error) {
	set := s.settings()
	dir, err := r.place(set.dir)
	if err != nil {
		return nil, err
	}
	call := &protocol.Call{Method: r.Method, Params: r.Params, Dir: dir, Config: set.config}
	if call.Params == nil {
		call.Params = []byte("{}")
	}
	if set.encoding != "" {
		call.Env = append(call.Env, "HGENCODING="+set.encoding)
	}
	why := &protocol.Failure{Kind: protocol.KindUnsupported, Message: "not native: the policy is to always run the real hg"}
	if set.fallback != protocol.FallbackAlways {
		end, err := s.ask(ctx, protocol.Reader, func() bool { return true }, func(c *protocol.Channel) (*protocol.Ending, error) {
			return c.Call(ctx, call)
		})
		if err != nil {
			return nil, err
		}
		if end.Result != nil {
			r.served = "native"
			return end.Result, nil
		}
		if end.Unsupported == nil {
			_, err := exited(ctx, end)
			if err == nil {
				err = fmt.Errorf("%w: a method ended as a command line", protocol.ErrProtocol)
			}
			return nil, err
		}
		why = end.Unsupported
	}
	if set.fallback == protocol.FallbackNever {
		return nil, unsupported(why)
	}
	r.served = protocol.ServedFallback.String()
	return s.typedByHg(ctx, r, dir, set, why)
}

// place is the directory that a typed method is about. A path inside it may be
// of a file, or of something that is no longer there: the nearest directory
// above counts.
func place(p *protocol.Place, uri protocol.Text, base string) (string, error) {
	t := p.Cwd
	if t == "" {
		t = p.Repository
	}
	if t == "" && uri != "" {
		path, err := uri.FilePath()
		if err != nil {
			return "", invalidParams(err.Error())
		}
		if filepath.IsAbs(path) {
			t = protocol.Text(filepath.Dir(path))
		}
	}
	dir, err := t.FilePath()
	if err != nil {
		return "", invalidParams(err.Error())
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	if err := checkArguments([]string{dir}); err != nil {
		return "", err
	}
	for {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", invalidParams(fmt.Sprintf("no directory %q", string(t)))
		}
		dir = up
	}
}
