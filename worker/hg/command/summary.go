// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/template"
)

var summarySpec = Spec{
	Name:    "summary",
	Options: func() []Option { return native(cmdline.Flag("", "remote")) },
	Run:     runSummary,
}

// pythonSpace is what Python's bytes.strip takes away.
const pythonSpace = " \t\n\r\f\v"

func runSummary(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("summary with arguments")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	s := &summary{c: c, v: v}
	if s.branch, err = v.TopicBranch(node.WdirRev); err != nil {
		return 0, err
	}
	p1, p2 := v.WdirParents()
	if s.parents = []node.Rev{p1}; p2 >= 0 {
		s.parents = append(s.parents, p2)
	}
	for _, part := range []func() error{s.showParents, s.showNames, s.showCommit, s.showUpdate, s.showPhases, s.showExtensions} {
		if err := part(); err != nil {
			return 0, err
		}
	}
	if c.Opts.On("remote") {
		return 0, s.showRemote()
	}
	return 0, nil
}

// summary is what the parts of the command share.
type summary struct {
	c       *Context
	v       *repo.View
	parents []node.Rev
	branch  string
	heads   []node.Rev // open heads of branch, visible ones
	closed  []node.Rev // all its heads
}

func (s *summary) showParents() error {
	c, v := s.c, s.v
	for _, p := range s.parents {
		tags, err := v.TagsOf(p)
		if err != nil {
			return err
		}
		c.PrintLabel(changesetLabels(v, p), fmt.Sprintf("parent: %d:%s ", p, v.Node(p).Short()))
		c.PrintLabel("log.tag", strings.Join(tags, " "))
		if p < 0 {
			if v.Len() == 0 {
				c.Print(" (empty repository)")
			} else {
				c.Print(" (no revision checked out)")
			}
		} else {
			c.Print(c.troubles(v.Flags(p)))
		}
		c.Print("\n")
		if p < 0 {
			continue
		}
		desc, err := repo.Revsets{View: v}.Desc(p)
		if err != nil {
			return err
		}
		if desc != "" {
			c.statusLabel("log.summary", " "+strings.Trim(firstLine(desc), pythonSpace)+"\n")
		}
	}
	return nil
}

// changesetLabels are the labels of what names a changeset.
func changesetLabels(v *repo.View, rev node.Rev) string {
	if rev < 0 {
		return "log.changeset changeset.public"
	}
	labels := "log.changeset changeset." + v.PhaseOf(rev).String()
	flags := v.Flags(rev)
	if flags&obsolete.Obsolete != 0 {
		labels += " changeset.obsolete"
	}
	if flags&(obsolete.Orphan|obsolete.PhaseDivergent|obsolete.ContentDivergent) != 0 {
		labels += " changeset.unstable"
		for _, t := range instabilities {
			if flags&t.flag != 0 {
				labels += " instability." + t.name
			}
		}
	}
	return labels
}

// instabilities are what can be wrong with a changeset, in hg's order.
var instabilities = []struct {
	flag obsolete.Flag
	name string
}{{obsolete.Orphan, "orphan"}, {obsolete.PhaseDivergent, "phase-divergent"}, {obsolete.ContentDivergent, "content-divergent"}}

// statusLabel writes to standard output under labels unless --quiet.
func (c *Context) statusLabel(labels, text string) {
	if !c.Quiet {
		c.PrintLabel(labels, text)
	}
}

// firstLine is bytes.splitlines()[0].
func firstLine(text string) string {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return text[:i]
	}
	return text
}

// troubles tells of a changeset that markers say something about.
func (c *Context) troubles(flags obsolete.Flag) string {
	text := ""
	if flags&obsolete.Obsolete != 0 {
		text = " (obsolete)"
	}
	var list []string
	for _, t := range instabilities {
		if flags&t.flag != 0 {
			list = append(list, c.Color.Label("trouble."+t.name, t.name))
		}
	}
	if len(list) > 0 {
		text += " (" + strings.Join(list, ", ") + ")"
	}
	return text
}

func (s *summary) showNames() error {
	c, v := s.c, s.v
	if s.branch != "default" || !c.Quiet {
		c.PrintLabel("log.branch", "branch: "+s.branch+"\n")
	}
	list, err := v.Branches()
	if err != nil {
		return err
	}
	for _, b := range list {
		if b.Name == s.branch {
			s.heads, s.closed = b.Open(), b.Heads
		}
	}
	var marks []string
	for _, p := range s.parents {
		marks = append(marks, v.BookmarksOf(p)...)
	}
	if len(marks) == 0 {
		return nil
	}
	c.PrintLabel("log.bookmark", "bookmarks:")
	if active := v.ActiveName(); active != "" {
		text := " [" + active + "]"
		if i := slices.Index(marks, active); i >= 0 {
			text = " *" + active
			marks = slices.Delete(marks, i, i+1)
		}
		c.PrintLabel("bookmarks.active bookmarks.current", text)
	}
	for _, m := range marks {
		c.PrintLabel("log.bookmark", " "+m)
	}
	c.PrintLabel("log.bookmark", "\n")
	return nil
}

