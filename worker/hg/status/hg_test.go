// SPDX-License-Identifier: GPL-2.0-or-later

package status_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/ignore"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/store"
)

var (
	seeds     = flag.Int("seeds", 2, "random working copies of each kind")
	firstSeed = flag.Uint64("firstseed", 1, "seed of the first one")
)

// bench is one random repository and the hg that made it.
type bench struct {
	t     *testing.T
	hg    *hgtest.Real
	v     config.Version
	r     *rand.Rand
	root  string
	v2    bool
	data  map[string][]byte // contents by revision and path
	asked int
	kept  *status.Memo  // what is remembered of queries
	memo  *status.Memo  // it, or nil for a query without
	rules *ignore.Rules // of the last query with one
}

// run runs hg, which must succeed.
func (b *bench) run(args ...string) string {
	b.t.Helper()
	out, stderr, code, err := b.try("", args...)
	if err != nil || code != 0 {
		b.t.Fatalf("hg %q: %d, %v\n%s", args, code, err, stderr)
	}
	return out
}

func (b *bench) try(cwd string, args ...string) (out, stderr string, code int, err error) {
	o, e, code, _, err := b.hg.Run(filepath.Join(b.root, cwd), append([]string{"--config=storage.dirstate-v2.slow-path=allow"}, args...), hgtest.BaseEnv())
	return string(o), string(e), code, err
}

func (b *bench) path(name string) string { return b.root + "/" + name }

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// write makes a file, and its directories if nothing is in their way.
func (b *bench) write(name, text string) {
	if fi, err := os.Stat(b.path(name)); err == nil && fi.Mode()&os.ModeNamedPipe != 0 {
		return // it would wait for a reader
	}
	if os.MkdirAll(filepath.Dir(b.path(name)), 0o777) == nil {
		os.WriteFile(b.path(name), []byte(text), 0o666)
	}
}

var names = []string{"a", "b", "c.o", "x.c", "e e", "\xe9\xff", "build", "z", "a-b", "a.b", "Makefile"}

func (b *bench) pick(list []string) string { return list[b.r.IntN(len(list))] }

func (b *bench) randomName() string {
	parts := []string{b.pick(names)}
	for b.r.IntN(5) > 1 && len(parts) < 4 {
		parts = append([]string{b.pick([]string{"d", "e", "build", "a", "sub", "\xe9"})}, parts...)
	}
	return strings.Join(parts, "/")
}

func (b *bench) some(list []string, n int) []string {
	list = slices.Clone(list)
	b.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(n, len(list))]
}

func (b *bench) tracked() []string {
	list := strings.Split(b.run("files", "-T", "{path}\\0"), "\x00")
	return list[:len(list)-1]
}

// make builds the repository and leaves its working directory in disorder.
func (b *bench) make() {
	format := "--config=format.use-dirstate-v2=no"
	if b.v2 {
		format = "--config=format.use-dirstate-v2=yes"
	}
	b.run("init", "--config=format.exp-rc-dirstate-v2=yes", format)
	for range 12 + b.r.IntN(20) {
		name := b.randomName()
		switch b.r.IntN(8) {
		case 0:
			os.MkdirAll(filepath.Dir(b.path(name)), 0o777)
			os.Symlink("target", b.path(name))
		case 1:
			b.write(name, "exec\n")
			os.Chmod(b.path(name), 0o777)
		default:
			b.write(name, strings.Repeat("x", b.r.IntN(5))+"\n")
		}
	}
	b.run("commit", "-q", "-A", "-m", "first", "-u", "me", "-d", "0 0")
	for range 2 {
		for _, name := range b.some(b.tracked(), 4) {
			b.write(name, fmt.Sprintf("changed %d\n", b.r.IntN(10)))
		}
		b.write(b.randomName(), "new\n")
		if files := b.some(b.tracked(), 2); len(files) > 0 {
			b.try("", append([]string{"rm", "-f", "--"}, rooted(files[:1])...)...)
		}
		b.run("addremove", "-q", "-s", "0")
		b.try("", "commit", "-q", "-m", "more", "-u", "me", "-d", "0 0")
	}
	if b.r.IntN(2) == 0 {
		b.run("update", "-q", "-C", "0")
		for _, name := range b.some(b.tracked(), 3) {
			b.write(name, "other side\n")
		}
		b.write(b.randomName(), "theirs\n")
		b.run("addremove", "-q", "-s", "0")
		b.try("", "commit", "-q", "-m", "side", "-u", "me", "-d", "0 0")
		if b.r.IntN(3) > 0 {
			b.try("", "merge", "-q", "--tool", b.pick([]string{":local", ":other", ":fail"}), "-r", "2")
		}
	}
	if b.r.IntN(2) == 0 {
		// Old files, whose times the dirstate can trust.
		for _, name := range b.tracked() {
			b.touch(name, 1000000000+int64(b.r.IntN(5)), int64(b.r.IntN(3)))
		}
		b.run("status", "-q")
	}
	b.disorder()
}

