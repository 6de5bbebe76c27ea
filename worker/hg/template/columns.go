// SPDX-License-Identifier: GPL-2.0-or-later

package template

import "slices"

// What a template may use to depend on nothing but columns of the changeset in
// view, so that several goroutines, each with an engine of its own, may render
// it for some changesets each.
var (
	columnKeywords = []string{"author", "bookmarks", "branch", "branches", "closesbranch", "date", "desc", "files", "node", "p1rev", "p2rev", "phase",
		"phaseidx", "rev", "tags", "user"}
	columnFilters = []string{"addbreaks", "age", "domain", "email", "emailuser", "escape", "firstline", "hgdate", "isodate", "isodatesec", "json",
		"localdate", "lower", "nonempty", "obfuscate", "person", "rfc3339date", "rfc822date", "short", "shortdate", "strip", "stringify",
		"tabindent", "upper", "urlescape", "user", "utf8", "xmlescape"}
	columnFunctions = []string{"date", "if", "ifeq", "pad", "separate", "strip"}
)

// Columns tells whether the template depends on columns only, and whether tags
// or bookmarks are among them.
func (t *Template) Columns() (ok, names bool) {
	if t.f.err != nil {
		return false, false
	}
	ok = t.e.columns(t.f.tree, &names)
	return ok, names
}

func (e *Engine) columns(x *tree, names *bool) bool {
	if x == nil {
		return false
	}
	kids := x.kids
	switch x.op {
	case "template", "group", "list", "string", "integer":
	case "symbol":
		if x.s == "tags" || x.s == "bookmarks" {
			*names = true
		}
		return slices.Contains(columnKeywords, x.s) && e.fragment(x.s) == nil
	case "|":
		if len(kids) != 2 || kids[1] == nil || kids[1].op != "symbol" || !slices.Contains(columnFilters, kids[1].s) {
			return false
		}
		kids = kids[:1]
	case "func":
		if len(kids) == 0 || kids[0] == nil || kids[0].op != "symbol" || !slices.Contains(columnFunctions, kids[0].s) {
			return false
		}
		kids = kids[1:]
	default:
		return false
	}
	for _, kid := range kids {
		if !e.columns(kid, names) {
			return false
		}
	}
	return true
}