// showCommit tells what a commit would do.
func (s *summary) showCommit() error {
	c, v := s.c, s.v
	wc, _, err := c.workingCopy(v, match.Always())
	if err != nil {
		return err
	}
	wc.ListUnknown = true
	st, err := status.Status(c, wc)
	if err != nil {
		return err
	}
	removed, added := setOf(st.Removed), setOf(st.Added)
	copied, renamed := 0, 0
	for dest, source := range wc.Dirstate.Copies() {
		if removed[source] {
			delete(removed, source)
			renamed++
		} else {
			copied++
		}
		delete(added, dest)
	}
	subs, err := v.Subrepos(node.WdirRev)
	if err != nil {
		return err
	}
	dirtySubs := 0
	for _, sub := range subs {
		dirty, err := c.dirtySub(v, sub, false)
		if err != nil {
			return err
		}
		if dirty {
			dirtySubs++
		}
	}
	unresolved := 0
	if m := v.MergeState(); m != nil {
		unresolved = m.Unresolved()
	}
	var words []string
	for _, k := range []struct {
		n           int
		name, label string
	}{{len(st.Modified), "modified", "status.modified"}, {len(added), "added", "status.added"}, {len(removed), "removed", "status.removed"},
		{renamed, "renamed", "status.copied"}, {copied, "copied", "status.copied"}, {len(st.Deleted), "deleted", "status.deleted"},
		{len(st.Unknown), "unknown", "status.unknown"}, {unresolved, "unresolved", "resolve.unresolved"},
		{dirtySubs, "subrepos", "status.modified"}} {
		if k.n > 0 {
			words = append(words, c.Color.Label(k.label, fmt.Sprintf("%d %s", k.n, k.name)))
		}
	}
	text := strings.Join(words, ", ")
	changed := len(st.Modified)+len(added)+len(removed)+renamed+copied+dirtySubs > 0
	p1 := s.parents[0]
	_, closes := repo.Revsets{View: v}.Branch(p1)
	branch, err := v.TopicBranch(p1)
	if err != nil {
		return err
	}
	if p1 < 0 {
		branch, closes = "default", false
	}
	clean := false
	if s.exists("graftstate") {
		text += " (graft in progress)"
	}
	switch {
	case s.exists("updatestate"):
		text += " (interrupted update)"
	case len(s.parents) > 1:
		text += " (merge)"
	case s.branch != branch:
		text += " (new branch)"
	case closes && slices.Contains(s.closed, p1):
		text += " (head closed)"
	case !changed:
		text += " (clean)"
		clean = true
	case !slices.Contains(s.heads, p1):
		text += " (new branch head)"
	}
	pending := phases.Public
	for _, p := range s.parents {
		pending = max(pending, v.PhaseOf(p))
	}
	fresh, err := s.newCommitPhase()
	if err != nil {
		return err
	}
	if pending > fresh {
		text += " (" + pending.String() + ")"
	}
	if !clean || !c.Quiet {
		c.Print("commit: " + strings.Trim(text, pythonSpace) + "\n")
	}
	return nil
}

// newCommitPhase is the phase that phases.new-commit asks for.
func (s *summary) newCommitPhase() (phases.Phase, error) {
	switch value, _ := s.c.Config.Get("phases", "new-commit"); value {
	case "public", "0":
		return phases.Public, nil
	case "draft", "1", "":
		return phases.Draft, nil
	case "secret", "2":
		return phases.Secret, nil
	default:
		return 0, unsupported("phases.new-commit=%s", value)
	}
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

func (s *summary) exists(name string) bool {
	_, err := os.Stat(filepath.Join(s.v.Layout.Dot, name))
	return err == nil
}

// showUpdate tells what an update would bring.
func (s *summary) showUpdate() error {
	c := s.c
	fresh := s.v.MissingCount(s.heads, s.parents)
	switch {
	case fresh == 0:
		c.Status("update: (current)\n")
	case !slices.Contains(s.heads, s.parents[0]):
		c.Printf("update: %d new changesets (update)\n", fresh)
	default:
		c.Printf("update: %d new changesets, %d branch heads (merge)\n", fresh, len(s.heads))
	}
	return nil
}

func (s *summary) showPhases() error {
	counts := s.v.Mutable()
	var words []string
	for _, k := range []count{{counts.Draft, "draft"}, {counts.Secret, "secret"}} {
		if k.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", k.n, k.of))
		}
	}
	if len(words) > 0 {
		s.c.Status("phases: %s\n", strings.Join(words, ", "))
	}
	if !s.v.EvolutionEnabled() {
		return nil
	}
	for _, k := range []count{{counts.Orphan, "orphan"}, {counts.ContentDivergent, "content-divergent"}, {counts.PhaseDivergent, "phase-divergent"}} {
		if k.n > 0 {
			s.c.Status("%s: %d changesets\n", k.of, k.n)
		}
	}
	return nil
}

