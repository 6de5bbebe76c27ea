// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "fmt"

// annotate is annotate of some files.
func (d *dice) annotate() []string {
	args := []string{pick(d, []string{"annotate", "annotate", "blame"})}
	args = append(args, d.flags(15, "-u", "-f", "-d", "-n", "-c", "-l", "--no-follow", "-a", "-w", "-b", "-B", "-Z", "-q", "-v")...)
	if d.chance(70) {
		args = append(args, "-r", d.rev())
	}
	if d.chance(15) {
		args = append(args, "--skip", d.revset(1))
	}
	if d.chance(15) {
		args = append(args, pick(d, [][]string{{"-Tjson"}, {"-T", `{lines % "{rev} {path}:{lineno} {user|person}: {line}"}`}, {"-T", "{path}\\n{lines}"}})...)
	}
	for range 1 + d.IntN(2) {
		if d.chance(80) {
			args = append(args, d.relative(pick(d, d.Files)))
		} else {
			args = append(args, d.file())
		}
	}
	return args
}

// follow is log of what files came from, or of what changed their lines.
func (d *dice) follow() []string {
	args := []string{"log", "-T", "{rev}:{node|short} {files}\\n"}
	args = append(args, d.flags(12, "--follow-first", "-G", "-l3", "--removed", "-M")...)
	file := d.relative(pick(d, d.Files))
	switch d.IntN(6) {
	case 0:
		args = append(args, "-f")
	case 1:
		return append(args, "-r", fmt.Sprintf("follow(%q)", pick(d, d.Files)))
	case 2:
		return append(args, "-r", fmt.Sprintf("followlines(%q, %d:%d, startrev=%d)", file, 1+d.IntN(3), 3+d.IntN(3), d.IntN(8)))
	case 3:
		return append(args, "-f", "-L", fmt.Sprintf("%s,%d:%d", file, 1+d.IntN(3), 3+d.IntN(3)))
	default:
		args = append(args, "-f", file)
	}
	if d.chance(40) {
		args = append(args, "-r", d.rev())
	}
	return append(args, d.pathArgs(10)...)
}

// copied asks for copies between revisions.
func (d *dice) copied() []string {
	switch d.IntN(4) {
	case 0:
		return append([]string{"debugrename", "-r", d.rev()}, d.pathArgs(30)...)
	case 1:
		return []string{"status", "-C", "--rev", d.rev(), "--rev", d.rev()}
	case 2:
		return []string{"status", "-C", "--rev", d.rev()}
	}
	a, b := d.rev(), d.rev()
	if a == "" || b == "" || a[0] == '-' || b[0] == '-' {
		a, b = "0", "tip"
	}
	return []string{"debugpathcopies", a, b}
}
