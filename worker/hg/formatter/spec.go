// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"io"
	"path"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/template"
)

// Config is what a command's user has settled about output.
type Config struct {
	Options template.Options
	// Templates is the [templates] section and Aliases the [templatealias]
	// section: name and value as written, in the order of the configuration.
	Templates []template.Extra
	Aliases   []template.Extra
	// LogTemplate is command-templates.log, Style is ui.style.
	LogTemplate string
	Style       string
	// FormatDebug and FormatJSON are ui.formatdebug and ui.formatjson.
	FormatDebug, FormatJSON bool
	// SummaryTemplate is command-templates.oneline-summary, DefaultSummary when
	// empty.
	SummaryTemplate string
	// IsFile tells whether a path names a file, ReadFile reads one; both take
	// paths relative to the command's directory, too. Without them, everything
	// that could be a path is left to the real hg.
	IsFile   func(path string) bool
	ReadFile func(path string) ([]byte, error)
	// StockDir is the folder of the template files that hg brings, "" when it is
	// not known.
	StockDir func() string
	// RealPath resolves a path's symbolic links.
	RealPath func(path string) string
}

// Spec is what -T or the configuration chose.
type Spec struct {
	// Ref is the template's name: a built-in format, a name in [templates], the
	// topic of a style; empty for a literal.
	Ref string
	// Args are the arguments of json(...) and cbor(...).
	Args    string
	HasArgs bool
	// Text is a literal template.
	Text string
	// Style names one of the styles of styles.go, or a map file.
	Style string
	style *style // nil without Style
}

// Empty tells whether nothing was chosen: the command's own plain text.
func (s Spec) Empty() bool { return s.Ref == "" && s.Text == "" && s.Style == "" }

// Format tells whether the spec is a machine format: json or cbor.
func (s Spec) Format() bool { return s.Style == "" && (s.Ref == "json" || s.Ref == "cbor") }

