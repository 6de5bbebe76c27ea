// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// operation is one that stops halfway and waits for the user.
type operation struct {
	name      string
	file      string // in .hg, there while it is unfinished; "" for a merge
	extension string // that brings it; "" for Mercurial itself
	advice    string // what a verbose status says of it
}

// operations come in the order in which hg asks about them: the first that is
// unfinished counts. Those of extensions come before its own.
var operations = []operation{
	{"rebase", "rebasestate", "rebase", advise("rebase") + "\nTo stop:        hg rebase --stop"},
	{"histedit", "histedit-state", "histedit", advise("histedit")},
	{"unshelve", "shelvedstate", "", advise("unshelve")},
	{"graft", "graftstate", "", advise("graft") + "\nTo stop:        hg graft --stop"},
	{"bisect", "bisect.state", "", "To mark the changeset good:    hg bisect --good\n" +
		"To mark the changeset bad:     hg bisect --bad\nTo abort:                      hg bisect --reset"},
	{"update", "updatestate", "", "To continue:    hg update ."},
	{"merge", "", "", "To continue:    hg commit\nTo abort:       hg merge --abort"},
}

func advise(name string) string {
	return "To continue:    hg " + name + " --continue\nTo abort:       hg " + name + " --abort"
}

// moreStatus is what a verbose status adds: what is unfinished, and which files
// wait for a decision. A nil *moreStatus adds nothing.
type moreStatus struct {
	c          *Context
	v          *repo.View
	op         *operation // nil when only a merge state is there
	merging    bool
	unresolved []string // sorted
	shown      map[string]bool
}

// moreStatus finds out whether there is more to say, and whether it is to be said.
func (c *Context) moreStatus(v *repo.View) (*moreStatus, error) {
	on, err := c.Config.Bool("commands", "status.verbose")
	if err != nil {
		return nil, err
	}
	if !on && !c.Verbose || c.Config.Plain("") || c.Opts.On("print0") {
		return nil, nil
	}
	m := &moreStatus{c: c, v: v, shown: map[string]bool{}}
	if m.op, err = c.unfinished(v); err != nil {
		return nil, err
	}
	if state := v.MergeState(); state != nil {
		m.merging = true
		m.unresolved = unresolved(state)
	}
	if m.op == nil && !m.merging {
		return nil, nil
	}
	for _, path := range m.unresolved {
		if strings.ContainsAny(path, "\r\n") {
			return nil, unsupported("unresolved file %q in a verbose status", path)
		}
	}
	return m, nil
}

func unresolved(state *mergestate.State) []string {
	var list []string
	for _, f := range state.Files {
		if f.Unresolved() {
			list = append(list, f.Path)
		}
	}
	slices.Sort(list)
	return list
}

// unfinished is the operation that is under way, nil without one.
func (c *Context) unfinished(v *repo.View) (*operation, error) {
	enabled := c.Config.Extensions()
	skipped := c.Config.List("commands", "status.skipstates")
	var found *operation
	for i := range operations {
		op := &operations[i]
		if _, on := enabled[op.extension]; op.extension != "" && !on || slices.Contains(skipped, op.name) {
			continue
		}
		under := false
		if _, p2 := v.WdirParents(); op.file == "" {
			under = p2 >= 0
		} else if _, err := os.Stat(filepath.Join(v.Layout.Dot, op.file)); err == nil {
			under = true
		}
		switch {
		case !under:
		case found == nil:
			found = op
		case op.extension != "":
			// Which comes first depends on the order of loading.
			return nil, unsupported("status of an unfinished %s and %s", found.name, op.name)
		}
	}
	return found, nil
}

// file adds what is known of one file to its item.
func (m *moreStatus) file(fm *output, path string) {
	if m == nil {
		return
	}
	m.shown[path] = true
	if slices.Contains(m.unresolved, path) {
		fm.Data("unresolved", template.Bool(true))
	}
}

// finish says the rest, after all files.
func (m *moreStatus) finish(fm *output) {
	if m == nil {
		return
	}
	if m.op != nil {
		fm.StartItem()
		fm.Data("itemtype", template.Bytes("morestatus"))
		fm.Data("unfinished", template.Bytes(m.op.name))
		say(fm, "The repository is in an unfinished *"+m.op.name+"* state.")
		advice := m.op.advice
		if m.op.name == "bisect" {
			advice += "\n" // as hg has it
		}
		fm.Data("unfinishedmsg", template.Bytes(advice))
	}
	m.conflicts(fm)
	if m.op != nil {
		say(fm, m.op.advice)
	}
}

// conflicts names the files that are not resolved.
func (m *moreStatus) conflicts(fm *output) {
	switch {
	case !m.merging:
		return
	case len(m.unresolved) == 0:
		say(fm, "No unresolved merge conflicts.")
		return
	}
	text := "Unresolved merge conflicts:\n\n"
	for _, path := range m.unresolved {
		text += "    " + m.v.PathTo(path) + "\n"
		if !m.shown[path] {
			fm.StartItem()
			fm.RepoContext()
			fm.Data("itemtype", template.Bytes("file"))
			fm.Data("path", template.Bytes(path))
			fm.Data("unresolved", template.Bool(true))
		}
	}
	say(fm, text+"\nTo mark files as resolved:  hg resolve --mark FILE")
}

// say prints lines as comments, and an empty one.
func say(fm *output, text string) {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("# " + line + "\n")
	}
	fm.As("status.morestatus").Plain(b.String() + "\n")
}
