// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// command is what a worker gets for a client's command line: in front of it
// stands what the session was started with.
func (s *Session) command(args []string) *protocol.Run {
	r := &protocol.Run{Dir: s.dir, RealHg: s.real, HasFiles: len(s.files) > 0, Fallback: protocol.FallbackNever}
	for _, item := range s.line.Config {
		r.Args = append(r.Args, "--config", item)
	}
	if !r.HasFiles {
		// The server sets it, and hg config shows it.
		r.Args = append(r.Args, "--config", "ui.nontty=true")
	}
	if s.ours(args) {
		r.Args = append(r.Args, "-R", s.line.Repository)
	}
	r.Args = append(r.Args, args...)
	// The server's own --encoding is not for its commands: each one begins with
	// the encoding of the environment.
	return r
}

// ours tells whether a command works on the repository that the server's own -R
// named.
func (s *Session) ours(args []string) bool {
	return s.line.Repository != "" && !slices.ContainsFunc(cmdserver.EarlyOptions(args, false), elsewhere)
}

// ignored is what a command says that takes no repository and was given one. A
// server's own -R is not given to its commands.
const ignored = "warning: --repository ignored\n"

// elsewhere tells whether an option chooses another repository: then hg does
// not use the one that its server was started with.
func elsewhere(o cmdserver.Option) bool { return o.Name == "repository" || o.Name == "cwd" }

// tellsSources tells whether a command may show where its configuration comes
// from: of ui.nontty a worker would say another place than hg's server.
func tellsSources(args []string) bool {
	config, detailed := false, false
	for _, a := range args {
		config = config || strings.HasPrefix(a, "conf") || strings.HasPrefix(a, "show") || strings.HasPrefix(a, "debugconf")
		detailed = detailed || a == "--debug" || strings.HasPrefix(a, "-T") || strings.HasPrefix(a, "--t") || strings.HasPrefix(a, "--source")
	}
	return config && detailed
}

// native has a worker do it. When it did not end, why says the reason, and
// nothing was printed.
func (s *Session) native(args []string) (ended bool, why string, err error) {
	if tellsSources(args) {
		return false, "the sources of the configuration", nil
	}
	printed := false
	run := s.command(args)
	given := s.ours(args)
	ctx, done := s.signals.command(context.Background())
	defer done()
	var end *protocol.Ending
	var failed error // of writing to the client
	for attempt := 1; attempt <= 2; attempt++ {
		end, err = s.try(ctx, run, func(stderr bool, data []byte) error {
			printed = true
			channel := byte(cmdserver.Output)
			if stderr {
				channel = cmdserver.Errors
				if given {
					data, given = bytes.TrimPrefix(data, []byte(ignored)), false
				}
			}
			if len(data) == 0 {
				return nil
			}
			var head [cmdserver.HeadSize]byte
			s.out.Write(cmdserver.AppendHead(head[:0], channel, len(data)))
			_, failed = s.out.Write(data)
			return failed
		})
		if err == nil || printed || run.HasFiles || ctx.Err() != nil || !errors.Is(err, protocol.ErrWorkerLost) {
			break
		}
	}
	canceled := ctx.Err() != nil
	done() // the next signal is for the session
	// With descriptors nobody knows what was printed.
	begun := printed || run.HasFiles && errors.Is(err, protocol.ErrWorkerLost)
	switch {
	case failed != nil:
		return true, "", failed
	case canceled && (err != nil || end.Exit == nil || end.Exit.Canceled):
		if err := s.text(cmdserver.Errors, "interrupted!\n"); err != nil {
			return true, "", err
		}
		return true, "", s.result(realhg.Failure)
	case err != nil && !begun:
		return false, err.Error(), nil
	case err == nil && end.Exit != nil:
		return true, "", s.result(end.Exit.Code & 255)
	case err == nil && end.Unsupported != nil:
		return false, end.Unsupported.Message, nil
	case err == nil && end.Failed != nil && !begun && !run.HasFiles:
		return false, end.Failed.Message, nil
	case err == nil && end.Failed != nil:
		why = end.Failed.Message
	case err == nil:
		why = "the worker did not say how the command ended"
	default:
		why = err.Error()
	}
	if err := s.text(cmdserver.Errors, "abort: hgbroker: "+why+"\n"); err != nil {
		return true, "", err
	}
	return true, "", s.result(realhg.Failure)
}

// try runs a command in the kept worker, or a new one.
func (s *Session) try(ctx context.Context, run *protocol.Run, out func(bool, []byte) error) (*protocol.Ending, error) {
	ch, err := s.workers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.workers.put(ch)
	// Output waits for the end of a quick command, but not longer than its
	// worker has something to say.
	ch.Wait = func(int) bool { _ = s.out.Flush(); return false }
	if err := ch.SetEnviron(s.env, s.umask); err != nil {
		return nil, err
	}
	return ch.Run(ctx, run, s.files, out)
}

