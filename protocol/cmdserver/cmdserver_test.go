// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hgbroker/protocol/cmdserver"
)

func TestGreeting(t *testing.T) {
	for _, g := range []cmdserver.Greeting{
		{Capabilities: []string{"getencoding", "runcommand"}, Encoding: "UTF-8", PID: 7, PGID: 6},
		{Capabilities: []string{"runcommand"}, Encoding: "ascii", MessageEncoding: "cbor", PID: 1},
	} {
		back, err := cmdserver.DecodeGreeting(g.Encode())
		if err != nil || !reflect.DeepEqual(*back, g) {
			t.Errorf("%q: %+v, %v", g.Encode(), back, err)
		}
	}
	want := "capabilities: getencoding runcommand\nencoding: UTF-8\nmessage-encoding: cbor\npid: 7\npgid: 6"
	g := cmdserver.Greeting{Capabilities: []string{"getencoding", "runcommand"}, Encoding: "UTF-8", MessageEncoding: "cbor", PID: 7, PGID: 6}
	if got := string(g.Encode()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, bad := range []string{"", "encoding: x", "capabilities: a\npid: x", "capabilities"} {
		if _, err := cmdserver.DecodeGreeting([]byte(bad)); !errors.Is(err, cmdserver.ErrGreeting) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRequests(t *testing.T) {
	in := bufio.NewReader(strings.NewReader("runcommand\n\x00\x00\x00\x08log\x00-l1\x00getencoding\n\x00\x00\x00\x00abc"))
	name, err := cmdserver.ReadRequest(in)
	if name != "runcommand" || err != nil {
		t.Errorf("request %q, %v", name, err)
	}
	block, err := cmdserver.ReadBlock(in)
	if args := cmdserver.SplitList(block); err != nil || !slices.Equal(args, []string{"log", "-l1", ""}) {
		t.Errorf("arguments %q, %v", args, err)
	}
	if name, _ = cmdserver.ReadRequest(in); name != "getencoding" {
		t.Errorf("request %q", name)
	}
	if block, err = cmdserver.ReadBlock(in); err != nil || cmdserver.SplitList(block) != nil {
		t.Errorf("empty arguments: %q, %v", block, err)
	}
	// Mercurial takes the last byte off also when it is no line feed.
	if name, err = cmdserver.ReadRequest(in); name != "ab" || err != nil {
		t.Errorf("last request %q, %v", name, err)
	}
	if name, err = cmdserver.ReadRequest(in); name != "" || err != nil {
		t.Errorf("end: %q, %v", name, err)
	}
	for _, short := range []string{"", "\x00", "\x00\x00\x00\x05abc"} {
		if _, err := cmdserver.ReadBlock(strings.NewReader(short)); err != io.EOF {
			t.Errorf("%q: %v", short, err)
		}
	}
	if _, err := cmdserver.ReadBlock(strings.NewReader("\xff\xff\xff\xff")); err != cmdserver.ErrTooLarge {
		t.Errorf("4 GB: %v", err)
	}
}

func TestEarlyOptions(t *testing.T) {
	for line, want := range map[string]string{
		"log -r .":                     "",
		"-R a log":                     "repository=a",
		"log -Ra":                      "repository=a",
		"log --repository=a --repo b":  "repository=a repository=b",
		"--cwd=x log --cwd y":          "cwd=x cwd=y",
		"log -- --cwd y":               "",
		"log --cw y":                   "",
		"log -v --config a=b":          "verbose= config=a=b",
		"log --config":                 "",
		"log --verbose=x -R":           "",
		"log -l1 --encoding latin1 -q": "encoding=latin1 quiet=",
	} {
		var got []string
		for _, o := range cmdserver.EarlyOptions(strings.Fields(line), false) {
			got = append(got, o.Name+"="+o.Value)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", line, s, want)
		}
	}
	if o := cmdserver.EarlyOptions([]string{"-R", "a", "log", "-R", "b"}, true); len(o) != 1 || o[0].Value != "a" {
		t.Errorf("strict: %+v", o)
	}
}

func TestParseServe(t *testing.T) {
	for line, want := range map[string]*cmdserver.Serve{
		"serve --cmdserver pipe":                                                       {Mode: "pipe"},
		"--config a.b=c serve -R x --cmdserver=pipe --cwd y":                           {Mode: "pipe", Repository: "x", Cwd: "y", Config: []string{"a.b=c"}},
		"serve --cmdserver pipe -Rx -y --encoding e":                                   {Mode: "pipe", Repository: "x", Encoding: "e", Config: []string{"ui.interactive=off"}},
		"serve --cmdserver unix -a s":                                                  {Mode: "unix", Address: "s"},
		"serve --no-profile --cmdserver chgunix --address s --daemon-postexec chdir:/": {Mode: "chgunix", Address: "s", PostExec: []string{"chdir:/"}},
		"serve --cmdserver pipe -v":                                                    {Mode: "pipe", Config: []string{"ui.verbose=True", "ui.debug=False", "ui.quiet=False"}},
		"serve --cmdserver pip":                                                        nil,
		"serve --cmds pipe":                                                            nil,
		"serve --cmdserver":                                                            nil,
		"serve --cmdserver unix":                                                       nil,
		"serve --cmdserver pipe --hidden":                                              nil,
		"serve --cmdserver pipe -qR x":                                                 nil,
		"serve --cmdserver pipe more":                                                  nil,
		"--cmdserver pipe":                                                             nil,
		"log serve --cmdserver pipe":                                                   nil,
		"serve --cmdserver pipe --verbose=1":                                           nil,
	} {
		got, ok := cmdserver.ParseServe(strings.Fields(line))
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", line, got, ok)
		}
	}
}

func FuzzWire(f *testing.F) {
	f.Add([]byte("runcommand\n\x00\x00\x00\x08log\x00-l1\x00"))
	f.Add([]byte("o\x00\x00\x00\x02ab"))
	f.Add([]byte("I\x00\x00\x10\x00"))
	f.Add([]byte("capabilities: a b\nencoding: x\npid: 1\npgid: -2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bufio.NewReader(bytes.NewReader(b))
		if _, err := cmdserver.ReadRequest(in); err != nil {
			t.Fatal(err)
		}
		if block, err := cmdserver.ReadBlock(in); err == nil {
			if list := cmdserver.SplitList(block); len(list) > 0 && strings.Join(list, "\x00") != string(block) {
				t.Fatalf("%q: %q", block, list)
			}
		}
		if h, err := cmdserver.ReadHead(bytes.NewReader(b)); err == nil {
			if back := cmdserver.AppendHead(nil, h.Channel, h.Size); !bytes.Equal(back, b[:cmdserver.HeadSize]) || h.Size != int(binary.BigEndian.Uint32(b[1:])) {
				t.Fatalf("%q: %+v", b, h)
			}
		}
		if g, err := cmdserver.DecodeGreeting(b); err == nil {
			// What was understood is what is said again.
			if again, err := cmdserver.DecodeGreeting(g.Encode()); err != nil || !reflect.DeepEqual(g, again) {
				t.Fatalf("%q: %+v, again %+v, %v", b, g, again, err)
			}
		}
		args := cmdserver.SplitList(b)
		for _, o := range cmdserver.EarlyOptions(args, false) {
			if o.At < 0 || o.Words < 1 || o.At+o.Words > len(args) {
				t.Fatalf("%q: %+v", args, o)
			}
		}
		cmdserver.ParseServe(args)
	})
}
