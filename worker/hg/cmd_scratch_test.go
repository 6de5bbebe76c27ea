package hg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestScratch(t *testing.T) {
	args := os.Getenv("ARGS")
	if args == "" {
		t.Skip()
	}
	e := New(Options{})
	for _, line := range strings.Split(args, ";") {
		for range 2 {
			var out, errb bytes.Buffer
			dir := os.Getenv("DIR")
			start := time.Now()
			res, err := e.Run(context.Background(), &Request{Args: strings.Fields(line), Dir: dir, Env: os.Environ(), Stdout: &out, Stderr: &errb, Now: time.Now(), Local: time.Local, Hg: Installation{Path: "/usr/bin/hg", Version: FindVersion("/usr/bin/hg")}})
			fmt.Printf("== %s: %v %v %+v\n", line, err, time.Since(start), res)
			os.Stdout.Write(out.Bytes())
			os.Stdout.Write(errb.Bytes())
		}
	}
}
