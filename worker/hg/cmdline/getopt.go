// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// UsageError is a command line that does not fit the command. hg prints
// "hg COMMAND: Message" and help for the command, or, without a command,
// "hg: Message" and one line about `hg help -v`.
type UsageError struct {
	Command string // canonical name; "" while no command is known
	Message string
	// Option is the option as it was written, without dashes.
	Option string
}

func (e *UsageError) Error() string {
	if e.Command == "" {
		return "hg: " + e.Message
	}
	return "hg " + e.Command + ": " + e.Message
}

// Abort returns what hg ends with when there is no command to print help for:
// two lines on stderr, and a detailed exit code of 10. It reports false when
// hg goes on to print help.
func (e *UsageError) Abort() (*hgerr.Abort, bool) {
	if e.Command != "" {
		return nil, false
	}
	a := hgerr.Abortf(hgerr.Input, "%s\n(use 'hg help -v' for a list of global options)", e.Message)
	a.Prefix = "hg: "
	return a, true
}

// Mode tells how options and arguments may be mixed.
type Mode int

// The modes of Parse.
const (
	// OptionsFirst stops at the first argument that is no option: how hg
	// finds the command's name.
	OptionsFirst Mode = iota
	// Mixed takes options anywhere up to "--": how hg reads a command.
	Mixed
)

// neverNegated are the Bool options without a "--no-" form.
var neverNegated = []string{"noninteractive", "help", "version"}

// Set is a list of options in the form in which words are looked up. It is
// immutable; making one costs more than reading a command line with it, so
// whoever reads many keeps it.
type Set struct {
	opts     []Option
	own      int // opts[:own] are a command's, the rest are global
	long     []longName
	short    map[byte]int
	defaults []Option // those that have one
}

// longName is one spelling of a long option.
type longName struct {
	name    string
	opt     int
	negated bool
}

// NewSet prepares options: those of a command, which come first in every
// question, and the global ones.
func NewSet(own, global []Option) *Set { return newSet(own, global, nil) }

// newSet is NewSet with further spellings of long options.
func newSet(own, global []Option, alias map[string]string) *Set {
	opts := append(slices.Clone(own), global...)
	n := &Set{opts: opts, own: len(own), short: map[byte]int{}}
	for i, o := range opts {
		spellings := []string{o.Long}
		for spelling, long := range alias {
			if long == o.Long {
				spellings = append(spellings, spelling)
			}
		}
		if o.Kind == Bool && !slices.Contains(neverNegated, o.Long) {
			for _, s := range spellings {
				negated, ok := strings.CutPrefix(s, "no-")
				if !ok {
					negated = "no-" + s
				}
				if !slices.ContainsFunc(opts, func(o Option) bool { return o.Long == negated }) {
					n.long = append(n.long, longName{negated, i, true})
				}
			}
		}
		for _, s := range spellings {
			n.long = append(n.long, longName{name: s, opt: i})
		}
		if o.Short != "" {
			if _, taken := n.short[o.Short[0]]; !taken {
				n.short[o.Short[0]] = i
			}
		}
		if o.Default.set() && (i >= len(own) || !has(global, o.Long)) {
			n.defaults = append(n.defaults, o)
		}
	}
	return n
}

// has tells whether opts has an option of that name.
func has(opts []Option, long string) bool {
	return slices.ContainsFunc(opts, func(o Option) bool { return o.Long == long })
}

// values starts with what counts without a word on the command line: the set's
// own defaults, and before them what laid says. There is room for what args have.
func (n *Set) values(args []string, laid Values) Values {
	room := len(n.defaults) + len(laid)
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			room++
		}
	}
	v := make(Values, 0, room)
	for i := range n.defaults {
		o := &n.defaults[i]
		d := Named{o.Long, o.Default}
		d.List = slices.Clone(d.List)
		d.Given = false
		v = append(v, d)
	}
	for i := range laid {
		d := v.at(laid[i].Name)
		*d = laid[i].Value
		d.List = slices.Clip(d.List)
		d.Given = false
	}
	return v
}

