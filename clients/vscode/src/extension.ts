// SPDX-License-Identifier: GPL-2.0-or-later

import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Text, shown } from "hgbroker-client";
import * as vscode from "vscode";
import { Annotation } from "./annotation";
import { prompt } from "./prompt";
import { Repository } from "./repository";
import { Revisions, scheme } from "./revisions";
import { Service } from "./service";

let current: Service | undefined;

export function activate(context: vscode.ExtensionContext): void {
	const log = vscode.window.createOutputChannel("hgbroker", { log: true });
	const service = new Service(() => {
		const settings = vscode.workspace.getConfiguration("hgbroker");
		return {
			executable: settings.get<string>("path", "hgbroker"),
			args: settings.get<string[]>("arguments", []),
			clientInfo: { name: "Visual Studio Code", version: vscode.version },
			initializationOptions: { encoding: "UTF-8" },
			answers: { "hg/prompt": prompt },
		};
	}, log);
	current = service;
	const revisions = new Revisions(service);
	const repositories = new Repositories(service, log);
	const annotation = new Annotation(service, (file) => repositories.of(file), log);
	const find = async () => {
		await repositories.find();
		annotation.refresh();
	};
	context.subscriptions.push(
		log,
		service,
		repositories,
		annotation,
		vscode.workspace.registerFileSystemProvider(scheme, revisions, { isReadonly: true, isCaseSensitive: true }),
		vscode.workspace.onDidChangeWorkspaceFolders(find),
		service.onDidChange((change) => {
			for (const repository of repositories.at(change.root)) {
				revisions.refresh(repository.root);
				void repository.refresh();
			}
			annotation.refresh();
		}),
		service.onLost(() => void repositories.followAll()),
		vscode.commands.registerCommand("hgbroker.refresh", () => repositories.refreshAll()),
		vscode.commands.registerCommand("hgbroker.commit", (control?: vscode.SourceControl) => repositories.by(control)?.commit()),
		vscode.commands.registerCommand("hgbroker.restart", async () => {
			await service.stop();
			await repositories.followAll();
			await find();
		}),
	);
	void find();
}

export async function deactivate(): Promise<void> {
	await current?.end();
	current = undefined;
}

/** Repositories are those that the folders of the window are in. */
class Repositories implements vscode.Disposable {
	private readonly known = new Map<string, Repository>(); // by root, as the editor spells it
	private finding: Promise<void> = Promise.resolve();

	constructor(
		private readonly service: Service,
		private readonly log: vscode.LogOutputChannel,
	) {}

	/** find takes up new repositories and leaves those whose folders were closed. */
	find(): Promise<void> {
		return (this.finding = this.finding.then(() => this.findNow()));
	}

	private async findNow(): Promise<void> {
		const roots = new Set<string>();
		for (const folder of vscode.workspace.workspaceFolders ?? []) {
			if (folder.uri.scheme !== "file" || !inside(folder.uri.fsPath)) continue; // without a repository there is no broker
			try {
				const state = await (await this.service.broker()).state({ repository: folder.uri.fsPath });
				roots.add(spelt(folder.uri.fsPath, shown(state.root)));
			} catch (e) {
				this.log.error(`${folder.uri.fsPath}: ${e}`);
				void vscode.window.showErrorMessage(`hgbroker: ${e instanceof Error ? e.message : e}`);
			}
		}
		for (const [root, repository] of this.known) {
			if (roots.has(root)) continue;
			this.known.delete(root);
			repository.dispose();
			await this.service
				.broker()
				.then((b) => b.closeRepository({ repository: root }))
				.catch((e: unknown) => this.log.debug(`${root}: ${e}`));
		}
		for (const root of roots) {
			if (this.known.has(root)) continue;
			const repository = new Repository(this.service, root, this.log);
			this.known.set(root, repository);
			await this.follow(repository);
		}
	}

	private async follow(repository: Repository): Promise<void> {
		try {
			await repository.follow();
		} catch (e) {
			this.log.error(`${repository.root}: ${e}`);
		}
	}

	/** followAll tells a new broker what is open. */
	async followAll(): Promise<void> {
		for (const repository of this.known.values()) await this.follow(repository);
	}

	async refreshAll(): Promise<void> {
		await Promise.all([...this.known.values()].map((r) => r.refresh()));
	}

	/** at are those that the broker calls by this root. */
	at(root: Text): Repository[] {
		return [...this.known.values()].filter((r) => r.is(root));
	}

	/** of is the innermost repository that a file is in. */
	of(file: vscode.Uri): Repository | undefined {
		let best: Repository | undefined;
		for (const r of this.known.values()) {
			if (r.pathOf(file) !== undefined && r.root.length > (best?.root.length ?? -1)) best = r;
		}
		return best;
	}

	/** by is the repository of a source control; without one, the only repository there is. */
	by(control: vscode.SourceControl | undefined): Repository | undefined {
		const all = [...this.known.values()];
		return control === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((r) => r.control === control || r.root === control.rootUri?.fsPath);
	}

	dispose(): void {
		for (const r of this.known.values()) r.dispose();
		this.known.clear();
	}
}

/** spelt is a root as the editor spells what is below it: a folder may be a symbolic link, and the broker's root is not. */
function spelt(folder: string, root: string): string {
	const below = relative(root, realpathSync(folder));
	if (below === "") return folder;
	return folder.endsWith(`/${below}`) ? folder.slice(0, -below.length - 1) : root;
}

/** inside tells whether a folder or one above it has a .hg. */
function inside(folder: string): boolean {
	for (let at = folder; ; at = dirname(at)) {
		if (existsSync(join(at, ".hg"))) return true;
		if (at === dirname(at)) return false;
	}
}
