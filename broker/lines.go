// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"hgbroker/protocol"
)

// lineMethods are the typed methods that are made of command lines. Each decodes
// its parameters, has the lines run, and makes the result; the asker's bound is
// what the result carries.
var lineMethods = map[string]func(h *asker, r *request) (any, error){
	protocol.MethodRefs:          (*asker).refs,
	protocol.MethodResolveRevset: (*asker).resolveRevset,
	protocol.MethodFiles:         (*asker).files,
	protocol.MethodConflicts:     (*asker).conflicts,
	protocol.MethodConfig:        (*asker).configItems,
	protocol.MethodPaths:         (*asker).paths,
	protocol.MethodCopySource:    (*asker).copySource,
	protocol.MethodRender:        (*asker).render,
	protocol.MethodDiff:          (*asker).diff,
}

// byLines answers a method of lineMethods.
func (s *Server) byLines(ctx context.Context, r *request) ([]byte, error) {
	inlineOf(ctx).leave()
	set := s.settings()
	dir, err := r.place(set.dir)
	if err != nil {
		return nil, err
	}
	h := s.asker(ctx, dir, set)
	answer, err := lineMethods[r.Method](h, r)
	if err != nil {
		return nil, err
	}
	r.served = h.bound.Served
	return protocol.MarshalResult(answer)
}

// records runs a command whose template has n fields, each ended by a zero byte.
// An exit code of 1 means that there is nothing.
func (h *asker) records(n int, args ...string) ([][]string, error) {
	out, err := h.hg(1, args...)
	if err != nil {
		return nil, err
	}
	return fields(out, n)
}

func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("hg printed %q where a number belongs", s)
	}
	return n, nil
}

// refKinds are what hg/refs may be asked for.
var refKinds = []string{"branches", "bookmarks", "tags", "heads"}

func (h *asker) refs(r *request) (any, error) {
	var p protocol.RefsParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	for _, k := range p.Kinds {
		if !slices.Contains(refKinds, k) {
			return nil, invalidParams(fmt.Sprintf("kind %q: must be one of %v", k, refKinds))
		}
	}
	if len(p.Kinds) == 0 {
		p.Kinds = refKinds
	}
	res := &protocol.RefsResult{}
	for _, kind := range refKinds {
		if !slices.Contains(p.Kinds, kind) {
			continue
		}
		line := map[string][]string{
			"branches":  {"branches", "-c", "-T", `{branch}\0{rev}\0{node}\0{if(active,1)}\0{if(closed,1)}\0{if(current,1)}\0`},
			"bookmarks": {"bookmarks", "-T", `{bookmark}\0{rev}\0{node}\0{if(active,1)}\0`},
			"tags":      {"tags", "-T", `{tag}\0{rev}\0{node}\0{type}\0`},
			"heads":     {"heads", "-T", `{branch}\0{rev}\0{node}\0`},
		}[kind]
		n := map[string]int{"branches": 6, "bookmarks": 4, "tags": 4, "heads": 3}[kind]
		list, err := h.records(n, line...)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			rev, err := number(f[1])
			if err != nil {
				return nil, err
			}
			name, node := protocol.Text(f[0]), f[2]
			switch kind {
			case "branches":
				res.Branches = append(res.Branches, protocol.Branch{Name: name, Rev: rev, Node: node, Active: f[3] != "", Closed: f[4] != "", Current: f[5] != ""})
			case "bookmarks":
				res.Bookmarks = append(res.Bookmarks, protocol.Bookmark{Name: name, Rev: rev, Node: node, Active: f[3] != ""})
			case "tags":
				res.Tags = append(res.Tags, protocol.Tag{Name: name, Rev: rev, Node: node, Type: f[3]})
			case "heads":
				res.Heads = append(res.Heads, protocol.Head{Branch: name, Rev: rev, Node: node})
			}
		}
	}
	res.Bound = h.bound
	return res, nil
}

// logLine is a `hg log` of a revset, in the revset's order.
func logLine(revset protocol.Text, limit int, template string) ([]string, error) {
	if revset == "" {
		return nil, invalidParams("revset is missing")
	}
	if limit < 0 {
		return nil, invalidParams("limit is negative")
	}
	args := []string{"log", "-r", string(revset), "-T", template}
	if limit > 0 {
		args = append(args, "--limit", strconv.Itoa(limit))
	}
	return args, nil
}

func (h *asker) resolveRevset(r *request) (any, error) {
	var p protocol.ResolveRevsetParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	args, err := logLine(p.Revset, p.Limit, `{rev}\0{node}\0`)
	if err != nil {
		return nil, err
	}
	list, err := h.records(2, args...)
	if err != nil {
		return nil, err
	}
	res := &protocol.ResolveRevsetResult{Revs: make([]protocol.Revision, len(list)), Bound: h.bound}
	for i, f := range list {
		rev, err := number(f[0])
		if err != nil {
			return nil, err
		}
		res.Revs[i] = protocol.Revision{Rev: rev, Node: f[1]}
	}
	return res, nil
}

