// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"cmp"
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// maxSlice bounds counts that are only limits.
const maxSlice = 1 << 30

func limit(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	args, err := keyArgs(x, "limit", "set", "n", "offset")
	if err != nil {
		return nil, err
	}
	set, ok := args["set"]
	if !ok {
		return nil, parseErrorf("limit requires one to three arguments")
	}
	n, err := getIntegerOr(args["n"], "limit expects a number", 1)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, parseErrorf("negative number to select")
	}
	offset, err := getIntegerOr(args["offset"], "limit expects a number", 0)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, parseErrorf("negative offset")
	}
	s, err := ev.getAll(set)
	if err != nil {
		return nil, err
	}
	part := s.slice(int(min(offset, maxSlice)), int(min(offset+n, maxSlice)))
	if o == followOrder && n > 1 {
		return intersect(subset, part), nil
	}
	return intersect(part, subset), nil
}

func last(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	args, err := getArgs(x, 1, 2, "last requires one or two arguments")
	if err != nil {
		return nil, err
	}
	n := int64(1)
	if len(args) == 2 {
		if n, err = getInteger(args[1], "last expects a number"); err != nil {
			return nil, err
		}
	}
	if n < 0 {
		return nil, parseErrorf("negative number to select")
	}
	s, err := ev.getAll(args[0])
	if err != nil {
		return nil, err
	}
	s.reverse()
	part := s.slice(0, int(min(n, maxSlice)))
	if o == followOrder && n > 1 {
		return intersect(subset, part), nil
	}
	part.reverse()
	return intersect(part, subset), nil
}

func maxOf(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	return ev.extremeOf(subset, x, maximum)
}

func minOf(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	return ev.extremeOf(subset, x, minimum)
}

func (ev *evaluator) extremeOf(subset smartset, x *Tree, pick func(smartset) (node.Rev, bool)) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	if r, ok := pick(s); ok && subset.contains(r) {
		return newListSet([]node.Rev{r}), nil
	}
	return newListSet(nil), nil
}

func reverse(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	s, err := ev.get(subset, x, o)
	if err == nil && o == defineOrder {
		s.reverse()
	}
	return s, err
}

// present turns an unknown revision into no revisions.
func present(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	s, err := ev.get(subset, x, o)
	if err != nil && isLookupError(err) {
		if ev.err != nil && isLookupError(ev.err) {
			ev.err = nil
		}
		return newListSet(nil), nil
	}
	return s, err
}

func asRevset(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	return ev.get(subset, x, o)
}

func expectSize(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	args, err := keyArgs(x, "expectsize", "set", "size")
	if err != nil {
		return nil, err
	}
	set, haveSet := args["set"]
	size, haveSize := args["size"]
	if !haveSet || !haveSize {
		return nil, parseErrorf("invalid set of arguments")
	}
	lo, hi, err := getIntRange(size, "expectsize requires a size range or a positive integer",
		"size range bounds must be integers", 0, int64(ev.repo.Len())+1)
	if err != nil {
		return nil, err
	}
	if lo < 0 || hi < 0 {
		return nil, parseErrorf("negative size")
	}
	if max(lo, hi) >= hugeInt {
		return nil, hgerr.NewUnsupported("expectsize() of a size beyond all")
	}
	s, err := ev.get(ev.all(), set, o)
	if err != nil {
		return nil, err
	}
	switch n := int64(s.len()); {
	case lo != hi && (n < lo || n > hi):
		return nil, lookupErrorf("revset size mismatch. expected between %d and %d, got %d", lo, hi, n)
	case lo == hi && n != lo:
		return nil, lookupErrorf("revset size mismatch. expected %d, got %d", lo, n)
	}
	if o == followOrder {
		return intersect(subset, s), nil
	}
	return intersect(s, subset), nil
}

// sortKey is one key of sort().
type sortKey struct {
	name    string
	reverse bool
}

var sortKeys = []string{"rev", "branch", "desc", "user", "author", "date", "node", "random"}

