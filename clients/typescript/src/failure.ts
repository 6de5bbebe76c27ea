// SPDX-License-Identifier: GPL-2.0-or-later

import { ResponseError } from "vscode-jsonrpc";
import type { ErrorData } from "./protocol";

/** Codes that a request of ours can fail with, beside JSON-RPC's own. */
export const RequestCancelled = -32800;
export const RequestFailed = -32803;

/** failure is the broker's account of a request that could not be done, undefined for any other error. */
export function failure(e: unknown): ErrorData | undefined {
	return e instanceof ResponseError && e.code === RequestFailed ? (e.data as ErrorData | undefined) : undefined;
}

/** failureKind is what to match on: "NotARepository", "UnknownRevision", "Unsupported", ... */
export function failureKind(e: unknown): string | undefined {
	return failure(e)?.kind;
}

/** wasCancelled tells the failure of a request whose token was cancelled. */
export function wasCancelled(e: unknown): boolean {
	return e instanceof ResponseError && e.code === RequestCancelled;
}
