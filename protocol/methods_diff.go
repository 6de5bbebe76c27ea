// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// MethodDiff compares revisions, or the working directory with one.
const MethodDiff = "hg/diff"

// DiffParams are the parameters of hg/diff; they mean what `hg diff` means by
// the options of these names.
type DiffParams struct {
	Place
	Rev               Text   `json:"rev,omitempty"`
	Rev2              Text   `json:"rev2,omitempty"`
	Change            Text   `json:"change,omitempty"`
	Paths             []Text `json:"paths,omitempty"`
	Include           []Text `json:"include,omitempty"`
	Exclude           []Text `json:"exclude,omitempty"`
	Context           *int   `json:"context,omitempty"` // lines around a change; by default the user's choice, or 3
	Git               *bool  `json:"git,omitempty"`     // unified: git's headers; by default true
	IgnoreAllSpace    bool   `json:"ignoreAllSpace,omitempty"`
	IgnoreSpaceChange bool   `json:"ignoreSpaceChange,omitempty"`
	IgnoreBlankLines  bool   `json:"ignoreBlankLines,omitempty"`
	Format            string `json:"format,omitempty"` // unified (default), hunks, stat
}

// DiffResult answers hg/diff: Text in the format unified, else Files.
type DiffResult struct {
	Text  *Text      `json:"text,omitempty"`
	Files []DiffFile `json:"files,omitempty"`
	Bound
}

// DiffFile is one file that differs.
type DiffFile struct {
	Path    Text       `json:"path"`
	OldPath Text       `json:"oldPath,omitempty"` // of a copy or rename
	Status  string     `json:"status"`            // modified, added, removed, copied, renamed
	Binary  bool       `json:"binary"`
	Added   int        `json:"added"` // lines
	Removed int        `json:"removed"`
	Hunks   []DiffHunk `json:"hunks,omitempty"` // format hunks
}

// DiffHunk is one hunk. Lines start with ' ', '-', '+' or '\\', and have no newline.
type DiffHunk struct {
	LineHunk
	Lines []Text `json:"lines"`
}
