// SPDX-License-Identifier: GPL-2.0-or-later

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Ajv from "ajv/dist/2020";
import { Methods, type Requests } from "../src";
import { World, tree } from "./world";

const file = join(tree, "protocol", "schema.json");

interface Shape {
	type?: string | string[];
	properties?: Record<string, Shape | true>;
	items?: Shape | true;
	required?: string[];
}

interface Method {
	method: string;
	kind: string;
	from: string;
	params?: Shape;
	result?: Shape;
}

const methods = (JSON.parse(readFileSync(file, "utf8")) as { methods: Method[] }).methods;

test("protocol.ts is what the schema says", () => {
	const made = execFileSync(process.execPath, ["generate.mjs", file], { encoding: "utf8" });
	assert.equal(readFileSync("src/protocol.ts", "utf8"), made, "npm run generate writes it");
});

/** isNull lists the required lists of an answer that are null: our types say they never are. */
function nullLists(value: unknown, shape: Shape | true | undefined, at: string): string[] {
	if (shape === undefined || shape === true) return [];
	const kinds = [shape.type].flat();
	if (kinds.includes("array")) {
		if (value === null) return [at];
		return (value as unknown[]).flatMap((v, i) => nullLists(v, shape.items, `${at}[${i}]`));
	}
	if (!kinds.includes("object") || value === null) return [];
	return Object.entries(shape.properties ?? {}).flatMap(([k, s]) => {
		const v = (value as Record<string, unknown>)[k];
		return v === undefined ? [] : nullLists(v, s, `${at}.${k}`);
	});
}

test("every request is answered as the schema says", async (t) => {
	const w = new World(t);
	const repository = w.repository("merges-renames");
	const empty = w.repository("empty");
	const b = await w.start({ initializationOptions: { fallback: "never" } });
	const lines = { uri: "a", repository };
	const calls: { [M in keyof Requests]?: Requests[M]["params"][] } = {
		"hg/run": [{ args: ["root"], cwd: repository }],
		"hg/runBatch": [{ items: [{ args: ["root"], cwd: repository }, { args: ["commit"], cwd: repository }] }, { items: [] }],
		"hg/state": [{ repository }, { repository: empty }],
		"hg/status": [{ repository }, { repository: empty }, { repository, change: ".", copies: true }],
		"hg/log": [{ repository, graph: true, fields: ["files"] }, { repository: empty }, { repository, revset: "none()" }],
		"hg/cat": [lines],
		"hg/catBatch": [{ repository, items: [{ uri: "a" }, { uri: "absent" }] }, { repository, items: [] }],
		"hg/lineDiff": [lines, { ...lines, content: "x\n" }],
		"hg/annotate": [lines, { ...lines, content: "" }],
		"hg/diff": [{ repository }, { repository, change: ".", format: "hunks" }, { repository, change: ".", format: "stat" }],
		"hg/refs": [{ repository }, { repository: empty }],
		"hg/resolveRevset": [{ repository, revset: "all()" }, { repository, revset: "none()" }],
		"hg/render": [{ repository, revset: ".", template: "{node}" }],
		"hg/files": [{ repository }, { repository: empty }],
		"hg/conflicts": [{ repository }],
		"hg/config": [{ repository }, { repository, names: ["nothing"] }],
		"hg/paths": [{ repository }],
		"hg/copySource": [lines],
		"repository/open": [{ repository }, { repository: empty }],
		"repository/close": [{ repository }],
		"broker/stats": [undefined],
		"broker/flush": [{}],
	};
	const ajv = new Ajv({ strict: false });
	const undefinedGone = (v: unknown) => JSON.parse(JSON.stringify(v ?? null)) as unknown;
	let answers = 0;
	for (const m of methods) {
		if (m.kind !== "request" || m.from !== "client" || m.method === "initialize" || m.method === "shutdown") continue;
		const given = calls[m.method as keyof Requests];
		assert.ok(given?.length, `${m.method} is not tried here`);
		for (const params of given) {
			if (m.params) assert.ok(ajv.validate(m.params, undefinedGone(params)), `${m.method}: parameters: ${ajv.errorsText()}`);
			const result = await b.request(m.method as keyof Requests, params as never);
			if (m.result) assert.ok(ajv.validate(m.result, result), `${m.method}: result: ${ajv.errorsText()}`);
			assert.deepEqual(nullLists(result, m.result, m.method), []);
			answers++;
		}
	}
	assert.ok(answers > 30);
	const first = methods.find((m) => m.method === "initialize")!;
	assert.ok(ajv.validate(first.result!, b.info), ajv.errorsText());
});

test("every request has a method", () => {
	const own = Object.getOwnPropertyNames(Methods.prototype);
	const expected = methods.filter((m) => m.kind === "request" && m.from === "client" && m.method.includes("/"));
	assert.equal(own.length - 1, expected.length, `${own}`); // beside the constructor
});