// sortArgs reads the arguments of sort(); seed is nil when none is given.
func sortArgs(x *Tree) (set *Tree, keys []sortKey, firstBranch *Tree, seed *string, err error) {
	args, err := keyArgs(x, "sort", "set", "keys", "topo.firstbranch", "random.seed")
	if err != nil {
		return nil, nil, nil, nil, err
	}
	set, ok := args["set"]
	if !ok {
		return nil, nil, nil, nil, parseErrorf("sort requires one or two arguments")
	}
	spec := "rev"
	if k, ok := args["keys"]; ok {
		if spec, err = getString(k, "sort spec must be a string"); err != nil {
			return nil, nil, nil, nil, err
		}
	}
	topo, random := false, false
	for _, f := range fields(spec) {
		k := sortKey{name: f}
		if k.name, k.reverse = strings.CutPrefix(f, "-"); k.name != "topo" && !slices.Contains(sortKeys, k.name) {
			return nil, nil, nil, nil, parseErrorf("unknown sort key %s", python.Repr(f))
		}
		topo = topo || k.name == "topo"
		random = random || k.name == "random"
		keys = append(keys, k)
	}
	if topo && len(keys) > 1 {
		return nil, nil, nil, nil, parseErrorf("topo sort order cannot be combined with other sort keys")
	}
	firstBranch, ok = args["topo.firstbranch"]
	if ok && !topo {
		return nil, nil, nil, nil, parseErrorf("topo.firstbranch can only be used when using the topo sort key")
	}
	if ok && firstBranch == nil {
		return nil, nil, nil, nil, parseErrorf("missing argument")
	}
	if arg, ok := args["random.seed"]; ok {
		if !random {
			return nil, nil, nil, nil, parseErrorf("random.seed can only be used when using the random sort key")
		}
		text, err := getString(arg, "random.seed must be a string")
		if err != nil {
			return nil, nil, nil, nil, err
		}
		seed = &text
	}
	return set, keys, firstBranch, seed, nil
}

func sortBy(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	set, keys, firstBranch, seed, err := sortArgs(x)
	if err != nil {
		return nil, err
	}
	s, err := ev.get(subset, set, o)
	if err != nil || len(keys) == 0 || o != defineOrder {
		return s, err
	}
	if len(keys) == 1 && keys[0].name == "rev" {
		s.sort(keys[0].reverse)
		return s, nil
	}
	if keys[0].name == "topo" {
		var first []node.Rev
		if firstBranch != nil {
			f, err := ev.get(subset, firstBranch, defineOrder)
			if err != nil {
				return nil, err
			}
			first = list(f)
		}
		sorted := newListSet(ev.topoSort(s, first))
		sorted.topo = true
		if keys[0].reverse {
			sorted.reverse()
		}
		return sorted, nil
	}
	revs := list(s)
	random := slices.ContainsFunc(keys, func(k sortKey) bool { return k.name == "random" })
	if !random {
		revs, err = ev.sortedBy(revs, keys, "")
		return newListSet(revs), err
	}
	if seed == nil {
		// Any order will do, so the clock decides.
		text := ev.opts.Now.String()
		seed = &text
	}
	// What is drawn depends on the order so far: one key after the other.
	for _, k := range slices.Backward(keys) {
		if revs, err = ev.sortedBy(revs, []sortKey{k}, *seed); err != nil {
			return nil, err
		}
	}
	return newListSet(revs), nil
}

// sortedBy sorts by keys; what is equal in all stays in order.
func (ev *evaluator) sortedBy(revs []node.Rev, keys []sortKey, seed string) ([]node.Rev, error) {
	compare, err := ev.comparator(revs, keys, seed)
	if err != nil {
		return nil, err
	}
	index := make([]int, len(revs))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, compare)
	out := make([]node.Rev, len(revs))
	for i, j := range index {
		out[i] = revs[j]
	}
	return out, nil
}

