// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/color"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revset"
)

// Context is a command while it runs: its command line, its configuration, and
// the way to the repository and to the user.
type Context struct {
	context.Context

	Args   []string       // without options
	Opts   cmdline.Values // the command's own
	Global cmdline.Values

	Config   *config.Config
	Encoding *encoding.Encoding
	Quiet    bool
	Verbose  bool
	Debug    bool

	Cwd     string // working directory, absolute
	Now     time.Time
	Local   *time.Location
	Getenv  func(string) (string, bool)
	Version string  // of the real hg, "6.3.2"; "" when it is not known
	Umask   *uint32 // nil when it is not known

	// Evolve and Topic are the releases of these extensions when they are on, ""
	// otherwise.
	Evolve, Topic string
	// RefuseText, unless nil, refuses a revset with what only an extension knows.
	RefuseText func(text string) error

	Stdout io.Writer
	Stderr io.Writer
	// Seekable says that Stdout is a file, in which hg could go back; Appends
	// that it has something in front already.
	Seekable, Appends bool
	Color             *color.Palette // nil without colors

	Repo *repo.Repo // nil without a repository
	view *repo.View
	// OpenRepo opens another repository, whose working directory is root.
	OpenRepo func(root string) (*repo.Repo, error)

	// AsksQueue tells that mq() may be asked for, if the extension mq is enabled.
	AsksQueue    bool
	queueAliases []revset.Alias

	// OpenSub opens a subrepository with its own configuration; nil leaves them to hg.
	OpenSub func(root string) (*repo.Repo, *config.Config, error)

	within string // where this repository lies in the outermost one, "" for that
	opened opened // the subrepositories of the command; shared by all of them
	// badNames is how names are shown that are not there; nil in the outermost
	// repository.
	badNames func(path string) string
	lostSubs *error // that of findLostSubs

	sparseFiles match.Matcher // of a sparse checkout, nil before it is needed

	// Buffers is where formatters have their memory from; nil is fine.
	Buffers  *Buffers
	pending  []*bytes.Buffer // what formatters hold
	outputs  []*output
	sets     []*fileset.Matcher
	failures []*atomic.Pointer[error] // of patterns that took too long

	walked   match.Matcher                         // the files of log, nil for all; see logFiles
	followed func(node.Rev) (match.Matcher, error) // those of log --follow FILE, by changeset; nil: see walked
}

// Spill hands on what formatters still hold: what hg's user sees before an error.
// No formatter is used after it.
func (c *Context) Spill() {
	for _, b := range c.pending {
		c.Stdout.Write(b.Bytes())
		c.Buffers.put(b)
	}
	c.pending = nil
}

// FirstError is what the command failed by: an item that could not be shown came
// before whatever ended it, which is err.
func (c *Context) FirstError(err error) error {
	for _, o := range c.outputs {
		if o.Formatter != nil && o.Err() != nil {
			return o.Err()
		}
	}
	return err
}

// buffer is the memory of a formatter, which Spill looks at.
func (c *Context) buffer() *bytes.Buffer {
	b := c.Buffers.get()
	c.pending = append(c.pending, b)
	return b
}

// Buffers is memory that one command after the other uses, on one goroutine.
type Buffers struct{ free []*bytes.Buffer }

const (
	keptBuffers = 2
	keptBuffer  = 4 * flushSize // bytes of each, at most
)

func (s *Buffers) get() *bytes.Buffer {
	if s == nil || len(s.free) == 0 {
		return new(bytes.Buffer)
	}
	last := len(s.free) - 1
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

func (s *Buffers) put(b *bytes.Buffer) {
	if s != nil && len(s.free) < keptBuffers && b.Cap() <= keptBuffer {
		b.Reset()
		s.free = append(s.free, b)
	}
}

// View brings the repository up to date and reads the checkout, the first time;
// later calls return the same view, so that a command sees one state.
func (c *Context) View() (*repo.View, error) {
	if c.view != nil {
		return c.view, nil
	}
	if c.Repo == nil {
		return nil, hgerr.Abortf(hgerr.NotARepository, "there is no Mercurial repository here (.hg not found)")
	}
	if c.Global.On("hidden") && c.At72() && c.Repo.Layout.Requirements.Has(requires.TreeManifest) {
		// Of what it shows then, hg 7 finds the tags in the part of a manifest that
		// changed, which it takes for the whole.
		return nil, unsupported("--hidden with tree manifests, of which hg 7 may die")
	}
	if err := c.Repo.Begin(c, time.Now); err != nil {
		return nil, err
	}
	v, err := c.Repo.NewView(c.Config, c.Encoding, c.Cwd, c.Getenv, repo.Visibility{Hidden: c.Global.On("hidden")}, c.warnRaw)
	if err != nil {
		return nil, err
	}
	if c.AsksQueue {
		if c.queueAliases, err = queueAlias(v); err != nil {
			return nil, err
		}
	}
	c.view, v.Topics = v, c.Topic
	v.WdirStatus = func() (modified, added, removed []string, err error) {
		p1, _ := v.WdirParents()
		st, err := c.statusOf(v, p1, node.WdirRev, match.Always(), false, false, false)
		if err != nil {
			return nil, nil, nil, err
		}
		return st.Modified, st.Added, st.Removed, nil
	}
	v.RemoteNode = func(name, source string) (node.ID, error) { return c.remoteNode(v, name, source) }
	v.OutgoingTo = func(dest string) ([]node.Rev, error) { return c.outgoingTo(v, dest) }
	if c.Topic != "" && v.UnsaidMarkers() {
		return v, unsupported("topics beside obsolescence markers that evolution is not enabled for")
	}
	if c.Debug {
		return v, refuseChatter(v)
	}
	return v, nil
}

func (c *Context) warnRaw(text string) { io.WriteString(c.Stderr, text) }

// Print writes to standard output.
func (c *Context) Print(text string) { io.WriteString(c.Stdout, text) }

// PrintLabel writes to standard output under hg's labels, separated by blanks.
func (c *Context) PrintLabel(labels, text string) {
	io.WriteString(c.Stdout, c.Color.Label(labels, text))
}

// Printf formats to standard output.
func (c *Context) Printf(format string, args ...any) { fmt.Fprintf(c.Stdout, format, args...) }

// Status writes to standard output unless --quiet.
func (c *Context) Status(format string, args ...any) {
	if !c.Quiet {
		fmt.Fprintf(c.Stdout, format, args...)
	}
}

// Warnf writes to standard error.
func (c *Context) Warnf(format string, args ...any) { fmt.Fprintf(c.Stderr, format, args...) }

// At72 tells whether the real hg is 7.0 or newer.
func (c *Context) At72() bool { return c.Config.Version().AtLeast(7, 0) }

// unsupported names an unsupported part of this command.
func unsupported(format string, args ...any) error { return hgerr.NewUnsupported(format, args...) }

// inputError is hg's InputError.
func inputError(format string, args ...any) error { return hgerr.Abortf(hgerr.Input, format, args...) }
