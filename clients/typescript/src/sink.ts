// SPDX-License-Identifier: GPL-2.0-or-later

/** What takes the output of a streamed command. A promise holds the command up until it is settled. */
export type OutputListener = (channel: "out" | "err", data: Buffer) => void | PromiseLike<void>;

/**
 * Sink hands pieces of output to a listener one after the other. While the
 * listener is at work `hold(true)` is in force, so that nothing piles up.
 */
export class Sink {
	private tail: Promise<void> | undefined;
	private waiting = 0;
	private thrown: { error: unknown } | undefined;

	constructor(
		private readonly listener: OutputListener,
		private readonly hold: (on: boolean) => void,
		private readonly failed: () => void,
	) {}

	take(channel: "out" | "err", data: Buffer): void {
		if (this.thrown !== undefined) return;
		if (this.tail === undefined) {
			try {
				const under = this.listener(channel, data);
				if (under === undefined) return;
				this.follow(Promise.resolve(under));
			} catch (error) {
				this.fail(error);
			}
			return;
		}
		this.follow(this.tail.then(() => (this.thrown === undefined ? this.listener(channel, data) : undefined)));
	}

	private follow(step: Promise<void>): void {
		if (this.waiting++ === 0) this.hold(true);
		this.tail = step
			.catch((error: unknown) => this.fail(error))
			.then(() => {
				if (--this.waiting > 0) return;
				this.tail = undefined;
				this.hold(false);
			});
	}

	private fail(error: unknown): void {
		if (this.thrown !== undefined) return;
		this.thrown = { error };
		this.failed();
	}

	/** finished is settled when the listener has had everything; it fails as the listener did. */
	async finished(): Promise<void> {
		while (this.tail !== undefined) await this.tail;
		if (this.thrown !== undefined) throw this.thrown.error;
	}
}
