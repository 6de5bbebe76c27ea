// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
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
	qappliedSpec   = Spec{Name: "qapplied", Options: join(native(cmdline.Flag("1", "last")), qSummary()), Run: runQapplied}
	qunappliedSpec = Spec{Name: "qunapplied", Options: join(native(cmdline.Flag("1", "first")), qSummary()), Run: runQunapplied}
	qseriesSpec    = Spec{Name: "qseries", Options: join(native(cmdline.Flag("m", "missing")), qSummary()), Run: runQseries}
	qtopSpec       = Spec{Name: "qtop", Options: qSummary(), Run: runQtop}
	qnextSpec      = Spec{Name: "qnext", Options: qSummary(), Run: runQnext}
	qprevSpec      = Spec{Name: "qprev", Options: qSummary(), Run: runQprev}
)

func queueSpecs() []*Spec {
	return []*Spec{&qappliedSpec, &qnextSpec, &qprevSpec, &qseriesSpec, &qtopSpec, &qunappliedSpec}
}

// queue reads the queue for a command with that many arguments at most.
func (c *Context) queue(args int) (*mq.Queue, error) {
	if len(c.Args) > args {
		return nil, unsupported("usage error: arguments of an mq command")
	}
	if c.Color != nil {
		return nil, unsupported("mq with colors")
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
	if c.Opts.On("missing") {
		return 0, unsupported("qseries --missing")
	}
	q, err := c.queue(0)
	if err != nil {
		return 0, err
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
		state := byte('G')
		if slices.ContainsFunc(q.Applied, func(a mq.Applied) bool { return a.Name == name }) {
			state = 'A'
		} else if q.Pushable(i) {
			state = 'U'
		}
		if c.Verbose {
			number := strconv.Itoa(i)
			c.Print(pad(width-len(number)) + number + " " + string(state) + " ")
		} else if only != 0 && only != state {
			continue
		}
		c.Print(name)
		if c.Opts.On("summary") {
			message, err := patchMessage(filepath.Join(q.Dir, name))
			if err != nil {
				return err
			}
			c.Print(": " + message)
		}
		c.Print("\n")
	}
	return nil
}

// patchMessage is the first line of the message of a patch in Mercurial's own form:
// lines "# ...", then the message, then the diff.
func patchMessage(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(text, []byte("# HG changeset patch\n")) || bytes.IndexByte(text, '\r') >= 0 {
		return "", unsupported("the message of a patch of another form")
	}
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimRight(line, pythonSpace); {
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "Index:"), strings.HasPrefix(line, "---"):
			return "", nil
		case line != "" && line[0] != '#':
			return line, nil
		case line != "" && !strings.HasPrefix(line, "# "):
			return "", unsupported("the message of a patch of another form")
		}
	}
	return "", nil
}

// showQueue adds mq's line to summary.
func (s *summary) showQueue() error {
	c := s.c
	q, err := mq.Read(s.v.Layout.Dot)
	if err != nil {
		return err
	}
	if c.Color != nil || c.Verbose && q.Guarded() {
		return unsupported("summary with the extension mq")
	}
	var words []string
	if n := len(q.Applied); n > 0 {
		words = append(words, strconv.Itoa(n)+" applied")
	}
	if n := q.Unapplied(); n > 0 {
		words = append(words, strconv.Itoa(n)+" unapplied")
	}
	switch {
	case len(words) > 0:
		c.Print("mq:     " + strings.Join(words, ", ") + "\n")
	case c.Verbose:
		c.Print("mq:     (empty queue)\n")
	}
	return nil
}
