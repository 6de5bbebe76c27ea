// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// commandLines reads a list of command lines, for all repositories (before the
// first heading) or one ("[name]"). A "#" at the start of a line makes a remark.
func commandLines(t *testing.T, file string) (list map[string][]hgtest.Command, order []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list = map[string][]hgtest.Command{}
	name := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			name = strings.Trim(line, "[]")
			if _, seen := list[name]; !seen {
				order = append(order, name)
			}
		default:
			c, err := hgtest.ParseCommand(line)
			if err != nil {
				t.Fatal(err)
			}
			if list[name] == nil && name == "" {
				order = append(order, name)
			}
			list[name] = append(list[name], c)
		}
	}
	return list, order
}

// templateFiles are style files and templates that the command lines name.
var templateFiles = map[string]string{
	"tmpl/map-mine": "changeset = 'mine {rev} {node|short}{x}\\n'\nx = ' x{y}'\ny='[{desc|firstline}]'\n[templatealias]\nz = 'zz'\n" +
		"[templates]\nchangeset_verbose = \"verbose {rev} {z}\\n\"\nheader = '== {branch}\\n'\nfooter='footer {rev}\\n'\n" +
		"docheader='head\\n'\ndocfooter='foot\\n'\nseparator = '--\\n'\n",
	"tmpl/map-base":     "__base__ = map-mine\ny = '<{rev}>'\n",
	"tmpl/map-stock":    "__base__ = map-cmdline.default\nbranch = 'BRANCH {branch}\\n'\nuser='USER {author}\\n'\n",
	"tmpl/map-gitweb":   "__base__ = gitweb\nchangeset = '{rev}\\n'\n",
	"tmpl/map-include":  "%include map-mine\ny = '({rev})'\n%include nosuch\n",
	"tmpl/map-include2": "%include map-cmdline.compact\nchangeset_quiet = 'q {rev}\\n'\n[other]\nx=y\n",
	"tmpl/map-file":     "changeset = one.tmpl\n",
	"tmpl/one.tmpl":     "one {rev}\n{files % ' {file}\n'}",
	"tmpl/map-missing":  "changeset =\n",
	"tmpl/map-quote":    "changeset = 'x\n",
	"tmpl/map-syntax":   "changeset = 'x'\n bad\nnonsense\n",
	"tmpl/map-nothing":  "other = '{rev}'\n",
	"tmpl/map-lists": "changeset = '{rev} {files}{tags}{parents}{file_adds}{bookmarks}{branches}{children}{latesttag}\\n'\nfile = '<{file}>'\nlast_file='<last {file}>'\n" +
		"start_files='files:'\nend_files=' end'\nno_files='none'\ntag='#{tag}'\nparent='p{rev}:{node|short} '\nno_tags='no tags'\nstart_file_adds='adds '\nfile_add='+{file_add}'\n",
	"tmpl/map-alias":   "changeset = '{f(rev)}\\n'\n[templatealias]\nf(x) = 'x+1'\n",
	"tmpl/map-loop":    "changeset = '{a}'\na = '{b}'\nb = '{a}'\n",
	"tmpl/map-status":  "status = 'S {status} {path}\\n'\nchangeset='C {rev}\\n'\ndocheader='H\\n'\nseparator=', '\n",
	"tmpl/map-error":   "changeset = '{nosuch(x)}'\n",
	"tmpl/plain":       "plain {rev}\\n",
	"map-cmdline.own":  "changeset = 'own {rev}\\n'\n",
	"map-cmdline.show": "changeset = 'shown {rev}\\n'\n",
	"mapbare":          "changeset = 'bare {rev}\\n'\n%include map-cmdline.own\n",
}

// TestTemplateLines compares what templates, styles, formats and graphs print in
// recorded repositories: a few, or all that are named with HGBROKER_DIFFERENTIAL.
// HGBROKER_LINES names another file of command lines.
func TestTemplateLines(t *testing.T) {
	file := "testdata/templates.txt"
	if other := os.Getenv("HGBROKER_LINES"); other != "" {
		file = other
	}
	list, order := commandLines(t, file)
	if len(order) > 4 && os.Getenv("HGBROKER_DIFFERENTIAL") == "" {
		order = order[:4]
	}
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			real := hgtest.NewReal(t, version.Path)
			for _, name := range order {
				if name == "" {
					continue
				}
				cmds := append(append([]hgtest.Command(nil), list[name]...), list[""]...)
				dir := hgtest.Extract(t, name)
				for file, text := range templateFiles {
					file = filepath.Join(dir, file)
					if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
			}
		})
	}
}
