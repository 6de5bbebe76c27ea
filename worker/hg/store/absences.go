// SPDX-License-Identifier: GPL-2.0-or-later

package store

import "time"

// settledAfter is how old a directory's last change must be before its times
// are believed to show the next one: file systems keep time in steps of up to
// two seconds.
const settledAfter = 3 * time.Second

// Absences remembers which files a directory lacks, so that a command need not
// ask for each of them. Whoever makes, renames or removes a file in a directory
// changes the directory's times: one stat of it answers for every name that was
// missing before. What exists is not remembered, since a file may be rewritten
// without its directory noticing.
//
// The zero value, and a nil *Absences, remembers nothing. It belongs to one
// goroutine.
type Absences struct {
	Dir     string
	stamp   Stamp
	settled bool
	names   map[string]struct{}
}

// Look stats the directory: what follows is as of now.
func (a *Absences) Look(now time.Time) {
	st, err := StampOf(a.Dir)
	if err != nil || st != a.stamp {
		clear(a.names)
	}
	a.stamp = st
	changed := max(st.MtimeNs, st.CtimeNs)
	a.settled = err == nil && st.Exists && now.UnixNano()-changed > int64(settledAfter)
}

// Lacks tells whether path, a name in the directory, is known to be missing.
func (a *Absences) Lacks(path string) bool {
	if a == nil || !a.settled {
		return false
	}
	_, known := a.names[path]
	return known
}

// Note is told that path was missing when it was asked for after Look.
func (a *Absences) Note(path string) {
	if a == nil || !a.settled || !a.holds(path) {
		return
	}
	if a.names == nil {
		a.names = map[string]struct{}{}
	}
	a.names[path] = struct{}{}
}

func (a *Absences) holds(path string) bool {
	n := len(a.Dir)
	if len(path) < n+2 || path[:n] != a.Dir || path[n] != '/' {
		return false
	}
	for i := n + 1; i < len(path); i++ {
		if path[i] == '/' {
			return false
		}
	}
	return true
}

// StampOf is the function of that name, but for what is known to be missing.
func (a *Absences) StampOf(path string) (Stamp, error) {
	if a.Lacks(path) {
		return Stamp{}, nil
	}
	st, err := StampOf(path)
	if err == nil && !st.Exists {
		a.Note(path)
	}
	return st, err
}
