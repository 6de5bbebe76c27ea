// SPDX-License-Identifier: GPL-2.0-or-later

package encoding_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

func TestStringsAsInMercurial(t *testing.T) {
	type question struct {
		Op, S, E, Want string
		N              int
	}
	for seed, s := range []encoding.Settings{
		{Name: "UTF-8", Mode: "strict", Fallback: "ISO-8859-1", Ambiguous: "narrow"},
		{Name: "utf-8", Mode: "replace", Fallback: "cp1252", Ambiguous: "wide"},
		{Name: "ascii", Mode: "strict", Fallback: "ISO-8859-1"},
		{Name: "latin1", Mode: "strict", Fallback: "ISO-8859-1"},
		{Name: "cp1252", Mode: "ignore", Fallback: "cp1252"},
		{Name: "iso-8859-15", Mode: "replace", Fallback: "utf-8"},
		{Name: "koi8-r", Mode: "strict", Fallback: "ascii"},
	} {
		t.Run(s.Name+" "+s.Mode, func(t *testing.T) {
			e, err := encoding.New(s)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{s.Name, s.Mode, s.Fallback, fmt.Sprint(seed), "4000", s.Ambiguous}
			hgtest.Oracle(t, "oracle.py", args, func(q question) {
				got := answer(e, q.Op, hgtest.FromLatin1(q.S), hgtest.FromLatin1(q.E), q.N)
				if hgtest.Latin1(got) != q.Want {
					t.Errorf("%s %q %d %q: got %q, want %q", q.Op, hgtest.FromLatin1(q.S), q.N, q.E, got, hgtest.FromLatin1(q.Want))
				}
			})
		})
	}
}

func answer(e *encoding.Encoding, op, s, ellipsis string, n int) string {
	switch op {
	case "tolocal":
		t := e.ToLocal(s)
		return t.Local + "|" + t.UTF8
	case "fromlocal":
		u, err := e.FromLocal(s)
		var a *hgerr.Abort
		if errors.As(err, &a) {
			return "abort: " + a.Message
		}
		return u
	case "json":
		return string(encoding.AppendJSON(nil, s, false))
	case "pjson":
		return string(encoding.AppendJSON(nil, s, true))
	case "tjson":
		return e.ToLocal(s).JSON(false)
	case "lower":
		return e.Lower(s)
	case "upper":
		return e.Upper(s)
	case "tlower":
		return e.ToLocal(s).Lower(e)
	case "tupper":
		return e.ToLocal(s).Upper(e)
	case "width":
		return fmt.Sprint(e.ColWidth(s))
	case "trim":
		return e.Trim(s, n, ellipsis, false)
	case "ltrim":
		return e.Trim(s, n, ellipsis, true)
	case "utf8b":
		return encoding.UTF8b(s)
	case "getcols":
		part, ok := e.Columns(s, 0, n)
		if !ok {
			return "NONE"
		}
		return part
	}
	return "?"
}

