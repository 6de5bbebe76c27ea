// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"sort"
	"sync"

	"hgbroker/worker/hg/node"
)

// Predicate describes one function of the language.
type Predicate struct {
	Name string
	// Usage is the call with its arguments.
	Usage string
	// Doc says in one line what it selects; "" for internal ones, which are not
	// suggested for a misspelled name.
	Doc string
	// Min and Max are how many arguments it takes, keyword ones included; Max is
	// -1 for any number.
	Min, Max int
	// TakesOrder tells that it can set the order of its result.
	TakesOrder bool

	weight float64
	eval   operator
}

// The tables below list Mercurial's built-in predicates (`hg help
// revisions.predicates`). weight is what one costs when "and" chooses which
// operand to evaluate first. Extensions define more, which are unknown here.

func built(weight float64, name, usage string, min, max int, doc string, eval operator) *Predicate {
	return &Predicate{Name: name, Usage: usage, Doc: doc, Min: min, Max: max, weight: weight, eval: eval}
}

func ordering(p *Predicate) *Predicate {
	p.TakesOrder = true
	return p
}

// predicates are made when they are first asked for, as operators are.
var predicates func() map[string]*Predicate

func init() { predicates = sync.OnceValue(makePredicates) }

func makePredicates() map[string]*Predicate {
	byName := make(map[string]*Predicate)
	for _, table := range [][]*Predicate{graphPredicates(), contentPredicates(), orderPredicates(), statePredicates()} {
		for _, p := range table {
			byName[p.Name] = p
		}
	}
	return byName
}

func graphPredicates() []*Predicate {
	return []*Predicate{
		built(1, "all", "all()", 0, 0, "every changeset", all),
		built(0.5, "ancestor", "ancestor(*changeset)", 0, -1, "a greatest common ancestor of the changesets", ancestor),
		built(1, "ancestors", "ancestors(set[, depth])", 1, 3, "the set and its ancestors", ancestors),
		built(1, "branchpoint", "branchpoint()", 0, 0, "changesets with several children", branchPoint),
		built(1, "children", "children(set)", 1, 1, "children of the set", children),
		built(1, "commonancestors", "commonancestors(set)", 1, 1, "ancestors of every changeset in the set", commonAncestors),
		built(1, "descendants", "descendants(set[, depth])", 1, 3, "the set and its descendants", descendants),
		built(1, "follow", "follow([file[, startrev]])", 0, 2, "ancestors of the working directory's first parent", follow("follow", false)),
		built(1, "head", "head()", 0, 0, "heads of named branches", head),
		ordering(built(1, "heads", "heads(set)", 1, 1, "members of the set without a child in it", heads)),
		built(1, "merge", "merge()", 0, 0, "merges", isMerge),
		built(1, "none", "none()", 0, 0, "nothing", none),
		built(1, "only", "only(set[, set])", 1, 2, "ancestors of the first set that are not ancestors of the second, or of other heads", only),
		built(1, "p1", "p1([set])", 0, 1, "first parents of the set, or of the working directory", p1),
		built(1, "p2", "p2([set])", 0, 1, "second parents of the set, or of the working directory", p2),
		built(1, "parents", "parents([set])", 0, 1, "parents of the set, or of the working directory", parents),
		built(1, "roots", "roots(set)", 1, 1, "members of the set without a parent in it", roots),
		built(1, "stack", "stack([revs])", 0, 1, "draft changesets below the working directory's parent or the given ones", stack),
		built(0, "wdir", "wdir()", 0, 0, "the working directory", wdir),

		built(1, "contentdivergent", "contentdivergent()", 0, 0, "successors of what has other successors too", obsolescence("contentdivergent", ContentDivergent)),
		built(1, "draft", "draft()", 0, 0, "changesets in the draft phase", phase("draft", draftPhase)),
		built(1, "extinct", "extinct()", 0, 0, "obsolete changesets with obsolete descendants only", obsolescence("extinct", Extinct)),
		built(1, "hidden", "hidden()", 0, 0, "changesets that are hidden by default", obsolescence("hidden", Filtered)),
		built(1, "obsolete", "obsolete()", 0, 0, "changesets with a newer version", obsolescence("obsolete", Obsolete)),
		built(1, "orphan", "orphan()", 0, 0, "changesets with obsolete ancestors that are not obsolete", obsolescence("orphan", Orphan)),
		built(1, "phasedivergent", "phasedivergent()", 0, 0, "successors of public changesets", obsolescence("phasedivergent", PhaseDivergent)),
		built(1, "public", "public()", 0, 0, "changesets in the public phase", public),
		built(1, "secret", "secret()", 0, 0, "changesets in the secret phase", phase("secret", secretPhase)),
		built(1, "successors", "successors(set)", 1, 1, "the set and everything that replaces it", successors),
		built(1, "unstable", "unstable()", 0, 0, "orphans and divergent changesets", obsolescence("unstable", Orphan, PhaseDivergent, ContentDivergent)),

		built(1, "_commonancestorheads", "_commonancestorheads(set)", 1, 1, "", commonAncestorHeads),
		built(1, "_firstancestors", "_firstancestors(set)", 1, 1, "", firstAncestors),
		built(1, "_firstdescendants", "_firstdescendants(set)", 1, 1, "", firstDescendants),
		built(1, "_followfirst", "_followfirst([file[, startrev]])", 0, 2, "", follow("_followfirst", true)),
		built(1, "_notpublic", "_notpublic()", 0, 0, "", notPublic),
		built(1, "_phase", "_phase(number)", 1, 1, "", phaseByNumber),
		built(1, "_phaseandancestors", "_phaseandancestors(phasename, set)", 2, 2, "", phaseAndAncestors),
	}
}