func (b *bench) touch(name string, sec, nsec int64) {
	ts := []unix.Timespec{{Sec: sec, Nsec: nsec}, {Sec: sec, Nsec: nsec}}
	unix.UtimesNanoAt(unix.AT_FDCWD, b.path(name), ts, unix.AT_SYMLINK_NOFOLLOW)
}

func rooted(files []string) []string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = "path:" + f
	}
	return list
}

func (b *bench) disorder() {
	files := b.tracked()
	for _, name := range b.some(files, 3+b.r.IntN(10)) {
		full, pattern := b.path(name), "path:"+name
		if fi, err := os.Stat(full); err == nil && fi.Mode()&os.ModeNamedPipe != 0 {
			os.Remove(full) // whoever opens it waits
		}
		switch b.r.IntN(16) {
		case 0:
			os.Remove(full)
		case 1:
			b.try("", "rm", "-f", "--", pattern)
		case 2:
			b.try("", "forget", "--", pattern)
		case 3:
			b.try("", "mv", "-f", "--", full, b.path(b.randomName()))
		case 4:
			b.try("", "cp", "-f", "--", full, b.path(b.randomName()))
		case 5: // same size, another content
			if data, err := os.ReadFile(full); err == nil {
				os.WriteFile(full, bytes.ReplaceAll(data, []byte("x"), []byte("y")), 0o666)
			}
		case 6:
			os.Chmod(full, os.FileMode(b.pick([]string{"\x01", "\x00"})[0])*0o100|0o644)
		case 7: // a directory in place of a file
			os.Remove(full)
			b.write(name+"/in", "x")
		case 8:
			os.Remove(full)
			os.Symlink(b.pick([]string{"target", "elsewhere"}), full)
		case 9: // a symbolic link in place of a directory
			dir := filepath.Dir(full)
			if dir != b.root {
				os.RemoveAll(dir + ".moved")
				if os.Rename(dir, dir+".moved") == nil {
					os.Symlink(filepath.Base(dir)+".moved", dir)
				}
			}
		case 10: // a file in place of a directory
			dir := filepath.Dir(full)
			if dir != b.root {
				os.RemoveAll(dir)
				os.WriteFile(dir, []byte("was a directory\n"), 0o666)
			}
		case 11: // a repository inside
			os.MkdirAll(filepath.Join(filepath.Dir(full), ".hg"), 0o777)
			os.RemoveAll(b.root + ".hgbackup")
		case 12:
			os.Remove(full)
			unix.Mkfifo(full, 0o666)
		case 13:
			b.touch(name, 1000000000, 0)
		case 14:
			b.touch(name, 1000000000, 5)
		default:
			b.write(name, "modified "+name)
		}
	}
	for range b.r.IntN(6) {
		b.write(b.randomName(), "unknown\n")
	}
	for range b.r.IntN(3) {
		name := b.randomName()
		b.write(name, "added\n")
		b.try("", "add", "--", "path:"+name)
	}
	if b.r.IntN(3) == 0 {
		b.write("nestedrepo/.hg/requires", "")
		b.write("nestedrepo/file", "")
		b.write("fake/.hg", "not a directory")
		b.write("fake/file", "")
	}
	if b.r.IntN(4) > 0 {
		b.write(".hgignore", b.pick([]string{"syntax: glob\n*.o\nbuild\n", "^a", "build/\nrootglob:d/*\n", "syntax: rootglob\nd/e\nsub\n", "glob:a\nre:^e$\n", ".*\n", "subinclude:d/more\n*bad", "subinclude:d/more\ninclude:inc\n"}))
		b.write("d/more", "syntax: rootglob\ne\n*.c\n")
		b.write("inc", "glob:a-*\nsyntax: what\n")
	}
}

