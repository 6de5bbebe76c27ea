// SPDX-License-Identifier: GPL-2.0-or-later

// Made of protocol/schema.json by generate.mjs: do not edit.

import type { CancellationToken } from "vscode-jsonrpc";

/** Bytes: a string when they are UTF-8 (see text.ts). */
export type Text = string | { base64: string };

export interface ProgramInfo {
	name: string;
	version?: string;
}

export interface WorkspaceFolder {
	uri: Text;
	name: string;
}

export interface InitializeOptions {
	fallback?: string;
	encoding?: string;
	config?: Text[];
}

export interface InitializeParams {
	processId: number;
	clientInfo?: ProgramInfo;
	rootUri?: Text | null;
	rootPath?: Text | null;
	workspaceFolders?: WorkspaceFolder[];
	trace?: string;
	capabilities?: unknown;
	initializationOptions?: InitializeOptions;
}

export interface Capabilities {
	methods: string[];
	nativeCommands: string[];
	requirements: string[];
	languages?: Record<string, string[]>;
	fallback: string;
}

export interface InitializeResult {
	serverInfo: ProgramInfo;
	capabilities: Capabilities;
}

export interface CancelRequestParams {
	id: unknown;
}

export interface SetTraceParams {
	value: string;
}

export interface LogTraceParams {
	message: string;
	verbose?: string;
}

export interface WindowLogMessageParams {
	type: number;
	message: string;
}

export interface RunParams {
	args: Text[];
	cwd?: Text;
	repository?: Text;
	env?: Record<string, Text | null>;
	stdin?: Text;
	encoding?: string;
	stream?: boolean;
	timeoutMs?: number;
	workDoneToken?: number | string;
}

export interface RunResult {
	exitCode: number;
	stdout: Text;
	stderr: Text;
	served: string;
	generation?: string;
}

export interface OutputParams {
	id: number | string;
	channel: "out" | "err";
	data: Text;
}

export interface PromptOption {
	value: Text;
	label: Text;
}

export interface PromptParams {
	id: number | string;
	kind: string;
	message: Text;
	choices?: PromptOption[];
	default?: Text | null;
}

export interface EditParams {
	id: number | string;
	text: Text;
	suffix: string;
}

export interface GraphEdge {
	from: number;
	to: number;
	kind: string;
}

export interface GraphRow {
	column: number;
	columns: number;
	edges: GraphEdge[];
}

export interface Commit {
	rev: number;
	node: string;
	parents: string[];
	user: Text;
	date: [number, number];
	branch: Text;
	desc: Text;
	phase: string;
	bookmarks: Text[];
	tags: Text[];
	files?: Text[];
	obsolete?: boolean;
	graph?: GraphRow;
}

export interface WorkDone {
	kind?: string;
	title?: string;
	cancellable?: boolean;
	message?: string;
	percentage?: number;
	commits?: Commit[];
}

export interface ProgressParams {
	token: number | string;
	value: WorkDone;
}

export interface RunBatchParams {
	items: RunParams[];
}

export interface ErrorData {
	kind: string;
	exitCode?: number;
	stderr?: Text;
	hint?: Text;
	files?: Text[];
}

export interface BatchError {
	code: number;
	message: string;
	data?: ErrorData;
}

export interface RunBatchResult {
	results: ({ result?: RunResult; error?: BatchError; })[];
}

export interface Place {
	repository?: Text;
	cwd?: Text;
}

export interface Operation {
	name: string;
	continue?: string;
	abort?: string;
}

export interface StateResult {
	root: Text;
	parents: Commit[];
	branch: Text;
	bookmark?: Text;
	topic?: Text;
	operation?: Operation;
	conflicts: number;
	generation: string;
	served: string;
}

export interface StatusParams {
	repository?: Text;
	cwd?: Text;
	rev?: Text;
	rev2?: Text;
	change?: Text;
	paths?: Text[];
	include?: Text[];
	exclude?: Text[];
	kinds?: string;
	copies?: boolean;
}

export interface FileStatus {
	path: Text;
	status: string;
	copySource?: Text;
}

export interface StatusResult {
	files: FileStatus[];
	generation: string;
	served: string;
}

export interface LogParams {
	repository?: Text;
	cwd?: Text;
	revset?: Text;
	paths?: Text[];
	follow?: boolean;
	limit?: number;
	cursor?: string;
	graph?: boolean;
	fields?: string[];
	partialResultToken?: number | string;
}

