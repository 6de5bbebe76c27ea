// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"sync"

	"hgbroker/worker/hg/template"
)

// style is a named set of templates. "changeset" prints a changeset, its
// variants with _quiet, _verbose and _debug do so under these options; other
// names are the topics of commands.
type style struct {
	fragments []template.Extra
	aliases   []template.Extra
}

// Pieces that several styles share: one line each, or nothing. What label()
// names is what the colours of a terminal go by.
const (
	lineChangeset = `{cset("changeset:   {rev}:{node|short}")}\n`
	lineFull      = `{cset("changeset:   {rev}:{node}")}\n`
	lineShort     = `{label("log.node", "{rev}:{node|short}")}\n`
	lineBranch    = `{branches % "{label("log.branch", "branch:      {branch}")}\n"}`
	lineBookmarks = `{bookmarks % "{label("log.bookmark", "bookmark:    {bookmark}")}\n"}`
	lineTags      = `{tags % "{label("log.tag", "tag:         {tag}")}\n"}`
	linePhase     = `{label("log.phase", "phase:       {phase}")}\n`
	lineParents   = `{parents % "{label("log.parent changeset.{phase}", "parent:      {rev}:{node|formatnode}")}\n"}`
	lineManifest  = `{manifest % "{label("ui.debug log.manifest", "manifest:    {rev}:{node}")}\n"}`
	lineUser      = `{label("log.user", "user:        {author}")}\n`
	lineDate      = `{label("log.date", "date:        {date|date}")}\n`
	lineUnstable  = `{if(instabilities, "{label("log.instability", "instability: {join(instabilities, ', ')}")}\n")}`
	lineFate      = `{label("log.obsfate", obsfate % "obsolete:    {fate}\n")}`
	lineFiles     = `{if(files, label("ui.note log.files", "files:       {files}\n"))}`
	lineMods      = `{if(file_mods, label("ui.debug log.files", "files:       {file_mods}\n"))}`
	lineAdds      = `{if(file_adds, label("ui.debug log.files", "files+:      {file_adds}\n"))}`
	lineDels      = `{if(file_dels, label("ui.debug log.files", "files-:      {file_dels}\n"))}`
	lineCopies    = `{if(file_copies_switch, label("ui.note log.copies", "copies:     {file_copies_switch % ' {name} ({source})'}\n"))}`
	lineExtras    = `{extras % "{label("ui.debug log.extra", "extra:       {key}={value|stringescape}")}\n"}`
	lineSummary   = `{if(desc|strip, "{label("log.summary", "summary:     {desc|firstline}")}\n")}`
	lineDesc      = `{if(desc|strip, "{note("description:")}\n{note(desc|strip)}\n\n")}`

	names     = lineBranch + lineBookmarks + lineTags
	signature = lineUser + lineDate
	fate      = lineUnstable + lineFate

	statusItem = `{status} {path|relpath}\n{if(source, "  {source|relpath}\n")}`
)

// shared are the aliases that the pieces use.
var shared = []template.Extra{
	{Key: "note(text)", Value: `label("ui.note log.description", text)`},
	{Key: "cset(text)", Value: `label(separate(" ", "log.changeset", "changeset.{phase}", if(obsolete, "changeset.obsolete"),` +
		` if(instabilities, "changeset.unstable"), join(instabilities % "instability.{instability}", " ")), text)`},
}

