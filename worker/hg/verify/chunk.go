// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	kzlib "github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// maxText bounds what a chunk may unpack to, in bytes.
const maxText = 1 << 30

// readWindow is how much hg reads at once, in bytes.
const readWindow = 65536

// farOffset is where a file system may refuse to look, in bytes.
const farOffset = 1 << 40

// read returns the unpacked chunks of ascending revisions. target is how much
// hg would read at once.
func (l *log) read(revs []node.Rev, target int64) ([][]byte, error) {
	got := make(map[node.Rev][]byte, len(revs))
	var wanted []node.Rev // those that are not kept
	for _, rev := range revs {
		if chunk, ok := l.chunks[rev]; ok && l.at72 {
			got[rev] = chunk
		} else {
			wanted = append(wanted, rev)
		}
	}
	if len(wanted) > 0 {
		parts, err := l.slices(wanted, target)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if err := l.readPart(part, got); err != nil {
				return nil, err
			}
		}
	}
	out := make([][]byte, len(revs))
	for i, rev := range revs {
		out[i] = got[rev]
	}
	return out, nil
}

// readPart reads what hg reads in one go.
func (l *log) readPart(revs []node.Rev, got map[node.Rev][]byte) error {
	first, last := revs[0], revs[0]
	for i := len(revs) - 1; i >= 0; i-- {
		if l.length(revs[i]) != 0 {
			last = revs[i]
			break
		}
	}
	offset, segment, err := l.segment(first, last)
	if err != nil {
		return err
	}
	for _, rev := range revs {
		at := l.position(rev) - offset
		size := l.length(rev)
		if at < 0 || size < 0 {
			return hgerr.NewUnsupported("verify of a revlog whose chunks are in disorder (%s)", l.name)
		}
		at = min(at, int64(len(segment)))
		chunk, err := l.unpack(segment[at:min(at+size, int64(len(segment)))])
		if err != nil {
			return err
		}
		l.keepChunk(rev, chunk)
		got[rev] = chunk
	}
	return nil
}

// chunk returns the unpacked chunk of one revision.
func (l *log) chunk(rev node.Rev) ([]byte, error) {
	if chunk, ok := l.chunks[rev]; ok && l.at72 {
		return chunk, nil
	}
	_, segment, err := l.segment(rev, rev)
	if err != nil {
		return nil, err
	}
	chunk, err := l.unpack(segment)
	if err != nil {
		return nil, err
	}
	l.keepChunk(rev, chunk)
	return chunk, nil
}

// keepChunk remembers a chunk as 7.2 does.
func (l *log) keepChunk(rev node.Rev, chunk []byte) {
	if !l.at72 {
		return
	}
	l.chunks[rev] = chunk
	if l.chunksSize += int64(len(chunk)); l.chunksSize > l.chunksMax || len(l.chunks) > 10000 {
		clear(l.chunks)
		l.chunksSize, l.dropped = 0, true
	}
}

// position is where a chunk lies in its file, in bytes.
func (l *log) position(rev node.Rev) int64 {
	at := l.start(rev)
	if l.inline {
		at += (int64(rev) + 1) * revlog.EntrySize
	}
	return at
}

// segment reads the bytes from the beginning of one chunk to the end of
// another one, and tells where they lie.
func (l *log) segment(first, last node.Rev) (offset int64, data []byte, err error) {
	offset = l.position(first)
	length := l.position(last) + l.length(last) - offset
	if length < 0 || l.old && first != last && length >= wideSpan {
		return 0, nil, hgerr.NewUnsupported("verify of a revlog whose chunks are in disorder (%s)", l.name)
	}
	if l.inline {
		if offset+length <= int64(len(l.index)) {
			return offset, l.index[offset : offset+length], nil
		}
		return 0, nil, l.partialRead(first != last, offset, length, int64(len(l.index)))
	}
	if err := l.open(); err != nil {
		return 0, nil, err
	}
	switch {
	case l.size < 0 && offset == 0 && length == 0:
		return 0, nil, nil
	case l.size < 0:
		return 0, nil, exceptionf("[Errno 2] No such file or directory: %s", pythonBytes(l.files.DataPath()))
	case offset+length > l.size:
		return 0, nil, l.partialRead(first != last, offset, length, l.size)
	}
	data = make([]byte, length)
	if _, err := l.data.ReadAt(data, offset); err != nil {
		if err == io.EOF {
			err = hgerr.NewUnsupported("verify of a store that changes meanwhile")
		}
		return 0, nil, err
	}
	return offset, data, nil
}