export interface LogResult {
	commits: Commit[];
	next?: string;
	generation: string;
	served: string;
}

export interface CatParams {
	repository?: Text;
	cwd?: Text;
	uri: Text;
	rev?: Text;
}

export interface CatResult {
	path: Text;
	content: Text;
	size: number;
	node: string;
	flags: string;
	binary: boolean;
	generation: string;
	served: string;
}

export interface CatItem {
	uri: Text;
	rev?: Text;
}

export interface CatBatchParams {
	repository?: Text;
	cwd?: Text;
	items: CatItem[];
}

export interface CatBatchResult {
	results: ({ result?: CatResult; error?: BatchError; })[];
}

export interface LineDiffParams {
	repository?: Text;
	cwd?: Text;
	uri: Text;
	rev?: Text;
	content?: Text | null;
}

export interface LineHunk {
	oldStart: number;
	oldLines: number;
	newStart: number;
	newLines: number;
}

export interface LineDiffResult {
	path: Text;
	hunks: LineHunk[];
	binary: boolean;
	generation: string;
	served: string;
}

export interface LineRange {
	first?: number;
	last?: number;
}

export interface AnnotateParams {
	repository?: Text;
	cwd?: Text;
	uri: Text;
	rev?: Text;
	content?: Text | null;
	range?: LineRange;
	follow?: boolean | null;
	ignoreWhitespace?: boolean;
}

export interface AnnotatedLine {
	commit: number;
	line: number;
	path?: Text;
}

export interface AnnotateResult {
	path: Text;
	binary: boolean;
	lines: AnnotatedLine[];
	commits: Commit[];
	generation: string;
	served: string;
}

export interface DiffParams {
	repository?: Text;
	cwd?: Text;
	rev?: Text;
	rev2?: Text;
	change?: Text;
	paths?: Text[];
	include?: Text[];
	exclude?: Text[];
	context?: number;
	git?: boolean | null;
	ignoreAllSpace?: boolean;
	ignoreSpaceChange?: boolean;
	ignoreBlankLines?: boolean;
	format?: string;
}

export interface DiffHunk {
	oldStart: number;
	oldLines: number;
	newStart: number;
	newLines: number;
	lines: Text[];
}

export interface DiffFile {
	path: Text;
	oldPath?: Text;
	status: string;
	binary: boolean;
	added: number;
	removed: number;
	hunks?: DiffHunk[];
}

export interface DiffResult {
	text?: Text | null;
	files?: DiffFile[];
	generation: string;
	served: string;
}

export interface RefsParams {
	repository?: Text;
	cwd?: Text;
	kinds?: string[];
}

export interface Branch {
	name: Text;
	rev: number;
	node: string;
	active: boolean;
	closed: boolean;
	current: boolean;
}

export interface Bookmark {
	name: Text;
	rev: number;
	node: string;
	active: boolean;
}

export interface Tag {
	name: Text;
	rev: number;
	node: string;
	type?: string;
}

export interface Head {
	rev: number;
	node: string;
	branch: Text;
}

export interface RefsResult {
	branches?: Branch[];
	bookmarks?: Bookmark[];
	tags?: Tag[];
	heads?: Head[];
	generation: string;
	served: string;
}

export interface ResolveRevsetParams {
	repository?: Text;
	cwd?: Text;
	revset: Text;
	limit?: number;
}

export interface Revision {
	rev: number;
	node: string;
}

export interface ResolveRevsetResult {
	revs: Revision[];
	generation: string;
	served: string;
}

export interface RenderParams {
	repository?: Text;
	cwd?: Text;
	revset: Text;
	template: Text;
	limit?: number;
}

export interface RenderResult {
	text: Text;
	generation: string;
	served: string;
}

export interface FilesParams {
	repository?: Text;
	cwd?: Text;
	rev?: Text;
	paths?: Text[];
	include?: Text[];
	exclude?: Text[];
}

export interface TrackedFile {
	path: Text;
	flags: string;
	size: number;
}

export interface FilesResult {
	files: TrackedFile[];
	generation: string;
	served: string;
}

export interface Conflict {
	path: Text;
	status: string;
}

export interface ConflictsResult {
	files: Conflict[];
	generation: string;
	served: string;
}

export interface ConfigParams {
	repository?: Text;
	cwd?: Text;
	names?: Text[];
}

export interface ConfigItem {
	name: Text;
	value: Text;
	source: Text;
}

export interface ConfigResult {
	items: ConfigItem[];
	generation: string;
	served: string;
}

