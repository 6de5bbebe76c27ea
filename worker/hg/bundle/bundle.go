// SPDX-License-Identifier: GPL-2.0-or-later

// Package bundle reads bundle files: what `hg bundle` writes, and what strip
// and its like leave in .hg/strip-backup.
//
// It takes a stream apart and hands on what is in it; nothing is applied to a
// repository, and no delta is decoded. A stream is read once, from the front,
// and no further than asked. Reading is total: every length is checked against
// a limit before anything is allocated by it, and a payload is passed over in
// pieces. The real hg gives its own words to a stream that is damaged; here it
// is an error that names what is wrong (io.ErrUnexpectedEOF when it ends early).
//
// # Format
//
// `hg help internals.bundles`, `internals.bundle2` and `internals.changegroups`
// tell more. All numbers are big-endian. The first bytes of a file say which it
// is:
//
//	HG10UN   a changegroup of version 01
//	HG10GZ   the same in a zlib stream
//	HG10BZ   the same in a bzip2 stream, whose own first bytes are that BZ
//	HG20     bundle2: parameters, and then parts
//	HGS1UN   the files of a store (see Stream)
//
// Worked example, a bundle2 without compression that holds one empty part:
//
//	48 47 32 30   HG20
//	00 00 00 00   length of the parameters
//	00 00 00 0b   length of the part's header
//	04 74 65 73 74  00 00 00 07  00 00   type "test", id 7, no parameters
//	00 00 00 00   end of its payload
//	00 00 00 00   end of the parts
package bundle

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Limits. What exceeds them is an error.
const (
	MaxParams = 1 << 20 // bytes of a stream's parameters
	MaxHeader = 1 << 20 // bytes of a part's header
	MaxName   = 1 << 20 // bytes of a file's name
	maxWindow = 128 << 20
)

// Kind is what a file holds.
type Kind int

// The kinds of bundles.
const (
	Changegroup Kind = iota // HG10
	Parts                   // HG20
	Store                   // HGS1
)

// Errors of files that are something else.
var (
	ErrNoBundle    = errors.New("not a Mercurial bundle")
	ErrHeadless    = errors.New("perhaps a changegroup without a head")
	ErrVersion     = errors.New("unknown bundle version")
	ErrCompression = errors.New("unknown compression")
)

// ShortError is a file that ends before it is known what it is.
type ShortError struct {
	Got, Want int
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("%d bytes where there should be %d", e.Got, e.Want)
}

// Param is a parameter of a stream or of a part.
type Param struct {
	Key, Value string
	HasValue   bool // of a stream's: a key may stand alone
}

// Bundle is a bundle while it is read.
type Bundle struct {
	Kind        Kind
	Version     string  // what follows "HG": "10", "20"
	Compression string  // "UN", "GZ", "BZ", "ZS"
	Params      []Param // of a bundle2, in stored order

	r    *bufio.Reader // what is compressed, unpacked
	last *Part
}

// Open reads what stands in front. With ErrVersion and ErrCompression the
// result tells which; the other errors have none.
func Open(r io.Reader) (*Bundle, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	magic, err := exactly(in, 4)
	if err != nil {
		return nil, err
	}
	switch {
	case magic[0] == 0:
		return nil, ErrHeadless
	case string(magic[:2]) != "HG":
		return nil, ErrNoBundle
	}
	b := &Bundle{Version: string(magic[2:])}
	switch {
	case b.Version == "10":
		return b, b.openChangegroup(in)
	case b.Version == "20":
		b.Kind = Parts
		return b, b.openParts(in)
	case b.Version == "S1":
		b.Kind = Store
		b.r = in
		return b, nil
	}
	return b, ErrVersion
}

// exactly reads the few bytes that say what a file is.
func exactly(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, n)
	got, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, &ShortError{got, n}
	}
	return buf, err
}

func (b *Bundle) openChangegroup(in *bufio.Reader) error {
	alg, err := exactly(in, 2)
	if err != nil {
		return err
	}
	b.Compression = string(alg)
	var r io.Reader = in
	if b.Compression == "BZ" {
		r = io.MultiReader(strings.NewReader("BZ"), in)
	}
	return b.unpack(r)
}

// unpack makes b.r of what may be compressed.
func (b *Bundle) unpack(r io.Reader) error {
	switch b.Compression {
	case "UN":
	case "GZ":
		z, err := zlib.NewReader(r)
		if err != nil {
			return fmt.Errorf("zlib stream: %w", err)
		}
		r = z
	case "BZ":
		r = bzip2.NewReader(r)
	case "ZS":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return fmt.Errorf("zstd stream: %w", err)
		}
		r = z.IOReadCloser()
	default:
		return ErrCompression
	}
	if in, ok := r.(*bufio.Reader); ok {
		b.r = in
	} else {
		b.r = bufio.NewReaderSize(r, 1<<16)
	}
	return nil
}

func (b *Bundle) openParts(in *bufio.Reader) error {
	size, err := number(in)
	if err != nil {
		return err
	}
	if size < 0 || size > MaxParams {
		return fmt.Errorf("parameters of %d bytes", size)
	}
	b.Compression = "UN"
	if size > 0 {
		block := make([]byte, size)
		if _, err := io.ReadFull(in, block); err != nil {
			return unexpected(err)
		}
		for word := range strings.SplitSeq(string(block), " ") {
			if err := b.addParam(word); err != nil {
				return err
			}
		}
	}
	return b.unpack(in)
}

// addParam takes a parameter of the stream. One that begins with a capital
// letter must be understood.
func (b *Bundle) addParam(word string) error {
	key, value, has := strings.Cut(word, "=")
	p := Param{unquote(key), unquote(value), has}
	b.Params = append(b.Params, p)
	switch {
	case p.Key == "":
		return errors.New("a parameter without a name")
	case strings.EqualFold(p.Key, "compression"):
		b.Compression = p.Value
	case p.Key[0] < 'a' || p.Key[0] > 'z':
		return fmt.Errorf("unknown mandatory parameter %q", p.Key)
	}
	return nil
}

// unquote resolves %XX; what is no such thing stays.
func unquote(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if plain, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Unquote resolves %XX as parameters have it.
func Unquote(s string) string { return unquote(s) }

// number reads a signed 32-bit number.
func number(r io.Reader) (int32, error) {
	var buf [4]byte
	if _, err := io.ReadFull(r, buf[:]); err != nil {
		return 0, unexpected(err)
	}
	return int32(binary.BigEndian.Uint32(buf[:])), nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Group is the changegroup that a bundle of that kind is.
func (b *Bundle) Group() *Group { return &Group{r: b.r, format: formats["01"]} }
