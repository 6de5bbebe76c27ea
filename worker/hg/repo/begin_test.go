// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
)

// memory is a Source whose images are overwritten when they are given back, as a
// worker's are unmapped.
type memory struct {
	t      *testing.T
	leased []byte // handed out by Lease, of kind Store
	growth []byte // the same of what came after
	fail   bool   // Keep fails
	open   int
	keeps  int
}

func (m *memory) hand(data []byte) *image.Image {
	own := slices.Clone(data)
	closed := false
	img, err := image.Open(own, func() error {
		if closed {
			m.t.Error("an image is given back twice")
		}
		closed = true
		m.open--
		for i := range own {
			own[i] = 0xdb
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.open++
	return img
}

func (m *memory) Lease(key image.Key) *image.Image {
	data := m.leased
	if key.Kind == image.Growth {
		data = m.growth
	}
	if data == nil {
		return nil
	}
	return m.hand(data)
}

func (m *memory) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	m.keeps++
	if m.fail {
		return nil, errors.New("nothing can be kept")
	}
	data := b.Bytes()
	if key.Kind == image.Growth {
		m.growth = data
	} else {
		m.leased = data
	}
	return m.hand(data), nil
}

func view(t *testing.T, r *Repo) (*View, error) {
	t.Helper()
	return viewWith(t, r, func(text string) { t.Errorf("warning %q", text) })
}

func viewWith(t *testing.T, r *Repo, warn func(string)) (*View, error) {
	t.Helper()
	return viewSeeing(t, r, Visibility{}, warn)
}

func viewSeeing(t *testing.T, r *Repo, vis Visibility, warn func(string)) (*View, error) {
	t.Helper()
	none := func(string) (string, bool) { return "", false }
	cfg, err := config.Load(config.Sources{Version: config.Version{Major: 6, Minor: 3}, Getenv: none, Cwd: r.Layout.Root, UID: uint32(os.Getuid())})
	if err != nil {
		t.Fatal(err)
	}
	return r.NewView(cfg, encoding.UTF8(), r.Layout.Root, none, vis, warn)
}

func open(t *testing.T, dir string, m *memory) *Repo {
	t.Helper()
	r, err := Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		r.Close() // does nothing more
		if m.open != 0 {
			t.Errorf("%d images were not given back", m.open)
		}
	})
	return r
}

func begin(t *testing.T, r *Repo, loaded string) {
	t.Helper()
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	if r.Loaded() != loaded {
		t.Errorf("Begin says %q, not %q", r.Loaded(), loaded)
	}
	settle(t, r)
}

func settle(t *testing.T, r *Repo) {
	t.Helper()
	if s := r.Settling(); s != nil {
		err := s.Make(context.Background(), r.images)
		if r.Adopt(s); err != nil {
			t.Fatal(err)
		}
	}
	if r.Unsettled() {
		t.Error("there is still something to settle")
	}
}

// commits returns a shell in a new repository, and what makes a changeset there.
func commits(t *testing.T) (*hgtest.Shell, func(text string)) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh := hgtest.NewShell(t, hgtest.Hg(t), dir, "HGUSER=test")
	sh.Must(t, "init")
	return sh, func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		sh.Must(t, "commit", "-A", "-m", text)
	}
}

// What a view has handed out stays true when it adds to the image, and a view
// does not see what happens after Begin.
func TestViewKeepsItsState(t *testing.T) {
	sh, commit := commits(t)
	for _, text := range []string{"one", "two", "three"} {
		commit(text)
	}
	sh.Must(t, "tag", "-r", "1", "v1")
	sh.Must(t, "update", "-r", "0")
	commit("four")
	m := &memory{t: t}
	r := open(t, sh.Dir, m)
	begin(t, r, "built")
	v, err := view(t, r)
	if err != nil {
		t.Fatal(err)
	}
	heads, index := v.Heads(), v.Snapshot().Index()
	wantHeads, wantNode := slices.Clone(heads), index.Node(2)
	if _, err := v.Changeset(2); err != nil {
		t.Fatal(err)
	}
	if list, err := v.TagList(); err != nil || len(list) != 2 {
		t.Errorf("tags %v, %v", list, err)
	}
	if list, err := v.Branches(); err != nil || len(list) != 1 {
		t.Errorf("branches %v, %v", list, err)
	}
	settle(t, r)
	if m.keeps < 2 {
		t.Errorf("%d images were kept; tags and branches should have added to the first", m.keeps)
	}
	if !slices.Equal(heads, wantHeads) || index.Node(2) != wantNode {
		t.Errorf("memory was given back during a command: heads %v, node %v", heads, index.Node(2))
	}
	commit("five")
	if v.Len() != 5 || v.Tip() != 4 {
		t.Errorf("the view has %d changesets and tip %d", v.Len(), v.Tip())
	}
	if !r.Moved() {
		t.Error("a commit was not noticed")
	}
	begin(t, r, "refreshed")
	if v, err = view(t, r); err != nil || v.Tip() != 5 {
		t.Errorf("after a commit: tip %v, %v", v.Tip(), err)
	}
	if m.open > 4 { // an image, what came after it, and what these replaced
		t.Errorf("%d images are open between commands", m.open)
	}
}

