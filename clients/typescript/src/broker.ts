// SPDX-License-Identifier: GPL-2.0-or-later

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
	CancellationReceiverStrategy,
	CancellationSenderStrategy,
	type CancellationToken,
	CancellationTokenSource,
	type Disposable,
	Emitter,
	ErrorCodes,
	type MessageConnection,
	ResponseError,
	StreamMessageReader,
	StreamMessageWriter,
	createMessageConnection,
} from "vscode-jsonrpc/node";
import { Methods, type InitializeOptions, type InitializeResult, type Notifications, type ProgramInfo, type Questions, type Requests, type RunParams, type RunResult, type WorkspaceFolder } from "./protocol";
import { type OutputListener, Sink } from "./sink";
import { bytes } from "./text";

/** Functions that answer what the broker asks; the token tells when no answer is wanted any more. */
export type Answers = { [M in keyof Questions]?: (params: Questions[M]["params"], token: CancellationToken) => Questions[M]["result"] | PromiseLike<Questions[M]["result"]> };

/** How a broker is started. */
export interface Options {
	/** by default the `hgbroker` on PATH */
	executable?: string;
	/** flags, as `hgbroker --help` lists them */
	args?: readonly string[];
	/** by default this process's */
	env?: NodeJS.ProcessEnv;
	cwd?: string;
	clientInfo?: ProgramInfo;
	/** a request without a place is about the first one */
	workspaceFolders?: WorkspaceFolder[];
	initializationOptions?: InitializeOptions;
	/** what to do when hg asks a person; hg goes on without an answer to what is not in here */
	answers?: Answers;
	/** gets what the broker writes to its stderr; by default it goes to ours */
	stderr?: (text: string) => void;
}

/** A broker that does not end when asked to is killed after this long. */
const patienceMs = 10_000;

/**
 * Broker is a running hgbroker and the conversation with it. Any number of
 * requests may be under way. When the broker ends, they fail and onClose fires;
 * nothing is started again by itself.
 */
export class Broker extends Methods {
	/** what the broker said of itself */
	info!: InitializeResult;

	private readonly connection: MessageConnection;
	private readonly sinks = new Map<number | string, Sink>();
	private readonly listeners = new Map<string, Emitter<unknown>>();
	private readonly closed = new Emitter<void>();
	private readonly exited: Promise<unknown>;
	private lastId: number | string | null = null;
	private holds = 0;
	private ended = false;

	/** fires once, when there is nobody to talk to any more */
	readonly onClose = this.closed.event;

	private constructor(
		private readonly child: ChildProcess,
		input: Writable,
		private readonly output: Readable,
	) {
		super();
		this.exited = child.exitCode === null ? once(child, "close").catch(() => undefined) : Promise.resolve();
		const message = CancellationSenderStrategy.Message;
		this.connection = createMessageConnection(new StreamMessageReader(output), new StreamMessageWriter(input), undefined, {
			cancellationStrategy: {
				receiver: CancellationReceiverStrategy.Message,
				sender: {
					// The one place where the library tells a request's id.
					enableCancellation: (request) => void (this.lastId = request.id),
					sendCancellation: (connection, id) => message.sendCancellation(connection, id),
					cleanup: (id) => message.cleanup(id),
				},
			},
		});
		this.connection.onError(() => undefined); // a broken pipe is told by onClose
		this.connection.onClose(() => this.end());
		this.on("hg/output", (p) => this.sinks.get(p.id)?.take(p.channel, bytes(p.data)));
		this.connection.listen();
	}

