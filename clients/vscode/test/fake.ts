// SPDX-License-Identifier: GPL-2.0-or-later

import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import type * as vscode from "vscode";
import { URI, Utils } from "vscode-uri";

// As much of the editor as the extension uses: a window whose events a test
// fires, and whose Source Control view and decorations a test reads.

class EventEmitter<T> {
	private readonly listeners = new Set<(e: T) => unknown>();
	readonly event = (listener: (e: T) => unknown, self?: unknown) => {
		const l = (e: T) => listener.call(self, e);
		this.listeners.add(l);
		return new Disposable(() => this.listeners.delete(l));
	};
	fire(e: T): void {
		for (const l of [...this.listeners]) l(e);
	}
	dispose(): void {
		this.listeners.clear();
	}
	get count(): number {
		return this.listeners.size;
	}
}

class Disposable {
	constructor(private readonly undo: () => unknown) {}
	dispose(): void {
		this.undo();
	}
}

class Position {
	constructor(
		readonly line: number,
		readonly character: number,
	) {}
}

class Range {
	constructor(
		readonly start: Position,
		readonly end: Position,
	) {}
}

class Named {
	constructor(readonly id: string) {}
}

class MarkdownString {
	value = "";
	appendText(text: string): this {
		this.value += text;
		return this;
	}
}

class RelativePattern {
	constructor(
		readonly baseUri: vscode.Uri,
		readonly pattern: string,
	) {}
}

class FileSystemError extends Error {
	static FileNotFound(uri: vscode.Uri): FileSystemError {
		return new FileSystemError(`not found: ${uri}`);
	}
	static NoPermissions(uri: vscode.Uri): FileSystemError {
		return new FileSystemError(`not allowed: ${uri}`);
	}
}

interface Group {
	id: string;
	label: string;
	hideWhenEmpty?: boolean;
	resourceStates: vscode.SourceControlResourceState[];
	dispose(): void;
}

export interface Control {
	id: string;
	rootUri: vscode.Uri;
	inputBox: { value: string; placeholder: string };
	count?: number;
	quickDiffProvider?: vscode.QuickDiffProvider;
	statusBarCommands?: vscode.Command[];
	acceptInputCommand?: vscode.Command;
	groups: Group[];
	disposed: boolean;
}

export interface Editor {
	document: vscode.TextDocument;
	selection: { active: Position };
	decorations: vscode.DecorationOptions[];
}

const exe = required("HGBROKER_TEST_EXE");
const tree = required("HGBROKER_TEST_TREE");

function required(name: string): string {
	const value = process.env[name];
	if (!value) throw new Error(`${name} is not set: these tests are run by \`go test ./clients/vscode\``);
	return value;
}

