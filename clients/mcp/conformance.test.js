// SPDX-License-Identifier: GPL-2.0-or-later

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ErrorCode, LATEST_PROTOCOL_VERSION, McpError } from "@modelcontextprotocol/sdk/types.js";
import Ajv2020 from "ajv/dist/2020.js";
import { World, textOf } from "./world.js";

const reading = ["hg_state", "hg_status", "hg_log", "hg_diff", "hg_annotate", "hg_cat", "hg_search"];

const pageBytes = 64 << 10; // of an answer, at most

test("the conversation begins", async (t) => {
	const c = await new World(t).connect();
	assert.equal(c.negotiated, LATEST_PROTOCOL_VERSION);
	assert.equal(c.getServerVersion().name, "hgbroker");
	assert.deepEqual(Object.keys(c.getServerCapabilities()), ["tools"]);
	assert.match(c.getInstructions(), /repository/);
	assert.deepEqual(await c.ping(), {});
	await assert.rejects(c.listResources(), (e) => e instanceof McpError && e.code === ErrorCode.MethodNotFound);
	await assert.rejects(c.listPrompts(), (e) => e instanceof McpError && e.code === ErrorCode.MethodNotFound);
});

test("tools and their schemas", async (t) => {
	const w = new World(t);
	const { tools, nextCursor } = await (await w.connect()).listTools();
	assert.deepEqual(tools.map((x) => x.name), reading);
	assert.equal(nextCursor, undefined);
	const all = (await (await w.connect(["--allow-writes"])).listTools()).tools;
	assert.deepEqual(all.map((x) => x.name), [...reading, "hg_run"]);
	const ajv = new Ajv2020({ strict: true });
	for (const tool of all) {
		assert.ok(tool.title && tool.description, tool.name);
		const writes = tool.name === "hg_run";
		assert.deepEqual([tool.annotations.readOnlyHint, tool.annotations.destructiveHint, tool.annotations.openWorldHint], [!writes, writes, false]);
		assert.equal(tool.inputSchema.type, "object");
		assert.equal(tool.inputSchema.additionalProperties, false);
		const valid = ajv.compile(tool.inputSchema);
		assert.equal(valid({ repository: 5 }), false);
		assert.equal(valid({ nonsense: true }), false);
		for (const [name, p] of Object.entries(tool.inputSchema.properties)) assert.ok(p.description && p.type, `${tool.name} ${name}`);
	}
});

test("every tool", async (t) => {
	const w = new World(t);
	const repository = w.repository("merges-renames");
	writeFileSync(join(repository, "a"), "one\ntwo\nthree\n");
	const c = await w.connect(["--fallback=never", "--allow-writes"]);
	const { tools } = await c.listTools();
	const ajv = new Ajv2020();
	const valid = new Map(tools.map((x) => [x.name, ajv.compile(x.inputSchema)]));
	const tried = new Set();
	const calls = [
		["hg_state", {}, /"branch": "default"/],
		["hg_status", {}, /^M a$/m],
		["hg_status", { change: "." }, /^[MAR] /m],
		["hg_log", { limit: 2 }, /^changeset 10:ba12b1e838b5 {2}Ada Stone(.|\n)*^changeset 9:/m],
		["hg_log", { revset: "tip", patch: true }, /^(\+\+\+|---|diff --git|changeset)/m],
		["hg_log", { paths: ["a"], follow: true }, /^changeset \d+:/],
		["hg_diff", {}, /^\+three$/m],
		["hg_diff", { stat: true }, /1 files? changed/],
		["hg_diff", { change: "tip" }, /./],
		["hg_annotate", { path: "a", rev: ".", firstLine: 1, lastLine: 1 }, /^ada [0-9a-f]{12} \d{4}-\d\d-\d\d:1: x\n$/],
		["hg_cat", { path: "a" }, /^x\nmore\n/],
		["hg_cat", { path: "a", firstLine: 2, lastLine: 2 }, /^more\n$/],
		["hg_search", { pattern: "tw." }, /^a:2:two$/m],
		["hg_search", { pattern: "MORE", ignoreCase: true, rev: "." }, /:more$/m],
		["hg_search", { pattern: "nobody wrote this" }, /^\(nothing\)$/],
		["hg_run", { args: ["root"] }, /^\/.*\n\[exit code 0\]\n$/],
	];
	for (const [name, given, expected] of calls) {
		const args = { repository, ...given };
		assert.ok(valid.get(name)(args), `${name}: ${JSON.stringify(args)}`);
		const result = await c.callTool({ name, arguments: args });
		assert.ok(!result.isError, `${name}: ${textOf(result)}`);
		assert.match(textOf(result), expected, `${name} ${JSON.stringify(given)}`);
		tried.add(name);
	}
	assert.deepEqual([...tried].sort(), tools.map((x) => x.name).sort());
	JSON.parse(textOf(await c.callTool({ name: "hg_state", arguments: { repository } })));

	// Without the argument, the repository is where the server was started.
	const here = await w.connect(["--fallback=never"], repository);
	assert.match(textOf(await here.callTool({ name: "hg_status" })), /^M a$/m);
});

