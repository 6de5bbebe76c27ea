// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"container/heap"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// latestTag tells of the nearest tagged ancestor: the date of that changeset,
// the longest path to it, and its tags.
type latestTag struct {
	date     int64
	distance int
	tags     []Text
}

func sameTags(a, b []Text) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Local != b[i].Local {
			return false
		}
	}
	return true
}

// latestTagOf walks down from a revision until every path has met a tag, and
// remembers what it learned for the next revision. Of two parents that disagree,
// the one whose tag leaves fewer changesets out wins, then the younger one.
func (e *Engine) latestTagOf(start node.Rev, pattern string, match func(string) bool) (latestTag, error) {
	known := e.latest[pattern]
	if known == nil {
		known = map[node.Rev]latestTag{node.NullRev: {tags: []Text{PlainText("null")}}}
		e.latest[pattern] = known
	}
	todo := []node.Rev{start}
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, done := known[r]; done {
			continue
		}
		ctx, err := e.changectx(r)
		if err != nil {
			return latestTag{}, err
		}
		var found []Text
		for _, t := range ctx.Tags() {
			if e.repo.GlobalTag(t.Local) && match(t.Local) {
				found = append(found, t)
			}
		}
		if len(found) > 0 {
			sort.Slice(found, func(i, j int) bool { return found[i].Local < found[j].Local })
			unix, _ := ctx.Date()
			known[r] = latestTag{date: unix, tags: found}
			continue
		}
		if err := ctx.Err(); err != nil {
			return latestTag{}, err
		}
		p1, p2 := ctx.Parents()
		first, ok1 := known[p1]
		second, ok2 := known[p2]
		if !ok1 || p2 != node.NullRev && !ok2 {
			todo = append(todo, r, p1)
			if p2 != node.NullRev {
				todo = append(todo, p2)
			}
			continue
		}
		best := first
		if p2 != node.NullRev {
			if best, err = e.betterTag(r, p1, p2, first, second); err != nil {
				return latestTag{}, err
			}
		}
		best.distance++
		known[r] = best
	}
	return known[start], nil
}

func (e *Engine) betterTag(r, p1, p2 node.Rev, a, b latestTag) (latestTag, error) {
	if sameTags(a.tags, b.tags) {
		if b.date > a.date || b.date == a.date && b.distance > a.distance {
			return b, nil
		}
		return a, nil
	}
	heads := []node.Rev{r}
	if r == node.WdirRev {
		heads = []node.Rev{p1, p2}
	}
	na, err := e.changesSince(heads, a.tags[0].Local)
	if err != nil {
		return a, err
	}
	nb, err := e.changesSince(heads, b.tags[0].Local)
	if err != nil {
		return a, err
	}
	if nb < na || nb == na && b.date > a.date {
		return b, nil
	}
	return a, nil
}

// changesSince counts the ancestors of heads that are not ancestors of the tag:
// len(only(heads, tag)).
func (e *Engine) changesSince(heads []node.Rev, tag string) (int, error) {
	stop, ok := e.repo.Symbol(tag)
	if !ok {
		a := hgerr.Abortf(hgerr.UnknownRevision, "unknown revision '%s'", tag)
		return 0, a
	}
	// Walk from the highest revision down; a revision reached from the tag is
	// not counted, nor are its ancestors.
	excluded := map[node.Rev]bool{}
	queue := &node.Heap{}
	push := func(r node.Rev, out bool) {
		if r == node.NullRev {
			return
		}
		if was, seen := excluded[r]; !seen {
			heap.Push(queue, r)
			excluded[r] = out
		} else if out && !was {
			excluded[r] = true
		}
	}
	for _, h := range heads {
		push(h, false)
	}
	push(stop, true)
	count := 0
	for queue.Len() > 0 {
		r := heap.Pop(queue).(node.Rev)
		out := excluded[r]
		if !out {
			count++
		}
		ctx, err := e.changectx(r)
		if err != nil {
			return 0, err
		}
		p1, p2 := ctx.Parents()
		push(p1, out)
		push(p2, out)
		// Only excluded ones left: nothing more to count.
		some := false
		for _, q := range *queue {
			if !excluded[q] {
				some = true
				break
			}
		}
		if !some {
			break
		}
	}
	return count, nil
}

