// SPDX-License-Identifier: GPL-2.0-or-later

import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const exe = required("HGBROKER_TEST_EXE");
const tree = required("HGBROKER_TEST_TREE");

function required(name) {
	const value = process.env[name];
	if (!value) throw new Error(`${name} is not set: these tests are run by \`go test ./clients/mcp\``);
	return value;
}

/** What stands for the real hg: one command that never ends, and writes its process id into a file. */
const fakeHg = `#!/bin/sh
while [ "$1" = --config ]; do shift 2; done
case "$1" in
sleep) echo $$ > "$2.new"; mv "$2.new" "$2"; exec sleep 1000 ;;
fail) echo "out"; echo "abort: no" >&2; exit 255 ;;
*) echo "fake: $*" ;;
esac
`;

/** World is a directory, a master and a fake hg of one test's own. */
export class World {
	clients = [];
	dir = realpathSync(mkdtempSync(join(tmpdir(), "hgmcp")));

	constructor(t) {
		this.t = t;
		mkdirSync(join(this.dir, "rt"), { mode: 0o700 });
		writeFileSync(join(this.dir, "hg"), fakeHg);
		chmodSync(join(this.dir, "hg"), 0o755);
		this.flags = [`--runtime-dir=${join(this.dir, "rt")}`, `--hg=${join(this.dir, "hg")}`];
		t.after(async () => {
			await Promise.all(this.clients.map(({ client }) => client.close()));
			await new Promise((done) => execFile(exe, ["stop", ...this.flags], done));
			rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }); // the master is about to end
			for (const { complained } of this.clients) {
				if (complained() !== "") throw new Error(`complaints: ${complained()}`);
			}
		});
	}

	/** repository unpacks a recorded one. */
	repository(name) {
		const { dir } = JSON.parse(readFileSync(join(tree, "testdata", "repos.json"), "utf8")).find((r) => r.name === name);
		const at = mkdtempSync(join(this.dir, "r"));
		execFileSync("tar", ["xzf", join(tree, "testdata", "repos", `${name}.tar.gz`), "-C", at]);
		return join(at, dir);
	}

	/** connect starts `hgbroker mcp` and is its client. Whatever the client complains about fails the test. */
	async connect(flags = [], cwd = this.dir) {
		const transport = new StdioClientTransport({
			command: exe,
			args: ["mcp", ...this.flags, ...flags],
			cwd,
			env: { PATH: process.env.PATH, HOME: this.dir, HGRCPATH: "", HGUSER: "ada", LC_ALL: "C.UTF-8" },
			stderr: "pipe",
		});
		let stderr = "";
		transport.stderr.on("data", (b) => (stderr += b));
		const client = new Client({ name: "conformance", version: "1" });
		const complaints = [];
		client.onerror = (e) => complaints.push(e);
		transport.setProtocolVersion = (v) => (client.negotiated = v);
		await client.connect(transport);
		this.clients.push({ client, complained: () => complaints.join("\n") + stderr });
		return client;
	}

	/** eventually waits until f returns something. */
	async eventually(what, f) {
		for (const end = Date.now() + 20_000; ; ) {
			const v = f();
			if (v) return v;
			if (Date.now() > end) throw new Error(`never came true: ${what}`);
			await new Promise((done) => setTimeout(done, 5));
		}
	}
}

/** textOf is the text of a tool's answer. */
export function textOf(result) {
	if (result.content.length !== 1 || result.content[0].type !== "text") throw new Error(`not one text: ${JSON.stringify(result)}`);
	return result.content[0].text;
}
