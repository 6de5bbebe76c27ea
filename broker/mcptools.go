// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"hgbroker/protocol"
)

const (
	// pageBytes bounds the text of one answer to an agent.
	pageBytes = 48 << 10
	// logLimit and logMost are how many changesets one answer has.
	logLimit, logMost = 20, 500
)

// arguments are those of all tools; each tool takes some of them.
type arguments struct {
	Repository string   `json:"repository"`
	Path       string   `json:"path"`
	Paths      []string `json:"paths"`
	Rev        string   `json:"rev"`
	Rev2       string   `json:"rev2"`
	Change     string   `json:"change"`
	Revset     string   `json:"revset"`
	Pattern    string   `json:"pattern"`
	Args       []string `json:"args"`
	IgnoreCase bool     `json:"ignoreCase"`
	Stat       bool     `json:"stat"`
	Patch      bool     `json:"patch"`
	Follow     bool     `json:"follow"`
	Limit      int      `json:"limit"`
	FirstLine  int      `json:"firstLine"`
	LastLine   int      `json:"lastLine"`
	Cursor     string   `json:"cursor"`
}

var atLeastOne = 1

// mcpArguments describes every argument.
var mcpArguments = sync.OnceValue(func() map[string]protocol.McpProperty {
	return map[string]protocol.McpProperty{
		"repository": {Type: "string", Description: "path of the repository, or of anything inside it; by default where the server was started"},
		"path":       {Type: "string", Description: "file, relative to repository"},
		"paths":      {Type: "array", Items: &protocol.McpProperty{Type: "string", Description: "file or directory"}, Description: "files or directories, relative to repository"},
		"rev":        {Type: "string", Description: "revision; without it the working directory is meant"},
		"rev2":       {Type: "string", Description: "second revision: what changed from rev to rev2"},
		"change":     {Type: "string", Description: "revision whose own changes are meant"},
		"revset":     {Type: "string", Description: "which changesets, for example `draft()`, `.::tip`, `keyword(fix) and user(ada)`"},
		"pattern":    {Type: "string", Description: "regular expression (Python's syntax)"},
		"args":       {Type: "array", Items: &protocol.McpProperty{Type: "string", Description: "word"}, Description: "the command line after `hg`"},
		"ignoreCase": {Type: "boolean", Description: "take upper and lower case for the same"},
		"stat":       {Type: "boolean", Description: "only how many lines of which files changed"},
		"patch":      {Type: "boolean", Description: "show what each changeset changed"},
		"follow":     {Type: "boolean", Description: "follow the history of the given files over copies and renames"},
		"limit":      {Type: "integer", Minimum: &atLeastOne, Description: fmt.Sprintf("at most so many changesets; %d without it, never more than %d", logLimit, logMost)},
		"firstLine":  {Type: "integer", Minimum: &atLeastOne, Description: "first line to show, from 1"},
		"lastLine":   {Type: "integer", Minimum: &atLeastOne, Description: "last line to show"},
		"cursor":     {Type: "string", Description: "where to go on, from the end of an answer that was cut"},
	}
})

// mcpTool is one tool.
type mcpTool struct {
	name, title, text string
	arguments         []string // beside repository
	required          []string
	writes            bool
	run               func(h *asker, a *arguments) (string, error)
}

