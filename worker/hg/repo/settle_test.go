// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
)

// stuck is a Source that lets a test do something before an image is kept.
type stuck struct {
	*memory
	reached, goOn chan struct{}
}

func (s *stuck) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	if s.reached != nil {
		s.reached <- struct{}{}
		<-s.goOn
	}
	return s.memory.Keep(key, b)
}

// making begins a settlement and lets it run up to where it would keep an image.
// The function that it returns lets it end, and adopts it.
func making(t *testing.T, r *Repo, m *memory) func() error {
	t.Helper()
	s := r.Settling()
	if s == nil {
		t.Fatal("there is nothing to settle")
	}
	to := &stuck{memory: m, reached: make(chan struct{}), goOn: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- s.Make(context.Background(), to) }()
	<-to.reached
	return func() error {
		close(to.goOn)
		err := <-ended
		r.Adopt(s)
		return err
	}
}

// everything is what a view tells of a repository.
func everything(t *testing.T, r *Repo) string {
	t.Helper()
	v, err := viewWith(t, r, func(string) {}) // of markers without the feature
	if err != nil {
		t.Fatal(err)
	}
	s := v.Snapshot()
	text := fmt.Sprint(v.Heads(), s.HiddenCount(), s.Hideable(), s.FirstMutable())
	for rev := range node.Rev(v.Len()) {
		id := s.Node(rev)
		back, ok := s.Rev(id)
		c, err := v.Changeset(rev)
		if err != nil || !ok || back != rev {
			t.Fatal(rev, back, err)
		}
		text += fmt.Sprintln(rev, s.Phase(rev), s.Flags(rev), s.Children(rev), s.Shortest(rev), c)
	}
	branches, err := v.Branches()
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.TagList()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range branches {
		text += fmt.Sprintln(b.Name, b.Heads)
	}
	return text + fmt.Sprintln(list)
}

func TestCommandsGoOnWhileAnImageIsMade(t *testing.T) {
	sh, commit := commits(t)
	for _, text := range []string{"one", "two", "three"} {
		commit(text)
	}
	sh.Must(t, "tag", "-r", "1", "v1")
	sh.Must(t, "--config", "experimental.evolution=all", "commit", "--amend", "-m", "amended")
	m := &memory{t: t}
	settled := open(t, sh.Dir, &memory{t: t})
	begin(t, settled, "built")
	want := everything(t, settled)
	settle(t, settled)

	r := open(t, sh.Dir, m)
	if err := r.Begin(context.Background(), time.Now); err != nil || r.Loaded() != "built" {
		t.Fatal(err, r.Loaded())
	}
	end := making(t, r, m)
	if r.Settling() != nil {
		t.Error("what is being made is made once more")
	}
	// All this is found out beside it, from what is in memory.
	if err := r.Begin(context.Background(), time.Now); err != nil || r.loaded != "" {
		t.Fatal(err, r.loaded)
	}
	if got := everything(t, r); got != want {
		t.Errorf("while the image is made:\n%s\nnot\n%s", got, want)
	}
	if r.Loaded() != "refreshed" {
		t.Errorf("markers and tags were read, and it says %q", r.Loaded())
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if _, based := r.base(); !based {
		t.Error("the image is not used")
	}
	for range 2 { // with what was found out meanwhile, then with an image of that
		if err := r.Begin(context.Background(), time.Now); err != nil {
			t.Fatal(err)
		}
		if got := everything(t, r); got != want {
			t.Errorf("after it was made:\n%s\nnot\n%s", got, want)
		}
		if r.Loaded() != "" {
			t.Errorf("it is found out again: %q", r.Loaded())
		}
		settle(t, r)
	}
}

func TestWhatMovedOnIsKept(t *testing.T) {
	sh, commit := commits(t)
	commit("one")
	m := &memory{t: t}
	r := open(t, sh.Dir, m)
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	end := making(t, r, m)
	commit("two")
	if err := r.Begin(context.Background(), time.Now); err != nil || r.Loaded() != "refreshed" {
		t.Fatal(err, r.Loaded())
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if r.Snapshot().Len() != 2 || !r.Unsettled() {
		t.Errorf("%d changesets; unsettled %v", r.Snapshot().Len(), r.Unsettled())
	}
	begin(t, r, "")
	// A repository that was closed meanwhile adopts nothing.
	commit("three")
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	end = making(t, r, m)
	r.Close()
	if err := end(); err != nil || r.Snapshot() != nil {
		t.Error(err, "a closed repository has a snapshot")
	}
	if m.open != 0 {
		t.Errorf("%d images were not given back", m.open)
	}
	// One that is ended makes nothing, and nothing is lost.
	begin(t, r, "")
	commit("four")
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := r.Settling()
	if err := s.Make(ctx, m); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if r.Adopt(s); r.Snapshot().Len() != 4 {
		t.Errorf("%d changesets", r.Snapshot().Len())
	}
}
