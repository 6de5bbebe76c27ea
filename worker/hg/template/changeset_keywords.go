// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Trim strips white space from both forms of a text, as hg does before it prints
// a description.
func (t Text) Trim() Text { return Text{Local: python.Strip(t.Local), UTF8: python.Strip(t.UTF8)} }

func rev(s *scope) (Value, error) { return Int(int64(s.context().Rev())), nil }
func showRev(w *bytes.Buffer, s *scope) error {
	w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(s.context().Rev()), 10))
	return nil
}

func nodeHex(s *scope) (Value, error) { return Bytes(s.context().Node().Hex()), nil }
func showNode(w *bytes.Buffer, s *scope) error {
	id := s.context().Node()
	w.Write(hex.AppendEncode(w.AvailableBuffer(), id[:]))
	return nil
}

func user(s *scope) (Value, error) { return TextValue(s.context().User()), nil }
func showUser(w *bytes.Buffer, s *scope) error {
	w.Write(AppendUser(w.AvailableBuffer(), s.context()))
	return nil
}

func description(s *scope) (Value, error) { return TextValue(s.context().Desc().Trim()), nil }
func showDescription(w *bytes.Buffer, s *scope) error {
	w.Write(AppendDesc(w.AvailableBuffer(), s.context()))
	return nil
}

func commitDate(s *scope) (Value, error) {
	unix, offset := s.context().Date()
	v := Date(unix, offset)
	v.flag = true
	return v, nil
}

func branch(s *scope) (Value, error) { return TextValue(s.context().Branch()), nil }

func phase(s *scope) (Value, error)      { return Bytes(s.context().Phase().String()), nil }
func phaseIndex(s *scope) (Value, error) { return Int(int64(s.context().Phase())), nil }

func obsoleteWord(s *scope) (Value, error) {
	if s.context().Obsolete() {
		return Bytes("obsolete"), nil
	}
	return Bytes(""), nil
}

func instabilities(s *scope) (Value, error) {
	words := s.context().Instabilities()
	values := make([]Value, len(words))
	for i, w := range words {
		values[i] = Bytes(w)
	}
	return wrap(compatList("instability", "instabilities", "", " ", values)), nil
}

func repoRoot(s *scope) (Value, error) { return Bytes(s.e.repo.Root()), nil }

func negativeRev(s *scope) (Value, error) {
	r := s.context().Rev()
	if r == node.WdirRev || r < 0 {
		return Value{}, nil
	}
	return Int(int64(r) - int64(s.e.repo.Len())), nil
}

func verbosity(s *scope) (Value, error) {
	switch o := &s.e.opts; {
	case o.Debug:
		return Bytes("debug"), nil
	case o.Quiet:
		return Bytes("quiet"), nil
	case o.Verbose:
		return Bytes("verbose"), nil
	}
	return Bytes(""), nil
}

func indexOutside(*scope) (Value, error) {
	return Value{}, hgerr.Abortf(hgerr.Other, "can't use index in this context")
}

// FormatNode is a hash as long as the verbosity wants it.
func FormatNode(id node.ID, debug bool) string {
	if debug {
		return id.Hex()
	}
	return id.Short()
}

// ChangeID is "rev:node", scmutil.formatchangeid.
func ChangeID(ctx Changectx, debug bool) string { return changeID(ctx.Rev(), ctx.Node(), debug) }

func changeID(rev node.Rev, id node.ID, debug bool) string {
	return rev.String() + ":" + FormatNode(id, debug)
}

func parentOf(s *scope, which int) node.Rev {
	p1, p2 := s.context().Parents()
	if which == 1 {
		return p2
	}
	return p1
}

const changeIDTemplate = "{rev}:{node|formatnode}"

func parentMapping(s *scope, which int) (Value, error) {
	r := parentOf(s, which)
	return newMapping(changeIDTemplate, func(inner *scope) error { return inner.bindCtx(r) }), nil
}

func parentRev(s *scope, which int) (Value, error) { return Int(int64(parentOf(s, which))), nil }

func parentNode(s *scope, which int) (Value, error) {
	ctx, err := s.e.changectx(parentOf(s, which))
	if err != nil {
		return Value{}, err
	}
	return Bytes(ctx.Node().Hex()), nil
}

// MeaningfulParents are the parents that hg shows: both of a merge, none of a
// changeset that follows its parent, all with --debug.
func MeaningfulParents(ctx Changectx, debug bool) (revs [2]node.Rev, n int) {
	revs[0], revs[1] = ctx.Parents()
	switch {
	case revs[1] != node.NullRev, debug:
		return revs, 2
	case revs[0] >= ctx.Rev()-1:
		return revs, 0
	}
	return revs, 1
}

func parents(s *scope) (Value, error) {
	debug := s.e.opts.Debug
	both, n := MeaningfulParents(s.context(), debug)
	revs := both[:n]
	h := &hybrid{
		numeric: true,
		bindItem: func(inner *scope, v Value) error {
			return inner.bindCtx(node.Rev(v.n))
		},
		format: func(w *bytes.Buffer, s *scope, v Value) error {
			ctx, err := s.e.changectx(node.Rev(v.n))
			if err != nil {
				return err
			}
			w.WriteString(ChangeID(ctx, debug))
			return nil
		},
	}
	for _, r := range revs {
		h.values = append(h.values, Int(int64(r)))
	}
	h.text = func(w *bytes.Buffer, s *scope) error {
		return showList(w, s, "parent", "", len(revs), func(inner *scope, i int) error {
			ctx, err := s.e.changectx(revs[i])
			if err != nil {
				return err
			}
			inner.bind("rev", Int(int64(revs[i])))
			inner.bind("node", Bytes(ctx.Node().Hex()))
			inner.bind("phase", Bytes(ctx.Phase().String()))
			return nil
		}, nil)
	}
	return wrap(h), nil
}

