// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// Text is a string that a user may have typed: an author, a description, a
// branch. Mercurial stores it in UTF-8 and shows it in the local encoding, and
// some filters (json, utf8, lower) go back to the UTF-8 form.
type Text struct {
	// Local holds the bytes in the local encoding.
	Local string
	// UTF8 is the stored form where it differs from Local, otherwise empty.
	UTF8 string
}

// PlainText wraps a string that is the same in both encodings (always so under
// HGENCODING=utf-8).
func PlainText(s string) Text { return Text{Local: s} }

// Phase is what {phase} names and {phaseidx} numbers.
type Phase = phases.Phase

// Extra is one entry of a changeset's extra dictionary, undecoded bytes.
type Extra struct {
	Key, Value string
}

// Copy is one copied file of a changeset.
type Copy struct {
	Dest, Source string
}

// Changectx is one changeset as templates see it: a revision of the changelog,
// the null revision, or the working directory (Rev is node.WdirRev and Node is
// node.Wdir then).
//
// The accessors return no errors, so that an implementation may load lazily;
// the first failure is kept and returned by Err, and accessors return zero
// values after it. Slices belong to the changeset: callers do not change them.
type Changectx interface {
	Rev() node.Rev
	Node() node.ID
	// Parents returns both parents, node.NullRev where there is none.
	Parents() (p1, p2 node.Rev)
	// Children in ascending order, visible ones only.
	Children() []node.Rev
	User() Text
	// Desc is the description as stored: hg strips it when it prints it.
	Desc() Text
	// Date returns seconds since the epoch and the offset of the time zone in
	// seconds west of UTC.
	Date() (unix int64, offset int)
	Branch() Text
	// ClosesBranch tells whether the changeset closes its branch.
	ClosesBranch() bool
	// Extras are sorted by key.
	Extras() []Extra
	// ManifestNode is null for the working directory.
	ManifestNode() node.ID
	// ManifestRev is the manifest's revision in the manifest log.
	ManifestRev() node.Rev
	Phase() Phase
	// Tags are sorted, with local ones and "tip".
	Tags() []Text
	// Bookmarks are sorted.
	Bookmarks() []Text
	// Files are the files that the changeset touches, sorted.
	Files() []string
	// FileStatus splits Files by what happened to them, each list sorted
	// (ctx.filesmodified, filesadded, filesremoved).
	FileStatus() (modified, added, removed []string)
	Obsolete() bool
	// Instabilities are among "orphan", "content-divergent", "phase-divergent",
	// in hg's order.
	Instabilities() []string
	// Err is the first failure of an accessor.
	Err() error
}

// ColumnAppender is an optional part of a Changectx: columns in the local encoding,
// with less work than it takes to make a Text of them.
type ColumnAppender interface {
	// AppendUser appends User().Local.
	AppendUser(dst []byte) []byte
	// AppendDesc appends Desc().Trim().Local.
	AppendDesc(dst []byte) []byte
}

// Columns are what most listings show of a changeset. All of it is UTF-8 and the same
// in the local encoding; the slices are parts of the stored text.
type Columns struct {
	Node    node.ID
	Parents [2]node.Rev // node.NullRev where there is none
	Branch  string
	User    []byte
	Date    dates.Date
	Desc    []byte // as stored
	Summary []byte // the first line of Desc without white space around that
}

// ColumnReader is an optional part of a Changectx, for long listings.
type ColumnReader interface {
	// Columns fills in all of them in one look. It returns false, and to is of no
	// use then, when they must be asked for one by one: where something is not the same
	// in the local encoding, is not there, or fails.
	Columns(to *Columns) bool
	// AppendDate appends the date of Columns, which has come before, as `hg log`
	// prints it.
	AppendDate(dst []byte) []byte
	// Fate is Instabilities and Obsolete.
	Fate() (instabilities []string, obsolete bool)
}

// AppendUser appends who committed, in the local encoding.
func AppendUser(dst []byte, ctx Changectx) []byte {
	if c, ok := ctx.(ColumnAppender); ok {
		return c.AppendUser(dst)
	}
	return append(dst, ctx.User().Local...)
}

// AppendDesc appends the description, in the local encoding and without white space
// around it.
func AppendDesc(dst []byte, ctx Changectx) []byte {
	if c, ok := ctx.(ColumnAppender); ok {
		return c.AppendDesc(dst)
	}
	return append(dst, ctx.Desc().Trim().Local...)
}

