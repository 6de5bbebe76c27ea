// SPDX-License-Identifier: GPL-2.0-or-later

package main_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// session is a recorded conversation: the arguments of hg, the environment, the
// requests, and what is typed when input is wanted.
type session struct {
	args   string
	env    []string
	inputs []string
	ask    []string // a command line, words separated by blanks; or "=" and a raw request
}

var sessions = []session{
	{args: "serve --cmdserver pipe --config ui.interactive=True", ask: []string{"log", "status", "", "log -r nope", "cat a nofile",
		"--cwd .. root", "root", "identify", "config", "config ui", "showconfig --debug", "log -v -r .", "log -l1",
		"-R . root", "=getencoding\n", "version -q", "phase -r .", "branches", "heads", "paths", "files", "--encoding latin1 log -T {files}",
		"=getencoding\n", "branch", "=getencoding\n", "nosuchcommand", "identify -x", "-v status -A", "status -A", "--config ui.verbose=1 tip", "tip", "log -G -T {rev}\n"}},
	{args: "--config ui.interactive=True serve --cmdserver=pipe --cwd .", ask: []string{"status", "--config extensions.mq= log -l1", "log -l1"}},
	{args: "serve -R . --cmdserver pipe -v", ask: []string{"log -l1", "version -q", "--cwd .. log", "-q log -l1", "config ui"}},
	{args: "--noninteractive --encoding cp1252 serve --cmdserver pipe", ask: []string{"=getencoding\n", "log -T {files}", "=getencoding\n", "=dummycommandforceservertoquit\n"}},
	{args: "--config extensions.mq= serve --cmdserver pipe", ask: []string{"log -l1", "qseries", "status"}},
	{args: "serve --cmdserver pipe --config cmdserver.log=-", ask: []string{"log -l1", "status"}},
	// Writes and prompts go to the real hg, and reads see what it did.
	{args: "serve --cmdserver pipe --config ui.interactive=True", inputs: []string{"", "foo\n"},
		ask: []string{"status", "import -", "log -l1", "update -r 0", "identify", "debuguiprompt -p hey?", "branch other", "commit -m x -d 9:0", "branch",
			"log -l1", "commit -m x -d 9-0", "tag -d 8-0 t1", "tags", "update t1", "log -r .", "bookmark x", "bookmarks", "revert -r 0 a", "status", "diff"}},
	{args: "serve --cmdserver pipe --config ui.message-output=channel --config cmdserver.message-encodings=unknown\x01cbor",
		ask: []string{"log -l1", "log -r nope", "update 0", "debuguiprompt", "identify"}},
	{args: "serve --cmdserver pipe", env: []string{"HGENCODING=latin1", "HGPLAIN=1"}, ask: []string{"log -T {files}", "=getencoding\n"}},
	{args: "serve --cmdserver pipe", env: []string{"LC_ALL=en_US.ISO-8859-1"}, ask: []string{"log -T {desc}", "=getencoding\n"}},
	{args: "serve --cmdserver pipe", ask: []string{"=unknown\n"}},
	{args: "serve --cmdserver pipe", ask: []string{"=\n"}},
	{args: "serve --cmdserver pipe -R nosuchrepository"},
	{args: "serve --cmdserver pipe --config x"},
	{args: "serve --cmdserver pipe --cwd nosuchdirectory"},
	{args: "serve --cmdserver nosuchmode"},
}

// A session is the same as with hg's own server, but for process ids.
func TestSessions(t *testing.T) {
	w := newWorld(t)
	requests := 0
	for _, s := range sessions {
		w.both(s.args, func(hg, dir string) []any {
			args := strings.Fields(s.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "\x01", " ")
			}
			c := w.serve(hg, dir, s.env, args...)
			c.inputs = slices.Clone(s.inputs)
			got := []any{c.greeting()}
			for _, line := range s.ask {
				requests++
				if raw, ok := strings.CutPrefix(line, "="); ok {
					got = append(got, c.ask(raw))
					continue
				}
				got = append(got, c.run(strings.Fields(line)...))
			}
			return append(got, c.end())
		})
	}
	t.Logf("%d sessions, %d requests", len(sessions), requests/2)
}

