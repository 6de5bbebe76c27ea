// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

// Languages are the names of Mercurial's own languages that are evaluated
// natively, each list in order. An expression with any other name goes to the
// real hg.
type Languages struct {
	RevsetPredicates  []string
	FilesetPredicates []string
	TemplateKeywords  []string
	TemplateFilters   []string
	TemplateFunctions []string
}

// NativeLanguages takes the names from the languages' tables.
func NativeLanguages() Languages {
	var l Languages
	for _, p := range revset.Predicates() {
		if p.Unsupported == "" {
			l.RevsetPredicates = append(l.RevsetPredicates, p.Name)
		}
	}
	for _, p := range fileset.Predicates() {
		l.FilesetPredicates = append(l.FilesetPredicates, p.Name)
	}
	for _, t := range []struct {
		rows []template.Row
		to   *[]string
	}{
		{template.Keywords(), &l.TemplateKeywords}, {template.Filters(), &l.TemplateFilters}, {template.Functions(), &l.TemplateFunctions},
	} {
		for _, r := range t.rows {
			if r.Unsupported == "" {
				*t.to = append(*t.to, r.Name)
			}
		}
	}
	return l
}
