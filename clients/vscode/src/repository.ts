// SPDX-License-Identifier: GPL-2.0-or-later

import { type FileStatus, type StateResult, type Text, bytes, failureKind, sameText, shown } from "hgbroker-client";
import * as vscode from "vscode";
import { inRevision } from "./revisions";
import type { Service } from "./service";

/** How many files a group shows at most; an editor with more does not answer any more. */
const mostShown = 5000;
/** How long a burst of events on files may go on before it is looked at. */
const burstMs = 100;

const words: Record<string, { text: string; icon: string }> = {
	M: { text: "Modified", icon: "diff-modified" },
	A: { text: "Added", icon: "diff-added" },
	R: { text: "Removed", icon: "diff-removed" },
	"!": { text: "Missing", icon: "diff-removed" },
	"?": { text: "Not tracked", icon: "question" },
	U: { text: "Unresolved conflict", icon: "warning" },
};

/** Repository is one checkout in the Source Control view. */
export class Repository implements vscode.Disposable, vscode.QuickDiffProvider {
	readonly control: vscode.SourceControl;
	private readonly conflicts: vscode.SourceControlResourceGroup;
	private readonly changes: vscode.SourceControlResourceGroup;
	private readonly untracked: vscode.SourceControlResourceGroup;
	private readonly held: vscode.Disposable[] = [];
	private files = new Map<string, FileStatus>(); // by path from the root
	private looking: Promise<void> | undefined;
	private again = false;
	private burst: NodeJS.Timeout | undefined;
	private disposed = false;
	private canonical: Text; // the root as the broker spells it

