// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"os"
	"time"
)

// runEngine runs one command line and returns what it printed.
func runEngine(e *Engine, dir string, args, env []string, inst Installation) (stdout, stderr []byte, res Result, err error) {
	return runUntil(context.Background(), e, dir, args, env, inst)
}

func runUntil(ctx context.Context, e *Engine, dir string, args, env []string, inst Installation) (stdout, stderr []byte, res Result, err error) {
	var out, errOut bytes.Buffer
	res, err = e.Run(ctx, &Request{Args: args, Dir: dir, Env: env, UID: os.Getuid(), Stdin: bytes.NewReader(nil),
		Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: inst})
	return out.Bytes(), errOut.Bytes(), res, err
}
