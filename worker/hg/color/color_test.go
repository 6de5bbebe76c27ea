// SPDX-License-Identifier: GPL-2.0-or-later

package color

import (
	"regexp"
	"strings"
	"testing"

	"hgbroker/worker/hg/config"
)

var sequences = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// palette is what `--color=always` gives beside settings.
func palette(t testing.TB, option string, settings ...string) (*Palette, error) {
	t.Helper()
	cfg, err := config.Load(config.Sources{Getenv: func(name string) (string, bool) { return "", name == "HGRCPATH" }})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.AddOverrides(settings); err != nil {
		t.Fatal(err)
	}
	return New(cfg, option)
}

// TestEffects checks each default style: the sequences are hg's, which
// TestStatusForms of package command compares.
func TestEffects(t *testing.T) {
	p, err := palette(t, "always")
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	for label, style := range defaults() {
		for effect := range strings.FieldsSeq(style) {
			if effects()[effect] == "" {
				t.Errorf("%s: effect %q is not known", label, effect)
			}
		}
		text := "a\n\nb" + stop + "c"
		if got := p.Label(label, text); !p.Styled(label) || sequences.ReplaceAllString(got, "") != "a\n\nbc" {
			t.Errorf("%s: %q", label, got)
		}
	}
	if got := p.Label("nosuch.label", "text"); got != "text" {
		t.Errorf("a label without a style: %q", got)
	}
	var none *Palette
	if got := none.Label("status.modified", "text"); got != "text" || none.Styled("status.modified") {
		t.Errorf("no palette: %q", got)
	}
}

// TestModes tells which settings ask for colors, for none, and for the real hg.
func TestModes(t *testing.T) {
	for _, c := range []struct {
		option   string
		settings []string
		want     string // "on", "off" or "hg"
	}{
		{"", nil, "off"}, {"", []string{"ui.color=always"}, "on"}, {"", []string{"ui.color=yes"}, "off"}, {"yes", nil, "on"},
		{"auto", []string{"ui.color=always"}, "off"}, {"never", nil, "off"}, {"debug", nil, "hg"}, {"always", []string{"color.mode=terminfo"}, "hg"},
		{"always", []string{"color.mode=ansi"}, "on"}, {"always", []string{"color.mode=none"}, "off"}, {"always", []string{"color.a.b=nosuch"}, "hg"},
		{"always", []string{"color.ui.warning=red"}, "hg"}, {"always", []string{"color.ui.warning="}, "on"},
	} {
		p, err := palette(t, c.option, c.settings...)
		got := "off"
		if p != nil {
			got = "on"
		}
		if err != nil {
			got = "hg"
		}
		if got != c.want {
			t.Errorf("--color=%q with %q: %s (%v), not %s", c.option, c.settings, got, err, c.want)
		}
	}
}
