// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/store"
)

// input is a file or directory that loading looked at, with what it was then.
type input struct {
	path    string
	machine bool     // the machine's, not the user's or the repository's
	id      identity // the zero identity when there was none
}

// machineInterval is how long the machine's configuration (what hg's package and
// the administrator installed) is taken to be as it was.
const machineInterval = time.Second

// identity changes whenever the content of a file does. That of a device, which
// has no content of its own, is without its times.
type identity struct {
	store.Stamp
	device bool
}

func identityOf(st *unix.Stat_t) identity {
	id := identity{Stamp: store.Stamp{Exists: true, Dev: uint64(st.Dev), Ino: st.Ino}}
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFREG || kind == unix.S_IFDIR {
		id.Size, id.MtimeNs, id.CtimeNs = st.Size, unix.TimespecToNsec(st.Mtim), unix.TimespecToNsec(st.Ctim)
	} else {
		id.device = true
	}
	return id
}

// is tells whether a file that has the stamp st now is what it was.
func (id identity) is(st store.Stamp) bool {
	if id.device {
		return st.Exists && st.Dev == id.Dev && st.Ino == id.Ino
	}
	return st == id.Stamp
}

func (c *Config) addInput(path string) {
	var st unix.Stat_t
	var id identity
	if unix.Stat(path, &st) == nil {
		id = identityOf(&st)
	}
	c.inputs = append(c.inputs, input{path, c.machine, id})
}

// addOpenInput records a file by what was opened, not by what has its name now.
func (c *Config) addOpenInput(path string, f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	c.inputs = append(c.inputs, input{path, c.machine, identityOf(&st)})
	return nil
}

// Inputs lists every file that was looked at, whether it exists or not, and
// every directory that was listed. Names are absolute; each stands once.
func (c *Config) Inputs() []string {
	seen := map[string]bool{}
	var list []string
	for _, in := range c.inputs {
		if !seen[in.path] {
			seen[in.path] = true
			list = append(list, in.path)
		}
	}
	return list
}

// Fresh stats every input and tells whether all are what they were when they
// were read, so that loading again (with the same Sources) would give the same.
// The files of the machine are asked about once in a while: a change there is
// noticed within a second. dot is the repository's .hg, or nil.
func (c *Config) Fresh(now time.Time, dot *store.Absences) bool {
	machine := c.looked.IsZero() || now.Sub(c.looked) >= machineInterval || now.Before(c.looked)
	for i := range c.inputs {
		in := &c.inputs[i]
		if in.machine && !machine {
			continue
		}
		// What cannot be looked at is like nothing.
		if st, _ := dot.StampOnce(in.path); !in.id.is(st) {
			return false
		}
	}
	if machine {
		c.looked = now
	}
	return true
}
