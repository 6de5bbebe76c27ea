// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"maps"
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// textMatch makes predicates that search one column, without case: "author",
// "desc".
func textMatch(name string, column func(Repo, node.Rev) (string, error)) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		text, err := getString(x, name+" requires a string")
		if err != nil {
			return nil, err
		}
		p, err := ev.substring(text)
		if err != nil {
			return nil, err
		}
		may := ev.textsWith(p.within)
		return ev.filter(subset, func(r node.Rev) (bool, error) {
			if may, _ := may(r); !may {
				return false, nil
			}
			s, err := column(ev.repo, r)
			return err == nil && p.match(s), err
		}), nil
	}
}

// eachText calls fn with the file names, the user and the description of r
// until it returns true.
func (ev *evaluator) eachText(r node.Rev, fn func(string) bool) (bool, error) {
	files, err := ev.repo.Files(r)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(files, fn) {
		return true, nil
	}
	user, err := ev.repo.User(r)
	if err != nil || fn(user) {
		return err == nil, err
	}
	desc, err := ev.repo.Desc(r)
	return err == nil && fn(desc), err
}

func keyword(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	text, err := getString(x, "keyword requires a string")
	if err != nil {
		return nil, err
	}
	lower := ev.opts.lower(text)
	has, may := ev.containsFold(lower), ev.textsWith(lower)
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		if may, surely := may(r); !may || surely {
			return may, nil
		}
		return ev.eachText(r, has)
	}), nil
}

func grep(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	text, err := getString(x, "grep requires a string")
	if err != nil {
		return nil, err
	}
	re, err := compileRegexp(text, false, ev.fail)
	if err != nil {
		return nil, err
	}
	may := ev.textsWith(plainRegexp(text))
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		if may, _ := may(r); !may {
			return false, nil
		}
		return ev.eachText(r, re.match)
	}), nil
}

// plainRegexp is a regular expression that is nothing but a text in ASCII, in
// lower case; "" for any other.
func plainRegexp(text string) string {
	b := []byte(text)
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte(" _-/:;,=<>@%'\"!", c) >= 0:
		default:
			return ""
		}
	}
	return string(b)
}

func date(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	text, err := getString(x, "date requires a string")
	if err != nil {
		return nil, err
	}
	location := ev.opts.Location
	if location == nil {
		location = time.UTC
	}
	span, err := dates.Match(text, ev.opts.Now, location)
	if err != nil {
		return nil, err
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		t, _, err := ev.repo.Date(r)
		return err == nil && span.Contains(t), err
	}), nil
}

func extra(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := keyArgs(x, "extra", "label", "value")
	if err != nil {
		return nil, err
	}
	arg, ok := args["label"]
	if !ok {
		return nil, parseErrorf("extra takes at least 1 argument")
	}
	label, err := getString(arg, "first argument to extra must be a string")
	if err != nil {
		return nil, err
	}
	match := everyName
	if v, ok := args["value"]; ok {
		text, err := getString(v, "second argument to extra must be a string")
		if err != nil {
			return nil, err
		}
		p, err := ev.pattern(text, true)
		if err != nil {
			return nil, err
		}
		match = p.match
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		m, err := ev.repo.Extra(r)
		if err != nil {
			return false, err
		}
		v, ok := m[label]
		return ok && match(v), nil
	}), nil
}

func converted(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "converted takes one or no arguments")
	if err != nil {
		return nil, err
	}
	prefix := ""
	if len(args) > 0 {
		if prefix, err = getString(args[0], "converted requires a revision"); err != nil {
			return nil, err
		}
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		m, err := ev.repo.Extra(r)
		if err != nil {
			return false, err
		}
		v, ok := m["convert_revision"]
		return ok && strings.HasPrefix(v, prefix), nil
	}), nil
}

func closed(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "closed"); err != nil {
		return nil, err
	}
	return ev.quickFilter(subset, func(r node.Rev) bool {
		_, closes := ev.repo.Branch(r)
		return closes
	}), nil
}

