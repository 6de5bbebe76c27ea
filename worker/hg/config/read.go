// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

const (
	// maxFileSize bounds one hgrc; a larger one is left to the real hg.
	maxFileSize = 4 << 20
	// maxIncludeDepth bounds nested %include; real hg dies of recursion later.
	maxIncludeDepth = 50
	// maxIncludes bounds the files that one hgrc may draw in altogether.
	maxIncludes = 1000
)

// readFile lays one file over the configuration, if it can be opened at all.
// name is what values record as their source, root what its relative [paths]
// are relative to ("" for the home directory). A file that is not trusted is
// asked about its owner.
func (c *Config) readFile(path, name, root string, trusted bool) error {
	f, err := c.open(path)
	if err != nil {
		if hgerr.IsUnsupported(err) {
			return err
		}
		return nil
	}
	defer f.Close()
	if !trusted {
		if trusted, err = c.trusts(f, name); err != nil {
			return err
		}
	}
	l := newLayer()
	l.newSource()
	r := reader{config: c, layer: l}
	if err := r.read(f, name); err != nil {
		var syntax *syntaxError
		if !errors.As(err, &syntax) {
			return err
		}
		if trusted {
			return syntax.abort()
		}
		c.warn(fmt.Sprintf("ignored %s: %s\n", syntax.location, syntax.message))
	}
	c.dropForPlain(l)
	if trusted {
		c.trusted.update(l)
		c.trusted.update(c.overrides)
	}
	c.untrusted.update(l)
	c.untrusted.update(c.overrides)
	if root == "" {
		root = c.sources.expandUser("~")
	}
	return c.fix(root, "")
}

// open opens a file that may be configuration. Whatever is neither a regular
// file nor /dev/null is left to the real hg, which may block on it.
func (c *Config) open(path string) (*os.File, error) {
	if strings.IndexByte(path, 0) >= 0 {
		return nil, hgerr.NewUnsupported("configuration file with a NUL in its name")
	}
	abs := c.sources.abs(path)
	if path == "" {
		return nil, os.ErrNotExist
	}
	f, err := os.OpenFile(abs, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		c.addInput(abs)
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if err := c.addOpenInput(abs, f); err != nil {
		f.Close()
		return nil, err
	}
	switch {
	case info.Mode().IsRegular():
		if info.Size() > maxFileSize {
			f.Close()
			return nil, hgerr.NewUnsupported("configuration file %s of %d bytes", path, info.Size())
		}
	case info.IsDir():
		f.Close()
		return nil, unix.EISDIR
	case abs == os.DevNull:
	default:
		f.Close()
		return nil, hgerr.NewUnsupported("configuration file %s that is no regular file", path)
	}
	return f, nil
}

// trusts decides about a file by its owner (`hg help config.trusted`).
func (c *Config) trusts(f *os.File, name string) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, fmt.Errorf("stat %s: %w", name, err)
	}
	s := c.sources
	if st.Uid == s.UID || c.trustUsers["*"] || c.trustGroups["*"] {
		return true, nil
	}
	user, group := s.userName(st.Uid), s.groupName(st.Gid)
	if c.trustUsers[user] || c.trustGroups[group] || user == s.userName(s.UID) {
		return true, nil
	}
	if c.reportUntrusted {
		c.warn(fmt.Sprintf("not trusting file %s from untrusted user %s, group %s\n", name, user, group))
	}
	return false, nil
}

// reader reads a file and what it includes into one layer.
type reader struct {
	config   *Config
	layer    *layer
	depth    int
	included int
}

func (r *reader) read(f *os.File, name string) error {
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return fmt.Errorf("read configuration %s: %w", name, err)
	}
	if len(data) > maxFileSize {
		return hgerr.NewUnsupported("configuration file %s is too large", name)
	}
	return r.layer.parse(name, string(data), func(path, location string) error {
		return r.include(name, path, location)
	})
}

// include reads the file that a %include line of the file called from names.
// A file that does not exist is passed over.
func (r *reader) include(from, path, location string) error {
	if r.included++; r.depth == maxIncludeDepth || r.included > maxIncludes {
		return hgerr.NewUnsupported("%%include nested too deeply in %s", from)
	}
	expanded := r.config.sources.ExpandPath(path)
	name := normalize(join(dirname(from), expanded))
	r.layer.newSource()
	f, err := r.config.open(name)
	if err != nil {
		if hgerr.IsUnsupported(err) {
			return err
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return &syntaxError{
			location: location,
			message:  fmt.Sprintf("cannot include %s (%s)", expanded, strerror(err)),
		}
	}
	defer f.Close()
	r.depth++
	err = r.read(f, name)
	r.depth--
	// Anything after the %include is of a higher level.
	r.layer.newSource()
	return err
}

// strerror is the system's text for an error: what Python's strerror holds.
func strerror(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	// glibc's texts start with a capital, Go's do not.
	text := errno.Error()
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

// splitOverride cuts "section.name=value".
func splitOverride(arg string) (section, name, text string, ok bool) {
	left, text, ok := strings.Cut(arg, "=")
	if !ok {
		return "", "", "", false
	}
	section, name, ok = strings.Cut(python.Strip(left), ".")
	return section, name, python.Strip(text), ok && section != "" && name != ""
}

func malformedOverride(arg string) error {
	return hgerr.Abortf(hgerr.Input, "malformed --config option: %s (use --config section.name=value)", python.Repr(arg))
}
