// SPDX-License-Identifier: GPL-2.0-or-later

// Package hg is the engine: it answers Mercurial's read commands from a
// repository's files, byte for byte what hg prints.
//
// It is a library. It starts no process, opens no socket, reads no environment
// variable and no clock but to measure itself, and writes nothing into a
// repository: whatever it needs comes with the Request. What it does not do
// exactly as hg does is returned as *hgerr.Unsupported before a byte was printed.
//
// The way of a command: dispatch.go reads the command line and the
// configuration as hg's dispatcher does, package command has what each command
// does, package repo opens repositories, and package snapshot is what is known of
// a store without reading its history.
package hg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
)

// Options configure an Engine.
type Options struct {
	// Images is where loaded repositories come from; nil means image.Private.
	Images image.Source
	// Repositories is how many are kept open between commands; 0 means 8.
	Repositories int
	// Deferred leaves it to the caller to call Settle, or Settling, after each
	// command has answered. Otherwise Run does so itself.
	Deferred bool
	// Crew is for the work of settlements.
	Crew repo.Crew
}

// Installation is the real hg that the engine stands in for. Its version decides
// where releases differ.
type Installation struct {
	Path    string // as found in PATH, "" when there is none
	Version string // "6.3.2"; "" when not known
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
	// Terminal says that Stdout is a terminal: colour and pager are then up to
	// the real hg.
	Terminal bool
	// Seekable says that Stdout is a file, in which the real hg could go back;
	// Appends that it has something in front already.
	Seekable, Appends bool
	// Umask is the client's, which one command shows; nil when it is not known.
	Umask *uint32
	Now   time.Time
	Hg    Installation
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
	opts    Options
	repos   []*repo.Repo // the one used last comes first
	inUse   int          // how many of them the command has opened
	configs configCache
	inside  int               // how many subrepositories the last command opened
	absent  []*store.Absences // of the .hg directories used last; the last one comes first

	environments []*environment      // the one used last comes first
	dialects     map[string]*dialect // by the version of hg
	buffers      command.Buffers
	held         [2][]byte // memory for what an output holds back
	encodings    map[encoding.Settings]*encoding.Encoding
}

// New returns an engine without any open repository.
func New(opts Options) *Engine {
	if opts.Images == nil {
		opts.Images = image.Private{}
	}
	if opts.Repositories == 0 {
		opts.Repositories = 8
	}
	return &Engine{opts: opts, dialects: map[string]*dialect{}, encodings: map[encoding.Settings]*encoding.Encoding{}}
}

// runAttempts is how often a command starts again when the store changed while
// it read.
const runAttempts = 10

// Run runs one command line. When it returns nil the command ran, as hg counts
// it: its output, its errors and Result.ExitCode are hg's. A *hgerr.Unsupported
// says that nothing was printed and the real hg must do it.
func (e *Engine) Run(ctx context.Context, r *Request) (Result, error) {
	defer e.leave()
	for attempt := 1; ; attempt++ {
		e.trim()
		out := newOutput(r.Stdout, r.Stderr, &e.held)
		d := &dispatcher{e: e, ctx: ctx, r: r, out: out}
		code, err := d.run()
		if untold := d.untold(); untold != nil {
			err = untold
		}
		if err != nil && hgerr.IsUnsupported(err) {
			if !out.Discard() {
				return d.result, fmt.Errorf("unsupported after output: %w", err)
			}
			return d.result, err
		}
		if err != nil && ctx.Err() == nil && attempt < runAttempts && d.storeMoved(err) && out.Discard() {
			continue
		}
		if err != nil {
			if code, err = d.report(err); err != nil {
				if hgerr.IsUnsupported(err) && !out.Discard() {
					return d.result, fmt.Errorf("unsupported after output: %w", err)
				}
				return d.result, err
			}
		}
		out.Finish()
		d.finish(code)
		e.inside = len(d.subs)
		if ctx.Err() != nil {
			return d.result, ctx.Err()
		}
		if !e.opts.Deferred {
			e.Settle()
		}
		return d.result, out.failed
	}
}

// Prepare does, before anybody asks, what the first command would have to wait for:
// tables that all commands share, and the configuration that r's environment gives. r
// has no arguments, and its directory is in no repository, else nothing is done.
func (e *Engine) Prepare(ctx context.Context, r *Request) {
	if _, inside := repo.Find(r.Dir); inside {
		return
	}
	for _, args := range [][]string{{"version", "-T", "{ver}"}, {"log", "-r", ".", "-T", "{node}"}, {"log", "-G", "-l1"}} {
		q := *r
		q.Args = args
		_, _ = e.Run(ctx, &q)
	}
}

