// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgurl"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// enter enters the working directory and finds the directory whose .hg counts;
// root is "" without one.
func (d *dispatcher) enter() (root string, err error) {
	cwd := d.r.Dir
	if to := d.early.Text("cwd"); to != "" {
		if !filepath.IsAbs(to) {
			to = filepath.Join(cwd, to)
		}
		fi, err := os.Stat(to)
		if err == nil && !fi.IsDir() {
			err = &fs.PathError{Op: "chdir", Path: to, Err: syscall.ENOTDIR}
		}
		if err != nil {
			// hg reads its configuration before it goes there.
			if d.lost, err = notEntered(d.early.Text("cwd"), err); err != nil {
				return "", err
			}
			to = cwd
		}
		cwd = to
	}
	path := d.early.Text("repository")
	if path == "" {
		if dot := store.OpenReal(dotOf(cwd)); dot >= 0 {
			d.cwd = cwd
			d.dot = d.e.absences(dotOf(cwd))
			d.dot.LookAt(dot, d.r.Now)
			return cwd, nil
		}
	}
	if fd := store.OpenReal(cwd); fd >= 0 {
		unix.Close(fd)
		d.cwd = cwd
	} else {
		if d.cwd, err = filepath.EvalSymlinks(cwd); err != nil {
			return "", hgerr.NewUnsupported("working directory %s: %v", cwd, err)
		}
		if fi, err := os.Stat(d.cwd); err != nil || !fi.IsDir() {
			return "", hgerr.NewUnsupported("working directory %s, which is none", cwd)
		}
	}
	if path == "" {
		root, _ := repo.Find(d.cwd)
		return root, nil
	}
	if strings.ContainsAny(path, "$~#") || hgurl.HasScheme(path) {
		return "", hgerr.NewUnsupported("--repository %s", path)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.cwd, path)
	}
	if fi, err := os.Stat(filepath.Join(path, ".hg")); err != nil || !fi.IsDir() {
		if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
			return "", hgerr.NewUnsupported("--repository %s, which may be a bundle", path)
		}
		d.noRepository = d.early.Text("repository")
		return "", nil
	}
	return filepath.Clean(path), nil
}

// dotOf is the .hg of the working directory at root.
func dotOf(root string) string { return root + "/.hg" }

// notEntered is what hg says when it cannot go to a directory.
func notEntered(dir string, err error) (*hgerr.Abort, error) {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		if reason, ok := match.Strerror(pe.Err); ok {
			return hgerr.Abortf(hgerr.Other, "%s: '%s'", reason, dir), nil
		}
	}
	return nil, hgerr.NewUnsupported("--cwd %s: %v", dir, err)
}

// checkLost reports a directory that could not be entered, and a name that
// --repository has and [paths] may explain.
func (d *dispatcher) checkLost() error {
	switch {
	case d.lost != nil && (d.early.On("traceback") || d.early.On("debugger") || d.early.On("profile")):
		return hgerr.NewUnsupported("--cwd that fails, with a traceback")
	case d.lost != nil:
		return d.lost
	case d.noRepository == "":
		return nil
	}
	paths, err := d.cfg.Paths()
	if err != nil {
		return err
	}
	for _, p := range paths {
		if p.Name == d.noRepository {
			return hgerr.NewUnsupported("--repository with a name of [paths]")
		}
	}
	return nil
}
