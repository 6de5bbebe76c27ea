// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"hgbroker/worker/hg/hgtest"
)

// line is one line of commands.txt; brief ones are run in every repository.
type line struct {
	text  string
	brief bool
}

// wholeMark starts the part of commands.txt that brief recipes leave out.
const wholeMark = "# -- for the whole ones --"

func readLines() ([]line, error) {
	path, err := hgtest.Testdata("commands.txt")
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []line
	brief := true
	for text := range strings.SplitSeq(string(data), "\n") {
		if text == wholeMark {
			brief = false
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if _, err := hgtest.ParseCommand(text); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, line{text, brief})
	}
	if brief || len(list) == 0 {
		return nil, fmt.Errorf("%s: no %q in it", path, wholeMark)
	}
	return list, nil
}

// goldens extracts x and runs its command lines with hg.
func (r *recorder) goldens(x recipe, hg *hgtest.Real) ([]hgtest.Golden, error) {
	tmp, err := os.MkdirTemp("", "record")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if tmp, err = filepath.EvalSymlinks(tmp); err != nil {
		return nil, err
	}
	if err := x.ExtractTo(tmp); err != nil {
		return nil, err
	}
	dir := filepath.Join(tmp, x.Dir)
	// The names to fill in come from the first Mercurial for both.
	fill, err := placeholders(r.old, dir)
	if err != nil {
		return nil, err
	}
	var list []hgtest.Golden
	for _, l := range r.lines {
		if x.Brief && !l.brief {
			continue
		}
		c, ok := fill.command(l.text)
		if !ok {
			continue
		}
		stdout, stderr, code, _, err := hg.Run(filepath.Join(dir, c.Sub), c.Args, hgtest.BaseEnv(c.Env...))
		if err != nil {
			return nil, err
		}
		g, err := hgtest.NewGolden(l.text, c, dir, stdout, stderr, code)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// names are what the placeholders of commands.txt stand for in one repository.
type names map[string]string

func placeholders(hg hgtest.Runner, dir string) (names, error) {
	info, err := hgtest.AskInfo(hg, dir)
	if err != nil {
		return nil, err
	}
	n := make(names)
	set := func(name string, list []string, at int) {
		if at >= 0 && at < len(list) && list[at] != "" {
			n[name] = list[at]
		}
	}
	out, _, code, _, err := hg.Run(dir, []string{"log", "-r", "all()", "-T", `{rev} {node}\n`}, hgtest.BaseEnv())
	if err != nil {
		return nil, err
	}
	visible := make(map[string]bool)
	if text := strings.TrimSpace(string(out)); code == 0 && text != "" {
		var revs, nodes []string
		for l := range strings.SplitSeq(text, "\n") {
			rev, node, _ := strings.Cut(l, " ")
			revs, nodes = append(revs, rev), append(nodes, node)
			visible[node] = true
		}
		last := len(revs) - 1
		n["short1"], n["short2"], n["full"] = nodes[last][:12], nodes[last/2][:7], nodes[last/2]
		n["rev"], n["rev2"] = revs[last/3], revs[last*2/3]
	}
	for rev, node := range info.Nodes {
		if len(visible) > 0 && !visible[node] {
			n["hidden"], n["hiddenrev"] = node[:12], fmt.Sprint(rev)
			break
		}
	}
	set("file1", info.Tracked, 0)
	set("file2", info.Tracked, len(info.Tracked)-1)
	set("tipfile", info.Files, len(info.Files)-1)
	set("loose", info.Loose, 0)
	set("bookmark", info.Bookmarks, 0)
	set("bookmark2", info.Bookmarks, len(info.Bookmarks)-1)
	set("tag", info.Tags, 0)
	set("tag2", info.Tags, len(info.Tags)-1)
	set("branch", info.Branches, 0)
	set("branch2", info.Branches, len(info.Branches)-1)
	set("user", info.Users, 0)
	for _, d := range info.Present {
		for _, f := range info.Tracked {
			if n["dir"] == "" && strings.HasPrefix(f, d+"/") {
				n["dir"] = d
			}
		}
	}
	return n, nil
}

var placeholder = regexp.MustCompile(`@[a-z]+[0-9]?@`)

// command fills text's placeholders, after it was split into words; false
// where one has no value.
func (n names) command(text string) (hgtest.Command, bool) {
	c, err := hgtest.ParseCommand(text)
	if err != nil {
		return c, false // readLines has read all of them
	}
	ok := true
	fill := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(p string) string {
			v, found := n[strings.Trim(p, "@")]
			ok = ok && found
			return v
		})
	}
	for i := range c.Args {
		c.Args[i] = fill(c.Args[i])
	}
	c.Sub = fill(c.Sub)
	return c, ok
}
