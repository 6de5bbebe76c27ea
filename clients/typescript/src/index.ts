// SPDX-License-Identifier: GPL-2.0-or-later

export * from "./broker";
export * from "./failure";
export * from "./protocol";
export type { OutputListener } from "./sink";
export * from "./text";
export { CancellationTokenSource } from "vscode-jsonrpc";
export type { CancellationToken, Disposable, Event } from "vscode-jsonrpc";
