// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                      `""`,
		"plain \"q\" \\ /":      `"plain \"q\" \\ /"`,
		"tab\tline\nret\r\x00":  `"tab\tline\nret\r\u0000"`,
		"\x1b[0m\x7f":           `"\u001b[0m\u007f"`,
		"größe \u2028 😀 \ufffd": `"größe ` + "\u2028 😀 \ufffd" + `"`,
		"caf\xe9":               `{"base64":"Y2Fm6Q=="}`,
		"\xed\xa0\x80":          `{"base64":"7aCA"}`, // a surrogate is not UTF-8
	} {
		b, err := Text(in).MarshalJSON()
		if err != nil || string(b) != want {
			t.Errorf("%q becomes %s, %v; want %s", in, b, err, want)
		}
		var back Text
		if err := json.Unmarshal(b, &back); err != nil || string(back) != in {
			t.Errorf("%s becomes %q, %v", b, back, err)
		}
	}
}

func TestTextRefused(t *testing.T) {
	for _, in := range []string{`5`, `[]`, `true`, `{}`, `{"base64":5}`, `{"base64":"!"}`, `{"base64":"","x":""}`,
		`"\ud800"`, `"\udc00\ud800"`, `"\ud800x"`, `"\ud800\u0041"`} {
		var x Text
		if err := json.Unmarshal([]byte(in), &x); err == nil {
			t.Errorf("%s was accepted as %q", in, x)
		}
	}
	var x Text
	if err := json.Unmarshal([]byte(`"\ud83d\ude00 \\ud800"`), &x); err != nil || x != `😀 \ud800` {
		t.Errorf("a pair and an escaped backslash become %q, %v", x, err)
	}
}

func TestFilePath(t *testing.T) {
	for in, want := range map[Text]string{
		"/a/b": "/a/b", "rel/x": "rel/x", "file:///a%20b/%C3%A9%FF": "/a b/é\xff", "file:/x": "/x",
		"FILE://localhost/x?q#f": "/x", "file.txt": "file.txt",
	} {
		if got, err := in.FilePath(); err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []Text{"file://host/x", "file:x", "file://", "file:///%zz", "file:///x%", "file:///%4", "file:///%+1"} {
		if got, err := in.FilePath(); err == nil {
			t.Errorf("%q is %q, want an error", in, got)
		}
	}
}

func TestResultsWithTheirOwnEncoder(t *testing.T) {
	run := RunResult{ExitCode: -1, Stdout: "a\xff", Stderr: "<&>", Served: "warm", Generation: "g"}
	cat := CatResult{Path: "p", Content: "c\n", Size: 2, Node: "n", Flags: "x", Binary: true, Bound: Bound{"g", "cold"}}
	for _, v := range []any{&run, &cat} {
		own, err := MarshalResult(v)
		if err != nil {
			t.Fatal(err)
		}
		std, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var a, b map[string]any
		if json.Unmarshal(own, &a) != nil || json.Unmarshal(std, &b) != nil || len(a) != len(b) {
			t.Fatalf("%s\n%s", own, std)
		}
		for k := range b {
			x, _ := json.Marshal(a[k])
			y, _ := json.Marshal(b[k])
			if string(x) != string(y) {
				t.Errorf("%s: %s, encoding/json has %s", k, x, y)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n", "\xff\xfe", "a\u2028b", "\xf0\x9f\x98", strings.Repeat("x", 100)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := AppendText(nil, string(data))
		if !json.Valid(b) || utf8.Valid(data) != (b[0] == '"') {
			t.Fatalf("%q becomes %s", data, b)
		}
		var back Text
		if err := json.Unmarshal(b, &back); err != nil || string(back) != string(data) {
			t.Fatalf("%q becomes %s and then %q, %v", data, b, back, err)
		}
		// What comes from outside is decoded or refused.
		var in Text
		if err := json.Unmarshal(data, &in); err == nil && len(data) > 0 && data[0] == '"' {
			var std string
			if json.Unmarshal(data, &std) != nil || std != string(in) && !strings.Contains(std, "\ufffd") {
				t.Errorf("%q is %q, encoding/json has %q", data, in, std)
			}
		}
		_, _ = in.FilePath()
	})
}

func BenchmarkAppendText(b *testing.B) {
	s := strings.Repeat("changeset:   12:0123456789ab\n", 1<<15)
	b.SetBytes(int64(len(s)))
	var buf []byte
	for b.Loop() {
		buf = AppendText(buf[:0], s)
	}
}
