// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// Encoding says how the names of tracked files become names in the store. It
// follows from the repository's requirements; see `hg help
// internals.requirements` ("store", "fncache", "dotencode").
//
// Every form starts with EncodeDir, so that a file "a" (stored as "a.i") and a
// directory "a.i" cannot collide. Then:
//
//	Plain      nothing more
//	Encoded    'A' to "_a", '_' to "__", and what Windows forbids, controls and
//	           bytes from 0x7e up to "~" and two hex digits
//	FnCache    Encoded; Windows device names ("aux", "com1.txt") get their third
//	           letter escaped, and a trailing dot or space of a component too.
//	           A result longer than 120 bytes is replaced by a hashed name
//	           below "dh/" that cannot be decoded, which is why the store keeps
//	           a list of all names, "fncache"
//	DotEncode  FnCache, and a leading dot or space of a component is escaped
type Encoding uint8

// The encodings, from the oldest on.
const (
	Plain Encoding = iota
	Encoded
	FnCache
	DotEncode
	Literal // names as they are, directories of filelogs with "_" behind them
)

// Lengths that the hashed names are made with, all in bytes.
const (
	maxEncodedName = 120 // longer results are hashed
	hashedDirLen   = 8   // of each directory that a hashed name keeps
	hashedDirsLen  = 8*(hashedDirLen+1) - 4
)

// Name returns the store's name for a path such as "data/dir/File.i".
func (e Encoding) Name(path string) string {
	if e == Literal {
		if rest, ok := strings.CutPrefix(path, "data/"); ok {
			return "data/" + strings.ReplaceAll(rest, "/", "_/")
		}
		return path
	}
	dir := EncodeDir(path)
	switch e {
	case Plain:
		return dir
	case Encoded:
		return escapeName(dir)
	}
	dot := e == DotEncode
	// Escaping never shortens a name.
	if len(dir) <= maxEncodedName {
		if name := escapeReserved(escapeName(dir), dot); len(name) <= maxEncodedName {
			return name
		}
	}
	return hashedName(dir, dot)
}

// EncodeDir appends ".hg" to directories that end in ".hg", ".i" or ".d".
func EncodeDir(path string) string {
	if !strings.Contains(path, ".hg/") && !strings.Contains(path, ".i/") && !strings.Contains(path, ".d/") {
		return path
	}
	path = strings.ReplaceAll(path, ".hg/", ".hg.hg/")
	path = strings.ReplaceAll(path, ".i/", ".i.hg/")
	return strings.ReplaceAll(path, ".d/", ".d.hg/")
}

// DecodeDir is the reverse of EncodeDir.
func DecodeDir(path string) string {
	if !strings.Contains(path, ".hg/") {
		return path
	}
	path = strings.ReplaceAll(path, ".d.hg/", ".d/")
	path = strings.ReplaceAll(path, ".i.hg/", ".i/")
	return strings.ReplaceAll(path, ".hg.hg/", ".hg/")
}

const hexDigits = "0123456789abcdef"

// mustEscape tells the bytes that are written as "~xx" in every encoding but
// Plain.
func mustEscape(c byte) bool {
	if c < 32 || c >= 126 {
		return true
	}
	switch c {
	case '\\', ':', '*', '?', '"', '<', '>', '|':
		return true
	}
	return false
}

func appendEscaped(b []byte, c byte) []byte {
	return append(b, '~', hexDigits[c>>4], hexDigits[c&15])
}

