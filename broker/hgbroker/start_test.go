// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// The test binary is also hgbroker itself, when its first argument is none of a
// test's.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		main()
		return
	}
	os.Exit(m.Run())
}

// Three processes start one after the other before a first command is answered, and
// one more for each spare worker: what packages do when they are initialized is paid
// by all of them, whatever they are for.
const (
	initAllocs = 250
	initBytes  = 24 << 10
)

// TestInitialization counts what our packages allocate before main.
func TestInitialization(t *testing.T) {
	cmd := exec.Command(os.Args[0], "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &trace)
	}
	// init PACKAGE @0.1 ms, 0.01 ms clock, 123 bytes, 4 allocs
	packages, size, allocs := 0, 0, 0
	for line := range strings.Lines(trace.String()) {
		f := strings.Fields(line)
		if len(f) != 11 || f[0] != "init" || !strings.HasPrefix(f[1], "hgbroker/") {
			continue
		}
		b, err1 := strconv.Atoi(f[7])
		a, err2 := strconv.Atoi(f[9])
		if err1 != nil || err2 != nil {
			t.Fatalf("%q", line)
		}
		packages, size, allocs = packages+1, size+b, allocs+a
		t.Logf("%6d bytes %4d allocs %s", b, a, f[1])
	}
	if packages == 0 {
		t.Fatalf("no package of ours in %s", &trace)
	}
	if allocs > initAllocs || size > initBytes {
		t.Errorf("%d allocations of %d bytes in %d packages, more than %d of %d: make tables when they are first needed (sync.OnceValue)",
			allocs, size, packages, initAllocs, initBytes)
	}
}

// BenchmarkStart is a process that has next to nothing to do.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if err := exec.Command(os.Args[0], "version").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
