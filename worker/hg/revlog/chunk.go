// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// The first byte of a chunk says how the rest is stored. An empty chunk is an
// empty text, or a delta that changes nothing.
const (
	chunkRaw  = '\x00' // as it is, including this byte
	chunkCopy = 'u'    // as it is, without this byte
	chunkZlib = 'x'    // a zlib stream, including this byte
	chunkZstd = '\x28' // a zstd frame, including this byte
)

// Largest ratios of decompressed to compressed bytes that the two formats can
// reach: 258 bytes for two bits in deflate, 128 KiB for a 4-byte block in zstd.
// They bound what a declared or guessed size may allocate.
const (
	maxRatioZlib = 1032
	maxRatioZstd = 32 << 10
)

// smallWindow is what a zstd frame of unknown size may have as its window in
// any case, in bytes.
const smallWindow = 8 << 20

// decompressor turns chunks into what they stand for. It is not safe for
// concurrent use.
type decompressor struct {
	in   bytes.Reader
	zlib io.ReadCloser
	zstd *zstd.Decoder
}

// decompressors keeps idle ones: each costs tens of kilobytes to make, and a
// command may open thousands of revlogs. They carry nothing from one use to
// the next.
var decompressors = sync.Pool{New: func() any { return new(decompressor) }}

// decompress returns the content of a chunk. The result is a part of chunk, or
// stands in dst's spare capacity, or is new. guess is the size that is expected,
// limit the most that is allowed.
func (d *decompressor) decompress(dst, chunk []byte, guess, limit int64) ([]byte, error) {
	if len(chunk) == 0 {
		return nil, nil
	}
	switch chunk[0] {
	case chunkRaw:
		if int64(len(chunk)) > limit {
			return nil, errTooLarge
		}
		return chunk, nil
	case chunkCopy:
		if int64(len(chunk)) > limit {
			return nil, errTooLarge
		}
		return chunk[1:], nil
	case chunkZlib:
		return d.inflate(dst, chunk, guess, limit)
	case chunkZstd:
		return d.unzstd(dst, chunk, guess, limit)
	}
	return nil, fmt.Errorf("unknown compression type %#02x", chunk[0])
}

func (d *decompressor) inflate(dst, chunk []byte, guess, limit int64) ([]byte, error) {
	d.in.Reset(chunk)
	if d.zlib == nil {
		z, err := zlib.NewReader(&d.in)
		if err != nil {
			return nil, err
		}
		d.zlib = z
	} else if err := d.zlib.(zlib.Resetter).Reset(&d.in, nil); err != nil {
		return nil, err
	}
	// Bytes behind the end of the stream are ignored, as hg does.
	return readAll(d.zlib, room(dst, max(0, min(guess, limit, int64(len(chunk))*maxRatioZlib))+1), limit)
}

func (d *decompressor) unzstd(dst, chunk []byte, guess, limit int64) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(chunk); err != nil {
		return nil, err
	}
	// Only the first frame's header is checked below, so there must be no other.
	if end, ok := frameEnd(&h, chunk); !ok || end != len(chunk) {
		return nil, errFrame
	}
	if d.zstd == nil {
		// DecodeAll never allocates room for its output, whatever a frame
		// declares: that is done here, with bounds.
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(MaxTextSize), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, err
		}
		d.zstd = z
	}
	most := min(limit, int64(len(chunk))*maxRatioZstd)
	if h.HasFCS {
		if h.FrameContentSize > uint64(most) {
			return nil, errTooLarge
		}
		return d.zstd.DecodeAll(chunk, room(dst, int64(h.FrameContentSize)))
	}
	// hg leaves the size out of the frame for what is longer than a megabyte.
	if h.WindowSize > uint64(max(most, smallWindow)) {
		return nil, errTooLarge
	}
	d.in.Reset(chunk)
	if err := d.zstd.Reset(&d.in); err != nil {
		return nil, err
	}
	defer d.zstd.Reset(nil)
	return readAll(d.zstd, room(dst, max(0, min(guess, most))+1), limit)
}

// errFrame says that a chunk is not just one frame.
var errFrame = errors.New("zstd: not one whole frame")

// frameEnd is where the frame that a chunk begins with ends (RFC 8878, section
// 3.1.1): after the header come blocks, each with three bytes, little-endian, of
// last-block flag, two bits of type and 21 of size, and then a checksum if the
// header says so. ok is false when the chunk ends before.
func frameEnd(h *zstd.Header, chunk []byte) (end int, ok bool) {
	const rle = 1 // a block of this type holds one byte, whatever its size
	if h.Skippable {
		return 0, false
	}
	for at := h.HeaderSize; at+3 <= len(chunk); {
		b := int(chunk[at]) | int(chunk[at+1])<<8 | int(chunk[at+2])<<16
		size := b >> 3
		if b>>1&3 == rle {
			size = 1
		}
		at += 3 + size
		if b&1 == 0 {
			continue
		}
		if h.HasCheckSum {
			at += 4
		}
		return at, at <= len(chunk)
	}
	return 0, false
}

// readAll reads r to its end into out's spare capacity, or more. One byte more
// than is expected shows the end without growing.
func readAll(r io.Reader, out []byte, limit int64) ([]byte, error) {
	for {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if int64(len(out)) > limit {
			return nil, errTooLarge
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// room returns an empty slice of at least size bytes of capacity: dst's spare
// one when that is enough.
func room(dst []byte, size int64) []byte {
	if out := dst[len(dst):]; int64(cap(out)) >= size {
		return out
	}
	return make([]byte, 0, size)
}
