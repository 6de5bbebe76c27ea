// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline_test

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

var (
	hg6 = config.Version{Major: 6, Minor: 3}
	hg7 = config.Version{Major: 7, Minor: 2}
)

// someOptions is the table that the oracle has too.
func someOptions() []cmdline.Option {
	copies := cmdline.Flag("", "copies")
	copies.Default.On = true
	return []cmdline.Option{
		cmdline.Text("r", "rev", ""), cmdline.Text("", "style", ""), cmdline.Flag("", "stat"), cmdline.Text("l", "limit", ""),
		cmdline.Flag("n", "no-merges"), cmdline.Flag("", "merges"), cmdline.Words("I", "include"), cmdline.Words("X", "exclude"),
		cmdline.Flag("m", "modified"), cmdline.Flag("a", "added"), cmdline.Number("s", "similarity", 7), copies,
		cmdline.Flag("", "no-commit"), cmdline.Flag("", "commit"), cmdline.Text("T", "template", ""), cmdline.Flag("", "temporary"),
	}
}

type question struct {
	Op, S, E string
	A, W     []string
	Gnu, V72 bool
	V        map[string]any
}

func TestCommandLinesAsInMercurial(t *testing.T) {
	seen := map[string]int{}
	hgtest.Oracle(t, "oracle.py", []string{"5", "6000"}, func(q question) {
		seen[q.Op]++
		version := hg6
		if q.V72 {
			version = hg7
		}
		var args []string
		for _, a := range q.A {
			args = append(args, hgtest.FromLatin1(a))
		}
		got := answer(q, version, args)
		if !slices.Equal(got.W, q.W) || got.E != q.E || len(got.V)+len(q.V) > 0 && !reflect.DeepEqual(got.V, q.V) {
			t.Errorf("%s %q %q (%v):\n got %q %q %v\nwant %q %q %v", q.Op, q.S, q.A, q.Gnu, got.W, got.E, got.V, q.W, q.E, q.V)
		}
	})
	if len(seen) < 4 {
		t.Errorf("only %v were asked", seen)
	}
}

func answer(q question, version config.Version, args []string) (got question) {
	global := cmdline.GlobalOptions(version, "UTF-8", "strict")
	switch q.Op {
	case "opts":
		opts, mode := global, cmdline.OptionsFirst
		if q.Gnu {
			opts, mode = append(someOptions(), global...), cmdline.Mixed
		}
		values, rest, err := cmdline.NewSet(nil, opts).Parse(args, mode, nil)
		var usage *cmdline.UsageError
		var abort *hgerr.Abort
		switch {
		case errors.As(err, &usage):
			got.E = "usage " + hgtest.Latin1(usage.Message)
		case errors.As(err, &abort):
			got.E = "abort " + hgtest.Latin1(abort.Message)
		default:
			got.V, got.W = plainValues(values, opts), all(rest)
		}
	case "early":
		got.V = plainValues(cmdline.NewEarly(global).Parse(args, !q.Gnu, nil), global)
	case "split":
		spelled, rest := cmdline.SplitEarly(args, version)
		if got.W = all(rest); strings.Join(spelled, " ") != q.S {
			got.E = "spelled " + strings.Join(spelled, " ")
		}
	case "cmd":
		c, err := cmdline.Lookup(q.S, version, args, q.Gnu)
		var abort *hgerr.Abort
		switch {
		case errors.As(err, &abort):
			_, matches, _ := strings.Cut(abort.Message, ":\n    ")
			got.W = []string{"ambiguous " + matches}
		case err != nil:
			got.W = []string{"unknown"}
		case c.Alias:
			got.W = []string{c.Name + " alias"}
		default:
			got.W = []string{c.Name}
		}
	}
	return got
}

// all is a list of words as the oracle writes it.
func all(words []string) (list []string) {
	for _, w := range words {
		list = append(list, hgtest.Latin1(w))
	}
	return list
}

// plainValues are options as the oracle writes them.
func plainValues(v cmdline.Values, opts []cmdline.Option) map[string]any {
	m := map[string]any{}
	for _, o := range opts {
		switch o.Kind {
		case cmdline.Bool:
			m[o.Long] = v.On(o.Long)
		case cmdline.String:
			m[o.Long] = hgtest.Latin1(v.Text(o.Long))
		case cmdline.Int:
			m[o.Long] = float64(v.Int(o.Long))
		case cmdline.List:
			list := []any{}
			for _, w := range v.List(o.Long) {
				list = append(list, hgtest.Latin1(w))
			}
			m[o.Long] = list
		}
	}
	return m
}

// logOptions are a few options of "log" and "status".
func logOptions(cmdline.Command, []string) []cmdline.Option {
	return []cmdline.Option{cmdline.Words("r", "rev"), cmdline.Text("l", "limit", ""), cmdline.Flag("p", "patch")}
}

