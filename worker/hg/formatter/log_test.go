// SPDX-License-Identifier: GPL-2.0-or-later

package formatter_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// fixture is one repository with one real hg to ask about it.
type fixture struct {
	t       testing.TB
	hg      *hgtest.Shell
	version hgtest.Version
	repo    *dumped
}

func eachVersion(t *testing.T, env []string, f func(t *testing.T, x *fixture)) {
	for _, v := range hgtest.HgVersions(t) {
		t.Run(v.Number, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			hg := hgtest.NewShell(t, v.Path, root)
			build(t, hg)
			x := &fixture{t: t, hg: hg, version: v, repo: dump(t, hg)}
			hg.Env = append(hg.Env, env...)
			f(t, x)
		})
	}
}

// config is what the repository's hgrc says, with the options of a command line.
func (x *fixture) config(flags []string) *formatter.Config {
	cfg := &formatter.Config{IsFile: func(string) bool { return false }}
	o := &cfg.Options
	o.TermWidth = 80
	o.Encoding = x.repo.enc
	o.Now = time.Now()
	o.Features = template.FeatureCopies | template.FeatureObsolete
	if !strings.HasPrefix(x.version.Number, "6.") {
		o.Version = template.Hg72
	}
	for _, f := range flags {
		switch f {
		case "-q":
			o.Quiet = true
		case "-v":
			o.Verbose = true
		case "--debug":
			// As ui does it: --debug without -v is verbose too.
			o.Debug, o.Verbose = true, true
		}
	}
	settings := map[string]string{}
	section := ""
	for _, line := range strings.Split(hgrc, "\n") {
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]")
			continue
		}
		name, value, ok := strings.Cut(line, " = ")
		if !ok {
			continue
		}
		switch section {
		case "templates":
			cfg.Templates = append(cfg.Templates, template.Extra{Key: name, Value: value})
		case "templatealias":
			cfg.Aliases = append(cfg.Aliases, template.Extra{Key: name, Value: value})
		}
		settings[section+"."+name] = value
	}
	o.ConfigDefault = func(string, string) (template.Value, bool) {
		return template.Value{}, o.Version == template.Hg63 // dynamic, which 7.2 takes for nothing
	}
	o.Config = func(section, name string) (string, bool, error) {
		v, ok := settings[section+"."+name]
		return v, ok, nil
	}
	return cfg
}

// answer is what a command gave.
type answer struct {
	out, err string
	code     int
}

// failure words an error as hg's command dispatcher does.
func failure(err error) answer {
	var a *hgerr.Abort
	if !errors.As(err, &a) {
		return answer{err: "not an abort: " + err.Error(), code: -1}
	}
	prefix := a.Prefix
	if prefix == "" {
		prefix = "abort: "
	}
	text := prefix + a.Message + "\n"
	if a.Hint != "" {
		text += "(" + a.Hint + ")\n"
	}
	code := a.Code
	if code == 0 {
		code = 255
	}
	return answer{err: text, code: code}
}

// log is `hg log -r 'all()'` as this package prints it. The bool is false where
// the template is not native.
func (x *fixture) log(flags []string, arg, style string) (answer, error) {
	cfg := x.config(flags)
	var w bytes.Buffer
	spec, err := formatter.LookupChangeset(cfg, arg, style, &w)
	if err != nil {
		a := failure(err)
		a.out = w.String()
		return a, unsupported(err)
	}
	d, err := formatter.NewDisplayer(cfg, spec, x.repo, formatter.DisplayOptions{Log: true})
	if err != nil {
		return failure(err), unsupported(err)
	}
	err = d.Open(&w)
	for _, rev := range x.revs() {
		if err != nil {
			break
		}
		p := formatter.Props{}
		if slices.Contains(flags, "--copies") {
			p.Copies = x.repo.ctxs[rev].copies
			if p.Copies == nil {
				p.Copies = []template.Copy{}
			}
		}
		err = d.Show(&w, x.repo.ctxs[rev], p)
	}
	if err == nil {
		err = d.Close(&w)
	}
	if err != nil {
		a := failure(err)
		a.out = w.String()
		return a, nil
	}
	return answer{out: w.String()}, nil
}

func unsupported(err error) error {
	if hgerr.IsUnsupported(err) {
		return err
	}
	return nil
}

func (x *fixture) revs() []node.Rev {
	var revs []node.Rev
	for r := range x.repo.ctxs {
		if r >= 0 && r != node.WdirRev {
			revs = append(revs, r)
		}
	}
	slices.Sort(revs)
	return revs
}

