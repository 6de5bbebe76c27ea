// SPDX-License-Identifier: GPL-2.0-or-later

// Package color puts Mercurial's labels on text: the escape sequences of ECMA-48
// ("ansi") that `hg --color=always` prints. Which effects a label has comes
// from the [color] section over hg's defaults (`hg help color`).
//
// hg labels each piece of text that it writes by itself, and each line of it
// again; so does Label. Callers hand over the pieces that hg writes, with the
// labels that it gives them. A nil *Palette prints no colors, and is what most
// commands have.
//
// The mode "terminfo", which asks a database of terminals, "debug", which prints
// the labels themselves, and effects that hg would warn of are Unsupported.
package color

import (
	"slices"
	"strings"
	"sync"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
)

// Palette knows the effects of labels. It belongs to one goroutine.
type Palette struct {
	styles map[string]string // label: effects, separated by blanks
	starts map[string]string // label: the sequence that begins it, "" for none
}

const (
	escape = "\x1b["
	stop   = escape + "0m"
)

// effects are the parameters of SGR, the sequence that selects how text looks.
var effects = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"none": "0", "bold": "1", "dim": "2", "italic": "3", "underline": "4", "inverse": "7",
		"black": "30", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36", "white": "37",
		"black_background": "40", "red_background": "41", "green_background": "42", "yellow_background": "43",
		"blue_background": "44", "purple_background": "45", "cyan_background": "46", "white_background": "47",
	}
})

// New returns the palette that a configuration asks for when the output is no
// terminal: nil unless it insists on colors. option is what --color says, "" if
// it was not given.
func New(cfg *config.Config, option string) (*Palette, error) {
	if cfg.Plain("color") {
		return nil, nil
	}
	setting := cfg.GetOr("ui", "color", "auto")
	if option != "" {
		setting = option
	}
	if setting == "debug" {
		return nil, hgerr.NewUnsupported("ui.color=debug")
	}
	// A boolean in the configuration means "auto", on the command line "always".
	if setting != "always" && (option == "" || !isTrue(setting)) {
		if mode := cfg.GetOr("color", "mode", "auto"); mode == "terminfo" && (setting == "auto" || isTrue(setting)) {
			return nil, hgerr.NewUnsupported("color.mode=terminfo")
		}
		return nil, nil
	}
	switch mode := cfg.GetOr("color", "mode", "auto"); mode {
	case "auto", "ansi":
	case "terminfo", "win32":
		return nil, hgerr.NewUnsupported("color.mode=%s", mode)
	default:
		return nil, nil
	}
	p := &Palette{styles: map[string]string{}, starts: map[string]string{}}
	for label, style := range defaults() {
		p.styles[label] = style
	}
	for name := range cfg.Extensions() {
		for label, style := range extensionDefaults()[strings.TrimPrefix(name, "hgext.")] {
			p.styles[label] = style
		}
	}
	for _, it := range cfg.Items("color") {
		if !strings.Contains(it.Name, ".") || strings.HasPrefix(it.Name, "color.") || strings.HasPrefix(it.Name, "terminfo.") {
			continue
		}
		list := cfg.List("color", it.Name)
		if len(list) > 0 && slices.Contains(messages, it.Name) {
			return nil, hgerr.NewUnsupported("color.%s", it.Name)
		}
		for _, effect := range list {
			if _, ok := effects()[effect]; !ok {
				return nil, hgerr.NewUnsupported("effect %q in color.%s, which hg warns of", effect, it.Name)
			}
		}
		if len(list) > 0 {
			p.styles[it.Name] = strings.Join(list, " ")
		}
	}
	return p, nil
}

// messages are the labels of what is no output but a remark. By default they
// look like any text, and nothing here puts them on.
var messages = []string{"ui.status", "ui.warning", "ui.note", "ui.debug"}

// isTrue tells which words mean yes.
func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on", "always":
		return true
	}
	return false
}

// Styled tells whether text under a label looks different at all.
func (p *Palette) Styled(label string) bool { return p != nil && p.start(label) != "" }

// start is the sequence that begins text under labels, "" when it looks like any.
func (p *Palette) start(labels string) string {
	if s, ok := p.starts[labels]; ok {
		return s
	}
	var params []string
	for _, label := range strings.Fields(labels) {
		style := p.styles[label]
		if _, ok := effects()[label]; style == "" && ok {
			style = label
		}
		for _, effect := range strings.Fields(style) {
			params = append(params, effects()[effect])
		}
	}
	s := ""
	if len(params) > 0 {
		s = escape + "0;" + strings.Join(params, ";") + "m"
	}
	if len(p.starts) < maxStarts {
		p.starts[labels] = s
	}
	return s
}

// maxStarts bounds what is remembered of labels, which templates may invent.
const maxStarts = 1000

// Label returns a piece of text under labels, which blanks separate. Text that
// has effects already keeps them inside.
func (p *Palette) Label(labels, text string) string {
	if p == nil || labels == "" || text == "" {
		return text
	}
	start := p.start(labels)
	if start == "" {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(start) + len(stop))
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		// Where an inner label ends, the outer one begins anew.
		for part := range strings.SplitSeq(line, stop) {
			if part != "" {
				b.WriteString(start)
				b.WriteString(part)
				b.WriteString(stop)
			}
		}
	}
	return b.String()
}
