// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
)

// defaultBudget is a quarter of what memory there is for us: the machine's, or
// the control group's limit when that is less. Pages of a memfd cannot be
// reclaimed without swap, so they have to be budgeted.
func defaultBudget() int64 {
	total := memTotal()
	if limit := groupLimit(); limit > 0 && (total == 0 || limit < total) {
		total = limit
	}
	if total == 0 {
		total = 2 << 30
	}
	return max(total/4, 16<<20)
}

// memTotal is the machine's memory in bytes, 0 when unknown.
func memTotal() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == "MemTotal:" {
			kib, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// groupLimit is the smallest memory limit of our control group and those above
// it, in bytes; 0 when there is none. Version 2 writes "max" for none into
// memory.max; version 1 a number near 2^63 into memory.limit_in_bytes.
func groupLimit() int64 {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	var least int64
	for line := range strings.Lines(string(b)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		root, name := "", ""
		switch {
		case part[1] == "":
			root, name = "/sys/fs/cgroup", "memory.max"
		case part[1] == "memory":
			root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for at := path.Clean("/" + part[2]); ; at = path.Dir(at) {
			if raw, err := os.ReadFile(root + path.Join(at, name)); err == nil {
				n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
				if err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) {
					least = n
				}
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// memoryPressure is the machine's file of pressure.
const memoryPressure = "/proc/pressure/memory"

// underPressure tells whether tasks of this machine were all stalled on memory
// for a tenth of the last ten seconds (`Documentation/accounting/psi.rst`).
func underPressure() bool {
	b, err := os.ReadFile(memoryPressure)
	return err == nil && stalled(b) >= 10
}

// stalled is the percentage in the "full" line's avg10 of a pressure file:
//
//	some avg10=0.00 avg60=0.00 avg300=0.00 total=0
//	full avg10=0.00 avg60=0.00 avg300=0.00 total=0
func stalled(b []byte) float64 {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "full" {
			v, _ := strconv.ParseFloat(strings.TrimPrefix(f[1], "avg10="), 64)
			return v
		}
	}
	return 0
}
