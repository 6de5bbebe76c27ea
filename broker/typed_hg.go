// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hgbroker/protocol"
)

// What the engine does not answer natively, the typed methods ask of the real
// hg: ordinary commands under HGPLAIN, with templates whose fields end with a
// zero byte, which neither a path nor a description can hold.

// typedByHg answers a typed method with the real hg. why is what the engine
// could not do.
func (s *Server) typedByHg(ctx context.Context, r *request, dir string, set settings, why *protocol.Failure) ([]byte, error) {
	h := s.asker(ctx, dir, set)
	h.policy = protocol.FallbackAlways
	bound := protocol.Bound{Served: protocol.ServedFallback.String()}
	switch r.Method {
	case protocol.MethodState:
		st, err := h.state()
		if err != nil {
			return nil, err
		}
		st.Bound = bound
		return protocol.MarshalResult(st)
	case protocol.MethodStatus:
		var p protocol.StatusParams
		if err := r.decode(&p); err != nil {
			return nil, err
		}
		files, err := h.status(&p)
		if err != nil {
			return nil, err
		}
		return protocol.MarshalResult(&protocol.StatusResult{Files: files, Bound: bound})
	case protocol.MethodLog:
		var p protocol.LogParams
		if err := r.decode(&p); err != nil {
			return nil, err
		}
		if p.Graph {
			return nil, unsupported(why)
		}
		res, err := h.log(&p)
		if err != nil {
			return nil, err
		}
		res.Bound = bound
		return protocol.MarshalResult(res)
	case protocol.MethodCat:
		var p protocol.CatParams
		if err := r.decode(&p); err != nil {
			return nil, err
		}
		res, err := h.cat(&p)
		if err != nil {
			return nil, err
		}
		res.Bound = bound
		return protocol.MarshalResult(res)
	}
	return nil, unsupported(why)
}

// asker runs commands for one request whose output is taken apart.
type asker struct {
	s      *Server
	ctx    context.Context
	dir    string
	config []string
	plain  []string // the environment that makes hg's output plain
	policy protocol.Fallback
	bound  protocol.Bound // of the commands so far: the slowest way that one was served
	served protocol.Served
}

func (s *Server) asker(ctx context.Context, dir string, set settings) *asker {
	return &asker{s: s, ctx: ctx, dir: dir, config: set.config, plain: []string{"HGPLAIN=1"}, policy: set.fallback}
}

// hg runs one command and returns its output; an exit code other than 0 and
// also is an error.
func (h *asker) hg(also int, args ...string) ([]byte, error) {
	run := &protocol.Run{Dir: h.dir, Env: append([]string{"HGENCODING=UTF-8"}, h.plain...)}
	for _, c := range h.config {
		run.Args = append(run.Args, "--config", c)
	}
	run.Args = append(run.Args, args...)
	if err := checkArguments(run.Args); err != nil {
		return nil, err
	}
	out := &buffer{}
	end, err := h.s.runCommand(h.ctx, run, out, h.policy)
	if err != nil {
		return nil, err
	}
	if end.Served != protocol.ServedNone {
		h.served = max(h.served, end.Served)
	}
	h.bound = protocol.Bound{Generation: end.Generation, Served: h.served.String()}
	if end.Code == 0 || end.Code == also {
		return out.text[0].Bytes(), nil
	}
	stderr := out.text[1].Bytes()
	message := strings.TrimSpace(string(stderr))
	if message == "" {
		message = fmt.Sprintf("hg ended with %d", end.Code)
	}
	return nil, requestFailed(message, protocol.ErrorData{Kind: kindOf(message), ExitCode: end.Code, Stderr: protocol.Text(stderr)})
}

// kindOf recognizes the commonest of hg's complaints. Under HGPLAIN they are in
// English.
func kindOf(message string) string {
	for _, k := range []struct{ text, kind string }{
		{"no repository found", "NotARepository"},
		{"unknown revision", "UnknownRevision"},
		{"ambiguous identifier", "AmbiguousRevision"},
		{"hidden revision", "HiddenRevision"},
		{"no such file in rev", "FileNotInRevision"},
		{"repository requires features unknown", "UnsupportedRequirement"},
		{"parse error", "Input"},
		{"waiting for lock", "LockHeld"},
	} {
		if strings.Contains(message, k.text) {
			return k.kind
		}
	}
	return "Other"
}