/** Window is one editor window, with a directory, a master and an hg of its own. */
export class Window {
	readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "hgvs")));
	readonly controls: Control[] = [];
	readonly errors: string[] = [];
	readonly logged: string[] = [];
	readonly questions: string[] = [];
	/** how the user answers a question, or picks a label */
	answer: (question: string) => string | undefined = () => undefined;
	readonly saved = new EventEmitter<{ uri: vscode.Uri }>();
	readonly selected = new EventEmitter<{ textEditor: Editor }>();
	readonly activated = new EventEmitter<Editor | undefined>();
	readonly edited = new EventEmitter<{ document: vscode.TextDocument }>();
	readonly configured = new EventEmitter<{ affectsConfiguration(section: string): boolean }>();
	readonly folders = new EventEmitter<unknown>();
	readonly settings: Record<string, unknown>;
	readonly fileEvents = { create: new EventEmitter<vscode.Uri>(), change: new EventEmitter<vscode.Uri>(), delete: new EventEmitter<vscode.Uri>() };
	workspaceFolders: { uri: vscode.Uri; name: string; index: number }[] = [];
	activeTextEditor: Editor | undefined;
	revisions!: vscode.FileSystemProvider;
	private readonly commands = new Map<string, (...args: unknown[]) => unknown>();
	private readonly context = { subscriptions: [] as { dispose(): unknown }[] };
	private extension!: { activate(c: unknown): void; deactivate(): Promise<void> };

	constructor(t: TestContext) {
		mkdirSync(join(this.dir, "rt"), { mode: 0o700 });
		const flags = [`--runtime-dir=${join(this.dir, "rt")}`, `--hg=${join(this.dir, "hg")}`];
		this.settings = { "hgbroker.path": exe, "hgbroker.arguments": flags };
		Object.assign(process.env, { HGRCPATH: "", HGUSER: "test", LC_ALL: "C.UTF-8" });
		this.realHg('echo "no such command: $*" >&2; exit 255');
		t.after(async () => {
			await this.close();
			await new Promise((done) => execFile(exe, ["stop", ...flags], done));
			rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }); // the master is about to end
		});
	}

	/** realHg sets what stands for the real hg. */
	realHg(script: string): void {
		writeFileSync(join(this.dir, "hg"), `#!/bin/sh\n${script}\n`);
		chmodSync(join(this.dir, "hg"), 0o755);
	}

	/** repository unpacks a recorded one. */
	repository(name: string): string {
		const list = JSON.parse(readFileSync(join(tree, "testdata", "repos.json"), "utf8")) as { name: string; dir: string }[];
		const dir = list.find((r) => r.name === name)?.dir;
		if (dir === undefined) throw new Error(`no repository ${name} is recorded`);
		const at = mkdtempSync(join(this.dir, "r"));
		execFileSync("tar", ["xzf", join(tree, "testdata", "repos", `${name}.tar.gz`), "-C", at]);
		return join(at, dir);
	}

	/** open loads the extension as the editor does: the bundle that is shipped, anew. */
	open(...folders: string[]): void {
		this.openFolders(...folders);
		const load = Module as unknown as { _load(name: string, ...rest: unknown[]): unknown };
		const before = load._load;
		const bundle = resolve("out/extension.js");
		try {
			load._load = (name, ...rest) => (name === "vscode" ? this.api() : before(name, ...rest));
			delete require.cache[bundle];
			this.extension = require(bundle);
		} finally {
			load._load = before;
		}
		this.extension.activate(this.context);
	}

	openFolders(...folders: string[]): void {
		this.workspaceFolders = folders.map((f, index) => ({ uri: URI.file(f) as unknown as vscode.Uri, name: f, index }));
		this.folders.fire({});
	}

	async close(): Promise<void> {
		await this.extension?.deactivate();
		for (const s of this.context.subscriptions.splice(0)) s.dispose();
	}

	execute(command: string, ...args: unknown[]): unknown {
		const f = this.commands.get(command);
		if (f === undefined) throw new Error(`no command ${command}`);
		return f(...args);
	}

	/** show opens a document in the editor, with the cursor in a line (from 0). */
	show(path: string, line: number, text?: string): Editor {
		const content = text ?? readFileSync(path, "utf8");
		const lines = content.split("\n");
		const document = {
			uri: URI.file(path),
			version: 1,
			isDirty: text !== undefined,
			getText: () => content,
			lineAt: (n: number) => ({ range: new Range(new Position(n, 0), new Position(n, lines[n]!.length)) }),
		} as unknown as vscode.TextDocument;
		const editor: Editor = { document, selection: { active: new Position(line, 0) }, decorations: [] };
		Object.assign(editor, { setDecorations: (_: unknown, d: vscode.DecorationOptions[]) => (editor.decorations = d) });
		this.activeTextEditor = editor;
		this.activated.fire(editor);
		return editor;
	}

	/** eventually waits until something is true. */
	async eventually(what: string, is: () => boolean): Promise<void> {
		for (const end = Date.now() + 20_000; !is(); ) {
			if (Date.now() > end) throw new Error(`never came true: ${what}\n${this.logged.join("\n")}\n${this.errors.join("\n")}`);
			await new Promise((done) => setTimeout(done, 5));
		}
	}

	private control(id: string, rootUri: vscode.Uri): Control {
		const control: Control = { id, rootUri, inputBox: { value: "", placeholder: "" }, groups: [], disposed: false };
		this.controls.push(control);
		return Object.assign(control, {
			createResourceGroup: (groupId: string, label: string) => {
				const group: Group = { id: groupId, label, resourceStates: [], dispose: () => undefined };
				control.groups.push(group);
				return group;
			},
			dispose: () => (control.disposed = true),
		});
	}

	private api(): unknown {
		const window = this; // eslint-disable-line
		const nothing = () => new Disposable(() => undefined);
		const log = (...words: unknown[]) => void this.logged.push(words.join(" "));
		return {
			version: "0.0.0-test",
			EventEmitter,
			Disposable,
			Position,
			Range,
			MarkdownString,
			RelativePattern,
			FileSystemError,
			ThemeColor: Named,
			ThemeIcon: Named,
			Uri: Object.assign(URI, { joinPath: Utils.joinPath }),
			FileType: { File: 1 },
			FilePermission: { Readonly: 1 },
			FileChangeType: { Changed: 1, Created: 2, Deleted: 3 },
			DecorationRangeBehavior: { OpenOpen: 0 },
			scm: { createSourceControl: (id: string, _label: string, root: vscode.Uri) => this.control(id, root) },
			commands: {
				registerCommand: (name: string, f: (...args: unknown[]) => unknown) => {
					this.commands.set(name, f);
					return new Disposable(() => this.commands.delete(name));
				},
			},
			window: {
				get activeTextEditor() {
					return window.activeTextEditor;
				},
				createOutputChannel: () => ({ info: log, warn: log, error: log, debug: log, dispose: () => undefined }),
				createTextEditorDecorationType: nothing,
				showInputBox: async (o: vscode.InputBoxOptions) => {
					this.questions.push(o.prompt!);
					return this.answer(o.prompt!);
				},
				showQuickPick: async (items: { label: string }[], o: vscode.QuickPickOptions) => {
					this.questions.push(o.placeHolder!);
					const label = this.answer(o.placeHolder!);
					return items.find((i) => i.label === label);
				},
				showErrorMessage: async (m: string) => void this.errors.push(m),
				onDidChangeTextEditorSelection: this.selected.event,
				onDidChangeActiveTextEditor: this.activated.event,
			},
			workspace: {
				get workspaceFolders() {
					return window.workspaceFolders;
				},
				getConfiguration: (section: string) => ({ get: (name: string, otherwise: unknown) => this.settings[`${section}.${name}`] ?? otherwise }),
				createFileSystemWatcher: () => ({
					onDidCreate: this.fileEvents.create.event,
					onDidChange: this.fileEvents.change.event,
					onDidDelete: this.fileEvents.delete.event,
					dispose: () => undefined,
				}),
				registerFileSystemProvider: (_scheme: string, provider: vscode.FileSystemProvider) => {
					this.revisions = provider;
					return nothing();
				},
				onDidSaveTextDocument: this.saved.event,
				onDidChangeTextDocument: this.edited.event,
				onDidChangeConfiguration: this.configured.event,
				onDidChangeWorkspaceFolders: this.folders.event,
			},
		};
	}
}

export const file = (path: string): vscode.Uri => URI.file(path) as unknown as vscode.Uri;
