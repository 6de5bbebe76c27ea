// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// Floors: what nobody can do better. They answer nothing that could be compared.

// socketpair is the bare round trip: question bytes to another process of ours
// over a unix socket, and as many bytes back as the answer has.
type socketpair struct {
	cmd  *exec.Cmd
	fd   int
	back uint32
	buf  []byte
}

// question is the size of a question, which begins with the size of its answer,
// and the least size of an answer, both in bytes.
const question = 100

// envFloor makes this program the other process of a floor.
const (
	envFloor   = "HGBROKER_BENCH_FLOOR"
	floorEcho  = "echo"
	floorPrint = "print"
)

// beneath is whether this process is a floor's, which is then done with.
func beneath() bool {
	switch os.Getenv(envFloor) {
	case floorEcho:
		echo()
	case floorPrint:
		if err := printAnswers(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: print: %v\n", err)
			os.Exit(1)
		}
	default:
		return false
	}
	return true
}

// echo answers what it receives on descriptor 3, until that is closed.
func echo() {
	f := os.NewFile(3, "questions")
	ask, answer := make([]byte, question), make([]byte, 1<<16)
	for {
		if _, err := io.ReadFull(f, ask); err != nil {
			return
		}
		for left := int(binary.LittleEndian.Uint32(ask)); left > 0; {
			n, err := f.Write(answer[:min(left, len(answer))])
			if err != nil {
				return
			}
			left -= n
		}
	}
}

func startSocketpair(*world) (contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(theirs), "echo")
	defer f.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envFloor+"="+floorEcho)
	cmd.ExtraFiles = []*os.File{f}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		unix.Close(ours)
		return nil, err
	}
	return &socketpair{cmd, ours, question, make([]byte, 1<<16)}, nil
}

func (*socketpair) bare() {}

// expect makes the answers as large as those of the others.
func (s *socketpair) expect(text string) error {
	s.back = uint32(max(question, len(text)))
	return nil
}

func (s *socketpair) ask([]string) ([]byte, time.Duration, error) {
	start := time.Now()
	var ask [question]byte
	binary.LittleEndian.PutUint32(ask[:], s.back)
	if _, err := unix.Write(s.fd, ask[:]); err != nil {
		return nil, 0, err
	}
	for left := int(s.back); left > 0; {
		n, err := unix.Read(s.fd, s.buf[:min(left, len(s.buf))])
		if err != nil || n == 0 {
			return nil, 0, fmt.Errorf("read the echo: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		left -= n
	}
	return nil, time.Since(start), nil
}

func (s *socketpair) close() error { return errors.Join(unix.Close(s.fd), s.cmd.Wait()) }
