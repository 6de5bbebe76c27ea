// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"hgbroker/protocol"
)

// answer is any response.
type answer struct {
	ID     json.RawMessage
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
		Data    *protocol.ErrorData
	}
}

func (a *answer) code() int {
	if a.Error == nil {
		return 0
	}
	return a.Error.Code
}

func (x *wire) answer() *answer {
	x.w.t.Helper()
	line := x.line()
	a := &answer{}
	if err := json.Unmarshal([]byte(line), a); err != nil {
		x.w.t.Fatalf("answer %q: %v", line, err)
	}
	return a
}

// expect sends one message and checks the id and the code of its answer.
func (x *wire) expect(message, id string, code int) *answer {
	x.w.t.Helper()
	x.send(message)
	a := x.answer()
	if string(a.ID) != id || a.code() != code {
		x.w.t.Errorf("%s is answered with id %s and code %d, want %s and %d", message, a.ID, a.code(), id, code)
	}
	return a
}

func TestLifecycle(t *testing.T) {
	w := newWorld(t)
	x := w.wire("--framing=lines", "--fallback=always")
	x.expect(`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["say"]}}`, "1", -32002)
	x.expect(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`, "2", -32002)
	x.expect(`{"jsonrpc":"2.0","id":3,"method":"no/such"}`, "3", -32002)
	x.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`) // dropped
	x.expect(`{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"initializationOptions":{"fallback":"sometimes"}}}`, "4", -32602)
	a := x.expect(`{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"processId":null,"capabilities":{},"trace":"off"}}`, `"i"`, 0)
	var r protocol.InitializeResult
	if err := json.Unmarshal(a.Result, &r); err != nil || r.ServerInfo.Name != "hgbroker" ||
		!slices.Contains(r.Capabilities.Methods, "hg/run") || !slices.Contains(r.Capabilities.NativeCommands, "log") ||
		!slices.Contains(r.Capabilities.Requirements, "revlogv1") || r.Capabilities.Fallback != "always" {
		t.Errorf("initialize answered %s (%v)", a.Result, err)
	}
	x.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	x.expect(`{"jsonrpc":"2.0","id":5,"method":"initialize","params":{}}`, "5", -32600)
	x.expect(`{"jsonrpc":"2.0","id":6,"method":"no/such"}`, "6", -32601)
	x.expect(`{"jsonrpc":"2.0","id":7,"method":"$/unknown"}`, "7", -32601)
	x.send(`{"jsonrpc":"2.0","method":"$/unknown"}`, `{"jsonrpc":"2.0","method":"no/such"}`, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":99}}`)
	x.expect(`{"jsonrpc":"2.0","id":8,"method":"shutdown"}`, "8", 0)
	x.expect(`{"jsonrpc":"2.0","id":9,"method":"hg/run","params":{"args":["say"]}}`, "9", -32600)
	x.expect(`{"jsonrpc":"2.0","id":10,"method":"shutdown"}`, "10", -32600)
	x.send(`{"jsonrpc":"2.0","method":"exit"}`)
	if code := x.exit(); code != 0 {
		t.Errorf("exit code %d after shutdown and exit", code)
	}
}

func TestExitWithoutShutdown(t *testing.T) {
	w := newWorld(t)
	for _, first := range []string{"", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}` + "\n"} {
		x := w.wire("--framing=lines")
		x.send(first + `{"jsonrpc":"2.0","method":"exit"}`)
		if code := x.exit(); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
	}
}

// Wrong messages get the error that JSON-RPC has for them, and the conversation
// goes on.
func TestWrongMessages(t *testing.T) {
	w := newWorld(t)
	x := w.wire("--framing=lines", "--fallback=always")
	x.expect(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}`, "0", 0)
	for i, c := range []struct {
		message, id string
		code        int
	}{
		{`{"jsonrpc":"2.0","id":1,`, "null", -32700},
		{`[]`, "null", -32600},
		{`[{"jsonrpc":"2.0","id":1,"method":"broker/stats"}]`, "null", -32600},
		{`{"jsonrpc":"2.0","id":1.5,"method":"broker/stats"}`, "null", -32600},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run"}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":[1]}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":"log"}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["a\u0000b"]}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["\ud800"]}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["say"],"cwd":"/no/such/place"}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["say"],"cwd":"file://elsewhere/x"}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["say"],"env":{"A=B":"c"}}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/run","params":{"args":["say"],"timeoutMs":-1}}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":1,"method":"hg/status","params":[]}`, "1", -32602},
		{`{"jsonrpc":"2.0","id":null,"method":"broker/stats"}`, "null", 0},
		{`{"jsonrpc":"2.0","id":-7,"method":"broker/stats"}`, "-7", 0},
		{`{"jsonrpc":"2.0","id":"","method":"broker/stats"}`, `""`, 0},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) { x.expect(c.message, c.id, c.code) })
	}
}

func TestBrokenFramingEnds(t *testing.T) {
	w := newWorld(t)
	x := w.wire()
	x.send("This is no header\r\n\r")
	kill := x.line()
	if !strings.HasPrefix(kill, "Content-Length: ") {
		t.Errorf("answered %q", kill)
	}
	if code := x.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

// A script in a shell gets all its answers: the end of input is the end of its
// questions, not a reason to drop them.
func TestLinesAreAnsweredAfterEndOfInput(t *testing.T) {
	w := newWorld(t)
	cmd := exec.Command(w.exe, append(slices.Clone(w.flags), "--fallback=always")...)
	cmd.Dir = w.dir
	cmd.Stdin = strings.NewReader(`{"id":1,"method":"initialize","params":{}}
{"id":2,"method":"hg/run","params":{"args":["say","hello"]}}
{"id":3,"method":"hg/run","params":{"args":["both"]}}`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{`"id":1,"result":{"serverInfo"`, `"id":2,"result":{"exitCode":0,"stdout":"hello\n","stderr":"","served":"fallback"`,
		`"id":3,"result":{"exitCode":3,"stdout":"out1\nout2\n","stderr":"err1\n","served":"fallback"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestHeaderFraming(t *testing.T) {
	w := newWorld(t)
	c := w.open("--framing=lsp")
	if r := w.run(c, "say", "höher"); r.Stdout != "höher\n" {
		t.Errorf("said %q", r.Stdout)
	}
	if err := c.Shutdown(w.context()); err != nil {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	w := newWorld(t)
	for args, want := range map[string]int{"--help": 0, "version": 0, "nonsense": 2, "--framing=x": 2, "--fallback=x": 2,
		"--cache-bytes=lots": 2, "--stdio extra": 2, "stats": 1, "stop": 0} {
		list := strings.Fields(args)
		if want < 2 && len(list) == 1 && list[0][0] == 's' {
			list = append(list, w.flags...)
		}
		out, _ := exec.Command(w.exe, list...).CombinedOutput()
		cmd := exec.Command(w.exe, list...)
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != want {
			t.Errorf("%s: exit code %d (%v), want %d\n%s", args, cmd.ProcessState.ExitCode(), err, want, out)
		}
	}
	help, _ := exec.Command(w.exe, "--help").Output()
	for _, flag := range []string{"--fallback", "--hg", "--runtime-dir", "--cache-bytes", "--max-workers", "--idle-timeout", "--framing", "--log", "--trace", "--json"} {
		if !strings.Contains(string(help), flag) {
			t.Errorf("--help does not mention %s", flag)
		}
	}
}
