// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/mq"
)

// What the extension mq shows of its queue. The dispatcher finds these commands
// only while the extension is enabled.

func qSummary() []Option { return native(cmdline.Flag("s", "summary")) }

var (
	qappliedSpec   = Spec{Name: "qapplied", Options: func() []Option { return join(native(cmdline.Flag("1", "last")), qSummary()) }, Run: runQapplied}
	qunappliedSpec = Spec{Name: "qunapplied", Options: func() []Option { return join(native(cmdline.Flag("1", "first")), qSummary()) }, Run: runQunapplied}
	qheaderSpec    = Spec{Name: "qheader", Run: runQheader}
	qguardSpec     = Spec{Name: "qguard", Options: func() []Option { return join(native(cmdline.Flag("l", "list")), others(cmdline.Flag("n", "none"))) }, Run: runQguard}
	qselectSpec    = Spec{Name: "qselect", Options: func() []Option {
		return join(native(cmdline.Flag("s", "series")), others(cmdline.Flag("n", "none"), cmdline.Flag("", "pop"), cmdline.Flag("", "reapply")))
	}, Run: runQselect}
	qqueueSpec = Spec{
		Name: "qqueue",
		Options: func() []Option {
			return join(native(cmdline.Flag("l", "list"), cmdline.Flag("", "active")),
				others(cmdline.Flag("c", "create"), cmdline.Flag("", "rename"), cmdline.Flag("", "delete"), cmdline.Flag("", "purge")))
		},
		Run: runQqueue,
	}
	qseriesSpec = Spec{Name: "qseries", Options: func() []Option { return join(native(cmdline.Flag("m", "missing")), qSummary()) }, Run: runQseries}
	qtopSpec    = Spec{Name: "qtop", Options: qSummary, Run: runQtop}
	qnextSpec   = Spec{Name: "qnext", Options: qSummary, Run: runQnext}
	qprevSpec   = Spec{Name: "qprev", Options: qSummary, Run: runQprev}
)

func queueSpecs() []*Spec {
	return []*Spec{&qappliedSpec, &qdiffSpec, &qguardSpec, &qheaderSpec, &qnextSpec, &qprevSpec, &qqueueSpec, &qselectSpec, &qseriesSpec, &qtopSpec, &qunappliedSpec}
}

// queue reads the queue for a command with that many arguments at most.
func (c *Context) queue(args int) (*mq.Queue, error) {
	if len(c.Args) > args {
		return nil, unsupported("usage error: arguments of an mq command")
	}
	if _, err := c.View(); err != nil {
		return nil, err
	}
	return mq.Read(c.Repo.Layout.Dot)
}

// queueFrom is queue for a command that may begin behind a patch of the series.
func (c *Context) queueFrom() (q *mq.Queue, after int, err error) {
	if q, err = c.queue(1); err != nil {
		return nil, 0, err
	}
	if len(c.Args) == 0 || c.Args[0] == "" {
		return q, q.End(), nil
	}
	if after = q.Index(c.Args[0]) + 1; after == 0 {
		return nil, 0, hgerr.Abortf(hgerr.Other, "patch %s is not in series file", c.Args[0])
	}
	return q, after, nil
}

func runQapplied(c *Context) (int, error) {
	q, end, err := c.queueFrom()
	if err != nil {
		return 0, err
	}
	if !c.Opts.On("last") {
		return 0, c.listQueue(q, 0, end, 'A')
	}
	switch end {
	case 0:
		c.Print("no patches applied\n")
		return 1, nil
	case 1:
		c.Print("only one patch applied\n")
		return 1, nil
	}
	return 0, c.listQueue(q, end-2, 1, 'A')
}

func runQunapplied(c *Context) (int, error) {
	q, start, err := c.queueFrom()
	if err != nil {
		return 0, err
	}
	length := len(q.Series) - start
	if c.Opts.On("first") {
		if length == 0 {
			c.Print("all patches applied\n")
			return 1, nil
		}
		length = 1
	}
	return 0, c.listQueue(q, start, length, 'U')
}

func runQseries(c *Context) (int, error) {
	q, err := c.queue(0)
	if err != nil {
		return 0, err
	}
	if c.Opts.On("missing") {
		return 0, c.listMissing(q)
	}
	return 0, c.listQueue(q, 0, len(q.Series), 0)
}

