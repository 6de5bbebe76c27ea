// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// The methods about the lines of one file, which an editor may have changed and
// not saved.
const (
	MethodLineDiff = "hg/lineDiff"
	MethodAnnotate = "hg/annotate"
)

// LineDiffParams are the parameters of hg/lineDiff.
type LineDiffParams struct {
	Place
	URI     Text  `json:"uri"`
	Rev     Text  `json:"rev,omitempty"`     // "" means "."
	Content *Text `json:"content,omitempty"` // the unsaved buffer; without it, the file on disk
}

// LineHunk is a run of lines that differ. Lines count from 1; of no lines, the
// start is the line before them.
type LineHunk struct {
	OldStart int `json:"oldStart"`
	OldLines int `json:"oldLines"`
	NewStart int `json:"newStart"`
	NewLines int `json:"newLines"`
}

// LineDiffResult answers hg/lineDiff.
type LineDiffResult struct {
	Path   Text       `json:"path"` // from the repository's root
	Hunks  []LineHunk `json:"hunks"`
	Binary bool       `json:"binary"` // there are no lines to compare
	Bound
}

// LineRange is lines First to Last, from 1; 0 means from the start, to the end.
type LineRange struct {
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
}

// AnnotateParams are the parameters of hg/annotate.
type AnnotateParams struct {
	Place
	URI              Text       `json:"uri"`
	Rev              Text       `json:"rev,omitempty"`     // "" means "wdir()"
	Content          *Text      `json:"content,omitempty"` // the unsaved buffer, in place of the file on disk
	Range            *LineRange `json:"range,omitempty"`
	Follow           *bool      `json:"follow,omitempty"` // over copies and renames; by default true
	IgnoreWhitespace bool       `json:"ignoreWhitespace,omitempty"`
}

// AnnotatedLine is one line of hg/annotate.
type AnnotatedLine struct {
	Commit int  `json:"commit"`         // counts in commits; -1 for a line that is not committed
	Line   int  `json:"line"`           // its number in that changeset, from 1
	Path   Text `json:"path,omitempty"` // of the file there, when it was another one
}

// AnnotateResult answers hg/annotate: an entry for each line of the range.
type AnnotateResult struct {
	Path    Text            `json:"path"` // from the repository's root
	Binary  bool            `json:"binary"`
	Lines   []AnnotatedLine `json:"lines"`
	Commits []Commit        `json:"commits"`
	Bound
}
