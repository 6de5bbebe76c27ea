// SPDX-License-Identifier: GPL-2.0-or-later

// Package mq reads the queue of patches that the extension mq keeps in .hg. It
// changes nothing, and what mq would warn of it refuses as Unsupported.
//
// Three text files in .hg/patches (or in patches-NAME, when .hg/patches.queue holds
// NAME) say what there is; each may be missing (hgext/mq.py):
//
//	status  the patches that are applied, bottom first, a line each: the forty
//	        digits of the changeset, a colon, the name
//	series  all patches, in order: a name a line; "#" begins a comment, in which
//	        " #+guard" and " #-guard" let the patch be pushed, or not
//	guards  the guards that are on, separated by blanks
//
// The patches themselves are files beside them.
package mq

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// Applied is a patch that is a changeset now.
type Applied struct {
	Node node.ID
	Name string
}

// Patch is one of the series.
type Patch struct {
	Name   string
	Guards []string // with their signs
}

// Queue is what Read finds.
type Queue struct {
	Dir     string // where the patches are
	Applied []Applied
	Series  []Patch

	Active []string // the guards that are on
}

// Read reads the active queue of the repository with this .hg. Without one it is
// empty.
func Read(dotHg string) (*Queue, error) {
	name, _, err := store.ReadFile(filepath.Join(dotHg, "patches.queue"))
	if err != nil {
		return nil, fmt.Errorf("read patches.queue: %w", err)
	}
	q := &Queue{Dir: filepath.Join(dotHg, "patches")}
	if name := strings.TrimRight(string(name), " \t\r\n\v\f"); name != "" {
		q.Dir += "-" + name
	}
	var texts [3][]byte
	for i, file := range []string{"status", "series", "guards"} {
		if texts[i], _, err = store.ReadFile(filepath.Join(q.Dir, file)); err != nil {
			return nil, fmt.Errorf("read mq's %s: %w", file, err)
		}
	}
	return q, q.parse(string(texts[0]), string(texts[1]), string(texts[2]))
}

// guard finds guards in a comment.
var guard = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\s?#([-+][^-+# \t\r\n\f][^# \t\r\n\f]*)`) })

func (q *Queue) parse(status, series, guards string) error {
	for _, line := range lines(status) {
		digits, name, ok := strings.Cut(line, ":")
		id, valid := node.FromHex(digits)
		switch {
		case !ok && strings.TrimSpace(line) == "":
		case !ok || !valid:
			return hgerr.NewUnsupported("an odd line in mq's status")
		default:
			q.Applied = append(q.Applied, Applied{id, name})
		}
	}
	seen := map[string]bool{}
	for _, line := range lines(series) {
		name, comment := line, ""
		if i := strings.IndexByte(line, '#'); i >= 0 {
			name, comment = line[:i], line[i:]
		}
		if name = strings.Trim(name, " \t\v\f"); name == "" {
			continue
		}
		if seen[name] {
			return hgerr.NewUnsupported("a patch that is twice in mq's series")
		}
		seen[name] = true
		p := Patch{Name: name}
		for _, m := range guard().FindAllStringSubmatch(comment, -1) {
			p.Guards = append(p.Guards, m[1])
		}
		q.Series = append(q.Series, p)
	}
	for _, g := range strings.Fields(guards) {
		if strings.ContainsAny(g[:1], "-+") || strings.Contains(g, "#") {
			return hgerr.NewUnsupported("an odd guard of mq")
		}
		q.Active = append(q.Active, g)
	}
	return nil
}

// lines are those of a text that have something in them.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Guarded tells whether any patch has guards.
func (q *Queue) Guarded() bool {
	return slices.ContainsFunc(q.Series, func(p Patch) bool { return len(p.Guards) > 0 })
}

// Index is the place of a patch in the series, -1 without it.
func (q *Queue) Index(name string) int {
	return slices.IndexFunc(q.Series, func(p Patch) bool { return p.Name == name })
}

// Pushable tells whether the guards let patch i of the series be applied.
func (q *Queue) Pushable(i int) bool {
	positive := false
	for _, g := range q.Series[i].Guards {
		on := slices.Contains(q.Active, g[1:])
		if on && g[0] == '-' {
			return false
		}
		positive = positive || g[0] == '+'
	}
	return !positive || slices.ContainsFunc(q.Series[i].Guards, func(g string) bool {
		return g[0] == '+' && slices.Contains(q.Active, g[1:])
	})
}

// End is the index of the first patch past the last one that is applied.
func (q *Queue) End() int {
	if len(q.Applied) == 0 {
		return 0
	}
	return q.Index(q.Applied[len(q.Applied)-1].Name) + 1
}

// Next is the index of the patch that would be pushed next, the length of the
// series without one.
func (q *Queue) Next() int {
	if len(q.Applied) > 0 && q.End() == 0 {
		return 0 // the topmost is not in the series
	}
	for i := q.End(); i < len(q.Series); i++ {
		if q.Pushable(i) {
			return i
		}
	}
	return len(q.Series)
}

// Unapplied counts the patches that may still be pushed.
func (q *Queue) Unapplied() int {
	n := 0
	for i := q.Next(); i < len(q.Series); i++ {
		if q.Pushable(i) {
			n++
		}
	}
	return n
}
