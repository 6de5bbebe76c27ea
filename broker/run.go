// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hgbroker/protocol"
)

// maxBuffered bounds the output that one hg/run holds for its answer; more has
// to be streamed.
const maxBuffered = 48 << 20

// rememberHg is how long the real hg's place is taken for granted.
const rememberHg = 5 * time.Second

// settings are what initialize set, as one request sees them.
type settings struct {
	fallback protocol.Fallback
	config   []string
	encoding string
	dir      string
}

func (s *Server) settings() settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return settings{s.fallback, s.config, s.encoding, s.dir}
}

// hgRun answers hg/run.
func (s *Server) hgRun(ctx context.Context, r *request) ([]byte, error) {
	var p protocol.RunParams
	if err := r.decode(&p); err != nil {
		return nil, err
	}
	set := s.settings()
	run, err := commandLine(&p, set)
	if err != nil {
		return nil, err
	}
	if p.Stream || p.TimeoutMs > 0 {
		inlineOf(ctx).leave()
	}
	if p.WorkDoneToken != nil && !protocol.ValidToken(p.WorkDoneToken) {
		return nil, invalidParams("workDoneToken must be an integer or a string")
	}
	ctx, done := s.withTask(ctx, r, p.WorkDoneToken, commandName(&p))
	defer done()
	ctx, cancel := withTimeout(ctx, &p)
	defer cancel()
	var out output = &buffer{}
	if p.Stream {
		out = &streamed{s: s, id: r.ID}
	}
	end, err := s.runCommand(ctx, run, out, set.fallback)
	if err != nil {
		return nil, err
	}
	if err := out.flush(); err != nil {
		return nil, err
	}
	r.served = end.Served.String()
	if b, ok := out.(*buffer); ok {
		r.parts = runResult(end).Parts(&b.text[0], &b.text[1])
		return nil, nil
	}
	return runResult(end).AppendJSON(nil), nil
}

// commandName is the first word that is no option, for people.
func commandName(p *protocol.RunParams) string {
	for _, a := range p.Args {
		if a != "" && a[0] != '-' {
			return string(a)
		}
	}
	return ""
}

func withTimeout(ctx context.Context, p *protocol.RunParams) (context.Context, context.CancelFunc) {
	if p.TimeoutMs == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, time.Duration(p.TimeoutMs)*time.Millisecond, errTimeout)
}

// runResult is the result of hg/run, but for the output.
func runResult(end *protocol.Exit) *protocol.RunResult {
	return &protocol.RunResult{ExitCode: end.Code, Served: end.Served.String(), Generation: end.Generation}
}

// commandLine turns the parameters into what a worker gets.
func commandLine(p *protocol.RunParams, set settings) (*protocol.Run, error) {
	if p.Args == nil {
		return nil, invalidParams("args is missing")
	}
	if p.TimeoutMs < 0 || p.TimeoutMs > 1<<40 {
		return nil, invalidParams("timeoutMs is out of range")
	}
	if p.Cwd != "" && p.Repository != "" {
		return nil, invalidParams("give cwd or repository, not both")
	}
	dir, err := directory(p.Cwd+p.Repository, set.dir)
	if err != nil {
		return nil, err
	}
	run := &protocol.Run{Dir: dir, Stdin: []byte(p.Stdin), Fallback: set.fallback}
	for _, c := range set.config {
		run.Args = append(run.Args, "--config", c)
	}
	for _, a := range p.Args {
		run.Args = append(run.Args, string(a))
	}
	if enc := p.Encoding + set.encoding; enc != "" {
		if p.Encoding != "" {
			enc = p.Encoding
		}
		run.Env = append(run.Env, "HGENCODING="+enc)
	}
	for name, value := range p.Env {
		if name == "" || strings.Contains(name, "=") {
			return nil, invalidParams("env has a bad name")
		}
		if value == nil {
			run.Env = append(run.Env, name)
		} else {
			run.Env = append(run.Env, name+"="+string(*value))
		}
	}
	slices.Sort(run.Env) // a map has no order; the same request is the same bytes
	if err := checkArguments(append(append([]string{dir}, run.Args...), run.Env...)); err != nil {
		return nil, err
	}
	return run, nil
}

