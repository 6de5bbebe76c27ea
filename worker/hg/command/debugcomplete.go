// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	_ "embed"
	"os"
	"path"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dirstate"
)

// What shells complete: commands and options, and tracked paths.

var debugcompleteSpec = Spec{
	Name:    "debugcomplete",
	Options: func() []Option { return native(cmdline.Flag("o", "options")) },
	Run:     runDebugcomplete,
}

// completionsText lists the options that hg completes: all but those that it
// calls deprecated, in its own order. A line has three fields separated by tabs:
//
//	command   canonical name, "" for the global options
//	release   "*" all, "6" up to 6.x, "7" from 7.0 on
//	options   separated by blanks, each "s|long" or "long"
//
//go:embed completions.txt
var completionsText string

// runDebugcomplete lists commands that begin like its argument, those for
// debugging only when there are no others; or options.
func runDebugcomplete(c *Context) (int, error) {
	word := ""
	switch len(c.Args) {
	case 0:
	case 1:
		word = c.Args[0]
	default:
		return 0, unsupported("usage error: debugcomplete")
	}
	if len(c.Config.Extensions()) > 0 {
		return 0, unsupported("debugcomplete with extensions")
	}
	if c.Opts.On("options") {
		return 0, c.completeOptions(word)
	}
	keys := map[string][]string{}
	for _, k := range cmdline.Commands(c.Config.Version()) {
		keys[strings.Join(k.Names, "|")] = k.Names
	}
	for _, it := range c.Config.Items("alias") {
		if !strings.Contains(it.Name, ":") { // alias.NAME:doc and the like
			keys[it.Name] = []string{it.Name}
		}
	}
	if names, ok := keys[word]; ok {
		keys = map[string][]string{word: names}
	}
	var normal, debug []string
	for _, names := range keys {
		found := word
		if !slices.Contains(names, word) {
			i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, word) })
			if i < 0 {
				continue
			}
			found = names[i]
		}
		text := found
		if c.Verbose {
			text = strings.Join(names, " ")
		}
		if strings.HasPrefix(names[0], "debug") || strings.HasPrefix(found, "debug") {
			debug = append(debug, text)
		} else {
			normal = append(normal, text)
		}
	}
	if len(normal) == 0 {
		normal = debug
	}
	c.Print(strings.Join(sorted(normal), "\n") + "\n")
	return 0, nil
}

// completeOptions lists the global options, and those of a command.
func (c *Context) completeOptions(word string) error {
	name := ""
	if word != "" {
		k, err := cmdline.Lookup(word, c.Config.Version(), nil, false)
		if err != nil {
			return unsupported("debugcomplete of options: %v", err)
		}
		if len(c.Config.Items("alias")) > 0 {
			return unsupported("debugcomplete of options where aliases are")
		}
		name = k.Name
	}
	for _, n := range slices.Compact([]string{"", name}) {
		for _, o := range strings.Fields(c.completions(n)) {
			short, long, ok := strings.Cut(o, "|")
			if !ok {
				long = o
			} else {
				c.Print("-" + short + "\n")
			}
			c.Print("--" + long + "\n")
		}
	}
	return nil
}

// completions finds the options of a command; commands without any have no line.
func (c *Context) completions(name string) string {
	release := "6"
	if c.At72() {
		release = "7"
	}
	for line := range strings.Lines(completionsText) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if fields[0] == name && (fields[1] == "*" || fields[1] == release) {
			return fields[2]
		}
	}
	return ""
}

var debugpathcompleteSpec = Spec{
	Name: "debugpathcomplete",
	Options: func() []Option {
		return native(cmdline.Flag("f", "full"), cmdline.Flag("n", "normal"), cmdline.Flag("a", "added"), cmdline.Flag("r", "removed"))
	},
	Run: runDebugpathcomplete,
}

// runDebugpathcomplete lists the paths that begin like its arguments, up to the
// next slash unless --full.
func runDebugpathcomplete(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	d, err := v.Dirstate()
	if err != nil {
		return 0, err
	}
	states := ""
	for _, o := range []struct{ name, states string }{{"normal", "nm"}, {"added", "a"}, {"removed", "r"}} {
		if c.Opts.On(o.name) {
			states += o.states
		}
	}
	if states == "" {
		states = "nmar"
	}
	specs := c.Args
	if len(specs) == 0 {
		specs = []string{"."}
	}
	found := map[string]bool{}
	for _, spec := range specs {
		if err := c.completePath(d, v.Layout.Root, spec, states, found); err != nil {
			return 0, err
		}
	}
	var lines []string
	for p := range found {
		lines = append(lines, p)
	}
	for i, p := range sorted(lines) {
		lines[i] = v.PathTo(p)
	}
	c.Print(strings.Join(lines, "\n") + "\n")
	return 0, nil
}

// completePath adds the completions of one argument.
func (c *Context) completePath(d *dirstate.Dirstate, root, spec, states string, found map[string]bool) error {
	if !strings.HasPrefix(spec, "/") {
		spec = c.Cwd + "/" + spec
	}
	spec = path.Clean(spec)
	if spec != root && !strings.HasPrefix(spec, root+"/") {
		return nil
	}
	if fi, err := os.Stat(spec); err == nil && fi.IsDir() {
		spec += "/"
	}
	spec = spec[min(len(root)+1, len(spec)):]
	for i := range d.Len() {
		p := d.Path(i)
		if !strings.HasPrefix(p, spec) || strings.IndexByte(states, d.Item(i).State()) < 0 {
			continue
		}
		if !c.Opts.On("full") {
			if at := strings.IndexByte(p[len(spec):], '/'); at >= 0 {
				p = p[:len(spec)+at]
			}
		}
		found[p] = true
	}
	return c.Err()
}
