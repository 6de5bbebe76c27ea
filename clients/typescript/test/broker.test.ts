// SPDX-License-Identifier: GPL-2.0-or-later

import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Broker, CancellationTokenSource, type Commit, type PromptParams, type RepositoryDidChangeParams, bytes, failure, failureKind, shown, wasCancelled } from "../src";
import { World, within } from "./world";

test("reads a repository", async (t) => {
	const w = new World(t);
	const repository = w.repository("merges-renames");
	const b = await w.start({ initializationOptions: { fallback: "never" } });
	assert.equal(b.info.serverInfo.name, "hgbroker");
	assert.equal(b.info.capabilities.fallback, "never");

	const state = await b.state({ repository });
	assert.equal(state.root, repository);
	assert.equal(state.branch, "default");
	assert.match(state.parents[0]!.node, /^[0-9a-f]{40}$/);

	appendFileSync(join(repository, "a"), "one more\n");
	writeFileSync(join(repository, "new"), "");
	assert.deepEqual(
		(await b.status({ repository })).files.filter((f) => f.path === "a" || f.path === "new"),
		[
			{ path: "a", status: "M" },
			{ path: "new", status: "?" },
		],
	);
	const { hunks } = await b.lineDiff({ repository, uri: "a" });
	assert.equal(hunks.length, 1);
	assert.equal(hunks[0]!.newLines, 1);
	const annotated = await b.annotate({ repository, uri: join(repository, "a") });
	assert.equal(annotated.lines.at(-1)!.commit, -1);
	assert.ok(annotated.commits[annotated.lines[0]!.commit]!.node);

	const page = await b.log({ repository, limit: 3 });
	assert.equal(page.commits.length, 3);
	const more = await b.log({ repository, limit: 3, cursor: page.next! });
	assert.equal(more.commits[0]!.rev, page.commits[2]!.rev - 1);
	const root = await b.run({ args: ["root"], cwd: repository });
	assert.deepEqual([root.exitCode, root.stdout], [0, repository + "\n"]);
});

test("bytes survive", async (t) => {
	const w = new World(t);
	const repository = w.repository("names");
	const b = await w.start();
	const { files } = await b.files({ repository, rev: "." });
	const odd = files.filter((f) => typeof f.path !== "string");
	assert.ok(odd.length > 0, "no name in the repository that is not UTF-8");
	for (const f of odd) {
		const { path, size, content } = await b.cat({ repository, uri: f.path });
		assert.deepEqual(bytes(path), bytes(f.path));
		assert.equal(bytes(content).length, size);
	}
});

test("a request that cannot be done says why", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const b = await w.start({ initializationOptions: { fallback: "never" } });
	await assert.rejects(b.cat({ repository, uri: "main.txt", rev: "nowhere" }), (e) => {
		assert.equal(failureKind(e), "UnknownRevision");
		assert.equal(failure(e)!.exitCode, 255);
		return !wasCancelled(e);
	});
	await assert.rejects(b.state({ cwd: w.dir }), (e) => failureKind(e) === "NotARepository");
	await assert.rejects(b.run({ args: ["commit"], cwd: repository }), (e) => failureKind(e) === "Unsupported");
	const failed = await b.run({ args: ["log", "-r", "nowhere"], cwd: repository });
	assert.equal(failed.exitCode, 255);
	assert.match(shown(failed.stderr), /unknown revision 'nowhere'/);
	await assert.rejects(b.request("hg/nonsense" as "hg/state", {}), { code: -32601 });
	await assert.rejects(Broker.start({ executable: join(w.dir, "absent") }), { code: "ENOENT" });
	let said = "";
	await assert.rejects(within("the failure", w.start({ args: ["--no-such-flag"], stderr: (s) => (said += s) })), /exit code 2/);
	assert.match(said, /no-such-flag/);
});

test("a cancelled command ends", async (t) => {
	const w = new World(t);
	const b = await w.start();
	const source = new CancellationTokenSource();
	let begun: (() => void) | undefined;
	const started = new Promise<void>((resolve) => (begun = resolve));
	const command = b.stream({ args: ["sleep"], cwd: w.dir }, () => begun!(), source.token);
	await within("the command's first output", started);
	source.cancel();
	await assert.rejects(within("the end of a cancelled command", command), (e) => wasCancelled(e));

	const before = new CancellationTokenSource();
	before.cancel();
	await assert.rejects(within("the end of a command cancelled before", b.run({ args: ["sleep"], cwd: w.dir }, before.token)), (e) => wasCancelled(e));
});

