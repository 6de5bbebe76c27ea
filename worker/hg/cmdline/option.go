// SPDX-License-Identifier: GPL-2.0-or-later

// Package cmdline reads hg's command line: options in all the forms that hg
// takes them, the early pass over the global options, and the abbreviated
// names of commands.
//
// Errors carry hg's own words. A UsageError is one after which hg prints help
// text; the package has no help texts, so the dispatcher gives those to the
// real hg. The package runs nothing and looks at no environment.
package cmdline

import "slices"

// Kind tells what an option takes.
type Kind int

// The kinds of option.
const (
	// Bool takes nothing; "--no-NAME" turns it off unless the command has an
	// option of that name too.
	Bool Kind = iota
	// String takes a value; the last one counts.
	String
	// List takes a value and may be repeated.
	List
	// Int takes a decimal integer; the last one counts.
	Int
)

// Option describes one option of a command.
type Option struct {
	Short string // one letter, or ""
	Long  string // without dashes
	Kind  Kind
	// Default is the value when the option is not given: what matters of it
	// is the field for Kind.
	Default Value
}

// Flag is a Bool option that is off unless given.
func Flag(short, long string) Option { return Option{Short: short, Long: long} }

// Text is a String option.
func Text(short, long, def string) Option {
	return Option{Short: short, Long: long, Kind: String, Default: Value{Text: def}}
}

// Words is a List option.
func Words(short, long string) Option { return Option{Short: short, Long: long, Kind: List} }

// Number is an Int option.
func Number(short, long string, def int64) Option {
	return Option{Short: short, Long: long, Kind: Int, Default: Value{Int: def}}
}

// Value is what an option got.
type Value struct {
	On    bool     // Bool
	Text  string   // String
	List  []string // List
	Int   int64    // Int
	Given bool     // the command line had the option, in whatever form
}

// Values are the options of one command by long name ("dry-run"). Those that
// are neither given nor have a default are left out: asking for one gives the
// zero value, as it does for an option that the command does not have. There are
// few of them, each name once: a list is searched faster than a map is made.
type Values []Named

// Named is the value of an option.
type Named struct {
	Name string
	Value
}

// Get returns an option's value.
func (v Values) Get(name string) Value {
	for i := range v {
		if v[i].Name == name {
			return v[i].Value
		}
	}
	return Value{}
}

// Set gives an option another value. Copies of v keep what they have.
func (v *Values) Set(name string, value Value) {
	*v = slices.Clone(*v)
	*v.at(name) = value
}

// at is where the value of an option stands, which is added if need be. Copies of
// v may share it.
func (v *Values) at(name string) *Value {
	for i := range *v {
		if (*v)[i].Name == name {
			return &(*v)[i].Value
		}
	}
	*v = append(*v, Named{Name: name})
	return &(*v)[len(*v)-1].Value
}

// On tells whether a Bool option is on.
func (v Values) On(name string) bool { return v.Get(name).On }

// Given tells whether the command line had the option. For a Bool option this
// tells "--no-git" (given, not on) from no word about it.
func (v Values) Given(name string) bool { return v.Get(name).Given }

// Text returns the value of a String option.
func (v Values) Text(name string) string { return v.Get(name).Text }

// List returns the values of a List option.
func (v Values) List(name string) []string { return v.Get(name).List }

// Int returns the value of an Int option.
func (v Values) Int(name string) int64 { return v.Get(name).Int }

// set tells whether the value is another than that of an option nobody gave.
func (v Value) set() bool { return v.On || v.Text != "" || v.List != nil || v.Int != 0 }
