// SPDX-License-Identifier: GPL-2.0-or-later

package formatter_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// dumped is a repository as one `hg log` told of it: enough for templates, with
// nothing of the engine's own readers in it.
type dumped struct {
	root   string
	enc    *encoding.Encoding
	ctxs   map[node.Rev]*dumpedCtx
	nodes  map[node.ID]node.Rev
	total  int
	active template.Text
	p1, p2 node.ID
	global map[string]bool
}

// dumpedCtx is one changeset of it. Texts are stored in UTF-8.
type dumpedCtx struct {
	repo                    *dumped
	rev                     node.Rev
	id                      node.ID
	p1, p2                  node.Rev
	children                []node.Rev
	user, desc, branch      string
	unix                    int64
	offset                  int
	extras                  []template.Extra
	mfnode                  node.ID
	mfrev                   node.Rev
	phase                   template.Phase
	tags, bookmarks         []string
	files, mods, adds, dels []string
	copies                  []template.Copy
	obsolete                bool
	instabilities           []string
	successors              []template.SuccessorSet
	predecessors            []node.ID
}

// The fields of a dumped line, separated by tabs; \x02 and \x03 separate inside.
const dumpTemplate = `{rev}\t{node}\t{p1rev}\t{p2rev}\t{children % "{word('0', child, ':')} "}\t` +
	`{user|utf8|stringescape}\t{desc|utf8|stringescape}\t{branch|utf8|stringescape}\t{date|hgdate}\t` +
	`{join(extras % "{key|stringescape}\x03{value|stringescape}", "\x02")}\t{manifest % "{rev} {node}"}\t{phaseidx}\t` +
	`{join(tags % "{tag|utf8|stringescape}", "\x02")}\t{join(bookmarks % "{bookmark|utf8|stringescape}", "\x02")}\t` +
	`{join(files % "{file|stringescape}", "\x02")}\t{join(file_mods % "{file|stringescape}", "\x02")}\t` +
	`{join(file_adds % "{file|stringescape}", "\x02")}\t{join(file_dels % "{file|stringescape}", "\x02")}\t` +
	`{join(file_copies % "{name|stringescape}\x03{source|stringescape}", "\x02")}\t{obsolete}\t{instabilities}\t` +
	`{succsandmarkers|json}\t{join(predecessors % "{node}", " ")}\n`

func split(s, sep string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, sep)
}

func rawStrings(t testing.TB, list string) []string {
	var out []string
	for _, s := range split(list, "\x02") {
		out = append(out, unescape(t, s))
	}
	return out
}

// unescape undoes hg's stringescape.
func unescape(t testing.TB, s string) string {
	t.Helper()
	q := strings.ReplaceAll(strings.ReplaceAll(s, `\'`, `'`), `"`, `\"`)
	out, err := strconv.Unquote(`"` + q + `"`)
	if err != nil {
		t.Fatalf("unescape %q: %v", s, err)
	}
	return out
}

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hash(t testing.TB, s string) node.ID {
	t.Helper()
	id, ok := node.FromHex(s)
	if !ok {
		t.Fatalf("not a node: %q", s)
	}
	return id
}

