// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bufio"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// censusLine is a line of testdata/census.txt.
type censusLine struct {
	hgtest.Command
	everyRun bool // false: with HGBROKER_DIFFERENTIAL only
	refused  bool // goes to the real hg, and is not compared
	either   bool // goes to the real hg, or is compared
}

// dash marks a line that goes to the real hg.
var dash = regexp.MustCompile(`^([-~])([a-z,]*) `)

// readCensus returns the lines of each scenario, and the scenarios in their order.
func readCensus(t *testing.T) (map[string][]censusLine, []string) {
	f, err := os.Open(filepath.Join("testdata", "census.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := map[string][]censusLine{}
	var order, names []string
	n := 0
	hot := true // of the first block
	for in := bufio.NewScanner(f); in.Scan(); {
		text := in.Text()
		if list, ok := strings.CutPrefix(text, "@ "); ok {
			hot = names == nil
			names = strings.Fields(list)
			continue
		}
		if text == "" || text[0] == '#' {
			continue
		}
		var refusedIn []string // where it goes to the real hg; an empty name is everywhere
		either := false
		if m := dash.FindStringSubmatch(text); m != nil {
			refusedIn, either, text = strings.Split(m[2], ","), m[1] == "~", text[len(m[0]):]
		}
		c, err := hgtest.ParseCommand(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if slices.ContainsFunc(c.Args, func(a string) bool { return a == "diff" || a == "qdiff" || a == "grep" }) {
			// The working directory's files are dated by the clock.
			c.Args = append(c.Args[:len(c.Args):len(c.Args)], "--config=devel.default-date=2001-02-03 04:05 +0100")
		}
		n++
		for _, name := range names {
			name, later := strings.CutSuffix(name, "!")
			if !slices.Contains(order, name) {
				order = append(order, name)
			}
			refused := slices.Contains(refusedIn, "") || slices.Contains(refusedIn, name)
			lines[name] = append(lines[name], censusLine{c, !later && (hot || n%5 == 0), refused && !either, refused && either})
		}
	}
	return lines, order
}

// makeSite makes the repository of a scenario and returns its directory.
func makeSite(t *testing.T, name string, real hgtest.Runner) string {
	if recorded := recordedSites[name]; recorded != "" {
		return hgtest.Extract(t, recorded)
	}
	fill := censusSites[name]
	if fill == nil {
		t.Fatalf("census.txt names a scenario %s, which nothing makes", name)
	}
	s := newSite(t, real)
	fill(s)
	return s.Dir
}

const atFirst = "at first"

var lasting = regexp.MustCompile(`^(extensions|alias)\.`)

// company tells which command lines one hg process may answer: an extension that
// was loaded once and an alias leave traces in it, and so does a verbose status in
// the forms of the formatter. "alone" is a process for each, and atFirst is before
// hg has run a status, which may write the dirstate anew.
func company(c hgtest.Command) string {
	if slices.ContainsFunc(c.Args, func(a string) bool { return a == "debugstate" || a == "debugdirstate" }) {
		return atFirst
	}
	var on []string
	for _, a := range c.Args {
		if lasting.MatchString(a) {
			on = append(on, a)
		}
	}
	if slices.Contains(c.Args, "-v") && slices.ContainsFunc(c.Args, func(a string) bool { return a == "-T" || a == "-Tjson" }) &&
		slices.Contains(c.Args, "status") {
		return "alone"
	}
	return strings.Join(on, " ")
}

// TestCensus runs what the clients of Mercurial run, natively, and compares it
// with real hg. The Tally that it prints at the end is native/total by command.
//
//	HGBROKER_DIFFERENTIAL    set: all versions of hg, all scenarios, and each line
//	                         also in an engine that knows nothing yet
//	HGBROKER_CENSUS          names of scenarios to run alone, separated by commas
func TestCensus(t *testing.T) {
	lines, order := readCensus(t)
	all := os.Getenv("HGBROKER_DIFFERENTIAL") != ""
	versions := hgtest.HgVersions(t)
	if only := os.Getenv("HGBROKER_CENSUS"); only != "" {
		all, order = true, strings.Split(only, ",")
	} else if !all {
		versions = versions[:1]
	}
	for _, version := range versions {
		y := hgtest.NewTally(t)
		y.Strict = true
		y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 20)
		inst := Installation{Path: version.Path, Version: version.Number}
		real := hgtest.NewReal(t, version.Path)
		for _, name := range order {
			groups := map[string][]hgtest.Command{}
			var refusals, doubtful []hgtest.Command
			for _, l := range lines[name] {
				switch with := company(l.Command); {
				case !all && (!l.everyRun || with != "" && with != atFirst):
				case l.either:
					doubtful = append(doubtful, l.Command)
				case l.refused:
					refusals = append(refusals, l.Command)
				default:
					groups[with] = append(groups[with], l.Command)
				}
			}
			if len(groups) == 0 {
				continue
			}
			t.Run(version.Number+"/"+name, func(t *testing.T) {
				maker := hgtest.OpenReal(version.Path)
				dir := makeSite(t, name, maker)
				maker.Close()
				e := engineRunner("engine", inst, false)
				under := []hgtest.Named{e}
				if all {
					under = append(under, engineRunner("engine, new each time", inst, true))
				}
				against := func(cmds []hgtest.Command, peer hgtest.Runner) {
					hgtest.Compare(t, y, dir, cmds, append(under[:len(under):len(under)], hgtest.Named{Name: "hg " + version.Number, Runner: peer})...)
				}
				order := slices.Collect(maps.Keys(groups))
				if i := slices.Index(order, atFirst); i > 0 {
					order[0], order[i] = order[i], order[0]
				}
				for _, with := range order {
					cmds := groups[with]
					var peer hgtest.Runner = real
					switch with {
					case "", atFirst:
					case "alone":
						peer = hgtest.CLI(version.Path)
					default:
						own := hgtest.OpenReal(version.Path)
						defer own.Close()
						peer = own
					}
					against(cmds, peer)
				}
				if len(doubtful) > 0 {
					y.Strict = false
					against(doubtful, real)
					y.Strict = true
				}
				for _, c := range refusals {
					_, _, _, _, err := e.Run(filepath.Join(dir, c.Sub), c.Args, hgtest.BaseEnv(c.Env...))
					var unsupported *hgerr.Unsupported
					if !errors.As(err, &unsupported) {
						t.Errorf("%s is native by now (%v): take the dash before it away", c, err)
					}
				}
			})
		}
	}
}
