// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sort"
	"strconv"
	"strings"

	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// nodeList is a list of changesets given by their hashes.
func nodeList(s *scope, ids []node.ID) *hybrid {
	debug := s.e.opts.Debug
	find := func(e *Engine, hex string) (Changectx, error) {
		id, _ := node.FromHex(hex)
		r, ok := e.repo.Lookup(id)
		if !ok {
			return nil, &unavailable{"ctx"}
		}
		return e.repo.Changectx(r)
	}
	h := &hybrid{
		bindItem: func(inner *scope, v Value) error {
			ctx, err := find(inner.e, v.s)
			if err != nil {
				return err
			}
			inner.ctxState, inner.ctx = ctxSet, ctx
			return nil
		},
		format: func(w *bytes.Buffer, s *scope, v Value) error {
			ctx, err := find(s.e, v.s)
			if err != nil {
				return err
			}
			w.WriteString(ChangeID(ctx, debug))
			return nil
		},
	}
	for _, id := range ids {
		h.values = append(h.values, Bytes(id.Hex()))
	}
	return h
}

func obsReader(s *scope) (ObsoleteReader, error) {
	if r, ok := s.e.repo.(ObsoleteReader); ok {
		return r, nil
	}
	return nil, &unavailable{"repo"}
}

// fates are the successor sets of the changeset in view; none unless obsolete.
func fates(s *scope) ([]SuccessorSet, error) {
	ctx := s.context()
	if !ctx.Obsolete() {
		return nil, nil
	}
	r, err := obsReader(s)
	if err != nil {
		return nil, err
	}
	return r.SuccessorSets(ctx)
}

func predecessors(s *scope) (Value, error) {
	r, err := obsReader(s)
	if err != nil {
		return Value{}, err
	}
	ids, err := r.Predecessors(s.context())
	if err != nil {
		return Value{}, err
	}
	ids = append([]node.ID(nil), ids...)
	sort.Slice(ids, func(i, j int) bool { return bytes.Compare(ids[i][:], ids[j][:]) < 0 })
	return wrap(nodeList(s, ids)), nil
}

func successorsSets(s *scope) (Value, error) {
	sets, err := fates(s)
	if err != nil {
		return Value{}, err
	}
	h := newList("successorset", nil)
	for _, set := range sets {
		if len(set.Successors) > 0 {
			h.values = append(h.values, wrap(nodeList(s, set.Successors)))
		}
	}
	h.format = func(w *bytes.Buffer, s *scope, v Value) error { return writeValue(w, s, v) }
	h.text = func(w *bytes.Buffer, s *scope) error { return h.join(w, s, "; ") }
	return wrap(h), nil
}

func hexTuple(ids []node.ID) Value {
	out := make([]Value, len(ids))
	for i, id := range ids {
		out[i] = Bytes(id.Hex())
	}
	return PlainTuple(out)
}

// markerValue is a marker as templates see it, the tuple of obsstore with its
// hashes in hexadecimal.
func markerValue(m Marker) Value {
	meta := make([]Value, len(m.Metadata))
	for i, x := range m.Metadata {
		meta[i] = PlainTuple([]Value{Bytes(x.Key), Bytes(x.Value)})
	}
	ps := Value{}
	if m.Parents != nil {
		ps = hexTuple(m.Parents)
	}
	return PlainTuple([]Value{
		Bytes(m.Predecessor.Hex()), hexTuple(m.Successors), Int(int64(m.Flags)),
		PlainTuple(meta), PlainTuple([]Value{Float(m.Unix), Int(int64(m.Offset))}), ps,
	})
}

func succsAndMarkers(s *scope) (Value, error) {
	sets, err := fates(s)
	if err != nil {
		return Value{}, err
	}
	m := &mappings{}
	for _, set := range sets {
		marks := make([]Value, len(set.Markers))
		for i, mark := range set.Markers {
			marks[i] = markerValue(mark)
		}
		successors := wrap(nodeList(s, set.Successors))
		m.items = append(m.items, func(inner *scope) error {
			inner.bind("successors", successors)
			inner.bind("markers", PlainList(marks))
			return nil
		})
	}
	return wrap(m), nil
}

