// SPDX-License-Identifier: GPL-2.0-or-later

// Package hgtest is the test bench of the project: repositories that real hg
// made, outputs that real hg printed, and the comparison of both with what
// hgbroker answers. Only tests and testdata/record import it.
//
// It has three sources of repositories:
//
//   - Extract unpacks a recorded one of testdata/repos (Repos lists them);
//   - Generate makes a random one with Mercurial's own Python code, in one of
//     the format Variants that hg can create;
//   - a test makes its own by running Hg.
//
// and two of expected output: Goldens, recorded in testdata/golden by
// `go run ./testdata/record`, and a living hg behind a Runner: CLI starts a
// process for each command, Real keeps command servers (`hg serve --cmdserver
// pipe`) open, which answer in milliseconds.
//
// A test plugs its own implementation in as a Runner and calls Compare or
// CompareGoldens with a Tally; the Tally counts, prints the totals, and fails
// a test that compared nothing:
//
//	tally := hgtest.NewTally(t)
//	real := hgtest.NewReal(t, hgtest.Hg(t))
//	for _, v := range hgtest.Variants() {
//		dir := hgtest.Generate(t, 1, v)
//		cmds := hgtest.RandomCommands(rand.New(rand.NewPCG(1, 2)), hgtest.Info(t, real, dir), 100)
//		hgtest.Compare(t, tally, dir, cmds, hgtest.Named{"engine", engine}, hgtest.Named{"hg", real})
//	}
//
// RandomCommands draws the command lines that clients run, TableCommands draws from
// the table of native commands and options that the test hands it, and a line that
// differs is reported with a shorter one that still does.
//
// A test that asks hg single questions types them into a Shell: a directory and
// an environment over a Runner. One that compares with Mercurial's own functions
// runs a program in hg's Python: Python and Output, or Oracle for a script of
// its testdata folder that answers many random questions at once.
//
// Nothing here ever writes an expectation that did not come from real hg, and
// a missing hg skips a test with a message instead of passing it.
//
// Unlike the engine it lies under, this package starts processes and reads
// the environment; the engine must not import it.
package hgtest
