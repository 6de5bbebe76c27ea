// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

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
// Between Look and Leave it holds the directory open, so that what is below it is
// found without the way there.
//
// An Absences with nothing but Dir, and a nil *Absences, remembers nothing. It
// belongs to one goroutine.
type Absences struct {
	Dir     string
	stamp   Stamp
	settled bool
	names   map[string]struct{}
	open    bool
	fd      int       // the directory, while it is open
	once    []Stamped // what StampOnce gave since Look
}

// Look opens and stats the directory: what follows is as of now.
func (a *Absences) Look(now time.Time) { a.LookAt(openDirectory(a.Dir, 0), now) }

// LookAt is Look for a directory that is open already, by its descriptor; -1 for
// one that cannot be opened. It is closed by Leave.
func (a *Absences) LookAt(fd int, now time.Time) {
	a.Leave()
	a.once = a.once[:0]
	var stat unix.Stat_t
	var st Stamp
	if a.open, a.fd = fd >= 0, fd; a.open && unix.Fstat(fd, &stat) == nil {
		st = stampOfStat(&stat)
	}
	if !st.Exists || st != a.stamp {
		clear(a.names)
	}
	a.stamp = st
	changed := max(st.MtimeNs, st.CtimeNs)
	a.settled = st.Exists && now.UnixNano()-changed > int64(settledAfter)
}

// Leave closes the directory. What was found out about it stays.
func (a *Absences) Leave() {
	if a != nil && a.open {
		unix.Close(a.fd)
		a.open = false
	}
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

// holds tells whether path is a name in the directory.
func (a *Absences) holds(path string) bool {
	return a.above(path) && strings.IndexByte(path[len(a.Dir)+1:], '/') < 0
}

// StampOf is the function of that name, but for what is known to be missing.
func (a *Absences) StampOf(path string) (Stamp, error) {
	if a.Lacks(path) {
		return Stamp{}, nil
	}
	st, err := a.stampOf(path)
	if err == nil && !st.Exists {
		a.Note(path)
	}
	return st, err
}

func (a *Absences) stampOf(path string) (Stamp, error) {
	if a != nil && a.open && a.above(path) {
		return stampAt(a.fd, path[len(a.Dir)+1:], path)
	}
	return StampOf(path)
}

// StampOnce is StampOf for a file that several parts of a command depend on: they
// get the stamp that it had when the first of them asked.
func (a *Absences) StampOnce(path string) (Stamp, error) {
	if a == nil || !a.open || !a.above(path) {
		return a.StampOf(path)
	}
	for i := range a.once {
		if a.once[i].Path == path {
			return a.once[i].Stamp, nil
		}
	}
	st, err := a.StampOf(path)
	if err == nil {
		a.once = append(a.once, Stamped{path, st})
	}
	return st, err
}

// above tells whether path is below the directory.
func (a *Absences) above(path string) bool {
	n := len(a.Dir)
	return len(path) > n+1 && path[n] == '/' && path[:n] == a.Dir && path[n+1] != '/'
}
