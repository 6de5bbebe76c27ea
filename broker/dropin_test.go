// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// dropInCommand is the drop-in hg with the fake as the real one.
func (w *world) dropInCommand(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(w.dropIn, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "HGBROKER_RUNTIME_DIR="+w.runtime, "HGBROKER_HG="+w.hg, "HGBROKER_LOG="+strings.TrimPrefix(w.flags[2], "--log="))
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// What is not native becomes the real hg, with everything that it was given.
func TestDropInFallsBack(t *testing.T) {
	w := newWorld(t)
	cmd := w.dropInCommand(nil, "both")
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	if cmd.ProcessState.ExitCode() != 3 || out.String() != "out1\nout2\n" || err.String() != "err1\n" {
		t.Errorf("both: exit code %d, %q, %q", cmd.ProcessState.ExitCode(), out.String(), err.String())
	}
	cmd = w.dropInCommand(nil, "copy")
	cmd.Stdin = strings.NewReader("in\x00put\xff")
	if got, err := cmd.Output(); err != nil || string(got) != "in\x00put\xff" {
		t.Errorf("copy: %q, %v", got, err)
	}
	for name, env := range map[string][]string{
		"always": {"HGBROKER_FALLBACK=always"}, "nested": {"HGBROKER_NESTED=1"},
		"no hgbroker": {"HGBROKER_EXE=/no/such/file"}, "no runtime directory": {"HGBROKER_RUNTIME_DIR=/no/such/dir"},
	} {
		if got, err := w.dropInCommand(env, "say", "a b").Output(); err != nil || string(got) != "a b\n" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestDropInNever(t *testing.T) {
	w := newWorld(t)
	cmd := w.dropInCommand([]string{"HGBROKER_FALLBACK=never"}, "commit", "-m", "x")
	var err bytes.Buffer
	cmd.Stderr = &err
	_ = cmd.Run()
	if cmd.ProcessState.ExitCode() != 255 || !strings.HasPrefix(err.String(), "hgbroker: not native") {
		t.Errorf("exit code %d, %q", cmd.ProcessState.ExitCode(), err.String())
	}
}

// A wrapper around the drop-in that is taken for the real hg must not go round
// for ever, and a copy of the drop-in is never taken for it.
func TestDropInDoesNotRecurse(t *testing.T) {
	w := newWorld(t)
	wrapper := filepath.Join(w.dir, "wrapper")
	if err := os.WriteFile(wrapper, []byte("#!/bin/sh\nexec "+w.dropIn+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := w.dropInCommand([]string{"HGBROKER_HG=" + wrapper, "HGBROKER_FALLBACK=always"}, "say", "x")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), "again and again") {
		t.Errorf("exit code %d, %q", cmd.ProcessState.ExitCode(), out)
	}
	// PATH: a copy of ours first, then the real one.
	first := filepath.Join(w.dir, "first")
	if err := os.Mkdir(first, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(w.dropIn)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(first, "hg"), b, 0o700); err != nil {
		t.Fatal(err)
	}
	path := first + ":" + filepath.Dir(w.dropIn) + ":" + filepath.Dir(w.hg) + ":" + os.Getenv("PATH")
	got, err := w.dropInCommand([]string{"HGBROKER_HG=", "PATH=" + path, "HGBROKER_FALLBACK=always"}, "say", "found").Output()
	if err != nil || string(got) != "found\n" {
		t.Errorf("along PATH: %q, %v", got, err)
	}
}

// The real hg is the same process: a signal to it is a signal to the command.
func TestDropInIsInterrupted(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "pid")
	cmd := w.dropInCommand(nil, "rest", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := w.pidFrom(file)
	if pid != cmd.Process.Pid {
		t.Errorf("the command is process %d, the drop-in was %d", pid, cmd.Process.Pid)
	}
	_ = unix.Kill(cmd.Process.Pid, unix.SIGINT)
	if err := cmd.Wait(); err == nil {
		t.Error("the command ended well")
	}
}
