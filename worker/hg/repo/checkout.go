// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"hgbroker/worker/hg/bookmarks"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
)

// checkout is what the small files of .hg say about the working directory. Each
// command stats every one of them, and reads those that are not what they were.
type checkout struct {
	parents kept[dirstateHead]
	branch  kept[string] // in UTF-8
	active  kept[string] // bookmark, whether it exists or not
	marks   kept[[]byte] // bookmarks of a share's own
	tags    kept[[]byte] // localtags
	merge   kept[*mergestate.State]

	stored   storedMarks
	worktree worktree
}

// kept is what was made of one or two files, and the stamps that they had.
type kept[T any] struct {
	known  bool
	stamps [2]store.Stamp
	value  T
}

// read returns what load makes of the files, from memory if they still have the
// stamps that they had when it was called. A missing file has a stamp, too.
func (k *kept[T]) read(absent *store.Absences, load func() (T, error), paths ...string) (T, error) {
	var now, after [2]store.Stamp
	if err := stampAll(absent, paths, &now); err != nil {
		return k.value, err
	}
	if k.known && k.stamps == now {
		return k.value, nil
	}
	k.known = false
	value, err := load()
	if err != nil {
		return value, err
	}
	if err := stampAll(nil, paths, &after); err != nil {
		return value, err
	}
	*k = kept[T]{known: now == after, stamps: now, value: value}
	return value, nil
}

func stampAll(absent *store.Absences, paths []string, into *[2]store.Stamp) error {
	for i, p := range paths {
		var err error
		if into[i], err = absent.StampOf(p); err != nil {
			return err
		}
	}
	return nil
}

// storedMarks are the bookmarks beside the store, as a snapshot has them.
type storedMarks struct {
	of       *snapshot.Snapshot // what they were taken from
	list     []bookmarks.Bookmark
	warnings []string
	byRev    *byRev[Bookmark]   // nil before it is needed
	byName   []Bookmark         // nil before it is needed
	encoding *encoding.Encoding // of the names in byRev and byName
}

// generationFiles are the files of .hg that a generation depends on.
var generationFiles = [...]string{"dirstate", "branch", "bookmarks.current", "localtags"}

// generation is a name that was made of stamps.
type generation struct {
	store    snapshot.Stamps
	checkout [len(generationFiles)]store.Stamp
	name     string
}

// Generation names the state of the store and of the checkout: equal strings,
// equal state. After a command that looked at both it is the state that the
// command saw.
func (r *Repo) Generation() string {
	var g generation
	if r.viewed && r.snap != nil {
		g.store = r.snap.Stamps()
		g.checkout = [...]store.Stamp{r.checkout.parents.stamps[0], r.checkout.branch.stamps[0],
			r.checkout.active.stamps[0], r.checkout.tags.stamps[0]}
	} else {
		// What cannot be asked about is like nothing.
		for i, path := range r.inputs {
			g.store[i], _ = r.Absent.StampOf(path)
		}
		for i, path := range r.states {
			g.checkout[i], _ = r.Absent.StampOf(path)
		}
	}
	if g.name = r.generation.name; g != r.generation {
		g.name = g.hash()
		r.generation = g
	}
	return g.name
}

func (g *generation) hash() string {
	var b []byte
	for _, list := range [][]store.Stamp{g.store[:], g.checkout[:]} {
		for _, st := range list {
			for _, n := range [...]uint64{st.Dev, st.Ino, uint64(st.Size), uint64(st.MtimeNs), uint64(st.CtimeNs)} {
				b = binary.LittleEndian.AppendUint64(b, n)
			}
		}
	}
	h := fnv.New64a()
	h.Write(b)
	return fmt.Sprintf("%016x", h.Sum64())
}