// obsfate tells in words what became of a changeset.
func obsfate(s *scope) (Value, error) {
	sets, err := fates(s)
	if err != nil {
		return Value{}, err
	}
	var values []Value
	for _, set := range sets {
		text, err := fateText(s, set)
		if err != nil {
			return Value{}, err
		}
		values = append(values, Bytes(text))
	}
	return wrap(compatList("fate", "", "", " ", values)), nil
}

func fateText(s *scope, set SuccessorSet) (string, error) {
	o := &s.e.opts
	var b strings.Builder
	verb, err := fateVerb(o, len(set.Successors), set.Markers)
	if err != nil {
		return "", err
	}
	b.WriteString(verb)
	if ops := markerWords(set.Markers, "operation"); len(ops) > 0 {
		b.WriteString(" using " + strings.Join(ops, ", "))
	}
	if len(set.Successors) > 0 {
		names := make([]string, len(set.Successors))
		for i, id := range set.Successors {
			r, ok := s.e.repo.Lookup(id)
			if !ok {
				return "", &unavailable{"ctx"}
			}
			names[i] = changeID(r, id, o.Debug)
		}
		b.WriteString(" as " + strings.Join(names, ", "))
	}
	users := markerWords(set.Markers, "user")
	for i, u := range users {
		users[i] = o.Encoding.Local(u)
	}
	sort.Strings(users)
	if !o.Verbose && len(users) == 1 {
		if r, err := obsReader(s); err == nil && r.Username().Local == users[0] {
			users = nil
		}
	}
	if (o.Verbose || !o.Quiet) && len(users) > 0 {
		b.WriteString(" by " + strings.Join(users, ", "))
	}
	if o.Verbose && len(set.Markers) > 0 {
		first, last := set.Markers[0], set.Markers[0]
		for _, m := range set.Markers[1:] {
			if markerBefore(m, first) {
				first = m
			}
			if markerBefore(last, m) {
				last = m
			}
		}
		from, err := dates.Date{Unix: int64(first.Unix), Offset: first.Offset}.Format(dates.ISOFormat)
		if err != nil {
			return "", err
		}
		to, err := dates.Date{Unix: int64(last.Unix), Offset: last.Offset}.Format(dates.ISOFormat)
		if err != nil {
			return "", err
		}
		if first.Unix == last.Unix && first.Offset == last.Offset {
			b.WriteString(" (at " + from + ")")
		} else {
			b.WriteString(" (between " + from + " and " + to + ")")
		}
	}
	return b.String(), nil
}

func markerBefore(a, b Marker) bool {
	return a.Unix < b.Unix || a.Unix == b.Unix && a.Offset < b.Offset
}

// fateVerb says in one word what was done to a changeset.
func fateVerb(o *Options, successors int, markers []Marker) (string, error) {
	switch successors {
	case 0:
		return "pruned", nil
	case 1:
		if o.Evolve {
			return evolveVerb(markers)
		}
		return "rewritten", nil
	}
	return "split", nil
}

// effectVerb is evolve's word for a rewriting that changed one thing, as the bit of the
// number that markers keep under "ef1"; empty for any other number.
func effectVerb(effect int) string {
	switch effect {
	case 1 << 0:
		return "reworded"
	case 1 << 1:
		return "meta-changed"
	case 1 << 2:
		return "rebased"
	case 1 << 3:
		return "amended"
	case 1 << 4:
		return "reauthored"
	case 1 << 5:
		return "date-changed"
	case 1 << 6:
		return "branch-changed"
	}
	return ""
}