// ask makes the working copy that is to be asked; complaints collects what hg
// would print on its standard error.
func (b *bench) ask(rev, cwd string, patterns, include, exclude []string, complaints *strings.Builder) (*status.WorkingCopy, error) {
	d, err := dirstate.Open(b.root+"/.hg", b.v2)
	b.must(err)
	m, err := match.New(match.Options{Root: b.root, Cwd: cwd, Patterns: patterns, Include: include, Exclude: exclude, Default: "relpath", Version: b.v})
	if err != nil {
		return nil, err
	}
	return &status.WorkingCopy{
		Root: b.root, Cwd: cwd, Dirstate: d, P1: b.manifest("."), Match: m,
		Ignore: func(warn func(string)) (status.Ignorer, error) {
			stale := func(s store.Stamped) bool { return !s.Fresh() }
			if b.memo == nil || b.rules == nil || slices.ContainsFunc(b.rules.Inputs(), stale) {
				rules, err := ignore.Load(ignore.Options{Root: b.root, Version: b.v, Warn: warn})
				if err != nil {
					return nil, err
				}
				b.rules = rules
				return rules, nil
			}
			for _, text := range b.rules.Warnings() {
				warn(text)
			}
			return b.rules, nil
		},
		Memo: b.memo, Began: time.Now().Add(time.Minute),
		Warn:    func(text string) { complaints.WriteString(text) },
		Differs: b.differs(".", rev),
		Bad: func(name, reason string) {
			fmt.Fprintf(complaints, "%s: %s\n", match.PathTo(b.root, cwd, name), reason)
		},
	}, nil
}

func (b *bench) manifest(rev string) manifest.Manifest {
	n := strings.TrimSpace(b.run("log", "-r", rev, "-T", "{manifest}"))
	if n == "" || strings.HasPrefix(n, "-1:") {
		return manifest.Manifest{}
	}
	m, err := manifest.Parse([]byte(b.run("debugdata", "-m", strings.Split(n, ":")[1])))
	b.must(err)
	return m
}

// differs compares with what hg cat prints, at whichever revision has the node.
func (b *bench) differs(revs ...string) func(context.Context, string, manifest.Entry) (bool, error) {
	return func(_ context.Context, path string, e manifest.Entry) (bool, error) {
		full := b.path(path)
		var have []byte
		if e.Flag == manifest.Symlink {
			target, err := os.Readlink(full)
			if err != nil {
				return false, err
			}
			have = []byte(target)
		} else {
			var err error
			if have, err = os.ReadFile(full); err != nil {
				return false, err
			}
		}
		key := e.Node.Hex() + path
		want, ok := b.data[key]
		if !ok {
			for _, rev := range revs {
				if at, found, _ := b.manifest(rev).Lookup(path); found && at.Node == e.Node {
					want = []byte(b.run("cat", "-r", rev, "path:"+path))
					break
				}
			}
			b.data[key] = want
		}
		return !bytes.Equal(have, want), nil
	}
}

// show prints a result as `hg status -T "{status} {path}\0"` does.
func show(r *status.Result, kinds string) string {
	var out strings.Builder
	for _, k := range []struct {
		letter string
		files  []string
	}{{"M", r.Modified}, {"A", r.Added}, {"R", r.Removed}, {"!", r.Deleted}, {"?", r.Unknown}, {"I", r.Ignored}, {"C", r.Clean}} {
		if strings.Contains(kinds, k.letter) {
			for _, f := range k.files {
				fmt.Fprintf(&out, "%s %s\n", k.letter, f)
			}
		}
	}
	return out.String()
}

// query is one question to both.
type query struct {
	cwd                        string
	flags, kinds               string // "-u", "?"
	patterns, include, exclude []string
	rev, rev2                  string
}

func (q query) args() []string {
	args := []string{"status", "-T", "{status} {path}\\n"}
	if q.flags != "" {
		args = append(args, q.flags)
	}
	for _, p := range q.include {
		args = append(args, "-I", p)
	}
	for _, p := range q.exclude {
		args = append(args, "-X", p)
	}
	for _, rev := range []string{q.rev, q.rev2} {
		if rev != "" {
			args = append(args, "--rev", rev)
		}
	}
	return append(append(args, "--"), q.patterns...)
}

