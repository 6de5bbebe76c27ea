// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import "encoding/json"

// The reading methods that are made of command lines. The broker has the lines
// run, natively or by the real hg, and takes their output apart; so these methods
// have an answer wherever hg has one.
const (
	MethodRunBatch      = "hg/runBatch"
	MethodCatBatch      = "hg/catBatch"
	MethodRefs          = "hg/refs"
	MethodResolveRevset = "hg/resolveRevset"
	MethodFiles         = "hg/files"
	MethodConflicts     = "hg/conflicts"
	MethodConfig        = "hg/config"
	MethodPaths         = "hg/paths"
	MethodCopySource    = "hg/copySource"
	MethodRender        = "hg/render"
)

// MaxBatch bounds the items of a batch.
const MaxBatch = 1000

// RunBatchParams are the parameters of hg/runBatch. The items are answered as if
// they ran one after the other; neighbours that only read run side by side.
type RunBatchParams struct {
	Items []RunParams `json:"items"` // without stream
}

// RunBatchResult answers hg/runBatch: an item for each of the request, in order.
type RunBatchResult struct {
	Results []RunBatchItem `json:"results"`
}

// RunBatchItem is the outcome of one item: exactly one field is set.
type RunBatchItem struct {
	Result json.RawMessage `json:"result,omitempty"` // RunResult
	Error  *BatchError     `json:"error,omitempty"`
}

// BatchError is why one item of a batch has no result, as its own request would
// have been answered.
type BatchError struct {
	Code    int64      `json:"code"`
	Message string     `json:"message"`
	Data    *ErrorData `json:"data,omitempty"`
}

// CatBatchParams are the parameters of hg/catBatch.
type CatBatchParams struct {
	Place
	Items []CatItem `json:"items"`
}

// CatItem is one file of hg/catBatch.
type CatItem struct {
	URI Text `json:"uri"`
	Rev Text `json:"rev,omitempty"` // "" means "."
}

// CatBatchResult answers hg/catBatch: an item for each of the request, in order.
type CatBatchResult struct {
	Results []CatBatchItem `json:"results"`
}

// CatBatchItem is the outcome of one item: exactly one field is set.
type CatBatchItem struct {
	Result json.RawMessage `json:"result,omitempty"` // CatResult
	Error  *BatchError     `json:"error,omitempty"`
}

// RefsParams are the parameters of hg/refs.
type RefsParams struct {
	Place
	Kinds []string `json:"kinds,omitempty"` // of branches, bookmarks, tags, heads; none means all
}

// RefsResult answers hg/refs. What was not asked for is left out.
type RefsResult struct {
	Branches  []Branch   `json:"branches,omitempty"`
	Bookmarks []Bookmark `json:"bookmarks,omitempty"`
	Tags      []Tag      `json:"tags,omitempty"`
	Heads     []Head     `json:"heads,omitempty"`
	Bound
}

// Branch is a named branch and its tip.
type Branch struct {
	Name    Text   `json:"name"`
	Rev     int    `json:"rev"`
	Node    string `json:"node"`
	Active  bool   `json:"active"`  // it has a head that no other branch's head descends from
	Closed  bool   `json:"closed"`  // all of its heads are closed
	Current bool   `json:"current"` // the working directory is on it
}

// Bookmark is a bookmark.
type Bookmark struct {
	Name   Text   `json:"name"`
	Rev    int    `json:"rev"`
	Node   string `json:"node"`
	Active bool   `json:"active"`
}

// Tag is a tag; Type is "", "local", or what an extension calls its own.
type Tag struct {
	Name Text   `json:"name"`
	Rev  int    `json:"rev"`
	Node string `json:"node"`
	Type string `json:"type,omitempty"`
}

// Head is an open head of a branch.
type Head struct {
	Rev    int    `json:"rev"`
	Node   string `json:"node"`
	Branch Text   `json:"branch"`
}

// ResolveRevsetParams are the parameters of hg/resolveRevset.
type ResolveRevsetParams struct {
	Place
	Revset Text `json:"revset"`
	Limit  int  `json:"limit,omitempty"` // 0 means all
}

// Revision is a changeset's number and node.
type Revision struct {
	Rev  int    `json:"rev"`
	Node string `json:"node"`
}

// ResolveRevsetResult answers hg/resolveRevset, in the revset's order.
type ResolveRevsetResult struct {
	Revs []Revision `json:"revs"`
	Bound
}

// FilesParams are the parameters of hg/files.
type FilesParams struct {
	Place
	Rev     Text   `json:"rev,omitempty"` // "" means the working directory
	Paths   []Text `json:"paths,omitempty"`
	Include []Text `json:"include,omitempty"`
	Exclude []Text `json:"exclude,omitempty"`
}

// TrackedFile is one file of hg/files. Paths start at the repository's root.
type TrackedFile struct {
	Path  Text   `json:"path"`
	Flags string `json:"flags"` // "", "x" or "l"
	Size  int64  `json:"size"`
}

// FilesResult answers hg/files.
type FilesResult struct {
	Files []TrackedFile `json:"files"`
	Bound
}

// ConflictsParams are the parameters of hg/conflicts.
type ConflictsParams struct{ Place }

// Conflict is a file that took part in the merge that is under way.
type Conflict struct {
	Path   Text   `json:"path"`
	Status string `json:"status"` // "U" unresolved, "R" resolved
}

// ConflictsResult answers hg/conflicts.
type ConflictsResult struct {
	Files []Conflict `json:"files"`
	Bound
}

// ConfigParams are the parameters of hg/config.
type ConfigParams struct {
	Place
	Names []Text `json:"names,omitempty"` // section, or section.name; none means all
}

// ConfigItem is one item of the configuration, and where it comes from.
type ConfigItem struct {
	Name   Text `json:"name"` // section.name
	Value  Text `json:"value"`
	Source Text `json:"source"` // file:line, or what hg calls it
}

// ConfigResult answers hg/config.
type ConfigResult struct {
	Items []ConfigItem `json:"items"`
	Bound
}

// PathsParams are the parameters of hg/paths.
type PathsParams struct{ Place }

// RemotePath is one item of [paths].
type RemotePath struct {
	Name    Text `json:"name"`
	URL     Text `json:"url"`
	PushURL Text `json:"pushUrl,omitempty"`
}

// PathsResult answers hg/paths.
type PathsResult struct {
	Paths []RemotePath `json:"paths"`
	Bound
}

// CopySourceParams are the parameters of hg/copySource.
type CopySourceParams struct {
	Place
	URI Text `json:"uri"`
	Rev Text `json:"rev,omitempty"` // the changeset that may have copied it; "" means the working directory
}

// CopySourceResult answers hg/copySource.
type CopySourceResult struct {
	Source *Text `json:"source"` // from the repository's root; null when it is no copy
	Bound
}

// RenderParams are the parameters of hg/render.
type RenderParams struct {
	Place
	Revset   Text `json:"revset"`
	Template Text `json:"template"`
	Limit    int  `json:"limit,omitempty"`
}

// RenderResult answers hg/render: what `hg log -r revset -T template` prints.
type RenderResult struct {
	Text Text `json:"text"`
	Bound
}