// The lines of the bisect style, which has its state after the hash.
const (
	bisected    = `"log.bisect{if(bisect, " bisect.{word(0, bisect)}")}"`
	lineBisect  = `{label(` + bisected + `, "bisect:      {bisect}\n")}`
	statusFiles = `{if(files, label("ui.note log.files", "files:\n"))}` +
		`{file_mods % "{label("status.modified", "M {file}\n")}{copied(file)}"}` +
		`{file_adds % "{label("status.added", "A {file}\n")}{copied(file)}"}` +
		`{file_dels % "{label("status.removed", "R {file}\n")}"}`
	xmlHead = `<logentry revision="{rev}" node="{node}">\n` +
		`{branches % '<branch>{branch|xmlescape}</branch>\n'}` +
		`{bookmarks % '<bookmark>{bookmark|xmlescape}</bookmark>\n'}` +
		`{tags % '<tag>{tag|xmlescape}</tag>\n'}` +
		`{parents % '<parent revision="{rev}" node="{node}" />\n'}` +
		`<author email="{author|email|xmlescape}">{author|person|xmlescape}</author>\n` +
		`<date>{date|rfc3339date}</date>\n` +
		`<msg xml:space="preserve">{desc|xmlescape}</msg>\n`
	xmlPaths = `<paths>\n` +
		`{file_adds % '<path action="A">{file|xmlescape}</path>\n'}` +
		`{file_dels % '<path action="R">{file|xmlescape}</path>\n'}` +
		`{file_mods % '<path action="M">{file|xmlescape}</path>\n'}</paths>\n` +
		`{if(file_copies, '<copies>\n{file_copies % '<copy source="{source|xmlescape}">{name|xmlescape}</copy>\n'}</copies>\n')}`
	xmlExtras = `{extras % '<extra key="{key|xmlescape}">{value|xmlescape}</extra>\n'}`
	xmlTail   = `</logentry>\n`

	// The last name of a list has no colour.
	compactTags  = `{tags % "{ifeq(index, 0, "[")}{ifeq(index + 1, count(tags), "{tag}]", label("log.tag", "{tag},"))}"}`
	compactMarks = `{bookmarks % "{ifeq(index, 0, "[")}` +
		`{ifeq(index + 1, count(bookmarks), "{bookmark}]", label("log.bookmark", "{bookmark},"))}"}`
	compactRev     = `{label("log.changeset changeset.{phase}", rev)}`
	compactNode    = `{label("log.node", node|short)}`
	compactParents = `{if(parents, ":{join(parents % "{label('log.changeset changeset.{phase}', rev)}", ",")}")}`
	compactLine    = `   ` + compactNode + `   {label("log.date", date|isodate)}   `

	changelogTags   = `{if(tags, " [{join(tags, ', ')}]")}`
	changelogBranch = `{if(branches, " <{join(branches, ', ')}>")}`
	changelogFiles  = `{if(files, fill68tab("{join(files, ', ')}:\n\t"))}`
	changelogAdds   = `{if(file_adds, fill68tab("{join(file_adds, ', ')}: new file.\n* "))}`
	changelogDels   = `{if(file_dels, fill68tab("{join(file_dels, ', ')}: deleted file.\n* "))}`
)

