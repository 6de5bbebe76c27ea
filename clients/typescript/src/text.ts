// SPDX-License-Identifier: GPL-2.0-or-later

import { isUtf8 } from "node:buffer";
import type { Text } from "./protocol";

/** bytes are what a Text stands for. */
export function bytes(t: Text): Buffer {
	return typeof t === "string" ? Buffer.from(t, "utf8") : Buffer.from(t.base64, "base64");
}

/** text is bytes as the wire has them: nothing is replaced or dropped. */
export function text(b: Uint8Array): Text {
	const buffer = Buffer.from(b.buffer, b.byteOffset, b.byteLength);
	return isUtf8(buffer) ? buffer.toString("utf8") : { base64: buffer.toString("base64") };
}

/** shown is a Text for people to read: bytes that are not UTF-8 become U+FFFD. */
export function shown(t: Text): string {
	return typeof t === "string" ? t : bytes(t).toString("utf8");
}

/** sameText compares the bytes. */
export function sameText(a: Text, b: Text): boolean {
	return a === b || bytes(a).equals(bytes(b));
}