// environment makes a lookup function.
func environment(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func TestEnvironmentAsInMercurial(t *testing.T) {
	hg := hgtest.Hg(t)
	unsupported := 0
	list := []map[string]string{
		{}, {"LANG": ""}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C"}, {"LANG": "C.UTF-8"}, {"LC_ALL": "C.utf8"},
		{"LANG": "en_US.UTF-8"}, {"LC_ALL": "en_US.utf8"}, {"LC_CTYPE": "UTF-8"}, {"LANG": "en_US.ISO-8859-1"}, {"LC_ALL": "de_DE@euro"},
		{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONUTF8": "1", "LC_ALL": "x"},
		{"HGENCODING": "latin1"}, {"HGENCODING": "", "LANG": "C"}, {"PYTHONCOERCECLOCALE": "0"},
	}
	for _, env := range list {
		s, err := encoding.FromEnvironment(environment(env))
		if err != nil {
			unsupported++
			continue
		}
		cmd := exec.Command(hg, "debuginstall", "-T", "\n{encoding}\n")
		cmd.Env = []string{"HGRCPATH=", "HGUSER=x", "HGPLAIN=1", "PATH=" + os.Getenv("PATH")}
		for k, v := range env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		out, _ := cmd.Output() // it fails where the installation has a problem
		lines := strings.Fields(string(out))
		if len(lines) == 0 || !strings.EqualFold(lines[0], s.Name) {
			t.Errorf("%v: %s, hg says %q", env, s.Name, out)
		}
	}
	if unsupported > len(list)/3 {
		t.Errorf("%d of %d unsupported", unsupported, len(list))
	}
}

func TestTranslatedAsInMercurial(t *testing.T) {
	hg := hgtest.Hg(t)
	for _, env := range []map[string]string{
		{}, {"LANG": "C"}, {"LANG": "en_US.UTF-8"}, {"LANGUAGE": "de", "LC_ALL": "C"}, {"LC_ALL": "C", "LANG": "de"},
		{"LC_MESSAGES": "fr_FR"}, {"LANGUAGE": "en:de"}, {"LANGUAGE": "C:de"}, {"LANGUAGE": "DE"}, {"LANGUAGE": "de_AT.x@y"},
		{"LANG": "zh_TW.UTF-8"}, {"LANG": "es_ES.UTF-8"}, {"LANGUAGE": "german"}, {"LANG": "C.UTF-8"},
	} {
		got := encoding.Translated(environment(env), false)
		cmd := exec.Command(hg, "--cwd", "/nonexistent", "version")
		cmd.Env = []string{"HGRCPATH=", "PATH=" + os.Getenv("PATH")}
		for k, v := range env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		out, _ := cmd.CombinedOutput()
		english := strings.HasPrefix(string(out), "abort: ")
		if !english && !got {
			t.Errorf("%v: hg says %q", env, out)
		}
	}
	if encoding.Translated(environment(map[string]string{"LANG": "de"}), true) {
		t.Error("translated in plain mode")
	}
}

func TestUnknownEncodingIsUnsupported(t *testing.T) {
	for _, s := range []encoding.Settings{{Name: "shift_jis"}, {Name: "foo"}, {Name: "utf-8", Mode: "surrogateescape"}, {Name: "utf-8", Fallback: "big5"}} {
		if _, err := encoding.New(s); !hgerr.IsUnsupported(err) {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func FuzzStrings(f *testing.F) {
	for _, s := range []string{"", "a", "é", "\xe9", "\xed\xa0\x80", "\xf0\x9d\x84", "あいう", "İΣ", "\x00\x7f<>"} {
		f.Add(s, 3)
	}
	var all []*encoding.Encoding
	for _, n := range []string{"utf8", "ascii", "cp1252", "iso8859-7"} {
		e, err := encoding.New(encoding.Settings{Name: n, Mode: "replace"})
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, e)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n %= 1000
		for _, e := range all {
			text := e.ToLocal(s)
			if !utf8.ValidString(text.UTF8) {
				t.Fatalf("%q is not UTF-8", text.UTF8)
			}
			if _, err := e.FromLocal(s); err != nil {
				t.Fatal(err)
			}
			_, _ = e.Lower(s), e.Upper(s)
			if n >= 0 {
				if short := e.Trim(s, n, "...", n%2 == 0); e.ColWidth(s) > n && e.ColWidth(short) > n {
					if _, err := e.FromLocal(s); err == nil && utf8.ValidString(s) {
						t.Fatalf("%q cut to %d columns is %q", s, n, short)
					}
				}
				_, _ = e.Columns(s, 0, n)
			}
			if e.IsUTF8() && utf8.ValidString(s) && text.Local != s {
				t.Fatalf("%q became %q", s, text.Local)
			}
		}
		_ = string(encoding.AppendJSON(nil, s, true))
	})
}
