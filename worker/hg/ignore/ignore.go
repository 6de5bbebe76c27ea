// SPDX-License-Identifier: GPL-2.0-or-later

// Package ignore decides which untracked files Mercurial does not speak of: the
// rules of .hgignore at the root, of the files that ui.ignore and ui.ignore.*
// name, and of the files that these include (`help hgignore`).
//
// The patterns themselves are package match's. A rule that matches a directory
// holds for all that is below it; a directory that is ignored is not walked, so
// Ignored answers for one path alone and PathIgnored for the directories above
// it, too.
//
// Errors are hg's (an invalid pattern aborts every command that asks, which
// `hg status -mard` does not), or Unsupported. Rules do not change and are safe for concurrent use; Inputs says
// what they were read from, for whoever keeps them.
package ignore

import (
	"os"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/store"
)

// Name is the file of rules at the root of a working directory.
const Name = ".hgignore"

// Options say where the rules are.
type Options struct {
	// Root is the working directory's root, absolute.
	Root string
	// Files are the values of ui.ignore and ui.ignore.*, in the order of the
	// configuration, with variables and ~ expanded. Relative ones are relative
	// to Root. They need not exist.
	Files []string
	// ReadFile reads a file by its absolute name; nil means os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Warn prints hg's warnings, newline included; nil drops them.
	Warn func(string)
	// Version is the release to behave as.
	Version config.Version
}

// Rules are all rules of a working directory.
type Rules struct {
	opts   Options
	files  []string // those that hg starts from, absolute
	m      match.Matcher
	inputs []store.Stamped
	warned []string
}

// Load reads and compiles the rules.
func Load(o Options) (*Rules, error) {
	r := &Rules{opts: o, m: match.Never()}
	seen := map[string]bool{}
	stamp := func(name string) store.Stamped {
		s, _ := store.StampOf(name) // what cannot be told is never fresh
		if !seen[name] {
			seen[name] = true
			r.inputs = append(r.inputs, store.Stamped{Path: name, Stamp: s})
		}
		return store.Stamped{Path: name, Stamp: s}
	}
	own := strings.TrimSuffix(o.Root, "/") + "/" + Name
	if stamp(own).Stamp.Exists {
		r.files = append(r.files, own)
	}
	for _, name := range o.Files {
		if !strings.HasPrefix(name, "/") {
			name = strings.TrimSuffix(o.Root, "/") + "/" + name
		}
		r.files = append(r.files, name)
	}
	if len(r.files) == 0 {
		return r, nil
	}
	patterns := make([]string, len(r.files))
	for i, name := range r.files {
		patterns[i] = "include:" + name
	}
	m, err := match.New(match.Options{
		Root:    o.Root,
		Include: patterns,
		Version: o.Version,
		Warn: func(text string) {
			r.warned = append(r.warned, text)
			if o.Warn != nil {
				o.Warn(text)
			}
		},
		ReadFile: func(name string) ([]byte, error) {
			stamp(name)
			return r.read(name)
		},
	})
	if err != nil {
		return nil, err
	}
	r.m = m
	return r, nil
}

func (r *Rules) read(name string) ([]byte, error) {
	if r.opts.ReadFile != nil {
		return r.opts.ReadFile(name)
	}
	return os.ReadFile(name)
}

// Inputs are the files that the rules came from, as they were before they were
// read, and those that were looked for in vain. Rules loaded from the same
// Options are the same while all of them are Fresh.
func (r *Rules) Inputs() []store.Stamped { return r.inputs }

// Warnings are what Load warned of. hg warns each time that it needs the rules,
// so whoever keeps them repeats these.
func (r *Rules) Warnings() []string { return r.warned }

// Matcher matches what is ignored, as Ignored does.
func (r *Rules) Matcher() match.Matcher { return r.m }

// Ignored reports whether a rule matches a file or directory. That of one
// above it is not looked at; "" is the root.
func (r *Rules) Ignored(path string) bool { return r.m.Match(path) }

// PathIgnored reports whether a path or a directory above it is ignored.
func (r *Rules) PathIgnored(path string) bool {
	_, ok := r.Because(path)
	return ok
}

// Because returns what is ignored of path and the directories above it, the
// longest first.
func (r *Rules) Because(path string) (ignored string, ok bool) {
	for {
		if r.m.Match(path) {
			return path, true
		}
		if path == "" {
			return "", false
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
	}
}

// Where finds the rule that ignores a path: the file it is in, its line counted
// from 1, and its text as hg shows it. Without one the file is "". Rules
// behind a subinclude are Unsupported here, since hg looks for their files in
// whatever directory it runs. warn is given what hg warns of meanwhile.
func (r *Rules) Where(path string, warn func(string)) (file string, line int, text string, err error) {
	for _, name := range r.files {
		data, err := r.read(name)
		if err != nil {
			return "", 0, "", hgerr.NewUnsupported("ignore file %s: %v", name, err)
		}
		lines := match.ParseFile(string(data), func(syntax string) {
			if warn != nil {
				warn(name + ": ignoring invalid syntax '" + syntax + "'\n")
			}
		})
		for _, l := range lines {
			if kind, _ := match.Kind(l.Pattern, "glob", false); kind == "subinclude" {
				return "", 0, "", hgerr.NewUnsupported("debugignore with subinclude")
			}
			m, err := match.New(match.Options{
				Root:     r.opts.Root,
				Include:  []string{l.Pattern},
				Warn:     warn,
				ReadFile: r.opts.ReadFile,
				Version:  r.opts.Version,
			})
			if err != nil {
				return "", 0, "", err
			}
			if m.Match(path) {
				return name, l.Line, l.Text, nil
			}
		}
	}
	return "", -1, "", nil
}
