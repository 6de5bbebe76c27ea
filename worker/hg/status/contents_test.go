// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// byName ignores every path with a word in it.
type byName string

func (w *byName) Ignored(path string) bool { return strings.Contains(path, string(*w)) }

// kept is a working copy whose directories are kept, and what changes it.
type kept struct {
	testing.TB
	wc    *WorkingCopy
	rules Ignorer
	r     *rand.Rand
	clock string // a file beside the working copy
}

func newKept(t testing.TB, seed uint64) *kept {
	base := t.TempDir()
	rules := byName("skip")
	k := &kept{TB: t, rules: &rules, r: rand.New(rand.NewPCG(seed, 3)), clock: filepath.Join(base, "clock")}
	k.wc = &WorkingCopy{Root: filepath.Join(base, "root"), P1: everyFile{node.ID{1}}, ListUnknown: true, Memo: &Memo{},
		Ignore:  func(func(string)) (Ignorer, error) { return k.rules, nil },
		Differs: func(context.Context, string, manifest.Entry) (bool, error) { return false, nil },
	}
	must(t, os.MkdirAll(k.path(".hg"), 0o777))
	var st unix.Statfs_t
	must(t, unix.Statfs(base, &st))
	if !steady[int64(st.Type)] {
		t.Skipf("nothing is kept on a file system of type %#x", st.Type)
	}
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (k *kept) path(name string) string { return filepath.Join(k.wc.Root, name) }

func (k *kept) write(name string) {
	k.Helper()
	must(k, os.MkdirAll(filepath.Dir(k.path(name)), 0o777))
	must(k, os.WriteFile(k.path(name), []byte(name), 0o666))
}

// track has the dirstate hold these files, as they are on disk.
func (k *kept) track(names ...string) {
	slices.Sort(names)
	var entries []dirstate.Entry
	for _, name := range names {
		e := dirstate.Entry{Path: name, Item: dirstate.Item{Flags: dirstate.WdirTracked | dirstate.P1Tracked}}
		var st unix.Stat_t
		if unix.Lstat(k.path(name), &st) == nil {
			e.Item.Flags |= dirstate.HasModeAndSize | dirstate.HasMtime
			e.Item.Mode, e.Item.Size, e.Item.MtimeS = int32(st.Mode), int32(st.Size), int32(st.Mtim.Sec)
		}
		entries = append(entries, e)
	}
	k.wc.Dirstate = dirstate.New(node.Null, node.Null, entries)
}

// tick waits until the file system's clock has gone on: what changes afterwards
// has another time than what changed before.
func (k *kept) tick() {
	k.Helper()
	var before, after unix.Stat_t
	for after.Ino == 0 || after.Ctim == before.Ctim {
		must(k, os.WriteFile(k.clock, nil, 0o666))
		before = after
		if before.Ino == 0 {
			must(k, unix.Lstat(k.clock, &before))
			must(k, os.WriteFile(k.clock, nil, 0o666))
		}
		must(k, unix.Lstat(k.clock, &after))
	}
	// Twice: the time of the first change may have been taken from a finer clock.
	must(k, os.WriteFile(k.clock, nil, 0o666))
	var last unix.Stat_t
	for last.Ino == 0 || last.Ctim == after.Ctim {
		must(k, os.WriteFile(k.clock, nil, 0o666))
		must(k, unix.Lstat(k.clock, &last))
	}
}

// soon and settled are times at which a command began: right now, so that no
// directory that was changed just now is kept; and late enough for all to be.
func soon() time.Time    { return time.Now() }
func settled() time.Time { return time.Now().Add(time.Minute) }

// status is the answer for a command that began then, which must be the one that
// is given without keeping anything.
func (k *kept) status(began time.Time) *Result {
	k.Helper()
	ask := func(wc WorkingCopy) (*Result, string) {
		said := ""
		wc.Bad = func(name, reason string) { said += name + ": " + reason + "\n" }
		wc.Workers = 1 + k.r.IntN(3)
		r, err := Status(context.Background(), &wc)
		if hgerr.IsUnsupported(err) {
			return &Result{}, err.Error()
		}
		must(k, err)
		return r, said
	}
	fresh := *k.wc
	fresh.Memo = nil
	want, wantSaid := ask(fresh)
	wc := *k.wc
	wc.Began = began
	got, gotSaid := ask(wc)
	if !reflect.DeepEqual(got, want) || gotSaid != wantSaid {
		k.Fatalf("what was kept gives %+v and says %q, and without it is %+v and %q", got, gotSaid, want, wantSaid)
	}
	return got
}

// TestKept uses what is kept, and not for longer than it holds.
func TestKept(t *testing.T) {
	k := newKept(t, 1)
	files := []string{"a", "d/b", "d/c", "d/e/f", "g/h"}
	for _, name := range files {
		k.write(name)
	}
	k.write("d/new")
	k.write("d/skip")
	k.write("u/v/w")
	k.track(files...)
	all := []string{"d/new", "u/v/w"}
	expect := func(began time.Time, want ...string) {
		t.Helper()
		if r := k.status(began); !slices.Equal(r.Unknown, want) || len(r.Deleted)+len(r.Modified) > 0 {
			t.Errorf("%+v, want the unknown files %q", r, want)
		}
	}
	plant := func(dir string) {
		n, ok := k.wc.Dirstate.Tree().Find(dir)
		if c := k.wc.Memo.contents[n]; !ok || c == nil {
			t.Fatalf("directory %q is not kept", dir)
		} else {
			c.unknown = append(c.unknown, "planted")
		}
	}
	planted := func(want bool) {
		t.Helper()
		wc := *k.wc
		wc.Began = settled()
		r, err := Status(context.Background(), &wc)
		must(t, err)
		if got := slices.Contains(r.Unknown, "planted"); got != want {
			t.Errorf("what is kept is used: %v, want %v", got, want)
		}
	}

	expect(soon(), all...)
	for _, c := range k.wc.Memo.contents {
		if c != nil {
			t.Errorf("a directory that has just been made is kept: %+v", c)
		}
	}
	expect(settled(), all...)
	expect(settled(), all...)
	plant("d/e")
	planted(true)

	// The same names in another dirstate leave all as it is, others do not.
	k.track(files...)
	planted(true)
	k.track(append(files, "d/new")...)
	planted(false)
	expect(settled(), "u/v/w")
	k.track(files...)
	expect(settled(), all...)

	// So do other rules.
	plant("g")
	planted(true)
	rules := byName("new")
	k.rules = &rules
	planted(false)
	expect(settled(), "d/skip", "u/v/w")

	// A directory is read again when a name is added in it; others are not.
	plant("g")
	plant("d")
	k.tick()
	k.write("d/more")
	planted(true)
	plant("g")
	k.tick()
	k.write("g/more")
	planted(false)
	expect(settled(), "d/more", "d/skip", "g/more", "u/v/w")

	// Nothing is kept, or asked for, where it cannot be used.
	plant("g")
	for name, change := range map[string]func(wc *WorkingCopy){
		"ignored files":    func(wc *WorkingCopy) { wc.ListIgnored = true },
		"subrepositories":  func(wc *WorkingCopy) { wc.Subrepos = []string{"other"} },
		"an unknown start": func(wc *WorkingCopy) { wc.Began = time.Time{} },
	} {
		wc := *k.wc
		wc.Began = settled()
		change(&wc)
		r, err := Status(context.Background(), &wc)
		must(t, err)
		if slices.Contains(r.Unknown, "planted") {
			t.Errorf("what is kept is used with %s", name)
		}
	}
	planted(true)

	// An unsteady file system.
	magic := fsType(t, k.wc.Root)
	delete(steady, magic)
	defer func() { steady[magic] = true }()
	planted(false)
}

func fsType(t testing.TB, path string) int64 {
	var st unix.Statfs_t
	must(t, unix.Statfs(path, &st))
	return int64(st.Type)
}

// TestKeptChanges makes each kind of change to a directory that is kept.
func TestKeptChanges(t *testing.T) {
	past := time.Unix(1e9, 0)
	for name, change := range map[string]func(k *kept) error{
		"created": func(k *kept) error { k.write("d/new"); return nil },
		"removed": func(k *kept) error { return os.Remove(k.path("d/unknown")) },
		"tracked and removed": func(k *kept) error {
			return os.Remove(k.path("d/b"))
		},
		"renamed":           func(k *kept) error { return os.Rename(k.path("d/unknown"), k.path("d/other")) },
		"renamed elsewhere": func(k *kept) error { return os.Rename(k.path("d/unknown"), k.path("g/other")) },
		"renamed onto a tracked file": func(k *kept) error {
			return os.Rename(k.path("d/unknown"), k.path("d/b"))
		},
		"exchanged": func(k *kept) error {
			return unix.Renameat2(unix.AT_FDCWD, k.path("d/e"), unix.AT_FDCWD, k.path("d/unknown"), unix.RENAME_EXCHANGE)
		},
		"a file becomes a directory": func(k *kept) error {
			err := os.Remove(k.path("d/b"))
			k.write("d/b/in")
			return err
		},
		"a directory becomes a file": func(k *kept) error {
			err := os.RemoveAll(k.path("d/e"))
			k.write("d/e")
			return err
		},
		"a directory becomes a link to itself": func(k *kept) error {
			return errors.Join(os.Rename(k.path("d"), k.path("moved")), os.Symlink("moved", k.path("d")))
		},
		"the directory above becomes a link": func(k *kept) error {
			return errors.Join(os.Rename(k.path("d/e"), k.path("moved")), os.Symlink("../moved", k.path("d/e")))
		},
		"another directory": func(k *kept) error {
			err := os.Rename(k.path("d"), k.path("moved"))
			k.write("d/b")
			return err
		},
		"two directories change places": func(k *kept) error {
			return unix.Renameat2(unix.AT_FDCWD, k.path("d"), unix.AT_FDCWD, k.path("g"), unix.RENAME_EXCHANGE)
		},
		"a repository inside": func(k *kept) error { return os.Mkdir(k.path("d/.hg"), 0o777) },
		"no repository inside any more": func(k *kept) error {
			return os.Remove(k.path("nested/.hg"))
		},
		"a hard link": func(k *kept) error { return os.Link(k.path("a"), k.path("d/linked")) },
		"unreadable":  func(k *kept) error { return os.Chmod(k.path("d"), 0) },
		"the time of the directory put back": func(k *kept) error {
			fi, err := os.Stat(k.path("d"))
			k.write("d/new")
			return errors.Join(err, os.Chtimes(k.path("d"), fi.ModTime(), fi.ModTime()))
		},
		"the time of the directory in the past": func(k *kept) error {
			k.write("d/new")
			return os.Chtimes(k.path("d"), past, past)
		},
		"the time of the directory to come": func(k *kept) error {
			k.write("d/new")
			return os.Chtimes(k.path("d"), time.Now().Add(time.Hour), time.Now().Add(time.Hour))
		},
		"all gone": func(k *kept) error { return os.RemoveAll(k.path("d")) },
		"in an unknown directory": func(k *kept) error {
			k.write("u/v/more")
			return nil
		},
		"below an unknown directory that changed before": func(k *kept) error {
			k.write("u/more")
			k.status(settled())
			k.tick()
			k.write("u/v/more")
			return nil
		},
		"an unknown directory gone": func(k *kept) error { return os.RemoveAll(k.path("u/v")) },
		"a pipe in the place of a file": func(k *kept) error {
			return errors.Join(os.Remove(k.path("d/b")), unix.Mkfifo(k.path("d/b"), 0o666))
		},
		"a file that is written, not its directory": func(k *kept) error {
			return os.WriteFile(k.path("d/b"), []byte("longer than it was before"), 0o666)
		},
		"executable": func(k *kept) error { return os.Chmod(k.path("d/b"), 0o777) },
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for _, quick := range []bool{false, true} {
				k := newKept(t, 2)
				files := []string{"a", "d/b", "d/c", "d/e/f", "g/h", "nested/f"}
				for _, name := range append(files, "d/unknown", "u/v/w") {
					k.write(name)
				}
				must(t, os.Mkdir(k.path("nested/.hg"), 0o777))
				k.track(files...)
				began := settled
				if quick {
					began = soon // and everything in one tick
				}
				before := k.status(began())
				k.status(began())
				if !quick {
					k.tick()
				}
				if err := change(k); err != nil {
					t.Fatal(err)
				}
				after := k.status(began())
				if root := os.Getuid() == 0 && name == "unreadable"; !root && reflect.DeepEqual(before, after) && name != "two directories change places" {
					t.Errorf("nothing changed: %+v", after)
				}
				k.status(began())
				must(t, os.Chmod(k.wc.Root, 0o777))
				filepath.WalkDir(k.wc.Root, func(path string, e fs.DirEntry, err error) error {
					if err == nil && e.IsDir() {
						os.Chmod(path, 0o777)
					}
					return nil
				})
			}
		})
	}
}

