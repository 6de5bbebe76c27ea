// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"math"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// find returns the value that a source gives to an item or to one of its older
// names, between several that which was read last, and what is registered of it.
func (c *Config) find(section, name string) (best value, found bool, r *registeredItem) {
	l := c.view()
	best, found = l.get(section, name)
	if r = c.registered(section, name); r != nil {
		for _, alias := range r.aliases {
			if v, ok := l.get(alias.section, alias.name); ok && (!found || v.level > best.level) {
				best, found = v, true
			}
		}
	}
	return best, found, r
}

// Get returns an item as text: what a source set, else the registered default
// (a boolean as "True" or "False"). It reports false when there is neither, or
// when the default depends on other things (Mercurial's dynamic defaults).
func (c *Config) Get(section, name string) (string, bool) {
	v, ok, r := c.find(section, name)
	switch {
	case ok:
		return v.text, true
	case r != nil:
		return r.text()
	}
	return "", false
}

// GetOr is Get with a default of the caller's for items without one.
func (c *Config) GetOr(section, name, def string) string {
	if v, ok := c.Get(section, name); ok {
		return v
	}
	return def
}

// ParseBool reads a boolean as hg does, in any case of letters: 1 yes true on
// always, 0 no false off never.
func ParseBool(s string) (value, ok bool) {
	switch lowerASCII(s) {
	case "1", "yes", "true", "on", "always":
		return true, true
	case "0", "no", "false", "off", "never":
		return false, true
	}
	return false, false
}

// lowerASCII is bytes.lower(): other bytes stay as they are.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Bool reads an item as a boolean; one that is neither set nor registered is
// false. The error is hg's.
func (c *Config) Bool(section, name string) (bool, error) { return c.BoolOr(section, name, false) }

// BoolOr is Bool with a default of the caller's for items without one.
func (c *Config) BoolOr(section, name string, def bool) (bool, error) {
	text, ok := c.Get(section, name)
	if !ok {
		return def, nil
	}
	v, ok := ParseBool(text)
	if !ok {
		return false, configError("%s.%s is not a boolean ('%s')", section, name, text)
	}
	return v, nil
}

// configError is an item with a value that hg does not accept.
func configError(format string, args ...any) error {
	a := hgerr.Abortf(hgerr.Config, format, args...)
	a.Prefix = "config error: "
	return a
}

// Convert reads an item with a conversion of the caller's; desc names what it
// ought to be in hg's error ("integer", "date"). It reports false when the
// item has no value. An Unsupported from the conversion is passed on.
func Convert[T any](c *Config, section, name, desc string, convert func(string) (T, error)) (T, bool, error) {
	var zero T
	text, ok := c.Get(section, name)
	if !ok {
		return zero, false, nil
	}
	v, err := convert(text)
	if err != nil {
		if hgerr.IsUnsupported(err) {
			return zero, true, err
		}
		return zero, true, configError("%s.%s is not a valid %s ('%s')", section, name, desc, text)
	}
	return v, true, nil
}

// Int reads an item as an integer.
func (c *Config) Int(section, name string) (int64, bool, error) {
	return Convert(c, section, name, "integer", parseInt)
}

func parseInt(s string) (int64, error) {
	n, err := python.Int(s)
	if err == python.ErrRange {
		return 0, hgerr.NewUnsupported("integer %s in configuration", s)
	}
	return n, err
}

// sizeUnits are tried in this order, as suffixes of the lower-cased text.
var sizeUnits = []struct {
	suffix string
	factor float64
}{{"m", 1 << 20}, {"k", 1 << 10}, {"g", 1 << 30}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"b", 1}}

// ParseBytes reads a quantity of bytes: "42", "1.5 kB", "6M".
func ParseBytes(s string) (int64, error) {
	t := lowerASCII(python.Strip(s))
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(t, u.suffix)
		if !ok {
			continue
		}
		f, err := python.Float(number)
		if err != nil {
			return 0, err
		}
		f *= u.factor
		if math.IsNaN(f) {
			return 0, python.ErrValue
		}
		if math.Abs(f) >= 1<<63 {
			return 0, hgerr.NewUnsupported("size %s in configuration", s)
		}
		return int64(f), nil
	}
	return parseInt(t)
}

// Bytes reads an item as a quantity of bytes; 0 when it has no value.
func (c *Config) Bytes(section, name string) (int64, error) {
	text, ok := c.Get(section, name)
	if !ok {
		return 0, nil
	}
	n, err := ParseBytes(text)
	if err != nil && !hgerr.IsUnsupported(err) {
		return 0, configError("%s.%s is not a byte quantity ('%s')", section, name, text)
	}
	return n, err
}

// List reads an item as a list of words (see ParseList).
func (c *Config) List(section, name string) []string {
	v, ok, r := c.find(section, name)
	switch {
	case ok:
		return ParseList(v.text)
	case r != nil:
		return r.list()
	}
	return nil
}

// Path reads an item as the name of a file: relative to the directory of the
// file that set it, with ~ expanded.
func (c *Config) Path(section, name string) (string, bool) {
	text, ok := c.Get(section, name)
	if !ok {
		return "", false
	}
	if strings.HasPrefix(text, "/") && strings.Contains(text, "://") {
		return text, true
	}
	if source := c.Source(section, name); strings.Contains(source, ":") {
		base := dirname(source[:strings.IndexByte(source, ':')])
		text = join(base, c.sources.expandUser(text))
	}
	return text, true
}
