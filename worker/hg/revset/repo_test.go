// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// memRepo is a repository in memory, read out of a real one through `hg log`.
type memRepo struct {
	t        testing.TB
	hg       *shell
	all      bool // --hidden
	revs     []memRev
	byNode   map[node.ID]node.Rev
	wdir     [2]node.Rev
	branches []NamedRev
	heads    []node.Rev // of branches
	marks    []NamedRev
	active   string
	tags     []NamedRev
	sets     map[ObsSet][]node.Rev
	markers  [][]node.ID // predecessor, successors...
}

type memRev struct {
	node       node.ID
	p1, p2     node.Rev
	branch     string
	closes     bool
	phase      int
	user, desc string
	date       int64
	zone       int
	files      []string
	extra      map[string]string
	hidden     bool
	modified   []string
	added      []string
	removed    []string
}

func (r *memRepo) Len() int                 { return len(r.revs) }
func (r *memRepo) Hidden(rev node.Rev) bool { return !r.all && r.revs[rev].hidden }
func (r *memRepo) HiddenCount() int {
	n := 0
	for i := range r.revs {
		if r.Hidden(node.Rev(i)) {
			n++
		}
	}
	return n
}
func (r *memRepo) Parents(rev node.Rev) (node.Rev, node.Rev) { return r.revs[rev].p1, r.revs[rev].p2 }
func (r *memRepo) WdirParents() (node.Rev, node.Rev)         { return r.wdir[0], r.wdir[1] }
func (r *memRepo) Node(rev node.Rev) node.ID {
	switch rev {
	case node.NullRev:
		return node.Null
	case node.WdirRev:
		return node.Wdir
	}
	return r.revs[rev].node
}
func (r *memRepo) Rev(id node.ID) (node.Rev, bool) {
	switch id {
	case node.Null:
		return node.NullRev, true
	case node.Wdir:
		return node.WdirRev, true
	}
	rev, ok := r.byNode[id]
	return rev, ok
}

// Lookup is revsymbol; what hg says about hidden and ambiguous symbols is asked
// of hg.
func (r *memRepo) Lookup(symbol string) (node.Rev, error) {
	visible := func(rev node.Rev) (node.Rev, error) {
		if rev >= 0 && rev < node.Rev(len(r.revs)) && r.Hidden(rev) {
			return 0, r.ask(hgerr.HiddenRevision, symbol)
		}
		return rev, nil
	}
	switch symbol {
	case ".":
		return r.wdir[0], nil
	case "null":
		return node.NullRev, nil
	case "tip":
		rev := node.Rev(len(r.revs)) - 1
		for rev >= 0 && r.Hidden(rev) {
			rev--
		}
		return rev, nil
	}
	if n, err := strconv.Atoi(symbol); err == nil && strconv.Itoa(n) == symbol {
		if n == int(node.WdirRev) {
			return node.WdirRev, nil
		}
		if n < 0 {
			n += len(r.revs)
		}
		if n >= 0 && n < len(r.revs) {
			return visible(node.Rev(n))
		}
	}
	if id, ok := node.FromHex(symbol); ok {
		if rev, ok := r.Rev(id); ok {
			return visible(rev)
		}
	}
	for _, names := range [][]NamedRev{r.marks, r.tags, r.branches} {
		if rev, ok := findName(names, symbol); ok {
			return visible(rev)
		}
	}
	rev, ok, err := r.LookupPrefix(symbol)
	if err != nil {
		return 0, r.ask(hgerr.AmbiguousRevision, symbol)
	}
	if ok {
		return visible(rev)
	}
	return 0, hgerr.Abortf(hgerr.UnknownRevision, "unknown revision '%s'", symbol)
}

// ask makes the error that hg prints for a symbol.
func (r *memRepo) ask(kind hgerr.Kind, symbol string) error {
	if r.hg == nil {
		return hgerr.Abortf(kind, "%s", symbol)
	}
	_, stderr := r.hg.run(r.t, "log", "-r", "revset("+Quote(symbol)+")")
	msg, hint, _ := strings.Cut(strings.TrimSuffix(stderr, "\n"), "\n")
	a := hgerr.Abortf(kind, "%s", strings.TrimPrefix(msg, "abort: "))
	a.Hint = strings.TrimSuffix(strings.TrimPrefix(hint, "("), ")")
	return a
}