// TestKeptRandom changes a working copy at random.
func TestKeptRandom(t *testing.T) {
	for _, quick := range []bool{false, true} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("quick=%v/%d", quick, seed), func(t *testing.T) { randomChanges(t, seed, quick) })
		}
	}
}

func randomChanges(t *testing.T, seed uint64, quick bool) {
	k := newKept(t, seed)
	words := []string{"a", "b", "c", "skip", "d", ".hg"}
	name := func() string {
		parts := make([]string, 1+k.r.IntN(4))
		for i := range parts {
			parts[i] = words[k.r.IntN(len(words)-1)]
		}
		return strings.Join(parts, "/")
	}
	track := func() {
		set := map[string]bool{}
		for range 30 {
			set[name()] = true
		}
		var files []string
		for f := range set {
			files = append(files, f)
		}
		k.track(files...)
	}
	for range 40 {
		if n := k.path(name()); os.MkdirAll(filepath.Dir(n), 0o777) == nil {
			os.WriteFile(n, nil, 0o666)
		}
	}
	track()
	kept := 0
	for range 300 {
		a, b := k.path(name()), k.path(name())
		switch k.r.IntN(14) {
		case 0, 1, 2:
			os.MkdirAll(filepath.Dir(a), 0o777)
			if f, err := os.OpenFile(a, os.O_WRONLY|os.O_CREATE|unix.O_NONBLOCK, 0o666); err == nil { // not waiting for a pipe's reader
				f.WriteString("text")
				f.Close()
			}
		case 3:
			os.Remove(a)
		case 4:
			os.RemoveAll(a)
		case 5, 6:
			os.Rename(a, b)
		case 7:
			unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
		case 8:
			os.Symlink(filepath.Base(b), a)
		case 9:
			os.Link(a, b)
		case 10:
			os.Mkdir(filepath.Join(a, ".hg"), 0o777)
		case 11:
			os.RemoveAll(filepath.Join(a, ".hg"))
		case 12:
			unix.Mknod(a, unix.S_IFSOCK|0o666, 0) // a pipe would block who opens it
		case 13:
			at := time.Unix(1e9+int64(k.r.IntN(2)), 0)
			os.Chtimes(a, at, at)
		}
		if k.r.IntN(20) == 0 {
			track()
		}
		if quick {
			k.status(soon())
			continue
		}
		k.status(settled())
		for _, c := range k.wc.Memo.contents {
			if c != nil {
				kept++
			}
		}
		k.tick()
	}
	if !quick && kept == 0 {
		t.Error("nothing was ever kept")
	}
}

func BenchmarkKept(b *testing.B) {
	for _, dirs := range []int{5, 40, 500} {
		for _, keep := range []bool{false, true} {
			b.Run(fmt.Sprintf("files=%d/kept=%v", 20*dirs, keep), func(b *testing.B) {
				wc := cleanTree(b, dirs)
				none := byName("skip")
				wc.Ignore = func(func(string)) (Ignorer, error) { return &none, nil }
				if keep {
					wc.Memo, wc.Began = &Memo{}, settled()
				}
				b.ReportAllocs()
				for b.Loop() {
					r, err := Status(context.Background(), wc)
					if err != nil || len(r.Modified)+len(r.Unknown)+len(r.Deleted) > 0 {
						b.Fatal(r, err)
					}
				}
			})
		}
	}
}

func BenchmarkPathsHash(b *testing.B) {
	var entries []dirstate.Entry
	for i := range 100_000 {
		entries = append(entries, dirstate.Entry{Path: fmt.Sprintf("package%02d/directory%04d/file%06d.c", i/10_000, i/20, i)})
	}
	d := dirstate.New(node.Null, node.Null, entries)
	d.Tree()
	seed := maphash.MakeSeed()
	for b.Loop() {
		pathsHash(seed, d)
	}
}
