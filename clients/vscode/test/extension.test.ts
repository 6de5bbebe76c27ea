// SPDX-License-Identifier: GPL-2.0-or-later

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type * as vscode from "vscode";
import { ago } from "../src/ago";
import { type Control, Window, file } from "./fake";

/** shownIn lists a group: the icon and the path from the root. */
function shownIn(c: Control, group: string): string[] {
	const g = c.groups.find((x) => x.id === group)!;
	return g.resourceStates.map((r) => `${(r.decorations!.iconPath as vscode.ThemeIcon).id} ${r.resourceUri.fsPath.slice(c.rootUri.fsPath.length + 1)}`);
}

const status = (c: Control) => c.statusBarCommands?.[0]?.title ?? "";

/** opened is a window on a recorded repository that has been looked at. */
async function opened(t: TestContext, name: string, before?: (root: string) => void) {
	const w = new Window(t);
	const root = w.repository(name);
	before?.(root);
	w.open(root);
	await w.eventually("the repository is shown", () => status(w.controls[0] ?? ({} as Control)) !== "");
	return { w, root, c: w.controls[0]! };
}

async function read(w: Window, uri: vscode.Uri): Promise<string> {
	const { size } = await w.revisions.stat(uri);
	const content = await w.revisions.readFile(uri);
	assert.equal(content.length, size);
	return Buffer.from(content).toString();
}

test("groups, count and status bar", async (t) => {
	const { w, root, c } = await opened(t, "linear", (root) => {
		appendFileSync(join(root, "main.txt"), "more\n");
		writeFileSync(join(root, "new file"), "");
	});
	assert.deepEqual(shownIn(c, "changes"), ["diff-modified main.txt"]);
	assert.ok(shownIn(c, "untracked").includes("question new file"));
	assert.deepEqual(shownIn(c, "conflicts"), []);
	assert.equal(c.count, 1 + shownIn(c, "untracked").length);
	assert.equal(status(c), "$(git-branch) default");
	assert.match(c.statusBarCommands![0]!.tooltip!, /^\d+:[0-9a-f]{12} /);
	assert.equal(c.groups[0]!.hideWhenEmpty, true);
	const { command } = c.groups.find((g) => g.id === "changes")!.resourceStates[0]!;
	assert.equal(command!.command, "vscode.diff");
	assert.notEqual(await read(w, command!.arguments![0]), readFileSync(join(root, "main.txt"), "utf8"));
});

test("a save, and files that come and go, are noticed", async (t) => {
	const { w, root, c } = await opened(t, "linear");
	appendFileSync(join(root, "main.txt"), "more\n");
	w.saved.fire({ uri: file(join(root, "main.txt")) });
	await w.eventually("the saved file is a change", () => shownIn(c, "changes").includes("diff-modified main.txt"));
	rmSync(join(root, "main.txt"));
	w.fileEvents.delete.fire(file(join(root, "main.txt")));
	await w.eventually("the removed file is missing", () => shownIn(c, "changes").includes("diff-removed main.txt"));
	const missing = c.groups.find((g) => g.id === "changes")!.resourceStates[0]!;
	assert.equal(missing.decorations!.strikeThrough, true);
	assert.equal(missing.command!.command, "vscode.open");
	writeFileSync(join(root, "b2"), "");
	w.fileEvents.create.fire(file(join(root, "b2")));
	await w.eventually("the new file is untracked", () => shownIn(c, "untracked").includes("question b2"));
});

test("what others do in .hg is noticed", async (t) => {
	const { w, root, c } = await opened(t, "linear");
	await w.eventually("the repository is followed", () => !w.logged.some((l) => l.includes("not noticed")));
	writeFileSync(join(root, ".hg", "branch"), "other\n"); // as `hg branch other` does
	await w.eventually("the branch is shown", () => status(c) === "$(git-branch) other");
});

test("conflicts of a merge", async (t) => {
	const { c } = await opened(t, "merging");
	assert.ok(shownIn(c, "conflicts").length > 0);
	assert.ok(shownIn(c, "conflicts").every((f) => f.startsWith("warning ")));
	assert.match(status(c), /\(merge\)$/);
	const changes = shownIn(c, "changes").map((f) => f.split(" ")[1]);
	for (const f of shownIn(c, "conflicts")) assert.ok(!changes.includes(f.split(" ")[1]));
});

