// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// feed reads every message of input and returns the methods and ids seen, what
// was answered, and the error that ended the stream.
func feed(t testing.TB, input string, f Framing) (seen []string, answers string, end error) {
	t.Helper()
	var out lockedBuffer
	s := NewStream(strings.NewReader(input), &out, nopCloser{}, f)
	for {
		var v struct {
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		if end = s.ReadObject(&v); end != nil {
			break
		}
		m := s.Current()
		seen = append(seen, fmt.Sprintf("%s %s %s", m.Method, m.ID, m.Params))
		if v.Params != nil {
			t.Errorf("parameters of %s reached the decoder", m.Method)
		}
	}
	s.Close()
	return seen, out.String(), end
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func framed(bodies ...string) string {
	var b strings.Builder
	for _, body := range bodies {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	return b.String()
}

func TestFramings(t *testing.T) {
	const m1, m2 = `{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[1,{"y":"}"}]}}`, `{"id":"q\"","method":"b"}`
	want := []string{`a 1 {"x":[1,{"y":"}"}]}`, `b "q\"" `}
	for name, in := range map[string]struct {
		text    string
		framing Framing
	}{
		"lsp":              {framed(m1, m2), FramingLSP},
		"auto lsp":         {framed(m1, m2), FramingAuto},
		"lines":            {m1 + "\n" + m2 + "\n", FramingLines},
		"auto lines":       {m1 + "\n\r\n  \n" + m2 + "\n", FramingAuto},
		"last line open":   {m1 + "\n" + m2, FramingLines},
		"lower case":       {strings.ReplaceAll(framed(m1, m2), "Content-Length: ", "content-length:"), FramingLSP},
		"other headers":    {strings.ReplaceAll(framed(m1, m2), "Content-L", "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-L"), FramingAuto},
		"bare newlines":    {strings.ReplaceAll(framed(m1, m2), "\r\n", "\n"), FramingLSP},
		"padded body":      {framed(m1+strings.Repeat(" ", 5000), m2), FramingLSP},
		"blanks in front":  {"\n \n" + m1 + "\n" + m2, FramingAuto},
		"blanks in a body": {framed("\n  "+m1+"\n", m2), FramingLSP},
	} {
		t.Run(name, func(t *testing.T) {
			seen, answers, end := feed(t, in.text, in.framing)
			if fmt.Sprint(seen) != fmt.Sprint(want) || answers != "" || end != io.EOF {
				t.Errorf("saw %q, answered %q, ended with %v", seen, answers, end)
			}
		})
	}
}

// What is wrong with one message is answered, and the next one is read.
func TestInvalidMessages(t *testing.T) {
	const good = `{"id":7,"method":"ok"}`
	for name, in := range map[string]struct {
		body, id string
		code     int
	}{
		"no json":         {`{"id":1,`, "null", CodeParseError},
		"empty":           {``, "null", CodeParseError},
		"trailing":        {`{"id":1,"method":"a"} x`, "null", CodeParseError},
		"not utf-8":       {"{\"id\":1,\"method\":\"\xff\"}", "null", CodeParseError},
		"batch":           {`[{"id":1,"method":"a"}]`, "null", CodeInvalidRequest},
		"empty batch":     {`[]`, "null", CodeInvalidRequest},
		"a number":        {`5`, "null", CodeInvalidRequest},
		"fractional id":   {`{"id":1.5,"method":"a"}`, "null", CodeInvalidRequest},
		"exponent id":     {`{"id":1e3,"method":"a"}`, "null", CodeInvalidRequest},
		"object id":       {`{"id":{},"method":"a"}`, "null", CodeInvalidRequest},
		"boolean id":      {`{"id":true,"method":"a"}`, "null", CodeInvalidRequest},
		"no method":       {`{"id":3}`, "3", CodeInvalidRequest},
		"method a number": {`{"id":"s","method":5}`, `"s"`, CodeInvalidRequest},
		"wrong version":   {`{"jsonrpc":"1.0","id":-4,"method":"a"}`, "-4", CodeInvalidRequest},
		"params a string": {`{"id":5,"method":"a","params":"x"}`, "5", CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			seen, answers, end := feed(t, framed(in.body, good), FramingLSP)
			if len(seen) != 1 || seen[0] != "ok 7 " || end != io.EOF {
				t.Errorf("saw %q, ended with %v", seen, end)
			}
			_, body, _ := strings.Cut(answers, "\r\n\r\n")
			var a struct {
				ID    json.RawMessage
				Error struct{ Code int }
			}
			if err := json.Unmarshal([]byte(body), &a); err != nil || string(a.ID) != in.id || a.Error.Code != in.code {
				t.Errorf("answered %q, want id %s and code %d", answers, in.id, in.code)
			}
		})
	}
}

func TestIDsGoBackUnchanged(t *testing.T) {
	for _, id := range []string{`1`, `-1`, `0`, `18446744073709551616`, `""`, `"1"`, `"\u0041"`, `null`} {
		seen, _, _ := feed(t, fmt.Sprintf(`{"id": %s ,"method":"m"}`, id), FramingLines)
		if len(seen) != 1 || seen[0] != "m "+id+" " {
			t.Errorf("id %s: saw %q", id, seen)
		}
	}
}

func TestBrokenFraming(t *testing.T) {
	for name, text := range map[string]string{
		"no colon":      "Content-Length 5\r\n\r\nxxxxx",
		"no length":     "Content-Type: x\r\n\r\n{}",
		"negative":      "Content-Length: -1\r\n\r\n",
		"not a number":  "Content-Length: 1x\r\n\r\n",
		"two lengths":   "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"huge":          "Content-Length: 99999999999999\r\n\r\n",
		"endless":       "Content-Length: 9999999999999999999999\r\n\r\n",
		"long header":   "X: " + strings.Repeat("y", MaxHeader) + "\r\n\r\n",
		"many headers":  strings.Repeat("A: b\r\n", MaxHeader),
		"only one line": "Content-Length",
	} {
		t.Run(name, func(t *testing.T) {
			seen, answers, end := feed(t, text, FramingLSP)
			if len(seen) != 0 || end == nil || end == io.EOF {
				t.Errorf("saw %q, ended with %v", seen, end)
			}
			if errors.Is(end, ErrFraming) != strings.Contains(answers, `"code":-32700`) {
				t.Errorf("ended with %v, answered %q", end, answers)
			}
		})
	}
}

func TestTooLongIsDrained(t *testing.T) {
	long := `{"id":1,"method":"` + strings.Repeat("x", MaxBody) + `"}`
	for f, text := range map[Framing]string{
		FramingLSP:   framed(long, `{"id":2,"method":"ok"}`),
		FramingLines: long + "\n" + `{"id":2,"method":"ok"}` + "\n",
	} {
		seen, answers, end := feed(t, text, f)
		if len(seen) != 1 || seen[0] != "ok 2 " || end != io.EOF || !strings.Contains(answers, `"code":-32600`) {
			t.Errorf("framing %d: saw %d messages, answered %q, ended with %v", f, len(seen), answers, end)
		}
	}
}

// A client that does not read makes writers wait, and is given up in the end.
func TestStalledClient(t *testing.T) {
	r, w := io.Pipe()
	s := newStream(strings.NewReader(""), w, w, FramingLines, 50*time.Millisecond)
	msg := []byte(`"` + strings.Repeat("x", QueueLimit/4) + `"`)
	n := 0
	var err error
	for err == nil && n < 100 {
		err = s.WriteRaw(bytes.Clone(msg))
		n++
	}
	if !errors.Is(err, ErrStalled) || n > 10 {
		t.Errorf("after %d messages: %v", n, err)
	}
	r.Close()
	s.Close()
}

// A slow client is not a stalled one: every piece it takes counts.
func TestSlowClientIsKept(t *testing.T) {
	r, w := io.Pipe()
	s := newStream(strings.NewReader(""), w, w, FramingLines, time.Second)
	sent := strings.Repeat("0123456789abcdef", 64<<10)
	got := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		got <- string(b)
	}()
	for range 5 {
		if err := s.WriteRaw([]byte(sent)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if want := strings.Repeat(sent+"\n", 5); <-got != want {
		t.Error("the bytes differ")
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null}}`, `{"method":"exit"}`)))
	f.Add([]byte(`{"id":1,"method":"a"}` + "\n" + `[1,2]` + "\n"))
	f.Add([]byte(`{"id":null,"result":null}` + "\n" + `{"id":3,"error":{"code":1,"message":"x"}}`))
	f.Add([]byte("content-length:2\n\n{}Content-Length: 70000000\r\n\r\n"))
	f.Add([]byte("{\"method\":\"\\ud800\",\"params\":[\"\\\\\\\"]\"]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		seen, answers, end := feed(t, string(data), FramingAuto)
		if end == nil {
			t.Fatal("no end")
		}
		if len(seen) > len(data) || len(answers) > 400*(len(data)+1) {
			t.Errorf("%d messages and %d bytes of answers from %d bytes", len(seen), len(answers), len(data))
		}
	})
}

// members must agree with encoding/json about every object.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[{"c":"]}"}],"\u0061":"x\\"}`))
	f.Add([]byte(` { "" : -1.5e3 , "n":null,"t":true } `))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]json.RawMessage
		if !validJSON(data) || json.Unmarshal(data, &want) != nil {
			return
		}
		got := map[string]json.RawMessage{}
		for name, value := range members(data) {
			got[name] = value
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d members, want %d", data, len(got), len(want))
		}
		for name, value := range want {
			if !bytes.Equal(got[name], value) {
				t.Errorf("%q: %q is %q, want %q", data, name, got[name], value)
			}
		}
	})
}

