// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// The methods of the client's wire, with their parameters and results. A worker
// decodes the parameters of a typed method (hg/state, hg/status, hg/log, hg/cat)
// itself and encodes its whole result; the broker only forwards both. Times are
// seconds since 1970, sizes are bytes, nodes are forty hexadecimal digits.
const (
	MethodInitialize  = "initialize"
	MethodInitialized = "initialized"
	MethodShutdown    = "shutdown"
	MethodExit        = "exit"
	MethodCancel      = "$/cancelRequest"
	MethodSetTrace    = "$/setTrace"
	MethodLogTrace    = "$/logTrace"
	MethodLogMessage  = "window/logMessage"

	MethodRun    = "hg/run"
	MethodOutput = "hg/output"
	MethodState  = "hg/state"
	MethodStatus = "hg/status"
	MethodLog    = "hg/log"
	MethodCat    = "hg/cat"

	MethodStats = "broker/stats"
	MethodFlush = "broker/flush"
)

// InitializeParams are LSP's, as far as the broker looks at them.
type InitializeParams struct {
	ProcessID        *int               `json:"processId"`
	ClientInfo       *ProgramInfo       `json:"clientInfo,omitempty"`
	RootURI          *Text              `json:"rootUri,omitempty"`
	RootPath         *Text              `json:"rootPath,omitempty"`
	WorkspaceFolders []WorkspaceFolder  `json:"workspaceFolders,omitempty"`
	Trace            string             `json:"trace,omitempty"` // off, messages, verbose
	Capabilities     json.RawMessage    `json:"capabilities,omitempty"`
	Options          *InitializeOptions `json:"initializationOptions,omitempty"`
}

// WorkspaceFolder is LSP's.
type WorkspaceFolder struct {
	URI  Text   `json:"uri"`
	Name string `json:"name"`
}

// InitializeOptions are the broker's own, for all requests of this client.
type InitializeOptions struct {
	Fallback string `json:"fallback,omitempty"` // auto, never, always
	Encoding string `json:"encoding,omitempty"` // as HGENCODING
	Config   []Text `json:"config,omitempty"`   // as --config section.name=value
}

// ProgramInfo names a client or a server.
type ProgramInfo struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// InitializeResult answers initialize.
type InitializeResult struct {
	ServerInfo   ProgramInfo  `json:"serverInfo"`
	Capabilities Capabilities `json:"capabilities"`
}

// Capabilities say what this build can do.
type Capabilities struct {
	Methods        []string `json:"methods"`        // every request that is answered
	NativeCommands []string `json:"nativeCommands"` // hg's names; the others go to the real hg
	Requirements   []string `json:"requirements"`   // of .hg/requires, known natively
	// Languages are the names that are evaluated natively, by kind: revset and
	// fileset predicates, template keywords, filters and functions.
	Languages map[string][]string `json:"languages,omitempty"`
	Fallback  string              `json:"fallback"` // the policy in force
}