// What a session's native commands do not need is not started.
func TestNativeSessionStartsNoHg(t *testing.T) {
	w := newWorld(t)
	w.hg(w.dropIn, w.base, "version", "-q") // starts the master, as a child of its own
	c := w.serve(w.dropIn, filepath.Join(w.base, "first"), []string{"HGBROKER_FALLBACK=never"}, "serve", "--cmdserver", "pipe")
	if a := c.run("log", "-l1", "-T", "{rev}\n"); a.o != "2\n" {
		t.Errorf("log: %+v", a)
	}
	if a := c.run("commit", "-m", "x"); !strings.HasPrefix(a.e, "hgbroker: not native") || a.r != `"\x00\x00\x00\xff"` {
		t.Errorf("commit: %+v", a)
	}
	if children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", c.cmd.Process.Pid)); err == nil && len(children) > 0 {
		t.Errorf("the session has children: %s", children)
	}
	c.end()
}

// Options are for one command, also those that stay with hg's server: --cwd=DIR,
// spelled in one word, by whoever runs the command.
func TestNothingStays(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.base, "first")
	c := w.serve(w.dropIn, dir, nil, "serve", "--cmdserver", "pipe")
	for _, elsewhere := range []string{"root", "branch"} { // branch NAME is not native
		if a := c.run("--cwd=..", elsewhere, "name"); a.r == `"\x00\x00\x00\x00"` {
			t.Errorf("%s above the repository: %+v", elsewhere, a)
		}
		if a := c.run("root"); a.o != dir+"\n" {
			t.Errorf("root afterwards: %+v", a)
		}
		if a := c.run("branch", "default"); a.r != `"\x00\x00\x00\x00"` {
			t.Errorf("branch afterwards: %+v", a)
		}
	}
	if a := c.run("--config", "alias.x=root", "x"); a.o != dir+"\n" {
		t.Errorf("alias: %+v", a)
	}
	if a := c.run("x"); a.o != "" || a.e == "" {
		t.Errorf("alias afterwards: %+v", a)
	}
	c.end()
}

// SIGINT ends a command, and an idle server unless it was told otherwise.
func TestInterrupt(t *testing.T) {
	w := newWorld(t)
	for _, on := range []string{"True", "False"} {
		w.both("shutdown-on-interrupt="+on, func(hg, dir string) []any {
			c := w.serve(hg, dir, nil, "serve", "--cmdserver", "pipe", "--config", "cmdserver.shutdown-on-interrupt="+on)
			got := []any{c.run("log", "-l1", "-T", "{rev}")}
			begun := filepath.Join(dir, "begun")
			go func() {
				for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
					if _, err := os.Stat(begun); err == nil {
						break
					}
				}
				_ = c.cmd.Process.Signal(os.Interrupt)
			}()
			got = append(got, c.run("--config", "alias.s=!touch "+begun+"; exec sleep 20", "s"))
			if on == "True" {
				_ = c.cmd.Process.Signal(os.Interrupt)
			}
			if on == "False" {
				got = append(got, c.run("log", "-l1", "-T", "{rev}"))
			}
			if on == "True" {
				_ = c.cmd.Wait()
				return append(got, c.cmd.ProcessState.ExitCode(), c.stderr.String())
			}
			return append(got, c.end())
		})
	}
}

// await waits for a socket that answers.
func (w *world) await(path string) net.Conn {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if c, err := net.Dial("unix", path); err == nil {
			return c
		}
	}
	w.t.Fatalf("nobody listens at %s", path)
	return nil
}