// TestSlabsAreUsedAgain answers with texts of all sizes, one after the other and
// while others still wait to be written: each has what was written into it.
func TestSlabsAreUsedAgain(t *testing.T) {
	for _, kind := range []string{"pipe", "socket", "unknown"} {
		r, w := ends(t, kind)
		var out io.Writer = w
		if kind == "unknown" {
			out = struct{ io.Writer }{w} // the stream cannot tell whether it would wait
		}
		s := NewStream(strings.NewReader(""), out, nopCloser{}, FramingLSP)
		text := func(i int) string {
			return strings.Repeat(fmt.Sprintf("one more line of \"text\" number %d\n", i), 1+i*i*7%3000)
		}
		const texts = 60
		failed := make(chan error, 1)
		go func() {
			for i := range texts {
				var t, none TextWriter
				for rest := text(i); len(rest) > 0; {
					n := min(len(rest), 30000)
					t.Append([]byte(rest[:n]))
					rest = rest[n:]
				}
				if err := s.WriteResult(RawID(strconv.Itoa(i)), (&RunResult{Served: "warm"}).Parts(&t, &none)...); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
		in := NewStream(r, io.Discard, nopCloser{}, FramingLSP)
		for i := range texts {
			body, err := in.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			var m struct {
				ID     int
				Result RunResult
			}
			if err := json.Unmarshal(body, &m); err != nil || m.ID != i || string(m.Result.Stdout) != text(i) {
				t.Fatalf("answer %d: id %d, %d bytes of %d, %v", i, m.ID, len(m.Result.Stdout), len(text(i)), err)
			}
		}
		if err := <-failed; err != nil {
			t.Error(err)
		}
		in.Close()
		s.Close()
	}
	if len(slabStock.medium) == 0 || len(slabStock.large) == 0 {
		t.Errorf("no slab came back: %d and %d", len(slabStock.medium), len(slabStock.large))
	}
}

// ends are both ends of a pipe, or of a socket, closed when the test ends.
func ends(t *testing.T, kind string) (r, w *os.File) {
	t.Helper()
	var err error
	if kind == "socket" {
		var a, b int
		if a, b, err = Pair(unix.SOCK_STREAM); err == nil {
			r, w = os.NewFile(uintptr(a), "reader"), os.NewFile(uintptr(b), "writer")
		}
	} else {
		r, w, err = os.Pipe()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// TestOutletTakesWhatDoesNotWait fills and empties pipes and sockets: what an outlet
// takes is written though nobody reads.
func TestOutletTakesWhatDoesNotWait(t *testing.T) {
	for _, kind := range []string{"pipe", "socket"} {
		r, w := ends(t, kind)
		o := newOutlet(w)
		sizes := 0
		for size := 1; size <= 2*mostTaken; size *= 3 {
			if !o.takes(size) {
				continue
			}
			sizes++
			if err := o.write("head", [][]byte{nil, make([]byte, size-4*min(1, size/4)), nil}); err != nil {
				t.Fatalf("%s: %d bytes: %v", kind, size, err)
			}
			if size > smallWrite && o.takes(size) {
				t.Errorf("%s takes another %d bytes before those are read", kind, size)
			}
			if _, err := io.ReadFull(r, make([]byte, size-4*min(1, size/4)+4)); err != nil {
				t.Fatal(err)
			}
		}
		if sizes < 8 || o.takes(mostTaken+1) {
			t.Errorf("%s took %d sizes of 12", kind, sizes)
		}
	}
	if newOutlet(io.Discard).takes(1) {
		t.Error("nobody knows whether that waits")
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if newOutlet(file).takes(1) {
		t.Error("a file is neither pipe nor socket")
	}
}
