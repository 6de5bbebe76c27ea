// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

func text(args ...string) []protocol.Text {
	var list []protocol.Text
	for _, a := range args {
		list = append(list, protocol.Text(a))
	}
	return list
}

// What a command sees of its client, and the client of the command.
func TestRun(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	if r := w.run(c, "both"); r.ExitCode != 3 || r.Stdout != "out1\nout2\n" || r.Stderr != "err1\n" || r.Served != "fallback" {
		t.Errorf("both: %+v", r)
	}
	if r := w.run(c, "bytes"); r.Stdout != "caf\xe9" {
		t.Errorf("bytes: %q", r.Stdout)
	}
	if r := w.run(c, "say", "caf\xe9", "", "a b"); r.Stdout != "caf\xe9  a b\n" {
		t.Errorf("say: %q", r.Stdout)
	}
	if r := w.run(c, "where"); strings.TrimSpace(string(r.Stdout)) != w.dir {
		t.Errorf("where: %q", r.Stdout)
	}
	if r := w.run(c, "env", protocol.EnvNested); r.Stdout != "1" {
		t.Errorf("the real hg has no recursion guard: %q", r.Stdout)
	}
	value := protocol.Text("v\xff")
	os.Setenv("HGB_TEST_GONE", "x")
	defer os.Unsetenv("HGB_TEST_GONE")
	for _, p := range []struct {
		params protocol.RunParams
		want   protocol.Text
	}{
		{protocol.RunParams{Args: text("copy"), Stdin: "in\x00put\xff"}, "in\x00put\xff"},
		{protocol.RunParams{Args: text("copy")}, ""},
		{protocol.RunParams{Args: text("env", "HGB_X"), Env: map[string]*protocol.Text{"HGB_X": &value}}, "v\xff"},
		{protocol.RunParams{Args: text("env", "HOME"), Env: map[string]*protocol.Text{"HOME": nil}}, ""},
		{protocol.RunParams{Args: text("env", "HGENCODING"), Encoding: "cp1252"}, "cp1252"},
		{protocol.RunParams{Args: text("where"), Cwd: protocol.Text("file://" + filepath.Dir(w.hg))}, protocol.Text(filepath.Dir(w.hg) + "\n")},
		{protocol.RunParams{Args: text("where"), Repository: "../real"}, protocol.Text(filepath.Dir(w.hg) + "\n")},
	} {
		if r, err := c.Run(w.context(), p.params); err != nil || r.Stdout != p.want {
			t.Errorf("%v: %q, %v; want %q", p.params.Args, r.Stdout, err, p.want)
		}
	}
}

func TestClientSettings(t *testing.T) {
	w := newWorld(t)
	c := w.start()
	_, err := c.Initialize(w.context(), protocol.InitializeParams{
		WorkspaceFolders: []protocol.WorkspaceFolder{{URI: protocol.Text("file://" + filepath.Dir(w.hg))}},
		Options:          &protocol.InitializeOptions{Fallback: "always", Encoding: "latin1", Config: text("ui.x=y")}})
	if err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"where": filepath.Dir(w.hg) + "\n", "env HGENCODING": "latin1"} {
		r, err := c.Run(w.context(), protocol.RunParams{Args: text(strings.Fields(arg)...)})
		if err != nil || string(r.Stdout) != want {
			t.Errorf("%s: %q, %v; want %q", arg, r.Stdout, err, want)
		}
	}
}

// Policy never names what it will not do; without a real hg auto says so too.
func TestNeverFallsBack(t *testing.T) {
	w := newWorld(t)
	c := w.initialize(w.start("--fallback=never"))
	_, err := c.Hg(w.context(), w.dir, "commit", "-m", "x")
	if client.Kind(err) != protocol.KindUnsupported {
		t.Errorf("commit under --fallback=never: %v", err)
	}
	if err := os.Remove(w.hg); err != nil {
		t.Fatal(err)
	}
	c = w.open()
	if r, err := c.Hg(w.context(), w.dir, "say", "x"); err == nil {
		t.Errorf("a real hg that is not there said %q", r.Stdout)
	}
}

