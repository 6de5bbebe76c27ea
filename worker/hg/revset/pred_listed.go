// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// maxListed bounds a file that lists revisions, in bytes.
const maxListed = 64 << 20

// FileReader is an optional part of a Repo: files that an expression or the
// configuration names, relative to the directory of the command.
type FileReader interface {
	// ReadListed reads at most limit bytes of a file; longer ones are an error.
	ReadListed(path string, limit int64) ([]byte, error)
	// ExternalData is the item of that name in [extdata], "" without one.
	ExternalData(source string) string
	// ToLocal converts from UTF-8 to the local encoding.
	ToLocal(text string) string
}

func (ev *evaluator) fileReader(name string) (FileReader, error) {
	if r, ok := ev.repo.(FileReader); ok {
		return r, nil
	}
	return nil, hgerr.NewUnsupported("revset %s()", name)
}

// nodeFromFile is id() of each line of a file.
func nodeFromFile(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	path, err := getString(x, "nodefromfile require a file path")
	if err != nil {
		return nil, err
	}
	reader, err := ev.fileReader("nodefromfile")
	if err != nil {
		return nil, err
	}
	text, err := reader.ReadListed(path, maxListed)
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return nil, hgerr.Abortf(hgerr.Other, "cannot open nodes file \"%s\": %s", path, upperFirst(errno.Error()))
	case errors.Is(err, fs.ErrNotExist):
		return nil, hgerr.Abortf(hgerr.Other, "cannot open nodes file \"%s\": No such file or directory", path)
	case err != nil:
		return nil, err
	}
	var revs []node.Rev
	for line := range strings.Lines(string(text)) {
		r, ok, err := ev.byHash(strings.Trim(line, python.Space))
		if err != nil {
			return nil, err
		}
		if ok {
			revs = append(revs, r)
		}
	}
	return intersect(subset, newSetOf(revs)), nil
}

// upperFirst writes a message of the C library as Python has it: Go's are the
// same but for the first letter.
func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// extdata is the revisions in a configured list, each line of which is a
// revision and perhaps a text behind a space.
func extdata(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := keyArgs(x, "extdata", "source")
	if err != nil {
		return nil, err
	}
	source, err := getString(args["source"], "extdata takes at least 1 string argument")
	if err != nil {
		return nil, err
	}
	reader, err := ev.fileReader("extdata")
	if err != nil {
		return nil, err
	}
	spec := reader.ExternalData(source)
	switch {
	case spec == "":
		return nil, hgerr.Abortf(hgerr.Other, "unknown extdata source '%s'", source)
	case strings.HasPrefix(spec, "shell:"):
		return nil, hgerr.NewUnsupported("revset extdata() that runs a command")
	case strings.ContainsAny(spec, ":?#%"):
		return nil, hgerr.NewUnsupported("revset extdata() of a URL")
	}
	text, err := reader.ReadListed(spec, maxListed)
	if err != nil {
		return nil, hgerr.NewUnsupported("revset extdata() of a file that cannot be read")
	}
	var revs []node.Rev
	for line := range strings.Lines(string(text)) {
		key := strings.Trim(line, python.Space)
		if strings.Contains(line, " ") {
			key, _, _ = strings.Cut(key, " ")
		}
		r, ok, err := ev.listed(reader.ToLocal(key))
		if err != nil {
			return nil, err
		}
		if ok {
			revs = append(revs, r)
		}
	}
	return intersect(subset, newListSet(unique(revs))), nil
}

// unique keeps the first of each.
func unique(revs []node.Rev) []node.Rev {
	seen := new(bitset)
	out := revs[:0]
	for _, r := range revs {
		if !seen.has(r) {
			seen.add(r)
			out = append(out, r)
		}
	}
	return out
}

// listed evaluates a line of external data, an expression with the user's
// aliases; ok is false for one that names nothing here.
func (ev *evaluator) listed(expr string) (r node.Rev, ok bool, err error) {
	r, warnings, err := Single(ev.ctx, ev.repo, expr, ev.opts)
	if len(warnings) > 0 {
		return 0, false, hgerr.NewUnsupported("revset extdata() with a bad alias")
	}
	var a *hgerr.Abort
	if errors.As(err, &a) {
		if isLookupError(err) || isAmbiguous(err) || a.Kind == hgerr.Input && a.Prefix == "" {
			return 0, false, nil
		}
		return 0, false, hgerr.NewUnsupported("revset extdata() with the line %q", expr)
	}
	return r, err == nil, err
}
