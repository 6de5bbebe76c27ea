// SPDX-License-Identifier: GPL-2.0-or-later

const units: [Intl.RelativeTimeFormatUnit, number][] = [
	["year", 365 * 86400],
	["month", 30 * 86400],
	["week", 7 * 86400],
	["day", 86400],
	["hour", 3600],
	["minute", 60],
];

/** ago tells how long before now (milliseconds) a time (seconds) was. */
export function ago(time: number, now: number): string {
	const seconds = Math.max(0, now / 1000 - time);
	for (const [unit, length] of units) {
		if (seconds >= length) return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
	}
	return "just now";
}
