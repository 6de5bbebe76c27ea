// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/subrepo"
)

// keptSubrepos are the subrepositories that the last changesets asked about have:
// most changesets have those of their parents.
type keptSubrepos map[[2]node.ID][]subrepo.State

// maxKeptSubrepos bounds keptSubrepos.
const maxKeptSubrepos = 256

// Subrepos are the subrepositories of a changeset or of the working directory,
// by path.
func (v *View) Subrepos(rev node.Rev) ([]subrepo.State, error) {
	o := subrepo.Options{Mapped: len(v.Config.Items("subpaths")) > 0, Shown: v.PathTo}
	if rev == node.WdirRev {
		return v.workingSubrepos(o)
	}
	if !v.hadSubrepos() {
		return nil, nil
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return nil, err
	}
	spec, known, err := m.Lookup(subrepo.SpecFile)
	if err != nil {
		return nil, err
	}
	state, recorded, err := m.Lookup(subrepo.StateFile)
	if err != nil || !known && !recorded {
		return nil, err
	}
	key := [2]node.ID{spec.Node, state.Node}
	if list, ok := v.subrepos[key]; ok {
		return list, nil
	}
	included := false
	list, err := subrepo.Read(func(path string) ([]byte, bool, error) {
		included = included || path != subrepo.SpecFile && path != subrepo.StateFile
		return Revsets{View: v}.FileText(rev, path)
	}, o)
	if err != nil || included {
		return list, err
	}
	if v.subrepos == nil || len(v.subrepos) >= maxKeptSubrepos {
		v.subrepos = keptSubrepos{}
	}
	v.subrepos[key] = list
	return list, nil
}

// hadSubrepos tells whether any changeset can have subrepositories: most stores
// have never seen the files that name them, and no manifest needs to be read.
func (v *View) hadSubrepos() bool {
	if v.subrepoFiles == 0 {
		v.subrepoFiles = -1
		for _, name := range []string{subrepo.SpecFile, subrepo.StateFile} {
			if _, err := os.Stat(filepath.Join(v.Store().Path(), v.Store().FilelogPath(name))); !errors.Is(err, fs.ErrNotExist) {
				v.subrepoFiles = 1
			}
		}
	}
	return v.subrepoFiles > 0
}

// workingSubrepos are those of the working directory.
func (v *View) workingSubrepos(o subrepo.Options) ([]subrepo.State, error) {
	d, err := v.Dirstate()
	if err != nil {
		return nil, err
	}
	auditor := match.Auditor{Root: v.Layout.Root}
	return subrepo.Read(func(path string) ([]byte, bool, error) {
		if e, ok := d.Lookup(path); !ok || !e.Item.Tracked() {
			return nil, false, nil
		}
		if len(v.Config.Items("encode")) > 0 {
			return nil, false, hgerr.NewUnsupported("[encode] filters")
		}
		full := filepath.Join(v.Layout.Root, path)
		fi, err := os.Lstat(full)
		if errors.Is(err, fs.ErrNotExist) && path == subrepo.StateFile {
			return nil, false, nil
		}
		if err != nil || !fi.Mode().IsRegular() || auditor.Audit(path) != nil {
			return nil, false, hgerr.NewUnsupported("%s of the working directory, which is missing or no file", path)
		}
		data, err := os.ReadFile(full)
		return data, err == nil, err
	}, o)
}