// RunParams are the parameters of hg/run: one hg command line.
type RunParams struct {
	Args       []Text           `json:"args"` // without argv[0]
	Cwd        Text             `json:"cwd,omitempty"`
	Repository Text             `json:"repository,omitempty"` // used as cwd when there is none
	Env        map[string]*Text `json:"env,omitempty"`        // over the broker's own; null unsets
	Stdin      Text             `json:"stdin,omitempty"`
	Encoding   string           `json:"encoding,omitempty"` // as HGENCODING
	Stream     bool             `json:"stream,omitempty"`   // output comes as hg/output
	TimeoutMs  int64            `json:"timeoutMs,omitempty"`
	// WorkDoneToken asks for $/progress with it.
	WorkDoneToken json.RawMessage `json:"workDoneToken,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (p RunParams) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }

// AppendJSON appends p as JSON.
func (p RunParams) AppendJSON(b []byte) []byte {
	b = append(b, `{"args":[`...)
	for i, a := range p.Args {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(b, string(a))
	}
	b = append(b, ']')
	text := func(name string, t Text) {
		if t != "" {
			b = AppendText(append(append(append(b, `,"`...), name...), `":`...), string(t))
		}
	}
	text("cwd", p.Cwd)
	text("repository", p.Repository)
	if len(p.Env) > 0 {
		b = append(b, `,"env":{`...)
		for i, name := range slices.Sorted(maps.Keys(p.Env)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(AppendText(b, name), ':')
			if value := p.Env[name]; value != nil {
				b = AppendText(b, string(*value))
			} else {
				b = append(b, "null"...)
			}
		}
		b = append(b, '}')
	}
	text("stdin", p.Stdin)
	text("encoding", Text(p.Encoding))
	if p.Stream {
		b = append(b, `,"stream":true`...)
	}
	if p.TimeoutMs != 0 {
		b = strconv.AppendInt(append(b, `,"timeoutMs":`...), p.TimeoutMs, 10)
	}
	if len(p.WorkDoneToken) > 0 {
		b = append(append(b, `,"workDoneToken":`...), p.WorkDoneToken...)
	}
	return append(b, '}')
}

// UnmarshalJSON implements json.Unmarshaler. b must be valid JSON, as it is when
// encoding/json or ParseMessage comes before. What most requests consist of is
// read without reflection.
func (p *RunParams) UnmarshalJSON(b []byte) error {
	var plain RunParams
	if plain.decodePlain(b) {
		*p = plain
		return nil
	}
	type runParams RunParams
	return json.Unmarshal(b, (*runParams)(p))
}

// decodePlain decodes parameters of which all are plain strings and switches; it
// reports false for others, and then p is not to be used.
func (p *RunParams) decodePlain(b []byte) bool {
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	for name, value := range members(b) {
		text := (*Text)(nil)
		switch name {
		case "args":
			if value[0] != '[' || p.Args != nil {
				return false
			}
			p.Args = make([]Text, 0, 8)
			for v := range elements(value) {
				s, ok := plainString(v)
				if !ok {
					return false
				}
				p.Args = append(p.Args, Text(s))
			}
			continue
		case "stream":
			p.Stream = string(value) == "true"
			if !p.Stream && string(value) != "false" {
				return false
			}
			continue
		case "cwd":
			text = &p.Cwd
		case "repository":
			text = &p.Repository
		case "encoding":
			text = (*Text)(&p.Encoding)
		default:
			return false
		}
		s, ok := plainString(value)
		if !ok {
			return false
		}
		*text = Text(s)
	}
	return true
}

// RunResult answers hg/run. After streaming, Stdout and Stderr are empty.
type RunResult struct {
	ExitCode   int    `json:"exitCode"`
	Stdout     Text   `json:"stdout"`
	Stderr     Text   `json:"stderr"`
	Served     string `json:"served"` // warm, cold, fallback, none
	Generation string `json:"generation,omitempty"`
}

// AppendJSON appends r as JSON.
func (r *RunResult) AppendJSON(b []byte) []byte {
	b = r.appendCode(b)
	b = AppendText(append(b, `,"stdout":`...), string(r.Stdout))
	b = AppendText(append(b, `,"stderr":`...), string(r.Stderr))
	return r.appendRest(b)
}

// Parts is the JSON of r with texts that were written in pieces in place of Stdout
// and Stderr. The last part may be appended to.
func (r *RunResult) Parts(stdout, stderr *TextWriter) [][]byte {
	parts := stdout.appendParts([][]byte{append(r.appendCode(nil), `,"stdout":`...)})
	last := &parts[len(parts)-1]
	*last = append(*last, `,"stderr":`...)
	parts = stderr.appendParts(parts)
	last = &parts[len(parts)-1]
	*last = r.appendRest(*last)
	return parts
}

func (r *RunResult) appendCode(b []byte) []byte {
	return strconv.AppendInt(append(b, `{"exitCode":`...), int64(r.ExitCode), 10)
}

func (r *RunResult) appendRest(b []byte) []byte {
	b = AppendText(append(b, `,"served":`...), r.Served)
	if r.Generation != "" {
		b = AppendText(append(b, `,"generation":`...), r.Generation)
	}
	return append(b, '}')
}

// UnmarshalJSON implements json.Unmarshaler. b must be valid JSON, as it is when
// encoding/json or ParseMessage comes before.
func (r *RunResult) UnmarshalJSON(b []byte) error {
	for name, value := range members(b) {
		var err error
		ok := true
		switch name {
		case "exitCode":
			r.ExitCode, err = strconv.Atoi(string(value))
		case "stdout":
			err = r.Stdout.UnmarshalJSON(value)
		case "stderr":
			err = r.Stderr.UnmarshalJSON(value)
		case "served":
			r.Served, ok = decodeString(value)
		case "generation":
			r.Generation, ok = decodeString(value)
		}
		if err == nil && !ok {
			err = errors.New("not a string")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Output is the notification hg/output: a piece of a streamed hg/run, in order.
type Output struct {
	ID      json.RawMessage `json:"id"`      // of the hg/run
	Channel string          `json:"channel"` // "out" or "err"
	Data    Text            `json:"data"`
}

// Place says which repository a typed method is about: the nearest one at or
// above Repository, or Cwd, each a path or a file: URI; without either, the
// first workspace folder. The broker turns it into the directory of the ChCall;
// relative paths start from there.
type Place struct {
	Repository Text `json:"repository,omitempty"`
	Cwd        Text `json:"cwd,omitempty"`
}

// Bound is what every answer about a repository carries. Generation changes
// when the store or the checkout does, and says nothing else.
type Bound struct {
	Generation string `json:"generation"`
	Served     string `json:"served"` // warm, cold, fallback
}

// Commit describes one changeset.
type Commit struct {
	Rev       int       `json:"rev"`
	Node      string    `json:"node"`
	Parents   []string  `json:"parents"`
	User      Text      `json:"user"`
	Date      [2]int64  `json:"date"` // seconds since 1970; seconds west of Greenwich
	Branch    Text      `json:"branch"`
	Desc      Text      `json:"desc"`
	Phase     string    `json:"phase"` // public, draft, secret
	Bookmarks []Text    `json:"bookmarks"`
	Tags      []Text    `json:"tags"`
	Files     []Text    `json:"files,omitempty"` // only when the fields ask for them
	Obsolete  bool      `json:"obsolete,omitempty"`
	Graph     *GraphRow `json:"graph,omitempty"` // only when asked for
}

// GraphRow is how to draw one commit of a graph: its node stands in Column, and
// the edges run from columns of this row to columns of the next one.
type GraphRow struct {
	Column  int         `json:"column"`
	Columns int         `json:"columns"` // how many are in use in this row
	Edges   []GraphEdge `json:"edges"`
}

// GraphEdge is a line from this row to the next.
type GraphEdge struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Kind string `json:"kind"` // "parent"; "grandparent" over commits that the revset leaves out; "missing"
}

// Operation is something under way in a working directory.
type Operation struct {
	Name     string `json:"name"`               // merge, rebase, graft, histedit, ...
	Continue string `json:"continue,omitempty"` // hg command line that goes on
	Abort    string `json:"abort,omitempty"`
}

// StateParams are the parameters of hg/state.
type StateParams struct{ Place }

// StateResult answers hg/state.
type StateResult struct {
	Root      Text       `json:"root"`
	Parents   []Commit   `json:"parents"` // none in an empty checkout
	Branch    Text       `json:"branch"`
	Bookmark  Text       `json:"bookmark,omitempty"` // the active one
	Topic     Text       `json:"topic,omitempty"`
	Operation *Operation `json:"operation,omitempty"`
	Conflicts int        `json:"conflicts"` // unresolved files
	Bound
}

// StatusParams are the parameters of hg/status. Rev, Rev2 and Change are revsets
// that name one changeset each.
type StatusParams struct {
	Place
	Rev     Text   `json:"rev,omitempty"`
	Rev2    Text   `json:"rev2,omitempty"`
	Change  Text   `json:"change,omitempty"`
	Paths   []Text `json:"paths,omitempty"`
	Include []Text `json:"include,omitempty"`
	Exclude []Text `json:"exclude,omitempty"`
	Kinds   string `json:"kinds,omitempty"` // letters of M A R ! ? I C; "" means "MAR!?"
	Copies  bool   `json:"copies,omitempty"`
}

// FileStatus is one file of hg/status. Paths start at the repository's root.
type FileStatus struct {
	Path       Text   `json:"path"`
	Status     string `json:"status"` // one letter of M A R ! ? I C
	CopySource Text   `json:"copySource,omitempty"`
}

// StatusResult answers hg/status.
type StatusResult struct {
	Files []FileStatus `json:"files"`
	Bound
}

// LogParams are the parameters of hg/log.
type LogParams struct {
	Place
	Revset Text     `json:"revset,omitempty"` // "" means all, newest first
	Paths  []Text   `json:"paths,omitempty"`
	Follow bool     `json:"follow,omitempty"`
	Limit  int      `json:"limit,omitempty"`
	Cursor string   `json:"cursor,omitempty"` // Next of the answer before
	Graph  bool     `json:"graph,omitempty"`
	Fields []string `json:"fields,omitempty"` // beyond the usual ones: "files"
	// PartialResultToken has the commits come as $/progress with it, the first ones
	// at once; the answer has none then.
	PartialResultToken json.RawMessage `json:"partialResultToken,omitempty"`
}

// LogResult answers hg/log. Next continues where the limit cut, "" at the end.
type LogResult struct {
	Commits []Commit `json:"commits"`
	Next    string   `json:"next,omitempty"`
	Bound
}

// CatParams are the parameters of hg/cat. URI is a path, relative to the place,
// or a file: URI (Text.FilePath tells).
type CatParams struct {
	Place
	URI Text `json:"uri"`
	Rev Text `json:"rev,omitempty"` // "" means "."
}

// CatResult answers hg/cat.
type CatResult struct {
	Path    Text   `json:"path"` // from the repository's root
	Content Text   `json:"content"`
	Size    int    `json:"size"`
	Node    string `json:"node"`  // of the changeset
	Flags   string `json:"flags"` // "", "x" or "l"
	Binary  bool   `json:"binary"`
	Bound
}

// AppendJSON appends r as JSON.
func (r *CatResult) AppendJSON(b []byte) []byte {
	b = append(b, `{"path":`...)
	b = AppendText(b, string(r.Path))
	b = append(b, `,"content":`...)
	b = AppendText(b, string(r.Content))
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, int64(r.Size), 10)
	b = append(b, `,"node":`...)
	b = AppendText(b, r.Node)
	b = append(b, `,"flags":`...)
	b = AppendText(b, r.Flags)
	b = append(b, `,"binary":`...)
	b = strconv.AppendBool(b, r.Binary)
	b = append(b, `,"generation":`...)
	b = AppendText(b, r.Generation)
	b = append(b, `,"served":`...)
	b = AppendText(b, r.Served)
	return append(b, '}')
}

// FlushParams are the parameters of broker/flush: without a repository, every
// cached image goes.
type FlushParams struct {
	Repository Text `json:"repository,omitempty"`
}

// CancelParams are the parameters of $/cancelRequest.
type CancelParams struct {
	ID json.RawMessage `json:"id"`
}

// SetTraceParams are the parameters of $/setTrace.
type SetTraceParams struct {
	Value string `json:"value"` // off, messages, verbose
}

// LogMessageParams are the parameters of window/logMessage.
type LogMessageParams struct {
	Type    int    `json:"type"` // LSP's MessageType: 1 error, 2 warning, 3 info, 4 log
	Message string `json:"message"`
}

// LogTraceParams are the parameters of $/logTrace.
type LogTraceParams struct {
	Message string `json:"message"`
	Verbose string `json:"verbose,omitempty"`
}