func contentPredicates() []*Predicate {
	author := textMatch("author", Repo.User)
	return []*Predicate{
		built(30, "adds", "adds(pattern)", 1, 1, "changesets that add a matching file", statusMatch("adds", func(_, added, _ []string) []string { return added })),
		built(10, "author", "author(string)", 1, 1, "changesets whose user contains the string", author),
		built(1, "bookmark", "bookmark([name])", 0, 1, "bookmarked changesets", bookmark),
		built(10, "branch", "branch(string or set)", 1, 1, "changesets on a named branch, or on the branches of a set", branch),
		built(1, "bundle", "bundle()", 0, 0, "changesets in the bundle given by -R", bundle),
		built(10, "closed", "closed()", 0, 0, "changesets that close a branch", closed),
		built(100, "contains", "contains(pattern)", 1, 1, "changesets whose manifest has a matching file", contains),
		built(1, "converted", "converted([id])", 0, 1, "changesets converted from another repository", converted),
		built(10, "date", "date(interval)", 1, 1, "changesets within an interval of time", date),
		built(10, "desc", "desc(string)", 1, 1, "changesets whose description contains the string", textMatch("desc", Repo.Desc)),
		built(10, "destination", "destination([set])", 0, 1, "changesets grafted, transplanted or rebased from the set", destination),
		built(1, "extra", "extra(label, [value])", 1, 2, "changesets with an extra field", extra),
		built(10, "file", "file(pattern)", 1, 1, "changesets that touch a matching file", file),
		built(10, "grep", "grep(regex)", 1, 1, "changesets whose files, user or description match", grep),
		built(1, "id", "id(string)", 1, 1, "the changesets with that hash prefix", id),
		built(10, "keyword", "keyword(string)", 1, 1, "changesets whose files, user or description contain the string", keyword),
		built(1, "matching", "matching(revision [, field])", 1, 2, "changesets that agree with the revision in some fields", matching),
		built(30, "modifies", "modifies(pattern)", 1, 1, "changesets that modify a matching file", statusMatch("modifies", func(modified, _, _ []string) []string { return modified })),
		built(10, "outgoing", "outgoing([path])", 0, 1, "changesets missing in a remote repository", outgoing),
		built(1, "remote", "remote([id [,path]])", 0, 2, "local revision of one in a remote repository", remote),
		built(1, "named", "named(namespace)", 1, 1, "changesets named in a namespace", named),
		built(1, "origin", "origin([set])", 0, 1, "what the set was grafted, transplanted or rebased from", origin),
		built(30, "removes", "removes(pattern)", 1, 1, "changesets that remove a matching file", statusMatch("removes", func(_, _, removed []string) []string { return removed })),
		built(1, "rev", "rev(number)", 1, 1, "the changeset with that number", rev),
		built(1, "tag", "tag([name])", 0, 1, "tagged changesets", tag),
		built(1, "tagged", "tagged([name])", 0, 1, "", tag),
		built(10, "user", "user(string)", 1, 1, "changesets whose user contains the string", author),

		built(1, "_matchfiles", "_matchfiles(*pattern)", 1, -1, "", matchFilesArgs),
		built(1, "_rev", "_rev(number)", 1, 1, "", existingRev),
	}
}