test("quick diff", async (t) => {
	const { w, root, c } = await opened(t, "linear");
	const a = readFileSync(join(root, "main.txt"), "utf8");
	appendFileSync(join(root, "main.txt"), "more\n");
	const provide = (path: string) => Promise.resolve(c.quickDiffProvider!.provideOriginalResource!(file(path), undefined as never));
	const original = await provide(join(root, "main.txt"));
	assert.ok(original);
	assert.equal(await read(w, original), a);
	writeFileSync(join(root, "untracked"), "");
	assert.equal(await provide(join(root, "untracked")), undefined);
	assert.equal(await provide(join(w.dir, "elsewhere")), undefined);

	// After a commit or an update by somebody else the editor is told to look again.
	let told = 0;
	w.revisions.onDidChangeFile((events) => {
		assert.equal(events[0]!.uri.toString(), original.toString());
		told++;
	});
	const { mtime } = await w.revisions.stat(original);
	writeFileSync(join(root, ".hg", "branch"), "other\n");
	await w.eventually("the change is told", () => told > 0);
	assert.ok((await w.revisions.stat(original)).mtime > mtime);
	await assert.rejects(async () => w.revisions.readFile(original.with({ path: join(root, "absent") })), /not found/);
	assert.throws(() => w.revisions.writeFile(original, new Uint8Array(), { create: true, overwrite: true }), /not allowed/);
});

test("the current line is annotated", async (t) => {
	const { w, root } = await opened(t, "merges-renames", (root) => appendFileSync(join(root, "a"), "mine\n"));
	const text = (e: { decorations: vscode.DecorationOptions[] }) => e.decorations[0]?.renderOptions?.after?.contentText ?? "";
	const editor = w.show(join(root, "a"), 0);
	await w.eventually("the line is annotated", () => text(editor) !== "");
	assert.match(text(editor), /^Ada Stone, .* ago · \S/);
	assert.match((editor.decorations[0]!.hoverMessage as vscode.MarkdownString).value, /^\d+:[0-9a-f]{12} {2}Ada Stone/);

	const last = readFileSync(join(root, "a"), "utf8").split("\n").length - 2;
	editor.selection.active = Object.assign(Object.create(Object.getPrototypeOf(editor.selection.active)), { line: last, character: 0 });
	w.selected.fire({ textEditor: editor });
	assert.equal(text(editor), "");
	await w.eventually("the new line is told from the others", () => text(editor) === "not committed");

	const dirty = w.show(join(root, "a"), 1, "typed, not saved\n" + readFileSync(join(root, "a"), "utf8"));
	await w.eventually("the line of a buffer is annotated", () => text(dirty).startsWith("Ada Stone"));
	w.settings["hgbroker.annotateLine"] = false;
	w.configured.fire({ affectsConfiguration: (s) => s === "hgbroker.annotateLine" });
	assert.equal(text(dirty), "");
});

test("a commit is the real hg's", async (t) => {
	const { w, root, c } = await opened(t, "linear");
	const told = join(w.dir, "told");
	const accept = () => w.execute(c.acceptInputCommand!.command, ...c.acceptInputCommand!.arguments!) as Promise<void>;
	await accept();
	assert.deepEqual(w.errors, ["A commit needs a message."]);
	c.inputBox.value = "-m is no option here";
	w.realHg(`while [ "$1" = --config ]; do shift 2; done; printf '%s\\n' "$@" > ${told}; pwd >> ${told}`);
	await accept();
	assert.equal(readFileSync(told, "utf8"), `commit\n--message=-m is no option here\n${root}\n`);
	assert.equal(c.inputBox.value, "");
	c.inputBox.value = "again";
	w.realHg('echo "nothing changed"; exit 1');
	await accept();
	assert.deepEqual(w.errors.slice(1), ["nothing changed"]);
	assert.equal(c.inputBox.value, "again");
});

function mercurial(t: TestContext): string | undefined {
	try {
		return execFileSync("which", [process.env["HGBROKER_TEST_HG"] ?? "hg"], { encoding: "utf8" }).trim();
	} catch {
		t.skip("no Mercurial (HGBROKER_TEST_HG, or hg on PATH)");
		return undefined;
	}
}