func (r *memRepo) LookupPrefix(prefix string) (node.Rev, bool, error) {
	prefix = strings.ToLower(strings.TrimPrefix(prefix, "x"))
	if len(prefix) > 40 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return node.NullRev, false, nil
	}
	var found []node.Rev
	if strings.HasPrefix(node.Wdir.Hex(), prefix) {
		found = append(found, node.WdirRev)
	}
	if strings.HasPrefix(node.Null.Hex(), prefix) {
		found = append(found, node.NullRev)
	}
	for i := range r.revs {
		if strings.HasPrefix(r.revs[i].node.Hex(), prefix) {
			found = append(found, node.Rev(i))
		}
	}
	if len(found) > 1 {
		return 0, false, hgerr.Abortf(hgerr.AmbiguousRevision, "ambiguous")
	}
	if len(found) == 0 {
		return node.NullRev, false, nil
	}
	return found[0], true, nil
}

func (r *memRepo) Phase(rev node.Rev) int {
	switch rev {
	case node.NullRev:
		return 0
	case node.WdirRev:
		return 1
	}
	return r.revs[rev].phase
}
func (r *memRepo) Branch(rev node.Rev) (string, bool) {
	switch rev {
	case node.NullRev:
		return "default", false
	case node.WdirRev:
		return r.Branch(r.wdir[0])
	}
	return r.revs[rev].branch, r.revs[rev].closes
}
func (r *memRepo) Branches() ([]NamedRev, error)    { return r.branches, nil }
func (r *memRepo) BranchHeads() ([]node.Rev, error) { return r.heads, nil }
func (r *memRepo) HeadRevs() ([]node.Rev, error) {
	isParent := map[node.Rev]bool{}
	for i, rev := range r.revs {
		if !r.Hidden(node.Rev(i)) {
			isParent[rev.p1], isParent[rev.p2] = true, true
		}
	}
	var heads []node.Rev
	for i := range r.revs {
		if rev := node.Rev(i); !isParent[rev] && !r.Hidden(rev) {
			heads = append(heads, rev)
		}
	}
	return heads, nil
}
func (r *memRepo) Bookmarks() ([]NamedRev, error)  { return r.marks, nil }
func (r *memRepo) ActiveBookmark() (string, error) { return r.active, nil }
func (r *memRepo) Tags() ([]NamedRev, error)       { return r.tags, nil }
func (r *memRepo) real(rev node.Rev) (memRev, error) {
	switch {
	case rev == node.NullRev:
		return memRev{}, nil
	case rev == node.WdirRev:
		return memRev{}, hgerr.NewUnsupported("columns of wdir()")
	}
	return r.revs[rev], nil
}
func (r *memRepo) User(rev node.Rev) (string, error) {
	m, err := r.real(rev)
	return m.user, err
}
func (r *memRepo) Desc(rev node.Rev) (string, error) {
	m, err := r.real(rev)
	return m.desc, err
}
func (r *memRepo) Date(rev node.Rev) (int64, int, error) {
	m, err := r.real(rev)
	return m.date, m.zone, err
}
func (r *memRepo) Files(rev node.Rev) ([]string, error) {
	m, err := r.real(rev)
	return m.files, err
}
func (r *memRepo) Extra(rev node.Rev) (map[string]string, error) {
	m, err := r.real(rev)
	return m.extra, err
}
func (r *memRepo) Obsolescence(kind ObsSet) ([]node.Rev, error) { return r.sets[kind], nil }
func (r *memRepo) Successors(revs []node.Rev) ([]node.Rev, error) {
	seen := map[node.ID]bool{}
	var out []node.Rev
	var visit func(node.ID)
	visit = func(id node.ID) {
		if seen[id] {
			return
		}
		seen[id] = true
		if rev, ok := r.byNode[id]; ok {
			out = append(out, rev)
		}
		for _, m := range r.markers {
			if m[0] == id {
				for _, s := range m[1:] {
					visit(s)
				}
			}
		}
	}
	for _, rev := range revs {
		visit(r.Node(rev))
	}
	return out, nil
}

// indexedRepo has the optional indexes as well; answers must not change.
type indexedRepo struct{ *memRepo }

func (r indexedRepo) NonPublic() []node.Rev {
	var revs []node.Rev
	for i := range r.revs {
		if r.revs[i].phase > 0 && !r.Hidden(node.Rev(i)) {
			revs = append(revs, node.Rev(i))
		}
	}
	return revs
}

func (r indexedRepo) AllPublic() bool {
	for i := range r.revs {
		if r.revs[i].phase > 0 {
			return false
		}
	}
	return true
}

func (r indexedRepo) AppendChildren(children []node.Rev, rev node.Rev) []node.Rev {
	for i := range r.revs {
		if p := &r.revs[i]; p.p1 == rev || p.p2 == rev && rev != node.NullRev {
			children = append(children, node.Rev(i))
		}
	}
	return children
}

