// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "strings"

// styled is a log in one of hg's styles, with colours or as a graph.
func (d *dice) styled() []string {
	args := []string{"log", pick(d, []string{"--style", "-T"})}
	args = append(args, pick(d, []string{"default", "compact", "changelog", "xml", "bisect", "phases", "status", "show", "nosuch"}))
	args = append(args, d.flags(15, "-v", "-q", "--debug", "-C", "-G", "--color=always")...)
	if d.chance(60) {
		args = append(args, "-r", d.revset(1))
	}
	return append(args, "-l"+pick(d, []string{"1", "3", "8"}))
}

// templated is a log by a template of what is seldom asked for.
func (d *dice) templated() []string {
	parts := []string{
		"{whyunstable}", `{whyunstable % "{instability} {reason} {node|short} {divergentnodes}\n"}`, "{onelinesummary}", "{bisect}", "{subrepos}", "{peerurls}", "{envvars}",
		`{files % "{status}{path}={size} "}`, `{files("**a*")}`, `{files("set:added()")}`, `{mailmap(author)}`, `{subsetparents(rev, revset("head() or merge() or 0"))}`,
		`{config("ui", "timeout")}{configbool("diff", "git")}{configint("ui", "x", 3)}`, `{sub("(.)\\1", "<\\1>", desc)}`, `{search("\\w+(?=\\s)", desc)}`,
		`{latesttag("re:\\d") % "{tag}+{distance}"}`, `{shortest(node, 1)}`, `{label("red", rev)}`, `{namespaces % "{namespace}={names},"}`, `{graphnode}{graphwidth}`,
		`{pad(branch, 8)}`, `{fill(desc, 20, " ", "> ")}`, `{succsandmarkers}`, `{p1.p1.rev}`, `{revset("%lr", files)}`, `{ifcontains("a", files, "y", "n")}`,
	}
	var text strings.Builder
	for range 1 + d.IntN(3) {
		text.WriteString(pick(d, parts) + "|")
	}
	args := []string{"log", "-T", text.String() + `\n`}
	args = append(args, d.flags(20, "-G", "-v", "--debug")...)
	if d.chance(25) {
		args = append(args, "--config", pick(d, []string{"experimental.log.topo=1", "experimental.graphshorten=1", "experimental.graphstyle.missing=|", "command-templates.graphnode={rev}"}))
	}
	if d.chance(70) {
		args = append(args, "-r", d.revset(1))
	}
	return append(args, "-l5")
}