// count is a number of changesets of a kind.
type count struct {
	n  int
	of string
}

// showExtensions adds the lines of extensions that are under way.
func (s *summary) showExtensions() error {
	on := s.c.Config.Extensions()
	if _, ok := on["histedit"]; ok && s.exists("histedit-state") {
		if err := s.showHistedit(); err != nil {
			return err
		}
	}
	_, short := on["mq"]
	if _, long := on["hgext.mq"]; short || long {
		if err := s.showQueue(); err != nil {
			return err
		}
	}
	if _, ok := on["rebase"]; ok && s.exists("rebasestate") {
		if err := s.showRebase(); err != nil {
			return err
		}
	}
	if s.c.Topic == "" {
		return nil
	}
	topic, err := s.v.CurrentTopic()
	if topic != "" {
		s.c.Print("topic:  " + s.c.Color.Label("topic.active", topic) + "\n")
	}
	return err
}

// showRebase adds the line about a rebase that is under way.
func (s *summary) showRebase() error {
	if s.c.Debug {
		return unsupported("summary --debug of a rebase")
	}
	text, _, err := store.ReadFile(filepath.Join(s.v.Layout.Dot, "rebasestate"))
	if err != nil {
		return err
	}
	done, all, err := s.rebaseState(text)
	if err != nil {
		return err
	}
	s.c.Printf("rebase: %d rebased, %d remaining (rebase --continue)\n", done, all-done)
	return nil
}

// showHistedit adds the line about a history edit that is under way. The file
// .hg/histedit-state has a line each for the version "v1", the current parent, the
// topmost changeset, whether changesets are kept, and the number of actions that
// are to do (hgext/histedit.py).
func (s *summary) showHistedit() error {
	text, _, err := store.ReadFile(filepath.Join(s.v.Layout.Dot, "histedit-state"))
	if err != nil {
		return err
	}
	lines := strings.SplitN(string(text), "\n", 6)
	if len(lines) < 6 || lines[0] != "v1" {
		return unsupported("histedit-state of another form")
	}
	n, err := strconv.Atoi(lines[4])
	if err != nil || n < 0 {
		return unsupported("summary of a histedit")
	}
	if n > 0 {
		s.c.Printf("hist:   %s (histedit --continue)\n", s.c.Color.Label("histedit.remaining", fmt.Sprintf("%d remaining", n)))
	}
	return nil
}

// The form of .hg/rebasestate, a line each: the working directory's parent
// before, an empty line, the external parent, three flags "0" or "1" (collapse,
// keep, keep branches), the active bookmark; then OLD:NEW:DEST for each
// changeset, NEW being "-1" for one that is to do (hgext/rebase.py).
const rebaseHeader = 7

// rebaseState counts the changesets that are rebased, and all of them.
func (s *summary) rebaseState(text []byte) (done, all int, err error) {
	refusal := unsupported("rebasestate of another form")
	lines := template.SplitLines(string(bytes.TrimSuffix(text, []byte{'\n'})))
	if len(lines) < rebaseHeader || lines[1] != "" {
		return 0, 0, refusal
	}
	rev := func(digits string) (node.Rev, bool) {
		id, ok := node.FromHex(digits)
		if !ok {
			return 0, false
		}
		return s.v.Rev(id)
	}
	for _, at := range []int{0, 2} {
		if _, ok := rev(lines[at]); !ok {
			return 0, 0, refusal
		}
	}
	seen := map[node.Rev]bool{}
	for _, line := range lines[rebaseHeader:] {
		fields := strings.Split(line, ":")
		if len(fields) != 3 {
			return 0, 0, refusal
		}
		old, ok1 := rev(fields[0])
		_, ok2 := rev(fields[2])
		if !ok1 || !ok2 || seen[old] {
			return 0, 0, refusal
		}
		seen[old] = true
		if all++; fields[1] == "-1" {
			continue
		}
		to, ok := rev(fields[1])
		if !ok {
			return 0, 0, refusal
		}
		if to >= 0 {
			done++
		}
	}
	return done, all, nil
}