// MatchFiles matches whole names only.
func (r indexedRepo) MatchFiles(q FileQuery, _ node.Rev) (func(string) bool, error) {
	for _, p := range slices.Concat(q.Patterns, q.Include, q.Exclude) {
		if strings.ContainsAny(p, "*?[{:\\/") {
			return nil, hgerr.NewUnsupported("pattern %q", p)
		}
	}
	return func(f string) bool {
		if len(q.Patterns) > 0 && !slices.Contains(q.Patterns, f) {
			return false
		}
		return !slices.Contains(q.Exclude, f) && (len(q.Include) == 0 || slices.Contains(q.Include, f))
	}, nil
}

func (r indexedRepo) ChangedFiles(rev node.Rev) (modified, added, removed []string, err error) {
	m, err := r.real(rev)
	return m.modified, m.added, m.removed, err
}

const fieldEnd, recordEnd = "\x1e", "\x1d"

// load reads the repository that hg serves.
func load(t testing.TB, hg *shell) *memRepo {
	t.Helper()
	r := &memRepo{t: t, hg: hg, byNode: map[node.ID]node.Rev{}, sets: map[ObsSet][]node.Rev{}, wdir: [2]node.Rev{-1, -1}}
	must := func(args ...string) string {
		stdout, stderr := hg.run(t, args...)
		if stderr != "" {
			t.Fatalf("hg %q: %s", args, stderr)
		}
		return stdout
	}
	columns := []string{"{node}", "{p1rev}", "{p2rev}", "{branch}", "{phase}", "{author}", "{desc}", "{date|hgdate}",
		`{join(files, "\n")}`, `{extras % "{key}={value|utf8}\n"}`, `{join(file_mods, "\n")}`, `{join(file_adds, "\n")}`, `{join(file_dels, "\n")}`}
	out := must("log", "--hidden", "-r", "all()", "-T", strings.Join(columns, `\x1e`)+`\x1d`)
	lines := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	}
	number := func(s string) node.Rev {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return node.Rev(n)
	}
	for _, rec := range strings.Split(strings.TrimSuffix(out, recordEnd), recordEnd) {
		f := strings.Split(rec, fieldEnd)
		id, _ := node.FromHex(f[0])
		m := memRev{node: id, p1: number(f[1]), p2: number(f[2]), branch: f[3], user: f[5], desc: f[6], hidden: true,
			files: lines(f[8]), extra: map[string]string{}, modified: lines(f[10]), added: lines(f[11]), removed: lines(f[12])}
		m.phase = slices.Index([]string{"public", "draft", "secret"}, f[4])
		fmt.Sscan(f[7], &m.date, &m.zone)
		for _, kv := range lines(f[9]) {
			k, v, _ := strings.Cut(kv, "=")
			m.extra[k] = v
		}
		_, m.closes = m.extra["close"]
		r.byNode[id] = node.Rev(len(r.revs))
		r.revs = append(r.revs, m)
	}
	each := func(out string, fn func(node.Rev)) {
		for _, f := range strings.Fields(out) {
			fn(number(f))
		}
	}
	each(must("log", "-r", "all()", "-T", "{rev} "), func(rev node.Rev) { r.revs[rev].hidden = false })
	each(must("parents", "-T", "{rev} "), func(rev node.Rev) {
		if r.wdir[0] < 0 {
			r.wdir[0] = rev
		} else {
			r.wdir[1] = rev
		}
	})
	names := func(args ...string) (list []NamedRev) {
		for _, l := range lines(must(args...)) {
			n, rev, _ := strings.Cut(l, fieldEnd)
			list = append(list, NamedRev{n, number(rev)})
		}
		return list
	}
	r.branches = names("branches", "-c", "-T", `{branch}\x1e{rev}\n`)
	r.marks = names("bookmarks", "-T", `{bookmark}\x1e{rev}\n`)
	r.active = must("log", "-r", ".", "-T", "{activebookmark}")
	r.tags = names("tags", "-T", `{tag}\x1e{rev}\n`)
	each(must("heads", "-c", "-T", "{rev} "), func(rev node.Rev) { r.heads = append(r.heads, rev) })
	for _, k := range []ObsSet{Obsolete, Orphan, Extinct, PhaseDivergent, ContentDivergent, Filtered} {
		each(must("log", "--hidden", "-r", string(k)+"()", "-T", "{rev} "), func(rev node.Rev) { r.sets[k] = append(r.sets[k], rev) })
	}
	for _, l := range lines(must("debugobsolete")) {
		var ids []node.ID
		for _, f := range strings.Fields(l) {
			id, ok := node.FromHex(f)
			if !ok {
				break
			}
			ids = append(ids, id)
		}
		r.markers = append(r.markers, ids)
	}
	return r
}

