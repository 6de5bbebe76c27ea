// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// printer is the floor of stdio: the same client and the same wire, with a process
// behind it that has the answer ready and only has to print it. A first request
// gives it what to answer from then on.
type printer struct{ c *client.Serial }

func startPrinter(*world) (contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := client.StartSerial(client.Options{Executable: self, Env: append(os.Environ(), envFloor+"="+floorPrint), Stderr: os.Stderr})
	if err != nil {
		return nil, err
	}
	return &printer{c}, nil
}

// printAnswers answers each hg/run on stdin, until that ends: one with an input
// with nothing, the others with that input as their output.
func printAnswers() error {
	s := protocol.NewStream(os.Stdin, os.Stdout, os.Stdout, protocol.FramingLSP)
	var haste protocol.Haste
	var text []byte
	for {
		if s.Drained() {
			s.WithInput(func(fd int) { haste.Wait(fd, -1, protocol.BriefWait) })
		}
		body, err := s.ReadMessage()
		if err != nil {
			return nil
		}
		m, bad := protocol.ParseMessage(body)
		if bad != nil {
			return bad
		}
		var p protocol.RunParams
		if err := p.UnmarshalJSON(m.Params); err != nil {
			return err
		}
		var out, none protocol.TextWriter
		if p.Stdin != "" {
			text = []byte(p.Stdin)
		} else {
			for rest := text; len(rest) > 0; {
				n := min(len(rest), protocol.OutputChunk)
				out.Append(rest[:n])
				rest = rest[n:]
			}
		}
		r := protocol.RunResult{Served: "warm", Generation: "0123456789abcdef"}
		if err := s.WriteResult(m.ID, r.Parts(&out, &none)...); err != nil {
			return err
		}
	}
}

func (*printer) bare() {}

// expect makes text the answer.
func (p *printer) expect(text string) error {
	if text == "" {
		text = "\n" // nothing is no input; a byte more does not count
	}
	if len(text) > protocol.MaxBody*3/4 {
		return fmt.Errorf("an answer of %d bytes is no single message", len(text))
	}
	return p.c.Call(protocol.MethodRun, protocol.RunParams{Args: []protocol.Text{}, Stdin: protocol.Text(text)}, nil)
}

func (p *printer) ask(args []string) ([]byte, time.Duration, error) {
	start := time.Now()
	r, err := p.c.Hg("/", args...)
	took := time.Since(start)
	if err != nil {
		return nil, took, fmt.Errorf("print: %w", err)
	}
	return []byte(r.Stdout), took, nil
}

func (p *printer) close() error { return p.c.Close() }
