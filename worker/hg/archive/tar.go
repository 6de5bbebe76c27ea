// SPDX-License-Identifier: GPL-2.0-or-later

package archive

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	tarBlock  = 512
	tarRecord = 20 * tarBlock
)

// tarWriter writes a tar archive in the form of POSIX 1003.1-2001 (pax), as
// Python's tarfile does by default. hg hands it the time as a floating-point
// number, so that every member has an extended header before its own:
//
//	header of type 'x', "././@PaxHeader"
//	records "LENGTH KEY=VALUE\n": path and linkpath where they are longer than
//	100 characters or not ASCII, mtime; hdrcharset=BINARY before them where
//	they are not UTF-8
//	header of the member: what is not ASCII is '?', names are cut off
//	its data
//
// each filled up to blocks of 512 bytes. Two empty blocks end the archive, which
// is filled up to 10240 bytes.
type tarWriter struct {
	out   io.Writer
	mtime float64
	size  int64
}

func (w *tarWriter) write(parts ...[]byte) error {
	for _, p := range parts {
		if _, err := w.out.Write(p); err != nil {
			return err
		}
		w.size += int64(len(p))
	}
	return nil
}

var zeros [tarRecord]byte

// fill is what is missing to a multiple of unit.
func fill(size, unit int64) []byte { return zeros[:(unit-size%unit)%unit] }

// Add writes a member.
func (w *tarWriter) Add(m Member) error {
	kind, mode, link, data := byte('0'), 0o644, "", m.Data
	switch {
	case m.Link:
		kind, mode, link, data = '2', 0o777, string(m.Data), nil
	case m.Exec:
		mode = 0o755
	}
	var keys, values []string
	for _, f := range [][2]string{{"path", m.Name}, {"linkpath", link}} {
		if !isASCII(f[1]) || utf8.RuneCountInString(f[1]) > 100 {
			keys, values = append(keys, f[0]), append(values, f[1])
		}
	}
	mtime := int64(math.RoundToEven(w.mtime))
	if mtime < 0 || mtime >= 1<<33 {
		mtime = 0
	}
	records := paxRecords(append(keys, "mtime"), append(values, pythonFloat(w.mtime)))
	return w.write(
		tarHeader("././@PaxHeader", 0, int64(len(records)), 0, 'x', ""), records, fill(int64(len(records)), tarBlock),
		tarHeader(m.Name, mode, int64(len(data)), mtime, kind, link), data, fill(int64(len(data)), tarBlock))
}

func paxRecords(keys, values []string) []byte {
	var out []byte
	for _, v := range values {
		if !utf8.ValidString(v) {
			out = append(out, "21 hdrcharset=BINARY\n"...)
			break
		}
	}
	for i, key := range keys {
		// The length counts its own digits.
		plain := len(key) + len(values[i]) + 3
		size := 0
		for n := plain + len(fmt.Sprint(size)); n != size; n = plain + len(fmt.Sprint(size)) {
			size = n
		}
		out = fmt.Appendf(out, "%d %s=%s\n", size, key, values[i])
	}
	return out
}

// replaced has a question mark for what is not ASCII.
func replaced(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}

func tarHeader(name string, mode int, size, mtime int64, kind byte, link string) []byte {
	h := make([]byte, tarBlock)
	copy(h[:100], replaced(name))
	copy(h[100:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00%011o\x00%011o\x00        ", mode, 0, 0, size, mtime))
	h[156] = kind
	copy(h[157:257], replaced(link))
	copy(h[257:], "ustar\x0000")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00", sum))
	return h
}

// Close ends the archive.
func (w *tarWriter) Close() error {
	if err := w.write(zeros[:2*tarBlock]); err != nil {
		return err
	}
	return w.write(fill(w.size, tarRecord))
}

// Abandon leaves what there is.
func (w *tarWriter) Abandon() error { return nil }