test("what cannot be done", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const c = await w.connect(["--fallback=never"]);
	const wrong = [
		["hg_run", { args: ["root"] }],
		["no_such_tool", {}],
		["hg_cat", {}],
		["hg_cat", { path: 5 }],
		["hg_cat", { path: "main.txt", nonsense: true }],
		["hg_cat", { path: "main.txt", cursor: "x" }],
		["hg_cat", { path: "main.txt", firstLine: -1 }],
	];
	for (const [name, args] of wrong) {
		await assert.rejects(c.callTool({ name, arguments: { repository, ...args } }), (e) => e instanceof McpError && e.code === ErrorCode.InvalidParams, `${name} ${JSON.stringify(args)}`);
	}
	const failing = [
		["hg_cat", { path: "absent" }, /absent/],
		["hg_cat", { path: "../../../../../../etc/passwd" }, /not under root|no such file/],
		["hg_cat", { path: "main.txt", rev: "nowhere" }, /unknown revision 'nowhere'/],
		["hg_log", { revset: "--config=ui.x=y" }, /./],
		["hg_log", { revset: "((" }, /./],
		["hg_search", { pattern: "(" }, /./],
		["hg_state", { repository: w.dir }, /repository/],
	];
	for (const [name, args, expected] of failing) {
		const result = await c.callTool({ name, arguments: { repository, ...args } });
		assert.equal(result.isError, true, `${name} ${JSON.stringify(args)}: ${textOf(result)}`);
		assert.match(textOf(result), /^error: /);
		assert.match(textOf(result), expected);
	}
	// The conversation goes on.
	assert.match(textOf(await c.callTool({ name: "hg_log", arguments: { repository, limit: 1 } })), /^changeset /);
});

test("a command that fails is an answer", async (t) => {
	const w = new World(t);
	const c = await w.connect(["--allow-writes"]);
	const text = textOf(await c.callTool({ name: "hg_run", arguments: { args: ["fail"] } }));
	assert.match(text, /^abort: no$/m);
	assert.match(text, /\[exit code 255\]\n$/);
});

test("pages", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const c = await w.connect(["--fallback=never"]);
	const lines = Array.from({ length: 4000 }, (_, i) => `line ${i} of a long file, and some more words in it`);
	lines[2000] = "x".repeat(100_000); // longer than a page
	writeFileSync(join(repository, "main.txt"), lines.join("\n") + "\n");
	const seen = [];
	let pages = 0;
	for (let cursor; ; ) {
		const text = textOf(await c.callTool({ name: "hg_diff", arguments: { repository, ...(cursor === undefined ? {} : { cursor }) } }));
		assert.ok(text.length <= pageBytes, `${text.length} bytes`);
		pages++;
		seen.push(...text.split("\n").filter((l) => /^\+(line|x)/.test(l)));
		cursor = /^\[\d+ more lines; go on with cursor "(\d+)"\]$/m.exec(text)?.[1];
		if (cursor === undefined) break;
	}
	assert.ok(pages > 3, `${pages} pages`);
	assert.equal(seen.length, lines.length);
	lines.forEach((l, i) => {
		if (i === 2000) assert.match(seen[i], /^\+x{1000}.*\[the rest of this line/);
		else assert.equal(seen[i], `+${l}`);
	});
	const past = await c.callTool({ name: "hg_diff", arguments: { repository, cursor: "99999999" } });
	assert.equal(textOf(past), "(nothing)");
});

test("bytes that are no text", async (t) => {
	const w = new World(t);
	const repository = w.repository("names");
	const c = await w.connect(["--fallback=never"]);
	const text = textOf(await c.callTool({ name: "hg_status", arguments: { repository, change: "0" } }));
	assert.match(text, /\uFFFD/);
	assert.ok(!text.includes("\\u"));
});

test("a cancelled call ends, and is not answered", async (t) => {
	const w = new World(t);
	const c = await w.connect(["--allow-writes"]);
	const told = join(w.dir, "pid");
	const abort = new AbortController();
	const call = c.callTool({ name: "hg_run", arguments: { args: ["sleep", told] } }, undefined, { signal: abort.signal });
	const failed = assert.rejects(call);
	await w.eventually("the command runs", () => existsSync(told));
	const pid = Number(readFileSync(told, "utf8"));
	abort.abort("enough");
	await failed;
	await w.eventually("the command has ended", () => !existsSync(`/proc/${pid}`));
	// An answer would have been a complaint by now: this one came after it.
	assert.match(textOf(await c.callTool({ name: "hg_run", arguments: { args: ["hello"] } })), /^fake: hello\n/);
});

test("a call that takes too long", async (t) => {
	const w = new World(t);
	const c = await w.connect(["--allow-writes"]);
	const told = join(w.dir, "pid");
	await assert.rejects(c.callTool({ name: "hg_run", arguments: { args: ["sleep", told] } }, undefined, { timeout: 500 }), (e) => e.code === ErrorCode.RequestTimeout);
	if (existsSync(told)) {
		const pid = Number(readFileSync(told, "utf8"));
		await w.eventually("the command has ended", () => !existsSync(`/proc/${pid}`));
	}
});

test("many calls at once", async (t) => {
	const w = new World(t);
	const repository = w.repository("linear");
	const c = await w.connect(["--fallback=never"]);
	const { length } = textOf(await c.callTool({ name: "hg_log", arguments: { repository } })).match(/^changeset /gm);
	assert.ok(length > 5);
	const answers = await Promise.all(
		Array.from({ length: 50 }, (_, i) => c.callTool({ name: "hg_log", arguments: { repository, revset: `${i % length}` } })),
	);
	answers.forEach((a, i) => assert.ok(textOf(a).startsWith(`changeset ${i % length}:`), textOf(a)));
});

test("the end of input is the end", async (t) => {
	const w = new World(t);
	const c = await w.connect();
	const child = c.transport._process;
	await c.close(); // closes its input, and would kill it two seconds later
	assert.deepEqual([child.exitCode, child.signalCode], [0, null]);
});