// build makes a repository with a bit of everything: branches (closed ones
// too), merges, a criss-cross, names that look like expressions, phases,
// grafts, obsolete and hidden changesets, and text beyond ASCII.
func build(t testing.TB) (*shell, *memRepo) {
	t.Helper()
	hg := startHg(t, filepath.Join(sharedDir, "repo"))
	if _, err := os.Stat(hg.Dir); err != nil {
		if err := os.Mkdir(hg.Dir, 0o777); err != nil {
			t.Fatal(err)
		}
		populate(t, hg)
	}
	return hg, load(t, hg)
}

// sharedDir holds the repository of build, which all tests read.
var sharedDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "revset-test-")
	if err != nil {
		panic(err)
	}
	sharedDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func populate(t testing.TB, hg *shell) {
	t.Helper()
	hg.Must(t, "init")
	rc := "[experimental]\nevolution=all\n[ui]\nmerge=internal:local\n[extensions]\nrebase=\n[phases]\npublish=no\n"
	if err := os.WriteFile(filepath.Join(hg.Dir, ".hg", "hgrc"), []byte(rc), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		if _, stderr := hg.run(t, args...); strings.Contains(stderr, "abort") || strings.Contains(stderr, "error") {
			t.Fatalf("hg %q: %s", args, stderr)
		}
	}
	n := 0
	users := []string{"Ada <ada@example.org>", "bob", "Çelik Öz", "ADA two", "İstanbul ΑΣ"}
	commit := func(file, desc string, more ...string) {
		path := filepath.Join(hg.Dir, file)
		if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n", n), 0o666); err != nil {
			t.Fatal(err)
		}
		run(append([]string{"commit", "-A", "-q", "-m", desc, "-u", users[n%len(users)], "-d", fmt.Sprintf("%d %d", 1000000000+n*864000*7, (n%5-2)*3600)}, more...)...)
		n++
	}
	up := func(rev string) { run("update", "-q", "-C", rev) }
	for i := range 6 {
		commit(fmt.Sprintf("f%d", i%3), fmt.Sprintf("Add %d\nsecond line é", i))
	}
	run("phase", "-p", "2")
	run("tag", "-l", "1.0")
	run("tag", "-l", "-r", "3", "rel-1.0-rc")
	run("tag", "-l", "-r", "1", "and")
	up("2")
	run("branch", "-q", "stable")
	commit("g", "stable: start")
	commit("f1", "stable: fix + more (bug 12)")
	up("5")
	run("merge", "-q", "-r", "7")
	commit("m", "merge stable")
	up("7")
	run("merge", "-q", "-r", "5")
	commit("m", "criss cross")
	up("8")
	run("merge", "-q", "-r", "9")
	commit("m", "merge of merges")
	up("4")
	run("branch", "-q", "feature-x")
	commit("h", "feature: one")
	commit("h", "feature: two")
	run("commit", "-q", "--close-branch", "-m", "close feature", "-d", "1500000000 0", "-u", "bob")
	n++
	up("10")
	commit("k", "tip of default")
	run("bookmark", "@")
	run("bookmark", "-r", "3", "foo-bar")
	run("bookmark", "-r", "6", "a+b c")
	run("bookmark", "-r", "6", "mark/x@y")
	run("graft", "-q", "-r", "11", "-d", "1510000000 0")
	run("graft", "-q", "-r", "7", "-d", "1520000000 3600", "-u", "graft")
	up("1")
	commit("z", "secret stuff", "--secret")
	commit("z", "More SECRET Stuff\n\nre: x\n", "--secret")
	up("14")
	commit("o", "to be amended")
	commit("p", "on top")
	up("-2")
	run("commit", "--amend", "-q", "-m", "amended once", "-d", "1530000000 0")
	run("commit", "--amend", "-q", "-m", "amended twice", "-d", "1530000000 0")
	commit("q", "to be pruned")
	run("debugobsolete", "--record-parents", tipNode(t, hg))
	up("tip")
	commit("r", "rebase me")
	run("rebase", "-q", "-r", ".", "-d", "6", "--config", "extensions.rebase=")
	commit("s", "new root to be", "-q")
	up("null")
	commit("t", "second root")
	commit("u", "ambiguous 1")
	up("-2")
	commit("u", "head 2")
	up("10")
}

func tipNode(t testing.TB, hg *shell) string {
	out, _ := hg.run(t, "log", "-r", "tip", "-T", "{node}")
	return out
}