// untold is why the answer does not count: something was asked for that could
// not be told.
func (d *dispatcher) untold() error {
	if d.repo == nil {
		return nil
	}
	err := d.repo.Err()
	for _, r := range d.subs {
		if err == nil {
			err = r.Err()
		}
	}
	return err
}

// storeMoved tells whether an error is about bytes on disk which are not those
// any more that the command began with.
func (d *dispatcher) storeMoved(err error) bool {
	var damage *hgerr.Damage
	if !errors.As(err, &damage) || d.repo == nil {
		return false
	}
	return damage.Changed || d.repo.Moved() || slices.ContainsFunc(d.subs, (*repo.Repo).Moved)
}

// keptEncodings bounds how many encodings are remembered.
const keptEncodings = 16

func (e *Engine) encoding(s encoding.Settings) (*encoding.Encoding, error) {
	if enc := e.encodings[s]; enc != nil {
		return enc, nil
	}
	enc, err := encoding.New(s)
	if err != nil {
		return nil, err
	}
	if len(e.encodings) >= keptEncodings {
		clear(e.encodings)
	}
	e.encodings[s] = enc
	return enc, nil
}

// absences are those of a .hg directory.
func (e *Engine) absences(dir string) *store.Absences {
	for i, a := range e.absent {
		if a.Dir == dir {
			copy(e.absent[1:i+1], e.absent[:i])
			e.absent[0] = a
			return a
		}
	}
	a := &store.Absences{Dir: dir}
	keep := e.absent[:min(len(e.absent), e.opts.Repositories)]
	for _, old := range e.absent[len(keep):] {
		old.Leave()
	}
	e.absent = append([]*store.Absences{a}, keep...)
	return a
}

// leave closes the .hg directories that a command had open.
func (e *Engine) leave() {
	for _, a := range e.absent {
		a.Leave()
	}
}

// open returns the repository at root, from those kept open if its layout has
// not changed. resolved says that root has no symbolic link in it.
func (e *Engine) open(root string, resolved bool, absent *store.Absences) (*repo.Repo, error) {
	real := root
	if !resolved {
		if to, err := filepath.EvalSymlinks(root); err == nil {
			real = to
		}
	}
	for i, r := range e.repos {
		if r.Layout.Root != real {
			continue
		}
		copy(e.repos[1:i+1], e.repos[:i])
		e.repos[0] = r
		r.Absent = absent
		if r.Resume() {
			if i >= e.inUse {
				e.inUse++
			}
			return r, nil
		}
		if i < e.inUse {
			e.inUse--
		}
		r.Close()
		e.repos = e.repos[1:]
		break
	}
	r, err := repo.Open(root, e.opts.Images)
	if err != nil {
		return nil, err
	}
	r.Absent = absent
	e.repos = append([]*repo.Repo{r}, e.repos...)
	e.inUse++
	e.keep(max(e.opts.Repositories+e.inside, e.inUse))
	return r, nil
}

// maxOpen bounds the repositories that are open at once.
const maxOpen = 200

// trim is for the next command: the repositories that are too many are closed. A
// command keeps all that it opens, its subrepositories, to its end, and the next one
// is likely to want them again.
func (e *Engine) trim() {
	e.inUse = 0
	e.keep(e.opts.Repositories + e.inside)
}

// keep closes all but the n repositories used last.
func (e *Engine) keep(n int) {
	for len(e.repos) > n {
		last := len(e.repos) - 1
		e.repos[last].Close()
		e.repos = e.repos[:last]
		e.inUse = min(e.inUse, last)
	}
}

// fewBranches is of how many changesets the branch is found out before anybody asks.
const fewBranches = 1 << 16

// anticipate finds out what is not in every image, and most commands ask for some of:
// tags and, where that is no great work, branches.
func (e *Engine) anticipate(ctx context.Context, r *Request, rp *repo.Repo) {
	defer func(was bool) { e.opts.Deferred = was }(e.opts.Deferred)
	e.opts.Deferred = true
	lines := [][]string{{"log", "-r", "null", "-T", "{tags}"}}
	if s := rp.Snapshot(); s.Len()-s.BranchesKnown() <= fewBranches {
		lines = append(lines, []string{"branches", "-T", ""})
	}
	for _, args := range lines {
		q := *r
		q.Args, q.Dir, q.Stdin, q.Stdout, q.Stderr = args, rp.Layout.Root, strings.NewReader(""), io.Discard, io.Discard
		_, _ = e.Run(ctx, &q) // what is wrong is for a command to say
	}
}

