// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// NormPath is posixpath.normpath: path.Clean, except that exactly two slashes
// at the start stay.
func NormPath(name string) string {
	if strings.HasPrefix(name, "//") && !strings.HasPrefix(name, "///") {
		return "/" + path.Clean(name)
	}
	return path.Clean(name)
}

// PathTo is the path of file (relative to root) as it is shown to a user in
// cwd: relative to cwd, which is relative to root, or absolute when outside.
func PathTo(root, cwd, file string) string {
	if cwd == "" {
		return file
	}
	if path.IsAbs(cwd) {
		file = root + "/" + file
	}
	a, b := strings.Split(cwd, "/"), strings.Split(file, "/")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	up := slices.Repeat([]string{".."}, len(a))
	if s := strings.Join(append(up, b...), "/"); s != "" {
		return s
	}
	return "."
}

// CanonPath is the path, relative to root, that a user in cwd (absolute) calls
// name. Its errors are hg's: name is not under root, or the auditor's. An
// absolute name, and a cwd, may lead to root through symbolic links.
func CanonPath(root, cwd, name string, a *Auditor) (string, error) {
	rootSlash := root
	if !strings.HasSuffix(root, "/") {
		rootSlash += "/"
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", hgerr.NewUnsupported("path with a NUL: %q", name)
	}
	full := name
	if !path.IsAbs(name) {
		full = join(join(root, cwd), name)
	}
	full = NormPath(full)
	if full == root {
		return "", nil
	}
	if rest, ok := strings.CutPrefix(full, rootSlash); ok && rest != "" {
		return rest, a.Audit(rest)
	}
	if rest, ok := resolve(root, full); ok {
		if rest == "" {
			return "", nil
		}
		return rest, a.Audit(rest)
	}
	abort := hgerr.Abortf(hgerr.Other, "%s not under root '%s'", name, root)
	if cwd != root {
		// A usual mistake: a name that is relative to the root, beside -R.
		_, err := CanonPath(root, root, name, a)
		var inner *hgerr.Abort
		switch {
		case err == nil:
			abort.Hint = "consider using '--cwd " + strings.TrimSuffix(PathTo(root, cwd, ""), "/") + "'"
		case !errors.As(err, &inner):
			return "", err
		}
	}
	return "", abort
}

// resolve goes up from full until it meets the directory that root is, under
// whatever name, and returns the rest of full.
func resolve(root, full string) (rest string, ok bool) {
	at, err := os.Stat(root)
	if err != nil {
		return "", false
	}
	for {
		if st, err := os.Stat(full); err == nil && os.SameFile(st, at) {
			return rest, true
		}
		dir, name := path.Dir(full), path.Base(full)
		if dir == full {
			return "", false
		}
		rest = strings.TrimSuffix(name+"/"+rest, "/")
		full = dir
	}
}

// Auditor refuses paths that hg refuses: into .hg, out of the root, through a
// symbolic link or into a repository inside (mercurial/pathutil.py). It
// remembers the directories that it found good, so it is for one command. The
// zero Auditor with a Root is ready for use.
type Auditor struct {
	Root string
	// NoFS restricts the audit to the text of a path.
	NoFS bool
	// Nested tells of a directory that is a repository whether it is a
	// subrepository, inside which paths are good. Without it none is.
	Nested func(dir string) (bool, error)

	mu   sync.Mutex
	good map[string]bool // false: does not exist
}

// Audit returns the *hgerr.Abort with which hg refuses path, or nil. What the
// file system answers beyond "not there" is Unsupported.
func (a *Auditor) Audit(path string) error {
	if strings.HasSuffix(path, "/") {
		return hgerr.Abortf(hgerr.Input, "path ends in directory separator: %s", path)
	}
	parts := strings.Split(path, "/")
	first := lowerClean(parts[0])
	if first == ".hg" || first == ".hg." || first == "" || slices.Contains(parts, "..") {
		return illegal(path)
	}
	for _, p := range parts {
		if name, number, ok := strings.Cut(p, "~"); ok && isDigits(number) {
			if up := strings.ToUpper(name); up == "HG" || up == "HG8B6C" {
				return illegal(path)
			}
		}
	}
	if strings.Contains(lowerClean(path), ".hg") {
		for _, dot := range []string{".hg", ".hg."} {
			at := slices.IndexFunc(parts, func(p string) bool { return lowerClean(p) == dot })
			if at > 0 {
				return hgerr.Abortf(hgerr.Input, "path '%s' is inside nested repo %s", path, python.Repr(strings.Join(parts[:at], "/")))
			}
		}
	}
	if a.NoFS {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		exists, err := a.directory(path[:i], path)
		if err != nil {
			return err
		}
		if !exists {
			return nil
		}
	}
	return nil
}

// directory checks one directory above path; a.mu is held.
func (a *Auditor) directory(dir, path string) (exists bool, err error) {
	if exists, known := a.good[dir]; known {
		return exists, nil
	}
	full := join(a.Root, dir)
	st, err := os.Lstat(full)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EINVAL):
		// Below what is no directory nothing exists either.
	case err != nil:
		return false, hgerr.NewUnsupported("path %s: %v", path, err)
	case st.Mode()&os.ModeSymlink != 0:
		return false, hgerr.Abortf(hgerr.Other, "path %s traverses symbolic link %s", python.Repr(path), python.Repr(dir))
	case st.IsDir():
		if nested, err := os.Stat(full + "/.hg"); err == nil && nested.IsDir() {
			ours := false
			if a.Nested != nil {
				if ours, err = a.Nested(dir); err != nil {
					return false, err
				}
			}
			if !ours {
				return false, hgerr.Abortf(hgerr.Other, "path '%s' is inside nested repo %s", path, python.Repr(dir))
			}
		}
		exists = true
	default:
		exists = true
	}
	if a.good == nil {
		a.good = map[string]bool{}
	}
	a.good[dir] = exists
	return exists, nil
}

func illegal(path string) error {
	return hgerr.Abortf(hgerr.Input, "path contains illegal component: %s", path)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// invisible are the characters that HFS+ ignores in names, as UTF-8.
var invisible = strings.NewReplacer(
	"\u200c", "", "\u200d", "", "\u200e", "", "\u200f", "",
	"\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "",
	"\u206a", "", "\u206b", "", "\u206c", "", "\u206d", "", "\u206e", "", "\u206f", "",
	"\ufeff", "")

// lowerClean folds a name as hg does to recognize .hg in disguise. Only ASCII
// letters have a lower case in bytes.
func lowerClean(s string) string {
	b := []byte(s)
	plain := true
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
		plain = plain && c < 0x80
	}
	if plain {
		return string(b)
	}
	return invisible.Replace(string(b))
}
