// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"errors"
	"io"
	"os"

	"hgbroker/worker/hg/node"
)

// chunks reads the chunks of ascending revisions, with one pread for those that
// lie close together. The results stay valid as long as they are referenced.
func (r *Revlog) chunks(revs []node.Rev) ([][]byte, error) {
	out := make([][]byte, len(revs))
	for i := 0; i < len(revs); {
		start, end := r.chunkSpan(revs[i])
		j := i + 1
		for ; j < len(revs); j++ {
			s, e := r.chunkSpan(revs[j])
			if s < end || s-end > maxGap {
				break
			}
			end = e
		}
		span, err := r.pread(revs[i], start, end)
		if err != nil {
			return nil, err
		}
		for ; i < j; i++ {
			s, e := r.chunkSpan(revs[i])
			out[i] = span[s-start : e-start : e-start]
		}
	}
	return out, nil
}

// pread reads a range of the file that holds the chunks. rev stands in errors.
func (r *Revlog) pread(rev node.Rev, start, end int64) ([]byte, error) {
	if start == end {
		return nil, nil
	}
	if r.raw != nil {
		if start < 0 || end > int64(len(r.raw)) || start > end {
			return nil, r.damaged(rev, "chunk past end of file")
		}
		return r.raw[start:end], nil
	}
	if err := r.checkSpan(rev, start, end); err != nil {
		return nil, err
	}
	buf := make([]byte, end-start)
	if err := r.readAt(rev, buf, start); err != nil {
		return nil, err
	}
	return buf, nil
}

// checkSpan opens the data file and tells whether it holds a range, so that
// nothing is allocated by a length that is not there.
func (r *Revlog) checkSpan(rev node.Rev, start, end int64) error {
	if r.data == nil {
		path := r.files.DataPath()
		if r.Inline() {
			path = r.files.IndexPath()
		}
		f, err := os.Open(path)
		if err != nil {
			if os.IsNotExist(err) {
				return r.damaged(rev, "no data file")
			}
			return err
		}
		r.data, r.dataSize = f, 0
	}
	if end > r.dataSize {
		// The file may have grown since it was opened.
		fi, err := r.data.Stat()
		if err != nil {
			return err
		}
		r.dataSize = fi.Size()
	}
	if start < 0 || start > end || end > r.dataSize {
		return r.damaged(rev, "chunk past end of file")
	}
	return nil
}

func (r *Revlog) readAt(rev node.Rev, buf []byte, at int64) error {
	if _, err := r.data.ReadAt(buf, at); err != nil {
		if errors.Is(err, io.EOF) {
			return r.damaged(rev, "chunk past end of file")
		}
		return err
	}
	return nil
}