func (h *asker) render(r *request) (any, error) {
	var p protocol.RenderParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	args, err := logLine(p.Revset, p.Limit, string(p.Template))
	if err != nil {
		return nil, err
	}
	out, err := h.hg(0, args...)
	if err != nil {
		return nil, err
	}
	return &protocol.RenderResult{Text: protocol.Text(out), Bound: h.bound}, nil
}

func (h *asker) files(r *request) (any, error) {
	var p protocol.FilesParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	args := []string{"files", "-T", `{path}\0{flags}\0{size}\0`}
	for flag, list := range map[string][]protocol.Text{"-r": one(p.Rev), "-I": p.Include, "-X": p.Exclude} {
		for _, v := range list {
			args = append(args, flag, string(v))
		}
	}
	list, err := h.records(3, names(args, p.Paths)...)
	if err != nil {
		return nil, err
	}
	res := &protocol.FilesResult{Files: make([]protocol.TrackedFile, len(list)), Bound: h.bound}
	for i, f := range list {
		size, err := number(f[2])
		if err != nil {
			return nil, err
		}
		res.Files[i] = protocol.TrackedFile{Path: protocol.Text(f[0]), Flags: f[1], Size: int64(size)}
	}
	return res, nil
}

func (h *asker) conflicts(r *request) (any, error) {
	list, err := h.records(2, "resolve", "--list", "-T", `{path}\0{mergestatus}\0`)
	if err != nil {
		return nil, err
	}
	res := &protocol.ConflictsResult{Files: make([]protocol.Conflict, len(list)), Bound: h.bound}
	for i, f := range list {
		res.Files[i] = protocol.Conflict{Path: protocol.Text(f[0]), Status: f[1]}
	}
	return res, nil
}

func (h *asker) configItems(r *request) (any, error) {
	var p protocol.ConfigParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	args := []string{"config", "-T", `{name}\0{value}\0{source}\0`}
	for _, n := range p.Names {
		args = append(args, string(n))
	}
	// The user's own values are asked for, not those of plain output.
	h.plain = []string{"HGPLAIN", "HGPLAINEXCEPT"}
	list, err := h.records(3, args...)
	if err != nil {
		return nil, err
	}
	res := &protocol.ConfigResult{Items: make([]protocol.ConfigItem, len(list)), Bound: h.bound}
	for i, f := range list {
		name := f[0]
		if name == "" && len(p.Names) == 1 {
			name = string(p.Names[0]) // of a single item hg prints no name
		}
		res.Items[i] = protocol.ConfigItem{Name: protocol.Text(name), Value: protocol.Text(f[1]), Source: protocol.Text(f[2])}
	}
	return res, nil
}

func (h *asker) paths(r *request) (any, error) {
	list, err := h.records(3, "paths", "-T", `{name}\0{url}\0{pushurl}\0`)
	if err != nil {
		return nil, err
	}
	res := &protocol.PathsResult{Paths: make([]protocol.RemotePath, len(list)), Bound: h.bound}
	for i, f := range list {
		res.Paths[i] = protocol.RemotePath{Name: protocol.Text(f[0]), URL: protocol.Text(f[1]), PushURL: protocol.Text(f[2])}
	}
	return res, nil
}

func (h *asker) copySource(r *request) (any, error) {
	var p protocol.CopySourceParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	path, err := p.URI.FilePath()
	if err != nil {
		return nil, invalidParams(err.Error())
	}
	if path == "" {
		return nil, invalidParams("uri is missing")
	}
	args := []string{"status", "-C", "-m", "-a", "-T", `{path}\0{source}\0`}
	if p.Rev != "" {
		args = append(args, "--change", string(p.Rev))
	}
	list, err := h.records(2, append(args, "--", "relpath:"+path)...)
	if err != nil {
		return nil, err
	}
	res := &protocol.CopySourceResult{Bound: h.bound}
	if len(list) > 1 {
		return nil, invalidParams("uri names more than one file")
	}
	if len(list) == 1 && list[0][1] != "" {
		source := protocol.Text(list[0][1])
		res.Source = &source
	}
	return res, nil
}

// place is the directory that the request is about.
func (r *request) place(base string) (string, error) {
	// Only what tells the place; whoever answers reads the rest.
	var p struct {
		protocol.Place
		URI protocol.Text `json:"uri"`
	}
	if r.Params != nil && r.Params[0] != '{' {
		return "", invalidParams("must be an object")
	}
	if err := r.decode(&p); err != nil {
		return "", err
	}
	return place(&p.Place, p.URI, base)
}
