// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline

import "errors"

// Line is a command line cut into its parts.
type Line struct {
	Command Command
	// HasCommand is false for a line of global options only.
	HasCommand bool
	Args       []string // what is left for the command
	Global     Values   // global options, from before and after the command's name
	Options    Values   // the command's own
}

// ParseLine reads a whole command line in hg's two passes: global options up
// to the command's name, then everything. laid are defaults of global options
// beyond their own. find resolves the name; options returns the set of a
// command's options with the same global ones, and its arguments with the words
// that come in front of them ([defaults], the definition of an alias). An error
// of the second pass is a *UsageError with the command's name.
func ParseLine(args []string, global *Set, laid Values, find func(name string) (Command, error),
	options func(c Command, args []string) (*Set, []string, error)) (Line, error) {
	values, rest, err := global.Parse(args, OptionsFirst, laid)
	if err != nil {
		return Line{}, err
	}
	line := Line{Global: values, Args: rest}
	all := global
	if len(rest) > 0 {
		line.HasCommand = true
		if line.Command, err = find(rest[0]); err != nil {
			return line, err
		}
		if all, rest, err = options(line.Command, rest[1:]); err != nil {
			return line, err
		}
	}
	// The global options are read again together with the command's, with
	// what was found so far as their defaults.
	found, rest, err := all.Parse(rest, Mixed, values)
	if err != nil {
		var usage *UsageError
		if errors.As(err, &usage) {
			usage.Command = line.Command.Name
		}
		return line, err
	}
	line.Args = rest
	own, common := all.opts[:all.own], all.opts[all.own:]
	for i := range found {
		v := &found[i]
		if has(own, v.Name) {
			line.Options = append(line.Options, *v)
		}
		if has(common, v.Name) {
			at := line.Global.at(v.Name)
			given := v.Given || at.Given
			*at = v.Value
			at.Given = given
		}
	}
	return line, nil
}
