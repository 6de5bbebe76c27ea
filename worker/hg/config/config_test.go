// SPDX-License-Identifier: GPL-2.0-or-later

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// loaded is what came of one configuration.
type loaded struct {
	Dump       [][]string // section, name, value, source: trusted, a line of dashes, all, a line of dashes
	Flags      []bool     // verbose, quiet, debug
	Alias      []string
	Lists      [][]string
	Paths      []string
	Error      string
	Crash      string
	Stderr     string
	unresolved bool // Paths is not native
}

type configCase struct {
	Dir   string
	Env   map[string]string
	Over  []string // --config
	Flags []string // "verbose", "quiet"
	V72   bool
	Want  loaded
}

func TestConfigurationsAsInMercurial(t *testing.T) {
	failed := 0
	hgtest.Oracle(t, "oracle.py", []string{"7", "600", t.TempDir()}, func(c configCase) {
		got := load(c)
		if got.unresolved {
			got.Paths = c.Want.Paths
			got.unresolved = false
		}
		if !reflect.DeepEqual(got, c.Want) && failed < 3 {
			failed++
			t.Errorf("%s %v %v %v:\n got %+v\nwant %+v", c.Dir, c.Env, c.Over, c.Flags, got, c.Want)
		}
	})
}

// load loads the configuration of a case in the steps that hg takes.
func load(c configCase) (got loaded) {
	version := config.Version{Major: 6, Minor: 3}
	if c.V72 {
		version = config.Version{Major: 7, Minor: 2}
	}
	base, err := config.Load(config.Sources{
		Version: version, Cwd: c.Dir, Getenv: lookup(c.Env), UID: uint32(os.Geteuid()),
	})
	var overrides []string
	for _, o := range c.Over {
		overrides = append(overrides, hgtest.FromLatin1(o))
	}
	if err == nil {
		err = base.AddOverrides(overrides)
	}
	warnings := slices.Clone(base.Warnings())
	ui := base
	if err == nil {
		ui, err = base.WithRepository(c.Dir + "/repo")
		for _, flag := range c.Flags {
			for _, name := range []string{"verbose", "debug", "quiet"} {
				value := "False"
				if name == flag {
					value = "True"
				}
				if err == nil {
					err = ui.Set("ui", name, value, "--"+name)
				}
			}
		}
		warnings = append(warnings, ui.Warnings()...)
	}
	got.Stderr = hgtest.Latin1(strings.Join(warnings, ""))
	if err != nil {
		got.Error = hgtest.Latin1(printed(err))
		return got
	}
	got.Flags = []bool{ui.Verbose, ui.Quiet, ui.Debug}
	for _, view := range []*config.Config{ui, ui.Untrusted()} {
		for _, s := range view.Sections() {
			for _, it := range view.Items(s) {
				got.Dump = append(got.Dump, []string{hgtest.Latin1(s), hgtest.Latin1(it.Name), hgtest.Latin1(it.Text), hgtest.Latin1(it.Source)})
			}
		}
		got.Dump = append(got.Dump, []string{"--", "", "", ""})
	}
	for _, item := range [][2]string{{"ui", "username"}, {"command-templates", "log"}, {"command-templates", "graphnode"}} {
		text := ui.GetOr(item[0], item[1], "-")
		if text == "" {
			text = "-"
		}
		got.Alias = append(got.Alias, hgtest.Latin1(text))
	}
	for _, name := range []string{"n1", "n2", "x.y"} {
		words := []string{}
		for _, w := range ui.List("a", name) {
			words = append(words, hgtest.Latin1(w))
		}
		got.Lists = append(got.Lists, words)
	}
	for _, name := range []string{"default", "x", "y"} {
		found, err := ui.Locations(name)
		switch {
		case err != nil:
			got.unresolved = true
		case len(found) == 0:
			got.Paths = append(got.Paths, "-")
		default:
			got.Paths = append(got.Paths, hgtest.Latin1(found[0].Raw))
		}
	}
	return got
}