// ask runs a command natively for the session itself.
func (s *Session) ask(args ...string) (out []byte, code int, err error) {
	run := s.command(args)
	run.HasFiles = false
	var stderr bytes.Buffer
	ch, err := s.workers.take(context.Background())
	if err != nil {
		return nil, 0, err
	}
	defer s.workers.put(ch)
	if err := ch.SetEnviron(s.env, s.umask); err != nil {
		return nil, 0, err
	}
	end, err := ch.Run(context.Background(), run, nil, func(isErr bool, data []byte) error {
		if isErr {
			stderr.Write(data)
		} else {
			out = append(out, data...)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, 0, err
	case end.Unsupported != nil:
		return nil, 0, errors.New(end.Unsupported.Message)
	case end.Exit == nil:
		return nil, 0, errors.New("no answer")
	case stderr.Len() > 0:
		return nil, 0, errors.New("hg complains: " + stderr.String())
	}
	return out, end.Exit.Code, nil
}

// settle finds out what the greeting needs and how the session behaves: the
// configuration is asked natively; where that or the locale is not understood,
// the real server is started and asked.
func (s *Session) settle() error {
	known := false
	s.encoding, known = localEncoding(s.env)
	s.current = s.encoding
	if s.line.Encoding != "" {
		s.current = s.line.Encoding
	}
	if s.chg {
		// Its client says later what its configuration and locale are, and does
		// not look at ours.
		s.current = cmp.Or(s.current, "utf-8")
		return nil
	}
	settings, err := s.settings()
	if err == nil && settings.foreign {
		return errors.New("hg serve has hooks, an alias or a log")
	}
	if err == nil {
		s.lastsLong = settings.lastsLong
		if known && !settings.messages {
			return nil
		}
	}
	if s.policy == "never" && err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	s.current, s.messages = s.child.greeting.Encoding, s.child.greeting.MessageEncoding
	if s.encoding == "" && s.line.Encoding == "" {
		s.encoding = s.current
	}
	return nil
}

// settings are what a session's configuration says.
type settings struct {
	messages  bool // ui.message-output=channel
	lastsLong bool // cmdserver.shutdown-on-interrupt is off
	foreign   bool // hg serve is not just hg serve
}

func (s *Session) settings() (settings, error) {
	out, code, err := s.ask("config", "cmdserver", "ui.message-output", "hooks.pre-serve", "hooks.post-serve", "hooks.fail-serve",
		"alias.serve", "alias.config", "defaults.serve", "defaults.config", "--config", "ui.debug=no", "--config", "ui.verbose=no", "--config", "ui.quiet=no")
	var set settings
	if err != nil {
		return set, err
	}
	if code != 0 && code != 1 {
		return set, errors.New("hg config failed")
	}
	logs, tracks := false, false
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			return set, errors.New("hg config prints something else")
		}
		section, item, _ := strings.Cut(name, ".")
		switch {
		case name == "ui.message-output":
			set.messages = value == "channel"
		case name == "cmdserver.shutdown-on-interrupt":
			switch strings.ToLower(value) {
			case "1", "yes", "true", "on", "always":
			case "0", "no", "false", "off", "never":
				set.lastsLong = true
			default:
				set.foreign = true
			}
		case name == "cmdserver.log":
			logs = value != ""
		case name == "cmdserver.track-log":
			tracks = true
		case section == "hooks" || item == "serve" || item == "config":
			set.foreign = true
		}
	}
	// What is tracked unless told otherwise says nothing about commands.
	set.foreign = set.foreign || logs && tracks
	return set, nil
}

// localEncoding is the encoding that hg takes from the environment, as far as
// that can be known without Python: HGENCODING, or UTF-8 for a locale that says
// so or none (PEP 538 and 540).
func localEncoding(env []string) (name string, known bool) {
	get := func(name string) string {
		value := ""
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				value = v
			}
		}
		return value
	}
	if name = get("HGENCODING"); name != "" {
		return name, true
	}
	for _, name := range []string{"PYTHONUTF8", "PYTHONCOERCECLOCALE"} {
		if v := get(name); v != "" && v != "1" {
			return "", false
		}
	}
	locale := get("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = get(name)
		}
	}
	_, codeset, _ := strings.Cut(locale, ".")
	codeset, _, _ = strings.Cut(codeset, "@")
	switch {
	case locale == "", locale == "C", locale == "POSIX":
		return "utf-8", true
	case strings.EqualFold(strings.ReplaceAll(codeset, "-", ""), "utf8"):
		return "UTF-8", true
	}
	return "", false
}
