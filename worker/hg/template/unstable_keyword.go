// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"

	"hgbroker/worker/hg/node"
)

// Instability is one reason why a changeset is unstable.
type Instability struct {
	// Kind is "orphan", "phase-divergent" or "content-divergent".
	Kind string
	// Reason names what Node is: "obsolete parent", "immutable predecessor", ...
	Reason string
	Node   node.ID
	// Divergent are the changesets that compete with this one, nil for the
	// other kinds.
	Divergent []node.ID
}

// whyUnstableText shows one reason.
const whyUnstableText = `{instability}:{if(divergentnodes, " ")}{divergentnodes} {reason} {node|short}`

func whyUnstable(s *scope) (Value, error) {
	r, err := obsReader(s)
	if err != nil {
		return Value{}, err
	}
	reasons, err := r.WhyUnstable(s.context())
	if err != nil {
		return Value{}, err
	}
	m := &mappings{print: whyUnstableText, sep: "\n"}
	for _, why := range reasons {
		m.items = append(m.items, func(inner *scope) error {
			inner.bind("instability", Bytes(why.Kind))
			inner.bind("reason", Bytes(why.Reason))
			inner.bind("node", Bytes(why.Node.Hex()))
			if why.Divergent != nil {
				inner.bind("divergentnodes", wrap(rivals(s, why.Divergent)))
			}
			return nil
		})
	}
	return wrap(m), nil
}

// rivals is a list of changesets that prints with their phases.
func rivals(s *scope, ids []node.ID) *hybrid {
	h := nodeList(s, ids)
	plain := h.format
	h.format = func(w *bytes.Buffer, s *scope, v Value) error {
		if err := plain(w, s, v); err != nil {
			return err
		}
		id, _ := node.FromHex(v.s)
		r, _ := s.e.repo.Lookup(id)
		ctx, err := s.e.changectx(r)
		if err != nil {
			return err
		}
		w.WriteString(" (" + ctx.Phase().String() + ")")
		return nil
	}
	return h
}