// Load opens the repository whose working directory is root and brings its
// image up to date, so that the next command finds it warm.
func (e *Engine) Load(ctx context.Context, r *Request, root string) (Result, error) {
	var res Result
	e.trim()
	rp, err := e.open(root, false, nil)
	if err == nil {
		for _, name := range requires.ByExtension {
			if rp.Layout.Requirements.Has(name) {
				return res, hgerr.NewUnsupported("requirement %s", name)
			}
		}
	}
	if err != nil {
		return res, err
	}
	res.Repository, res.Store = rp.Layout.Root, rp.Layout.StorePath
	if err := rp.Begin(ctx, time.Now); err != nil {
		return res, err
	}
	res.Loaded, res.LoadTime = rp.Loaded(), rp.LoadTime
	rp.RefreshCheckout()
	if e.anticipate(ctx, r, rp); !slices.Contains(e.repos, rp) {
		return res, nil // it is another one meanwhile
	}
	if s := rp.Settling(); s != nil {
		s.Crew = e.opts.Crew
		err := s.Make(ctx, e.opts.Images)
		if rp.Adopt(s); err != nil {
			return res, err
		}
	}
	res.Generation = rp.Generation()
	return res, nil
}

// Settle makes images of what the last command found out, for the Source. It is
// for the time after the answer has gone out, and what goes wrong loses nothing
// but time: the next command that needs it fails with the same.
func (e *Engine) Settle() {
	if s := e.Settling(); s != nil {
		_ = s.Make(context.Background(), e.opts.Images)
		e.Adopt(s)
	}
}

// Settlement is what Settle does, in steps: Make may run on another goroutine
// while the engine runs commands.
type Settlement struct {
	repos []*repo.Repo
	parts []*repo.Settlement // of each
}

// Settling begins a settlement, which must be given to Adopt. It returns nil when
// there is nothing to do.
func (e *Engine) Settling() *Settlement {
	var s *Settlement
	for _, r := range e.repos {
		if part := r.Settling(); part != nil {
			if s == nil {
				s = &Settlement{}
			}
			part.Crew = e.opts.Crew
			s.repos, s.parts = append(s.repos, r), append(s.parts, part)
		}
	}
	return s
}

// Make makes images and gives them to a source, until ctx ends it.
func (s *Settlement) Make(ctx context.Context, to image.Source) (err error) {
	for _, part := range s.parts {
		err = errors.Join(err, part.Make(ctx, to))
	}
	return err
}

// Adopt ends a settlement: commands use the images from now on.
func (e *Engine) Adopt(s *Settlement) {
	for i, r := range s.repos {
		r.Adopt(s.parts[i])
	}
}

// Release gives back what Adopt replaced, which is as large as the repository. Until
// then, or the next command, the answer of the last one may still be used.
func (e *Engine) Release() {
	for _, r := range e.repos {
		r.Release()
	}
}

// Unsettled tells whether Settling has anything to do.
func (e *Engine) Unsettled() bool {
	for _, r := range e.repos {
		if r.Unsettled() {
			return true
		}
	}
	return false
}

// Forget closes what is held open of a key, so that its memory can go.
func (e *Engine) Forget(key image.Key) {
	kept := e.repos[:0]
	for _, r := range e.repos {
		if r.Key().Path == key.Path || (key.Kind == image.Checkout || key.Kind == image.Manifest) && r.Layout.Root == key.Path {
			r.Close()
		} else {
			kept = append(kept, r)
		}
	}
	e.repos = kept
}

// Close closes everything that is held open.
func (e *Engine) Close() {
	for _, r := range e.repos {
		r.Close()
	}
	e.repos = nil
}

// VerifyImage walks all of an image of the given kind and reports the first
// thing in it that is not as it must be. It does not close the image.
//
// An image of kind Growth belongs to another one, which is not at hand here: that
// it cannot do harm is checked, and that it belongs to it when it is used.
func VerifyImage(m *image.Image) error {
	var opened interface{ Verify() error }
	var err error
	switch m.Info().Kind {
	case image.Growth:
		return snapshot.VerifyGrowth(m)
	case image.Texts:
		opened, err = snapshot.OpenTexts(m)
	case image.Checkout:
		opened, err = snapshot.OpenCheckout(m)
	case image.Manifest:
		opened, err = snapshot.OpenManifest(m)
	default:
		opened, err = snapshot.Open(m)
	}
	if err != nil {
		return err
	}
	return opened.Verify()
}

// NativeRequirements lists the repository requirements that are read natively.
func NativeRequirements() []string { return requires.Native() }

// FindVersion reads the version of the Mercurial that an executable belongs to
// from the file __version__.py of its installation; "" when it cannot be found
// without running it.
func FindVersion(hgPath string) string {
	for _, rc := range config.FindDefaultRC(hgPath) {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(rc)), "__version__.py"))
		if err == nil {
			return parseVersionFile(text)
		}
	}
	return ""
}