func (x *fixture) real(args ...string) answer {
	x.t.Helper()
	out, stderr, code := x.hg.Run(x.t, args...)
	return answer{out, stderr, code}
}

func (x *fixture) compare(flags []string, arg, style string) (native bool) {
	x.t.Helper()
	what := fmt.Sprintf("%v %q %s", flags, arg, style)
	got, notNative := x.log(flags, arg, style)
	if notNative != nil {
		return false
	}
	args := append([]string{"log", "-r", "all()"}, flags...)
	if arg != "" {
		args = append(args, "-T"+arg)
	}
	if style != "" {
		args = append(args, "--style", style)
	}
	want := x.real(args...)
	if hgtest.Crashed(want.err) { // we need not
		x.t.Logf("%s: real hg falls over, we say %q", what, got.err)
		return true
	}
	if got != want {
		x.t.Errorf("%s\n%s", what, difference(got, want))
	}
	return true
}

// difference shows the first line that is not as expected.
func difference(got, want answer) string {
	if got.code != want.code || got.err != want.err {
		return fmt.Sprintf("got  %d %q\nwant %d %q\n out %.300q\nwant %.300q", got.code, got.err, want.code, want.err, got.out, want.out)
	}
	g, w := strings.SplitAfter(got.out, "\n"), strings.SplitAfter(want.out, "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			have := "<end>"
			if i < len(g) {
				have = g[i]
			}
			return fmt.Sprintf("line %d\ngot  %q\nwant %q", i+1, have, w[i])
		}
	}
	return fmt.Sprintf("got more: %q", g[len(w):])
}

func TestLayouts(t *testing.T) {
	eachVersion(t, nil, func(t *testing.T, x *fixture) {
		n := 0
		for _, flags := range [][]string{nil, {"-q"}, {"-v"}, {"--debug"}, {"--copies"}, {"-v", "--copies"}, {"--debug", "--copies"}} {
			for _, arg := range []string{"", "json", "cbor", "debug", "compact", "default", "changelog", "xml", "phases", "status", "show", "items", "nosuchstyle", "json(rev, node)", "json(rev, desc, files, added, copies, extra)", "cbor(rev,tags)", "json(rev"} {
				x.t = t
				if x.compare(flags, arg, "") {
					n++
				} else if arg != "bisect" {
					t.Errorf("%v -T %s is not native", flags, arg)
				}
			}
			for _, style := range []string{"default", "nosuch"} {
				x.compare(flags, "", style)
			}
		}
		if n == 0 {
			t.Fatal("nothing compared")
		}
	})
}

func TestTemplates(t *testing.T) {
	eachVersion(t, nil, func(t *testing.T, x *fixture) {
		x.t = t
		native, all := 0, 0
		for _, arg := range templates {
			wantNative := true
			if s, ok := strings.CutPrefix(arg, "UNSUPPORTED "); ok {
				arg, wantNative = s, false
			}
			all++
			if x.compare(nil, arg, "") {
				native++
				if !wantNative {
					t.Errorf("%q is native after all", arg)
				}
			} else if wantNative {
				_, err := x.log(nil, arg, "")
				t.Errorf("%q: %v", arg, err)
			}
		}
		if native < 300 {
			t.Errorf("only %d of %d templates compared", native, all)
		}
		t.Logf("%d of %d templates", native, all)
	})
}

func TestLocalEncodings(t *testing.T) {
	for _, name := range []string{"latin-1", "ascii", "utf-8"} {
		t.Run(name, func(t *testing.T) {
			eachVersion(t, []string{"HGENCODING=" + name}, func(t *testing.T, x *fixture) {
				x.t = t
				enc, err := encoding.New(encoding.Settings{Name: name})
				if err != nil {
					t.Fatal(err)
				}
				x.repo.enc = enc
				for _, arg := range []string{"", "json", "compact", "xml", "{user|json}\n", "{user|utf8}\n", "{desc|utf8}\n", "{desc|lower}\n", "{desc|upper}\n",
					"{user|person|json}\n", "{files|json}\n", "{dict(user, desc)|json}\n", "{pad(desc|firstline, 30, '-')}\n", "{pad(user, 5, truncate=1)}\n",
					"{desc|fill68}\n", "{user|obfuscate}\n", "{'{user}'|json}", "{strip(user)|json}", "{extras|json}", "{tags|json}{bookmarks|json}", "{files % '{file|stringescape}\n'}"} {
					x.compare(nil, arg, "")
				}
			})
		})
	}
}
