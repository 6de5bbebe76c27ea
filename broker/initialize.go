// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"encoding/json"
	"slices"

	"hgbroker/protocol"
)

// ParseFallback reads the value of --fallback.
func ParseFallback(v string) (protocol.Fallback, bool) {
	switch v {
	case "auto", "":
		return protocol.FallbackAuto, true
	case "never":
		return protocol.FallbackNever, true
	case "always":
		return protocol.FallbackAlways, true
	}
	return 0, false
}

func fallbackName(f protocol.Fallback) string {
	return [...]string{"auto", "never", "always"}[f]
}

// initialize answers LSP's first request.
func (s *Server) initialize(m *protocol.Message, p phase) ([]byte, error) {
	if p != beforeInitialize {
		return nil, rpcError(protocol.CodeInvalidRequest, "Invalid Request: initialize was sent before")
	}
	var params protocol.InitializeParams
	if m.Params != nil {
		if err := json.Unmarshal(m.Params, &params); err != nil {
			return nil, invalidParams(err.Error())
		}
	}
	dir, err := firstFolder(&params)
	if err != nil {
		return nil, invalidParams(err.Error())
	}
	fallback := s.fallback
	var config []string
	encoding := ""
	if o := params.Options; o != nil {
		if o.Fallback != "" {
			var ok bool
			if fallback, ok = ParseFallback(o.Fallback); !ok {
				return nil, invalidParams("fallback must be auto, never or always")
			}
		}
		for _, c := range o.Config {
			config = append(config, string(c))
		}
		encoding = o.Encoding
	}
	if err := checkArguments(append([]string{encoding}, config...)); err != nil {
		return nil, err
	}
	var client protocol.ClientCapabilities
	if len(params.Capabilities) > 0 && json.Unmarshal(params.Capabilities, &client) != nil {
		client = protocol.ClientCapabilities{} // "experimental" may be anything
	}
	s.mu.Lock()
	s.phase = running
	s.interactive = client.Experimental.Hgbroker
	s.fallback, s.config, s.encoding = fallback, config, encoding
	if dir != "" {
		s.dir = dir
	}
	s.mu.Unlock()
	s.setTrace(params.Trace)
	if params.ProcessID != nil && *params.ProcessID > 0 {
		s.watch(*params.ProcessID)
	}
	return protocol.MarshalResult(protocol.InitializeResult{
		ServerInfo: protocol.ProgramInfo{Name: "hgbroker", Version: s.opts.Version},
		Capabilities: protocol.Capabilities{
			Methods:        methodNames(),
			NativeCommands: append([]string{}, s.opts.NativeCommands...),
			Requirements:   append([]string{}, s.opts.Requirements...),
			Languages:      s.opts.Languages,
			Fallback:       fallbackName(fallback),
		},
	})
}

func methodNames() []string {
	names := []string{protocol.MethodInitialize, protocol.MethodShutdown}
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// firstFolder is where the client's relative paths start, "" when it names no
// folder.
func firstFolder(p *protocol.InitializeParams) (string, error) {
	switch {
	case len(p.WorkspaceFolders) > 0:
		return p.WorkspaceFolders[0].URI.FilePath()
	case p.RootURI != nil && *p.RootURI != "":
		return p.RootURI.FilePath()
	case p.RootPath != nil:
		return string(*p.RootPath), nil
	}
	return "", nil
}