// printed is what hg prints for an error.
func printed(err error) string {
	var a *hgerr.Abort
	if !errors.As(err, &a) {
		return "not an Abort: " + err.Error()
	}
	text := a.Prefix
	if text == "" {
		text = "abort: "
	}
	text += a.Message + "\n"
	if a.Hint != "" {
		text += "(" + a.Hint + ")\n"
	}
	return text
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func TestValuesAsInMercurial(t *testing.T) {
	type question struct {
		Op, S string
		W     []string
	}
	hgtest.Oracle(t, "values.py", []string{"3", "5000"}, func(q question) {
		s := hgtest.FromLatin1(q.S)
		var got []string
		var err error
		switch q.Op {
		case "list":
			got = config.ParseList(s)
		case "shlex":
			if got, err = python.Split(s); err != nil {
				got, err = []string{"ERR", err.Error()}, nil
			}
		case "repr":
			got = []string{python.Repr(s)}
		case "size":
			got, err = number(config.ParseBytes(s))
		case "int":
			got, err = number(python.Int(s))
		}
		for i := range got {
			got[i] = hgtest.Latin1(got[i])
		}
		if err == nil && !slices.Equal(got, q.W) {
			t.Errorf("%s %q: got %q, want %q", q.Op, s, got, q.W)
		}
	})
}

// write makes a file with its directories.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, s config.Sources) *config.Config {
	t.Helper()
	s.UID = uint32(os.Geteuid())
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFresh(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/rc", "%include other\n[a]\nb=1\n")
	write(t, dir+"/rcd/x.rc", "")
	write(t, dir+"/repo/.hg/hgrc", "[a]\nc=1\n")
	base := mustLoad(t, config.Sources{Cwd: dir, Getenv: lookup(map[string]string{"HGRCPATH": "rc:rcd:/dev/null"})})
	c, err := base.WithRepository(dir + "/repo")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rc", "other", "rcd", "rcd/x.rc", "repo/.hg/hgrc", "repo/.hg/hgrc-not-shared"} {
		if !slices.Contains(c.Inputs(), filepath.Join(dir, name)) {
			t.Errorf("%s is no input: %q", name, c.Inputs())
		}
	}
	if !c.Fresh(time.Now(), nil) {
		t.Fatal("not fresh before any change")
	}
	for name, change := range map[string]func() error{
		"a file that was missing":  func() error { return os.WriteFile(dir+"/other", nil, 0o644) },
		"a file in a directory":    func() error { return os.WriteFile(dir+"/rcd/y.rc", nil, 0o644) },
		"the repository's hgrc":    func() error { return os.Remove(dir + "/repo/.hg/hgrc") },
		"a file of the same bytes": func() error { return os.WriteFile(dir+"/rc", []byte("%include other\n[a]\nb=2\n"), 0o644) },
	} {
		again, err := mustLoad(t, *base.Sources()).WithRepository(dir + "/repo")
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if again.Fresh(time.Now(), nil) {
			t.Errorf("still fresh after a change of %s", name)
		}
	}
}

func TestExtensions(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/rc", "[extensions]\nrebase=\nhgext.mq=\nhgext/purge=x\nevolve=/e.py\nno=!\nno2=!/p\ncolor=\nevolve:required=yes\n")
	c := mustLoad(t, config.Sources{Cwd: dir, Getenv: lookup(map[string]string{"HGRCPATH": "rc"})})
	want := map[string]string{"rebase": "", "mq": "", "purge": "x", "evolve": "/e.py"}
	if got := c.Extensions(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTypedGetters(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/rc", "[ui]\nrollback=maybe\ntimeout=12x\n[a]\nsize=1.5kB\nbadsize=x\n[paths]\np=~/q\n[profiling]\nfreq=10\n")
	c := mustLoad(t, config.Sources{Cwd: dir, Getenv: lookup(map[string]string{"HGRCPATH": dir + "/rc", "HOME": "/h"})})
	_, err := c.Bool("ui", "rollback")
	if got, want := printed(err), "config error: ui.rollback is not a boolean ('maybe')\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, _, err = c.Int("ui", "timeout")
	if got, want := printed(err), "config error: ui.timeout is not a valid integer ('12x')\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = c.Bytes("a", "badsize")
	if got, want := printed(err), "config error: a.badsize is not a byte quantity ('x')\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n, err := c.Bytes("a", "size"); n != 1536 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	if n, ok, err := c.Int("profiling", "freq"); n != 10 || !ok || err != nil {
		t.Errorf("freq %d %v %v", n, ok, err)
	}
	if n, ok, err := c.Int("server", "maxhttpheaderlen"); n != 1024 || !ok || err != nil {
		t.Errorf("registered default %d %v %v", n, ok, err)
	}
	if p, _ := c.Path("paths", "p"); p != "/h/q" {
		t.Errorf("path %q", p)
	}
	if got := c.List("cmdserver", "track-log"); !slices.Equal(got, []string{"chgserver", "cmdserver", "repocache"}) {
		t.Errorf("registered list %q", got)
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		env                       map[string]string
		any, alias, color, strict bool
	}{
		{map[string]string{}, false, false, false, false},
		{map[string]string{"HGPLAIN": ""}, true, true, true, false},
		{map[string]string{"HGPLAIN": "+strictflags"}, true, true, true, true},
		{map[string]string{"HGPLAIN": "1", "HGPLAINEXCEPT": "alias,color"}, true, false, false, false},
		{map[string]string{"HGPLAINEXCEPT": "alias"}, true, false, true, false},
	} {
		c.env["HGRCPATH"] = ""
		cfg := mustLoad(t, config.Sources{Getenv: lookup(c.env)})
		if cfg.Plain("") != c.any || cfg.Plain("alias") != c.alias || cfg.Plain("color") != c.color || cfg.Plain("strictflags") != c.strict {
			t.Errorf("%v: %v %v %v %v", c.env, cfg.Plain(""), cfg.Plain("alias"), cfg.Plain("color"), cfg.Plain("strictflags"))
		}
	}
}

func TestIncludeLoopIsUnsupported(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/rc", "%include rc\n")
	_, err := config.Load(config.Sources{Cwd: dir, Getenv: lookup(map[string]string{"HGRCPATH": "rc"})})
	if !hgerr.IsUnsupported(err) {
		t.Error(err)
	}
}

// number is a parsed number as the oracle writes it. What does not fit is
// passed on as an error.
func number(n int64, err error) ([]string, error) {
	switch {
	case errors.Is(err, python.ErrRange) || hgerr.IsUnsupported(err):
		return nil, err
	case err != nil:
		return []string{"ERR"}, nil
	}
	return []string{strconv.FormatInt(n, 10)}, nil
}