	/** start starts a broker and says initialize. */
	static async start(o: Options = {}): Promise<Broker> {
		const child = spawn(o.executable ?? "hgbroker", ["--stdio", ...(o.args ?? [])], {
			cwd: o.cwd,
			env: o.env ?? process.env,
			stdio: ["pipe", "pipe", o.stderr === undefined ? "inherit" : "pipe"],
		});
		await once(child, "spawn"); // fails with the reason when there is no such program
		child.on("error", () => undefined);
		child.stdin!.on("error", () => undefined);
		child.stderr?.setEncoding("utf8").on("data", o.stderr!);
		const broker = new Broker(child, child.stdin!, child.stdout!);
		const answers = (o.answers ?? {}) as Record<string, (params: unknown, token: CancellationToken) => unknown>;
		for (const [method, answer] of Object.entries(answers)) broker.connection.onRequest(method, answer);
		try {
			broker.info = await broker.request("initialize", {
				processId: process.pid,
				clientInfo: o.clientInfo ?? { name: "hgbroker-client" },
				capabilities: { experimental: { hgbroker: { prompt: "hg/prompt" in answers, edit: "hg/edit" in answers } } },
				workspaceFolders: o.workspaceFolders,
				initializationOptions: o.initializationOptions,
			});
			await broker.connection.sendNotification("initialized", {});
		} catch (e) {
			child.stdin!.end();
			// Codes that the library gives when there was no answer: the pipe broke.
			const lost = e instanceof ResponseError && (e.code === ErrorCodes.PendingResponseRejected || e.code === ErrorCodes.MessageWriteError);
			if (!lost) throw e;
			await broker.exited;
			throw new Error(`hgbroker ended at once, with ${child.signalCode ?? `exit code ${child.exitCode}`}`, { cause: e });
		}
		return broker;
	}

	/** request sends any request; there is a method for each, too. */
	override request<M extends keyof Requests>(method: M, params: Requests[M]["params"], token?: CancellationToken): Promise<Requests[M]["result"]> {
		const rest: unknown[] = params === undefined ? [] : [params];
		if (token !== undefined) rest.push(token);
		return this.connection.sendRequest(method, ...rest);
	}

	/**
	 * stream runs a command line and hands its output over as it comes, in order.
	 * A listener that returns a promise is not called again before it is settled;
	 * meanwhile nothing is read from the broker, and in the end the command itself
	 * waits. A listener that throws ends the command, and stream fails with what
	 * it threw.
	 */
	async stream(params: RunParams, listener: OutputListener, token?: CancellationToken): Promise<RunResult> {
		const cancel = new CancellationTokenSource();
		const linked = token?.onCancellationRequested(() => cancel.cancel());
		if (token?.isCancellationRequested) cancel.cancel();
		const sink = new Sink(
			listener,
			(on) => this.hold(on),
			() => cancel.cancel(),
		);
		let id: number | string | null = null;
		try {
			const answer = this.request("hg/run", { ...params, stream: true }, cancel.token);
			id = this.lastId; // set while the request was sent
			if (id !== null) this.sinks.set(id, sink);
			const result = await answer.catch(async (e: unknown) => {
				await sink.finished();
				throw e;
			});
			await sink.finished();
			return result;
		} finally {
			if (id !== null) this.sinks.delete(id);
			linked?.dispose();
			cancel.dispose();
		}
	}

	private hold(on: boolean): void {
		this.holds += on ? 1 : -1;
		if (on && this.holds === 1) this.output.pause();
		if (!on && this.holds === 0) this.output.resume();
	}

	/** on listens to one kind of notification, in the order in which they come. */
	on<N extends keyof Notifications>(method: N, listener: (params: Notifications[N]) => void): Disposable {
		let emitter = this.listeners.get(method);
		if (emitter === undefined) {
			const made = (emitter = new Emitter<unknown>());
			this.listeners.set(method, made);
			this.connection.onNotification(method as string, (params: unknown) => made.fire(params));
		}
		return emitter.event(listener as (params: unknown) => void);
	}

	/** pid is that of the broker's process. */
	get pid(): number | undefined {
		return this.child.pid;
	}

	private end(): void {
		if (this.ended) return;
		this.ended = true;
		this.child.stdin?.end();
		this.connection.dispose(); // fails what is under way
		this.closed.fire();
	}

	/** stop waits for the answers that are under way and ends the broker. */
	async stop(): Promise<void> {
		const kill = setTimeout(() => this.child.kill("SIGKILL"), patienceMs);
		try {
			if (!this.ended) {
				await this.request("shutdown", undefined);
				await this.connection.sendNotification("exit");
			}
		} catch (e) {
			if (!this.ended) throw e;
		} finally {
			this.child.stdin?.end();
			await this.exited;
			clearTimeout(kill);
			this.end();
		}
	}
}