// checkArguments refuses what no process can be given.
func checkArguments(values []string) error {
	for _, v := range values {
		if strings.IndexByte(v, 0) >= 0 {
			return invalidParams("a string holds a zero byte")
		}
	}
	return nil
}

// directory is the absolute directory that t names, or base.
func directory(t protocol.Text, base string) (string, error) {
	dir, err := t.FilePath()
	if err != nil {
		return "", invalidParams(err.Error())
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	return dir, nil
}

// checkDirectory refuses what is no directory. A worker's native answer needs no
// check: it was given from there.
func checkDirectory(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return invalidParams(fmt.Sprintf("directory: %v", err))
	}
	if !st.IsDir() {
		return invalidParams(fmt.Sprintf("directory: %s is not one", dir))
	}
	return nil
}

// runCommand has one command line run, natively or by the real hg.
func (s *Server) runCommand(ctx context.Context, run *protocol.Run, out output, policy protocol.Fallback) (*protocol.Exit, error) {
	if policy != protocol.FallbackAlways {
		end, err := s.runNative(ctx, run, out)
		if err != nil {
			return nil, err
		}
		if end.Exit != nil {
			return exited(ctx, end)
		}
		if end.Unsupported == nil || policy == protocol.FallbackNever {
			if err := checkDirectory(run.Dir); err != nil {
				return nil, err
			}
			return exited(ctx, end)
		}
	}
	return s.runReal(ctx, run, out)
}

// runNative has a reader run one command line. Whether it could, its end tells.
func (s *Server) runNative(ctx context.Context, run *protocol.Run, out output) (*protocol.Ending, error) {
	native := *run
	native.RealHg, _ = s.realHg() // a reader cannot run it, but its release decides some answers
	native.Fallback = protocol.FallbackNever
	return s.ask(ctx, protocol.Reader, out.reset, func(c *protocol.Channel) (*protocol.Ending, error) {
		return c.Run(ctx, &native, nil, out.write)
	})
}

// runReal has the real hg run a command line. It is never repeated: it may have
// written.
func (s *Server) runReal(ctx context.Context, run *protocol.Run, out output) (*protocol.Exit, error) {
	if err := checkDirectory(run.Dir); err != nil {
		return nil, err
	}
	real, err := s.realHg()
	if err != nil {
		return nil, requestFailed(err.Error(), protocol.ErrorData{Kind: protocol.KindUnsupported})
	}
	if t := taskOf(ctx); t != nil && answerable(run.Args) {
		if end, begun, err := s.runAnswered(ctx, t, run, real, out); begun || err != nil {
			return end, err
		}
	}
	again := *run
	again.RealHg, again.Fallback = real, protocol.FallbackAlways
	end, err := s.ask(ctx, protocol.Runner, func() bool { return false }, func(c *protocol.Channel) (*protocol.Ending, error) {
		return c.Run(ctx, &again, nil, out.write)
	})
	if err != nil {
		return nil, err
	}
	return exited(ctx, end)
}

// realHg finds the real hg. The answer holds for a while: every command asks.
func (s *Server) realHg() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.hg.when) < rememberHg {
		return s.hg.path, s.hg.err
	}
	path := ""
	for _, kv := range s.opts.Environ {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	s.hg.path, s.hg.err = protocol.FindHg(s.opts.RealHg, path)
	s.hg.when = time.Now()
	return s.hg.path, s.hg.err
}