// TestErrorsAsPrinted compares whole lines with the real hg, as far as hg does
// not print help.
func TestErrorsAsPrinted(t *testing.T) {
	hg := hgtest.Hg(t)
	dir := t.TempDir()
	run := func(args ...string) (string, int) {
		cmd := exec.Command(hg, args...)
		cmd.Dir = dir
		cmd.Env = []string{"HGRCPATH=", "PATH=" + os.Getenv("PATH"), "HGPLAIN="}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return stderr.String(), cmd.ProcessState.ExitCode()
	}
	version := hg6
	out, err := exec.Command(hg, "version", "-q", "-T", "{ver}").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(out), "6.") {
		version = hg7
	}
	if text, _ := run("init"); text != "" {
		t.Fatal(text)
	}
	for _, line := range []string{
		"--bogus log", "-Z", "--config", "--c", "-q --con a.b=c log", "re", "b", "--conf a.b=c log", "log --cw x", "log -qR .",
		"log --rep x", "--debugge log", "--no-version log", "-R", "log --conf ui.x=1", "s", "i", "debugi", "m",
	} {
		args := strings.Fields(line)
		want, code := run(append([]string{"--config", "ui.detailed-exit-code=yes"}, args...)...)
		global := cmdline.GlobalOptions(version, "UTF-8", "strict")
		early := cmdline.NewEarly(global).Parse(args, false, nil)
		parsed, err := cmdline.ParseLine(args, cmdline.NewSet(nil, global), nil,
			func(name string) (cmdline.Command, error) {
				return cmdline.Lookup(name, version, nil, false)
			},
			func(c cmdline.Command, rest []string) (*cmdline.Set, []string, error) {
				return cmdline.NewSet(logOptions(c, rest), global), rest, nil
			})
		if err = cmdline.AbbreviatedConfig(err, version); err == nil {
			err = cmdline.CheckEarly(parsed.Global, early)
		}
		var usage *cmdline.UsageError
		var a *hgerr.Abort
		if errors.As(err, &usage) {
			a, _ = usage.Abort()
		} else {
			errors.As(err, &a)
		}
		if a == nil {
			t.Errorf("%s: no error to print (%v), want %q", line, err, want)
			continue
		}
		got := a.Prefix + a.Message + "\n"
		if a.Prefix == "" {
			got = "abort: " + got
		}
		if got != want || a.Detailed != code {
			t.Errorf("%s: got %q (%d), want %q (%d)", line, got, a.Detailed, want, code)
		}
	}
}

func TestParseLine(t *testing.T) {
	global := cmdline.GlobalOptions(hg6, "UTF-8", "strict")
	find := func(name string) (cmdline.Command, error) {
		return cmdline.Lookup(name, hg6, nil, false)
	}
	line, err := cmdline.ParseLine([]string{"-q", "--config", "a.b=1", "history", "x", "-vr1", "-r", "2", "--config=c.d=2", "--", "-p"}, cmdline.NewSet(nil, global), nil, find,
		func(c cmdline.Command, rest []string) (*cmdline.Set, []string, error) {
			return cmdline.NewSet(logOptions(c, rest), global), append([]string{"-l9"}, rest...), nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if line.Command.Name != "log" || !slices.Equal(line.Args, []string{"x", "-p"}) || !slices.Equal(line.Options.List("rev"), []string{"1", "2"}) ||
		line.Options.Text("limit") != "9" || line.Options.On("patch") || !line.Global.On("quiet") || !line.Global.On("verbose") ||
		!slices.Equal(line.Global.List("config"), []string{"a.b=1", "c.d=2"}) {
		t.Errorf("%+v", line)
	}
	_, err = cmdline.ParseLine([]string{"log", "--bogus"}, cmdline.NewSet(nil, global), nil, find,
		func(c cmdline.Command, rest []string) (*cmdline.Set, []string, error) {
			return cmdline.NewSet(nil, global), rest, nil
		})
	var usage *cmdline.UsageError
	if !errors.As(err, &usage) || usage.Error() != "hg log: option --bogus not recognized" {
		t.Error(err)
	}
	if _, ok := usage.Abort(); ok {
		t.Error("hg prints help here")
	}
}

func TestCommandFlags(t *testing.T) {
	for _, v := range []config.Version{hg6, hg7} {
		list := cmdline.Commands(v)
		if len(list) < 130 {
			t.Errorf("%v: %d commands", v, len(list))
		}
		c, err := cmdline.Find("showconfig", list, nil, true)
		if err != nil || c.Name != "config" || !c.OptionalRepo || c.NoRepo {
			t.Errorf("%+v %v", c, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("log -r 1 --rev=2\n-- x")
	f.Add("-mas9 --sim\n--no-stat -R")
	f.Add("--=\n-:")
	opts := append(someOptions(), cmdline.GlobalOptions(hg7, "UTF-8", "strict")...)
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' })
		for _, mode := range []cmdline.Mode{cmdline.OptionsFirst, cmdline.Mixed} {
			_, rest, err := cmdline.NewSet(nil, opts).Parse(args, mode, nil)
			if err == nil && len(rest) > len(args) {
				t.Fatalf("%q left of %q", rest, args)
			}
		}
		_ = cmdline.NewEarly(opts).Parse(args, false, nil)
		_, _ = cmdline.SplitEarly(args, hg7)
		for _, a := range args {
			_, _ = cmdline.Find(a, cmdline.Commands(hg7), args, false)
		}
	})
}

func TestValuesSet(t *testing.T) {
	a := cmdline.Values{{Name: "rev", Value: cmdline.Value{Text: "1"}}}
	b := a
	b.Set("rev", cmdline.Value{Text: "2"})
	b.Set("user", cmdline.Value{Text: "ada"})
	c := b
	c.Set("date", cmdline.Value{Text: "today"})
	b.Set("limit", cmdline.Value{Int: 3})
	if a.Text("rev") != "1" || a.Text("user") != "" || b.Text("rev") != "2" || b.Text("user") != "ada" || c.Text("date") != "today" ||
		c.Int("limit") != 0 || b.Text("date") != "" || b.Int("limit") != 3 {
		t.Error(a, b, c)
	}
}
