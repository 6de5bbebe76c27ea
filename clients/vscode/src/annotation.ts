// SPDX-License-Identifier: GPL-2.0-or-later

import { type Commit, CancellationTokenSource, shown } from "hgbroker-client";
import * as vscode from "vscode";
import { ago } from "./ago";
import type { Repository } from "./repository";
import type { Service } from "./service";

/** A hand that rests this long wants to know. */
const restMs = 120;

/** Annotation shows at the end of the current line who wrote it, and when. */
export class Annotation implements vscode.Disposable {
	private readonly style = vscode.window.createTextEditorDecorationType({
		after: { margin: "0 0 0 3em", color: new vscode.ThemeColor("editorCodeLens.foreground") },
		rangeBehavior: vscode.DecorationRangeBehavior.OpenOpen,
	});
	private readonly held: vscode.Disposable[];
	private asking: CancellationTokenSource | undefined;
	private rest: NodeJS.Timeout | undefined;
	private at = ""; // document, version and line that are shown

	constructor(
		private readonly service: Service,
		private readonly repositoryOf: (file: vscode.Uri) => Repository | undefined,
		private readonly log: vscode.LogOutputChannel,
	) {
		this.held = [
			this.style,
			vscode.window.onDidChangeTextEditorSelection((e) => this.moved(e.textEditor)),
			vscode.window.onDidChangeActiveTextEditor((e) => this.moved(e)),
			vscode.workspace.onDidChangeTextDocument((e) => {
				const editor = vscode.window.activeTextEditor;
				if (editor !== undefined && e.document === editor.document) this.moved(editor);
			}),
			vscode.workspace.onDidChangeConfiguration((e) => {
				if (e.affectsConfiguration("hgbroker.annotateLine")) this.refresh();
			}),
		];
		this.refresh();
	}

	/** refresh asks anew, because the repository or the settings have changed. */
	refresh(): void {
		this.at = "";
		this.moved(vscode.window.activeTextEditor);
	}

	private moved(editor: vscode.TextEditor | undefined): void {
		if (editor === undefined || editor !== vscode.window.activeTextEditor) return;
		const { document, selection } = editor;
		const at = `${document.uri} ${document.version} ${document.isDirty} ${selection.active.line}`;
		if (at === this.at) return;
		this.at = at;
		this.asking?.cancel();
		clearTimeout(this.rest);
		editor.setDecorations(this.style, []);
		const repository = this.repositoryOf(document.uri);
		if (repository === undefined || !vscode.workspace.getConfiguration("hgbroker").get<boolean>("annotateLine", true)) return;
		this.rest = setTimeout(() => void this.ask(editor, repository), restMs);
	}

	private async ask(editor: vscode.TextEditor, repository: Repository): Promise<void> {
		const asking = (this.asking = new CancellationTokenSource());
		const { document } = editor;
		const line = editor.selection.active.line;
		try {
			const broker = await this.service.broker();
			const { lines, commits } = await broker.annotate(
				{
					repository: repository.root,
					uri: document.uri.fsPath,
					content: document.isDirty ? document.getText() : undefined,
					range: { first: line + 1, last: line + 1 },
				},
				asking.token,
			);
			if (asking.token.isCancellationRequested || lines[0] === undefined) return;
			const commit = commits[lines[0].commit];
			const end = document.lineAt(line).range.end;
			editor.setDecorations(this.style, [
				{
					range: new vscode.Range(end, end),
					renderOptions: { after: { contentText: commit === undefined ? "not committed" : summary(commit, Date.now()) } },
					hoverMessage: commit === undefined ? undefined : details(commit),
				},
			]);
		} catch (e) {
			if (!asking.token.isCancellationRequested) this.log.debug(`${document.uri}: ${e}`); // not tracked, for example
		} finally {
			asking.dispose();
			if (this.asking === asking) this.asking = undefined;
		}
	}

	dispose(): void {
		clearTimeout(this.rest);
		this.asking?.cancel();
		for (const d of this.held) d.dispose();
	}
}

function summary(c: Commit, now: number): string {
	const person = shown(c.user).replace(/\s*<[^>]*>$/, "");
	return `${person}, ${ago(c.date[0], now)} · ${shown(c.desc).split("\n")[0]}`;
}

function details(c: Commit): vscode.MarkdownString {
	// As text: a description is not trusted.
	return new vscode.MarkdownString().appendText(`${c.rev}:${c.node.slice(0, 12)}  ${shown(c.user)}\n\n${shown(c.desc)}`);
}
