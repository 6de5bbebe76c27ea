// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// Method describes a method for people and for tools: protocol/schema.json is
// made of this table.
type Method struct {
	Name   string
	Doc    string // one line
	Params any    // a value of the type; nil when there are none
	Result any    // a value of the type; nil for a notification, or when anything may come
	ToUs   bool   // from the client; false: to the client
	Notif  bool
}

// Methods are all methods of the client's wire.
var Methods = []Method{
	{Name: MethodInitialize, Doc: "Begins the conversation.", Params: InitializeParams{}, Result: InitializeResult{}, ToUs: true},
	{Name: MethodInitialized, Doc: "The client has the answer of initialize.", ToUs: true, Notif: true},
	{Name: MethodShutdown, Doc: "Answered when everything asked before has been answered.", ToUs: true},
	{Name: MethodExit, Doc: "Ends the broker.", ToUs: true, Notif: true},
	{Name: MethodCancel, Doc: "Ends a request early; its answer is then an error.", Params: CancelParams{}, ToUs: true, Notif: true},
	{Name: MethodSetTrace, Doc: "Asks for $/logTrace.", Params: SetTraceParams{}, ToUs: true, Notif: true},
	{Name: MethodLogTrace, Doc: "How a request went.", Params: LogTraceParams{}, Notif: true},
	{Name: MethodLogMessage, Doc: "Something a user may want to know.", Params: LogMessageParams{}, Notif: true},

	{Name: MethodRun, Doc: "Runs any hg command line.", Params: RunParams{}, Result: RunResult{}, ToUs: true},
	{Name: MethodOutput, Doc: "A piece of a streamed hg/run's output.", Params: Output{}, Notif: true},
	{Name: MethodPrompt, Doc: "Asks the user what hg asks. Sent to a client that can answer.", Params: PromptParams{}, Result: (*Text)(nil)},
	{Name: MethodEdit, Doc: "Has the user edit a text for hg. Sent to a client that can.", Params: EditParams{}, Result: (*Text)(nil)},
	{Name: MethodProgress, Doc: "How far a request with a workDoneToken is; a part of the result, with a partialResultToken.", Params: ProgressParams{}, Notif: true},
	{Name: MethodRunBatch, Doc: "Runs command lines in order, those that only read side by side.", Params: RunBatchParams{}, Result: RunBatchResult{}, ToUs: true},
	{Name: MethodState, Doc: "What is checked out, and what is under way.", Params: StateParams{}, Result: StateResult{}, ToUs: true},
	{Name: MethodStatus, Doc: "Files that differ.", Params: StatusParams{}, Result: StatusResult{}, ToUs: true},
	{Name: MethodLog, Doc: "Changesets.", Params: LogParams{}, Result: LogResult{}, ToUs: true},
	{Name: MethodCat, Doc: "A file's content in a revision.", Params: CatParams{}, Result: CatResult{}, ToUs: true},
	{Name: MethodCatBatch, Doc: "Several files' contents.", Params: CatBatchParams{}, Result: CatBatchResult{}, ToUs: true},
	{Name: MethodLineDiff, Doc: "Where a file, or an unsaved buffer, differs from a revision.", Params: LineDiffParams{}, Result: LineDiffResult{}, ToUs: true},
	{Name: MethodAnnotate, Doc: "Which changeset each line of a file, or of an unsaved buffer, comes from.", Params: AnnotateParams{}, Result: AnnotateResult{}, ToUs: true},
	{Name: MethodDiff, Doc: "What changed, as text, as hunks or in numbers.", Params: DiffParams{}, Result: DiffResult{}, ToUs: true},
	{Name: MethodRefs, Doc: "Branches, bookmarks, tags and heads.", Params: RefsParams{}, Result: RefsResult{}, ToUs: true},
	{Name: MethodResolveRevset, Doc: "The changesets that a revset names.", Params: ResolveRevsetParams{}, Result: ResolveRevsetResult{}, ToUs: true},
	{Name: MethodRender, Doc: "Changesets in a template.", Params: RenderParams{}, Result: RenderResult{}, ToUs: true},
	{Name: MethodFiles, Doc: "Tracked files.", Params: FilesParams{}, Result: FilesResult{}, ToUs: true},
	{Name: MethodConflicts, Doc: "Files of the merge that is under way.", Params: ConflictsParams{}, Result: ConflictsResult{}, ToUs: true},
	{Name: MethodConfig, Doc: "The configuration, with its sources.", Params: ConfigParams{}, Result: ConfigResult{}, ToUs: true},
	{Name: MethodPaths, Doc: "Remote repositories that have a name.", Params: PathsParams{}, Result: PathsResult{}, ToUs: true},
	{Name: MethodCopySource, Doc: "What a file was copied or renamed from.", Params: CopySourceParams{}, Result: CopySourceResult{}, ToUs: true},

	{Name: MethodOpen, Doc: "Follows a repository.", Params: OpenParams{}, Result: OpenResult{}, ToUs: true},
	{Name: MethodClose, Doc: "Follows it no longer.", Params: CloseParams{}, ToUs: true},
	{Name: MethodDidChange, Doc: "A repository that is followed has changed.", Params: DidChangeParams{}, Notif: true},

	{Name: MethodStats, Doc: "What broker and master hold and did.", ToUs: true},
	{Name: MethodFlush, Doc: "Drops cached repositories.", Params: FlushParams{}, ToUs: true},
}
