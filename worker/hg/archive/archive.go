// SPDX-License-Identifier: GPL-2.0-or-later

// Package archive writes tar and zip archives as Python's modules do that hg
// uses, to the byte: which headers there are, what stands in each field, how
// data is packed.
//
// It knows no repository: the caller adds members in their order. What Python
// could not write, or would write otherwise in some of its versions, is an
// *hgerr.Unsupported of Check, which is asked before anything is written.
package archive

import (
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"hgbroker/worker/hg/hgerr"
)

// Limits of archives that are written here.
const (
	MaxSize  = 1 << 29 // bytes of all members
	MaxFiles = 60000   // members; a zip archive of more has another form
)

// Member is a file of an archive.
type Member struct {
	Name string // with its prefix
	Exec bool
	Link bool // a symbolic link, whose target is Data
	Data []byte
}

// Writer adds members to an archive.
type Writer interface {
	Add(Member) error
	Close() error // not of what it writes to
	// Abandon leaves the archive as Python does when a command ends before it
	// is complete.
	Abandon() error
}

// Kinds are the archives that New makes, by hg's names.
var Kinds = []string{"tar", "tgz", "uzip", "zip"}

// New starts an archive. mtime is the time of every member, in seconds since
// 1970. seekable says that out is a file, written from its start: Python then
// goes back to fill sizes in, which a zip archive shows.
func New(kind string, out io.Writer, mtime float64, seekable bool) Writer {
	switch kind {
	case "tar":
		return &tarWriter{out: out, mtime: mtime}
	case "tgz":
		return newGzip(out, mtime)
	case "uzip", "zip":
		return newZip(out, mtime, kind == "zip", seekable)
	}
	panic("archive: no kind " + kind)
}

// Check tells whether an archive can have such members. utf8Names says that
// file names are UTF-8 to Python.
func Check(kind string, mtime float64, names []string, size int64, utf8Names bool) error {
	switch {
	case size > MaxSize:
		return hgerr.NewUnsupported("archive of more than %d bytes", MaxSize)
	case len(names) > MaxFiles:
		return hgerr.NewUnsupported("archive of more than %d files", MaxFiles)
	case math.Abs(mtime) >= 1e15 || kind != "tar" && mtime >= math.MaxInt32 || kind == "tgz" && mtime < 0:
		return hgerr.NewUnsupported("archive of a changeset of the time %v", mtime)
	}
	for _, name := range names {
		switch {
		case isASCII(name):
		case !utf8Names:
			return hgerr.NewUnsupported("archive of the name %q where the locale is not of UTF-8", name)
		case strings.HasSuffix(kind, "zip") && !utf8.ValidString(name):
			return hgerr.NewUnsupported("zip archive of the name %q", name)
		}
		if strings.Contains(name, "\x00") {
			return hgerr.NewUnsupported("archive of the name %q", name)
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// pythonFloat is how Python writes a float of less than 1e16.
func pythonFloat(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
