// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"strings"
	"testing"
)

// BenchmarkAnswer measures what an answer's text costs on its way: made JSON by the
// broker, and taken apart by a client. Text in lines has an escape in every line;
// output that is JSON itself has one in every few bytes.
func BenchmarkAnswer(b *testing.B) {
	const size = 20 << 10
	for _, text := range []struct{ name, piece string }{
		{"lines", "changeset:   12:0123456789ab\nuser:        Ada Stone <ada@example.org>\n"},
		{"json", ` {` + "\n" + `  "bookmarks": [],` + "\n" + `  "branch": "default",` + "\n" + `  "date": [1400000000, 0],` + "\n" +
			`  "desc": "keep the order of what is asked",` + "\n" + `  "node": "0123456789abcdef0123456789abcdef01234567"` + "\n },\n"},
	} {
		data := []byte(strings.Repeat(text.piece, size/len(text.piece)))
		answer := func() []byte {
			var out, errs TextWriter
			out.Append(data)
			parts := (&RunResult{Served: "warm", Generation: "0123456789abcdef"}).Parts(&out, &errs)
			return append(append(appendResponseHead(nil, "12"), bytes.Join(parts, nil)...), '}')
		}
		b.Run(text.name+"/make", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				answer()
			}
		})
		b.Run(text.name+"/take", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			msg := answer()
			for b.Loop() {
				if _, r, ok := ParseRunResponse(msg); !ok || len(r.Stdout) != len(data) {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}
