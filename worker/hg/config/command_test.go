// SPDX-License-Identifier: GPL-2.0-or-later

package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgtest"
)

// listed is one item as `hg config -Tjson --source` prints it.
type listed struct{ Source, Name, Value string }

// hgRun runs the real hg in dir with exactly env.
func hgRun(t *testing.T, dir string, env map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	list := []string{"PATH=" + os.Getenv("PATH")}
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	hg := hgtest.Shell{Hg: hgtest.CLI(hgtest.Hg(t)), Dir: dir, Env: list}
	return hg.Run(t, args...)
}

func hgVersion(t *testing.T) (v config.Version) {
	t.Helper()
	out, _, _ := hgRun(t, t.TempDir(), map[string]string{"HGRCPATH": ""}, "version", "-q", "-T", "{ver}")
	if _, err := fmt.Sscanf(out, "%d.%d", &v.Major, &v.Minor); err != nil {
		t.Fatalf("version %q: %v", out, err)
	}
	return v
}

// dump lists what a configuration says in the order of hg config.
func dump(c *config.Config) (list []listed) {
	for _, s := range c.Sections() {
		for _, it := range c.Items(s) {
			list = append(list, listed{it.Source, s + "." + it.Name, it.Text})
		}
	}
	return list
}

func compare(t *testing.T, got []listed, stdout string) {
	t.Helper()
	var want []listed
	if err := json.Unmarshal([]byte(stdout), &want); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	for i := range max(len(got), len(want)) {
		var g, w listed
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("item %d: got %q, want %q", i, g, w)
		}
	}
}

func TestEverythingThatHgLoads(t *testing.T) {
	home := t.TempDir()
	write(t, home+"/.hgrc", "[ui]\nusername = someone\n tweakdefaults = no\n[x]\ny=1\n")
	write(t, home+"/.config/hg/hgrc", "[x]\ny=2\nz=${HOME}\n")
	write(t, home+"/xdg/hg/hgrc", "[x]\nxdg=1\n")
	for _, env := range []map[string]string{
		{"HOME": home},
		{"HOME": home, "XDG_CONFIG_HOME": home + "/xdg", "EDITOR": "e", "VISUAL": "v", "PAGER": "p"},
		{"HOME": home, "XDG_CONFIG_HOME": "relative", "HGPLAIN": "1"},
		{"HOME": home + "/none"},
	} {
		c := mustLoad(t, config.Sources{Version: hgVersion(t), Getenv: lookup(env), Cwd: home, HgPath: hgtest.Hg(t)})
		if c.MissingDefaults() {
			t.Skip("packaged defaults not found beside hg")
		}
		stdout, _, _ := hgRun(t, home, env, "config", "--source", "-Tjson")
		got := dump(c)
		if len(got) < 100 {
			t.Errorf("only %d items", len(got))
		}
		compare(t, got, stdout)
	}
}

func TestShareSource(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"HGRCPATH": "", "HOME": dir}
	hgRun(t, dir, env, "--config", "format.use-share-safe=yes", "init", "source")
	hgRun(t, dir, env, "--config", "extensions.share=", "share", "-q", "source", "plain")
	hgRun(t, dir, env, "--config", "extensions.share=", "share", "-q", "--relative", "source", "relative")
	write(t, dir+"/source/.hg/hgrc", "[a]\nsource=1\nboth=1\n[paths]\ndefault=elsewhere\n")
	for _, share := range []string{"plain", "relative"} {
		root := dir + "/" + share
		write(t, root+"/.hg/hgrc-not-shared", "[a]\nlocal=1\nboth=2\n")
		c, err := mustLoad(t, config.Sources{Version: hgVersion(t), Getenv: lookup(env), Cwd: root}).WithRepository(root)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Set("bundle", "mainreporoot", root, "repo"); err != nil {
			t.Fatal(err)
		}
		stdout, _, _ := hgRun(t, root, env, "config", "--source", "-Tjson")
		compare(t, dump(c), stdout)
		stdout, _, _ = hgRun(t, root, env, "paths", "default")
		found, err := c.Locations("default")
		if err != nil || len(found) != 1 || found[0].Raw+"\n" != stdout {
			t.Errorf("default is %v %v, want %q", found, err, stdout)
		}
	}
}

