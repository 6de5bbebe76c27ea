// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// FromEnvironment returns the settings that hg, run by Python 3.7 or later,
// takes from the environment: HGENCODING, else what the locale uses.
//
// Python starts in its UTF-8 mode when the locale is "C", is not set, or is
// one that the machine does not have; so everything that is not a locale of
// another encoding is UTF-8 (PEP 538 and 540). A locale without ".UTF-8" in its
// name may be of any encoding or not exist: Unsupported.
func FromEnvironment(getenv func(string) (string, bool)) (Settings, error) {
	get := func(name string) string {
		v, _ := getenv(name)
		return v
	}
	s := Settings{Mode: get("HGENCODINGMODE"), Ambiguous: get("HGENCODINGAMBIGUOUS")}
	if _, ok := getenv("HGENCODINGMODE"); !ok {
		s.Mode = string(Strict)
	}
	if s.Name = get("HGENCODING"); s.Name != "" {
		return s, nil
	}
	for _, name := range []string{"PYTHONUTF8", "PYTHONCOERCECLOCALE"} {
		if v := get(name); v != "" && v != "1" {
			return s, hgerr.NewUnsupported("%s=%s", name, v)
		}
	}
	locale := firstNonEmpty(get, "LC_ALL", "LC_CTYPE", "LANG")
	switch codeset := codeset(locale); {
	case locale == "" || locale == "C" || locale == "POSIX" || get("PYTHONUTF8") == "1":
		s.Name = "utf-8"
	case codeset == "utf8":
		s.Name = "UTF-8"
	case codeset == "" && asciiLower(strings.ReplaceAll(locale, "-", "")) == "utf8":
		s.Name = "utf-8" // no such locale, but a common setting (macOS)
	default:
		return s, hgerr.NewUnsupported("locale %s", locale)
	}
	return s, nil
}

func firstNonEmpty(get func(string) string, names ...string) string {
	for _, n := range names {
		if v := get(n); v != "" {
			return v
		}
	}
	return ""
}

// codeset is what stands between '.' and '@' in the name of a locale, in lower
// case and without dashes.
func codeset(locale string) string {
	_, set, _ := strings.Cut(locale, ".")
	set, _, _ = strings.Cut(set, "@")
	return strings.ReplaceAll(asciiLower(set), "-", "")
}

// translated lists the languages that Mercurial's messages exist in, by the
// short names that Python maps to them.
var translated = []string{"da", "de", "el", "fr", "it", "ja", "pt", "ro", "ru", "sv", "zh", "fre", "ger", "jp"}

// Translated tells whether hg may print its messages in another language than
// English, if its translations are installed. plain is config.Plain("i18n"):
// then it does not. Long names ("german") are assumed to be another language.
func Translated(getenv func(string) (string, bool), plain bool) bool {
	if plain {
		return false
	}
	get := func(name string) string {
		v, _ := getenv(name)
		return v
	}
	for language := range strings.SplitSeq(firstNonEmpty(get, "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"), ":") {
		if language == "C" {
			return false
		}
		base := asciiLower(language)
		if i := strings.IndexAny(base, "_.@"); i >= 0 {
			base = base[:i]
		}
		if slices.Contains(translated, base) || len(base) > 3 && base != "posix" && base != "english" {
			return true
		}
	}
	return false
}
