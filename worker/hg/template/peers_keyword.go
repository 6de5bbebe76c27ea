// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"

	"hgbroker/worker/hg/hgerr"
)

func checkPaths(e *Engine) error {
	if e.opts.Paths == nil {
		return hgerr.NewUnsupported("template keyword peerurls")
	}
	_, err := e.opts.Paths()
	return err
}

// peerURLs is a dictionary of the [paths] section: a name to its place, which
// maps to its sub-options too. Of several places only the last one shows, as
// in hg.
func peerURLs(s *scope) (Value, error) {
	if s.e.opts.Paths == nil {
		return Value{}, hgerr.NewUnsupported("template keyword peerurls")
	}
	paths, err := s.e.opts.Paths()
	if err != nil {
		return Value{}, err
	}
	d := &dict{}
	byName := map[string]PeerPath{}
	for _, p := range paths {
		if len(p.Places) > 0 {
			d.set(p.Name, Bytes(p.Places[len(p.Places)-1].URL))
			byName[p.Name] = p
		}
	}
	return wrap(&hybrid{
		dict: d,
		bindItem: func(inner *scope, name Value) error {
			p := byName[name.s]
			last := &dict{}
			for _, place := range p.Places {
				last.set("url", Bytes(place.URL))
				for _, o := range place.Options {
					last.set(o.Name, o.Value)
				}
			}
			inner.bind("name", name)
			if len(p.Places) == 1 {
				for i, key := range last.keys {
					inner.bind(key, last.vals[i])
				}
			}
			inner.bind("urls", PlainList([]Value{{kind: kindDict, x: last}}))
			return nil
		},
		format: func(w *bytes.Buffer, _ *scope, name Value) error {
			url, _ := d.get(name.s)
			w.WriteString(name.s + "=" + url.s)
			return nil
		},
	}), nil
}
