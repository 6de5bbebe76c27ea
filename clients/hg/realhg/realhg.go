// SPDX-License-Identifier: GPL-2.0-or-later

// Package realhg is what the drop-in hg knows of the other executables: the
// real hg, which it becomes when a command is not native, and hgbroker, which it
// starts as the master. It never waits for either.
package realhg

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"hgbroker/protocol"
)

// maxNested bounds how often a real hg may start us, who start it: a wrapper
// around us that is taken for the real hg would go on for ever.
const maxNested = 3

// Failure is the exit code of what hg calls an abort.
const Failure = 255

// Find is the real hg's path: $HGBROKER_HG, or the first on PATH that is not ours.
func Find() (string, error) {
	return protocol.FindHg(os.Getenv(protocol.EnvHg), os.Getenv("PATH"))
}

// Environ is env for a real hg that we start: it counts how deep we are in each
// other. An error says that this must not go on.
func Environ(real string, env []string) ([]string, error) {
	depth := 0
	kept := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, protocol.EnvNested+"="); ok {
			depth, _ = strconv.Atoi(value)
			continue
		}
		kept = append(kept, kv)
	}
	if depth >= maxNested {
		return nil, errors.New(real + " starts this one again and again")
	}
	return append(kept, protocol.EnvNested+"="+strconv.Itoa(depth+1)), nil
}

// Become replaces this process by the real hg with args, and returns, with an
// exit code, only when that fails.
func Become(args []string) int {
	real, err := Find()
	var env []string
	if err == nil {
		env, err = Environ(real, os.Environ())
	}
	if err == nil {
		err = syscall.Exec(real, append([]string{real}, args...), env)
	}
	os.Stderr.WriteString("abort: hgbroker: cannot run the real hg: " + err.Error() + "\n")
	return Failure
}

// Hgbroker is the executable that becomes the master: $HGBROKER_EXE, or the one
// beside this (or this itself), or the first on PATH.
func Hgbroker() (string, error) {
	if exe := os.Getenv(protocol.EnvExecutable); exe != "" {
		return exe, nil
	}
	if self, err := os.Executable(); err == nil {
		if p := filepath.Join(filepath.Dir(self), "hgbroker"); executable(p) {
			return p, nil
		}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if p := filepath.Join(dir, "hgbroker"); filepath.IsAbs(dir) && executable(p) {
			return p, nil
		}
	}
	return "", errors.New("hgbroker is neither beside this hg, nor on PATH, nor in " + protocol.EnvExecutable)
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}
