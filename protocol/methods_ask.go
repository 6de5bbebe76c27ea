// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import "encoding/json"

// What the real hg asks a person, the client is asked. These are requests to the
// client, with ids of the broker's own (numbers); $/cancelRequest follows when the
// answer is not wanted any more. A client says in initialize which of them it can
// answer: capabilities.experimental.hgbroker {"prompt": true, "edit": true}.
const (
	MethodPrompt   = "hg/prompt"
	MethodEdit     = "hg/edit"
	MethodProgress = "$/progress" // a notification to the client; LSP's
)

// ClientCapabilities are LSP's, as far as the broker looks at them.
type ClientCapabilities struct {
	Experimental struct {
		Hgbroker InteractiveClient `json:"hgbroker"`
	} `json:"experimental"`
}

// InteractiveClient says what a client can be asked.
type InteractiveClient struct {
	Prompt bool `json:"prompt,omitempty"`
	Edit   bool `json:"edit,omitempty"`
}

// Kinds of a prompt.
const (
	PromptChoice   = "choice"   // the answer is the value of a choice
	PromptConfirm  = "confirm"  // a choice of "y" and "n"
	PromptText     = "text"     // any line
	PromptPassword = "password" // any line, not to be shown
)

// PromptParams are the parameters of hg/prompt. The result is the answer, one
// line without its end; "" stands for the default. null is no answer: hg aborts
// with "response expected". An error as the answer means that nobody can be asked:
// hg goes on with the default, as it does without a terminal.
type PromptParams struct {
	ID      json.RawMessage `json:"id"` // of the request that asks, hg/run or hg/runBatch
	Kind    string          `json:"kind"`
	Message Text            `json:"message"`
	Choices []PromptOption  `json:"choices,omitempty"` // of choice and confirm
	Default *Text           `json:"default,omitempty"`
}

// PromptOption is one answer to choose.
type PromptOption struct {
	Value Text `json:"value"` // usually one letter
	Label Text `json:"label"`
}

// EditParams are the parameters of hg/edit: hg would open an editor with the
// text. The result is the edited text, or null: hg gives up what it was about to
// do. An error as the answer is taken for null.
type EditParams struct {
	ID     json.RawMessage `json:"id"` // as in PromptParams
	Text   Text            `json:"text"`
	Suffix string          `json:"suffix"` // of the file's name: ".commit.hg.txt", ".diff", ...; it tells the syntax
}

// ProgressParams are LSP's.
type ProgressParams struct {
	Token json.RawMessage `json:"token"` // the request's workDoneToken or partialResultToken
	Value Progress        `json:"value"`
}

// Progress is LSP's WorkDoneProgressBegin, -Report and -End in one, for a
// workDoneToken; or a part of a result, for a partialResultToken.
type Progress struct {
	Kind        string `json:"kind,omitempty"`  // begin, report, end
	Title       string `json:"title,omitempty"` // of begin: hg and the command's name
	Cancellable bool   `json:"cancellable,omitempty"`
	Message     string `json:"message,omitempty"` // hg's topic, position and item
	Percentage  *int   `json:"percentage,omitempty"`

	Commits []Commit `json:"commits,omitempty"` // the next ones of hg/log
}

// ValidToken tells whether t is a ProgressToken of LSP's, an integer or a string.
func ValidToken(t json.RawMessage) bool {
	if len(t) == 0 || string(t) == "null" {
		return false
	}
	_, ok := checkID(t)
	return ok
}
