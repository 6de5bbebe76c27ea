// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowParams and slowResult are decoded by encoding/json alone.
type (
	slowParams RunParams
	slowResult RunResult
)

// FuzzRunParams holds the quick way of decoding hg/run's parameters against
// encoding/json's, and what is written against what is read.
func FuzzRunParams(f *testing.F) {
	for _, s := range []string{
		`{"args":["log","-r",".","-T","{node}"],"cwd":"/a/b"}`, `{ "args" : [ ] , "stream" : true, "repository":"x","encoding":"latin-1"}`,
		`{"args":["\u00e9\n",{"base64":"/w=="}],"env":{"A":"1","B":null},"stdin":"x","timeoutMs":5}`, `{"args":[],"workDoneToken": "x" }`, `{"args":[],"workDoneToken":null}`, `{"ARGS":["x"]}`, `{"args":null}`,
		`{"args":["a"],"args":["b"]}`, `{"args":[null]}`, `{"args":"x"}`, `{"cwd":5}`, `[]`, `null`, `{"stream":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !validJSON(b) {
			return
		}
		var fast RunParams
		var slow slowParams
		ferr, serr := fast.UnmarshalJSON(b), json.Unmarshal(b, &slow)
		if (ferr == nil) != (serr == nil) || ferr == nil && !reflect.DeepEqual(fast, RunParams(slow)) {
			t.Fatalf("%s: %+v, %v and %+v, %v", b, fast, ferr, slow, serr)
		}
		if ferr != nil {
			return
		}
		var back RunParams
		if err := json.Unmarshal(fast.AppendJSON(nil), &back); err != nil || !same(fast, back) {
			t.Fatalf("%s was written as %s and read as %+v, %v", b, fast.AppendJSON(nil), back, err)
		}
	})
}

// same is equality without regard to nil slices and maps.
func same(a, b RunParams) bool {
	if len(a.Args)+len(b.Args) == 0 {
		a.Args, b.Args = nil, nil
	}
	if len(a.Env)+len(b.Env) == 0 {
		a.Env, b.Env = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func TestRunResult(t *testing.T) {
	for _, want := range []RunResult{
		{}, {ExitCode: 255, Stdout: "a\n\"b\"\x00é", Stderr: "\xff", Served: "warm", Generation: "x"},
	} {
		b := want.AppendJSON(nil)
		var fast RunResult
		var slow slowResult
		if err := json.Unmarshal(b, &fast); err != nil || fast != want {
			t.Errorf("%s: %+v, %v", b, fast, err)
		}
		if err := json.Unmarshal(b, &slow); err != nil || RunResult(slow) != want {
			t.Errorf("%s: %+v, %v", b, slow, err)
		}
	}
	for _, bad := range []string{`{"exitCode":"x"}`, `{"served":5}`, `{"stdout":[]}`} {
		var r RunResult
		if err := json.Unmarshal([]byte(bad), &r); err == nil {
			t.Errorf("%s was taken as %+v", bad, r)
		}
	}
}

// FuzzRunResponse: what ParseRunResponse takes, ParseMessage takes for the same; and
// it takes what our broker writes.
func FuzzRunResponse(f *testing.F) {
	long := strings.Repeat("changeset: 1\n\"é\"\\\x00\x7f", 100)
	for _, text := range []string{"", "a\n", long, long + "\xff", "\x1b[0m\u2028😀"} {
		f.Add([]byte(text), string(AppendResponse(nil, "12", (&RunResult{ExitCode: 1, Stdout: Text(text), Served: "warm", Generation: "g"}).AppendJSON(nil))))
	}
	head := `{"jsonrpc":"2.0","id":1,"result":{"exitCode":0,"stdout":"` + strings.Repeat("x", longResponse)
	for _, tail := range []string{`","stderr":"","served":"warm"}}`, `","stderr":"","served":"warm","stdout":""}}`, `\u00e9\ud83d\ude00","stderr":"","served":"warm"}}`,
		`\ud83d","stderr":"","served":"warm"}}`, `","stderr":"","served":"warm"},"id":2}`, `"`, `\`, `\u00`, "\n\",\"stderr\":\"\",\"served\":\"warm\"}}"} {
		f.Add([]byte(nil), head+tail)
	}
	f.Fuzz(func(t *testing.T, text []byte, body string) {
		want := &RunResult{ExitCode: len(text), Stdout: Text(text), Served: "warm", Generation: "g"}
		b := AppendResponse(nil, `"i"`, want.AppendJSON(nil))
		if id, r, ok := ParseRunResponse(b); ok != (len(b) >= longResponse && utf8.Valid(text)) || ok && (id != `"i"` || *r != *want) {
			t.Errorf("%q comes back as %v, %v", text, r, ok)
		}
		if id, r, ok := ParseRunResponse([]byte(body)); ok {
			m, bad := ParseMessage([]byte(body))
			var other RunResult
			if bad != nil || m.ID != id || m.Failure != nil || other.UnmarshalJSON(m.Result) != nil || other != *r {
				t.Errorf("%q is taken for %+v", body, r)
			}
		}
	})
}
