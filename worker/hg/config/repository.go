// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// maxRequiresSize bounds .hg/requires and .hg/sharedpath.
const maxRequiresSize = 1 << 20

// WithRepository returns a copy of c with the configuration of the repository
// at root on top: that of the share's source under share-safe, .hg/hgrc and
// .hg/hgrc-not-shared (`hg help config`, "Files"). root is the directory that
// holds .hg, written as values shall record it in their source.
func (c *Config) WithRepository(root string) (*Config, error) {
	return c.withRepository(root, true)
}

// WithRepositoryEarly is WithRepository as hg's dispatcher does it before it
// opens the repository, to find aliases, defaults and extensions: it does not
// look into the source of a share that was made with --relative.
func (c *Config) WithRepositoryEarly(root string) (*Config, error) {
	return c.withRepository(root, false)
}

func (c *Config) withRepository(root string, relativeShares bool) (*Config, error) {
	n, err := c.Copy()
	if err != nil {
		return n, err
	}
	if _, skip := n.sources.getenv("HGRCSKIPREPO"); skip {
		return n, nil
	}
	hgdir := join(root, ".hg")
	source, relative, err := n.shareSource(hgdir)
	if err != nil {
		return n, err
	}
	if source != "" && (relativeShares || !relative) {
		// hg 7 reads the source's file first with the directory of the share
		// itself for its relative [paths], and the first time counts.
		base := source
		if n.sources.Version.AtLeast(7, 0) && !relative {
			base = root
		}
		file := join(source, "hgrc")
		if err := n.readFile(file, file, base, false); err != nil {
			return n, err
		}
	}
	for _, name := range []string{"hgrc", "hgrc-not-shared"} {
		file := join(hgdir, name)
		if err := n.readFile(file, file, root, false); err != nil {
			return n, err
		}
	}
	return n, nil
}

// shareSource returns the .hg directory of the repository that this one
// shares its store with, when their configuration is shared too. onlyRelative
// is set for a share made with --relative.
func (c *Config) shareSource(hgdir string) (dir string, onlyRelative bool, err error) {
	requires, err := c.readSmall(join(hgdir, "requires"))
	if err != nil {
		return "", false, nil
	}
	has := strings.Fields(requires)
	relative, shared := slices.Contains(has, "relshared"), slices.Contains(has, "shared")
	if !slices.Contains(has, "share-safe") || !relative && !shared {
		return "", false, nil
	}
	path, err := c.readSmall(join(hgdir, "sharedpath"))
	if err != nil {
		return "", false, nil
	}
	path = strings.TrimRight(path, "\n")
	if relative {
		path = normalize(join(hgdir, path))
	}
	real, err := filepath.EvalSymlinks(c.sources.abs(path))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", false, hgerr.Abortf(hgerr.Other, ".hg/sharedpath points to nonexistent directory %s", c.sources.abs(path))
		}
		return "", false, hgerr.NewUnsupported("share source %s: %v", path, err)
	}
	return real, !shared, nil
}

// readSmall reads a short file of .hg and records it as an input.
func (c *Config) readSmall(path string) (string, error) {
	f, err := c.open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buf := make([]byte, 0, 512)
	for len(buf) < maxRequiresSize {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf))
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil || n == 0 {
			return string(buf), nil
		}
	}
	return "", fmt.Errorf("read %s: longer than %d bytes", path, maxRequiresSize)
}

// AddFiles applies --config-file arguments (hg 6.9 and later) in order. Their
// items are overrides like those of --config. hasCwd tells whether --cwd was
// among the arguments, for the hint of an error.
func (c *Config) AddFiles(files []string, hasCwd bool) error {
	if len(files) == 0 {
		return nil
	}
	l := newLayer()
	for _, name := range files {
		f, err := c.open(name)
		switch {
		case hgerr.IsUnsupported(err):
			return err
		case errors.Is(err, os.ErrNotExist):
			a := hgerr.Abortf(hgerr.Input, `missing file "%s" for --config-file`, name)
			if hasCwd {
				a.Hint = "this file is resolved before --cwd is processed"
			}
			return a
		case err != nil:
			return hgerr.NewUnsupported("--config-file %s: %v", name, err)
		}
		l.newSource()
		r := reader{config: c, layer: l}
		err = r.read(f, name)
		f.Close()
		if err != nil {
			var syntax *syntaxError
			if errors.As(err, &syntax) {
				return hgerr.Abortf(hgerr.Input, "invalid --config-file content at %s", syntax.location).WithHint("%s", syntax.message)
			}
			return err
		}
	}
	for _, s := range l.sortedSections() {
		for _, n := range l.names(s) {
			v, _ := l.get(s, n)
			if err := c.Set(s, n, v.text, v.source); err != nil {
				return err
			}
		}
	}
	return nil
}
