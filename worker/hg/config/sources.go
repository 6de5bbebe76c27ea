// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Version is the release of Mercurial whose behaviour is wanted. The releases
// differ in the items that they register and in a few options.
type Version struct{ Major, Minor int }

// AtLeast tells whether v is major.minor or later.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// Sources says where a configuration comes from. Nothing else is consulted:
// no environment, no working directory and no user id of this process.
type Sources struct {
	// Version of hg to behave as; the zero value means 6.3.
	Version Version
	// Getenv looks a variable up in the client's environment.
	Getenv func(name string) (value string, ok bool)
	// Cwd is the client's working directory, absolute. Relative names in
	// HGRCPATH, --config-file and the like are relative to it.
	Cwd string
	// UID owns the files that are trusted without asking.
	UID uint32
	// Users is the user database; nil means SystemUsers.
	Users Users
	// HgPath is the real hg as it was found in PATH (its argv[0]), or "".
	// Its installation may have an rc file of its own, and holds the packaged
	// default rc files.
	HgPath string
	// DefaultRC lists the packaged default rc files (mercurial/defaultrc/*.rc
	// of the installation). Nil means to look for them beside HgPath; what
	// cannot be found is reported by Config.MissingDefaults.
	DefaultRC []string
	// SystemDir replaces /etc/mercurial when not empty.
	SystemDir string

	cwdCounts bool // Cwd was asked for
}

func (s *Sources) getenv(name string) (string, bool) {
	if s.Getenv == nil {
		return "", false
	}
	return s.Getenv(name)
}

// abs makes a name absolute that the client wrote relative to its directory.
func (s *Sources) abs(name string) string {
	if strings.HasPrefix(name, "/") || s.Cwd == "" {
		return name
	}
	return join(s.cwd(), name)
}

func (s *Sources) cwd() string {
	s.cwdCounts = true
	return s.Cwd
}

// CwdCounts tells whether the configuration depends on the client's working
// directory. That of most does not.
func (c *Config) CwdCounts() bool { return c.sources.cwdCounts }

// component is one step of loading: a file, a packaged file or the items that
// environment variables set.
type component struct {
	path     string // file to read
	name     string // name to record as the source of its values
	resource bool   // a packaged default rc file
	machine  bool   // not the user's
	items    []item // values from the environment, when path is ""
}

type item struct{ section, name, text, source string }

// components lists what the global configuration is made of, in order, and
// the directories that were listed to find out (`hg help config`, "Files").
func (s *Sources) components() (list []component, dirs []string, defaultsFound bool) {
	env := component{items: s.environmentItems()}
	if rcpath, ok := s.getenv("HGRCPATH"); ok {
		list = append(list, env)
		for p := range strings.SplitSeq(rcpath, ":") {
			if p == "" {
				continue
			}
			p = s.ExpandPath(p)
			if info, err := os.Stat(s.abs(p)); err != nil || !info.IsDir() {
				list = append(list, component{path: p, name: p})
				continue
			}
			dirs = append(dirs, s.abs(p))
			files := s.rcFiles(p)
			for i := range files {
				files[i] = join(p, files[i])
			}
			slices.Sort(files)
			for _, f := range files {
				list = append(list, component{path: f, name: f})
			}
		}
		return list, dirs, true
	}

	defaults := slices.Clone(s.DefaultRC)
	if defaults == nil {
		defaults = FindDefaultRC(s.HgPath)
	}
	slices.SortFunc(defaults, func(a, b string) int {
		return strings.Compare(filepath.Base(a), filepath.Base(b))
	})
	for _, f := range defaults {
		list = append(list, component{path: f, name: "resource:mercurial.defaultrc." + filepath.Base(f), resource: true, machine: true})
	}
	file := func(p string) {
		p = normalize(p)
		list = append(list, component{path: p, name: p})
	}
	system := func(dir string) {
		first := len(list)
		file(join(dir, "hgrc"))
		rcdir := join(dir, "hgrc.d")
		dirs = append(dirs, rcdir)
		for _, f := range s.rcFiles(rcdir) {
			file(join(rcdir, f))
		}
		for i := first; i < len(list); i++ {
			list[i].machine = true
		}
	}
	if s.HgPath != "" {
		if prefix := dirname(dirname(s.HgPath)); prefix != "/" {
			system(join(prefix, "etc/mercurial"))
		}
	}
	if s.SystemDir != "" {
		system(s.SystemDir)
	} else {
		system("/etc/mercurial")
	}
	list = append(list, env)
	home, ok := s.getenv("XDG_CONFIG_HOME")
	if !ok || !strings.HasPrefix(home, "/") {
		home = s.expandUser("~/.config")
	}
	file(s.expandUser("~/.hgrc"))
	file(join(join(home, "hg"), "hgrc"))
	return list, dirs, len(defaults) > 0
}

// rcFiles lists the names in dir that end in ".rc", sorted; none when dir
// cannot be read.
func (s *Sources) rcFiles(dir string) []string {
	names := listNames(s.abs(dir), "", ".rc")
	slices.Sort(names)
	return names
}

// environmentItems are the items that environment variables set.
func (s *Sources) environmentItems() []item {
	var items []item
	for _, v := range []struct{ env, section, name string }{
		{"EDITOR", "ui", "editor"},
		{"VISUAL", "ui", "editor"},
		{"PAGER", "pager", "pager"},
	} {
		if text, ok := s.getenv(v.env); ok {
			items = append(items, item{v.section, v.name, text, "$" + v.env})
		}
	}
	return items
}

// FindDefaultRC looks for the packaged default rc files of the installation
// that hgPath belongs to: beside the usual places for Python packages under
// the same prefix. It returns nil when there are none or more than one place
// has them, so that a guess is never made.
func FindDefaultRC(hgPath string) []string {
	if hgPath == "" {
		return nil
	}
	if real, err := filepath.EvalSymlinks(hgPath); err == nil {
		hgPath = real
	}
	prefix := dirname(dirname(hgPath))
	places := map[string][]string{}
	look := func(packages string) {
		dir := join(packages, "mercurial/defaultrc")
		names := listNames(dir, "", ".rc")
		if len(names) == 0 {
			return
		}
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
		for _, name := range names {
			if !slices.Contains(places[dir], name) {
				places[dir] = append(places[dir], name)
			}
		}
	}
	look(join(prefix, "lib/python3/dist-packages"))
	for _, l := range []struct {
		lib      string
		packages []string
	}{
		{"lib", []string{"site-packages", "dist-packages"}}, {"lib64", []string{"site-packages"}}, {"local/lib", []string{"dist-packages"}},
	} {
		lib := join(prefix, l.lib)
		for _, python := range listNames(lib, "python3.", "") {
			for _, p := range l.packages {
				look(join(join(lib, python), p))
			}
		}
	}
	if len(places) != 1 {
		return nil
	}
	var list []string
	for dir, names := range places {
		for _, n := range names {
			list = append(list, join(dir, n))
		}
	}
	slices.Sort(list)
	return list
}

// listNames lists the names in dir that begin and end like this; none when dir
// cannot be read.
func listNames(dir, prefix, suffix string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, prefix) || !strings.HasSuffix(n, suffix) })
}
