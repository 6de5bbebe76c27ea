// SPDX-License-Identifier: GPL-2.0-or-later

package filelog

import (
	"bytes"
	"testing"
)

const example = "\x01\ncopy: a\ncopyrev: b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3\n\x01\ncontent\n"

// TestWorkedExample has the bytes of the package comment.
func TestWorkedExample(t *testing.T) {
	m, content, err := ParseMetadata([]byte(example))
	if err != nil || m.Source != "a" || m.SourceNode.Short() != "b789fdd96dc2" || !m.Copied || m.Censored || string(content) != "content\n" {
		t.Errorf("%+v %q %v", m, content, err)
	}
}

func TestMetadata(t *testing.T) {
	for text, want := range map[string]struct {
		content string
		m       Metadata
		bad     bool
	}{
		"":                                     {},
		"plain":                                {content: "plain"},
		"\x01":                                 {content: "\x01"},
		"\x01\n\x01\n":                         {},
		"\x01\n\x01\n\x01\nx":                  {content: "\x01\nx"},
		"\x01\ncopy: only\n\x01\nx":            {content: "x"},
		"\x01\ncensored: why\n\x01\n":          {m: Metadata{Censored: true}},
		"\x01\nnever ends":                     {bad: true},
		"\x01\nnovalue\n\x01\n":                {bad: true},
		"\x01\ncopy: a\ncopyrev: 12\n\x01\nxx": {bad: true},
	} {
		m, content, err := ParseMetadata([]byte(text))
		if (err != nil) != want.bad || string(content) != want.content || m != want.m {
			t.Errorf("%q: %+v %q %v", text, m, content, err)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("\x01\ncensored: \r\n\x01\n"))
	f.Add([]byte("\x01\n\x01\n\x01\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, content, err := ParseMetadata(text)
		if err != nil {
			return
		}
		if !bytes.HasSuffix(text, content) || m.Copied && len(m.Source) > len(text) {
			t.Errorf("%+v %q", m, content)
		}
		meta, same, present, err := Split(text)
		if err != nil || !bytes.Equal(same, content) || present && len(meta)+len(same)+4 != len(text) {
			t.Errorf("%q %q %v", meta, same, err)
		}
	})
}