// dump asks hg about every visible revision of its repository, which has files
// in its working directory's parents only.
func dump(t testing.TB, hg *hgtest.Shell) *dumped {
	t.Helper()
	d := &dumped{
		root: hg.Dir, enc: encoding.UTF8(), ctxs: map[node.Rev]*dumpedCtx{},
		nodes: map[node.ID]node.Rev{}, global: map[string]bool{},
	}
	out := hg.Must(t, "log", "-r", "all() + wdir() + null", "-T", dumpTemplate)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 23 {
			t.Fatalf("dump: %d fields in %q", len(f), line)
		}
		c := &dumpedCtx{
			repo: d, rev: node.Rev(atoi(t, f[0])), id: hash(t, f[1]),
			p1: node.Rev(atoi(t, f[2])), p2: node.Rev(atoi(t, f[3])),
			user: unescape(t, f[5]), desc: unescape(t, f[6]), branch: unescape(t, f[7]),
			tags: rawStrings(t, f[12]), bookmarks: rawStrings(t, f[13]), files: rawStrings(t, f[14]),
			mods: rawStrings(t, f[15]), adds: rawStrings(t, f[16]), dels: rawStrings(t, f[17]),
			obsolete: f[19] != "", instabilities: strings.Fields(f[20]), phase: template.Phase(atoi(t, f[11])),
		}
		for _, s := range strings.Fields(f[4]) {
			c.children = append(c.children, node.Rev(atoi(t, s)))
		}
		unix, offset, _ := strings.Cut(f[8], " ")
		c.unix, c.offset = int64(atoi(t, unix)), atoi(t, offset)
		for _, x := range split(f[9], "\x02") {
			k, v, _ := strings.Cut(x, "\x03")
			c.extras = append(c.extras, template.Extra{Key: unescape(t, k), Value: unescape(t, v)})
		}
		mfrev, mfnode, _ := strings.Cut(f[10], " ")
		c.mfrev, c.mfnode = node.Rev(atoi(t, mfrev)), hash(t, mfnode)
		for _, x := range split(f[18], "\x02") {
			name, source, _ := strings.Cut(x, "\x03")
			c.copies = append(c.copies, template.Copy{Dest: unescape(t, name), Source: unescape(t, source)})
		}
		for _, s := range strings.Fields(f[22]) {
			c.predecessors = append(c.predecessors, hash(t, s))
		}
		c.successors = fates(t, f[21])
		d.ctxs[c.rev] = c
		d.nodes[c.id] = c.rev
	}
	if len(d.ctxs) < 5 {
		t.Fatalf("dump: only %d revisions", len(d.ctxs))
	}
	d.total = atoi(t, hg.Must(t, "log", "--hidden", "-r", "max(all())", "-T", "{rev}")) + 1
	d.active = template.PlainText(hg.Must(t, "log", "-r", ".", "-T", "{activebookmark}"))
	w := d.ctxs[node.WdirRev]
	d.p1, d.p2 = d.ctxs[w.p1].id, d.ctxs[w.p2].id
	for _, tag := range strings.Split(hg.Must(t, "tags", "-T", `{ifeq(type, "local", "", "{tag}\n")}`), "\n") {
		d.global[tag] = tag != "tip"
	}
	return d
}

func fates(t testing.TB, text string) []template.SuccessorSet {
	t.Helper()
	var sets []struct {
		Successors []string
		Markers    [][]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &sets); err != nil {
		t.Fatal(err)
	}
	var out []template.SuccessorSet
	for _, s := range sets {
		var set template.SuccessorSet
		for _, h := range s.Successors {
			set.Successors = append(set.Successors, hash(t, h))
		}
		for _, m := range s.Markers {
			var (
				prec    string
				succs   []string
				mark    template.Marker
				meta    [][2]string
				date    [2]float64
				parents []string
			)
			for i, to := range []any{&prec, &succs, &mark.Flags, &meta, &date, &parents} {
				if err := json.Unmarshal(m[i], to); err != nil {
					t.Fatal(err)
				}
			}
			mark.Predecessor = hash(t, prec)
			for _, h := range succs {
				mark.Successors = append(mark.Successors, hash(t, h))
			}
			for _, kv := range meta {
				mark.Metadata = append(mark.Metadata, template.Extra{Key: kv[0], Value: kv[1]})
			}
			mark.Unix, mark.Offset = date[0], int(date[1])
			for _, h := range parents {
				mark.Parents = append(mark.Parents, hash(t, h))
			}
			set.Markers = append(set.Markers, mark)
		}
		out = append(out, set)
	}
	return out
}

func (d *dumped) text(s string) template.Text {
	t := d.enc.ToLocal(s)
	if t.UTF8 == t.Local {
		t.UTF8 = ""
	}
	return template.Text{Local: t.Local, UTF8: t.UTF8}
}

func (d *dumped) texts(ss []string) []template.Text {
	var out []template.Text
	for _, s := range ss {
		out = append(out, d.text(s))
	}
	return out
}