// comparator compares revisions, by their index in revs, by all keys.
func (ev *evaluator) comparator(revs []node.Rev, keys []sortKey, seed string) (func(i, j int) int, error) {
	var compares []func(i, j int) int
	for _, k := range keys {
		var by func(i, j int) int
		switch k.name {
		case "rev":
			by = func(i, j int) int { return cmp.Compare(revs[i], revs[j]) }
		case "node":
			by = func(i, j int) int {
				a, b := ev.repo.Node(revs[i]), ev.repo.Node(revs[j])
				return slices.Compare(a[:], b[:])
			}
		case "date":
			dates := make([]int64, len(revs))
			for i, r := range revs {
				var err error
				if dates[i], _, err = ev.repo.Date(r); err != nil {
					return nil, err
				}
			}
			by = func(i, j int) int { return cmp.Compare(dates[i], dates[j]) }
		case "branch", "desc", "user", "author":
			values := make([]string, len(revs))
			for i, r := range revs {
				var err error
				switch k.name {
				case "branch":
					values[i], _ = ev.repo.Branch(r)
				case "desc":
					values[i], err = ev.repo.Desc(r)
				default:
					values[i], err = ev.repo.User(r)
				}
				if err != nil {
					return nil, err
				}
			}
			by = func(i, j int) int { return strings.Compare(values[i], values[j]) }
		case "random":
			random := newPythonRandom(seed)
			values := make([]uint32, len(revs))
			for i := range values {
				values[i] = random.pick()
			}
			by = func(i, j int) int { return cmp.Compare(values[i], values[j]) }
		}
		if k.reverse {
			up := by
			by = func(i, j int) int { return up(j, i) }
		}
		compares = append(compares, by)
	}
	return func(i, j int) int {
		for _, by := range compares {
			if c := by(i, j); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}

// The lists that programs make: values separated by NUL.

func stringList(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	if o == followOrder {
		s, err := ev.orderedList(ev.all(), x)
		if err != nil {
			return nil, err
		}
		return intersect(subset, s), nil
	}
	return ev.orderedList(subset, x)
}

func listValues(x *Tree) ([]string, error) {
	s, err := getString(x, "internal error")
	if err != nil || s == "" {
		return nil, err
	}
	return strings.Split(s, "\x00"), nil
}

func (ev *evaluator) orderedList(subset smartset, x *Tree) (smartset, error) {
	values, err := listValues(x)
	if err != nil {
		return nil, err
	}
	var revs []node.Rev
	seen := new(bitset)
	for _, v := range values {
		var r node.Rev
		n, canonical, ok := pyInt(v)
		if ok && canonical == v && n >= 0 && n < int64(ev.repo.Len()) && !ev.repo.Hidden(node.Rev(n)) {
			r = node.Rev(n)
		} else {
			s, err := ev.symbol(subset, v)
			if err != nil {
				return nil, err
			}
			if r, ok = s.first(); !ok {
				continue
			}
		}
		if seen.has(r) {
			continue
		}
		seen.add(r)
		if inSubset(subset, r) {
			revs = append(revs, r)
		}
	}
	return newListSet(revs), nil
}

// revList makes _intlist and _hexlist from a reader of one value.
func revList(read func(ev *evaluator, value string) (node.Rev, error)) operator {
	return func(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
		values, err := listValues(x)
		if err != nil {
			return nil, err
		}
		in := subset
		if o == followOrder {
			in = ev.all()
		}
		var revs []node.Rev
		for _, v := range values {
			r, err := read(ev, v)
			if err != nil {
				return nil, err
			}
			if in.contains(r) {
				revs = append(revs, r)
			}
		}
		// Mercurial would yield a repeated revision twice.
		if s := newSetOf(slices.Clone(revs)); s.len() != len(revs) {
			return nil, hgerr.NewUnsupported("repeated revisions in a list")
		}
		if o == followOrder {
			return intersect(subset, newListSet(revs)), nil
		}
		return newListSet(revs), nil
	}
}

func readInt(_ *evaluator, v string) (node.Rev, error) {
	n, _, ok := pyInt(v)
	if !ok || n < -1 || n > int64(node.WdirRev) {
		return 0, hgerr.NewUnsupported("_intlist of %q", v)
	}
	return node.Rev(n), nil
}

func readHex(ev *evaluator, v string) (node.Rev, error) {
	if id, ok := node.FromHex(v); ok {
		if r, ok := ev.repo.Rev(id); ok && !ev.hidden(r) && r != node.WdirRev {
			return r, nil
		}
	}
	return 0, hgerr.NewUnsupported("_hexlist of %q", v)
}