test("a commit by Mercurial itself", async (t) => {
	const hg = mercurial(t);
	if (hg === undefined) return;
	const { w, root, c } = await opened(t, "linear", (root) => appendFileSync(join(root, "main.txt"), "more\n"));
	assert.deepEqual(shownIn(c, "changes"), ["diff-modified main.txt"]);
	const before = c.statusBarCommands![0]!.tooltip!;
	w.realHg(`exec ${hg} "$@"`);
	c.inputBox.value = "Añadido";
	await w.execute("hgbroker.commit", c);
	assert.deepEqual(w.errors, []);
	await w.eventually("the change is committed", () => shownIn(c, "changes").length === 0 && c.statusBarCommands![0]!.tooltip !== before);
	assert.match(c.statusBarCommands![0]!.tooltip!, /Añadido$/);
	assert.equal(execFileSync(hg, ["log", "-r", ".", "-T", "{desc}"], { cwd: root, encoding: "utf8" }), "Añadido");
});

test("what hg asks, the user is asked", async (t) => {
	const hg = mercurial(t);
	if (hg === undefined) return;
	const { w, root, c } = await opened(t, "linear", (root) => appendFileSync(join(root, "main.txt"), "more\n"));
	w.realHg(`unset HGUSER EMAIL; exec ${hg} --config ui.askusername=yes "$@"`);
	c.inputBox.value = "one";
	await w.execute("hgbroker.commit", c);
	assert.match(w.questions[0] ?? w.errors.join(), /username/);
	assert.equal(w.errors.length, 1, "a commit without an answer went well");
	w.answer = () => "grace";
	await w.execute("hgbroker.commit", c);
	assert.equal(w.errors.length, 1);
	assert.equal(execFileSync(hg, ["log", "-r", ".", "-T", "{user}"], { cwd: root, encoding: "utf8" }), "grace");
});

test("a broker that dies is started again", async (t) => {
	const { w, root, c } = await opened(t, "linear");
	const pid = () => Number(/runs as process (\d+)/.exec(w.logged.filter((l) => l.includes("runs as process")).at(-1) ?? "")?.[1]);
	const first = pid();
	process.kill(first, "SIGKILL");
	await w.eventually("another broker runs", () => pid() !== first);
	writeFileSync(join(root, ".hg", "branch"), "after\n");
	await w.eventually("the other broker follows", () => status(c) === "$(git-branch) after");
	await w.execute("hgbroker.restart");
	writeFileSync(join(root, ".hg", "branch"), "third\n");
	await w.eventually("the third broker follows", () => status(c) === "$(git-branch) third");
});

test("folders that come and go; a symbolic link; no repository", async (t) => {
	const w = new Window(t);
	w.open(w.dir);
	const linear = w.repository("linear");
	const link = join(w.dir, "link");
	symlinkSync(linear, link);
	assert.deepEqual([w.controls.length, w.logged], [0, []], "a broker runs without a repository");
	w.openFolders(link);
	await w.eventually("the repository is shown", () => status(w.controls[0] ?? ({} as Control)) !== "");
	assert.equal(w.controls[0]!.rootUri.fsPath, link);
	writeFileSync(join(linear, ".hg", "branch"), "other\n");
	await w.eventually("the branch is shown", () => status(w.controls[0]!) === "$(git-branch) other");
	w.openFolders();
	await w.eventually("the repository is left", () => w.controls[0]!.disposed);
	assert.deepEqual(w.errors, []);
});

test("no broker", async (t) => {
	const w = new Window(t);
	w.settings["hgbroker.path"] = join(w.dir, "absent");
	w.open(w.repository("linear"));
	await w.eventually("the user is told", () => w.errors.length > 0);
	assert.match(w.errors[0]!, /ENOENT/);
	assert.equal(w.controls.length, 0);
});

test("times in words", () => {
	const now = 1_700_000_000;
	const told = [0, 59, 60, 7200, 86400, 3 * 86400, 8 * 86400, 40 * 86400, 800 * 86400, -5].map((d) => ago(now - d, now * 1000));
	assert.deepEqual(told, ["just now", "just now", "1 minute ago", "2 hours ago", "yesterday", "3 days ago", "last week", "last month", "2 years ago", "just now"]);
});
