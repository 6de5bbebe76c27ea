// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/store"
)

const (
	// maxFilelogs is how many filelogs stay open from one command to the next.
	maxFilelogs = 16
	// maxFilelogBytes bounds what they hold, in bytes.
	maxFilelogBytes = 2 << 20
)

// filelogs are the histories of files that were asked for last, with the parts of
// their indexes and the text that was read of each: an editor asks for the same
// file at every save. The one used last comes first. Files are closed between
// commands.
type filelogs struct {
	list []*filelog.File
}

// FilelogPart opens the history of a file for a caller who wants few of its
// revisions, and who closes it. It may be one that an earlier command has read,
// if its index is still the same file.
func (v *View) FilelogPart(path string) (*filelog.File, error) {
	k := &v.Repo.filelogs
	if i := slices.IndexFunc(k.list, func(f *filelog.File) bool { return f.Path() == path }); i >= 0 {
		f := k.list[i]
		k.list = slices.Delete(k.list, i, i+1)
		if (store.Stamped{Path: f.Files().IndexPath(), Stamp: f.Stamp()}).Fresh() {
			return f, nil
		}
		f.Discard()
	}
	f, err := filelog.OpenPart(v.store, strings.Clone(path)) // it may belong to the command
	if err != nil || !f.Stamp().Exists {
		return f, err
	}
	f.OnClose(k.keep)
	return f, nil
}

// keep takes back a filelog that a caller is through with.
func (k *filelogs) keep(f *filelog.File) error {
	err := f.Park()
	k.list = slices.Insert(k.list, 0, f)
	held := 0
	for i, f := range k.list {
		if held += f.Held(); i >= maxFilelogs || held > maxFilelogBytes {
			for _, old := range k.list[i:] {
				old.Discard()
			}
			k.list = slices.Delete(k.list, i, len(k.list))
			break
		}
	}
	return err
}

func (k *filelogs) close() {
	for _, f := range k.list {
		f.Discard()
	}
	k.list = nil
}
