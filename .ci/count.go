// SPDX-License-Identifier: GPL-2.0-or-later

// Command count reads the report of go test -json, prints what failed, and on the
// last line of its standard output the number of tests that passed, failed and
// were skipped. With -fuzz it reads the report of go test -list instead and prints
// the package and the name of every fuzz target.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
}

type key struct{ pkg, test string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: count REPORT | count -fuzz < REPORT")
		os.Exit(2)
	}
	if os.Args[1] == "-fuzz" {
		read(os.Stdin, func(e event) {
			if name := strings.TrimSpace(e.Output); e.Action == "output" && strings.HasPrefix(name, "Fuzz") {
				fmt.Println(e.Package, name)
			}
		})
		return
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer f.Close()
	count(f)
}

func count(r io.Reader) {
	ends := map[key]string{}
	parents := map[key]bool{}
	output := map[key][]string{}
	read(r, func(e event) {
		k := key{e.Package, e.Test}
		switch e.Action {
		case "output":
			output[k] = append(output[k], e.Output)
		case "pass", "fail", "skip":
			ends[k] = e.Action
			for name := e.Test; ; {
				i := strings.LastIndexByte(name, '/')
				if i < 0 {
					break
				}
				name = name[:i]
				parents[key{e.Package, name}] = true
			}
			if e.Action == "fail" {
				for _, line := range output[k] {
					fmt.Fprint(os.Stderr, line)
				}
			}
			if e.Action == "skip" && e.Test != "" {
				fmt.Fprintf(os.Stderr, "skipped: %s %s: %s", e.Package, e.Test, reason(output[k]))
			}
			delete(output, k)
		}
	})
	n := map[string]int{}
	packages := map[string]bool{} // with a test that failed
	for k, end := range ends {
		if k.test != "" && end == "fail" {
			packages[k.pkg] = true
		}
		if k.test == "" || parents[k] && end != "fail" {
			continue
		}
		n[end]++
	}
	for k, end := range ends {
		// A package that failed without any of its tests did not build, or died.
		if k.test == "" && end == "fail" && !packages[k.pkg] {
			n["fail"]++
		}
	}
	fmt.Println(n["pass"], n["fail"], n["skip"])
}

// reason is the last line that a skipped test printed.
func reason(lines []string) string {
	why := "\n"
	for _, l := range lines {
		if !strings.HasPrefix(strings.TrimSpace(l), "---") && !strings.HasPrefix(l, "===") {
			why = l
		}
	}
	return strings.TrimLeft(why, " ")
}

func read(r io.Reader, do func(event)) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) == nil {
			do(e)
			continue
		}
		fmt.Fprintln(os.Stderr, in.Text()) // a build's complaint
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