func (d *dumped) Root() string { return d.root }
func (d *dumped) Len() int     { return d.total }
func (d *dumped) Changectx(rev node.Rev) (template.Changectx, error) {
	if c := d.ctxs[rev]; c != nil {
		return c, nil
	}
	return nil, os.ErrNotExist
}
func (d *dumped) Lookup(id node.ID) (node.Rev, bool) { r, ok := d.nodes[id]; return r, ok }
func (d *dumped) Resolve(prefix string) (node.ID, bool) {
	var found []node.ID
	for id, r := range d.nodes {
		if strings.HasPrefix(id.Hex(), prefix) && r != node.WdirRev {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return node.Null, false
	}
	return found[0], true
}
func (d *dumped) ShortestPrefix(id node.ID) (int, bool) {
	if _, ok := d.nodes[id]; !ok {
		return 0, false
	}
	n := 1
	for other := range d.nodes {
		for other != id && n <= 40 && other != node.Wdir && strings.HasPrefix(other.Hex(), id.Hex()[:n]) {
			n++
		}
	}
	return n, true
}
func (d *dumped) Symbol(name string) (node.Rev, bool) {
	if name == "null" {
		return node.NullRev, true
	}
	for r, c := range d.ctxs {
		for _, n := range append(append([]string(nil), c.bookmarks...), c.tags...) {
			if n == name {
				return r, true
			}
		}
	}
	return 0, false
}
func (d *dumped) ActiveBookmark() template.Text               { return d.active }
func (d *dumped) WorkingParents() (p1, p2 node.ID)            { return d.p1, d.p2 }
func (d *dumped) MergeNodes() (local, other node.ID, ok bool) { return }
func (d *dumped) GlobalTag(name string) bool                  { return d.global[name] }
func (d *dumped) RelPath(path string) string                  { return path }
func (d *dumped) Username() template.Text                     { return template.PlainText("me <me@example.com>") }
func (d *dumped) Copies(ctx template.Changectx) ([]template.Copy, error) {
	return ctx.(*dumpedCtx).copies, nil
}
func (d *dumped) SuccessorSets(ctx template.Changectx) ([]template.SuccessorSet, error) {
	return ctx.(*dumpedCtx).successors, nil
}
func (d *dumped) WhyUnstable(template.Changectx) ([]template.Instability, error) {
	return nil, hgerr.NewUnsupported("instabilities of a dump")
}

func (d *dumped) Predecessors(ctx template.Changectx) ([]node.ID, error) {
	return ctx.(*dumpedCtx).predecessors, nil
}

func (c *dumpedCtx) Rev() node.Rev                  { return c.rev }
func (c *dumpedCtx) Node() node.ID                  { return c.id }
func (c *dumpedCtx) Parents() (p1, p2 node.Rev)     { return c.p1, c.p2 }
func (c *dumpedCtx) Children() []node.Rev           { return c.children }
func (c *dumpedCtx) User() template.Text            { return c.repo.text(c.user) }
func (c *dumpedCtx) Desc() template.Text            { return c.repo.text(c.desc) }
func (c *dumpedCtx) Date() (unix int64, offset int) { return c.unix, c.offset }
func (c *dumpedCtx) Branch() template.Text          { return c.repo.text(c.branch) }
func (c *dumpedCtx) Extras() []template.Extra       { return c.extras }
func (c *dumpedCtx) ManifestNode() node.ID          { return c.mfnode }
func (c *dumpedCtx) ManifestRev() node.Rev          { return c.mfrev }
func (c *dumpedCtx) Phase() template.Phase          { return c.phase }
func (c *dumpedCtx) Tags() []template.Text          { return c.repo.texts(c.tags) }
func (c *dumpedCtx) Bookmarks() []template.Text     { return c.repo.texts(c.bookmarks) }
func (c *dumpedCtx) Files() []string                { return c.files }
func (c *dumpedCtx) FileStatus() (m, a, r []string) { return c.mods, c.adds, c.dels }
func (c *dumpedCtx) Obsolete() bool                 { return c.obsolete }
func (c *dumpedCtx) Instabilities() []string        { return c.instabilities }
func (c *dumpedCtx) Err() error                     { return nil }
func (c *dumpedCtx) ClosesBranch() bool {
	for _, x := range c.extras {
		if x.Key == "close" {
			return true
		}
	}
	return false
}

// build makes a repository with what templates can see: names of all kinds,
// merges, copies, removals, long and non-ASCII and empty texts, obsolescence.
func build(t testing.TB, hg *hgtest.Shell) {
	t.Helper()
	hg.Must(t, "init")
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(hg.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(".hg/hgrc", hgrc)
	n := 0
	commit := func(user, desc string, more ...string) {
		t.Helper()
		n++
		date := strconv.Itoa(1700000000+n*86399) + " " + strconv.Itoa([]int{0, -7200, 16200, 3600}[n%4])
		hg.Must(t, append([]string{"commit", "-A", "-q", "-u", user, "-d", date, "-m", desc}, more...)...)
	}
	write("a", "a\n")
	write("dir/b c", "b\n")
	commit("Alice Example <alice@example.com>", "first\n\nwith a body, and \"quotes\" & <tags>\n\n- item one\n- item two that is long enough to be wrapped when it is filled to a width of sixty-eight columns\n* star")
	write("a", "a\na\n")
	commit("bob", "sécond: ünïcödé 日本語 \U0001F600")
	hg.Must(t, "tag", "-u", "tagger", "-d", "1700200000 0", "v1.0")
	hg.Must(t, "tag", "-l", "localtag")
	hg.Must(t, "branch", "-q", "stable")
	write("dir/caf\xe9", "latin\n")
	hg.Must(t, "cp", "a", "copy of a")
	commit(`"Carol O'Hara, Esq." <carol.ohara@mail.example.org>`, "on a branch\ttab and trailing   ")
	hg.Must(t, "rm", "dir/b c")
	hg.Must(t, "mv", "copy of a", "dir/moved")
	commit("dave <dave@host>", "remove and move")
	hg.Must(t, "bookmark", "mark one")
	hg.Must(t, "update", "-q", "-r", "2")
	write("other", "o\n")
	commit("@strange<user", "x")
	hg.Must(t, "merge", "-q", "-r", "stable")
	commit("Eve", "merge stable")
	hg.Must(t, "update", "-q", "stable")
	commit("Frank <frank@example.com>", "close it", "--close-branch")
	hg.Must(t, "update", "-q", "default")
	hg.Must(t, "bookmark", "act")
	write("é", "utf\n")
	commit("Zoë <zoe@example.com>", "  \n")
	write("z", strings.Repeat("z\n", 30))
	commit("Grace", strings.Repeat("a very long line of words ", 12)+"\r\nsecond-line hyphen-ated end")
	hg.Must(t, "tag", "-u", "tagger", "-d", "1701500000 0", "v2.0", "also v2")
	write("secret", "s\n")
	commit("Heidi", "secret one", "--secret")
	// Obsolescence: an amended changeset with a child that becomes an orphan.
	write("obs", "1\n")
	commit("Ivan", "to be amended")
	write("obs2", "1\n")
	commit("Ivan", "child of amended")
	hg.Must(t, "update", "-q", "-r", ".~1")
	write("obs", "2\n")
	n++
	hg.Must(t, "commit", "--amend", "-q", "-m", "amended", "-d", strconv.Itoa(1700000000+n*86399)+" 0")
	// A changeset that is pruned but kept visible by its child.
	write("pruned", "1\n")
	commit("Judy", "pruned with a child")
	pruned := hg.Must(t, "log", "-r", ".", "-T", "{node}")
	write("pruned2", "1\n")
	commit("Judy", "child of pruned")
	hg.Must(t, "debugobsolete", "-d", "1702000000 0", "-u", "me <me@example.com>", "--record-parents", pruned)
	hg.Must(t, "phase", "--public", "-r", "5")
	// What is cached is not told about under --debug.
	hg.Must(t, "debugupdatecaches")
	hg.Must(t, "log", "-T", "{tags}{branch}")
}

// hgrc has what templates read from the configuration.
const hgrc = `[ui]
username = me <me@example.com>
[experimental]
evolution = all
[templates]
named = "{rev} is named\n"
refers = "{node|short} {inner}"
inner = '({rev})'
self = "{self}"
items = "{rev}|{desc|firstline}\n"
items:docheader = "begin\n"
items:docfooter = "end\n"
items:separator = "--\n"
items:header = "head {branch}\n"
bare = {rev}\n
mapped = {files % mappedfile}\n
mappedfile = <{file}>
empty = ""
[templatealias]
twice(x) = "{x}{x}"
short8 = "{strip(node|short)}"
enc(x, y) = separate("/", x, y)
both = twice(short8)
loop = "{loop}"
bad(x = nothing
bad2 = "{unclosed"
[templateconfig]
color = blue
number = 42
flag = yes
word = abc
`
