// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

// diffForm draws options that say how a patch looks.
func (d *dice) diffForm() []string {
	args := d.flags(20, "-g")
	if d.chance(25) {
		args = append(args, d.some(2, []string{"diff.git=1", "diff.nodates=1", "diff.showfunc=1", "diff.unified=1", "diff.unified=0", "diff.noprefix=1", "diff.ignorews=1",
			"diff.ignoreblanklines=1", "diff.ignorewseol=1", "diff.nobinary=1", "experimental.xdiff=1", "experimental.extendedheader.index=full", "diff.unified=x"})...)
		for i := len(args) - 1; i >= 0; i-- {
			if args[i] != "-g" {
				args[i] = "--config=" + args[i]
			}
		}
	}
	return args
}

// diff compares sides of all kinds. The date that a patch has for the working
// directory would be that of the command.
func (d *dice) diff() []string {
	args := append([]string{"diff", "--config", "devel.default-date=2001-02-03 04:05 +0100"}, d.diffForm()...)
	switch d.IntN(8) {
	case 0:
		args = append(args, "-c", d.rev())
	case 1:
		args = append(args, "-r", d.rev())
	case 2, 3:
		args = append(args, "-r", d.rev(), "-r", d.rev())
	case 4:
		args = append(args, "-r"+d.revset(1))
	case 5:
		args = append(args, "--from", d.rev(), "--to", d.rev())
	}
	args = append(args, d.flags(5, "-w", "-b", "-B", "-Z", "-a", "-p", "-U0", "-U1", "-U20", "--nodates", "--noprefix", "--reverse", "--binary", "--no-binary")...)
	if d.chance(20) {
		args = append(args, "--stat")
	}
	if d.chance(5) && len(d.Dirs) > 0 {
		args = append(args, "--root", d.relative(pick(d, d.Dirs)))
	}
	return append(args, d.pathArgs(30)...)
}

// patches shows changesets with their diffs.
func (d *dice) patches() []string {
	if d.chance(30) {
		args := append([]string{"export"}, d.diffForm()...)
		args = append(args, d.flags(10, "--switch-parent", "-a", "--nodates", "-Tjson")...)
		for range d.IntN(3) {
			args = append(args, "-r", d.rev())
		}
		return args
	}
	args := append([]string{"log", pick(d, []string{"-p", "--stat", "-pg", "-p"})}, d.diffForm()...)
	args = append(args, d.flags(10, "--stat", "-G", "-v", "-Tjson", "-M")...)
	if d.chance(50) {
		args = append(args, "-r", d.rev())
	} else {
		args = append(args, "-l5")
	}
	return append(args, d.pathArgs(15)...)
}