func (l *log) open() error {
	if l.opened {
		return nil
	}
	f, err := os.Open(l.files.DataPath())
	switch {
	case err == nil:
		fi, err := f.Stat()
		if err != nil || !fi.Mode().IsRegular() {
			f.Close()
			return hgerr.NewUnsupported("verify of a data file that is none (%s)", l.name)
		}
		l.data, l.size = f, fi.Size()
	case os.IsNotExist(err):
		l.size = -1
	default:
		return hgerr.NewUnsupported("verify of a data file that cannot be read (%s)", l.name)
	}
	l.opened = true
	return nil
}

// partialRead is what hg says when a file ends too early. Which bytes it asked
// for is not known when it has dropped some of what it had.
func (l *log) partialRead(several bool, offset, length, size int64) error {
	if several && l.dropped {
		return hgerr.NewUnsupported("verify of a long chain in a file that is cut off (%s)", l.name)
	}
	if offset >= farOffset {
		return hgerr.NewUnsupported("verify of a chunk farther away than some file systems seek (%s)", l.name)
	}
	begin := offset &^ (readWindow - 1)
	got := max(0, size-begin) - (offset - begin)
	file := l.name + ".d"
	if l.inline {
		file = l.name + ".i"
	}
	return storageErrorf("partial read of revlog %s; expected %d bytes from offset %d, got %d", file, length, offset, got)
}

// unpack turns a chunk into what it stands for.
func (l *log) unpack(chunk []byte) ([]byte, error) {
	if len(chunk) == 0 {
		return nil, nil
	}
	switch chunk[0] {
	case 'x':
		return l.inflate(chunk)
	case 0:
		return chunk, nil
	case 'u':
		return chunk[1:], nil
	case 0x28:
		return l.unzstd(chunk)
	}
	return nil, storageErrorf("unknown compression type %s", hex.EncodeToString(chunk[:1]))
}

func (l *log) inflate(chunk []byte) ([]byte, error) {
	if z, err := kzlib.NewReader(bytes.NewReader(chunk)); err == nil {
		out, err := io.ReadAll(io.LimitReader(z, maxText+1))
		if err == nil && len(out) <= maxText {
			return out, nil
		}
	}
	out, words := inflate(chunk, maxText)
	switch {
	case words == tooLarge:
		return nil, hgerr.NewUnsupported("verify of a text of more than %d bytes (%s)", maxText, l.name)
	case words != "":
		return nil, storageErrorf("revlog decompress error: %s", words)
	}
	return out, nil
}

var unzstd = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxText))
})

// corruptFrame are the beginnings of what package zstd says of a frame of which
// libzstd says that a block of it is corrupted. The two do not agree about all
// that is wrong with a frame; what stands here was held against libzstd
// (TestZstdWords).
var corruptFrame = []string{
	"corrupt input: last value not power of two", "corrupt input: weights tableLog too big", "frame size does not match size on stream",
	"literal output size mismatch", "match offset (", "tableLog too large", "truncated input (or invalid offset)",
}

// unzstd unpacks what is sound, and tells libzstd's words where it is known what
// it says.
func (l *log) unzstd(chunk []byte) ([]byte, error) {
	if len(chunk) >= 4 && !bytes.HasPrefix(chunk, []byte("\x28\xb5\x2f\xfd")) {
		return nil, storageErrorf("revlog decompress error: zstd decompressor error: Unknown frame descriptor")
	}
	dec, err := unzstd()
	if err != nil {
		return nil, err
	}
	out, err := dec.DecodeAll(chunk, nil)
	var h zstd.Header
	if h.Decode(chunk) != nil || h.WindowSize > maxFrame || h.FrameContentSize > maxFrame || h.DictionaryID != 0 {
		return nil, hgerr.NewUnsupported("verify of an odd zstd frame (%s)", l.name)
	}
	if err == nil {
		return out, nil
	}
	// hg writes frames of one segment and of known size, unless they are large.
	plain := h.SingleSegment && h.HasFCS && !h.HasCheckSum
	if plain && l.zstdWords != "" && slices.ContainsFunc(corruptFrame, func(words string) bool { return strings.HasPrefix(err.Error(), words) }) {
		return nil, storageErrorf("revlog decompress error: zstd decompressor error: %s", l.zstdWords)
	}
	return nil, hgerr.NewUnsupported("verify of a damaged zstd frame (%s)", l.name)
}

// maxFrame is what a frame's head may promise before libzstd finds it too much.
const maxFrame = 64 << 20
