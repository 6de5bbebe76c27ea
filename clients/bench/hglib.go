// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// hglib is a python-hglib client with its server, driven by a small script that
// measures inside of Python, so that our pipe to it does not count.
type hglib struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	pid int // of hg's server
}

//go:embed askhglib.py
var hglibScript string

// EnvPython names the interpreter that can import hglib.
const EnvPython = "HGBROKER_BENCH_PYTHON"

func startHglib(w *world) (contender, error) {
	python := os.Getenv(EnvPython)
	if python == "" {
		python = "python3"
	}
	if w.hg == "" || exec.Command(python, "-c", "import hglib").Run() != nil {
		return nil, absent("%s cannot import hglib (name another interpreter in %s)", python, EnvPython)
	}
	cmd := w.command(python, "-c", hglibScript, w.hg, w.repo)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &hglib{cmd: cmd, in: in, out: bufio.NewReader(out)}
	line, err := h.out.ReadString('\n')
	if err == nil {
		h.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hglib's server: %w", err), h.close())
	}
	return h, nil
}

func (h *hglib) cpu() (map[string]time.Duration, error) {
	server, err := spent(false, h.pid)
	return map[string]time.Duration{"server": server}, err
}

func (h *hglib) ask(args []string) ([]byte, time.Duration, error) {
	line, err := json.Marshal(args)
	if err != nil {
		return nil, 0, err
	}
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return nil, 0, err
	}
	if line, err = h.out.ReadBytes('\n'); err != nil {
		return nil, 0, err
	}
	var a struct {
		Ns     int64
		Code   int
		Stdout []byte // base64
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, 0, err
	}
	if a.Code > 1 {
		return nil, 0, fmt.Errorf("hglib: exit code %d", a.Code)
	}
	return a.Stdout, time.Duration(a.Ns), nil
}

func (h *hglib) close() error { return errors.Join(h.in.Close(), h.cmd.Wait()) }
