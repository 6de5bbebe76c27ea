// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// The benchmark page: what it is, the plot, and the tables of one run. It names
// the machine by what matters, not by its name.

// pageHead stands above the numbers.
const pageHead = `# Benchmark

` + "`go run ./clients/bench --recipe r1 --recipe r2 --twin --page clients/bench/README.md`" + ` writes this page;
` + "`go run ./clients/bench --help`" + ` tells what else it measures. All contenders are asked the same questions in one run, turn by
turn; what they print is compared with what hg prints.

| contender | what it is |
| --- | --- |
| stdio | one client with its broker, which stays |
| channel | a kept channel to a worker, no broker between |
| drop-in | our ` + "`hg`" + ` as a process for each command |
| cold | the first command of a broker without a master: master, worker and image are made for it |
| hg, chg, hglib | Mercurial, its C client with its server, an open python-hglib server |
| chg-cache | chg with ` + "`cmdserver.max-repo-cache`" + ` |
| rhg | Mercurial's fast subset, without its fallback |
| git | what comes nearest, on the same history in git |
| socketpair | floor: a unix socket to another process and back, with an answer as large |
| print | floor: the client of stdio with a process that has the answer ready and only writes it |
| walk | floor: readdir and lstat of the whole working copy, on all processors |

The bound that a warm command is held to is twice what stdio takes for ` + "`root`" + `, and what print takes more for its answer than for
that of ` + "`root`" + `: stdio ÷ bound is at most 1 where it is kept.

![medians of all commands, logarithmic](PLOT)

`

// writePage writes the page, and the plot beside it.
func (r *report) writePage(page string) error {
	plot := filepath.Join(filepath.Dir(page), "bench.svg")
	if err := os.WriteFile(plot, []byte(r.svg()), 0o644); err != nil {
		return fmt.Errorf("benchmark page: %w", err)
	}
	text := strings.Replace(pageHead, "PLOT", filepath.Base(plot), 1) + r.markdown()
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		return fmt.Errorf("benchmark page: %w", err)
	}
	return nil
}

// machine is what a time depends on.
type machine struct {
	CPUs   int    `json:"cpus"`
	Model  string `json:"model"`
	GiB    int    `json:"gib"`
	Kernel string `json:"kernel"`
}

func (m machine) String() string {
	return fmt.Sprintf("%d CPUs (%s), %d GiB, %s", m.CPUs, m.Model, m.GiB, m.Kernel)
}

// thisMachine leaves out what the kernel does not tell.
func thisMachine() machine {
	m := machine{CPUs: runtime.NumCPU(), Model: "unknown model"}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for in := bufio.NewScanner(f); in.Scan(); {
			if name, value, ok := strings.Cut(in.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				m.Model = strings.TrimSpace(value)
				break
			}
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	var s unix.Sysinfo_t
	if unix.Sysinfo(&s) == nil {
		m.GiB = int(math.Round(float64(s.Totalram) * float64(s.Unit) / (1 << 30)))
	}
	return m
}

// loadAverage is how many processes wanted to run in the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// versions are the first lines of what programs say of themselves.
func versions(ctx context.Context, hg string) []string {
	all := []string{runtime.Version()}
	commit, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=hgbroker %h").Output()
	if err == nil {
		all = append([]string{strings.TrimSpace(string(commit))}, all...)
	}
	for _, args := range [][]string{{hg, "version", "-q"}, {"git", "--version"}, {"rhg", "version", "-q"}} {
		if args[0] == "" {
			continue
		}
		if text, err := exec.CommandContext(ctx, args[0], args[1:]...).Output(); err == nil {
			line, _, _ := strings.Cut(string(text), "\n")
			all = append(all, line)
		}
	}
	return all
}
