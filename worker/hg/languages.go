// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

// NativeLanguages are the names of Mercurial's own languages that are evaluated
// natively, by kind, each list in order. An expression with any other name goes
// to the real hg.
func NativeLanguages() map[string][]string {
	names := map[string][]string{}
	add := func(kind, name, unsupported string) {
		if unsupported == "" {
			names[kind] = append(names[kind], name)
		}
	}
	for _, p := range revset.Predicates() {
		add("revsetPredicates", p.Name, "")
	}
	for _, p := range fileset.Predicates() {
		add("filesetPredicates", p.Name, "")
	}
	for kind, rows := range map[string][]template.Row{"templateKeywords": template.Keywords(),
		"templateFilters": template.Filters(), "templateFunctions": template.Functions()} {
		for _, r := range rows {
			add(kind, r.Name, r.Unsupported)
		}
	}
	return names
}
