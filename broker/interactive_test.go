// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
	"hgbroker/worker/hg/hgtest"
)

// person is a client with somebody in front of it.
type person struct {
	w    *world
	real string
	env  []string
	c    *client.Client

	mu      sync.Mutex // guards what follows
	asked   []protocol.PromptParams
	edited  []protocol.EditParams
	work    []protocol.ProgressParams
	unasked []string // ids of $/cancelRequest
	prompt  func(protocol.PromptParams) (any, error)
	edit    func(protocol.EditParams) (any, error)
}

const userName = "HGUSER=Test Person <test@example.org>"

// newPerson starts a broker with a real hg. capabilities are JSON.
func newPerson(t *testing.T, real, capabilities string) *person {
	t.Helper()
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real)
	p := &person{w: w, real: real, env: hgtest.BaseEnv(userName, "HGEDITOR=false")}
	p.connect(capabilities)
	return p
}

// connect starts a broker.
func (p *person) connect(capabilities string) {
	w, t := p.w, p.w.t
	t.Helper()
	c, err := client.Start(client.Options{Executable: w.exe, Args: w.flags, Env: p.env, Dir: w.dir, Stderr: os.Stderr, Notify: p.notified, Answer: p.answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Initialize(w.context(), protocol.InitializeParams{Capabilities: json.RawMessage(capabilities)}); err != nil {
		t.Fatal(err)
	}
	p.c = c
}

const canBoth = `{"experimental":{"hgbroker":{"prompt":true,"edit":true}}}`

func (p *person) notified(method string, params json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch method {
	case protocol.MethodCancel:
		var q protocol.CancelParams
		_ = json.Unmarshal(params, &q)
		p.unasked = append(p.unasked, string(q.ID))
	case protocol.MethodProgress:
		var q protocol.ProgressParams
		_ = json.Unmarshal(params, &q)
		p.work = append(p.work, q)
	}
}

func (p *person) answer(method string, params json.RawMessage) (any, error) {
	switch method {
	case protocol.MethodPrompt:
		var q protocol.PromptParams
		if err := json.Unmarshal(params, &q); err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.asked = append(p.asked, q)
		f := p.prompt
		p.mu.Unlock()
		return f(q)
	case protocol.MethodEdit:
		var q protocol.EditParams
		if err := json.Unmarshal(params, &q); err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.edited = append(p.edited, q)
		f := p.edit
		p.mu.Unlock()
		return f(q)
	}
	return nil, fmt.Errorf("asked %s", method)
}

// will says how the next prompts are answered, and forgets what was asked.
func (p *person) will(f func(protocol.PromptParams) (any, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompt, p.asked = f, nil
}

func (p *person) willEdit(f func(protocol.EditParams) (any, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edit, p.edited = f, nil
}

func (p *person) questions() []protocol.PromptParams {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// run runs a command line through the broker.
func (p *person) run(dir string, args ...string) *protocol.RunResult {
	p.w.t.Helper()
	r, err := p.c.Hg(p.w.context(), dir, args...)
	if err != nil {
		p.w.t.Fatalf("%q: %v", args, err)
	}
	return r
}

// hg runs a command line in the real hg, elsewhere.
func (p *person) hg(dir string, args ...string) (stdout, stderr string, code int) {
	p.w.t.Helper()
	cmd := exec.Command(p.real, args...)
	cmd.Dir, cmd.Env = dir, p.env
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.w.t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func (p *person) must(dir string, args ...string) string {
	p.w.t.Helper()
	out, errOut, code := p.hg(dir, args...)
	if code != 0 {
		p.w.t.Fatalf("%q: exit code %d: %s", args, code, errOut)
	}
	return out
}

func (p *person) write(file, text string) {
	p.w.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		p.w.t.Fatal(err)
	}
}

// repository is one with two heads that conflict in the file a; the second one is
// checked out.
func (p *person) repository() string {
	p.w.t.Helper()
	dir := filepath.Join(p.w.dir, "repository")
	p.must(p.w.dir, "init", dir)
	for i, text := range []string{"base\n", "one\n", "two\n"} {
		if i == 2 {
			p.must(dir, "update", "-q", "0")
		}
		p.write(filepath.Join(dir, "a"), text)
		p.must(dir, "commit", "-q", "-A", "-m", strings.TrimSpace(text), "-d", "0 0")
	}
	return dir
}

func eachHg(t *testing.T, f func(t *testing.T, real string)) {
	t.Parallel()
	for _, v := range hgtest.HgVersions(t) {
		t.Run(v.Number, func(t *testing.T) { t.Parallel(); f(t, v.Path) })
	}
}

// TestEditMessage commits with a message that the client edits.
func TestEditMessage(t *testing.T) {
	eachHg(t, func(t *testing.T, real string) {
		p := newPerson(t, real, canBoth)
		dir := p.repository()
		p.write(filepath.Join(dir, "a"), "three\n")
		p.willEdit(func(protocol.EditParams) (any, error) { return nil, nil })
		r := p.run(dir, "commit", "-d", "0 0")
		// The text that is not wanted is what any editor that fails would leave.
		_, want, code := p.hg(dir, "commit", "-d", "0 0")
		if r.ExitCode != code || string(r.Stderr) != strings.Replace(want, "false", p.w.exe, 1) || !strings.HasPrefix(want, "abort: edit failed: false exited with status 1\n") {
			t.Errorf("not edited: exit code %d, %q; want %d, %q", r.ExitCode, r.Stderr, code, want)
		}
		if len(p.edited) != 1 || p.edited[0].Suffix != ".commit.hg.txt" || !strings.Contains(string(p.edited[0].Text), "HG: Enter commit message.") {
			t.Fatalf("asked to edit %+v", p.edited)
		}
		p.willEdit(func(q protocol.EditParams) (any, error) {
			return protocol.Text("caf\xe9 or not\n\nthree\n" + q.Text), nil
		})
		if r := p.run(dir, "commit", "-d", "0 0", "--encoding", "latin-1"); r.ExitCode != 0 || r.Stderr != "" || r.Served != "fallback" {
			t.Fatalf("%+v", r)
		}
		if desc := p.run(dir, "log", "-r.", "-T{desc}"); desc.Stdout != "café or not\n\nthree" || desc.Served == "fallback" {
			t.Errorf("%+v", desc)
		}
		if left, _ := filepath.Glob(filepath.Join(p.w.runtime, "e-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		if stats, err := p.c.Stats(p.w.context()); err != nil || !strings.Contains(string(stats), `"commit"`) || strings.Contains(string(stats), `"serve"`) {
			t.Errorf("stats %s, %v", stats, err)
		}
		// What the request says of the editor counts.
		p.write(filepath.Join(dir, "a"), "four\n")
		p.willEdit(func(protocol.EditParams) (any, error) { return nil, errors.New("was asked") })
		own := protocol.Text("echo four >")
		res, err := p.c.Run(p.w.context(), protocol.RunParams{Args: text("commit"), Cwd: protocol.Text(dir), Env: map[string]*protocol.Text{"HGEDITOR": &own}})
		if err != nil || res.ExitCode != 0 || len(p.edited) > 0 {
			t.Errorf("%+v, %v, %v", res, err, p.edited)
		}
	})
}

// TestPrompt merges with questions.
func TestPrompt(t *testing.T) {
	eachHg(t, func(t *testing.T, real string) {
		p := newPerson(t, real, canBoth)
		dir := p.repository()
		merge := []string{"merge", "-r", "1", "--config", "ui.merge=:prompt"}
		back := func() { p.must(dir, "update", "-q", "-C", "2") }
		content := func() string {
			b, err := os.ReadFile(filepath.Join(dir, "a"))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		p.will(func(protocol.PromptParams) (any, error) { return "o", nil })
		r := p.run(dir, merge...)
		q := p.questions()
		if r.ExitCode != 0 || content() != "one\n" || len(q) != 1 {
			t.Fatalf("%+v; asked %+v; %q", r, q, content())
		}
		if q[0].Kind != protocol.PromptChoice || len(q[0].Choices) != 3 || q[0].Choices[1] != (protocol.PromptOption{Value: "o", Label: "Other"}) ||
			q[0].Default == nil || *q[0].Default != "u" || !strings.HasPrefix(string(q[0].Message), "file 'a' needs to be resolved.\n") || len(q[0].ID) == 0 {
			t.Errorf("asked %+v", q[0])
		}
		back()
		// A wrong answer is asked for again; the empty one is the default.
		answers := []string{"x", ""}
		p.will(func(protocol.PromptParams) (any, error) {
			a := answers[0]
			answers = answers[1:]
			return a, nil
		})
		if r := p.run(dir, merge...); r.ExitCode != 1 || len(p.questions()) != 2 || !strings.Contains(string(r.Stdout), "unrecognized response\n") {
			t.Errorf("%+v; asked %+v", r, p.questions())
		}
		back()
		for _, refusal := range []any{nil, "two\nlines"} {
			p.will(func(protocol.PromptParams) (any, error) { return refusal, nil })
			if r := p.run(dir, merge...); r.ExitCode != 1 || !strings.Contains(string(r.Stdout), "1 files unresolved") {
				t.Errorf("refused: %+v", r)
			}
			back()
			p.write(filepath.Join(dir, "a"), "changed\n")
			if r := p.run(dir, "commit", "-i", "-m", "x", "--config", "ui.interface=text"); r.ExitCode == 0 || r.Stderr != "abort: response expected\n" {
				t.Errorf("refused: %+v", r)
			}
			back()
		}
		// A client that cannot answer after all, and one whose user says -y.
		p.will(func(protocol.PromptParams) (any, error) { return nil, errors.New("no window") })
		if r := p.run(dir, merge...); r.ExitCode != 1 || len(p.questions()) != 1 {
			t.Errorf("%+v", r)
		}
		back()
		p.will(func(protocol.PromptParams) (any, error) { return nil, errors.New("was asked") })
		r = p.run(dir, append(merge, "-y")...)
		back()
		out, errOut, code := p.hg(dir, append(merge, "-y")...)
		if string(r.Stdout) != out || string(r.Stderr) != errOut || r.ExitCode != code || len(p.questions()) > 0 {
			t.Errorf("-y: %+v, want %q, %q, %d", r, out, errOut, code)
		}
	})
}

// TestPassword asks a server that wants one.
func TestPassword(t *testing.T) {
	t.Parallel()
	real := hgtest.Hg(t)
	p := newPerson(t, real, canBoth)
	var mu sync.Mutex
	var came []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		mu.Lock()
		if ok {
			came = append(came, user+":"+password)
		}
		mu.Unlock()
		w.Header().Set("WWW-Authenticate", `Basic realm="secrets"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	p.will(func(q protocol.PromptParams) (any, error) {
		if q.Kind == protocol.PromptPassword {
			return "sesame", nil
		}
		return "ali", nil
	})
	r := p.run(p.w.dir, "identify", server.URL)
	q := p.questions()
	if r.ExitCode != 255 || len(q) < 2 || q[0].Kind != protocol.PromptText || q[0].Message != "user:" || q[1].Kind != protocol.PromptPassword || q[1].Message != "password:" {
		t.Errorf("%+v; asked %+v", r, q)
	}
	mu.Lock()
	if !slices.Contains(came, "ali:sesame") {
		t.Errorf("the server got %q", came)
	}
	came = nil
	mu.Unlock()
	// Nobody to ask for the password: nothing is sent.
	p.will(func(q protocol.PromptParams) (any, error) {
		if q.Kind == protocol.PromptPassword {
			return nil, errors.New("refused")
		}
		return "ali", nil
	})
	if r := p.run(p.w.dir, "identify", server.URL); r.ExitCode == 0 || !strings.Contains(string(r.Stderr), "abort: response expected\n") || len(came) > 0 {
		t.Errorf("%+v; sent %q", r, came)
	}
	// A client that has not said that it can answer is not asked.
	q = nil
	plain := newPerson(t, real, `{"experimental":true}`)
	r = plain.run(plain.w.dir, "identify", server.URL)
	out, errOut, code := plain.hg(plain.w.dir, "identify", server.URL)
	if string(r.Stdout) != out || string(r.Stderr) != errOut || r.ExitCode != code || len(plain.questions()) > 0 {
		t.Errorf("%+v, want %q, %q, %d", r, out, errOut, code)
	}
}

// open begins a merge and returns when its question is at the client, with a
// channel of the merge's end.
func (p *person) ask(dir string) (ended chan error, cancel func(), release func()) {
	p.w.t.Helper()
	there, free := make(chan struct{}), make(chan struct{})
	p.will(func(protocol.PromptParams) (any, error) {
		close(there)
		<-free
		return nil, errors.New("too late")
	})
	ctx, stop := context.WithCancel(p.w.context())
	ended = make(chan error, 1)
	go func() {
		_, err := p.c.Hg(ctx, dir, "merge", "-r", "1", "--config", "ui.merge=:prompt")
		ended <- err
	}()
	select {
	case <-there:
	case <-time.After(patience):
		p.w.t.Fatal("was not asked")
	}
	return ended, stop, sync.OnceFunc(func() { close(free) })
}

// TestCancelWhileAsked cancels a command that waits for an answer.
func TestCancelWhileAsked(t *testing.T) {
	t.Parallel()
	p := newPerson(t, hgtest.Hg(t), canBoth)
	dir := p.repository()
	ended, cancel, release := p.ask(dir)
	defer release()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the canceled merge ended well")
		}
	case <-time.After(patience):
		t.Fatal("the canceled merge does not end")
	}
	p.w.eventually("the question is taken back", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.unasked) == 1
	})
	p.w.eventually("hg let go of its lock", func() bool {
		_, err := os.Lstat(filepath.Join(dir, ".hg", "wlock"))
		return errors.Is(err, os.ErrNotExist)
	})
	release()
	// The broker goes on.
	p.must(dir, "update", "-q", "-C", "2")
	p.will(func(protocol.PromptParams) (any, error) { return "l", nil })
	if r := p.run(dir, "merge", "-r", "1", "--config", "ui.merge=:prompt"); r.ExitCode != 0 {
		t.Errorf("%+v", r)
	}
}

// TestGoneWhileAsked lets clients go that were asked: by the end of their input,
// and with their broker killed.
func TestGoneWhileAsked(t *testing.T) {
	t.Parallel()
	for name, go1 := range map[string]func(*person){
		"end of input":  func(p *person) { p.c.Close() },
		"broker killed": func(p *person) { _ = p.c.Process().Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t, hgtest.Hg(t), canBoth)
			dir := p.repository()
			ended, _, release := p.ask(dir)
			defer release()
			pid, err := os.Readlink(filepath.Join(dir, ".hg", "wlock"))
			if err != nil {
				t.Fatalf("hg holds no lock: %v", err)
			}
			pid = pid[strings.LastIndexByte(pid, ':')+1:]
			go1(p)
			select {
			case <-ended:
			case <-time.After(patience):
				t.Fatal("the client does not notice")
			}
			p.w.eventually("hg has ended", func() bool {
				_, err := os.Stat("/proc/" + pid)
				return err != nil
			})
			left, _ := filepath.Glob(filepath.Join(p.w.runtime, "e-*"))
			if name == "end of input" {
				if len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				return
			}
			// What a killed broker left, the next one takes away.
			for _, path := range left {
				if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			p.connect(canBoth)
			p.willEdit(func(protocol.EditParams) (any, error) { return nil, nil })
			p.run(dir, "commit", "--amend")
			if now, _ := filepath.Glob(filepath.Join(p.w.runtime, "e-*")); len(left) != 1 || len(now) > 0 {
				t.Errorf("left behind: %v, then %v", left, now)
			}
		})
	}
}

// TestAskedAsPlain holds what an answering client sees of commands that ask
// nothing against the plain way. Two things differ, as they do in any command
// server with a message channel: what hooks and shell aliases write to stderr
// comes as stdout, and hg does not silence messages of strip's inner steps.
func TestAskedAsPlain(t *testing.T) {
	eachHg(t, func(t *testing.T, real string) {
		both := [2]*person{newPerson(t, real, canBoth), newPerson(t, real, `{}`)}
		var dirs [2]string
		for i, p := range both {
			dirs[i] = p.repository()
			p.write(filepath.Join(dirs[i], ".hg", "hgrc"), "[hooks]\npost-tag = echo hook\n[alias]\nshout = !echo loud; exit 3\n")
			p.write(filepath.Join(p.w.dir, "patch"), "not a patch\n")
		}
		place := regexp.MustCompile(`/[^ ]*/dir\b`)
		for _, args := range [][]string{
			{"update", "-r", "1"}, {"update", "-r", "nonsense"}, {"commit", "-m", "nothing"}, {"commit", "-m", "x", "-v", "--debug"}, {"tag", "-d", "0 0", "-m", "t", "t"},
			{"shout"}, {"nonsense"}, {"import", "-"}, {"verify"}, {"merge", "-r", "2", "-t", ":merge"}, {"resolve", "-l"}, {"resolve", "-m"}, {"rollback", "-n"},
			{"merge", "--abort"}, {"--cwd", ".hg", "update", "-r0"}, {"-R", ".", "bookmark", "b"}, {"--repository", "missing", "tag", "x"},
			{"--config", "extensions.strip=", "strip", "-r", "9"}, {"--config", "extensions.missing=/nonexistent", "bookmark", "c"},
			{"clone", ".", "../clone"}, {"bookmark", "-d", "nope"}, {"unbundle", "-"}, {"--config", "ui.nontty=x", "branch", "-f", "b"}, {"branch", "other"}, {"serve", "--nonsense"},
		} {
			var got [2]*protocol.RunResult
			for i, p := range both {
				r, err := p.c.Run(p.w.context(), protocol.RunParams{Args: text(args...), Cwd: protocol.Text(dirs[i]), Stdin: "some\ninput\n"})
				if err != nil {
					t.Fatalf("%q: %v", args, err)
				}
				r.Stdout, r.Stderr = protocol.Text(place.ReplaceAllString(string(r.Stdout), "DIR")), protocol.Text(place.ReplaceAllString(string(r.Stderr), "DIR"))
				got[i] = r
			}
			if got[0].ExitCode != got[1].ExitCode || got[0].Stdout != got[1].Stdout || got[0].Stderr != got[1].Stderr || got[0].Served != got[1].Served {
				t.Errorf("%q\nasked: %+v\nplain: %+v", args, got[0], got[1])
			}
		}
	})
}

// TestProgress runs a command whose progress is wanted.
func TestProgress(t *testing.T) {
	t.Parallel()
	p := newPerson(t, hgtest.Hg(t), `{}`)
	dir := p.repository()
	r, err := p.c.Run(p.w.context(), protocol.RunParams{Args: text("bundle", "-a", "../x.hg"), Cwd: protocol.Text(dir), WorkDoneToken: json.RawMessage(`"t1"`)})
	out := p.must(dir, "bundle", "-a", "../x.hg")
	if err != nil || string(r.Stdout) != out {
		t.Fatalf("%+v, %v; want %q", r, err, out)
	}
	p.mu.Lock()
	work := p.work
	p.work = nil
	p.mu.Unlock()
	if len(work) < 3 || work[0].Value.Kind != "begin" || work[0].Value.Title != "hg bundle" || work[len(work)-1].Value.Kind != "end" {
		t.Fatalf("%+v", work)
	}
	for i, w := range work {
		if string(w.Token) != `"t1"` || i > 0 && i < len(work)-1 && (w.Value.Kind != "report" || !strings.Contains(w.Value.Message, ": ")) {
			t.Errorf("%d: %+v", i, w)
		}
	}
	if _, err := p.c.Run(p.w.context(), protocol.RunParams{Args: text("verify"), Cwd: protocol.Text(dir), WorkDoneToken: json.RawMessage(`[]`)}); err == nil {
		t.Error("a token that is none was taken")
	}
	// What is native and quick says nothing.
	if r, err := p.c.Run(p.w.context(), protocol.RunParams{Args: text("log"), Cwd: protocol.Text(dir), WorkDoneToken: json.RawMessage(`7`)}); err != nil || r.Served == "fallback" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPartialLog reads a log in parts.
func TestPartialLog(t *testing.T) {
	t.Parallel()
	p := newPerson(t, hgtest.Hg(t), `{}`)
	dir := filepath.Join(p.w.dir, "long")
	p.must(p.w.dir, "init", dir)
	p.must(dir, "debugbuilddag", "+620")
	for _, limit := range []int{0, 7, 50, 51, 600, 1 << 20} {
		params := protocol.LogParams{Place: protocol.Place{Repository: protocol.Text(dir)}, Limit: limit, Fields: []string{"files"}}
		whole, err := p.c.Log(p.w.context(), params)
		if err != nil {
			t.Fatal(err)
		}
		params.PartialResultToken = json.RawMessage(`12`)
		rest, err := p.c.Log(p.w.context(), params)
		if err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		var got []protocol.Commit
		for _, part := range p.work {
			got = append(got, part.Value.Commits...)
		}
		parts := len(p.work)
		p.work = nil
		p.mu.Unlock()
		if !reflect.DeepEqual(got, whole.Commits) || len(rest.Commits) > 0 || rest.Next != whole.Next || rest.Generation != whole.Generation {
			t.Errorf("limit %d: %d parts of %d changesets, not %d; %+v", limit, parts, len(got), len(whole.Commits), rest)
		}
		if want := (len(got) + 949) / 500; parts != want || len(got) == 0 {
			t.Errorf("limit %d: %d changesets in %d parts, want %d", limit, len(got), parts, want)
		}
	}
	bad := protocol.LogParams{Place: protocol.Place{Repository: protocol.Text(dir)}, PartialResultToken: json.RawMessage(`{}`)}
	if _, err := p.c.Log(p.w.context(), bad); err == nil {
		t.Error("a token that is none was taken")
	}
}

// TestNobodyThere has a shell script ask for what it cannot answer: its input has
// ended.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	p := newPerson(t, hgtest.Hg(t), `{}`)
	dir := p.repository()
	cmd := exec.Command(p.w.exe, append(slices.Clone(p.w.flags), "--fallback=always")...)
	cmd.Dir, cmd.Env = dir, p.env
	cmd.Stdin = strings.NewReader(`{"id":1,"method":"initialize","params":{"capabilities":` + canBoth + `}}
{"id":2,"method":"hg/run","params":{"args":["commit","--amend"]}}
{"id":3,"method":"hg/run","params":{"args":["root"]}}`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{`"id":2,"result":{"exitCode":255,`, `abort: edit failed: `, `"id":3,"result":{"exitCode":0,`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// TestEditRole runs the editor where there is nothing to edit for.
func TestEditRole(t *testing.T) {
	w := newWorld(t)
	for _, env := range []string{"A=b", "HGBROKER_EDIT=" + filepath.Join(w.runtime, "e-gone.sock")} {
		cmd := exec.Command(w.exe, "edit", filepath.Join(w.dir, "x"))
		cmd.Env = []string{env}
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "hgbroker edit: ") {
			t.Errorf("%s: %v: %s", env, err, out)
		}
	}
}
