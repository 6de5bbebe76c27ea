// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline

import (
	"errors"
	"slices"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
)

// GlobalOptions is the table of options that every command takes (`hg help -v`).
// encoding and mode are the local encoding and its error mode, which are the
// defaults of --encoding and --encodingmode.
func GlobalOptions(v config.Version, encoding, mode string) []Option {
	opts := []Option{
		Text("R", "repository", ""),
		Text("", "cwd", ""),
		Flag("y", "noninteractive"),
		Flag("q", "quiet"),
		Flag("v", "verbose"),
		Text("", "color", ""),
		Words("", "config"),
		Words("", "config-file"),
		Flag("", "debug"),
		Flag("", "debugger"),
		Text("", "encoding", encoding),
		Text("", "encodingmode", mode),
		Flag("", "traceback"),
		Flag("", "time"),
		Flag("", "profile"),
		Flag("", "version"),
		Flag("h", "help"),
		Flag("", "hidden"),
		Text("", "pager", "auto"),
	}
	if !v.AtLeast(7, 0) {
		opts = slices.DeleteFunc(opts, func(o Option) bool { return o.Long == "config-file" })
	}
	return opts
}

// earlyAliases are spellings that only the early pass knows: later "--repo" is
// an abbreviation like any other.
var earlyAliases = map[string]string{"repo": "repository"}

// Early is what the early pass over a command line looks for.
type Early struct{ set *Set }

// NewEarly prepares global options for the early pass.
func NewEarly(global []Option) *Early { return &Early{newSet(nil, global, earlyAliases)} }

// Parse picks the global options out of a whole command line, before the
// configuration is known: complete names only, everything unknown is passed
// over, and nothing is an error. strict (config.Plain("strictflags")) stops at
// the first word that is no global option. laid are defaults that come before
// the options' own.
func (e *Early) Parse(args []string, strict bool, laid Values) Values {
	p := &parser{names: e.set, values: e.set.values(args, laid)}
	p.found, _ = e.set.early(args, strict, false)
	for _, o := range e.set.opts {
		if o.Kind == Int { // an Int could be an error, and no global option is one
			return p.values
		}
	}
	values, _, err := p.finish(nil)
	if err != nil {
		return p.values
	}
	return values
}

// SplitEarly separates the options that hg reads before an alias is expanded
// (-R, --cwd, --repository, --repo, --config, --config-file) from the other
// words, which keep "--". spelled are those options as they were written.
func SplitEarly(args []string, v config.Version) (spelled, rest []string) {
	opts := []Option{Text("R", "repository", ""), Text("", "cwd", ""), Words("", "config")}
	if v.AtLeast(7, 0) {
		opts = append(opts, Words("", "config-file"))
	}
	found, rest := newSet(nil, opts, earlyAliases).early(args, false, true)
	for _, o := range found {
		spelled = append(spelled, o.spelling)
	}
	return spelled, rest
}

// early finds complete option names among args. Words that are none, and
// options with a value that take none, count as arguments; an option whose
// value is missing at the end stops the search. split asks for the other words,
// which keep "--".
func (n *Set) early(args []string, strict, split bool) (found []occurrence, rest []string) {
	i := 0
	for i < len(args) && args[i] != "--" {
		arg := args[i]
		o, hasValue, ok := n.earlyOption(arg)
		takes := ok && n.opts[o.opt].Kind != Bool
		if takes && !hasValue && i+1 == len(args) {
			break
		}
		if !ok || hasValue && !takes {
			if strict {
				break
			}
			if split {
				rest = append(rest, arg)
			}
			i++
			continue
		}
		i++
		if takes && !hasValue {
			o.value = args[i]
			i++
		}
		found = append(found, o)
	}
	if split {
		rest = append(rest, args[i:]...)
	}
	return found, rest
}

// earlyOption looks one word up.
func (n *Set) earlyOption(arg string) (o occurrence, hasValue, ok bool) {
	if strings.HasPrefix(arg, "--") {
		name, value, hasValue := strings.Cut(arg[2:], "=")
		for _, l := range n.long {
			if l.name == name {
				return occurrence{l.opt, "--" + name, value, l.negated}, hasValue, true
			}
		}
		return o, false, false
	}
	if len(arg) > 1 && arg[0] == '-' && arg[1] != ':' {
		if i, known := n.short[arg[1]]; known {
			return occurrence{opt: i, spelling: arg[:2], value: arg[2:]}, len(arg) > 2, true
		}
	}
	return o, false, false
}

// CheckEarly compares the options as the full parse found them with the early
// pass. hg refuses a line where they differ, since it acted on the early ones.
func CheckEarly(full, early Values) error {
	refuse := func(message string) error { return hgerr.Abortf(hgerr.Input, "%s", message) }
	if !slices.Equal(full.List("config"), early.List("config")) {
		return refuse("option --config may not be abbreviated")
	}
	if !slices.Equal(full.List("config-file"), early.List("config-file")) {
		return refuse("option --config-file may not be abbreviated")
	}
	if full.Text("cwd") != early.Text("cwd") {
		return refuse("option --cwd may not be abbreviated")
	}
	if full.Text("repository") != early.Text("repository") {
		return refuse("option -R has to be separated from other options (e.g. not -qR) " +
			"and --repository may only be abbreviated as --repo")
	}
	if full.On("debugger") != early.On("debugger") {
		return refuse("option --debugger may not be abbreviated")
	}
	return nil
}

// AbbreviatedConfig replaces the error for an ambiguous abbreviation of
// --config by the one that hg prints instead since it has --config-file.
func AbbreviatedConfig(err error, v config.Version) error {
	var usage *UsageError
	if !v.AtLeast(7, 0) || !errors.As(err, &usage) || usage.Option == "" || !strings.HasPrefix("config", usage.Option) {
		return err
	}
	count := 0
	for _, o := range GlobalOptions(v, "", "") {
		if strings.HasPrefix(o.Long, usage.Option) {
			count++
		}
	}
	if count == 1 {
		return err
	}
	return hgerr.Abortf(hgerr.Input, "option --config may not be abbreviated")
}
