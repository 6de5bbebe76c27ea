// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"slices"
	"strings"
)

// Row is one keyword, filter or function as `hg help templates` lists them.
type Row struct {
	Name, Doc string
	// Unsupported is the reason why templates that use it go to the real hg,
	// empty for what is native.
	Unsupported string
}

func sortRows(rows []Row) []Row {
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// Keywords lists the keywords by name.
func Keywords() []Row {
	var rows []Row
	for _, k := range keywords() {
		rows = append(rows, Row{k.name, k.doc, k.unsupported})
	}
	return sortRows(rows)
}

// Filters lists the filters by name.
func Filters() []Row {
	var rows []Row
	for _, f := range filters() {
		rows = append(rows, Row{f.name, f.doc, f.unsupported})
	}
	return sortRows(rows)
}

// Functions lists the functions by name.
func Functions() []Row {
	var rows []Row
	for _, f := range functions() {
		rows = append(rows, Row{f.name, f.doc, f.unsupported})
	}
	return sortRows(rows)
}