// fields cuts the output of a template into records of n fields, each ended by
// a zero byte.
func fields(out []byte, n int) ([][]string, error) {
	if len(out) == 0 {
		return nil, nil
	}
	all := strings.Split(string(bytes.TrimSuffix(out, []byte{0})), "\x00")
	if len(all)%n != 0 {
		return nil, fmt.Errorf("hg printed %d fields, not a multiple of %d", len(all), n)
	}
	return slices.Collect(slices.Chunk(all, n)), nil
}

// commitTemplate has commitFields fields. Lists hold \1 between their items.
const (
	commitTemplate = `{rev}\0{node}\0{p1node} {p2node}\0{author}\0{date|hgdate}\0{branch}\0{desc}\0{phase}\0` +
		`{join(bookmarks,"\1")}\0{join(tags,"\1")}\0{if(obsolete,"1")}\0{join(files,"\1")}\0`
	commitFields = 12
	nullNode     = "0000000000000000000000000000000000000000"
)

func commits(out []byte, withFiles bool) ([]protocol.Commit, error) {
	records, err := fields(out, commitFields)
	if err != nil {
		return nil, err
	}
	list := make([]protocol.Commit, 0, len(records))
	for _, f := range records {
		c := protocol.Commit{Node: f[1], Parents: []string{}, User: protocol.Text(f[3]), Branch: protocol.Text(f[5]),
			Desc: protocol.Text(f[6]), Phase: f[7], Bookmarks: texts(f[8]), Tags: texts(f[9]), Obsolete: f[10] != ""}
		if c.Rev, err = strconv.Atoi(f[0]); err != nil {
			return nil, fmt.Errorf("hg printed revision %q", f[0])
		}
		for p := range strings.FieldsSeq(f[2]) {
			if p != nullNode {
				c.Parents = append(c.Parents, p)
			}
		}
		if _, err := fmt.Sscan(f[4], &c.Date[0], &c.Date[1]); err != nil {
			return nil, fmt.Errorf("hg printed date %q", f[4])
		}
		if withFiles {
			c.Files = texts(f[11])
		}
		list = append(list, c)
	}
	return list, nil
}

func texts(joined string) []protocol.Text {
	list := []protocol.Text{}
	if joined == "" {
		return list
	}
	for s := range strings.SplitSeq(joined, "\x01") {
		list = append(list, protocol.Text(s))
	}
	return list
}

func (h *asker) state() (*protocol.StateResult, error) {
	st := &protocol.StateResult{}
	root, err := h.hg(0, "root")
	if err != nil {
		return nil, err
	}
	st.Root = protocol.Text(bytes.TrimSuffix(root, []byte("\n")))
	out, err := h.hg(0, "log", "-r", "p1()+p2()", "-T", commitTemplate)
	if err != nil {
		return nil, err
	}
	if st.Parents, err = commits(out, false); err != nil {
		return nil, err
	}
	if out, err = h.hg(0, "branch"); err != nil {
		return nil, err
	}
	st.Branch = protocol.Text(bytes.TrimSuffix(out, []byte("\n")))
	if out, err = h.hg(0, "bookmarks", "-T", `{if(active,bookmark)}`); err != nil {
		return nil, err
	}
	st.Bookmark = protocol.Text(out)
	if out, err = h.hg(1, "resolve", "--list", "-T", `{mergestatus}\n`); err != nil {
		return nil, err
	}
	st.Conflicts = bytes.Count(out, []byte("U\n"))
	// With -v, status tells what is unfinished, but not under HGPLAIN.
	h.plain = []string{"HGPLAIN", "HGPLAINEXCEPT"}
	out, err = h.hg(0, "status", "-v", "-m", "--color", "never", "-T", `{if(unfinished,"{unfinished}\0{unfinishedmsg}\0")}`)
	if err != nil {
		return nil, err
	}
	if records, err := fields(out, 2); err == nil && len(records) > 0 {
		op := &protocol.Operation{Name: records[0][0]}
		for line := range strings.Lines(records[0][1]) {
			what, command, ok := strings.Cut(strings.TrimSpace(line), ":")
			switch {
			case !ok:
			case strings.HasSuffix(what, "continue"):
				op.Continue = strings.TrimSpace(command)
			case strings.HasSuffix(what, "abort"):
				op.Abort = strings.TrimSpace(command)
			}
		}
		st.Operation = op
	}
	return st, nil
}

