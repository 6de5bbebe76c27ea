// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
)

// shelf is a Source as a worker with its master is, in one process. Memory that
// is given back is overwritten, as unmapped memory would be gone, and each image
// must be given back once.
type shelf struct {
	t     *testing.T
	kept  map[image.Key][]byte
	stale bool // lease what was kept first, not last
	full  bool // Keep fails
	bad   bool // lease something that is no snapshot

	leases int // asked for, of stores
	keeps  int
	open   map[int]bool // images that were handed out and not given back
	next   int
}

func newShelf(t *testing.T) *shelf {
	return &shelf{t: t, kept: map[image.Key][]byte{}, open: map[int]bool{}}
}

// hand opens a private copy of data.
func (s *shelf) hand(data []byte) *image.Image {
	memory := slices.Clone(data)
	n := s.next
	s.next++
	m, err := image.Open(memory, func() error {
		if !s.open[n] {
			s.t.Errorf("image %d is given back twice", n)
		}
		delete(s.open, n)
		for i := range memory {
			memory[i] = 0xdb
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.open[n] = true
	return m
}

func (s *shelf) Lease(key image.Key) *image.Image {
	if key.Kind == image.Store || key.Kind == image.Growth {
		s.leases++
	}
	if s.bad {
		b := image.NewBuilder(image.Store)
		b.Add(1, []byte("no snapshot"))
		return s.hand(b.Bytes())
	}
	if data, ok := s.kept[key]; ok {
		return s.hand(data)
	}
	return nil
}

func (s *shelf) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	s.keeps++
	if s.full {
		return nil, errors.New("no memory left for images")
	}
	data := b.Bytes()
	if err := VerifyImage(must(image.Open(data, nil))); err != nil {
		s.t.Errorf("an image that was kept does not verify: %v", err)
	}
	if _, ok := s.kept[key]; !ok || !s.stale {
		s.kept[key] = data
	}
	return s.hand(data), nil
}

// left reports what was not given back.
func (s *shelf) left(what string) {
	s.t.Helper()
	if len(s.open) > 0 {
		s.t.Errorf("%s: %d of %d images were not given back", what, len(s.open), s.next)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// shelfRunner answers with engines over a shelf; renew is how many commands one
// engine answers.
func shelfRunner(t *testing.T, name string, inst Installation, s *shelf, renew int) hgtest.Named {
	e := New(Options{Images: s})
	n := 0
	t.Cleanup(func() { e.Close(); s.left(name) })
	return hgtest.Named{Name: name, Runner: hgtest.RunnerFunc(func(dir string, args, env []string) ([]byte, []byte, int, bool, error) {
		if n++; n%renew == 0 {
			e.Close()
			s.left(name)
			e = New(Options{Images: s})
		}
		stdout, stderr, res, err := runEngine(e, dir, args, env, inst)
		// Each repository's own, and those that were extended until the next
		// command.
		if len(s.open) > 2*len(e.repos)+4 {
			t.Errorf("%s: %q holds %d images of %d repositories", name, args, len(s.open), len(e.repos))
		}
		return stdout, stderr, res.ExitCode, true, err
	})}
}

// modes are the ways in which an engine may get its images.
func modes(t *testing.T, inst Installation) []hgtest.Named {
	stale, full, bad := newShelf(t), newShelf(t), newShelf(t)
	stale.stale, full.full, bad.bad = true, true, true
	return []hgtest.Named{
		engineRunner("private, cold", inst, true),
		engineRunner("private, warm", inst, false),
		shelfRunner(t, "leased, cold", inst, newShelf(t), 1),
		shelfRunner(t, "leased, warm", inst, newShelf(t), 10),
		shelfRunner(t, "stale", inst, stale, 2),
		shelfRunner(t, "nothing can be kept", inst, full, 3),
		shelfRunner(t, "no snapshot", inst, bad, 3),
	}
}

// TestSameAnswersWithAnyImages compares what the engine answers with images,
// without, and with bad ones.
//
//	HGBROKER_IMAGES    how many generated repositories (5)
func TestSameAnswersWithAnyImages(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	gen := hgtest.NewGenerator(t, version.Path)
	real := hgtest.NewReal(t, version.Path)
	y := hgtest.NewTally(t)
	variants := []hgtest.Variant{"evolution", "split,evolution", "share,dirstate-v2", "", "no-store"}
	for i := range number(t, "HGBROKER_IMAGES", 5) {
		seed := uint64(400 + i)
		v := variants[i%len(variants)]
		t.Run(fmt.Sprintf("%d-%v", seed, v), func(t *testing.T) {
			dir := gen.New(t, seed, v)
			cmds := hgtest.RandomCommands(rand.New(rand.NewPCG(seed, 7)), hgtest.Info(t, real, dir), 60)
			hgtest.Compare(t, y, dir, cmds, append(modes(t, inst), hgtest.Named{Name: "hg", Runner: real})...)
		})
	}
}

// TestLoadedAndLeases tells what each kind of image saves.
func TestLoadedAndLeases(t *testing.T) {
	ctx := context.Background()
	dir := hgtest.Extract(t, "obsolescence")
	s := newShelf(t)
	inst := Installation{Version: "6.3.2"}
	request := &Request{Dir: dir, Env: hgtest.BaseEnv(), UID: os.Getuid(), Now: time.Now(), Hg: inst}
	load := func(e *Engine, want string) {
		t.Helper()
		res, err := e.Load(ctx, request, dir)
		if err != nil {
			t.Fatal(err)
		}
		if res.Loaded != want {
			t.Errorf("loading says %q, not %q", res.Loaded, want)
		}
	}
	first := New(Options{Images: s})
	load(first, "built")
	if s.keeps != 1 || s.leases != 1 {
		t.Errorf("%d leases and %d images kept by the first load", s.leases, s.keeps)
	}
	load(first, "")
	if s.keeps != 1 || s.leases != 1 {
		t.Errorf("a repository that had not changed asked for %d leases and kept %d images", s.leases, s.keeps)
	}
	second := New(Options{Images: s})
	load(second, "")
	if s.keeps != 1 {
		t.Errorf("a fresh image was built again")
	}

	// Only the time of the file changes: a leased image is stale, a refresh makes
	// it known, and the other engine leases that.
	roots := filepath.Join(dir, ".hg/store/phaseroots")
	if err := os.Chtimes(roots, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	third := New(Options{Images: s})
	load(third, "refreshed")
	load(first, "")
	load(second, "")
	if s.keeps != 2 {
		t.Errorf("%d images were kept", s.keeps)
	}

	// What most commands ask for is there, whoever asks first.
	fourth := New(Options{Images: s})
	for _, line := range []string{"log -l2", "tags", "branches", "heads", "summary", "identify", "bookmarks"} {
		for _, e := range []*Engine{third, fourth, New(Options{Images: s})} {
			if _, _, res, err := runEngine(e, dir, strings.Fields(line), hgtest.BaseEnv(), inst); err != nil || res.Loaded != "" {
				t.Errorf("%s after a load: loaded %q, %v", line, res.Loaded, err)
			}
			if e != third && e != fourth {
				e.Close()
			}
		}
	}

	// Forget gives memory back before anything else is asked.
	open := len(s.open)
	key := image.Key{Kind: image.Store, Path: filepath.Join(dir, ".hg/store")}
	fourth.Forget(image.Key{Kind: image.Store, Path: "/elsewhere"})
	if len(s.open) != open {
		t.Error("forgot a repository that was not named")
	}
	fourth.Forget(key)
	if len(s.open) >= open {
		t.Error("forgetting gave nothing back")
	}
	for _, e := range []*Engine{first, second, third, fourth} {
		e.Close()
	}
	s.left("four engines")
}

// TestWhatIsFoundOutOnceIsShared: an image of the same state to which a command added
// what it found out is used by an engine that comes later.
func TestWhatIsFoundOutOnceIsShared(t *testing.T) {
	dir := hgtest.Extract(t, "obsolescence")
	s := newShelf(t)
	inst := Installation{Version: "6.3.2"}
	plain := New(Options{Images: s})
	defer plain.Close()
	if _, _, _, err := runEngine(plain, dir, []string{"log", "-r", "tip", "-T", "{node}"}, hgtest.BaseEnv(), inst); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"refreshed", "", ""} {
		e := New(Options{Images: s, Deferred: true})
		_, errs, res, err := runEngine(e, dir, []string{"log", "-r", "tip", "-T", "{tags}"}, hgtest.BaseEnv(), inst)
		if err != nil || res.Loaded != want {
			t.Errorf("engine %d: %q, not %q; %v %s", i, res.Loaded, want, err, errs)
		}
		e.Settle()
		e.Close()
	}
}

// TestFewRepositoriesStayOpen uses more repositories than an engine keeps.
func TestFewRepositoriesStayOpen(t *testing.T) {
	s := newShelf(t)
	e := New(Options{Images: s, Repositories: 2})
	inst := Installation{Version: "6.3.2"}
	var dirs []string
	for _, name := range []string{"linear", "branches", "obsolescence", "share"} {
		dirs = append(dirs, hgtest.Extract(t, name))
	}
	for range 3 {
		for _, dir := range dirs {
			if _, stderr, res, err := runEngine(e, dir, []string{"log", "-T", "{rev} {branch} {tags}\n"}, hgtest.BaseEnv(), inst); err != nil || res.ExitCode != 0 {
				t.Fatalf("%s: %d, %v, %s", dir, res.ExitCode, err, stderr)
			}
			if len(e.repos) > 2 {
				t.Fatalf("%d repositories are open", len(e.repos))
			}
		}
	}
	e.Close()
	s.left("three rounds over four repositories")
}
