// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What Linux counts of a process, from /proc.

// tick is the unit of the times in /proc/PID/stat (USER_HZ, 100 a second).
const tick = 10 * time.Millisecond

// stat reads /proc/PID/stat (man 5 proc_pid_stat): the parent, and the times of
// the process and of those of its children that it has waited for.
func stat(pid int) (parent int, own, children time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, err
	}
	// the name is in parentheses and may hold anything
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 15 {
		return 0, 0, 0, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(f))
	}
	number := func(i int) time.Duration {
		n, bad := strconv.ParseInt(f[i], 10, 64)
		if bad != nil {
			err = fmt.Errorf("/proc/%d/stat: %w", pid, bad)
		}
		return time.Duration(n)
	}
	return int(number(1)), (number(11) + number(12)) * tick, (number(13) + number(14)) * tick, err
}

// spent is the CPU time of processes together, with that of their children that
// have ended if wanted.
func spent(withChildren bool, pids ...int) (sum time.Duration, err error) {
	for _, pid := range pids {
		_, own, children, err := stat(pid)
		if err != nil {
			return 0, err
		}
		sum += own
		if withChildren {
			sum += children
		}
	}
	return sum, nil
}

// children are the living children of a process.
func children(pid int) ([]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, d := range dirs {
		n, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		if parent, _, _, err := stat(n); err == nil && parent == pid {
			pids = append(pids, n)
		}
	}
	return pids, nil
}

// pss is the memory of a process in bytes: a page that n processes share counts
// as the nth part of it (man 5 proc_pid_smaps).
func pss(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/smaps_rollup has no Pss", pid)
}
