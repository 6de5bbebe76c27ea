// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/config"
)

// dialect is how one release of hg reads command lines: its options, made ready
// for looking words up when a command is first asked for.
type dialect struct {
	version  config.Version
	early    *cmdline.Early
	global   *cmdline.Set
	options  []cmdline.Option // the global ones
	commands map[*command.Spec]*commandOptions
}

// commandOptions are the options of one command.
type commandOptions struct {
	set     *cmdline.Set
	lacking []string // those that are not native, by their long names
}

// keptDialects bounds how many releases are remembered.
const keptDialects = 16

// dialect returns the dialect of a release, by the whole number of its version.
func (e *Engine) dialect(number string) *dialect {
	if d := e.dialects[number]; d != nil {
		return d
	}
	d := &dialect{version: release(number), commands: map[*command.Spec]*commandOptions{}}
	d.options = cmdline.GlobalOptions(d.version, "", "")
	d.early, d.global = cmdline.NewEarly(d.options), cmdline.NewSet(nil, d.options)
	if len(e.dialects) >= keptDialects {
		clear(e.dialects)
	}
	e.dialects[number] = d
	return d
}

// of returns the options of a command.
func (d *dialect) of(spec *command.Spec) *commandOptions {
	if c := d.commands[spec]; c != nil {
		return c
	}
	c := &commandOptions{}
	var own []cmdline.Option
	if spec.Options != nil {
		for _, o := range spec.Options() {
			own = append(own, o.Option)
			if !o.Native {
				c.lacking = append(c.lacking, o.Long)
			}
		}
	}
	c.set = cmdline.NewSet(own, d.options)
	d.commands[spec] = c
	return c
}
