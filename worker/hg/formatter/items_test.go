// SPDX-License-Identifier: GPL-2.0-or-later

package formatter_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/template"
)

// items are commands written against a Formatter as the engine's are, with the
// arguments that make real hg do the same.
var items = []struct {
	args []string
	emit func(x *fixture, cfg *formatter.Config, fm *formatter.Formatter)
}{
	{[]string{"tags"}, emitTags},
	{[]string{"bookmarks"}, emitBookmarks},
	{[]string{"annotate", "z", "-r", "default", "-n", "-u"}, emitAnnotate},
}

func emitTags(x *fixture, cfg *formatter.Config, fm *formatter.Formatter) {
	type tag struct {
		rev  node.Rev
		name string
	}
	var tags []tag
	for r, c := range x.repo.ctxs {
		for _, name := range c.tags {
			tags = append(tags, tag{r, name})
		}
	}
	slices.SortFunc(tags, func(a, b tag) int {
		return cmp.Or(cmp.Compare(b.rev, a.rev), cmp.Compare(b.name, a.name))
	})
	for _, t := range tags {
		id := x.repo.ctxs[t.rev].id
		kind := ""
		if !x.repo.global[t.name] && t.name != "tip" {
			kind = "local"
		}
		fm.StartItem()
		fm.RepoContext()
		fm.Write("tag", "%s", template.Bytes(t.name))
		fm.CondWrite(!cfg.Options.Quiet, "rev node", strings.Repeat(" ", 30-len(t.name))+" %5d:%s", template.Int(int64(t.rev)), template.Bytes(fm.Hash(id)))
		fm.CondWrite(cfg.Options.Verbose && kind != "", "type", " %s", template.Bytes(kind))
		fm.Plain("\n")
	}
}

func emitBookmarks(x *fixture, cfg *formatter.Config, fm *formatter.Formatter) {
	names := map[string]node.Rev{}
	var order []string
	for r, c := range x.repo.ctxs {
		for _, b := range c.bookmarks {
			if r != node.WdirRev {
				names[b] = r
				order = append(order, b)
			}
		}
	}
	slices.Sort(order)
	for _, b := range order {
		active := b == x.repo.active.Local
		prefix := " "
		if active {
			prefix = "*"
		}
		fm.StartItem()
		fm.RepoContext()
		if !cfg.Options.Quiet {
			fm.Plain(" " + prefix + " ")
		}
		fm.Write("bookmark", "%s", template.Bytes(b))
		fm.CondWrite(!cfg.Options.Quiet, "rev node", strings.Repeat(" ", 25-len(b))+" %d:%s", template.Int(int64(names[b])), template.Bytes(fm.Hash(x.repo.ctxs[names[b]].id)))
		fm.Data("active", template.Bool(active))
		fm.Plain("\n")
	}
}

// emitAnnotate has one nested item a line; the file was added whole.
func emitAnnotate(x *fixture, _ *formatter.Config, fm *formatter.Formatter) {
	data, err := os.ReadFile(filepath.Join(x.hg.Dir, "z"))
	if err != nil {
		x.t.Fatal(err)
	}
	var ctx *dumpedCtx
	for _, c := range x.repo.ctxs {
		if c.rev >= 0 && c.rev != node.WdirRev && slices.Contains(c.adds, "z") {
			ctx = c
		}
	}
	fm.StartItem()
	fm.Data("path", template.Bytes("z"))
	inner := fm.Nested("lines", "{rev}: {line}", "")
	for _, line := range bytes.SplitAfter(data, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		inner.StartItem()
		inner.FileContext(ctx, "z")
		inner.Write("user rev", "%s %d", template.Bytes(strings.Fields(ctx.user)[0]), template.Int(int64(ctx.rev)))
		inner.Write("line", ": %s", template.Bytes(string(line)))
	}
	if err := inner.End(); err != nil {
		x.t.Fatal(err)
	}
}

func TestItems(t *testing.T) {
	args := []string{"", "json", "cbor", "debug", "list", "json(tag, rev)", "json(bookmark, desc=desc, active)", "cbor(rev)", "json(node|short)", "items", "named", "plain\n", "default", "xml",
		"{tag} {bookmark} {rev} {node|short} {index}\n", "{node} {desc|firstline} {user}\n", "{tag|json}{type|json}{active|json}{rev|json}\n", "{tags}{bookmarks}{branch}\n",
		"{if(active, 'A', 'I')}{ifeq(active, 'True', 1, 0)}{active}\n", "{files % '{file} {rev}\n'}", "{parents % '{rev} {originalnode|short}'}{p1.rev}\n", "{type}|{nosuch}|{date|isodate}\n",
		"{lines}", "{lines % '{rev}:{line}'}", "{lines|json}\n", "{lines % '{user} {index} {desc|firstline} {path}\n'}", "{path}\n", "{join(lines, '-')}", "{lines|count}\n", "{get(lines, 'x')}", "{lines % '{abspath}{file}{branch}'}\n",
		"{tag", "{rev|nosuch}", "{graphnode}{latesttag}{reporoot}\n", "{namespaces % '{namespace}={names} '}\n", "{verbosity}{termwidth}\n", "{dict(rev, tag, active)|json}\n", "{manifest}\n", "{shortest(node, 5)} {relpath('a')}\n"}
	eachVersion(t, nil, func(t *testing.T, x *fixture) {
		x.t = t
		for _, item := range items {
			for _, flags := range [][]string{nil, {"-q"}, {"-v"}, {"--debug"}} {
				for _, arg := range args {
					if item.args[0] == "annotate" && (arg == "" || len(flags) > 0) {
						continue // its plain text is aligned by the command
					}
					got := emit(x, item.args[0], item.emit, flags, arg)
					if strings.HasPrefix(got.err, "not an abort: not native") {
						t.Errorf("%v %v -T %q: %s", item.args, flags, arg, got.err)
						continue
					}
					real := append(append([]string(nil), item.args...), flags...)
					if arg != "" {
						real = append(real, "-T"+arg)
					}
					want := x.real(real...)
					if hgtest.Crashed(want.err) {
						t.Logf("%v %v -T %q: real hg falls over, we say %q", item.args, flags, arg, got.err)
						continue
					}
					if got != want {
						t.Errorf("%v %v -T %q\n%s", item.args, flags, arg, difference(got, want))
					}
				}
			}
		}
	})
}

