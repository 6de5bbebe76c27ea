// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// RepoInfo is what a command line can name in a repository, as real hg tells
// it. All strings hold raw bytes.
type RepoInfo struct {
	Nodes     []string // 40 hexadecimal digits, of every revision, hidden ones too
	Branches  []string // closed ones too
	Bookmarks []string
	Tags      []string // without tip
	Tracked   []string // files of the dirstate
	Files     []string // Tracked and those of tip
	Dirs      []string // of Files, without the root
	Present   []string // of Dirs, those that exist on disk
	Loose     []string // files on disk that are not tracked
	Users     []string
	Special   bool // there are files on disk that hg would wait for: pipes, sockets
}

// Info asks real hg about the repository at dir.
func Info(t testing.TB, hg Runner, dir string) RepoInfo {
	t.Helper()
	info, err := AskInfo(hg, dir)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// AskInfo is Info for a program that is no test. What hg refuses to tell, of a
// broken repository, stays empty. It asks nothing that makes hg rewrite the
// dirstate, which a status would.
func AskInfo(hg Runner, dir string) (RepoInfo, error) {
	var info RepoInfo
	var failed error
	ask := func(args ...string) []string {
		out, _, code, _, err := hg.Run(dir, args, BaseEnv("HGPLAIN=1"))
		if err != nil {
			failed = err
		}
		if err != nil || code != 0 || len(out) == 0 {
			return nil
		}
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	info.Branches = ask("branches", "-c", "-T", `{branch}\0`)
	info.Bookmarks = ask("bookmarks", "-T", `{bookmark}\0`)
	info.Tags = slices.DeleteFunc(ask("tags", "-T", `{tag}\0`), func(s string) bool { return s == "tip" })
	for _, line := range ask("log", "--hidden", "-r", "all()", "-T", `{node} {author}\0`) {
		node, user, _ := strings.Cut(line, " ")
		info.Nodes = append(info.Nodes, node)
		info.Users = append(info.Users, user)
	}
	info.Tracked = ask("files", "-0")
	info.Files = append(slices.Clone(info.Tracked), ask("files", "-0", "-r", "tip")...)
	if failed != nil {
		return info, failed
	}
	for _, f := range info.Files {
		for d := filepath.Dir(f); d != "."; d = filepath.Dir(d) {
			info.Dirs = append(info.Dirs, d)
		}
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		name := p[len(dir)+1:]
		info.Special = info.Special || d.Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0
		switch {
		case d.IsDir() && d.Name() == ".hg":
			return fs.SkipDir
		case d.IsDir():
			info.Present = append(info.Present, name)
		case !slices.Contains(info.Tracked, name):
			info.Loose = append(info.Loose, name)
		}
		return nil
	})
	for _, list := range []*[]string{&info.Files, &info.Dirs, &info.Users} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return info, err
}