func children(s *scope) (Value, error) {
	var values []Value
	for _, r := range s.context().Children() {
		ctx, err := s.e.changectx(r)
		if err != nil {
			return Value{}, err
		}
		values = append(values, Bytes(ChangeID(ctx, false)))
	}
	return wrap(compatList("children", "", "child", " ", values)), nil
}

func manifest(s *scope) (Value, error) {
	ctx := s.context()
	id, mfrev := ctx.ManifestNode(), ctx.ManifestRev()
	if ctx.Rev() == node.WdirRev {
		id, mfrev = node.Wdir, node.WdirRev
	}
	bind := func(inner *scope) error {
		inner.bind("rev", Int(int64(mfrev)))
		inner.bind("node", Bytes(id.Hex()))
		return nil
	}
	inner := s.overlay()
	if err := bind(inner); err != nil {
		return Value{}, err
	}
	inner.populate()
	f := s.e.fragment("manifest")
	if f == nil {
		return Value{}, hgerr.Abortf(hgerr.Other, `"manifest" not in template map`)
	}
	var w bytes.Buffer
	if err := s.e.process(&w, inner, f); err != nil {
		return Value{}, err
	}
	return wrap(&hybridItem{v: Bytes(w.String()), bind: bind}), nil
}

func extras(s *scope) (Value, error) {
	d := &dict{}
	for _, x := range s.context().Extras() {
		d.set(x.Key, Bytes(x.Value))
	}
	return wrap(keyedList("extra", "extras", d, true)), nil
}

func envvars(s *scope) (Value, error) {
	d := &dict{}
	for _, x := range s.e.opts.Environ {
		d.set(x.Key, Bytes(x.Value))
	}
	return wrap(keyedList("envvar", "envvars", d, false)), nil
}

// keyedList is a dict that map files format entry by entry.
func keyedList(name, plural string, d *dict, escape bool) *hybrid {
	h := newDict(d, "key", "value")
	if escape {
		h.format = func(w *bytes.Buffer, _ *scope, k Value) error {
			v, _ := d.get(k.s)
			w.WriteString(k.s)
			w.WriteByte('=')
			w.Write(python.AppendEscaped(w.AvailableBuffer(), v.s))
			return nil
		}
	} else {
		h.format = func(w *bytes.Buffer, _ *scope, k Value) error {
			v, _ := d.get(k.s)
			w.WriteString(k.s + "=" + v.s)
			return nil
		}
	}
	h.text = func(w *bytes.Buffer, s *scope) error {
		return showList(w, s, name, plural, len(d.keys), func(inner *scope, i int) error {
			inner.bind("key", Bytes(d.keys[i]))
			inner.bind("value", d.vals[i])
			return nil
		}, nil)
	}
	return h
}

func closesBranch(s *scope) (Value, error) {
	return wrap(boolText(s.context().ClosesBranch())), nil
}

// boolText is a boolean that prints as "true" or "false".
type boolText bool

func (b boolText) word() string { return strconv.FormatBool(bool(b)) }
func (b boolText) contains(*scope, Value) (bool, error) {
	return false, parseErrorf("boolean string")
}
func (b boolText) member(s *scope, _ Value) (Value, error) {
	return Value{}, parseErrorf("%s is not a dictionary", b.inError(s))
}

// inError is how hg shows it when it is the wrong kind of thing: the bytes of a
// boolean are, until 7.0, as many zero bytes as it is worth.
func (b boolText) inError(s *scope) string {
	switch {
	case s.e.opts.Version >= Hg72 && bool(b):
		return "'True'"
	case s.e.opts.Version >= Hg72:
		return "'False'"
	case bool(b):
		return `'\x00'`
	}
	return "''"
}
func (b boolText) extreme(*scope, bool) (Value, error) {
	return Value{}, parseErrorf("boolean string")
}
func (b boolText) filter(s *scope, _ func(Value) (bool, error)) (Value, error) {
	return Value{}, parseErrorf("%s is not filterable", b.inError(s))
}
func (b boolText) each(s *scope, _ func(*scope) error) error {
	return parseErrorf("%s is not iterable of mappings", b.inError(s))
}
func (b boolText) join(w *bytes.Buffer, s *scope, sep string) error {
	// hg joins the numbers of the letters.
	j := joiner{sep: sep}
	for _, c := range []byte(b.word()) {
		j.next(w)
		w.WriteString(strconv.Itoa(int(c)))
	}
	return nil
}
func (b boolText) show(w *bytes.Buffer, _ *scope) error { w.WriteString(b.word()); return nil }
func (b boolText) truth(*scope) (bool, error)           { return bool(b), nil }
func (b boolText) value(*scope) (Value, error)          { return Bytes(b.word()), nil }

func graphNode(s *scope) (Value, error) {
	return Bytes(GraphNode(s.e.repo, s.context())), nil
}

// GraphNode is the character of a changeset in a graph.
func GraphNode(repo Repo, ctx Changectx) string {
	if ctx.Rev() != node.WdirRev {
		p1, p2 := repo.WorkingParents()
		if id := ctx.Node(); id == p1 || !p2.IsNull() && id == p2 {
			return "@"
		}
		if local, other, ok := repo.MergeNodes(); ok && (ctx.Node() == local || ctx.Node() == other) {
			return "%"
		}
	}
	switch {
	case ctx.Obsolete():
		return "x"
	case len(ctx.Instabilities()) > 0:
		return "*"
	case ctx.ClosesBranch():
		return "_"
	}
	return "o"
}