// Repo is the repository as templates see it.
type Repo interface {
	// Root is the working directory's root, an absolute path.
	Root() string
	// Len counts all changesets, hidden ones too.
	Len() int
	// Changectx returns a revision, node.NullRev and node.WdirRev included.
	Changectx(rev node.Rev) (Changectx, error)
	// Lookup finds a full node; ok is false when it is unknown or hidden.
	Lookup(id node.ID) (rev node.Rev, ok bool)
	// Resolve finds the visible node which a shorter hexadecimal prefix names;
	// ok is false when there is none, or several.
	Resolve(prefix string) (id node.ID, ok bool)
	// ShortestPrefix returns the number of hexadecimal digits that tell id from
	// all other nodes, hidden ones and the null node included; ok is false for
	// an unknown node.
	ShortestPrefix(id node.ID) (digits int, ok bool)
	// Symbol resolves a name as a revset string does (bookmark, tag, branch,
	// number, node).
	Symbol(name string) (rev node.Rev, ok bool)
	// ActiveBookmark is empty when there is none.
	ActiveBookmark() Text
	// WorkingParents are the dirstate's parents, null where there is none.
	WorkingParents() (p1, p2 node.ID)
	// MergeNodes are the two sides of a merge with unresolved files, if one is
	// under way.
	MergeNodes() (local, other node.ID, ok bool)
	// GlobalTag tells whether a tag stands in .hgtags (and not in localtags, and
	// is not "tip").
	GlobalTag(name string) bool
	// RelPath turns a path inside the repository into one relative to the
	// current directory (repo.pathto).
	RelPath(path string) string
}

// The interfaces below are what some keywords and functions need beyond Repo.
// Options.Features says which of them the command's Repo has; a template that
// needs another one is Unsupported.

// RevsetEvaluator runs the revset() function; see Options.CheckRevset too.
type RevsetEvaluator interface {
	// Revset returns the revisions in the query's order.
	Revset(query string) ([]node.Rev, error)
}

// CopyTracer answers {file_copies}.
type CopyTracer interface {
	// Copies lists the copies of a changeset against its first parent.
	Copies(ctx Changectx) ([]Copy, error)
}

// Marker is one obsolescence marker.
type Marker struct {
	Predecessor node.ID
	Successors  []node.ID
	Flags       int
	// Metadata in stored order, undecoded.
	Metadata []Extra
	// Unix and Offset are the date; Unix may have a fraction.
	Unix   float64
	Offset int
	// Parents is nil when the marker does not record them.
	Parents []node.ID
}

// SuccessorSet is one fate of an obsolete changeset with the markers that tell
// of it (obsutil.successorsandmarkers).
type SuccessorSet struct {
	Successors []node.ID
	Markers    []Marker
}

// ObsoleteReader answers {obsfate} and its relatives.
type ObsoleteReader interface {
	// SuccessorSets returns the closest sets of an obsolete changeset; it is
	// not asked about others.
	SuccessorSets(ctx Changectx) ([]SuccessorSet, error)
	// Predecessors returns the closest visible predecessors.
	Predecessors(ctx Changectx) ([]node.ID, error)
	// WhyUnstable tells what makes a changeset unstable, in hg's order.
	WhyUnstable(ctx Changectx) ([]Instability, error)
	// Username is the current user, whose own rewritings {obsfate} does not name.
	Username() Text
}

// FileReader answers what is asked about files.
type FileReader interface {
	// MatchFiles lists the files of a changeset that a pattern selects, sorted.
	MatchFiles(ctx Changectx, pattern string) (paths []string, err error)
	// WorkingFile reads a file in the working directory, nil when it is not there.
	WorkingFile(path string) ([]byte, error)
	// Subrepos is what a changeset says of its subrepositories: where each
	// comes from, its revision and its kind in one string, by its path.
	Subrepos(ctx Changectx) (map[string]string, error)
	// FileSize is the size of a file in bytes; ok is false when the changeset
	// does not have it.
	FileSize(ctx Changectx, path string) (size int64, ok bool, err error)
	// FileStatus is the letter that `hg status --change` gives the file, "C" for
	// an unchanged one, or empty for one that the changeset does not have.
	FileStatus(ctx Changectx, path string) (letter string, err error)
}