// names appends path arguments after a "--".
func names(args []string, paths []protocol.Text) []string {
	if len(paths) == 0 {
		return args
	}
	args = append(args, "--")
	for _, p := range paths {
		args = append(args, "relpath:"+string(p))
	}
	return args
}

func (h *asker) status(p *protocol.StatusParams) ([]protocol.FileStatus, error) {
	args := []string{"status", "-T", `{status}\0{path}\0{source}\0`}
	kinds := p.Kinds
	if kinds == "" {
		kinds = "MAR!?"
	}
	for _, k := range kinds {
		flag, ok := map[rune]string{'M': "-m", 'A': "-a", 'R': "-r", '!': "-d", '?': "-u", 'I': "-i", 'C': "-c"}[k]
		if !ok {
			return nil, invalidParams("kinds must be letters of MAR!?IC")
		}
		args = append(args, flag)
	}
	if p.Copies {
		args = append(args, "-C")
	}
	for _, o := range []struct {
		flag   string
		values []protocol.Text
	}{{"--rev", one(p.Rev)}, {"--rev", one(p.Rev2)}, {"--change", one(p.Change)}, {"-I", p.Include}, {"-X", p.Exclude}} {
		for _, v := range o.values {
			args = append(args, o.flag, string(v))
		}
	}
	out, err := h.hg(0, names(args, p.Paths)...)
	if err != nil {
		return nil, err
	}
	records, err := fields(out, 3)
	if err != nil {
		return nil, err
	}
	files := make([]protocol.FileStatus, 0, len(records))
	for _, f := range records {
		files = append(files, protocol.FileStatus{Status: f[0], Path: protocol.Text(f[1]), CopySource: protocol.Text(f[2])})
	}
	return files, nil
}

func one(t protocol.Text) []protocol.Text {
	if t == "" {
		return nil
	}
	return []protocol.Text{t}
}

func (h *asker) log(p *protocol.LogParams) (*protocol.LogResult, error) {
	args := []string{"log", "-T", commitTemplate}
	if p.Revset != "" {
		args = append(args, "-r", string(p.Revset))
	}
	if p.Follow {
		args = append(args, "--follow")
	}
	if p.Limit < 0 {
		return nil, invalidParams("limit is negative")
	}
	if p.Limit > 0 && p.Cursor == "" {
		args = append(args, "--limit", strconv.Itoa(p.Limit+1))
	}
	out, err := h.hg(0, names(args, p.Paths)...)
	if err != nil {
		return nil, err
	}
	list, err := commits(out, slices.Contains(p.Fields, "files"))
	if err != nil {
		return nil, err
	}
	if p.Cursor != "" {
		at := slices.IndexFunc(list, func(c protocol.Commit) bool { return c.Node == p.Cursor })
		if at < 0 {
			return nil, invalidParams("cursor is not of this log")
		}
		list = list[at+1:]
	}
	res := &protocol.LogResult{Commits: list}
	if p.Limit > 0 && len(list) > p.Limit {
		res.Commits = list[:p.Limit]
		res.Next = list[p.Limit-1].Node
	}
	return res, nil
}

func (h *asker) cat(p *protocol.CatParams) (*protocol.CatResult, error) {
	path, err := p.URI.FilePath()
	if err != nil {
		return nil, invalidParams(err.Error())
	}
	if path == "" {
		return nil, invalidParams("uri is missing")
	}
	rev := string(p.Rev)
	if rev == "" {
		rev = "."
	}
	out, err := h.hg(0, "files", "-r", rev, "-T", `{path}\0{flags}\0`, "--", "relpath:"+path)
	if err != nil {
		return nil, err
	}
	found, err := fields(out, 2)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, requestFailed(path+": not one file", protocol.ErrorData{Kind: "FileNotInRevision"})
	}
	node, err := h.hg(0, "log", "-r", rev, "-T", "{node}")
	if err != nil {
		return nil, err
	}
	content, err := h.hg(0, "cat", "-r", rev, "--", "relpath:"+path)
	if err != nil {
		return nil, err
	}
	return &protocol.CatResult{Path: protocol.Text(found[0][0]), Content: protocol.Text(content), Size: len(content),
		Node: string(node), Flags: found[0][1], Binary: bytes.IndexByte(content, 0) >= 0}, nil
}