func (b *bench) native(q query) (out, complaints string, err error) {
	var said strings.Builder
	wc, err := b.ask(q.rev, q.cwd, q.patterns, q.include, q.exclude, &said)
	if err != nil {
		return "", said.String(), err
	}
	ctx := context.Background()
	wc.ListUnknown = strings.Contains(q.kinds, "?")
	wc.ListIgnored = strings.Contains(q.kinds, "I")
	wc.ListClean = strings.Contains(q.kinds, "C")
	wc.Workers = 1 + b.r.IntN(4)
	if b.v.AtLeast(7, 0) {
		wc.Now = time.Now().Unix()
	}
	if q.rev2 != "" {
		r, err := status.Revisions(ctx, b.manifest(q.rev), b.manifest(q.rev2), wc.Match, wc.ListClean)
		b.must(err)
		return show(r, q.kinds), "", nil
	}
	r, err := b.result(ctx, wc, q)
	if err != nil {
		return "", said.String(), err
	}
	return show(r, q.kinds), said.String(), nil
}

func (b *bench) result(ctx context.Context, wc *status.WorkingCopy, q query) (*status.Result, error) {
	if q.rev == "" || b.run("log", "-r", q.rev+" and .", "-T", "{rev}") != "" {
		return status.Status(ctx, wc)
	}
	return status.AgainstRevision(ctx, wc, b.manifest("."), b.manifest(q.rev))
}

func (b *bench) compare(q query) {
	b.t.Helper()
	out, said, err := b.native(q)
	if hgerr.IsUnsupported(err) {
		return
	}
	var abort *hgerr.Abort
	if errors.As(err, &abort) {
		said += "abort: " + abort.Message + "\n"
		if abort.Hint != "" {
			said += "(" + abort.Hint + ")\n"
		}
	} else {
		b.must(err)
	}
	want, complaints, _, err := b.try(q.cwd, q.args()...)
	b.must(err)
	b.asked++
	if out != want || said != complaints {
		b.t.Errorf("%s v2=%v %q in %q:\n got %q\nwant %q\n got stderr %q\nwant stderr %q", b.root, b.v2, q.args(), q.cwd, out, want, said, complaints)
	}
}

// compareKept compares what is answered by a memory of the answers before, as if
// all had changed long ago.
func (b *bench) compareKept(q query) {
	b.t.Helper()
	if b.kept == nil {
		b.kept = &status.Memo{}
	}
	b.compare(q)
	b.memo = b.kept
	b.compare(q)
	b.memo = nil
}

// tick waits until the file system's clock has gone on.
func (b *bench) tick() {
	clock := b.root + ".clock"
	var first, now unix.Stat_t
	for changes := 0; changes < 3; {
		b.must(os.WriteFile(clock, nil, 0o666))
		b.must(unix.Lstat(clock, &now))
		if now.Ctim != first.Ctim {
			changes++
		}
		first = now
	}
}

func (b *bench) queries() []query {
	dirs := []string{"."}
	filepath.WalkDir(b.root, func(p string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() && p != b.root {
			if e.Name() == ".hg" {
				return filepath.SkipDir
			}
			dirs = append(dirs, strings.TrimPrefix(p, b.root+"/"))
		}
		return nil
	})
	files := append(b.tracked(), dirs...)
	list := []query{
		{kinds: "MAR!?"},
		{flags: "-A", kinds: "MAR!?IC"},
		{flags: "-mard", kinds: "MAR!"},
		{flags: "-i", kinds: "I"},
		{flags: "-iu", kinds: "?I"},
		{flags: "-c", kinds: "C"},
		{flags: "-u", kinds: "?"},
		{flags: "-A", kinds: "MAR!?IC", rev: "0"},
		{flags: "-A", kinds: "MAR!?IC", rev: "1"},
		{kinds: "MAR!?", rev: "1", rev2: "0"},
		{flags: "-A", kinds: "MAR!?IC", rev: "0", rev2: "tip"},
	}
	random := func() string {
		switch b.r.IntN(12) {
		case 0:
			return "glob:**" + b.pick([]string{".c", ".o", "a", "in"})
		case 1:
			return "relglob:" + b.pick(names)
		case 2:
			return "rootfilesin:" + b.pick(dirs)
		case 3:
			return "re:" + b.pick([]string{".*a", "d/", ".*[^o]$", "build"})
		case 4:
			return "path:" + b.randomName()
		case 5:
			return "path:nosuch/" + b.pick(names)
		}
		return "path:" + b.pick(files)
	}
	several := func(n int) (s []string) {
		for range b.r.IntN(n + 1) {
			s = append(s, random())
		}
		return s
	}
	for range 14 {
		q := list[b.r.IntN(7)]
		q.patterns, q.include, q.exclude = several(3), several(1), several(1)
		list = append(list, q)
	}
	for range 3 {
		cwd := b.pick(dirs)
		if cwd == "." {
			cwd = ""
		}
		if b.nested(cwd) {
			continue
		}
		q := query{cwd: cwd, kinds: "MAR!?", patterns: []string{b.pick([]string{".", "*", "nosuch", "..", "a"})}}
		list = append(list, q)
	}
	return list
}

