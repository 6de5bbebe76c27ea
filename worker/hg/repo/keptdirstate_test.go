// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/store"
)

// images is a Source of every kind of image.
type images struct {
	memory
	kept   map[image.Key][]byte
	leases int // of kind Checkout
}

func (m *images) Lease(key image.Key) *image.Image {
	if key.Kind == image.Checkout {
		m.leases++
	}
	if m.kept[key] == nil {
		return nil
	}
	return m.hand(m.kept[key])
}

func (m *images) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	m.keeps++
	m.kept[key] = b.Bytes()
	return m.hand(m.kept[key]), nil
}

// checkedOut is a repository of so many files with long names, and what opens it.
func checkedOut(t *testing.T, files int, config ...string) (sh *hgtest.Shell, m *images, reopen func() *Repo) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh = hgtest.NewShell(t, hgtest.Hg(t), dir, "HGUSER=test")
	sh.Must(t, append(config, "init", ".")...)
	for i := range files {
		name := filepath.Join(dir, fmt.Sprintf("%s%d", strings.Repeat("name", 60), i))
		if err := os.WriteFile(name, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sh.Must(t, append(config, "commit", "-q", "-A", "-m", "files")...)
	m = &images{memory: memory{t: t}, kept: map[image.Key][]byte{}}
	t.Cleanup(func() {
		if m.open != 0 {
			t.Errorf("%d images were not given back", m.open)
		}
	})
	return sh, m, func() *Repo {
		r, err := Open(dir, m)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
}

// ask is a command that needs the dirstate, settled.
func ask(t *testing.T, r *Repo) (shown string, shared bool) {
	t.Helper()
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	v, err := view(t, r)
	if err != nil {
		t.Fatal(err)
	}
	d, err := v.Dirstate()
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Len() {
		e := d.At(i)
		shown += fmt.Sprintf("%c %s %s\n", e.Item.State(), e.Path, e.CopySource)
	}
	shared = r.checkout.worktree.dirstate.open != nil
	settle(t, r)
	return shown, shared
}

// later lets so much time go by that what was written is no longer young.
func later() { time.Sleep(clockTick) }

func TestDirstateIsReadOnce(t *testing.T) {
	for _, v2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v2=%v", v2), func(t *testing.T) {
			config := []string{"--config", fmt.Sprintf("format.use-dirstate-v2=%v", v2), "--config", "storage.dirstate-v2.slow-path=allow"}
			sh, m, reopen := checkedOut(t, 600, config...)
			later()
			first := reopen()
			want, shared := ask(t, first)
			if shared || strings.Count(want, "\n") != 600 {
				t.Fatalf("%d files, out of an image: %v", strings.Count(want, "\n"), shared)
			}
			if got, shared := ask(t, first); got != want || !shared {
				t.Errorf("the image that was made is used: %v; the same: %v", shared, got == want)
			}
			leases := m.leases
			if ask(t, first); m.leases != leases {
				t.Error("it asks for an image of what it has")
			}
			second := reopen()
			if got, shared := ask(t, second); got != want || !shared {
				t.Errorf("another one uses it: %v; the same: %v", shared, got == want)
			}
			// What hg writes, one after the other within a second.
			name := strings.Repeat("name", 60)
			if err := os.WriteFile(filepath.Join(sh.Dir, "new"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				args []string
				want string
			}{
				{[]string{"add", "new"}, "a new \n"},
				{[]string{"forget", "new"}, ""},
				{[]string{"rm", name + "7"}, "r " + name + "7 \n"},
				{[]string{"cp", name + "8", "copy"}, "a copy " + name + "8\n"},
				{[]string{"commit", "-q", "-m", "more"}, "n copy \n"},
				{[]string{"update", "-q", "0"}, "n " + name + "7 \n"},
			} {
				sh.Must(t, append(config, step.args...)...)
				fresh := reopen()
				got, _ := ask(t, fresh)
				if !strings.Contains(got, step.want) || strings.Contains(got, "a new") != (step.args[0] == "add") {
					t.Errorf("after %q there is no %q", step.args, step.want)
				}
				for i, r := range []*Repo{first, second} {
					if again, _ := ask(t, r); again != got {
						t.Errorf("after %q repository %d has another dirstate", step.args, i)
					}
				}
				fresh.Close()
			}
			if got, _ := ask(t, first); got != want {
				t.Error("it is not what it was")
			}
		})
	}
}