// A server on a unix socket serves each connection by a process of its own.
func TestUnixMode(t *testing.T) {
	w := newWorld(t)
	w.both("unix", func(hg, dir string) []any {
		address := filepath.Join(w.base, "socket")
		cmd := exec.Command(hg, "serve", "--cmdserver", "unix", "-a", address)
		var said strings.Builder
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, w.env, &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var got []any
		conn := w.await(address)
		other := w.await(address)
		for _, conn := range []net.Conn{conn, other} {
			c := &client{t: t, in: conn, out: bufio.NewReader(conn)}
			c.greet()
			got = append(got, c.greeting(), c.hello.PID == c.hello.PGID, c.hello.PID != cmd.Process.Pid)
			got = append(got, c.run("log", "-l1"), c.run("branch", "x"), c.run("branch"), c.run("branch", "-f", "default"), c.ask("unknown\n"))
			conn.Close()
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_, err := os.Stat(address)
		return append(got, said.String(), cmd.ProcessState.ExitCode(), os.IsNotExist(err))
	})
}

// chg is Mercurial's own client, with our server behind it. What is not native is
// done by a chg server of hg's behind ours, which asks chg for pager and editor.
func TestChg(t *testing.T) {
	w := newWorld(t)
	chg, err := exec.LookPath("chg")
	if err != nil {
		t.Skip("no chg on PATH")
	}
	sockets := filepath.Join(w.base, "chg")
	if err := os.Mkdir(sockets, 0o700); err != nil {
		t.Fatal(err)
	}
	editor := filepath.Join(w.base, "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\necho edited > \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := append(w.env[:len(w.env):len(w.env)], "CHGHG="+w.dropIn, "CHGSOCKNAME="+filepath.Join(sockets, "server"), "HGEDITOR="+editor, "TERM=vt100")
	defer func() {
		kill := exec.Command(chg, "--kill-chg-daemon")
		kill.Env = env
		_ = kill.Run()
	}()
	// script gives a command a terminal, which is what makes hg page.
	script, scriptErr := exec.LookPath("script")
	paged := []string{"--config", "pager.pager=sed s/^/page:/", "--color=never", "log", "-T", "{rev}\n"}
	w.both("chg", func(hg, dir string) []any {
		program := hg
		if hg == w.dropIn {
			program = chg
		}
		var got []any
		run := func(name string, args ...string) {
			cmd := exec.Command(name, args...)
			var out, errs strings.Builder
			cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &errs
			_ = cmd.Run()
			got = append(got, args[max(0, len(args)-3):], out.String(), errs.String(), cmd.ProcessState.ExitCode())
		}
		run(program, "log", "-l1")
		run(program, "status", "-A")
		w.write(filepath.Join(dir, "a"), "changed\n")
		run(program, "status")
		run(program, "commit", "-d", "5 0")
		run(program, "tip", "-T", "{rev} {desc}\n")
		run(program, "log", "-r", "nope")
		run(program, "nosuchcommand")
		run(program, "--cwd", "..", "root")
		if scriptErr == nil {
			quoted := program
			for _, a := range paged {
				quoted += " '" + a + "'"
			}
			run(script, "-qec", quoted, "/dev/null")
			last := len(got) - 3
			if !strings.Contains(got[last].(string), "page:2") {
				t.Errorf("%s was not paged: %q", program, got[last])
			}
			got[last-1] = nil // the command line names the program
		}
		return got
	})
	// The editor is run by chg, whom the server asks to.
	dir := filepath.Join(w.base, "repo")
	w.write(filepath.Join(dir, "a"), "changed again\n")
	cmd := exec.Command(chg, "commit", "-d", "6 0")
	cmd.Dir, cmd.Env = dir, append(env[:len(env):len(env)], "CHGDEBUG=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "channel S") {
		t.Errorf("commit with an editor: %v\n%s", err, out)
	}
	if entries, _ := filepath.Glob(filepath.Join(sockets, "server-*")); len(entries) == 0 {
		t.Error("chg did not start our server")
	}
}

// hgbroker is the drop-in when it is called hg or chg.
func TestByName(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"hg", "chg"} {
		link := filepath.Join(w.base, name)
		if err := os.Symlink(filepath.Join(built, "hgbroker"), link); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(w.base, "first")
		w.env = append(w.env, "HGBROKER_FALLBACK=never")
		if got, want := w.hg(link, dir, "log", "-r", "."), w.hg(w.real, dir, "log", "-r", "."); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		c := w.serve(link, dir, nil, "serve", "--cmdserver", "pipe")
		if a := c.run("log", "-l1", "-T", "{rev}"); a.o != "2" {
			t.Errorf("%s serve: %+v", name, a)
		}
		c.end()
	}
}