var mcpTools = []mcpTool{
	{name: "hg_state", title: "State of a checkout", run: (*asker).toolState,
		text: "What is checked out: parents of the working directory, branch, active bookmark, an unfinished operation such as a merge, and the number of conflicts; as JSON."},
	{name: "hg_status", title: "Changed files", run: (*asker).toolStatus, arguments: []string{"paths", "rev", "rev2", "change", "cursor"},
		text: "Files that differ, a line each: M modified, A added, R removed, ! missing, ? not tracked. Of the working directory, or between revisions."},
	{name: "hg_log", title: "History", run: (*asker).toolLog, arguments: []string{"revset", "paths", "follow", "patch", "limit", "cursor"},
		text: "Changesets with number, hash, author, date, branch and names, and the whole description; newest first, or in the revset's order."},
	{name: "hg_diff", title: "Differences", run: (*asker).toolDiff, arguments: []string{"paths", "rev", "rev2", "change", "stat", "cursor"},
		text: "Unified diff in git's format, of the working directory, between revisions, or of one changeset."},
	{name: "hg_annotate", title: "Who wrote which line", run: (*asker).toolAnnotate, arguments: []string{"path", "rev", "firstLine", "lastLine", "cursor"}, required: []string{"path"},
		text: "Each line of a file with its number, and author and changeset that it comes from."},
	{name: "hg_cat", title: "Content of a file", run: (*asker).toolCat, arguments: []string{"path", "rev", "firstLine", "lastLine", "cursor"}, required: []string{"path"},
		text: "A file as it is in a revision; without rev, in the parent of the working directory."},
	{name: "hg_search", title: "Search in files", run: (*asker).toolSearch, arguments: []string{"pattern", "paths", "rev", "ignoreCase", "cursor"}, required: []string{"pattern"},
		text: "Lines of tracked files that match a regular expression, with file and line number; in the working directory or in a revision."},
	{name: "hg_run", title: "Run any hg command", run: (*asker).toolRun, arguments: []string{"args", "cursor"}, required: []string{"args"}, writes: true,
		text: "Runs a Mercurial command, which may change the repository, and shows its output and exit code."},
}

// decode reads a tool's arguments.
func (t *mcpTool) decode(b json.RawMessage) (*arguments, error) {
	a := &arguments{}
	if len(b) == 0 || string(b) == "null" {
		b = []byte("{}")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(b, &given); err != nil {
		return nil, errors.New("arguments must be an object")
	}
	for name := range given {
		if name != "repository" && !slices.Contains(t.arguments, name) {
			return nil, fmt.Errorf("%s takes no argument %q", t.name, name)
		}
	}
	for _, name := range t.required {
		if given[name] == nil {
			return nil, fmt.Errorf("%s needs the argument %q", t.name, name)
		}
	}
	if err := json.Unmarshal(b, a); err != nil {
		return nil, err
	}
	if a.Limit < 0 || a.FirstLine < 0 || a.LastLine < 0 {
		return nil, errors.New("numbers must be positive")
	}
	if _, err := a.from(); err != nil {
		return nil, err
	}
	return a, nil
}

// from is the line that the cursor names.
func (a *arguments) from() (int, error) {
	if a.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(a.Cursor)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("cursor %q is none of ours", a.Cursor)
	}
	return n, nil
}

// page is the part of a text from the cursor on that one answer holds.
func (a *arguments) page(text []byte) string {
	from, _ := a.from()
	lines := bytes.SplitAfter(text, []byte{'\n'})
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	var b strings.Builder
	n := min(from, len(lines))
	for ; n < len(lines); n++ {
		line := shown(lines[n])
		if len(line) > pageBytes/2 {
			line = strings.ToValidUTF8(line[:pageBytes/2], "") + fmt.Sprintf(" [the rest of this line of %d bytes is left out]\n", len(line))
		}
		if b.Len()+len(line) > pageBytes {
			break
		}
		b.WriteString(line)
	}
	if n < len(lines) {
		fmt.Fprintf(&b, "[%d more lines; go on with cursor %q]\n", len(lines)-n, strconv.Itoa(n))
	}
	if b.Len() == 0 {
		return "(nothing)"
	}
	return b.String()
}

// shown is a line as text: an agent gets no bytes.
func shown(line []byte) string {
	if utf8.Valid(line) {
		return string(line)
	}
	return strings.ToValidUTF8(string(line), "\uFFFD")
}

// flag is an option with its value in one word, unless there is none.
func flag(args []string, name, value string) []string {
	if value == "" {
		return args
	}
	return append(args, name+"="+value)
}

// between adds the options that say what is compared.
func (a *arguments) between(args []string) []string {
	if a.Change != "" {
		return flag(args, "--change", a.Change)
	}
	return flag(flag(args, "--rev", a.Rev), "--rev", a.Rev2)
}

func (a *arguments) files() []protocol.Text {
	var list []protocol.Text
	for _, p := range a.Paths {
		list = append(list, protocol.Text(p))
	}
	return list
}