// evolveVerb is the word that the extension evolve has for a rewriting.
func evolveVerb(markers []Marker) (string, error) {
	all := 0
	for _, m := range markers {
		effect, folded := "", false
		for _, x := range m.Metadata {
			switch x.Key {
			case "ef1":
				effect = x.Value
			case "fold-id":
				folded = true
			}
		}
		if folded && len(markers) == 1 {
			return "folded", nil
		}
		if effect == "" {
			all = -1
		} else if n, err := strconv.Atoi(effect); err != nil {
			return "", hgerr.NewUnsupported("a marker with effects %q", effect)
		} else if all >= 0 {
			all |= n
		}
	}
	if verb := effectVerb(all); verb != "" {
		return verb, nil
	}
	return "rewritten", nil
}

// markerWords are the different values of one metadata key, sorted.
func markerWords(markers []Marker, key string) []string {
	seen := map[string]bool{}
	var out []string
	for _, m := range markers {
		word := ""
		for _, x := range m.Metadata {
			if x.Key == key {
				word = x.Value
			}
		}
		if word != "" && !seen[word] {
			seen[word] = true
			out = append(out, word)
		}
	}
	sort.Strings(out)
	return out
}

// markersOf reads back the markers that a template passes around as tuples.
func markersOf(v Value) ([]Marker, bool) {
	if n, ok := length(v); ok && n == 0 {
		return nil, true // whatever has no items has no markers
	}
	if v.kind != kindList && v.kind != kindTuple {
		return nil, false
	}
	var out []Marker
	for _, item := range v.list() {
		fields := item.list()
		if len(fields) < 6 {
			return nil, false
		}
		m := Marker{}
		for _, pair := range fields[3].list() {
			if kv := pair.list(); len(kv) == 2 {
				m.Metadata = append(m.Metadata, Extra{kv[0].s, kv[1].s})
			}
		}
		if d := fields[4].list(); len(d) == 2 {
			m.Unix, m.Offset = d[0].float(), int(d[1].n)
		}
		out = append(out, m)
	}
	return out, true
}

func obsfateWords(name, key, item, message string) func(*scope, *callArgs) (Value, error) {
	return func(s *scope, args *callArgs) (Value, error) {
		if len(args.pos) != 1 {
			return Value{}, parseErrorf("%s expects one argument", name)
		}
		v, err := evalPlain(s, args.pos[0])
		if err != nil {
			return Value{}, err
		}
		markers, ok := markersOf(v)
		if !ok {
			return Value{}, parseErrorf("%s", message)
		}
		var values []Value
		for _, word := range markerWords(markers, key) {
			if key == "user" {
				word = s.e.opts.Encoding.Local(word)
			}
			values = append(values, Bytes(word))
		}
		return wrap(newList(item, values)), nil
	}
}

func obsfateDate(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 1 {
		return Value{}, parseErrorf("obsfatedate expects one argument")
	}
	v, err := evalPlain(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	markers, ok := markersOf(v)
	if !ok {
		return Value{}, parseErrorf("obsfatedate first argument should be an iterable")
	}
	var values []Value
	for _, m := range markers {
		values = append(values, PlainTuple([]Value{Float(m.Unix), Int(int64(m.Offset))}))
	}
	h := newList("date", values)
	h.format = func(w *bytes.Buffer, s *scope, v Value) error {
		d := v.list()
		return writeValue(w, s, Date(int64(d[0].float()), int(d[1].n)))
	}
	return wrap(h), nil
}

func obsfateVerb(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("obsfateverb expects two arguments")
	}
	v, err := evalPlain(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	second, err := evalPlain(s, args.pos[1])
	if err != nil {
		return Value{}, err
	}
	n, ok := length(v)
	if v.kind == kindNone || (v.kind == kindInt || v.kind == kindBool) && v.n == 0 && v.x == nil {
		ok = true // false is as good as empty
	}
	if !ok {
		return Value{}, parseErrorf("obsfateverb first argument should be countable")
	}
	markers, known := markersOf(second)
	if s.e.opts.Evolve && n == 1 && !known {
		return Value{}, hgerr.NewUnsupported("obsfateverb of what are no markers")
	}
	verb, err := fateVerb(&s.e.opts, n, markers)
	return Bytes(verb), err
}