// Parse reads the options among args as Python's getopt does for hg: long
// names may be cut to a unique beginning, short ones joined ("-mardl1"), a
// value may follow in the same word or the next, and "--" ends the options.
// laid are defaults that come before the set's own. It returns the arguments
// that are left. Errors: *UsageError without a Command, or an Abort for a value
// that is no integer.
func (n *Set) Parse(args []string, mode Mode, laid Values) (Values, []string, error) {
	p := &parser{names: n, values: n.values(args, laid), args: args}
	rest := []string{}
	for len(p.args) > 0 {
		arg := p.args[0]
		switch {
		case arg == "--":
			return p.finish(append(rest, p.args[1:]...))
		case strings.HasPrefix(arg, "--"):
			p.args = p.args[1:]
			if err := p.longOption(arg[2:]); err != nil {
				return nil, nil, err
			}
		case len(arg) > 1 && arg[0] == '-':
			p.args = p.args[1:]
			if err := p.shortOptions(arg[1:]); err != nil {
				return nil, nil, err
			}
		case mode == OptionsFirst:
			return p.finish(append(rest, p.args...))
		default:
			rest = append(rest, arg)
			p.args = p.args[1:]
		}
	}
	return p.finish(rest)
}

// occurrence is one option as it was found.
type occurrence struct {
	opt      int
	spelling string // with dashes, complete, for messages
	value    string
	negated  bool
}

type parser struct {
	names  *Set
	values Values
	args   []string // what follows the word being read
	found  []occurrence
}

func usage(option, format string) error {
	return &UsageError{Option: option, Message: strings.ReplaceAll(format, "%s", latin1(option))}
}

// latin1 is how a message shows bytes that are not ASCII: hg decodes arguments
// as ISO-8859-1 for getopt and encodes the message as UTF-8.
func latin1(s string) string {
	r := make([]rune, 0, len(s))
	for i := 0; i < len(s); i++ {
		r = append(r, rune(s[i]))
	}
	return string(r)
}

// find looks a long option up: an exact name, or the only one that starts so.
func (n *Set) find(word string) (longName, error) {
	var only longName
	count := 0
	for _, l := range n.long {
		if l.name == word {
			return l, nil
		}
		if strings.HasPrefix(l.name, word) {
			only = l
			count++
		}
	}
	switch count {
	case 0:
		return only, usage(word, "option --%s not recognized")
	case 1:
		return only, nil
	}
	return only, usage(word, "option --%s not a unique prefix")
}

func (p *parser) longOption(word string) error {
	word, value, hasValue := strings.Cut(word, "=")
	l, err := p.names.find(word)
	if err != nil {
		return err
	}
	if p.names.opts[l.opt].Kind == Bool {
		if hasValue {
			return usage(l.name, "option --%s must not have an argument")
		}
	} else if !hasValue {
		if len(p.args) == 0 {
			return usage(l.name, "option --%s requires argument")
		}
		value, p.args = p.args[0], p.args[1:]
	}
	p.found = append(p.found, occurrence{l.opt, "--" + l.name, value, l.negated})
	return nil
}

func (p *parser) shortOptions(word string) error {
	for word != "" {
		letter := word[:1]
		word = word[1:]
		i, ok := p.names.short[letter[0]]
		if !ok || letter == ":" {
			return usage(letter, "option -%s not recognized")
		}
		o := occurrence{opt: i, spelling: "-" + letter}
		if p.names.opts[i].Kind != Bool {
			if word == "" {
				if len(p.args) == 0 {
					return usage(letter, "option -%s requires argument")
				}
				word, p.args = p.args[0], p.args[1:]
			}
			o.value, word = word, ""
		}
		p.found = append(p.found, o)
	}
	return nil
}

// finish turns what was found into values. hg does this after it has seen the
// whole line, so that a bad option name is reported before a bad value.
func (p *parser) finish(rest []string) (Values, []string, error) {
	for i := range p.found {
		o := &p.found[i]
		opt := &p.names.opts[o.opt]
		v := p.values.at(opt.Long)
		v.Given = true
		switch opt.Kind {
		case Bool:
			v.On = !o.negated
		case String:
			v.Text = o.value
		case List:
			v.List = append(v.List, o.value)
		case Int:
			n, err := python.Int(o.value)
			if err == python.ErrRange {
				return nil, nil, hgerr.NewUnsupported("option %s %s", o.spelling, o.value)
			}
			if err != nil {
				return nil, nil, hgerr.Abortf(hgerr.Input, "invalid value %s for option %s, expected int",
					python.Repr(o.value), o.spelling)
			}
			v.Int = n
		}
	}
	return p.values, rest, nil
}
