// SPDX-License-Identifier: GPL-2.0-or-later

// Makes src/protocol.ts of protocol/schema.json: a type for every shape and a
// method for every request. `node generate.mjs SCHEMA` prints, a second argument
// names the file to write. A test compares the file with what this prints.

import { readFileSync, writeFileSync } from "node:fs";

// The schema has no names for what is inside of parameters and results: these go
// by the property, or the method's property, that holds the shape. One that is
// not listed here is written out where it stands.
const names = {
	clientInfo: "ProgramInfo",
	serverInfo: "ProgramInfo",
	workspaceFolders: "WorkspaceFolder",
	initializationOptions: "InitializeOptions",
	capabilities: "Capabilities",
	error: "BatchError",
	data: "ErrorData",
	parents: "Commit",
	commits: "Commit",
	graph: "GraphRow",
	edges: "GraphEdge",
	operation: "Operation",
	range: "LineRange",
	branches: "Branch",
	bookmarks: "Bookmark",
	tags: "Tag",
	heads: "Head",
	revs: "Revision",
	"hg/runBatch items": "RunParams",
	"hg/status files": "FileStatus",
	"hg/catBatch items": "CatItem",
	"hg/lineDiff hunks": "LineHunk",
	"hg/annotate lines": "AnnotatedLine",
	"hg/diff files": "DiffFile",
	"hg/diff hunks": "DiffHunk",
	"hg/files files": "TrackedFile",
	"hg/conflicts files": "Conflict",
	"hg/config items": "ConfigItem",
	"hg/paths paths": "RemotePath",
	choices: "PromptOption",
	value: "WorkDone",
};

// What the schema leaves open and the protocol's document says.
const known = {
	"hg/runBatch": { result: "RunResult" },
	"hg/catBatch": { result: "CatResult" },
	"hg/output": { id: "number | string", channel: '"out" | "err"' },
	"hg/prompt": { id: "number | string", answer: "Text | null" },
	"hg/edit": { id: "number | string", answer: "Text | null" },
	"$/progress": { token: "number | string" },
};

// Part of every conversation, and not something to call.
const lifecycle = /^(initialize|initialized|shutdown|exit|\$\/.*)$/;

const schema = JSON.parse(readFileSync(process.argv[2], "utf8"));
const declared = new Map(); // name → text of the interface

const capital = (s) => s[0].toUpperCase() + s.slice(1);
const words = (method) => method.replace(/^\$\//, "").split("/");
/** hg/run → run, repository/open → openRepository, broker/stats → stats */
function methodName(method) {
	const [first, second] = words(method);
	return second === undefined ? first : first === "repository" && second !== "didChange" ? second + capital(first) : second;
}

const base = (s) => (Array.isArray(s.type) ? s.type.find((t) => t !== "null") : s.type);
const nullable = (s) => (Array.isArray(s.type) && s.type.includes("null")) || (s.oneOf ?? []).some((o) => o.type === "null");

/** type is the TypeScript of a schema. Lists are never null: Go's nil is not sent. */
function type(s, method, at) {
	if (s === true) return known[method]?.[at] ?? (at.endsWith("Token") ? "number | string" : "unknown");
	if (s.oneOf) return nullable(s) ? "Text | null" : "Text";
	switch (base(s)) {
		case "string":
			return known[method]?.[at] ?? "string";
		case "integer":
		case "number":
			return "number";
		case "boolean":
			return nullable(s) ? "boolean | null" : "boolean";
		case "array": {
			const item = type(s.items, method, at);
			if (s.maxItems !== undefined && s.maxItems === s.minItems) return `[${Array(s.maxItems).fill(item).join(", ")}]`;
			return item.includes(" ") ? `(${item})[]` : `${item}[]`;
		}
		case "object":
			if (s.properties === undefined) return `Record<string, ${type(s.additionalProperties ?? true, method, at)}>`;
			return shape(s, method, names[`${method} ${at}`] ?? names[at]);
	}
	throw new Error(`${method}: ${at}: no TypeScript for ${JSON.stringify(s)}`);
}

function shape(s, method, name) {
	const lines = Object.entries(s.properties).map(
		([k, v]) => `${k}${(s.required ?? []).includes(k) ? "" : "?"}: ${type(v, method, k)};`,
	);
	if (name === undefined) return `{ ${lines.join(" ")} }`;
	const text = `export interface ${name} {\n${lines.map((l) => `\t${l}\n`).join("")}}\n`;
	if ((declared.get(name) ?? text) !== text) throw new Error(`two shapes are called ${name}`);
	declared.set(name, text);
	return name;
}

/** top is the type of a method's parameters or result. */
function top(s, method, suffix) {
	if (s === undefined) return undefined;
	const place = Object.keys(s.properties).join() === "repository,cwd";
	return shape(s, method, place ? "Place" : words(method).map(capital).join("").replace(/^Hg/, "") + suffix);
}

const requests = [];
const questions = [];
const notifications = [];
const calls = [];
for (const m of schema.methods) {
	const params = top(m.params, m.method, "Params");
	const result = m.result?.properties === undefined ? undefined : top(m.result, m.method, "Result");
	if (m.from === "broker" && m.kind === "request") {
		questions.push(`\t/** ${m.description} */\n\t"${m.method}": { params: ${params ?? "undefined"}; result: ${known[m.method]?.answer ?? result ?? "unknown"} };\n`);
		continue;
	}
	if (m.from === "broker" || m.kind === "notification") {
		if (m.from === "broker") notifications.push(`\t/** ${m.description} */\n\t"${m.method}": ${params ?? "undefined"};\n`);
		continue;
	}
	requests.push(`\t/** ${m.description} */\n\t"${m.method}": { params: ${params ?? "undefined"}; result: ${result ?? "unknown"} };\n`);
	if (lifecycle.test(m.method)) continue;
	const needed = params === undefined || (m.params.required ?? []).length > 0 ? "" : " = {}";
	calls.push(
		`\t/** ${m.method}: ${m.description} */\n` +
			`\t${methodName(m.method)}(${params === undefined ? "" : `params: ${params}${needed}, `}token?: CancellationToken): Promise<${result ?? "unknown"}> {\n` +
			`\t\treturn this.request("${m.method}", ${params === undefined ? "undefined" : "params"}, token);\n\t}\n`,
	);
}

const text = `// SPDX-License-Identifier: GPL-2.0-or-later

// Made of protocol/schema.json by generate.mjs: do not edit.

import type { CancellationToken } from "vscode-jsonrpc";

/** Bytes: a string when they are UTF-8 (see text.ts). */
export type Text = string | { base64: string };

${[...declared.values()].join("\n")}
/** Every request, with its parameters and its result. */
export interface Requests {
${requests.join("")}}

/** What the broker may ask us, with parameters and answer. */
export interface Questions {
${questions.join("")}}

/** Every notification of the broker's, with its parameters. */
export interface Notifications {
${notifications.join("")}}

/** A method for each request. Cancelling the token makes it fail with code -32800. */
export abstract class Methods {
	abstract request<M extends keyof Requests>(method: M, params: Requests[M]["params"], token?: CancellationToken): Promise<Requests[M]["result"]>;

${calls.join("\n")}}
`;

if (process.argv[3] === undefined) process.stdout.write(text);
else writeFileSync(process.argv[3], text);