	constructor(
		private readonly service: Service,
		readonly root: string,
		private readonly log: vscode.LogOutputChannel,
	) {
		const uri = vscode.Uri.file(root);
		this.canonical = root;
		this.control = vscode.scm.createSourceControl("hgbroker", "Mercurial", uri);
		this.control.quickDiffProvider = this;
		this.control.acceptInputCommand = { command: "hgbroker.commit", title: "Commit", arguments: [this.control] };
		this.control.inputBox.placeholder = "Message (commits all changes)";
		this.conflicts = this.control.createResourceGroup("conflicts", "Conflicts");
		this.changes = this.control.createResourceGroup("changes", "Changes");
		this.untracked = this.control.createResourceGroup("untracked", "Not Tracked");
		this.conflicts.hideWhenEmpty = this.untracked.hideWhenEmpty = true;
		const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(uri, "**"));
		const touched = (file: vscode.Uri) => {
			const path = this.pathOf(file);
			if (path !== undefined && path !== ".hg" && !path.startsWith(".hg/")) this.soon();
		};
		this.held.push(
			this.control,
			this.conflicts,
			this.changes,
			this.untracked,
			watcher,
			watcher.onDidCreate(touched),
			watcher.onDidChange(touched),
			watcher.onDidDelete(touched),
			vscode.workspace.onDidSaveTextDocument((d) => {
				if (this.pathOf(d.uri) !== undefined) void this.refresh();
			}),
		);
	}

	/** follow asks a broker to tell of changes, and looks. */
	async follow(): Promise<void> {
		const opened = await (await this.service.broker()).openRepository({ repository: this.root });
		this.canonical = opened.root;
		if (!opened.native) this.log.info(`${this.root} is read by hg: ${opened.reason ?? ""}`);
		if (!opened.watched) this.log.warn(`${this.root}: changes by others are not noticed`);
		await this.refresh();
	}

	/** pathOf is the path from the root, undefined for what is not below it. */
	pathOf(file: vscode.Uri): string | undefined {
		const prefix = this.root.endsWith("/") ? this.root : this.root + "/";
		return file.scheme === "file" && file.fsPath.startsWith(prefix) ? file.fsPath.slice(prefix.length) : undefined;
	}

	private soon(): void {
		this.burst ??= setTimeout(() => {
			this.burst = undefined;
			void this.refresh();
		}, burstMs);
	}

	/** refresh looks at the repository; asked while it looks, it looks once more. */
	refresh(): Promise<void> {
		if (this.looking !== undefined) {
			this.again = true;
			return this.looking;
		}
		this.looking = (async () => {
			do {
				this.again = false;
				try {
					await this.look();
				} catch (e) {
					if (!this.disposed) this.log.error(`${this.root}: ${e}`);
				}
			} while (this.again && !this.disposed);
		})().finally(() => (this.looking = undefined));
		return this.looking;
	}

	private async look(): Promise<void> {
		const broker = await this.service.broker();
		const place = { repository: this.root };
		const [state, status] = await Promise.all([broker.state(place), broker.status({ ...place, copies: true })]);
		const merging = state.operation !== undefined || state.conflicts > 0;
		const unresolved = merging ? (await broker.conflicts(place)).files.filter((f) => f.status === "U") : [];
		if (this.disposed) return;
		this.files = new Map(status.files.map((f) => [shown(f.path), f]));
		const conflicting = new Set(unresolved.map((f) => shown(f.path)));
		const rest = status.files.filter((f) => !conflicting.has(shown(f.path)));
		const untracked = rest.filter((f) => f.status === "?");
		const changed = rest.filter((f) => f.status !== "?");
		this.show(this.conflicts, unresolved);
		this.show(this.changes, changed);
		this.show(this.untracked, untracked);
		this.control.count = unresolved.length + changed.length + untracked.length;
		this.control.statusBarCommands = [{ command: "hgbroker.refresh", title: title(state), tooltip: tooltip(state), arguments: [this.control] }];
	}

	private show(group: vscode.SourceControlResourceGroup, files: FileStatus[]): void {
		group.resourceStates = files.slice(0, mostShown).map((f) => this.resource(f));
	}

	private resource(f: FileStatus): vscode.SourceControlResourceState {
		const word = words[f.status] ?? words["M"]!;
		const source = f.copySource === undefined ? "" : ` from ${shown(f.copySource)}`;
		const resourceUri = this.uri(shown(f.path));
		return {
			resourceUri,
			contextValue: f.status,
			command: typeof f.path === "string" ? this.opening(f, resourceUri) : undefined, // the editor cannot name other files
			decorations: { tooltip: word.text + source, iconPath: new vscode.ThemeIcon(word.icon), strikeThrough: f.status === "R" || f.status === "!" },
		};
	}

	private opening(f: FileStatus, file: vscode.Uri): vscode.Command {
		const original = inRevision(this.root, f.copySource === undefined ? file : this.uri(shown(f.copySource)));
		switch (f.status) {
			case "R":
			case "!":
				return { command: "vscode.open", title: "Open", arguments: [original] };
			case "?":
			case "U":
				return { command: "vscode.open", title: "Open", arguments: [file] };
			case "A":
				if (f.copySource === undefined) return { command: "vscode.open", title: "Open", arguments: [file] };
		}
		const name = shown(f.path).split("/").pop()!;
		return { command: "vscode.diff", title: "Open Changes", arguments: [original, file, `${name} (${words[f.status]?.text ?? f.status})`] };
	}

	private uri(path: string): vscode.Uri {
		return vscode.Uri.joinPath(vscode.Uri.file(this.root), ...path.split("/"));
	}

	/** provideOriginalResource tells the editor what to compare a file with. */
	async provideOriginalResource(file: vscode.Uri, token?: vscode.CancellationToken): Promise<vscode.Uri | undefined> {
		const path = this.pathOf(file);
		if (path === undefined) return undefined;
		const source = this.files.get(path)?.copySource;
		if (source !== undefined) return typeof source === "string" ? inRevision(this.root, this.uri(source)) : undefined;
		try {
			const broker = await this.service.broker();
			const { files } = await broker.files({ repository: this.root, rev: ".", paths: [path] }, token);
			return files.some((f) => f.path === path) ? inRevision(this.root, file) : undefined;
		} catch (e) {
			this.log.debug(`${path} has no original: ${e}`);
			return undefined;
		}
	}

	/** commit commits what is changed, with the message of the input box; the real hg does it. */
	async commit(): Promise<void> {
		const message = this.control.inputBox.value;
		if (message.trim() === "") {
			void vscode.window.showErrorMessage("A commit needs a message.");
			return;
		}
		try {
			const broker = await this.service.broker();
			const { exitCode, stdout, stderr } = await broker.run({ args: ["commit", `--message=${message}`], cwd: this.root, env: { HGPLAIN: "1" } });
			if (exitCode === 0) this.control.inputBox.value = "";
			else void vscode.window.showErrorMessage((shown(stderr) + shown(stdout)).trim());
		} catch (e) {
			const why = failureKind(e) === "Unsupported" ? "hgbroker found no hg to commit with." : `${e}`;
			void vscode.window.showErrorMessage(why);
		}
		await this.refresh();
	}

	/** is tells whether a notification is about this repository. */
	is(root: Text): boolean {
		return sameText(root, this.canonical);
	}

	dispose(): void {
		this.disposed = true;
		clearTimeout(this.burst);
		for (const d of this.held) d.dispose();
	}
}

function title(s: StateResult): string {
	const parts = [shown(s.branch)];
	if (s.topic !== undefined && bytes(s.topic).length > 0) parts.push(shown(s.topic));
	if (s.bookmark !== undefined) parts.push(shown(s.bookmark));
	const under = s.operation === undefined ? "" : ` (${s.operation.name})`;
	return `$(git-branch) ${parts.join(" · ")}${under}`;
}

function tooltip(s: StateResult): string {
	const lines = s.parents.map((p) => `${p.rev}:${p.node.slice(0, 12)} ${shown(p.desc).split("\n")[0]}`);
	if (s.operation?.continue !== undefined) lines.push(`goes on with: ${s.operation.continue}`);
	if (s.operation?.abort !== undefined) lines.push(`is given up with: ${s.operation.abort}`);
	return lines.join("\n");
}
