// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"os"
	"strings"
	"time"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
)

// installations knows the real hgs that clients stand in for, without running
// them: the release decides some answers. What is known of a path holds as long
// as the file is the same; which hg is first on a PATH holds for a moment.
type installations struct {
	versions map[string]version
	found    map[string]found
}

type version struct {
	file   os.FileInfo
	number string
	when   time.Time // the file was last looked at
}

type found struct {
	hg   string
	when time.Time
}

const (
	// maxInstallations bounds what is remembered of either kind.
	maxInstallations = 64
	// rememberVersion is how long a file is taken to be the same: hg may be
	// upgraded while we run, but nobody waits for that within a second.
	rememberVersion = time.Second
	// rememberFound is how long a search of a PATH holds.
	rememberFound = 5 * time.Second
)

func newInstallations() *installations {
	return &installations{versions: map[string]version{}, found: map[string]found{}}
}

// of is the installation at path; without one, the first on env's PATH.
func (s *installations) of(path string, env []string, now time.Time) hg.Installation {
	if path == "" {
		path = s.onPath(env, now)
	}
	if path == "" {
		return hg.Installation{}
	}
	v, ok := s.versions[path]
	if ok && now.Sub(v.when) < rememberVersion {
		return hg.Installation{Path: path, Version: v.number}
	}
	file, err := os.Stat(path)
	if err != nil {
		return hg.Installation{Path: path}
	}
	if !ok || !os.SameFile(v.file, file) || !v.file.ModTime().Equal(file.ModTime()) {
		if len(s.versions) >= maxInstallations {
			clear(s.versions)
		}
		v = version{file: file, number: hg.FindVersion(path)}
	}
	v.when = now
	s.versions[path] = v
	return hg.Installation{Path: path, Version: v.number}
}

func (s *installations) onPath(env []string, now time.Time) string {
	path := ""
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
		}
	}
	f, ok := s.found[path]
	if !ok || now.Sub(f.when) > rememberFound {
		if len(s.found) >= maxInstallations {
			clear(s.found)
		}
		hg, _ := protocol.FindHg("", path) // none is no reason to fail
		f = found{hg, now}
		s.found[path] = f
	}
	return f.hg
}
