// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sync"
)

// function is one row of the table of `hg help templates`, "Functions".
type function struct {
	name string
	doc  string
	// params is nil for functions with positional arguments only, which count
	// them themselves.
	params *params
	call   func(s *scope, args *callArgs) (Value, error)
	// write prints the result without making it; nil means to make it.
	write func(w *bytes.Buffer, s *scope, args *callArgs) error
	// check refuses, before anything is printed, what call cannot do.
	check        func(e *Engine, args *callArgs) error
	list, plural string
	feature      Feature
	// lazy is set where hg works only when the result is printed.
	lazy        bool
	unsupported string
}

// functions are made as keywords are.
var functions func() map[string]*function

func init() { functions = sync.OnceValue(makeFunctions) }

func makeFunctions() map[string]*function {
	rows := []function{
		{name: "config", doc: "config(section, name[, default]): a setting as text", call: configText, check: checkConfig},
		{name: "configbool", doc: "configbool(section, name[, default]): a setting as a boolean", call: configBool, check: checkConfig},
		{name: "configint", doc: "configint(section, name[, default]): a setting as a number", call: configInt, check: checkConfig},
		{name: "date", doc: "date(date[, fmt]): a date in a layout", call: dateFunc},
		{name: "dict", doc: "dict([[key=]value...]): a dictionary", params: &params{rest: true, options: true}, call: dictFunc},
		{name: "diff", doc: "diff([include[, exclude]]): the changeset's diff", call: diffFunc, feature: FeatureDiff},
		{name: "extdata", doc: "extdata(source): text from outside", params: &params{keys: []string{"source"}}, unsupported: "what it shows comes from outside of the repository"},
		{name: "files", doc: "files(pattern): files of the changeset that match", call: filesFunc, list: "file", feature: FeatureFiles},
		{name: "fill", doc: "fill(text[, width[, first[, hang]]]): text in columns", call: fillFunc},
		{name: "filter", doc: "filter(iterable[, expr]): items that are not empty", call: filterFunc},
		{name: "formatnode", doc: "formatnode(node): a hash as long as the verbosity wants", call: formatNodeFunc},
		{name: "get", doc: "get(dict, key): an entry", call: getFunc},
		{name: "if", doc: "if(expr, then[, else])", call: ifFunc, write: writeIf},
		{name: "ifcontains", doc: "ifcontains(needle, haystack, then[, else])", call: ifContainsFunc},
		{name: "ifeq", doc: "ifeq(a, b, then[, else])", call: ifEqFunc, write: writeIfEq},
		{name: "indent", doc: "indent(text, chars[, first]): lines behind chars", call: indentFunc},
		{name: "join", doc: "join(list, sep): items with a text between", call: joinFunc, write: writeJoin},
		{name: "label", doc: "label(label, expr): text with a colour", call: labelFunc},
		{name: "latesttag", doc: "latesttag([pattern]): tags of the latest tagged ancestor", call: latestTagFunc, check: checkLatestTag, list: "latesttag"},
		{name: "localdate", doc: "localdate(date[, tz]): a date in another zone", call: localDateFunc},
		{name: "mailmap", doc: "mailmap(author): the author by .mailmap", call: mailmapFunc, feature: FeatureFiles},
		{name: "max", doc: "max(iterable)", call: extremeFunc("max", true)},
		{name: "min", doc: "min(iterable)", call: extremeFunc("min", false)},
		{name: "mod", doc: "mod(a, b)", call: modFunc},
		{name: "obsfatedate", doc: "obsfatedate(markers): their dates", call: obsfateDate},
		{name: "obsfateoperations", doc: "obsfateoperations(markers): their operations", call: obsfateWords("obsfateoperations", "operation", "operation", "obsfateoperations first argument should be an iterable")},
		{name: "obsfateusers", doc: "obsfateusers(markers): their users", call: obsfateWords("obsfateusers", "user", "user", "obsfateusers first argument should be an iterable of obsmakers")},
		{name: "obsfateverb", doc: "obsfateverb(successors, markers): what was done", call: obsfateVerb},
		{name: "pad", doc: "pad(text, width[, fillchar[, left[, truncate]]])", params: &params{keys: []string{"text", "width", "fillchar", "left", "truncate"}}, call: padFunc},
		{name: "relpath", doc: "relpath(path): seen from the current directory", call: relPathFunc},
		{name: "revset", doc: "revset(query[, args...]): revisions", call: revsetFunc, check: checkRevset, list: "revision", feature: FeatureRevset},
		{name: "rstdoc", doc: "rstdoc(text, style)", unsupported: "reStructuredText is not formatted"},
		{name: "search", doc: "search(pattern, text): the first match", call: searchFunc, check: checkSearch},
		{name: "separate", doc: "separate(sep, args...): arguments that are not empty", params: &params{must: []string{"sep"}, rest: true}, call: separateFunc, write: writeSeparate, lazy: true},
		{name: "shortest", doc: "shortest(node[, minlength]): shortest prefix that is unique", call: shortestFunc, check: checkShortest},
		{name: "startswith", doc: "startswith(pattern, text): text, if it does", call: startsWithFunc},
		{name: "strip", doc: "strip(text[, chars])", call: stripFunc},
		{name: "sub", doc: "sub(pattern, replacement, text)", call: subFunc, check: checkSub, lazy: true},
		{name: "subsetparents", doc: "subsetparents(rev, revset)", params: &params{keys: []string{"rev", "revset"}}, call: subsetParentsFunc},
		{name: "word", doc: "word(number, text[, separator])", call: wordFunc},
	}
	table := make(map[string]*function, len(rows))
	for i := range rows {
		table[rows[i].name] = &rows[i]
	}
	return table
}