func TestConfigFileOption(t *testing.T) {
	if !hgVersion(t).AtLeast(7, 0) {
		t.Skip("this hg has no --config-file")
	}
	dir := t.TempDir()
	env := map[string]string{"HGRCPATH": "", "HOME": dir}
	write(t, dir+"/one", "[b]\nx=1\n[a]\ny=1\n%include two\n")
	write(t, dir+"/two", "[b]\nx=2\n")
	write(t, dir+"/bad", "nonsense\n")
	for _, files := range [][]string{{"one"}, {"one", "two"}, {"two", "one"}, {"missing"}, {"bad"}, {"one", "bad"}} {
		c := mustLoad(t, config.Sources{Version: hgVersion(t), Getenv: lookup(env), Cwd: dir})
		err := c.AddFiles(files, false)
		args := []string{"config", "--source", "-Tjson"}
		for _, f := range files {
			args = append(args, "--config-file", f)
		}
		stdout, stderr, code := hgRun(t, dir, env, args...)
		if err != nil || code == 255 {
			if err == nil || printed(err) != stderr {
				t.Errorf("%v: got %v, want %q", files, err, stderr)
			}
			continue
		}
		compare(t, dump(c), stdout)
	}
}

func TestErrorsAsPrinted(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{
		"x\n", " [ui]\n", "\t[ui]\n", "[ui]\nverbose=\n", "[ui]\n = x\n", "%include\n", "%include " + dir + "/repo\n",
		"[ui]\nmessage-output=x\n", "[ui]\ntweakdefaults=x\n", "[a]\nb=1\n\n c\n",
	} {
		write(t, dir+"/rc", text)
		env := map[string]string{"HGRCPATH": "rc", "HOME": dir}
		write(t, dir+"/repo/x", "")
		_, err := config.Load(config.Sources{Version: hgVersion(t), Getenv: lookup(env), Cwd: dir})
		_, stderr, code := hgRun(t, dir, env, "root")
		if err == nil || printed(err) != stderr || code != 255 {
			t.Errorf("%q: got %v, want %q (%d)", text, err, stderr, code)
		}
	}
}

// TestRegisteredDefaults sets every registered item, so that hg lists it with
// its default.
func TestRegisteredDefaults(t *testing.T) {
	table, err := os.ReadFile("registered.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	version := hgVersion(t)
	release := "6"
	if version.AtLeast(7, 0) {
		release = "7"
	}
	var rc strings.Builder
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if (f[2] == "*" || f[2] == release) && !strings.Contains(line, "generic") && f[0] != "ui" && f[0] != "profiling" && f[0] != "devel" {
			fmt.Fprintf(&rc, "[%s]\n%s = 1\n", f[0], f[1])
		}
	}
	rc.WriteString("[merge-tools]\nx.args=1\nx.gui=1\nx.priority=1\nx.other=1\n[hooks]\nx=\nx:run-with-plain=1\n[color]\nx=red\n[zz]\nunknown=1\n")
	write(t, dir+"/rc", rc.String())
	env := map[string]string{"HGRCPATH": "rc", "HOME": dir}
	stdout, stderr, _ := hgRun(t, dir, env, "config", "-Tjson")
	var want []map[string]any
	if err := json.Unmarshal([]byte(stdout), &want); err != nil || len(want) < 350 {
		t.Fatalf("%v: %d items, %s", err, len(want), stderr)
	}
	c := mustLoad(t, config.Sources{Version: version, Getenv: lookup(env), Cwd: dir})
	for _, w := range want {
		name := w["name"].(string)
		section, item, _ := strings.Cut(name, ".")
		d := c.Default(section, item)
		var got any
		switch d.Kind {
		case config.DefaultBool:
			got = d.Text == "True"
		case config.DefaultInt, config.DefaultFloat:
			n, err := strconv.ParseFloat(d.Text, 64)
			if err != nil {
				t.Error(err)
			}
			got = n
		case config.DefaultString:
			got = d.Text
		case config.DefaultList:
			list := []any{}
			for _, e := range d.List {
				list = append(list, e)
			}
			got = list
		case config.DefaultLocal:
			continue
		case config.DefaultDynamic:
			if v, printed := w["defaultvalue"]; printed {
				t.Errorf("%s: hg prints %v for a dynamic default", name, v)
			}
			continue
		}
		if !reflect.DeepEqual(got, w["defaultvalue"]) {
			t.Errorf("%s: got %v, want %v", name, got, w["defaultvalue"])
		}
	}
}
