// SPDX-License-Identifier: GPL-2.0-or-later

import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Broker, type Options } from "../src";

/** tree is the source tree, exe the hgbroker that was built of it: `go test ./clients/typescript` sets both. */
export const tree = required("HGBROKER_TEST_TREE");
export const exe = required("HGBROKER_TEST_EXE");

function required(name: string): string {
	const value = process.env[name];
	if (!value) throw new Error(`${name} is not set: these tests are run by \`go test ./clients/typescript\``);
	return value;
}

/** What stands for the real hg: commands that never end or pour out text. */
const fakeHg = `#!/bin/sh
while [ "$1" = --config ]; do shift 2; done
case "$1" in
sleep) echo started; exec sleep 1000 ;;
both) echo out1; echo err1 >&2; exit 3 ;;
pour) dd if=/dev/zero bs=65536 count="$2" 2>/dev/null | tr '\\0' 'x' ;;
*) echo "fake: $1" ;;
esac
`;

/** A directory, a runtime directory and a fake hg of one test's own. */
export class World {
	readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "hgts")));
	private readonly env: NodeJS.ProcessEnv;
	private readonly brokers: Broker[] = [];

	constructor(private readonly t: TestContext) {
		mkdirSync(join(this.dir, "rt"), { mode: 0o700 });
		writeFileSync(join(this.dir, "hg"), fakeHg);
		chmodSync(join(this.dir, "hg"), 0o755);
		this.env = { PATH: process.env.PATH, HOME: this.dir, LC_ALL: "C.UTF-8", HGRCPATH: "", HGUSER: "test", HGBROKER_RUNTIME_DIR: join(this.dir, "rt"), HGBROKER_HG: join(this.dir, "hg") };
		t.after(async () => {
			await Promise.all(this.brokers.map((b) => b.stop()));
			await new Promise((done) => execFile(exe, ["stop"], { env: this.env }, done));
			rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }); // the master is about to end
		});
	}

	/** mercurial has the real hg do what is not native. It tells whether there is one. */
	mercurial(): boolean {
		try {
			const hg = execFileSync("which", [process.env["HGBROKER_TEST_HG"] ?? "hg"], { encoding: "utf8" }).trim();
			this.env["HGBROKER_HG"] = hg;
			return true;
		} catch {
			this.t.skip("no Mercurial (HGBROKER_TEST_HG, or hg on PATH)");
			return false;
		}
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

	async start(o: Options = {}): Promise<Broker> {
		const broker = await Broker.start({ executable: exe, env: this.env, cwd: this.dir, ...o });
		this.brokers.push(broker);
		return broker;
	}
}

/** within fails when a promise is not settled in time. */
export async function within<T>(what: string, p: Promise<T>, ms = 20_000): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`never came: ${what}`)), ms)));
	try {
		return await Promise.race([p, late]);
	} finally {
		clearTimeout(timer);
	}
}
