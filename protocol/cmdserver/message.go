// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver

import (
	"encoding/binary"
	"errors"
)

// The message channel: with ui.message-output=channel what hg says to its user,
// beside a command's output, comes as chunks of 'm', each of them one map in CBOR
// (RFC 8949). Mercurial describes it in `hg help config.ui`, message-output, and
// in channeledmessage of mercurial/commandserver.py. All strings are byte strings
// in the local encoding.
//
//	type      status, warning, error, note, debug, prompt, promptecho, progress, ...
//	data      the text; not of progress
//	default   of a prompt: what an empty line stands for; may be null
//	choices   of a prompt: pairs of the answer and what it stands for
//	password  of a prompt: true, when the answer must not be seen
//	topic, pos, item, unit, total   of progress; pos is null at the end
//
// A client answers a prompt when the server asks for a line on 'L', which follows
// at once. Numbers are small. What else a map may hold is left out.

// Notice is one message.
type Notice struct {
	Type string
	Data []byte

	// Of a prompt.
	Default    string
	HasDefault bool
	Choices    [][2]string // answer and meaning
	Password   bool

	// Of progress.
	Topic, Item, Unit string
	Pos, Total        int64 // -1: not told; a Pos of -1 is the end of the topic
}

// maxCBORDepth bounds arrays and maps within each other; hg's are two deep.
const maxCBORDepth = 8

// ErrMessage says that a chunk of the message channel is not one map in CBOR.
var ErrMessage = errors.New("command server: bad message")

// DecodeNotice decodes the data of an 'm' chunk.
func DecodeNotice(b []byte) (*Notice, error) {
	d := cbor{b: b}
	v := d.value(0)
	fields, ok := v.(map[string]any)
	if d.bad || len(d.b) > 0 || !ok {
		return nil, ErrMessage
	}
	n := &Notice{Pos: -1, Total: -1}
	text := func(name string) string { s, _ := fields[name].(string); return s }
	n.Type, n.Data = text("type"), []byte(text("data"))
	n.Default, n.HasDefault = fields["default"].(string)
	n.Password, _ = fields["password"].(bool)
	n.Topic, n.Item, n.Unit = text("topic"), text("item"), text("unit")
	if pos, ok := fields["pos"].(int64); ok {
		n.Pos = pos
	}
	if total, ok := fields["total"].(int64); ok {
		n.Total = total
	}
	choices, _ := fields["choices"].([]any)
	for _, c := range choices {
		pair, _ := c.([]any)
		if len(pair) != 2 {
			return nil, ErrMessage
		}
		answer, ok := pair[0].(string)
		meaning, ok2 := pair[1].(string)
		if !ok || !ok2 {
			return nil, ErrMessage
		}
		n.Choices = append(n.Choices, [2]string{answer, meaning})
	}
	return n, nil
}

// cbor takes values off the front of b. Strings of both kinds become string,
// numbers int64, arrays []any, maps map[string]any, true and false bool; the rest
// nil.
type cbor struct {
	b   []byte
	bad bool
}

// cborBreak ends an array, a map or a string of unknown length.
const cborBreak = 0xff

// head takes an item's head: its major type and its number; endless, when the
// length is not told.
func (d *cbor) head() (major byte, n uint64, endless bool) {
	if len(d.b) == 0 {
		d.bad = true
		return 0, 0, false
	}
	first := d.b[0]
	d.b = d.b[1:]
	major, n = first>>5, uint64(first&31)
	switch {
	case n < 24:
		return major, n, false
	case n == 31:
		if major < 2 || major == 6 {
			d.bad = true
		}
		return major, 0, true
	case n > 27:
		d.bad = true
		return 0, 0, false
	}
	size := 1 << (n - 24)
	if len(d.b) < size {
		d.bad = true
		return 0, 0, false
	}
	var wide [8]byte
	copy(wide[8-size:], d.b)
	d.b = d.b[size:]
	return major, binary.BigEndian.Uint64(wide[:]), false
}

// ended takes the end of something of unknown length, when it is there.
func (d *cbor) ended() bool {
	if !d.bad && len(d.b) > 0 && d.b[0] == cborBreak {
		d.b = d.b[1:]
		return true
	}
	return d.bad || len(d.b) == 0 && d.fail()
}

func (d *cbor) fail() bool {
	d.bad = true
	return true
}

func (d *cbor) value(depth int) any {
	major, n, endless := d.head()
	if d.bad || depth > maxCBORDepth {
		d.bad = true
		return nil
	}
	switch major {
	case 0, 1:
		if n > 1<<62 {
			d.bad = true
			return nil
		}
		if major == 1 {
			return -1 - int64(n)
		}
		return int64(n)
	case 2, 3:
		if !endless {
			return d.text(n)
		}
		var s []byte
		for !d.ended() {
			m, n, endless := d.head()
			if m != major || endless {
				d.bad = true
			}
			s = append(s, d.text(n)...)
		}
		return string(s)
	case 4:
		list := []any{}
		for i := uint64(0); !d.bad && (endless || i < n) && (!endless || !d.ended()); i++ {
			list = append(list, d.value(depth+1))
		}
		return list
	case 5:
		m := map[string]any{}
		for i := uint64(0); !d.bad && (endless || i < n) && (!endless || !d.ended()); i++ {
			name, ok := d.value(depth + 1).(string)
			if !ok {
				d.bad = true
				break
			}
			m[name] = d.value(depth + 1)
		}
		return m
	case 6: // a tag
		return d.value(depth + 1)
	}
	switch {
	case endless: // a break where there is nothing to end
		d.bad = true
	case n == 20 || n == 21:
		return n == 21
	}
	return nil
}

func (d *cbor) text(n uint64) string {
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}