func anyTag(string) bool { return true }

func latestTagKeyword(s *scope) (Value, error) { return latestTagList(s, "", anyTag) }

// latestTagList is {latesttag} and latesttag(pattern).
func latestTagList(s *scope, pattern string, match func(string) bool) (Value, error) {
	lt, err := s.e.latestTagOf(s.context().Rev(), pattern, match)
	if err != nil {
		return Value{}, err
	}
	h := compatList("latesttag", "", "", ":", textValues(lt.tags))
	h.bindItem = func(inner *scope, v Value) error {
		inner.bind("changes", Value{kind: kindLazy, x: changesSinceTag})
		inner.bind("distance", Int(int64(lt.distance)))
		inner.bind("latesttag", v)
		inner.bind("tag", v)
		return nil
	}
	h.format = func(w *bytes.Buffer, _ *scope, v Value) error { w.WriteString(v.s); return nil }
	return wrap(h), nil
}

func changesSinceTag(s *scope) (Value, error) {
	if r := s.missing(needRepoCtx); r != "" {
		return Value{}, &unavailable{r}
	}
	tag, _ := s.lookup("tag", 0)
	return countChanges(s, tag.s)
}

func countChanges(s *scope, tag string) (Value, error) {
	ctx := s.context()
	heads := []node.Rev{ctx.Rev()}
	offset := 0
	if ctx.Rev() == node.WdirRev {
		p1, p2 := ctx.Parents()
		heads, offset = []node.Rev{p1, p2}, 1
	}
	n, err := s.e.changesSince(heads, tag)
	if err != nil {
		return Value{}, err
	}
	return Int(int64(n + offset)), nil
}

func latestTagDistance(s *scope) (Value, error) {
	lt, err := s.e.latestTagOf(s.context().Rev(), "", anyTag)
	if err != nil {
		return Value{}, err
	}
	return Int(int64(lt.distance)), nil
}

func changesSinceLatestTag(s *scope) (Value, error) {
	lt, err := s.e.latestTagOf(s.context().Rev(), "", anyTag)
	if err != nil {
		return Value{}, err
	}
	return countChanges(s, lt.tags[0].Local)
}

// latestTagFunc is latesttag([pattern]). Patterns are literal or "re:".
func latestTagFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) > 1 {
		return Value{}, parseErrorf("latesttag expects at most one argument")
	}
	if r := s.missing(needRepoCtx); r != "" {
		return Value{}, &unavailable{r}
	}
	if len(args.pos) == 0 {
		return latestTagList(s, "", anyTag)
	}
	pattern, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	if re, ok := strings.CutPrefix(pattern, "re:"); ok {
		rx, err := compilePython(re)
		if err != nil {
			return Value{}, err
		}
		var failed error
		list, err := latestTagList(s, "-"+pattern, func(tag string) bool {
			found, err := rx.search(tag)
			if err != nil {
				failed = err
			}
			return found != nil
		})
		if failed != nil {
			return Value{}, failed
		}
		return list, err
	}
	name := strings.TrimPrefix(pattern, "literal:")
	return latestTagList(s, "-"+pattern, func(tag string) bool { return tag == name })
}

// checkLatestTag refuses patterns that are not known before rendering.
func checkLatestTag(e *Engine, args *callArgs) error {
	if len(args.pos) != 1 {
		return nil
	}
	pattern, ok := constantText(args.pos[0])
	if !ok {
		return hgerr.NewUnsupported("template function latesttag with a computed pattern")
	}
	if re, ok := strings.CutPrefix(pattern, "re:"); ok {
		if _, err := compilePython(re); err != nil {
			return hgerr.NewUnsupported("template function latesttag: %v", err) // hg repeats Python's words
		}
	}
	return nil
}

// constantText is the text of an expression that is a plain string.
func constantText(x expr) (string, bool) {
	if c, ok := x.(constant); ok && c.v.kind == kindBytes {
		return c.v.s, true
	}
	return "", false
}
