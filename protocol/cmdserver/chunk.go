// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Channels of chunks that the server sends.
const (
	Output  = 'o'
	Errors  = 'e'
	Debug   = 'd'
	Message = 'm' // CBOR, when ui.message-output=channel
	Result  = 'r'
	Input   = 'I'
	Line    = 'L'
	System  = 'S' // chg only
)

// HeadSize is the size of a chunk's head: the channel and a number.
const HeadSize = 5

// MaxInput is the most that the server asks for at a time.
const MaxInput = 4096

// AppendHead appends the head of a chunk.
func AppendHead(b []byte, channel byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, channel), uint32(n))
}

// AppendChunk appends a chunk with its data.
func AppendChunk(b []byte, channel byte, data []byte) []byte {
	return append(AppendHead(b, channel, len(data)), data...)
}

// AppendResult appends the chunk that ends a command.
func AppendResult(b []byte, code int) []byte {
	return binary.BigEndian.AppendUint32(AppendHead(b, Result, 4), uint32(int32(code)))
}

// Head is the beginning of a chunk.
type Head struct {
	Channel byte
	Size    int // bytes that follow, or for Input and Line that are wanted
}

// Wants tells that the number says how much input is wanted, and no data follows.
func (h Head) Wants() bool { return h.Channel == Input || h.Channel == Line }

// ReadHead reads the head of a chunk. At the end of the stream it returns
// io.EOF; inside a head io.ErrUnexpectedEOF.
func ReadHead(r io.Reader) (Head, error) {
	var b [HeadSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Head{}, err
	}
	return Head{b[0], int(binary.BigEndian.Uint32(b[1:]))}, nil
}

// MaxBlock bounds what a client may send in one piece: arguments, an
// environment.
const MaxBlock = 64 << 20

// ErrTooLarge says that a block is over MaxBlock.
var ErrTooLarge = errors.New("command server: a request's data is too large")

// ReadBlock reads a number and so many bytes. Any end of the stream within it is
// io.EOF, which is what Mercurial's server makes of it too.
func ReadBlock(r io.Reader) ([]byte, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, noMore(err)
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > MaxBlock {
		return nil, ErrTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(data) < int(n) {
		err = io.EOF
	}
	return data, err
}

// AppendBlock appends a number and the bytes.
func AppendBlock(b, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
}

func noMore(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// MaxRequestName bounds the line that names a request.
const MaxRequestName = 4096

// ReadRequest reads the line that names a request. "" is the end: of the stream,
// or as an empty line. The last byte goes even when it is no line feed, as it
// does in Mercurial.
func ReadRequest(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) < MaxRequestName {
		c, err := r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		line = append(line, c)
		if c == '\n' {
			break
		}
	}
	if len(line) == 0 {
		return "", nil
	}
	return string(line[:len(line)-1]), nil
}

// SplitList takes a block apart at its NULs; an empty block is an empty list.
func SplitList(block []byte) []string {
	if len(block) == 0 {
		return nil
	}
	var list []string
	start := 0
	for i, c := range block {
		if c == 0 {
			list = append(list, string(block[start:i]))
			start = i + 1
		}
	}
	return append(list, string(block[start:]))
}
