// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import "hgbroker/worker/hg/node"

// Repo is what the language needs to know about a repository. Implementations
// are cheap to ask: nothing here may allocate per call where a revision number
// comes in and numbers go out, because ranges and ancestries ask it once a
// revision.
//
// Unless a method says otherwise, revisions given to it are between 0 and
// Len()-1, and may be hidden. Lists that it returns are owned by the Repo and
// are not changed by the caller.
type Repo interface {
	// Len is the number of changesets, hidden ones included. tip's number is
	// the highest one below it that is not hidden.
	Len() int
	// Hidden tells whether rev is filtered from the current view. It is false
	// for every revision under --hidden.
	Hidden(rev node.Rev) bool
	// HiddenCount is how many revisions Hidden is true for. Zero lets ranges
	// skip asking.
	HiddenCount() int
	// Parents returns both parents, NullRev where there is none. It is not
	// asked for NullRev or WdirRev.
	Parents(rev node.Rev) (p1, p2 node.Rev)
	// WdirParents returns the parents of the working directory, NullRev where
	// there is none.
	WdirParents() (p1, p2 node.Rev)
	// Node returns the ID of rev; also for NullRev and WdirRev.
	Node(rev node.Rev) node.ID
	// Rev finds the revision with that ID, hidden or not; also for the null and
	// the working directory ID.
	Rev(id node.ID) (node.Rev, bool)

	// Lookup resolves one symbol in the current view as hg's
	// scmutil.revsymbol does: ".", "tip", "null", a decimal number, forty hex
	// digits, a name (bookmark, tag, branch, in this order), then an
	// unambiguous hex prefix. All f's is WdirRev. What is not found is an
	// *hgerr.Abort of kind UnknownRevision, HiddenRevision or AmbiguousRevision
	// with hg's message and hint; the language goes by the kind.
	Lookup(symbol string) (node.Rev, error)
	// LookupPrefix resolves a hex prefix of a node as `id()` does (hg's
	// scmutil.resolvehexnodeidprefix): numbers and names are not considered,
	// "unknown" is (NullRev, false, nil), and only an ambiguous prefix is an
	// error. A prefix of the working directory's forty f's is WdirRev.
	LookupPrefix(prefix string) (rev node.Rev, ok bool, err error)

	// Phase is 0 for public, 1 draft, 2 secret, and hg's internal numbers (32
	// archived, 96 internal) above. WdirRev has the phase a commit would get.
	Phase(rev node.Rev) int
	// Branch returns the name of the branch that rev is on in the local
	// encoding, and whether rev closes it. Also for NullRev and WdirRev.
	Branch(rev node.Rev) (name string, closes bool)
	// Branches lists the named branches of the current view with their tips as
	// `hg.branchmap.branchtip(name, ignoremissing)` gives them: the tipmost
	// open head, or the tipmost head of a closed branch.
	Branches() ([]NamedRev, error)
	// BranchHeads lists all heads of all named branches of the current view,
	// closed ones included, in any order.
	BranchHeads() ([]node.Rev, error)
	// HeadRevs lists the topological heads of the current view in ascending
	// order ([NullRev] in an empty repository).
	HeadRevs() ([]node.Rev, error)
	// Bookmarks lists bookmarks whose changesets exist.
	Bookmarks() ([]NamedRev, error)
	// ActiveBookmark is the active bookmark, or "".
	ActiveBookmark() (string, error)
	// Tags lists the tags, "tip" included, whose changesets exist in the
	// current view. A tag of the null revision is not listed.
	Tags() ([]NamedRev, error)

	// The columns of a changeset, in the local encoding. Asked for WdirRev,
	// they answer for the working directory (or say Unsupported). User, Desc
	// and Files may also be asked for NullRev and answer with nothing.
	User(rev node.Rev) (string, error)
	Desc(rev node.Rev) (string, error)
	// Date returns seconds since the epoch, and the zone's offset in seconds
	// west of UTC.
	Date(rev node.Rev) (seconds int64, zone int, err error)
	Files(rev node.Rev) ([]string, error)
	// Extra returns the extra fields. "branch" and "close" are included, as in
	// hg, where the branch is set even for default.
	Extra(rev node.Rev) (map[string]string, error)

	// Obsolescence returns one of hg's computed sets, hidden revisions
	// included, in ascending order.
	Obsolescence(kind ObsSet) ([]node.Rev, error)
	// Successors returns revs and all their transitive successors that are
	// changesets here (hidden or not), in any order, following markers through
	// nodes that are not. revs are changesets.
	Successors(revs []node.Rev) ([]node.Rev, error)
}

