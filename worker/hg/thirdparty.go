// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
)

// outside tells of an extension of which a release is known that does not come
// with Mercurial. Python finds such a one in the folder hgext3rd that lies beside
// Mercurial's own, and its file says which release it is.
type outside struct {
	file string // below hgext3rd
	// old and new are the releases that are known, by how their numbers begin: with
	// hg before 7.0, and with later ones.
	old, new []string
}

// stamp is what a file looked like.
type stamp struct {
	path  string
	size  int64
	mtime int64
}

func stampOf(path string) stamp {
	s := stamp{path: path, size: -1}
	if fi, err := os.Stat(path); err == nil {
		s.size, s.mtime = fi.Size(), fi.ModTime().UnixNano()
	}
	return s
}

// maxHead bounds what is read of an extension's file to find its release.
const maxHead = 1 << 17

// release reads which release lies in a folder of Python packages, "" for none.
func (o *outside) release(packages string) (number string, at stamp) {
	at = stampOf(filepath.Join(packages, "hgext3rd", o.file))
	f, err := os.Open(at.path)
	if err != nil {
		return "", at
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return "", at
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("__version__ = b'")); ok {
			number, _, _ := bytes.Cut(rest, []byte("'"))
			return string(number), at
		}
	}
	return "", at
}

// find looks for the release that the real hg would load by name, and tells which
// file that depends on. Where another one could come first, it is not known.
func (o *outside) find(name string, cfg *config.Config, env *environment) (release string, at stamp, err error) {
	templates := cfg.TemplateDir()
	if templates == "" {
		return "", at, hgerr.NewUnsupported("extension %s of an hg whose files were not found", name)
	}
	packages := filepath.Dir(filepath.Dir(templates))
	for _, variable := range []string{"PYTHONPATH", "PYTHONHOME", "HGEXTENSIONS"} {
		if v, ok := env.get(variable); ok && v != "" {
			return "", at, hgerr.NewUnsupported("extension %s with %s", name, variable)
		}
	}
	places := []string{"/usr/local/lib/python3*/dist-packages", "/usr/local/lib/python3*/site-packages"}
	if home, _ := env.get("HOME"); home != "" {
		places = append(places, filepath.Join(home, ".local/lib/python3*/site-packages"))
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(filepath.Join(pattern, "hgext3rd", o.file))
		for _, file := range found {
			if !strings.HasPrefix(file, packages+"/") {
				return "", at, hgerr.NewUnsupported("extension %s in several places", name)
			}
		}
	}
	release, at = o.release(packages)
	known := o.old
	if cfg.Version().AtLeast(7, 0) {
		known = o.new
	}
	for _, prefix := range known {
		if strings.HasPrefix(release, prefix) {
			return release, at, nil
		}
	}
	return "", at, hgerr.NewUnsupported("extension %s %s", name, release)
}