test("streamed output", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const b = await w.start();
	const args = ["log", "--stat"];
	const whole = await b.run({ args, cwd: repository });
	const pieces: Buffer[] = [];
	const streamed = await b.stream({ args, cwd: repository }, (channel, data) => {
		assert.equal(channel, "out");
		pieces.push(data);
	});
	assert.equal(Buffer.concat(pieces).toString(), whole.stdout);
	assert.deepEqual([streamed.exitCode, streamed.stdout], [0, ""]);

	const both = { out: "", err: "" };
	const code = await b.stream({ args: ["both"], cwd: w.dir }, (channel, data) => void (both[channel] += data));
	assert.deepEqual([code.exitCode, both], [3, { out: "out1\n", err: "err1\n" }]);

	// A listener that takes its time gets one piece after the other, and all of them.
	let size = 0;
	let inside = 0;
	await b.stream({ args: ["pour", "64"], cwd: w.dir }, async (_, data) => {
		assert.equal(++inside, 1);
		await turn();
		size += data.length;
		inside--;
	});
	assert.equal(size, 64 << 16);
});

test("a listener that throws ends the command", async (t) => {
	const w = new World(t);
	const b = await w.start();
	const bad = () => {
		throw new Error("enough");
	};
	await assert.rejects(within("the end", b.stream({ args: ["sleep"], cwd: w.dir }, bad)), /enough/);
	await assert.rejects(within("the end", b.stream({ args: ["pour", "10000"], cwd: w.dir }, async () => bad())), /enough/);
	assert.equal((await b.run({ args: ["hello"], cwd: w.dir })).stdout, "fake: hello\n");
});

test("a followed repository tells of changes", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const b = await w.start();
	const opened = await b.openRepository({ repository });
	assert.deepEqual([opened.root, opened.native, opened.watched], [repository, true, true]);
	const changed = new Promise<RepositoryDidChangeParams>((resolve) => b.on("repository/didChange", resolve));
	writeFileSync(join(repository, ".hg", "branch"), "other\n"); // as `hg branch other` does
	const change = await within("repository/didChange", changed);
	assert.equal(change.root, repository);
	assert.ok(change.kinds.includes("state"), `${change.kinds}`);
	assert.equal((await b.state({ repository })).branch, "other");
	await b.closeRepository({ repository });
});

test("what hg asks", async (t) => {
	const w = new World(t);
	if (!w.mercurial()) return;
	const repository = w.repository("linear");
	const asked: PromptParams[] = [];
	const b = await w.start({
		answers: {
			"hg/prompt": (p) => {
				asked.push(p);
				return asked.length > 1 ? "grace" : null;
			},
			"hg/edit": async (p) => `edited\n${shown(p.text)}`,
		},
	});
	appendFileSync(join(repository, "main.txt"), "more\n");
	const commit = { args: ["commit", "--config", "ui.askusername=yes"], cwd: repository, env: { HGUSER: null, EMAIL: null } };
	const refused = await b.run(commit);
	assert.equal(refused.exitCode, 255, shown(refused.stderr));
	assert.match(shown(asked[0]!.message), /username/);
	const done = await b.run(commit);
	assert.equal(done.exitCode, 0, shown(done.stderr));
	const { commits } = await b.log({ repository, revset: "tip" });
	assert.deepEqual([commits[0]!.user, commits[0]!.desc], ["grace", "edited"]);
});

test("results in parts", async (t) => {
	const w = new World(t);
	const repository = w.repository("random-1");
	const b = await w.start({ initializationOptions: { fallback: "never" } });
	const whole = await b.log({ repository });
	const parts: Commit[] = [];
	b.on("$/progress", ({ token, value }) => {
		assert.equal(token, "mine");
		parts.push(...(value.commits ?? []));
	});
	const rest = await b.log({ repository, partialResultToken: "mine" });
	assert.deepEqual([...parts, ...rest.commits], whole.commits);
	assert.ok(parts.length > 0);
});

test("a broker that dies fails its requests", async (t) => {
	const w = new World(t);
	const b = await w.start();
	const closed = new Promise<void>((resolve) => b.onClose(resolve));
	let begun: (() => void) | undefined;
	const started = new Promise<void>((resolve) => (begun = resolve));
	const command = b.stream({ args: ["sleep"], cwd: w.dir }, () => begun!());
	const settled = assert.rejects(command);
	await within("the command's first output", started);
	process.kill(b.pid!, "SIGKILL");
	await within("onClose", closed);
	await within("the failure", settled);
	await assert.rejects(async () => b.state());
	await b.stop();
});