func bundle(*evaluator, smartset, *Tree, order) (smartset, error) {
	return nil, hgerr.Abortf(hgerr.Other, "no bundle provided - specify with -R")
}

// matchFields are the fields of matching(), the cheapest first.
var matchFields = []string{"phase", "parents", "user", "date", "branch", "summary", "files", "description", "substate", "diff"}

// matching selects what agrees with any revision of a set in all the fields.
func matching(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 2, "matching takes 1 or 2 arguments")
	if err != nil {
		return nil, err
	}
	s, err := ev.getAll(args[0])
	if err != nil {
		return nil, err
	}
	names := []string{"metadata"}
	if len(args) > 1 {
		text, err := getString(args[1], "matching requires a string as its second argument")
		if err != nil {
			return nil, err
		}
		names = fields(text)
	}
	wanted := map[string]bool{}
	var unknown []string
	for _, n := range names {
		switch {
		case n == "metadata":
			wanted["user"], wanted["description"], wanted["date"] = true, true, true
		case n == "author":
			wanted["user"] = true
		case slices.Contains(matchFields, n):
			wanted[n] = true
		case !slices.Contains(unknown, n):
			unknown = append(unknown, n)
		}
	}
	switch {
	case len(unknown) == 1:
		return nil, parseErrorf("unexpected field name passed to matching: %s", unknown[0])
	case len(unknown) > 1:
		return nil, hgerr.NewUnsupported("matching() with several unknown fields") // hg names a random one
	case wanted["diff"]:
		return nil, hgerr.NewUnsupported("matching() of diff")
	}
	if wanted["description"] {
		delete(wanted, "summary")
	}
	var list []string
	for _, f := range matchFields {
		if wanted[f] {
			list = append(list, f)
		}
	}
	targets := map[string]bool{}
	it := s.iter()
	for r, ok := it(); ok && !ev.stopped(); r, ok = it() {
		key, err := ev.matchKey(r, list)
		if err != nil {
			return nil, err
		}
		targets[key] = true
	}
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		if len(targets) == 0 {
			return false, nil
		}
		key, err := ev.matchKey(r, list)
		return targets[key], err
	}), nil
}

// matchKey packs the fields of r into one comparable string.
func (ev *evaluator) matchKey(r node.Rev, fields []string) (string, error) {
	var b strings.Builder
	put := func(s string) { b.WriteString(python.Repr(s)) }
	for _, f := range fields {
		var s string
		var err error
		switch f {
		case "phase":
			put(node.Rev(ev.repo.Phase(r)).String())
		case "parents":
			p1, p2 := ev.parents(r)
			put(p1.String() + " " + p2.String())
		case "user":
			s, err = ev.repo.User(r)
			put(s)
		case "date":
			t, zone, e := ev.repo.Date(r)
			err = e
			put(node.Rev(zone).String() + " " + node.Rev(t>>32).String() + " " + node.Rev(int32(t)).String())
		case "branch":
			s, _ = ev.repo.Branch(r)
			put(s)
		case "summary", "description":
			if s, err = ev.repo.Desc(r); err == nil && f == "summary" {
				if s == "" {
					return "", hgerr.NewUnsupported("matching() of the summary of an empty description")
				}
				if i := strings.IndexAny(s, "\n\r"); i >= 0 {
					s = s[:i]
				}
			}
			put(s)
		case "substate":
			states, ok := ev.repo.(Subrepos)
			if !ok {
				return "", hgerr.NewUnsupported("matching() of substate")
			}
			state, err := states.Substate(r)
			if err != nil {
				return "", err
			}
			for _, path := range slices.Sorted(maps.Keys(state)) {
				put(path)
				put(state[path])
			}
			b.WriteByte(';')
		case "files":
			list, e := ev.repo.Files(r)
			err = e
			for _, name := range list {
				put(name)
			}
			b.WriteByte(';')
		}
		if err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