export interface RemotePath {
	name: Text;
	url: Text;
	pushUrl?: Text;
}

export interface PathsResult {
	paths: RemotePath[];
	generation: string;
	served: string;
}

export interface CopySourceParams {
	repository?: Text;
	cwd?: Text;
	uri: Text;
	rev?: Text;
}

export interface CopySourceResult {
	source: Text | null;
	generation: string;
	served: string;
}

export interface RepositoryOpenResult {
	root: Text;
	store: Text;
	requirements: Text[];
	native: boolean;
	reason?: string;
	watched: boolean;
	generation: string;
}

export interface RepositoryDidChangeParams {
	root: Text;
	generation: string;
	kinds: string[];
}

export interface BrokerFlushParams {
	repository?: Text;
}

/** Every request, with its parameters and its result. */
export interface Requests {
	/** Begins the conversation. */
	"initialize": { params: InitializeParams; result: InitializeResult };
	/** Answered when everything asked before has been answered. */
	"shutdown": { params: undefined; result: unknown };
	/** Runs any hg command line. */
	"hg/run": { params: RunParams; result: RunResult };
	/** Runs command lines in order, those that only read side by side. */
	"hg/runBatch": { params: RunBatchParams; result: RunBatchResult };
	/** What is checked out, and what is under way. */
	"hg/state": { params: Place; result: StateResult };
	/** Files that differ. */
	"hg/status": { params: StatusParams; result: StatusResult };
	/** Changesets. */
	"hg/log": { params: LogParams; result: LogResult };
	/** A file's content in a revision. */
	"hg/cat": { params: CatParams; result: CatResult };
	/** Several files' contents. */
	"hg/catBatch": { params: CatBatchParams; result: CatBatchResult };
	/** Where a file, or an unsaved buffer, differs from a revision. */
	"hg/lineDiff": { params: LineDiffParams; result: LineDiffResult };
	/** Which changeset each line of a file, or of an unsaved buffer, comes from. */
	"hg/annotate": { params: AnnotateParams; result: AnnotateResult };
	/** What changed, as text, as hunks or in numbers. */
	"hg/diff": { params: DiffParams; result: DiffResult };
	/** Branches, bookmarks, tags and heads. */
	"hg/refs": { params: RefsParams; result: RefsResult };
	/** The changesets that a revset names. */
	"hg/resolveRevset": { params: ResolveRevsetParams; result: ResolveRevsetResult };
	/** Changesets in a template. */
	"hg/render": { params: RenderParams; result: RenderResult };
	/** Tracked files. */
	"hg/files": { params: FilesParams; result: FilesResult };
	/** Files of the merge that is under way. */
	"hg/conflicts": { params: Place; result: ConflictsResult };
	/** The configuration, with its sources. */
	"hg/config": { params: ConfigParams; result: ConfigResult };
	/** Remote repositories that have a name. */
	"hg/paths": { params: Place; result: PathsResult };
	/** What a file was copied or renamed from. */
	"hg/copySource": { params: CopySourceParams; result: CopySourceResult };
	/** Follows a repository. */
	"repository/open": { params: Place; result: RepositoryOpenResult };
	/** Follows it no longer. */
	"repository/close": { params: Place; result: unknown };
	/** What broker and master hold and did. */
	"broker/stats": { params: undefined; result: unknown };
	/** Drops cached repositories. */
	"broker/flush": { params: BrokerFlushParams; result: unknown };
}

/** What the broker may ask us, with parameters and answer. */
export interface Questions {
	/** Asks the user what hg asks. Sent to a client that can answer. */
	"hg/prompt": { params: PromptParams; result: Text | null };
	/** Has the user edit a text for hg. Sent to a client that can. */
	"hg/edit": { params: EditParams; result: Text | null };
}

/** Every notification of the broker's, with its parameters. */
export interface Notifications {
	/** How a request went. */
	"$/logTrace": LogTraceParams;
	/** Something a user may want to know. */
	"window/logMessage": WindowLogMessageParams;
	/** A piece of a streamed hg/run's output. */
	"hg/output": OutputParams;
	/** How far a request with a workDoneToken is; a part of the result, with a partialResultToken. */
	"$/progress": ProgressParams;
	/** A repository that is followed has changed. */
	"repository/didChange": RepositoryDidChangeParams;
}

/** A method for each request. Cancelling the token makes it fail with code -32800. */
export abstract class Methods {
	abstract request<M extends keyof Requests>(method: M, params: Requests[M]["params"], token?: CancellationToken): Promise<Requests[M]["result"]>;

