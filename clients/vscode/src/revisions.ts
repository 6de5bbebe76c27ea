// SPDX-License-Identifier: GPL-2.0-or-later

import { type CatResult, bytes, failureKind } from "hgbroker-client";
import * as vscode from "vscode";
import type { Service } from "./service";

export const scheme = "hgbroker";

/** How many contents are kept, for the stat before the read. */
const mostKept = 32;

/** inRevision is the file as it is in a revision; the name is for people. */
export function inRevision(root: string, file: vscode.Uri, rev = "."): vscode.Uri {
	return file.with({ scheme, query: JSON.stringify({ root, rev }) });
}

interface Asked {
	root: string;
	rev: string;
	answer: Promise<CatResult>;
}

/**
 * Revisions serves files of revisions to the editor, as bytes, so that the
 * editor decodes them like the file in the working directory.
 */
export class Revisions implements vscode.FileSystemProvider {
	private readonly kept = new Map<string, Asked>();
	private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
	private time = Date.now();

	readonly onDidChangeFile = this.changed.event;

	constructor(private readonly service: Service) {}

	/** refresh forgets what depends on the checkout of a repository. */
	refresh(root: string): void {
		this.time = Math.max(Date.now(), this.time + 1);
		const stale = [...this.kept].filter(([, a]) => a.root === root && a.rev === ".").map(([uri]) => uri);
		for (const uri of stale) this.kept.delete(uri);
		if (stale.length > 0) this.changed.fire(stale.map((uri) => ({ type: vscode.FileChangeType.Changed, uri: vscode.Uri.parse(uri) })));
	}

	private cat(uri: vscode.Uri): Promise<CatResult> {
		const key = uri.toString();
		const before = this.kept.get(key);
		if (before !== undefined) return before.answer;
		const { root, rev } = JSON.parse(uri.query) as { root: string; rev: string };
		const answer = this.service
			.broker()
			.then((b) => b.cat({ repository: root, uri: uri.fsPath, rev }))
			.catch((e: unknown) => {
				if (this.kept.get(key)?.answer === answer) this.kept.delete(key);
				throw failureKind(e) === "FileNotInRevision" ? vscode.FileSystemError.FileNotFound(uri) : e;
			});
		this.kept.set(key, { root, rev, answer });
		for (const oldest of this.kept.keys()) {
			if (this.kept.size <= mostKept) break;
			this.kept.delete(oldest);
		}
		return answer;
	}

	async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
		const { size } = await this.cat(uri);
		return { type: vscode.FileType.File, ctime: 0, mtime: this.time, size, permissions: vscode.FilePermission.Readonly };
	}

	async readFile(uri: vscode.Uri): Promise<Uint8Array> {
		return bytes((await this.cat(uri)).content);
	}

	watch(): vscode.Disposable {
		return new vscode.Disposable(() => undefined);
	}

	readDirectory(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}
	createDirectory(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}
	writeFile(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}
	delete(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}
	rename(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}
}
