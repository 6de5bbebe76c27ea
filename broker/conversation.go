// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// conversation is what the broker and a real command server say to each other
// about one command line.
type conversation struct {
	task  *task
	ctx   context.Context // ends with the command
	in    *os.File        // what the server reads
	args  []string
	stdin []byte // what is left of the request's stdin
	out   *gate

	prompt *cmdserver.Notice // what was asked last, until it is answered
	typed  []byte            // what is left of its answer

	greeted bool // the command may have begun
	ended   bool // with code
	code    int
	err     error // of talk
}

// maxMessage bounds a chunk of the message channel.
const maxMessage = 1 << 20

// errServer says that a command server does not keep to the protocol.
var errServer = errors.New("the real hg's command server")

// talk runs the command line. It returns without an error when the server has
// gone; whether the command has ended, ended tells.
func (c *conversation) talk(server io.Reader) error {
	r := bufio.NewReaderSize(server, 64<<10)
	if ok, err := c.greeting(r); !ok {
		return err
	}
	if err := c.out.begin(); err != nil {
		return err
	}
	if err := c.say(cmdserver.AppendBlock([]byte("runcommand\n"), []byte(strings.Join(c.args, "\x00")))); err != nil {
		return err
	}
	for !c.ended {
		h, err := cmdserver.ReadHead(r)
		if err != nil {
			return nil
		}
		if err := c.chunk(r, h); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
	}
	return nil
}

// greeting reads the server's greeting, and reports false when there is none that
// is of use.
func (c *conversation) greeting(r *bufio.Reader) (bool, error) {
	h, err := cmdserver.ReadHead(r)
	if err != nil {
		return false, nil
	}
	if h.Channel != cmdserver.Output || h.Size > maxMessage {
		return false, fmt.Errorf("%w: no greeting", errServer)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(h.Size)))
	if err != nil {
		return false, nil
	}
	g, err := cmdserver.DecodeGreeting(text)
	if err == nil && g.MessageEncoding != "cbor" {
		err = fmt.Errorf("%w: no message channel", errServer)
	}
	if err != nil {
		return false, err
	}
	c.greeted = true
	return true, nil
}

// say writes to the server. One that is gone is noticed by who reads.
func (c *conversation) say(b []byte) error {
	if _, err := c.in.Write(b); err != nil && !errors.Is(err, unix.EPIPE) {
		return fmt.Errorf("write to the real hg: %w", err)
	}
	return nil
}

// chunk takes one chunk, of which the head is read.
func (c *conversation) chunk(r *bufio.Reader, h cmdserver.Head) error {
	switch h.Channel {
	case cmdserver.Output, cmdserver.Errors:
		return c.output(r, h)
	case cmdserver.Input:
		return c.give(&c.stdin, min(len(c.stdin), h.Size))
	case cmdserver.Line:
		return c.line(h.Size)
	case cmdserver.Debug:
		_, err := io.CopyN(io.Discard, r, int64(h.Size))
		return ended(err)
	}
	if h.Size > maxMessage {
		return fmt.Errorf("%w: %d bytes on channel %q", errServer, h.Size, h.Channel)
	}
	data := make([]byte, h.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return ended(err)
	}
	switch h.Channel {
	case cmdserver.Message:
		n, err := cmdserver.DecodeNotice(data)
		if err != nil {
			return err
		}
		return c.notice(n)
	case cmdserver.Result:
		if len(data) != 4 {
			return fmt.Errorf("%w: a result of %d bytes", errServer, len(data))
		}
		c.ended, c.code = true, int(int32(binary.BigEndian.Uint32(data)))
		return nil
	}
	if h.Channel >= 'A' && h.Channel <= 'Z' {
		return fmt.Errorf("%w: channel %q is not known", errServer, h.Channel)
	}
	return nil // one that may be ignored
}

// ended makes every way in which a stream ends the same.
func ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *conversation) output(r *bufio.Reader, h cmdserver.Head) error {
	b := make([]byte, min(h.Size, 32<<10))
	for left := h.Size; left > 0; {
		n, err := r.Read(b[:min(left, len(b))])
		left -= n
		if n > 0 {
			if err := c.out.write(h.Channel == cmdserver.Errors, b[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err)
		}
	}
	return nil
}

// notice takes a message. What hg would print goes where it would print it.
func (c *conversation) notice(n *cmdserver.Notice) error {
	stderr := false
	switch n.Type {
	case "progress":
		c.task.progress.report(n)
		return nil
	case "prompt":
		c.prompt = n
		stderr = n.Password
	case "warning", "error":
		c.prompt = nil
		stderr = true
	default:
		c.prompt = nil
	}
	return c.out.write(stderr, n.Data)
}

// line answers the request for a line of at most size bytes: with the client's
// answer to what was asked, or from stdin.
func (c *conversation) line(size int) error {
	if len(c.typed) == 0 && c.prompt != nil && c.task.client.Prompt {
		n := c.prompt
		c.prompt = nil
		c.typed = c.answer(n)
		if c.typed == nil {
			return c.say(cmdserver.AppendBlock(nil, nil))
		}
	}
	if len(c.typed) > 0 {
		return c.give(&c.typed, min(len(c.typed), size))
	}
	n := len(c.stdin)
	if i := bytes.IndexByte(c.stdin, '\n'); i >= 0 {
		n = i + 1
	}
	return c.give(&c.stdin, min(n, size))
}

// give sends the first n bytes of from.
func (c *conversation) give(from *[]byte, n int) error {
	b := cmdserver.AppendBlock(nil, (*from)[:n])
	*from = (*from)[n:]
	return c.say(b)
}

// answer asks the client, and returns a line for hg; nil is the end of input.
func (c *conversation) answer(n *cmdserver.Notice) []byte {
	p := protocol.PromptParams{ID: []byte(c.task.id), Kind: protocol.PromptText, Message: protocol.Text(bytes.TrimRight(n.Data, " "))}
	for _, choice := range n.Choices {
		p.Choices = append(p.Choices, protocol.PromptOption{Value: protocol.Text(choice[0]), Label: protocol.Text(choice[1])})
	}
	switch {
	case n.Password:
		p.Kind = protocol.PromptPassword
	case len(n.Choices) == 2 && n.Choices[0][0] == "y" && n.Choices[1][0] == "n":
		p.Kind = protocol.PromptConfirm
	case len(n.Choices) > 0:
		p.Kind = protocol.PromptChoice
	}
	if n.HasDefault {
		p.Default = (*protocol.Text)(&n.Default)
	}
	text, err := c.task.ask(c.ctx, protocol.MethodPrompt, p)
	switch {
	case errors.Is(err, errCannot) && !n.Password:
		return []byte("\n") // the default
	case err != nil:
		return nil
	case strings.ContainsAny(text, "\r\n"):
		// The rest would answer the next question.
		c.task.s.log.Printf("hg/prompt was answered with more than a line")
		return nil
	}
	return append([]byte(text), '\n')
}