// Streamed output comes whole and in order, and before the answer.
func TestStream(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	var out, err strings.Builder
	r, e := c.Stream(w.context(), protocol.RunParams{Args: text("many", "5000"), Cwd: protocol.Text(w.dir)}, func(stderr bool, data []byte) {
		if stderr {
			err.Write(data)
		} else {
			out.Write(data)
		}
	})
	if e != nil || r.ExitCode != 0 || r.Stdout != "" || err.Len() != 0 {
		t.Fatalf("%+v, %v", r, e)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 5000 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		if !strings.HasPrefix(l, fmt.Sprintf("line %d of", i)) {
			t.Fatalf("line %d is %q", i, l)
		}
	}
}

func TestTooMuchForOneAnswer(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	if r := w.run(c, "pour", "160"); len(r.Stdout) != 160<<16 {
		t.Errorf("%d bytes", len(r.Stdout))
	}
	if _, err := c.Hg(w.context(), w.dir, "pour", "100000"); client.Kind(err) != "OutputTooLong" {
		t.Errorf("6 GB in one answer: %v", err)
	}
}

// A cancel stops the command, whatever it is doing, and the worker's place is
// free again.
func TestCancel(t *testing.T) {
	w := newWorld(t, "--max-workers=2")
	c := w.open()
	for _, command := range []string{"rest", "deaf"} {
		file := filepath.Join(w.dir, command)
		ctx, cancel := context.WithCancel(w.context())
		ended := make(chan error, 1)
		go func() {
			_, err := c.Hg(ctx, w.dir, command, file)
			ended <- err
		}()
		pid := w.pidFrom(file)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", command, err)
		}
		w.eventually(command+" is gone", func() bool { return !alive(pid) })
	}
	if r := w.run(c, "say", "still here"); r.Stdout != "still here\n" {
		t.Errorf("after the cancels: %+v", r)
	}
}

// Before it runs, a request waits for a worker; it can be canceled there.
func TestCancelWhileWaiting(t *testing.T) {
	w := newWorld(t, "--max-workers=1")
	c := w.open()
	first, stopFirst := context.WithCancel(w.context())
	second, stopSecond := context.WithCancel(w.context())
	file := filepath.Join(w.dir, "pid")
	ended := make(chan error, 2)
	go func() { _, err := c.Hg(first, w.dir, "rest", file); ended <- err }()
	pid := w.pidFrom(file)
	go func() { _, err := c.Hg(second, w.dir, "say", "x"); ended <- err }()
	stopSecond()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
	if !alive(pid) {
		t.Error("the other command was canceled")
	}
	stopFirst()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("running: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	file := filepath.Join(w.dir, "pid")
	_, err := c.Run(w.context(), protocol.RunParams{Args: text("rest", file), TimeoutMs: 300})
	if client.Kind(err) != protocol.KindTimeout {
		t.Errorf("after timeoutMs: %v", err)
	}
	// The shell may not have got as far as to write its id.
	if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
		pid := w.pidFrom(file)
		w.eventually("the command is gone", func() bool { return !alive(pid) })
	}
}

// A client that stops reading stops the command by back-pressure, and gets
// everything when it goes on.
func TestClientStopsReading(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	ticks := filepath.Join(w.dir, "ticks")
	ctx, cancel := context.WithCancel(w.context())
	hold, begun := make(chan struct{}), make(chan struct{})
	got := 0
	ended := make(chan error, 1)
	go func() {
		_, err := c.Stream(ctx, protocol.RunParams{Args: text("tick", ticks), Cwd: protocol.Text(w.dir)}, func(_ bool, data []byte) {
			if got == 0 {
				close(begun)
				<-hold
			}
			got += len(data)
		})
		ended <- err
	}()
	<-begun
	size := func() int64 {
		st, err := os.Stat(ticks)
		if err != nil {
			return 0
		}
		return st.Size()
	}
	// Still: the same number of ticks for half a second.
	last, since := int64(-1), time.Now()
	w.eventually("the command stands still", func() bool {
		if n := size(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
	if last > 400 { // 25 MiB; queues, pipes and sockets hold about 10
		t.Errorf("%d pieces of 64 KiB were produced for a client that does not read", last)
	}
	close(hold)
	w.eventually("the command goes on", func() bool { return size() > last+100 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if int64(got) < last*(64<<10) {
		t.Errorf("%d bytes arrived of at least %d", got, last*(64<<10))
	}
}
