// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// favourites are the recorded repositories that show most, best first.
var favourites = []string{"merges", "branches", "merge", "branch", "linear"}

// recorded finds the archive of a recorded repository in this source tree.
func recorded() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "hgbroker").Output()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "testdata", "repos")
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		return "", fmt.Errorf("no recorded repository in %s: use --repo DIR", dir)
	}
	for _, name := range favourites {
		for _, a := range archives {
			if strings.HasPrefix(filepath.Base(a), name) {
				return a, nil
			}
		}
	}
	return archives[0], nil
}

// maxUnpacked bounds what an archive may grow to.
const maxUnpacked = 1 << 30

// unpack unpacks an archive into dir, with modes and times, and returns the
// directory in it that holds .hg. Nothing is written outside of dir.
func unpack(archive, dir string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", archive, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	repo := ""
	var dirs []*tar.Header // their times last, since writing into them changes those
	left := int64(maxUnpacked)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", fmt.Errorf("unpack %s: %w", archive, err)
		}
		name := filepath.Clean(h.Name)
		if filepath.Base(name) == ".hg" && (repo == "" || len(name) < len(repo)) {
			repo = name
		}
		if parent := filepath.Dir(name); parent != "." {
			if err := root.MkdirAll(parent, 0o755); err != nil {
				return "", fmt.Errorf("unpack %s: %w", h.Name, err)
			}
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.Mkdir(name, 0o755)
			if errors.Is(err, fs.ErrExist) {
				err = nil
			}
			dirs = append(dirs, h)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeReg:
			left -= h.Size
			if left < 0 {
				return "", fmt.Errorf("unpack %s: more than %d bytes", archive, maxUnpacked)
			}
			err = unpackFile(root, name, h, r)
		}
		if err != nil {
			return "", fmt.Errorf("unpack %s: %w", h.Name, err)
		}
	}
	for _, h := range dirs {
		_ = root.Chtimes(filepath.Clean(h.Name), h.ModTime, h.ModTime)
	}
	if repo == "" {
		return "", fmt.Errorf("unpack %s: no repository in it", archive)
	}
	return filepath.Join(dir, filepath.Dir(repo)), nil
}

func unpackFile(root *os.Root, name string, h *tar.Header, r io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, h.FileInfo().Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Chtimes(name, h.ModTime, h.ModTime)
}
