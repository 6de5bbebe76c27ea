// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol"
)

func TestRecentRepositoriesAreLoadedByTheNextMaster(t *testing.T) {
	_, root := hgFor(t)
	dir := filepath.Join(t.TempDir(), "cache", "hgbroker")
	engine := []string{"worker-with-engine"}
	t.Run("one uses it", func(t *testing.T) {
		h := open(t, Config{WorkerArgs: engine, RecentDir: dir})
		v := h.visit()
		r := v.acquire(protocol.Reader)
		r.native(root, tip...)
		eventually(t, "it is known", func() bool { s := v.stats(); return s.Recent.Known == 1 && s.Recent.Dir == dir })
		r.close()
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("it is written already: %v", err)
		}
	})
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Fatal(st, err)
	}
	if got, err := readRecents(dir); err != nil || !slices.Equal(got, []string{root}) {
		t.Fatal(got, err)
	}
	if err := writeRecents(dir, []string{root + "/gone", root}); err != nil {
		t.Fatal(err)
	}
	t.Run("the next one loads it", func(t *testing.T) {
		h := open(t, Config{WorkerArgs: engine, RecentDir: dir, times: times{quiet: time.Millisecond}})
		v := h.visit()
		eventually(t, "it is loaded", func() bool {
			s := v.stats()
			return s.Recent.Loaded == 1 && s.Recent.Failed == 1 && s.Recent.Waiting == 0 && s.Cache.Entries >= 1 && s.Donations.Pending == 0
		})
		if out, served := v.acquire(protocol.Reader).native(root, tip...); served != protocol.ServedWarm || out != "first\n" {
			t.Errorf("%q, served %v", out, served)
		}
		eventually(t, "it is watched", func() bool { s := v.stats(); return s.Watches.Repositories == 1 || s.Watches.State != "on" })
	})
	if got, err := readRecents(dir); err != nil || !slices.Equal(got, []string{root}) {
		t.Error(got, err)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestRequestsGoBeforeTheList(t *testing.T) {
	m := &master{jobs: newJobs(2), stores: map[string]string{}, queue: &queue{}}
	m.cfg = Config{Log: &logged{}}.withDefaults()
	var err error
	if m.cache, err = newCache(1000, 2, time.Minute); err != nil {
		t.Fatal(err)
	}
	defer m.cache.close()
	now := time.Now()
	m.active = now
	m.recents.use("/used", now)
	var roots []string
	for i := range 2 * maxRecents {
		roots = append(roots, fmt.Sprint("/", i))
	}
	m.known(append([]string{"/used"}, roots...))
	r := &m.recents
	if len(r.list) != maxRecents || r.list[0].root != "/used" || !slices.Equal(r.preload, roots[:maxPreload]) {
		t.Errorf("%v %v", r.list, r.preload)
	}
	m.preload(now.Add(time.Millisecond))
	if m.jobs.pending(jobLoad) != 0 {
		t.Error("loaded right after a request")
	}
	later := m.nextPreload()
	m.queue.size = 1
	m.preload(later)
	if m.jobs.pending(jobLoad) != 0 {
		t.Error("loaded while a request waits")
	}
	m.queue.size = 0
	r.use("/0", now) // it came by itself
	m.preload(later)
	m.preload(later)
	if m.jobs.pending(jobLoad) != 1 || r.asked != "/1" || !m.nextPreload().IsZero() {
		t.Errorf("%+v", r)
	}
	r.loaded("/other", true)
	r.loaded("/1", true)
	m.jobs.waiting = nil
	m.cache.limit = 1 // nearly full, as it were
	m.cache.put(sealedOf(t, "/x", 1))
	m.preload(later)
	if len(r.preload) != 0 || r.preloaded != 1 || m.jobs.pending(jobLoad) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestListsThatAreRefused(t *testing.T) {
	good := recentHead + "/a\n"
	for _, tt := range []struct {
		name string
		make func(dir string) error
		want bool // an error; otherwise there are just no roots
	}{
		{"absent", func(string) error { return nil }, false},
		{"others may look into the directory", func(dir string) error { return os.Chmod(dir, 0o755) }, true},
		{"others may write it", func(dir string) error {
			if err := os.WriteFile(dir+"/recent", []byte(good), 0o600); err != nil {
				return err
			}
			return os.Chmod(dir+"/recent", 0o666)
		}, true},
		{"a link", func(dir string) error {
			if err := os.WriteFile(dir+"/other", []byte(good), 0o600); err != nil {
				return err
			}
			return os.Symlink("other", dir+"/recent")
		}, true},
		{"a directory", func(dir string) error { return os.Mkdir(dir+"/recent", 0o700) }, true},
		{"another user's", func(dir string) error {
			if os.Getuid() != 0 {
				return os.Chmod(dir, 0o755) // what can be tested
			}
			return os.Chown(dir, 65534, 65534)
		}, true},
		{"of another format", func(dir string) error { return os.WriteFile(dir+"/recent", []byte("x\n/a\n"), 0o600) }, false},
	} {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := tt.make(dir); err != nil {
			t.Fatal(err)
		}
		roots, err := readRecents(dir)
		if (err != nil) != tt.want || len(roots) != 0 {
			t.Errorf("%s: %v, %v", tt.name, roots, err)
		}
	}
	if dir := RecentDir(func(string) string { return "" }); dir != "" {
		t.Error(dir)
	}
	for env, want := range map[string]string{"XDG_CACHE_HOME=/c": "/c/hgbroker", "XDG_CACHE_HOME=c": "/h/.cache/hgbroker"} {
		if got := RecentDir(func(name string) string {
			if value, ok := strings.CutPrefix(env, name+"="); ok {
				return value
			}
			return map[string]string{"HOME": "/h"}[name]
		}); got != want {
			t.Errorf("%s: %s", env, got)
		}
	}
}

func FuzzRecents(f *testing.F) {
	f.Add(recentHead + "/a\n/b/c\n")
	f.Add(recentHead + "relative\n/a/../b\n/a\x00\n/cut off")
	f.Add("hgbroker recent 2\n/a\n")
	f.Add(recentHead + strings.Repeat("/a\n/b\n", 50))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		roots := parseRecents(text)
		if len(roots) > maxRecents {
			t.Errorf("%d roots", len(roots))
		}
		again := parseRecents(formatRecents(roots))
		if len(formatRecents(roots)) < maxRecentIn/2 && !slices.Equal(roots, again) {
			t.Errorf("%q became %q", roots, again)
		}
	})
}
