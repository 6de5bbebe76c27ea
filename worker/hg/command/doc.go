// SPDX-License-Identifier: GPL-2.0-or-later

// Package command is what hg's commands do and print: one file each.
//
// A command is a row of Table: its name, every option that hg has for it with a
// mark on those that are native, and its function. The function gets a Context
// with the parsed command line and asks it for a view of the repository; it
// prints through the Context and returns an exit code. It never decides whether
// something is supported by looking at what it has printed: whatever it cannot do
// as hg does is an *hgerr.Unsupported, and the dispatcher holds output back
// until that can no longer happen.
//
// Option names and the order of output are facts of Mercurial (`hg help COMMAND`);
// the texts that a command prints are Mercurial's interface, too, and stand here
// where they are printed.
package command

import (
	"sync"

	"hgbroker/worker/hg/cmdline"
)

// Option is an option of hg's command, native or not.
type Option struct {
	cmdline.Option
	// Native is false for an option that sends the command to the real hg when
	// it is given.
	Native bool
}

// Spec is one command.
type Spec struct {
	Name string
	// Options makes the list of them, nil when there are none: few processes are
	// asked for more than a handful of commands.
	Options func() []Option
	// Run prints through its Context and returns the exit code. It takes no lock
	// and writes nothing, so that it may run again from the start when the store
	// changed under it and nothing was printed.
	Run func(*Context) (int, error)
}

// native marks options as native.
func native(opts ...cmdline.Option) []Option { return mark(true, opts) }

// others marks options that only the real hg handles.
func others(opts ...cmdline.Option) []Option { return mark(false, opts) }

func mark(isNative bool, opts []cmdline.Option) []Option {
	out := make([]Option, len(opts))
	for i, o := range opts {
		out[i] = Option{Option: o, Native: isNative}
	}
	return out
}

func join(lists ...[]Option) []Option {
	var out []Option
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// Groups of options that several commands share.
func formatterOptions() []Option { return native(cmdline.Text("T", "template", "")) }

func templateOptions() []Option {
	return native(cmdline.Text("", "style", ""), cmdline.Text("T", "template", ""))
}

func walkOptions() []Option {
	return native(cmdline.Words("I", "include"), cmdline.Words("X", "exclude"))
}

func subrepoOptions() []Option { return native(cmdline.Flag("S", "subrepos")) }

// Table lists the native commands by hg's canonical names.
func Table() map[string]*Spec { return table() }

var table = sync.OnceValue(func() map[string]*Spec {
	t := map[string]*Spec{}
	for _, s := range specs() {
		t[s.Name] = s
	}
	return t
})
