// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"context"
	"io"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// OpenFilesets opens the repository at root, for a command that runs in cwd, and
// returns what makes the matcher of an expression in a revision ("" is the
// working directory).
func OpenFilesets(sources config.Sources, root, cwd string, stderr io.Writer) (func(expr, rev string) (*fileset.Matcher, error), error) {
	cfg, err := config.Load(sources)
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.WithRepository(root); err != nil {
		return nil, err
	}
	r, err := repo.Open(root, image.Private{})
	if err != nil {
		return nil, err
	}
	c := &Context{Context: context.Background(), Config: cfg, Encoding: encoding.UTF8(), Cwd: cwd, Now: time.Now(), Local: time.UTC,
		Getenv: sources.Getenv, Stdout: io.Discard, Stderr: stderr, Repo: r}
	v, err := c.View()
	if err != nil {
		return nil, err
	}
	return func(expr, rev string) (*fileset.Matcher, error) {
		at := node.WdirRev
		if rev != "" {
			if at, err = v.Lookup(rev); err != nil {
				return nil, err
			}
		}
		return c.fileMatcher(v, []string{"set:" + expr}, nil, nil, at, true)
	}, nil
}