// TestYoungDirstate looks at a file at different times after it was changed: what may
// be changed again without a trace counts for one command.
func TestYoungDirstate(t *testing.T) {
	_, m, reopen := checkedOut(t, 600)
	for _, c := range []struct {
		age   time.Duration
		young bool
	}{{0, true}, {clockTick - 1, true}, {clockTick, false}, {time.Hour, false}, {-time.Second, true}, {-otherClock, false}} {
		r := reopen()
		stamp, err := store.StampOf(r.Layout.Dot + "/dirstate")
		if err != nil {
			t.Fatal(err)
		}
		clear(m.kept)
		clock := func() time.Time { return time.Unix(0, stamp.CtimeNs).Add(c.age) }
		var have []*dirstate.Dirstate
		for range 2 {
			if err := r.Begin(context.Background(), clock); err != nil {
				t.Fatal(err)
			}
			v, err := view(t, r)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // in one command
				d, err := v.Dirstate()
				if err != nil {
					t.Fatal(err)
				}
				have = append(have, d)
			}
			if wanted := r.checkout.worktree.dirstate.owed; len(have) == 2 && wanted == c.young {
				t.Errorf("of an age of %v: an image is to be made: %v", c.age, wanted)
			}
		}
		if have[0] != have[1] || have[2] != have[3] || (have[1] != have[2]) != c.young {
			t.Errorf("of an age of %v it was read as %p, then %p", c.age, have[:2], have[2:])
		}
		if r.checkout.parents.known == c.young {
			t.Errorf("of an age of %v the parents are known: %v", c.age, !c.young)
		}
		r.Close()
	}
}

func TestSmallDirstateIsNotShared(t *testing.T) {
	_, m, reopen := checkedOut(t, 50)
	later()
	r := reopen()
	ask(t, r)
	if _, shared := ask(t, r); shared || m.leases != 0 || m.kept[r.checkoutKey()] != nil {
		t.Errorf("shared: %v, after %d leases", shared, m.leases)
	}
	r.RefreshCheckout()
	if m.leases != 0 {
		t.Error("a refresh asks for an image")
	}
}

// TestUselessCheckoutImages leases what does not stand for the dirstate.
func TestUselessCheckoutImages(t *testing.T) {
	sh, m, reopen := checkedOut(t, 600)
	later()
	r := reopen()
	want, _ := ask(t, r)
	key := r.checkoutKey()
	good := m.kept[key]
	bad := image.NewBuilder(image.Checkout)
	bad.Add(1, make([]byte, 48))
	bad.Add(2, []byte("no table"))
	other := image.NewBuilder(image.Store)
	sh.Must(t, "rm", strings.Repeat("name", 60)+"7")
	later()
	for name, data := range map[string][]byte{"of another state": good, "without a table": bad.Bytes(), "of another kind": other.Bytes()} {
		m.kept[key] = data
		r := reopen()
		if got, shared := ask(t, r); shared || got == want || strings.Count(got, "\n") != 600 {
			t.Errorf("an image %s is used: %v", name, shared)
		}
		if slices.Equal(m.kept[key], data) {
			t.Errorf("no image was made in the place of one %s", name)
		}
		r.Close()
	}
	// One that somebody else made meanwhile is not made again.
	keeps := m.keeps
	late := reopen()
	m.kept[key], good = nil, m.kept[key]
	if err := late.Begin(context.Background(), time.Now); err != nil {
		t.Fatal(err)
	}
	v, err := view(t, late)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Dirstate(); err != nil {
		t.Fatal(err)
	}
	m.kept[key] = good
	settle(t, late)
	if late.checkout.worktree.dirstate.open == nil || m.keeps != keeps {
		t.Errorf("%d images were made", m.keeps-keeps)
	}
}

// TestRefreshCheckout: what is loaded after a write has images of the dirstate and of
// its parent's manifest if there were some before.
func TestRefreshCheckout(t *testing.T) {
	sh, m, reopen := checkedOut(t, 600)
	later()
	load := func() {
		t.Helper()
		r := reopen()
		defer r.Close()
		if err := r.Begin(context.Background(), time.Now); err != nil {
			t.Fatal(err)
		}
		r.RefreshCheckout()
		settle(t, r)
	}
	manifest := func(r *Repo) (files int, shared bool) {
		t.Helper()
		v, err := view(t, r)
		if err != nil {
			t.Fatal(err)
		}
		rev, _ := v.WdirParents()
		l := v.LazyManifest(rev)
		m, err := l.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		defer settle(t, r)
		return m.Len(), r.parent.owed.text == nil
	}
	r := reopen()
	if load(); m.kept[r.checkoutKey()] != nil || m.kept[r.manifestKey()] != nil {
		t.Error("an image that nobody wanted was made")
	}
	ask(t, r)
	if n, shared := manifest(r); n != 600 || shared {
		t.Errorf("%d files, out of an image: %v", n, shared)
	}
	sh.Must(t, "rm", strings.Repeat("name", 60)+"7")
	keeps := m.keeps
	load()
	if m.keeps != keeps+1 {
		t.Errorf("%d images were made of a dirstate that changed", m.keeps-keeps)
	}
	if got, shared := ask(t, reopen()); !shared || strings.Count(got, "r name") != 1 {
		t.Errorf("an image is used: %v", shared)
	}
	sh.Must(t, "commit", "-q", "-m", "one less")
	load()
	fresh := reopen()
	if got, shared := ask(t, fresh); !shared || strings.Count(got, "\n") != 599 {
		t.Errorf("after a commit an image is used: %v", shared)
	}
	if n, shared := manifest(fresh); n != 599 || !shared {
		t.Errorf("after a commit: %d files, out of an image: %v", n, shared)
	}
	keeps = m.keeps
	if load(); m.keeps != keeps {
		t.Error("what has not changed is made again")
	}
}
