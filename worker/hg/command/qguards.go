// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/mq"
)

// What mq shows of the message and the guards of its patches, and of its queues.
// The forms of these commands that change something are hg's.

func runQheader(c *Context) (int, error) {
	q, err := c.queue(1)
	if err != nil {
		return 0, err
	}
	name := "qtip"
	if len(c.Args) == 1 && c.Args[0] != "" {
		name = c.Args[0]
	} else if len(q.Applied) == 0 {
		c.Print("no patches applied\n")
		return 1, nil
	}
	i, err := q.Lookup(name, c.warnRaw)
	if err != nil {
		return 0, err
	}
	message, err := c.patchMessage(q, q.Series[i].Name)
	if err != nil {
		return 0, err
	}
	c.Print(strings.Join(message, "\n") + "\n")
	return 0, nil
}

func runQguard(c *Context) (int, error) {
	q, err := c.queue(len(c.Args))
	if err != nil {
		return 0, err
	}
	list := c.Opts.On("list")
	switch {
	case list && len(c.Args) > 0:
		return 0, hgerr.Abortf(hgerr.Other, "cannot mix -l/--list with options or arguments")
	case list:
		for i := range q.Series {
			c.showGuards(q, i)
		}
		return 0, nil
	case len(c.Args) > 1 || len(c.Args) == 1 && (c.Args[0] == "" || strings.ContainsAny(c.Args[0][:1], "-+")):
		return 0, unsupported("qguard that sets guards")
	}
	if len(c.Args) == 0 && len(q.Applied) == 0 {
		return 0, hgerr.Abortf(hgerr.Other, "no patches applied")
	}
	name := ""
	if len(c.Args) == 1 {
		name = c.Args[0]
	} else {
		name = q.Applied[len(q.Applied)-1].Name
	}
	i, err := q.Lookup(name, c.warnRaw)
	if err != nil {
		return 0, err
	}
	c.showGuards(q, i)
	return 0, nil
}

// showGuards prints a patch with its guards.
func (c *Context) showGuards(q *mq.Queue, i int) {
	state := patchState(q, i)
	c.PrintLabel("qguard.patch qguard."+state+" qseries."+state, q.Series[i].Name)
	c.Print(": ")
	guards := q.Series[i].Guards
	if len(guards) == 0 {
		guards = []string{"unguarded"}
	}
	for n, guard := range guards {
		if n > 0 {
			c.Print(" ")
		}
		label := "qguard.unguarded"
		switch guard[0] {
		case '+':
			label = "qguard.positive"
		case '-':
			label = "qguard.negative"
		}
		c.PrintLabel(label, guard)
	}
	c.Print("\n")
}

func runQselect(c *Context) (int, error) {
	q, err := c.queue(len(c.Args))
	if err != nil {
		return 0, err
	}
	note := func(text string) {
		if c.Verbose {
			c.Print(text)
		}
	}
	switch {
	case len(c.Args) > 0:
		return 0, unsupported("qselect that selects")
	case c.Opts.On("series"):
		c.countGuards(q, note)
	case len(q.Active) == 0:
		c.Print("no active guards\n")
	default:
		note("active guards:\n")
		for _, g := range q.Active {
			c.Print(g + "\n")
		}
	}
	return 0, nil
}

// countGuards prints the guards of all patches.
func (c *Context) countGuards(q *mq.Queue, note func(string)) {
	type counted struct {
		guard string
		n     int
	}
	var list []counted
	none := 0
	for _, p := range q.Series {
		if len(p.Guards) == 0 {
			none++
		}
		for _, g := range p.Guards {
			i := slices.IndexFunc(list, func(k counted) bool { return k.guard == g })
			if i < 0 {
				i, list = len(list), append(list, counted{guard: g})
			}
			list[i].n++
		}
	}
	if c.Verbose {
		list = append(list, counted{"NONE", none})
	}
	if len(list) == 0 {
		note("no guards in series file\n")
		return
	}
	slices.SortStableFunc(list, func(a, b counted) int { return strings.Compare(a.guard[1:], b.guard[1:]) })
	note("guards in series file:\n")
	for _, k := range list {
		note(fmt.Sprintf("%2d  ", k.n))
		c.Print(k.guard + "\n")
	}
}

func runQqueue(c *Context) (int, error) {
	if _, err := c.queue(1); err != nil {
		return 0, err
	}
	if len(c.Args) == 1 && c.Args[0] != "" && !c.Opts.On("list") && !c.Opts.On("active") {
		return 0, unsupported("qqueue that switches")
	}
	all, active, err := mq.Queues(c.Repo.Layout.Dot)
	if err != nil {
		return 0, err
	}
	if c.Opts.On("active") {
		c.Print(active + "\n")
		return 0, nil
	}
	for _, name := range all {
		if name == active && !c.Quiet {
			name += " (active)"
		}
		c.Print(name + "\n")
	}
	return 0, nil
}
