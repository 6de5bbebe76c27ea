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
// to the command's name, then everything. find resolves the name; options
// returns the table of a command and extra words to put in front of its
// arguments ([defaults], the definition of an alias). An error of the second
// pass is a *UsageError with the command's name.
func ParseLine(args []string, global []Option, find func(name string) (Command, error),
	options func(c Command, args []string) ([]Option, []string, error)) (Line, error) {
	values, rest, err := Parse(args, global, OptionsFirst)
	if err != nil {
		return Line{}, err
	}
	line := Line{Global: values, Args: rest}
	var own []Option
	if len(rest) > 0 {
		line.HasCommand = true
		if line.Command, err = find(rest[0]); err != nil {
			return line, err
		}
		if own, rest, err = options(line.Command, rest[1:]); err != nil {
			return line, err
		}
	}
	// The global options are read again together with the command's, with
	// what was found so far as their defaults.
	all := append([]Option{}, own...)
	for _, o := range global {
		o.Default = values[o.Long]
		all = append(all, o)
	}
	found, rest, err := Parse(rest, all, Mixed)
	if err != nil {
		var usage *UsageError
		if errors.As(err, &usage) {
			usage.Command = line.Command.Name
		}
		return line, err
	}
	line.Args = rest
	line.Options = Values{}
	for _, o := range own {
		line.Options[o.Long] = found[o.Long]
	}
	for _, o := range global {
		v := found[o.Long]
		v.Given = v.Given || values[o.Long].Given
		line.Global[o.Long] = v
	}
	return line, nil
}