// statePredicates depend on more than the changelog: the working directory's
// state, files that are named, histories of files.
func statePredicates() []*Predicate {
	return []*Predicate{
		built(1, "bisect", "bisect(string)", 1, 1, "changesets by their state in a bisection", bisect),
		built(1, "bisected", "bisected(string)", 1, 1, "", bisect),
		built(1, "conflictlocal", "conflictlocal()", 0, 0, "local side of an unfinished merge", conflict("conflictlocal", func(local, _ node.ID) node.ID { return local })),
		built(1, "conflictother", "conflictother()", 0, 0, "other side of an unfinished merge", conflict("conflictother", func(_, other node.ID) node.ID { return other })),
		built(110, "diffcontains", "diffcontains(pattern)", 1, 1, "changesets whose diff has the pattern", diffContains),
		built(100, "extdata", "extdata(source)", 1, 1, "changesets listed by a configured source", extdata),
		built(1, "followlines", "followlines(file, fromline:toline[, startrev=., descend=False])", 2, 4, "changesets that changed lines of a file", followLines),
		built(1, "filelog", "filelog(pattern)", 1, 1, "changesets in the history of a file", filelog),
		built(1, "nodefromfile", "nodefromfile(path)", 1, 1, "changesets listed in a file", nodeFromFile),
		built(1, "subrepo", "subrepo([pattern])", 0, 1, "changesets that change a subrepository", subrepo),
		built(1, "_destmerge", "_destmerge([set])", 0, 1, "", destMerge),
		built(1, "_destupdate", "_destupdate([limit, clean])", 0, 2, "", destUpdate),
		built(1, "_internal", "_internal()", 0, 0, "", internal),
	}
}

func orderPredicates() []*Predicate {
	table := []*Predicate{
		built(1, "expectsize", "expectsize(set[, size])", 2, 2, "the set, or an error if it is not of that size", expectSize),
		built(0, "first", "first(set, [n])", 1, 3, "first n members of the set", limit),
		built(1, "last", "last(set, [n])", 1, 2, "last n members of the set", last),
		built(0, "limit", "limit(set[, n[, offset]])", 1, 3, "first n members of the set from an offset on", limit),
		built(1, "present", "present(set)", 1, 1, "the set, or nothing if a revision in it is unknown", present),
		built(0, "reverse", "reverse(set)", 1, 1, "the set in reverse order", reverse),
		built(1, "revset", "revset(set)", 1, 1, "its argument, never taken for a name", asRevset),
		built(10, "sort", "sort(set[, [-]key... [, ...]])", 1, 4, "the set sorted by keys", sortBy),
		built(1, "_hexlist", "_hexlist(hashes)", 1, 1, "", revList(readHex)),
		built(0, "_intlist", "_intlist(numbers)", 1, 1, "", revList(readInt)),
		built(1, "_list", "_list(symbols)", 1, 1, "", stringList),
	}
	for _, p := range table {
		ordering(p)
	}
	return append(table,
		built(1, "max", "max(set)", 1, 1, "the member with the highest number", maxOf),
		built(1, "min", "min(set)", 1, 1, "the member with the lowest number", minOf),
	)
}

// Predicates lists the table by name.
func Predicates() []Predicate {
	var list []Predicate
	for _, p := range predicates() {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Predicate) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// documented lists the names that are suggested for a misspelled one.
func documented() []string {
	var names []string
	for _, p := range predicates() {
		if p.Doc != "" {
			names = append(names, p.Name)
		}
	}
	sort.Strings(names)
	return names
}
