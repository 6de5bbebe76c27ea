// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/revset"
)

// listLanguages prints the names that a Mercurial has in its own languages.
const listLanguages = `
import json
from mercurial import fileset, match, revset
try:
    from mercurial import initialization
    initialization.init()
except ImportError:
    pass
names = lambda table: sorted(n.decode() for n in table)
print(json.dumps({
    "revset predicates": names(revset.symbols),
    "fileset predicates": names(fileset.symbols),
    "pattern kinds": names(match.allpatternkinds),
}))
`

// languagesFile has what listLanguages printed, by version.
// HGBROKER_RECORD_LANGUAGES=1 writes it.
const languagesFile = "testdata/languages.json"

// nativeLanguage is the part of real hg's names that has to be native.
const nativeLanguage = 0.97

// TestLanguages prints how much of the languages is native, and checks that
// every name that hg has is known here: native, or Unsupported with a reason.
func TestLanguages(t *testing.T) {
	recorded := map[string]map[string][]string{}
	if raw, err := os.ReadFile(filepath.FromSlash(languagesFile)); err != nil {
		t.Error(err)
	} else if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	if _, err := hgtest.FindHg(); err == nil {
		living := map[string]map[string][]string{}
		for _, v := range hgtest.HgVersions(t) {
			var names map[string][]string
			if err := json.Unmarshal(hgtest.Output(t, hgtest.Python(t, v.Path, "-c", listLanguages)), &names); err != nil {
				t.Fatal(err)
			}
			living[v.Number] = names
			if known, ok := recorded[v.Number]; ok && !maps.EqualFunc(known, names, slices.Equal) {
				t.Errorf("%s does not say what hg %s says", languagesFile, v.Number)
			}
		}
		if os.Getenv("HGBROKER_RECORD_LANGUAGES") != "" {
			maps.Copy(recorded, living)
			raw, err := json.MarshalIndent(recorded, "", " ")
			if err == nil {
				err = os.WriteFile(filepath.FromSlash(languagesFile), append(raw, '\n'), 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		maps.Copy(recorded, living)
	}
	if len(recorded) == 0 {
		t.Fatal("no names to compare with")
	}
	ours := ourLanguages()
	for _, version := range slices.Sorted(maps.Keys(recorded)) {
		all, allNative := 0, 0
		for _, language := range slices.Sorted(maps.Keys(recorded[version])) {
			names := recorded[version][language]
			var native int
			var rest []string
			for _, name := range names {
				reason, known := ours[language](name)
				switch {
				case !known:
					t.Errorf("hg %s has %s in its %s, which is not known here", version, name, language)
				case reason == "":
					native++
				default:
					rest = append(rest, fmt.Sprintf("%s (%s)", name, reason))
				}
			}
			t.Logf("hg %s, %s: %d of %d native; not: %s", version, language, native, len(names), strings.Join(rest, ", "))
			if len(names) == 0 {
				t.Errorf("hg %s has no %s", version, language)
			}
			all, allNative = all+len(names), allNative+native
		}
		if share := float64(allNative) / float64(all); share < nativeLanguage {
			t.Errorf("hg %s: %.1f %% are native", version, 100*share)
		}
	}
}

// ourLanguages look a name up: why it is not native, and whether it is known.
func ourLanguages() map[string]func(name string) (reason string, known bool) {
	revsets, filesets := map[string]string{}, map[string]string{}
	for _, p := range revset.Predicates() {
		revsets[p.Name] = ""
	}
	for _, p := range fileset.Predicates() {
		filesets[p.Name] = ""
	}
	in := func(table map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			reason, known := table[name]
			return reason, known
		}
	}
	return map[string]func(string) (string, bool){
		"revset predicates": in(revsets), "fileset predicates": in(filesets), "pattern kinds": patternKind,
	}
}

// patternKind makes a pattern of the kind.
func patternKind(kind string) (reason string, known bool) {
	if k, _ := match.Kind(kind+":x", "", true); k != kind {
		return "", false
	}
	if kind == "set" {
		return "", true // the fileset package's
	}
	o := match.Options{Root: "/", Patterns: []string{kind + ":x"}, Default: "glob", ReadFile: func(string) ([]byte, error) { return nil, nil }}
	o.Version.Major = 7
	_, err := match.New(o)
	var u *hgerr.Unsupported
	if errors.As(err, &u) {
		return u.What, true
	}
	return "", true
}