func runQtop(c *Context) (int, error) {
	q, err := c.queue(0)
	if err != nil {
		return 0, err
	}
	if q.End() == 0 {
		c.Print("no patches applied\n")
		return 1, nil
	}
	return 0, c.listQueue(q, q.End()-1, 1, 'A')
}

func runQnext(c *Context) (int, error) {
	q, err := c.queue(0)
	if err != nil {
		return 0, err
	}
	if c.Verbose && q.Guarded() {
		return 0, unsupported("what mq tells of guards")
	}
	next := q.Next()
	if next == len(q.Series) {
		c.Print("all patches applied\n")
		return 1, nil
	}
	return 0, c.listQueue(q, next, 1, 0)
}

func runQprev(c *Context) (int, error) {
	q, err := c.queue(0)
	if err != nil {
		return 0, err
	}
	switch len(q.Applied) {
	case 0:
		c.Print("no patches applied\n")
		return 1, nil
	case 1:
		c.Print("only one patch applied\n")
		return 1, nil
	}
	i := q.Index(q.Applied[len(q.Applied)-2].Name)
	if i < 0 {
		return 0, unsupported("an applied patch that is not in mq's series")
	}
	return 0, c.listQueue(q, i, 1, 'A')
}

// listQueue prints patches of the series; only, unless 0, is the state of those
// that --verbose does not need to tell apart.
func (c *Context) listQueue(q *mq.Queue, start, length int, only byte) error {
	width := len(strconv.Itoa(start + length - 1))
	for i := start; i < start+length; i++ {
		name := q.Series[i].Name
		state := patchState(q, i)
		letter := state[0] - 'a' + 'A'
		prefix := ""
		if c.Verbose {
			prefix = fmt.Sprintf("%*d %c ", width, i, letter)
		} else if only != 0 && only != letter {
			continue
		}
		if err := c.printPatch(q, prefix, name, state); err != nil {
			return err
		}
	}
	return nil
}

// patchState is whether patch i of the series is "applied", "unapplied", or
// "guarded", which keeps it from being applied.
func patchState(q *mq.Queue, i int) string {
	switch {
	case slices.ContainsFunc(q.Applied, func(a mq.Applied) bool { return a.Name == q.Series[i].Name }):
		return "applied"
	case q.Pushable(i):
		return "unapplied"
	}
	return "guarded"
}

// printPatch prints a line about a patch.
func (c *Context) printPatch(q *mq.Queue, prefix, name, state string) error {
	c.Print(prefix)
	c.PrintLabel("qseries."+state, name)
	if c.Opts.On("summary") {
		if on, err := c.Config.Bool("ui", "formatted"); err != nil || on {
			return unsupported("ui.formatted")
		}
		message, err := c.patchMessage(q, name)
		if err != nil {
			return err
		}
		c.Print(": ")
		if len(message) > 0 {
			c.PrintLabel("qseries.message."+state, message[0])
		}
	}
	c.Print("\n")
	return nil
}

// listMissing prints the files that lie beside the patches.
func (c *Context) listMissing(q *mq.Queue) error {
	names, err := q.Missing()
	if err != nil {
		return err
	}
	prefix := ""
	if c.Verbose {
		prefix = "D "
	}
	for _, name := range names {
		if err := c.printPatch(q, prefix, name, "missing"); err != nil {
			return err
		}
	}
	return nil
}

// patchMessage is the message of a patch, line by line.
func (c *Context) patchMessage(q *mq.Queue, name string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(q.Dir, name))
	if err != nil {
		return nil, unsupported("a patch that cannot be read: %v", err)
	}
	return mq.Message(text), nil
}

// showQueue adds mq's line to summary.
func (s *summary) showQueue() error {
	c := s.c
	q, err := mq.Read(s.v.Layout.Dot)
	if err != nil {
		return err
	}
	if c.Verbose && q.Guarded() {
		return unsupported("summary with the extension mq")
	}
	var words []string
	if n := len(q.Applied); n > 0 {
		words = append(words, c.Color.Label("qseries.applied", fmt.Sprintf("%d applied", n)))
	}
	if n := q.Unapplied(); n > 0 {
		words = append(words, c.Color.Label("qseries.unapplied", fmt.Sprintf("%d unapplied", n)))
	}
	switch {
	case len(words) > 0:
		c.Print("mq:     " + strings.Join(words, ", ") + "\n")
	case c.Verbose:
		c.Print("mq:     (empty queue)\n")
	}
	return nil
}