// escapeName writes capitals and underscores with a leading underscore and
// escapes what mustEscape names.
func escapeName(path string) string {
	b := make([]byte, 0, len(path)+len(path)/2)
	for i := range len(path) {
		switch c := path[i]; {
		case mustEscape(c):
			b = appendEscaped(b, c)
		case c >= 'A' && c <= 'Z':
			b = append(b, '_', c+'a'-'A')
		case c == '_':
			b = append(b, '_', '_')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// decodeName is the reverse of escapeName. It reports false for what no
// escapeName returns.
func decodeName(name string) (string, bool) {
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '_':
			i++
			switch {
			case i == len(name):
				return "", false
			case name[i] == '_':
				b = append(b, '_')
			case name[i] >= 'a' && name[i] <= 'z':
				b = append(b, name[i]-'a'+'A')
			default:
				return "", false
			}
		case c == '~':
			if i+2 >= len(name) {
				return "", false
			}
			hi, lo := strings.IndexByte(hexDigits, name[i+1]), strings.IndexByte(hexDigits, name[i+2])
			if hi < 0 || lo < 0 || !mustEscape(byte(hi<<4|lo)) {
				return "", false
			}
			b = append(b, byte(hi<<4|lo))
			i += 2
		case mustEscape(c) || c >= 'A' && c <= 'Z':
			return "", false
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

// lowerName is escapeName without the underscores: capitals become small, which
// cannot be reversed.
func lowerName(path string) string {
	b := make([]byte, 0, len(path))
	for i := range len(path) {
		switch c := path[i]; {
		case mustEscape(c):
			b = appendEscaped(b, c)
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// isDevice tells whether a component's stem (what stands before its first dot)
// names a device of Windows.
func isDevice(stem string) bool {
	switch len(stem) {
	case 3:
		return stem == "aux" || stem == "con" || stem == "prn" || stem == "nul"
	case 4:
		return (stem[:3] == "com" || stem[:3] == "lpt") && stem[3] >= '1' && stem[3] <= '9'
	}
	return false
}

func dotOrSpace(c byte) bool { return c == '.' || c == ' ' }

// escapeReserved escapes in each component of a path what Windows would take
// for a device or drop: see Encoding.
func escapeReserved(path string, dot bool) string {
	b := make([]byte, 0, len(path)+8)
	for {
		part, rest, more := strings.Cut(path, "/")
		b = appendReserved(b, part, dot)
		if !more {
			return string(b)
		}
		b = append(b, '/')
		path = rest
	}
}

func appendReserved(b []byte, part string, dot bool) []byte {
	if part == "" {
		return b
	}
	start := len(b)
	if dot && dotOrSpace(part[0]) {
		b = appendEscaped(b, part[0])
		b = append(b, part[1:]...)
	} else if stem, _, _ := strings.Cut(part, "."); isDevice(stem) {
		b = append(b, part[:2]...)
		b = appendEscaped(b, part[2])
		b = append(b, part[3:]...)
	} else {
		b = append(b, part...)
	}
	if last := b[len(b)-1]; len(b) > start && dotOrSpace(last) {
		b = appendEscaped(b[:len(b)-1], last)
	}
	return b
}

// hashedName makes the short name of a path (already through EncodeDir) whose
// escaped form is too long: "dh/", the first bytes of its first directories, as
// much of its last component as fits, the SHA-1 of the whole path, and the
// extension.
func hashedName(path string, dot bool) string {
	sum := sha1.Sum([]byte(path))
	digest := hex.EncodeToString(sum[:])
	// The first five bytes are "data/" or "meta/".
	parts := strings.Split(escapeReserved(lowerName(path[min(5, len(path)):]), dot), "/")
	base := parts[len(parts)-1]
	ext := extension(base)

	var dirs strings.Builder
	for _, part := range parts[:len(parts)-1] {
		d := part[:min(hashedDirLen, len(part))]
		if d != "" && dotOrSpace(d[len(d)-1]) {
			d = d[:len(d)-1] + "_"
		}
		if dirs.Len() == 0 {
			dirs.WriteString(d)
			continue
		}
		if dirs.Len()+1+len(d) > hashedDirsLen {
			break
		}
		dirs.WriteByte('/')
		dirs.WriteString(d)
	}
	prefix := "dh/"
	if dirs.Len() > 0 {
		prefix += dirs.String() + "/"
	}
	room := maxEncodedName - len(prefix) - len(digest) - len(ext)
	if room > 0 {
		prefix += base[:min(room, len(base))]
	}
	return prefix + digest + ext
}

// extension returns a name's last dot and what follows it; dots that lead the
// name do not count.
func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || strings.Trim(name[:i], ".") == "" {
		return ""
	}
	return name[i:]
}