// nested tells whether a directory belongs to another repository.
func (b *bench) nested(dir string) bool {
	for ; dir != "" && dir != "."; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(b.root, dir, ".hg")); err == nil {
			return true
		}
	}
	return false
}

// walk compares with hg debugwalk.
func (b *bench) walk(patterns ...string) {
	var said strings.Builder
	wc, err := b.ask("", "", patterns, nil, nil, &said)
	if err != nil {
		return
	}
	files, err := status.Walk(context.Background(), wc)
	if hgerr.IsUnsupported(err) {
		return
	}
	var abort *hgerr.Abort
	if errors.As(err, &abort) {
		said.WriteString("abort: " + abort.Message + "\n")
	} else {
		b.must(err)
	}
	width := 0
	for _, f := range files {
		width = max(width, len(f))
	}
	var out strings.Builder
	for _, f := range files {
		exact := ""
		if wc.Match.Exact(f) {
			exact = "exact"
		}
		line := fmt.Sprintf("f  %s%s  %s%s  %s", f, strings.Repeat(" ", width-len(f)), f, strings.Repeat(" ", width-len(f)), exact)
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	want, complaints, _, err := b.try("", append([]string{"debugwalk", "--"}, patterns...)...)
	b.must(err)
	if out.String() != want || said.String() != complaints {
		b.t.Errorf("%s debugwalk %q:\n got %q %q\nwant %q %q", b.root, patterns, out.String(), said.String(), want, complaints)
	}
	b.asked++
	want, _, _, err = b.try("", append([]string{"files", "-T", "{path}\n", "--"}, patterns...)...)
	b.must(err)
	got := strings.Join(status.Tracked(wc.Dirstate, wc.Match), "\n")
	if got+"\n" != want && got+want != "" {
		b.t.Errorf("%s files %q:\n got %q\nwant %q", b.root, patterns, got, want)
	}
}

func TestAgainstHg(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		hg := hgtest.NewReal(t, v.Path)
		version := config.Version{Major: 6, Minor: 3}
		if strings.HasPrefix(v.Number, "7.") {
			version = config.Version{Major: 7, Minor: 2}
		}
		for _, v2 := range []bool{false, true} {
			for seed := *firstSeed; seed < *firstSeed+uint64(*seeds); seed++ {
				t.Run(fmt.Sprintf("%s/v2=%v/%d", v.Number, v2, seed), func(t *testing.T) {
					dir, err := filepath.EvalSymlinks(t.TempDir())
					if err != nil {
						t.Fatal(err)
					}
					b := &bench{t: t, hg: hg, v: version, v2: v2, r: rand.New(rand.NewPCG(seed, 1)), root: dir + "/r", data: map[string][]byte{}}
					b.must(os.Mkdir(b.root, 0o777))
					b.make()
					queries := b.queries()
					for _, q := range queries {
						b.compare(q)
					}
					for _, p := range [][]string{nil, {"path:d"}, {"path:d", "relglob:*.c"}, {"path:nosuch", "path:build"}} {
						b.walk(p...)
					}
					usual := query{kinds: "MAR!?"}
					for range 3 {
						b.compareKept(usual)
						b.compareKept(usual)
						b.tick()
						b.disorder()
						b.tick()
					}
					b.compareKept(usual)
					if b.asked < len(queries)/2 {
						t.Errorf("only %d of %d questions were answered natively", b.asked, len(queries))
					}
				})
			}
		}
	}
}