// A commit between Begin and the reading of the dirstate makes the command start
// again, not warn of an unknown parent.
func TestCommitBeforeTheView(t *testing.T) {
	sh, commit := commits(t)
	commit("one")
	r := open(t, sh.Dir, &memory{t: t})
	begin(t, r, "built")
	commit("two")
	_, err := view(t, r)
	var d *hgerr.Damage
	if !errors.As(err, &d) || !d.Changed {
		t.Fatalf("a view of a dirstate that is newer than the snapshot: %v", err)
	}
	begin(t, r, "refreshed")
	if v, err := view(t, r); err != nil || v.wp1 != 1 {
		t.Errorf("after that: %v", err)
	}
}

func TestSources(t *testing.T) {
	sh, commit := commits(t)
	commit("one")
	commit("two")
	first := &memory{t: t}
	begin(t, open(t, sh.Dir, first), "built")
	fresh := slices.Clone(first.leased)

	// A fresh image: nothing is built.
	m := &memory{t: t, leased: fresh}
	begin(t, open(t, sh.Dir, m), "")
	if m.keeps != 0 {
		t.Error("a fresh image was built again")
	}
	// A stale one is brought up to date.
	commit("three")
	m = &memory{t: t, leased: fresh}
	r := open(t, sh.Dir, m)
	begin(t, r, "refreshed")
	begin(t, r, "")
	if m.keeps != 1 || r.Snapshot().Len() != 3 {
		t.Errorf("%d images kept, %d changesets", m.keeps, r.Snapshot().Len())
	}
	// One that is none, and one of something else.
	for _, b := range []*image.Builder{image.NewBuilder(image.Store), image.NewBuilder(image.Kind(9))} {
		m = &memory{t: t, leased: b.Bytes()}
		begin(t, open(t, sh.Dir, m), "built")
	}
	// Nothing can be kept: private memory does.
	m = &memory{t: t, fail: true}
	r = open(t, sh.Dir, m)
	begin(t, r, "built")
	v, err := view(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := v.TagList(); err != nil || len(list) != 1 || v.Len() != 3 {
		t.Errorf("without a place to keep images: %d changesets, tags %v, %v", v.Len(), list, err)
	}
}

func TestBeginFails(t *testing.T) {
	sh, commit := commits(t)
	commit("one")
	m := &memory{t: t}
	r := open(t, sh.Dir, m)
	begin(t, r, "built")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	commit("two")
	if err := r.Begin(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin after a cancel: %v", err)
	}
	roots := filepath.Join(sh.Dir, ".hg/store/phaseroots")
	good, err := os.ReadFile(roots)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(roots, []byte("no phases\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var d *hgerr.Damage
	err = r.Begin(context.Background(), nil)
	if err == nil {
		r.Snapshot().Phase(0)
		err = r.Err()
	}
	if !errors.As(err, &d) || !strings.Contains(err.Error(), "phaseroots") {
		t.Errorf("Begin with damaged phases: %v", err)
	}
	if err := os.WriteFile(roots, good, 0o666); err != nil {
		t.Fatal(err)
	}
	begin(t, r, "refreshed")
	if r.Snapshot().Len() != 2 {
		t.Errorf("%d changesets after the repair", r.Snapshot().Len())
	}
}

func TestFind(t *testing.T) {
	sh, _ := commits(t)
	deep := filepath.Join(sh.Dir, "a/b")
	if err := os.MkdirAll(deep, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{sh.Dir, deep, deep + "/", filepath.Join(sh.Dir, ".hg")} {
		if root, ok := Find(dir); !ok || root != sh.Dir {
			t.Errorf("Find(%s) is %q, %v", dir, root, ok)
		}
	}
	if root, ok := Find(filepath.Dir(sh.Dir)); ok {
		t.Errorf("there is a repository %s", root)
	}
}
