// SPDX-License-Identifier: GPL-2.0-or-later

// Command hgbroker is the one binary of the broker, the master and the workers.
// Its first argument says which of them this process is; everything else it does
// is to read flags and to hand over. Called as hg or chg by name it is the
// drop-in for these.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"hgbroker/broker"
	"hgbroker/clients/hg/dropin"
	"hgbroker/protocol"
	"hgbroker/worker"
)

func main() {
	if name := filepath.Base(os.Args[0]); name == "hg" || name == "chg" {
		os.Exit(dropin.Main())
	}
	role, args := "--stdio", os.Args[1:]
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		role, args = args[0], args[1:]
	}
	switch role {
	case "worker":
		os.Exit(worker.Main(worker.Config{}))
	case "edit":
		os.Exit(broker.Edit(args))
	}
	os.Exit(run(role, args))
}

// run reads the flags of every role but the worker's and the editor's, which have
// none.
func run(role string, args []string) int {
	o, err := parse(role, args, os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "hgbroker: %v\n(try \"hgbroker --help\")\n", err)
		return 2
	}
	if o.help {
		fmt.Print(o.usage)
		return 0
	}
	switch role {
	case "--stdio", "mcp":
		err = runBroker(o)
	case "master":
		err = runMaster(o)
	case "stats":
		err = runStats(o)
	case "stop":
		err = runStop(o)
	case "version":
		fmt.Printf("hgbroker %s (protocol %d)\n", version(), protocol.Version)
	}
	if code, ok := err.(exitCode); ok {
		return int(code)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "hgbroker: %v\n", err)
		return 1
	}
	return 0
}

// exitCode is an error that needs no message.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// version is the module's, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
