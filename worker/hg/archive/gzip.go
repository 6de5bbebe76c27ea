// SPDX-License-Identifier: GPL-2.0-or-later

package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"hgbroker/worker/hg/deflate"
)

// gzipWriter is a tar archive in gzip (RFC 1952): packed as well as zlib can,
// with the changeset's time and without a name. All of it is packed at the end.
type gzipWriter struct {
	tarWriter
	tar bytes.Buffer
	to  io.Writer
}

func newGzip(out io.Writer, mtime float64) *gzipWriter {
	w := &gzipWriter{to: out}
	w.tarWriter = tarWriter{out: &w.tar, mtime: mtime}
	return w
}

// Close packs and writes the archive.
func (w *gzipWriter) Close() error {
	if err := w.tarWriter.Close(); err != nil {
		return err
	}
	return w.Abandon()
}

// Abandon packs and writes what there is.
func (w *gzipWriter) Abandon() error {
	data := w.tar.Bytes()
	out := []byte{0x1f, 0x8b, 8, 0}
	out = binary.LittleEndian.AppendUint32(out, uint32(w.mtime))
	out = append(out, 2, 255)
	out = deflate.Append(out, data, deflate.Level9)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(data))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	_, err := w.to.Write(out)
	return err
}
