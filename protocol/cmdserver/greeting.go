// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// Greeting is what the server says first. Clients rely on the order of its
// lines, and that it is one chunk.
type Greeting struct {
	Capabilities    []string // sorted
	Encoding        string
	MessageEncoding string // "" without a message channel
	PID, PGID       int    // PGID 0: not said
}

// Encode returns the greeting's text, without the chunk's head.
func (g *Greeting) Encode() []byte {
	b := append([]byte("capabilities: "), strings.Join(g.Capabilities, " ")...)
	b = append(append(b, "\nencoding: "...), g.Encoding...)
	if g.MessageEncoding != "" {
		b = append(append(b, "\nmessage-encoding: "...), g.MessageEncoding...)
	}
	b = strconv.AppendInt(append(b, "\npid: "...), int64(g.PID), 10)
	if g.PGID != 0 {
		b = strconv.AppendInt(append(b, "\npgid: "...), int64(g.PGID), 10)
	}
	return b
}

// ErrGreeting says that a text is no greeting.
var ErrGreeting = errors.New("command server: no greeting")

// DecodeGreeting is the reverse of Encode. Lines that it does not know are left
// out.
func DecodeGreeting(text []byte) (*Greeting, error) {
	g := &Greeting{}
	for i, line := range bytes.Split(text, []byte{'\n'}) {
		name, value, ok := strings.Cut(string(line), ": ")
		if !ok || i == 0 && name != "capabilities" {
			return nil, ErrGreeting
		}
		var err error
		switch name {
		case "capabilities":
			g.Capabilities = strings.Fields(value)
		case "encoding":
			g.Encoding = value
		case "message-encoding":
			g.MessageEncoding = value
		case "pid":
			g.PID, err = strconv.Atoi(value)
		case "pgid":
			g.PGID, err = strconv.Atoi(value)
		}
		if err != nil {
			return nil, ErrGreeting
		}
	}
	return g, nil
}