// NamedRev is one name of a namespace with the revision it names.
type NamedRev struct {
	Name string
	Rev  node.Rev
}

// ObsSet names one of the sets that hg computes from obsolescence markers.
type ObsSet string

// The computed sets; the strings are hg's.
const (
	Obsolete         ObsSet = "obsolete"
	Orphan           ObsSet = "orphan"
	Extinct          ObsSet = "extinct"
	PhaseDivergent   ObsSet = "phasedivergent"
	ContentDivergent ObsSet = "contentdivergent"
	// Filtered is what the "visible" view hides, whether or not the current
	// view is that one: the set behind hidden().
	Filtered ObsSet = "hidden"
)

// FileMatcher is an optional part of a Repo: file patterns. Without it,
// predicates that take a pattern are unsupported.
type FileMatcher interface {
	// MatchFiles compiles patterns relative to the current directory. rev is
	// the revision that set: patterns are evaluated in (WdirRev for the working
	// directory).
	MatchFiles(q FileQuery, rev node.Rev) (func(path string) bool, error)
}

// FileQuery is what `_matchfiles` and `file` ask of a FileMatcher. Patterns
// have hg's syntax ("glob:*.c"); Default is the kind of a pattern without one.
type FileQuery struct {
	Patterns []string
	Include  []string
	Exclude  []string
	Default  string
	// Named says that patterns which come to one path, as path:x does, stand for
	// the file of that name only, and not for what is below it.
	Named bool
}

// StatusReader is an optional part of a Repo for adds(), modifies(), removes():
// the files that differ between the first parent of rev and rev.
type StatusReader interface {
	ChangedFiles(rev node.Rev) (modified, added, removed []string, err error)
}

// Manifests is an optional part of a Repo for contains().
type Manifests interface {
	// HasFile tells whether the manifest of rev has exactly path.
	HasFile(rev node.Rev, path string) (bool, error)
	// WalkManifest calls fn for the paths of rev in order until it returns false.
	WalkManifest(rev node.Rev, fn func(path string) bool) error
	// CanonPath turns a path given by the user, relative to the current
	// directory, into one inside the repository (hg's pathutil.canonpath).
	CanonPath(path string) (string, error)
}

// TextIndex is an optional part of a Repo: a search through the texts of all
// changesets at once.
type TextIndex interface {
	// TextsWith returns a test of whether a string, which is in lower case, is found
	// without case in one of a changeset's file names, its user or its description.
	// It may be there if it is not known that it is not; surely that it is.
	TextsWith(lower string) func(node.Rev) (may, surely bool)
}

// TopicBranches is an optional part of a Repo with the extension topic: branches
// which topics split.
type TopicBranches interface {
	// TopicBranchOf is the name of a branch as branch() sees it.
	TopicBranchOf(rev node.Rev) string
}

// MarkerReader is an optional part of a Repo for the functions of the extension
// evolve: the steps that obsolescence markers record.
type MarkerReader interface {
	// SuccessorsOf lists what a changeset became in one step.
	SuccessorsOf(id node.ID, all bool) []node.ID
	// PredecessorsOf lists what it came from in one step; those that evolve marks as
	// the same changeset only when all is set.
	PredecessorsOf(id node.ID, all bool) []node.ID
}

// ChildIndex is an optional part of a Repo: an index of children.
type ChildIndex interface {
	// AppendChildren appends the children of rev, hidden ones included,
	// ascending and without repetitions. rev may be NullRev (the roots).
	AppendChildren(children []node.Rev, rev node.Rev) []node.Rev
}

// PhaseIndex is an optional part of a Repo: what is not public.
type PhaseIndex interface {
	// NonPublic lists the visible changesets of all phases but public, ascending.
	// The list stays the index's.
	NonPublic() []node.Rev
	// AllPublic tells whether there are none, visible or hidden.
	AllPublic() bool
}