	/** hg/run: Runs any hg command line. */
	run(params: RunParams, token?: CancellationToken): Promise<RunResult> {
		return this.request("hg/run", params, token);
	}

	/** hg/runBatch: Runs command lines in order, those that only read side by side. */
	runBatch(params: RunBatchParams, token?: CancellationToken): Promise<RunBatchResult> {
		return this.request("hg/runBatch", params, token);
	}

	/** hg/state: What is checked out, and what is under way. */
	state(params: Place = {}, token?: CancellationToken): Promise<StateResult> {
		return this.request("hg/state", params, token);
	}

	/** hg/status: Files that differ. */
	status(params: StatusParams = {}, token?: CancellationToken): Promise<StatusResult> {
		return this.request("hg/status", params, token);
	}

	/** hg/log: Changesets. */
	log(params: LogParams = {}, token?: CancellationToken): Promise<LogResult> {
		return this.request("hg/log", params, token);
	}

	/** hg/cat: A file's content in a revision. */
	cat(params: CatParams, token?: CancellationToken): Promise<CatResult> {
		return this.request("hg/cat", params, token);
	}

	/** hg/catBatch: Several files' contents. */
	catBatch(params: CatBatchParams, token?: CancellationToken): Promise<CatBatchResult> {
		return this.request("hg/catBatch", params, token);
	}

	/** hg/lineDiff: Where a file, or an unsaved buffer, differs from a revision. */
	lineDiff(params: LineDiffParams, token?: CancellationToken): Promise<LineDiffResult> {
		return this.request("hg/lineDiff", params, token);
	}

	/** hg/annotate: Which changeset each line of a file, or of an unsaved buffer, comes from. */
	annotate(params: AnnotateParams, token?: CancellationToken): Promise<AnnotateResult> {
		return this.request("hg/annotate", params, token);
	}

	/** hg/diff: What changed, as text, as hunks or in numbers. */
	diff(params: DiffParams = {}, token?: CancellationToken): Promise<DiffResult> {
		return this.request("hg/diff", params, token);
	}

	/** hg/refs: Branches, bookmarks, tags and heads. */
	refs(params: RefsParams = {}, token?: CancellationToken): Promise<RefsResult> {
		return this.request("hg/refs", params, token);
	}

	/** hg/resolveRevset: The changesets that a revset names. */
	resolveRevset(params: ResolveRevsetParams, token?: CancellationToken): Promise<ResolveRevsetResult> {
		return this.request("hg/resolveRevset", params, token);
	}

	/** hg/render: Changesets in a template. */
	render(params: RenderParams, token?: CancellationToken): Promise<RenderResult> {
		return this.request("hg/render", params, token);
	}

	/** hg/files: Tracked files. */
	files(params: FilesParams = {}, token?: CancellationToken): Promise<FilesResult> {
		return this.request("hg/files", params, token);
	}

	/** hg/conflicts: Files of the merge that is under way. */
	conflicts(params: Place = {}, token?: CancellationToken): Promise<ConflictsResult> {
		return this.request("hg/conflicts", params, token);
	}

	/** hg/config: The configuration, with its sources. */
	config(params: ConfigParams = {}, token?: CancellationToken): Promise<ConfigResult> {
		return this.request("hg/config", params, token);
	}

	/** hg/paths: Remote repositories that have a name. */
	paths(params: Place = {}, token?: CancellationToken): Promise<PathsResult> {
		return this.request("hg/paths", params, token);
	}

	/** hg/copySource: What a file was copied or renamed from. */
	copySource(params: CopySourceParams, token?: CancellationToken): Promise<CopySourceResult> {
		return this.request("hg/copySource", params, token);
	}

	/** repository/open: Follows a repository. */
	openRepository(params: Place = {}, token?: CancellationToken): Promise<RepositoryOpenResult> {
		return this.request("repository/open", params, token);
	}

	/** repository/close: Follows it no longer. */
	closeRepository(params: Place = {}, token?: CancellationToken): Promise<unknown> {
		return this.request("repository/close", params, token);
	}

	/** broker/stats: What broker and master hold and did. */
	stats(token?: CancellationToken): Promise<unknown> {
		return this.request("broker/stats", undefined, token);
	}

	/** broker/flush: Drops cached repositories. */
	flush(params: BrokerFlushParams = {}, token?: CancellationToken): Promise<unknown> {
		return this.request("broker/flush", params, token);
	}
}
