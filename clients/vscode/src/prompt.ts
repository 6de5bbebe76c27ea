// SPDX-License-Identifier: GPL-2.0-or-later

import { type PromptParams, type Text, shown } from "hgbroker-client";
import * as vscode from "vscode";

/** prompt has the user answer what hg asks; null when the question is closed. */
export async function prompt(p: PromptParams, token: vscode.CancellationToken): Promise<Text | null> {
	const question = shown(p.message).trim();
	if (p.choices !== undefined && p.choices.length > 0) {
		const items = p.choices.map((c) => ({ label: shown(c.label), picked: p.default !== undefined && p.default === c.value, answer: c.value }));
		const chosen = await vscode.window.showQuickPick(items, { title: "Mercurial", placeHolder: question, ignoreFocusOut: true }, token);
		return chosen?.answer ?? null;
	}
	const value = p.default ? shown(p.default) : undefined;
	return (await vscode.window.showInputBox({ title: "Mercurial", prompt: question, password: p.kind === "password", value, ignoreFocusOut: true }, token)) ?? null;
}
