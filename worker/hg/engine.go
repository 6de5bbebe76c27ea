// SPDX-License-Identifier: GPL-2.0-or-later

// Package hg is the engine: it answers Mercurial's read commands from a
// repository's files, byte for byte what hg prints.
//
// It is a library. It starts no process, opens no socket, reads no environment
// variable and no clock, and writes nothing into a repository: whatever it
// needs comes with the Request. What it does not do exactly as hg does is
// returned as *hgerr.Unsupported before a byte was printed.
package hg

import (
	"context"
	"io"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
)

// Options configure an Engine.
type Options struct {
	// Images is where loaded repositories come from; nil means image.Private.
	Images image.Source
	// Repositories is how many are kept open between commands; 0 means 8.
	Repositories int
}

// Request is one command line.
type Request struct {
	Args   []string // without argv[0]
	Dir    string   // working directory, absolute
	Env    []string // NAME=VALUE
	UID    int      // whose configuration is trusted
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    time.Time
	Local  *time.Location
}

// Result is what is known after a command ran.
type Result struct {
	ExitCode   int
	Command    string // hg's name of it, "" when none was found
	Repository string // the working directory's root, "" without a repository
	Store      string // the store's real path
	Generation string // changes when the store or the checkout does
	Loaded     string // "", "built" or "refreshed": what became of the image
	LoadTime   time.Duration
}

// Engine runs commands, one at a time, and keeps repositories open between
// them. It is not safe for concurrent use.
type Engine struct {
	opts Options
}

// New returns an engine without any open repository.
func New(opts Options) *Engine { return &Engine{opts: opts} }

// Run runs one command line. When it returns nil the command ran, as hg counts
// it: its output, its errors and Result.ExitCode are hg's. A *hgerr.Unsupported
// says that nothing was printed and the real hg must do it.
func (e *Engine) Run(ctx context.Context, r *Request) (Result, error) {
	return Result{}, hgerr.NewUnsupported("everything")
}

// Load opens the repository whose working directory is root and brings its
// image up to date, so that the next command finds it warm.
func (e *Engine) Load(ctx context.Context, r *Request, root string) (Result, error) {
	return Result{}, hgerr.NewUnsupported("everything")
}

// Forget closes what is held open of a key, so that its memory can go.
func (e *Engine) Forget(key image.Key) {}

// Close closes everything that is held open.
func (e *Engine) Close() {}

// VerifyImage walks all of an image of the given kind and reports the first
// thing in it that is not as it must be.
func VerifyImage(m *image.Image) error { return m.Verify() }