// styles are what `hg log --style` knows by name.
var styles = sync.OnceValue(func() map[string]*style {
	return map[string]*style{
		"default": {aliases: shared, fragments: []template.Extra{
			{Key: "changeset", Value: lineChangeset + names + lineParents + signature + fate + lineSummary + `\n`},
			{Key: "changeset_quiet", Value: lineShort},
			{Key: "changeset_verbose", Value: lineChangeset + names + lineParents + signature + fate + lineFiles + lineCopies + lineDesc + `\n`},
			{Key: "changeset_debug", Value: lineFull + names + linePhase + lineParents + lineManifest + signature + fate + lineMods + lineAdds + lineDels + lineCopies + lineExtras + lineDesc + `\n`},
			{Key: "status", Value: statusItem},
		}},
		"phases": {aliases: shared, fragments: []template.Extra{
			{Key: "changeset", Value: lineChangeset + names + linePhase + lineParents + signature + lineSummary + `\n`},
			{Key: "changeset_quiet", Value: lineShort},
			{Key: "changeset_verbose", Value: lineChangeset + names + linePhase + lineParents + signature + lineFiles + lineCopies + lineDesc + `\n`},
			{Key: "changeset_debug", Value: lineFull + names + linePhase + lineParents + lineManifest + signature + fate + lineMods + lineAdds + lineDels + lineCopies + lineExtras + lineDesc + `\n`},
			{Key: "status", Value: statusItem},
		}},
		"bisect": {aliases: shared, fragments: []template.Extra{
			{Key: "changeset", Value: lineChangeset + lineBisect + names + lineParents + signature + lineSummary + `\n`},
			{Key: "changeset_quiet", Value: `{label(` + bisected + `, bisect|shortbisect)} {rev}:{node|short}\n`},
			{Key: "changeset_verbose", Value: lineChangeset + lineBisect + names + lineParents + signature + lineFiles + lineCopies + lineDesc + `\n`},
			{Key: "changeset_debug", Value: lineFull + lineBisect + names + linePhase + lineParents + lineManifest + signature + lineMods + lineAdds + lineDels + lineCopies + lineExtras + lineDesc + `\n`},
			{Key: "status", Value: statusItem},
		}},
		"status": {
			fragments: []template.Extra{
				{Key: "changeset", Value: lineChangeset + names + lineParents + signature + lineSummary + statusFiles + `\n`},
				{Key: "changeset_quiet", Value: lineShort},
				{Key: "changeset_verbose", Value: lineChangeset + names + lineParents + signature + lineDesc + statusFiles + `\n`},
				{Key: "changeset_debug", Value: lineFull + names + linePhase + lineParents + lineManifest + signature + lineExtras + lineDesc + statusFiles + `\n`},
				{Key: "status", Value: statusItem},
			},
			aliases: append([]template.Extra{
				{Key: "copied(name)", Value: `ifcontains(name, file_copies_switch, label("status.copied", "  {get(file_copies_switch, name)}\n"))`},
			}, shared...),
		},
		"compact": {fragments: []template.Extra{
			{Key: "changeset", Value: compactRev + compactTags + compactMarks + compactParents + compactLine +
				`{label("log.user", author|user)}\n  {label("ui.note log.description", desc|firstline|strip)}\n\n`},
			{Key: "changeset_quiet", Value: compactRev + `:` + compactNode + `\n`},
			{Key: "changeset_verbose", Value: compactRev + compactTags + compactParents + compactLine +
				`{label("log.user", author)}\n  {label("ui.note log.description", desc|strip)}\n\n`},
		}},
		"changelog": {
			fragments: []template.Extra{
				{Key: "header", Value: `{date|shortdate}  {author|person}  <{author|email}>\n\n`},
				{Key: "header_verbose", Value: ``},
				{Key: "changeset", Value: `\t* ` + changelogFiles + `{desc|fill68|tabindent|strip}\n\t[{node|short}]` + changelogTags + changelogBranch + `\n\n`},
				{Key: "changeset_quiet", Value: `\t* {desc|firstline|fill68|tabindent|strip}\n\n`},
				{Key: "changeset_verbose", Value: `{date|isodate}  {author|person}  <{author|email}>  ({node|short}` + changelogTags + changelogBranch + `)\n\n\t* ` +
					changelogAdds + changelogDels + changelogFiles + `{desc|fill68|tabindent|strip}\n\n`},
			},
			aliases: []template.Extra{{Key: "fill68tab(text)", Value: `tabindent(fill68(text))`}},
		},
		"xml": {fragments: []template.Extra{
			{Key: "docheader", Value: `<?xml version="1.0"?>\n<log>\n`},
			{Key: "docfooter", Value: `</log>\n`},
			{Key: "changeset", Value: xmlHead + xmlTail},
			{Key: "changeset_verbose", Value: xmlHead + xmlPaths + xmlTail},
			{Key: "changeset_debug", Value: xmlHead + xmlPaths + xmlExtras + xmlTail},
		}},
		"show": {
			fragments: []template.Extra{
				{Key: "changeset", Value: lineChangeset + names + lineParents + signature + fate + lineSummary + `\n`},
				{Key: "changeset_quiet", Value: lineShort},
				{Key: "changeset_verbose", Value: lineChangeset + names + lineParents + signature + fate + lineFiles + lineCopies + lineDesc + `\n`},
				{Key: "changeset_debug", Value: lineFull + names + linePhase + lineParents + lineManifest + signature + fate + lineMods + lineAdds + lineDels + lineCopies + lineExtras + lineDesc + `\n`},
				{Key: "status", Value: statusItem},
				{Key: "showbookmarks", Value: `{if(active, "*", " ")} {pad(bookmark, longestbookmarklen + 4)}{shortest(node, nodelen)}\n`},
				{Key: "showwork", Value: showWork},
				{Key: "showstack", Value: showWork},
			},
			aliases: append([]template.Extra{
				{Key: "unlesstip(names)", Value: `filter(names, ifeq(name, "tip", "", name))`},
				{Key: "bracket(text)", Value: `if(text, " ({label("log.{colorname}", text)})")`},
			}, shared...),
		},
	}
})

// showWork is a line of `hg show work`: hash, names unless they are "default" or
// "tip", summary.
const showWork = `{cset(shortest(node, nodelen))}{namespaces % "{ifeq(namespace, "branches",` +
	` ifeq(branch, "default", "", bracket(branch)), ifeq(namespace, "tags",` +
	` bracket(join(unlesstip(names), " ")), bracket(join(names, " "))))}"} {label("log.description", desc|firstline)}`