// exited takes the exit out of a command's end.
func exited(ctx context.Context, end *protocol.Ending) (*protocol.Exit, error) {
	switch {
	case end.Exit != nil && end.Exit.Canceled:
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, errCanceled
	case end.Exit != nil:
		return end.Exit, nil
	case end.Failed != nil:
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, failed(end.Failed)
	case end.Unsupported != nil:
		return nil, unsupported(end.Unsupported)
	}
	return nil, fmt.Errorf("%w: a command line ended with a method's result", protocol.ErrProtocol)
}

func unsupported(f *protocol.Failure) error {
	if f.Kind == "" {
		f.Kind = protocol.KindUnsupported
	}
	return failed(f)
}

// ask has do use a channel to a worker of the class. When the worker dies, a
// reader's command is repeated once, or twice if the master died as well;
// again tells whether that is possible and undoes what was collected.
func (s *Server) ask(ctx context.Context, class protocol.Class, again func() bool, do func(*protocol.Channel) (*protocol.Ending, error)) (*protocol.Ending, error) {
	masters := s.pool.generation()
	for try := 0; ; try++ {
		c, err := s.pool.get(ctx, class, class != protocol.Reader || try > 0)
		if err != nil {
			return nil, err
		}
		if i := inlineOf(ctx); i != nil {
			c.Wait = i.wait
		}
		end, err := do(c)
		c.Wait = nil
		s.pool.put(c)
		if err == nil {
			return end, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		limit := 1
		if now := s.pool.generation(); now != masters || s.pool.current() == nil {
			limit = 2
		}
		if class != protocol.Reader || !errors.Is(err, protocol.ErrWorkerLost) || try >= limit || !again() {
			return nil, err
		}
		s.counts.repeated()
		s.log.Printf("worker %d is lost, repeating its command: %v", c.Worker, err)
	}
}

// output is where a command's output goes.
type output interface {
	write(stderr bool, data []byte) error
	flush() error
	// reset forgets everything; false if something is at the client already.
	reset() bool
}

// buffer keeps the output for the answer.
type buffer struct{ text [2]protocol.TextWriter }

func (b *buffer) write(stderr bool, data []byte) error {
	i := 0
	if stderr {
		i = 1
	}
	if b.text[0].Len()+b.text[1].Len()+len(data) > maxBuffered {
		return requestFailed(fmt.Sprintf("output is longer than %d bytes: ask for it with \"stream\": true", maxBuffered),
			protocol.ErrorData{Kind: "OutputTooLong"})
	}
	b.text[i].Append(data)
	return nil
}

func (b *buffer) flush() error { return nil }

func (b *buffer) reset() bool {
	b.text[0].Reset()
	b.text[1].Reset()
	return true
}

// streamed sends the output on as hg/output. A character that two pieces share
// is held back until it is whole, so that text stays text.
type streamed struct {
	s    *Server
	id   protocol.RawID
	tail [2][]byte
	sent bool
}

func (o *streamed) write(stderr bool, data []byte) error {
	i := 0
	if stderr {
		i = 1
	}
	if len(o.tail[i]) > 0 {
		data = append(o.tail[i], data...)
	}
	n := protocol.WholeRunes(data)
	o.tail[i] = append([]byte(nil), data[n:]...)
	return o.send(i, data[:n])
}

func (o *streamed) send(i int, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	o.sent = true
	b := make([]byte, 0, len(data)+len(data)/8+100)
	b = append(b, `{"jsonrpc":"2.0","method":"`+protocol.MethodOutput+`","params":{"id":`...)
	b = append(b, o.id...)
	b = append(b, `,"channel":"`+[2]string{"out", "err"}[i]+`","data":`...)
	b = protocol.AppendText(b, string(data))
	return o.s.stream.WriteRaw(append(b, "}}"...))
}

func (o *streamed) flush() error {
	for i := range o.tail {
		if err := o.send(i, o.tail[i]); err != nil {
			return err
		}
		o.tail[i] = nil
	}
	return nil
}

func (o *streamed) reset() bool {
	o.tail = [2][]byte{}
	return !o.sent
}