func emit(x *fixture, topic string, f func(*fixture, *formatter.Config, *formatter.Formatter), flags []string, arg string) answer {
	cfg := x.config(flags)
	var w bytes.Buffer
	fail := func(err error) answer {
		a := failure(err)
		a.out = w.String()
		return a
	}
	spec, err := formatter.Lookup(cfg, topic, arg, &w)
	if err != nil {
		return fail(err)
	}
	fm, err := formatter.New(cfg, spec, topic, x.repo, &w)
	if err != nil {
		return fail(err)
	}
	f(x, cfg, fm)
	if err := fm.End(); err != nil {
		return fail(err)
	}
	return answer{out: w.String()}
}

// TestEndsOfTheGraph renders the null revision and the working directory.
func TestEndsOfTheGraph(t *testing.T) {
	eachVersion(t, nil, func(t *testing.T, x *fixture) {
		x.t = t
		for _, rev := range []node.Rev{node.NullRev, node.WdirRev} {
			for _, arg := range []string{"{rev} {node} {p1rev} {p2rev} {p1node}\n", "{desc}|{user}|{branch}|{phase}\n", "{manifest} {manifest.node}\n", "{files}{file_adds}{extras}\n", "{parents}|{children}\n", "{tags}{bookmarks}{graphnode}{negrev}\n",
				"{latesttag} {latesttagdistance} {changessincelatesttag}\n", "{shortest(node)} {obsolete}{instabilities}\n", "{p1.desc|firstline}|{p1}|{p2}\n", "{node|short} {rev + 1}\n"} {
				cfg := x.config(nil)
				spec, _ := formatter.LookupChangeset(cfg, arg, "", nil)
				d, err := formatter.NewDisplayer(cfg, spec, x.repo, formatter.DisplayOptions{Log: true})
				if err != nil {
					t.Fatal(err)
				}
				var w bytes.Buffer
				got := answer{}
				if err := d.Show(&w, x.repo.ctxs[rev], formatter.Props{}); err != nil {
					got = failure(err)
				}
				got.out = w.String()
				name := "null"
				if rev == node.WdirRev {
					name = "wdir()"
				}
				if want := x.real("log", "-r", name, "-T"+arg); got != want {
					t.Errorf("%s %q\n%s", name, arg, difference(got, want))
				}
			}
		}
	})
}

// BenchmarkLog renders 10,000 changesets.
func BenchmarkLog(b *testing.B) {
	x := &fixture{t: b, repo: synthetic(10000)}
	for _, arg := range []string{"{node}\n", "{rev}:{node|short} {desc|firstline}\n", "", "json", "compact", "default", "{rev} {parents % '{rev} '}{files % '{file} '}\n"} {
		name := arg
		if name == "" {
			name = "log"
		}
		b.Run(fmt.Sprintf("%q", name), func(b *testing.B) {
			cfg := x.config(nil)
			var w bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				w.Reset()
				spec, err := formatter.LookupChangeset(cfg, arg, "", &w)
				if err != nil {
					b.Fatal(err)
				}
				d, err := formatter.NewDisplayer(cfg, spec, x.repo, formatter.DisplayOptions{Log: true})
				if err != nil {
					b.Fatal(err)
				}
				for r := node.Rev(0); r < 10000; r++ {
					if err := d.Show(&w, x.repo.ctxs[r], formatter.Props{}); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(w.Len()))
			}
		})
	}
}

// synthetic is a line of changesets.
func synthetic(n int) *dumped {
	d := &dumped{enc: template.New(template.Options{}).Options().Encoding, ctxs: map[node.Rev]*dumpedCtx{}, total: n}
	null := &dumpedCtx{repo: d, rev: -1, p1: -1, p2: -1, branch: "default"}
	d.ctxs[-1] = null
	for r := node.Rev(0); int(r) < n; r++ {
		c := &dumpedCtx{repo: d, rev: r, p1: r - 1, p2: -1, user: "Some Body <some.body@example.com>", branch: "default",
			desc: "area: do a thing about something\n\nAnd more lines about it.\n", unix: 1700000000 + int64(r)*1000, offset: -3600, phase: phases.Draft,
			files: []string{"dir/file.go", "dir/other.go"}}
		c.id = node.ID{byte(r >> 8), byte(r), 7, byte(r * 31)}
		d.ctxs[r] = c
	}
	return d
}
