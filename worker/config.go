// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"os"
	"time"

	"hgbroker/worker/hg"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/image"
)

// Config is what a worker is told at its start. Zero values mean the default
// written beside each field.
type Config struct {
	// NewEngine makes the engine that answers commands; hg.New.
	NewEngine func(hg.Options) Engine
	// Verify walks an image before it is admitted; hg.VerifyImage.
	Verify func(*image.Image) error

	exit  func(code int) // ends the process at once; os.Exit
	grace time.Duration  // for a command whose client is gone; 5 s
	last  time.Duration  // for a native command whose master is gone; 60 s
}

// Engine is what a worker needs of *hg.Engine.
type Engine interface {
	Run(ctx context.Context, r *hg.Request) (hg.Result, error)
	Load(ctx context.Context, r *hg.Request, root string) (hg.Result, error)
	State(ctx context.Context, r *hg.Request) (*hg.State, hg.Result, error)
	Status(ctx context.Context, r *hg.Request, q hg.StatusQuery) ([]hg.FileStatus, hg.Result, error)
	Log(ctx context.Context, r *hg.Request, q hg.LogQuery) ([]hg.Commit, string, hg.Result, error)
	Cat(ctx context.Context, r *hg.Request, path, rev string) (*hg.FileContent, hg.Result, error)
	LineDiff(ctx context.Context, r *hg.Request, b command.Buffer) (*command.LineDiff, hg.Result, error)
	Annotate(ctx context.Context, r *hg.Request, q hg.AnnotateQuery) (*hg.Annotation, hg.Result, error)
	Forget(key image.Key)
	Close()
}

func (c Config) withDefaults() Config {
	if c.NewEngine == nil {
		c.NewEngine = func(o hg.Options) Engine { return hg.New(o) }
	}
	if c.Verify == nil {
		c.Verify = hg.VerifyImage
	}
	if c.exit == nil {
		c.exit = os.Exit
	}
	if c.grace == 0 {
		c.grace = 5 * time.Second
	}
	if c.last == 0 {
		c.last = time.Minute
	}
	return c
}
