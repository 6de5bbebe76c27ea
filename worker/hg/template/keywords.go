// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sync"
)

// keyword is one row of the table of `hg help templates`, "Keywords".
type keyword struct {
	name     string
	doc      string
	requires resources
	value    func(s *scope) (Value, error)
	// show prints the value without making it; nil means to make it.
	show func(w *bytes.Buffer, s *scope) error
	// list and plural are the names by which map files format it.
	list, plural string
	feature      Feature
	since        Version
	// check refuses, before anything is printed, what value cannot do.
	check func(e *Engine) error
	// unsupported is the reason why the keyword goes to the real hg.
	unsupported string
}

// keywords are made when they are first asked for, and never changed. An initialiser
// of the variable could not refer to what refers to it.
var keywords func() map[string]*keyword

func init() { keywords = sync.OnceValue(makeKeywords) }

const (
	needCtx     = resCtx
	needRepoCtx = resRepo | resCtx
)

func makeKeywords() map[string]*keyword {
	rows := []keyword{
		{name: "_fast_rank", doc: "size of the changeset's ancestry, if cached", requires: needCtx, value: fastRank},
		{name: "activebookmark", doc: "the active bookmark, if the changeset has it", requires: needRepoCtx, value: activeBookmark},
		{name: "author", doc: "same as user", requires: needCtx, value: user, show: showUser},
		{name: "bisect", doc: "the bisection status", requires: needRepoCtx, value: bisectStatus, check: checkBisect, feature: FeatureRevset},
		{name: "bookmarks", doc: "bookmarks of the changeset", requires: needRepoCtx, value: bookmarks, list: "bookmark"},
		{name: "branch", doc: "name of the branch", requires: needCtx, value: branch},
		{name: "branches", doc: "name of the branch unless it is default", requires: needCtx, value: branches, list: "branch", plural: "branches"},
		{name: "changessincelatesttag", doc: "number of ancestors that are not in the latest tag", requires: needRepoCtx | resCache, value: changesSinceLatestTag},
		{name: "children", doc: "children of the changeset", requires: needCtx, value: children, list: "children"},
		{name: "closesbranch", doc: "whether the changeset closes its branch", requires: needCtx, value: closesBranch, since: Hg72},
		{name: "currentbookmark", doc: "same as activebookmark", requires: needRepoCtx, value: activeBookmark},
		{name: "date", doc: "when the changeset was committed", requires: needCtx, value: commitDate},
		{name: "desc", doc: "the description", requires: needCtx, value: description, show: showDescription},
		{name: "diffstat", doc: "lines changed, in short", requires: resUI | resCtx, value: diffstat, feature: FeatureDiff},
		{name: "envvars", doc: "environment variables", requires: resUI, value: envvars, list: "envvar", feature: FeatureEnviron},
		{name: "extras", doc: "entries of the changeset's extra field", requires: needCtx, value: extras, list: "extra"},
		{name: "file_adds", doc: "files added", requires: needCtx | resRevcache, value: fileAdds, list: "file_add"},
		{name: "file_copies", doc: "files copied, with their sources", requires: needRepoCtx | resCache | resRevcache, value: fileCopies, list: "file_copy", plural: "file_copies", feature: FeatureCopies},
		{name: "file_copies_switch", doc: "like file_copies, under --copies", requires: resRevcache, value: fileCopiesSwitch, list: "file_copy", plural: "file_copies"},
		{name: "file_dels", doc: "files removed", requires: needCtx | resRevcache, value: fileDels, list: "file_del"},
		{name: "file_mods", doc: "files modified", requires: needCtx | resRevcache, value: fileMods, list: "file_mod"},
		{name: "files", doc: "files touched", requires: needCtx, value: files, list: "file"},
		{name: "graphnode", doc: "the changeset's character in a graph", requires: needRepoCtx | resCache, value: graphNode},
		{name: "graphwidth", doc: "width of the graph, or zero", value: func(*scope) (Value, error) { return Int(0), nil }},
		{name: "index", doc: "number of the item in its loop", value: indexOutside},
		{name: "instabilities", doc: "what makes the changeset unstable", requires: needCtx, value: instabilities, list: "instability", plural: "instabilities"},
		{name: "latesttag", doc: "tags of the latest tagged ancestor", requires: needRepoCtx | resCache, value: latestTagKeyword, list: "latesttag"},
		{name: "latesttagdistance", doc: "longest path to the latest tag", requires: needRepoCtx | resCache, value: latestTagDistance},
		{name: "manifest", doc: "the manifest's revision and node", requires: needRepoCtx, value: manifest, list: "manifest"},
		{name: "namespaces", doc: "names of the changeset by namespace", requires: needRepoCtx, value: namespaces, list: "namespace"},
		{name: "negrev", doc: "the revision counted from the tip", requires: needRepoCtx, value: negativeRev},
		{name: "node", doc: "the changeset's hash", requires: needCtx, value: nodeHex, show: showNode},
		{name: "obsfate", doc: "what became of an obsolete changeset", requires: resUI | needRepoCtx, value: obsfate, list: "fate", feature: FeatureObsolete},
		{name: "obsolete", doc: "\"obsolete\" if the changeset is", requires: needCtx, value: obsoleteWord},
		{name: "onelinesummary", doc: "one line about the changeset", requires: resUI | resCtx, value: oneLineSummary, check: checkSummary},
		{name: "p1", doc: "first parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentMapping(s, 0) }},
		{name: "p1node", doc: "hash of the first parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentNode(s, 0) }},
		{name: "p1rev", doc: "revision of the first parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentRev(s, 0) }},
		{name: "p2", doc: "second parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentMapping(s, 1) }},
		{name: "p2node", doc: "hash of the second parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentNode(s, 1) }},
		{name: "p2rev", doc: "revision of the second parent", requires: needCtx, value: func(s *scope) (Value, error) { return parentRev(s, 1) }},
		{name: "parents", doc: "parents that are not plain from the revision number", requires: needRepoCtx, value: parents, list: "parent"},
		{name: "path", doc: "path of the file in view", requires: resFctx, value: filePath},
		{name: "peerurls", doc: "the [paths] section", requires: resRepo, value: peerURLs, check: checkPaths, feature: FeaturePaths},
		{name: "phase", doc: "name of the phase", requires: needCtx, value: phase},
		{name: "phaseidx", doc: "number of the phase", requires: needCtx, value: phaseIndex},
		{name: "predecessors", doc: "closest visible predecessors", requires: needRepoCtx, value: predecessors, feature: FeatureObsolete},
		{name: "reporoot", doc: "root of the working directory", requires: resRepo, value: repoRoot},
		{name: "rev", doc: "revision number", requires: needCtx, value: rev, show: showRev},
		{name: "size", doc: "size of the file in view", requires: resFctx, value: fileSize, feature: FeatureFiles},
		{name: "status", doc: "status of the file in view", requires: resCtx | resFctx | resRevcache, value: fileStatus, feature: FeatureFiles},
		{name: "subrepos", doc: "subrepositories updated", requires: needCtx, value: subrepos, list: "subrepo", feature: FeatureFiles},
		{name: "successorssets", doc: "sets of successors", requires: needRepoCtx, value: successorsSets, feature: FeatureObsolete},
		{name: "succsandmarkers", doc: "successors with their markers", requires: needRepoCtx, value: succsAndMarkers, feature: FeatureObsolete},
		{name: "tags", doc: "tags of the changeset", requires: needRepoCtx, value: tags, list: "tag"},
		{name: "termwidth", doc: "width of the terminal", requires: resUI, value: func(s *scope) (Value, error) { return Int(int64(s.e.opts.TermWidth)), nil }},
		{name: "user", doc: "who committed the changeset", requires: needCtx, value: user, show: showUser},
		{name: "verbosity", doc: "quiet, verbose, debug or empty", requires: resUI, value: verbosity},
		{name: "whyunstable", doc: "reasons for instabilities", requires: needRepoCtx, value: whyUnstable, feature: FeatureObsolete},
	}
	table := make(map[string]*keyword, len(rows))
	for i := range rows {
		table[rows[i].name] = &rows[i]
	}
	return table
}
