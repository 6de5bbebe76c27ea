// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// input is a file or directory that loading looked at, with what it was then.
type input struct {
	path    string
	exists  bool
	machine bool // the machine's, not the user's or the repository's
	id      identity
}

// machineInterval is how long the machine's configuration (what hg's package and
// the administrator installed) is taken to be as it was.
const machineInterval = time.Second

// Absences knows that some files are missing, without a look at the disk.
type Absences interface {
	Lacks(path string) bool
	Note(path string) // path is missing
}

// identity changes whenever the content of a file does.
type identity struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

func stamp(path string) (identity, bool) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return identity{}, false
	}
	return identityOf(&st), true
}

func identityOf(st *unix.Stat_t) identity {
	id := identity{dev: uint64(st.Dev), ino: st.Ino}
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFREG || kind == unix.S_IFDIR {
		// A device has no content of its own; its times mean nothing.
		id.size, id.mtime, id.ctime = st.Size, st.Mtim, st.Ctim
	}
	return id
}

func (c *Config) addInput(path string) {
	id, ok := stamp(path)
	c.inputs = append(c.inputs, input{path, ok, c.machine, id})
}

// addOpenInput records a file by what was opened, not by what has its name now.
func (c *Config) addOpenInput(path string, f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	c.inputs = append(c.inputs, input{path, true, c.machine, identityOf(&st)})
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
// noticed within a second. absent may be nil.
func (c *Config) Fresh(now time.Time, absent Absences) bool {
	machine := c.looked.IsZero() || now.Sub(c.looked) >= machineInterval || now.Before(c.looked)
	for _, in := range c.inputs {
		if in.machine && !machine || !in.exists && absent != nil && absent.Lacks(in.path) {
			continue
		}
		id, ok := stamp(in.path)
		if ok != in.exists || id != in.id {
			return false
		}
		if !ok && absent != nil {
			absent.Note(in.path)
		}
	}
	if machine {
		c.looked = now
	}
	return true
}