func (h *asker) toolState(*arguments) (string, error) {
	r := &request{Message: &protocol.Message{Method: protocol.MethodState}}
	params, err := protocol.MarshalResult(protocol.StateParams{Place: protocol.Place{Cwd: protocol.Text(h.dir)}})
	if err != nil {
		return "", err
	}
	r.Params = params
	b, err := h.s.typed(h.ctx, r)
	if err != nil {
		return "", err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, "", "  "); err != nil {
		return "", err
	}
	return indented.String(), nil
}

func (h *asker) toolStatus(a *arguments) (string, error) {
	out, err := h.hg(0, names(a.between([]string{"status", "--copies"}), a.files())...)
	return a.page(out), err
}

const mcpCommit = `changeset {rev}:{node|short}  {author}  {date|isodate}  branch {branch}` +
	`{if(tags, "  tags {join(tags, ' ')}")}{if(bookmarks, "  bookmarks {join(bookmarks, ' ')}")}  {phase}\n{indent(desc, "    ")}\n\n`

func (h *asker) toolLog(a *arguments) (string, error) {
	limit := a.Limit
	if limit == 0 {
		limit = logLimit
	}
	args := []string{"log", "--limit=" + strconv.Itoa(min(limit, logMost)), "--template=" + mcpCommit}
	args = flag(args, "--rev", a.Revset)
	if a.Follow {
		args = append(args, "--follow")
	}
	if a.Patch {
		args = append(args, "--patch", "--git")
	}
	out, err := h.hg(0, names(args, a.files())...)
	return a.page(out), err
}

func (h *asker) toolDiff(a *arguments) (string, error) {
	args := []string{"diff", "--git"}
	if a.Stat {
		args = append(args, "--stat")
	}
	out, err := h.hg(0, names(a.between(args), a.files())...)
	return a.page(out), err
}

// lines cuts a file's lines down to those that were asked for.
func (a *arguments) lines(text []byte) []byte {
	if a.FirstLine == 0 && a.LastLine == 0 {
		return text
	}
	all := bytes.SplitAfter(text, []byte{'\n'})
	first, last := max(a.FirstLine, 1)-1, len(all)
	if a.LastLine > 0 {
		last = min(a.LastLine, last)
	}
	if first >= last {
		return nil
	}
	return bytes.Join(all[first:last], nil)
}

func (h *asker) toolAnnotate(a *arguments) (string, error) {
	args := flag([]string{"annotate", "--user", "--changeset", "--date", "-q", "--line-number"}, "--rev", a.Rev)
	out, err := h.hg(0, append(args, "--", "relpath:"+a.Path)...)
	return a.page(a.lines(out)), err
}

func (h *asker) toolCat(a *arguments) (string, error) {
	out, err := h.hg(0, append(flag([]string{"cat"}, "--rev", a.Rev), "--", "relpath:"+a.Path)...)
	if err == nil && bytes.IndexByte(out, 0) >= 0 {
		return fmt.Sprintf("(a binary file of %d bytes)", len(out)), nil
	}
	return a.page(a.lines(out)), err
}

func (h *asker) toolSearch(a *arguments) (string, error) {
	args := []string{"grep", "--line-number"}
	if a.IgnoreCase {
		args = append(args, "--ignore-case")
	}
	if a.Rev != "" {
		args = append(flag(args, "--rev", a.Rev), "--all-files")
	}
	args = append(args, "--", a.Pattern)
	for _, p := range a.Paths {
		args = append(args, "relpath:"+p)
	}
	out, err := h.hg(1, args...)
	return a.page(out), err
}

// toolRun runs any command, as the user would.
func (h *asker) toolRun(a *arguments) (string, error) {
	run := &protocol.Run{Dir: h.dir, Args: a.Args, Env: []string{"HGENCODING=UTF-8", "HGPLAIN=1"}, Fallback: h.policy}
	if err := checkArguments(run.Args); err != nil {
		return "", err
	}
	out := &buffer{}
	end, err := h.s.runCommand(h.ctx, run, out, h.policy)
	if err != nil {
		return "", err
	}
	h.bound.Served = end.Served.String()
	text := append(out.text[0].Bytes(), out.text[1].Bytes()...)
	return fmt.Sprintf("%s[exit code %d]\n", a.page(text), end.Code), nil
}
