// SPDX-License-Identifier: GPL-2.0-or-later

import { Broker, type Options, type RepositoryDidChangeParams } from "hgbroker-client";
import * as vscode from "vscode";

/** A broker that ended more often than this in so many milliseconds is not started again. */
const mostStarts = 5;
const withinMs = 60_000;

/**
 * Service keeps one broker for the window: started when it is first needed, and
 * again at the next need after it has ended.
 */
export class Service implements vscode.Disposable {
	private running: Promise<Broker> | undefined;
	private starts: number[] = [];
	private disposed = false;
	private readonly stopping = new Set<Broker>();
	private readonly changed = new vscode.EventEmitter<RepositoryDidChangeParams>();
	private readonly lost = new vscode.EventEmitter<void>();

	readonly onDidChange = this.changed.event;
	/** fires when a broker has ended by itself */
	readonly onLost = this.lost.event;

	constructor(
		private readonly options: () => Options,
		private readonly log: vscode.LogOutputChannel,
	) {}

	/** broker is the running one. It fails when there can be none. */
	broker(): Promise<Broker> {
		if (this.running === undefined) {
			const starting = this.start();
			this.running = starting;
			starting.catch(() => {
				if (this.running === starting) this.running = undefined;
			});
		}
		return this.running;
	}

	private async start(): Promise<Broker> {
		const now = Date.now();
		this.starts = this.starts.filter((t) => now - t < withinMs);
		if (this.disposed) throw new Error("the extension has ended");
		if (this.starts.length >= mostStarts) throw new Error(`hgbroker ended ${mostStarts} times within a minute; the command "hgbroker: Restart" starts it again`);
		this.starts.push(now);
		const broker = await Broker.start({ ...this.options(), stderr: (text) => this.log.warn(text.trimEnd()) });
		this.log.info(`hgbroker ${broker.info.serverInfo.version ?? ""} runs as process ${broker.pid}`);
		broker.on("repository/didChange", (p) => this.changed.fire(p));
		broker.on("window/logMessage", (p) => (p.type === 1 ? this.log.error(p.message) : p.type === 2 ? this.log.warn(p.message) : this.log.info(p.message)));
		broker.onClose(() => {
			if (this.disposed || this.stopping.has(broker)) return;
			this.running = undefined;
			this.log.warn("hgbroker has ended");
			this.lost.fire();
		});
		return broker;
	}

	/** stop ends the broker; the next need starts one, however often that was before. */
	async stop(): Promise<void> {
		const running = this.running;
		this.running = undefined;
		this.starts = [];
		const broker = await running?.catch(() => undefined);
		if (broker === undefined) return;
		this.stopping.add(broker);
		await broker.stop().catch((e: unknown) => this.log.warn(`hgbroker did not stop: ${e}`));
		this.stopping.delete(broker);
	}

	async end(): Promise<void> {
		this.disposed = true;
		await this.stop();
	}

	dispose(): void {
		void this.end();
		this.changed.dispose();
		this.lost.dispose();
	}
}