// StyleNames lists the styles as hg does in its messages.
func StyleNames() string {
	var names []string
	for name := range styles() {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// Lookup decides what -T arg means for the items of a command (its topic). What
// `-T list` prints goes to out.
func Lookup(cfg *Config, topic, arg string, out io.Writer) (Spec, error) {
	if arg == "" {
		return Spec{}, nil
	}
	if strings.Contains(arg, "{") {
		return Spec{Text: arg}, nil
	}
	switch arg {
	case "cbor", "json", "debug":
		return Spec{Ref: arg}, nil
	case "pickle":
		return Spec{}, hgerr.NewUnsupported("-T pickle")
	}
	if name, args, ok := strings.Cut(arg, "("); ok && (name == "json" || name == "cbor") && strings.HasSuffix(args, ")") {
		if err := template.CheckExpression(arg); err != nil {
			return Spec{}, err
		}
		return Spec{Ref: name, Args: args[:len(args)-1], HasArgs: true}, nil
	}
	if st, err := namedStyle(cfg, arg); st != nil || err != nil {
		return Spec{Ref: topic, Style: arg, style: st}, err
	}
	for _, t := range cfg.Templates {
		if t.Key == arg && t.Value != "" {
			return Spec{Ref: arg}, nil
		}
	}
	if arg == "list" {
		if _, err := io.WriteString(out, "available styles: "+StyleNames()+"\n"); err != nil {
			return Spec{}, err
		}
		return Spec{}, hgerr.Abortf(hgerr.Other, "specify a template")
	}
	if strings.ContainsAny(arg, `/\`) && (cfg.IsFile == nil || cfg.IsFile(arg)) {
		return fileSpec(cfg, topic, arg)
	}
	return Spec{Text: arg}, nil
}

// namedStyle is a style that is given by name alone, which a map file of that
// name in the command's directory takes the place of; nil when there is none.
func namedStyle(cfg *Config, name string) (*style, error) {
	if strings.Contains(name, "/") {
		return nil, nil
	}
	if file := "map-cmdline." + name; cfg.IsFile == nil || cfg.IsFile(file) {
		return readMap(cfg, file)
	}
	return styles()[name], nil
}

// fileSpec is a template in a file, or a map file.
func fileSpec(cfg *Config, topic, name string) (Spec, error) {
	if strings.HasPrefix(path.Base(name), "map-") {
		if cfg.RealPath == nil {
			return Spec{}, hgerr.NewUnsupported("style file %s", name)
		}
		st, err := readMap(cfg, cfg.RealPath(name))
		return Spec{Ref: topic, Style: name, style: st}, err
	}
	if cfg.ReadFile == nil {
		return Spec{}, hgerr.NewUnsupported("template file %s", name)
	}
	text, err := cfg.ReadFile(name)
	if err != nil {
		return Spec{}, hgerr.NewUnsupported("template file %s: %v", name, err)
	}
	return Spec{Text: string(text)}, nil
}

// LookupChangeset decides what prints changesets: -T, then --style, then the
// configuration, then hg's own layout (an empty Spec).
func LookupChangeset(cfg *Config, arg, style string, out io.Writer) (Spec, error) {
	if arg == "" && style == "" {
		if cfg.LogTemplate != "" {
			return Spec{Text: unquote(cfg.LogTemplate)}, nil
		}
		style = cfg.Style
		if strings.ContainsAny(style, "~$") {
			return Spec{}, hgerr.NewUnsupported("style file %s", style)
		}
	}
	if arg == "" && style != "" {
		st, err := namedStyle(cfg, style)
		if st == nil && err == nil {
			st, err = readMap(cfg, style)
		}
		return Spec{Ref: "changeset", Style: style, style: st}, err
	}
	return Lookup(cfg, "changeset", arg, out)
}

// parts are the compiled pieces of a spec: the item itself, and what stands
// around and between items.
type parts struct {
	item                                            *template.Template
	docheader, docfooter, separator, header, footer *template.Template
}

// newEngine makes the engine of a spec, with the fragments and aliases that it
// may refer to: a style's own, or else the user's.
func newEngine(cfg *Config, spec Spec, resident bool) *template.Engine {
	opts := cfg.Options
	opts.RepoResident = resident
	opts.Summary = func() (*template.Template, error) { return summary(cfg) }
	e := template.New(opts)
	if spec.Style != "" {
		st := spec.style
		for _, f := range st.fragments {
			e.Define(f.Key, f.Value)
		}
		for _, a := range st.aliases {
			e.Alias(a.Key, a.Value)
		}
		return e
	}
	for _, t := range cfg.Templates {
		e.Define(t.Key, unquote(t.Value))
	}
	for _, a := range cfg.Aliases {
		e.Alias(a.Key, a.Value)
	}
	return e
}

// summary compiles the template of {onelinesummary}, which sees the user's
// fragments and aliases even in a style.
func summary(cfg *Config) (*template.Template, error) {
	opts := cfg.Options
	opts.RepoResident = true
	opts.Summary = func() (*template.Template, error) {
		return nil, hgerr.NewUnsupported("command-templates.oneline-summary within itself")
	}
	e := template.NewBare(opts)
	for _, t := range cfg.Templates {
		e.Define(t.Key, unquote(t.Value))
	}
	for _, a := range cfg.Aliases {
		e.Alias(a.Key, a.Value)
	}
	text := cfg.SummaryTemplate
	if text == "" {
		text = template.DefaultSummary
	}
	return e.Literal(text)
}

// compileParts compiles a spec. name says under which name a part stands; it
// returns "" for none.
func compileParts(e *template.Engine, spec Spec, name func(part string) string) (*parts, error) {
	p := &parts{}
	for _, part := range []struct {
		name string
		to   **template.Template
	}{
		{"docheader", &p.docheader}, {"docfooter", &p.docfooter}, {"separator", &p.separator},
		{"header", &p.header}, {"footer", &p.footer},
	} {
		n := name(part.name)
		if n == "" {
			continue
		}
		t, ok, err := e.Named(n)
		if err != nil {
			return nil, err
		}
		if ok {
			*part.to = t
		}
	}
	var err error
	if spec.Ref == "" {
		p.item, err = e.Literal(spec.Text)
		return p, err
	}
	ref := name("")
	t, ok, err := e.Named(ref)
	if err == nil && ok {
		p.item = t
	}
	return p, err
}

// errNoTemplate is how hg fails when a style says nothing about a topic.
func errNoTemplate(ref string) error {
	return hgerr.Abortf(hgerr.Other, `"%s" not in template map`, ref)
}
