// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// The methods by which a client follows a repository.
const (
	MethodOpen      = "repository/open"
	MethodClose     = "repository/close"
	MethodDidChange = "repository/didChange" // a notification to the client
)

// OpenParams are the parameters of repository/open.
type OpenParams struct{ Place }

// OpenResult answers repository/open. A repository may be opened more than once;
// it is watched until it was closed as often.
type OpenResult struct {
	Root         Text   `json:"root"`
	Store        Text   `json:"store"`            // where the history is: that of another repository for a share
	Requirements []Text `json:"requirements"`     // of .hg/requires and of the store
	Native       bool   `json:"native"`           // whether it is read natively
	Reason       string `json:"reason,omitempty"` // why it is not
	Watched      bool   `json:"watched"`          // repository/didChange will come
	Generation   string `json:"generation"`
}

// CloseParams are the parameters of repository/close.
type CloseParams struct{ Place }

// DidChangeParams are the parameters of repository/didChange. It tells of changes
// in .hg, by whomever; not of files of the working directory, which an editor
// watches itself. One burst of changes, such as a commit, is one notification.
type DidChangeParams struct {
	Root       Text     `json:"root"`
	Generation string   `json:"generation"`
	Kinds      []string `json:"kinds"` // of state, status, refs, commits, conflicts, config; sorted
}
