// SPDX-License-Identifier: GPL-2.0-or-later

package revlog_test

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// repository is a new one that real hg works on.
type repository struct {
	t  *testing.T
	hg *hgtest.Shell
}

func newRepository(t *testing.T, v hgtest.Version) repository {
	r := repository{t, hgtest.NewShell(t, v.Path, t.TempDir())}
	r.run("init")
	return r
}

// run runs hg and returns what it prints; a failure is not an error.
func (r repository) run(args ...string) (stdout, stderr string) {
	r.t.Helper()
	stdout, stderr, code := r.hg.Run(r.t, args...)
	if code != 0 && stderr == "" {
		r.t.Fatalf("hg %q: exit code %d", args, code)
	}
	return stdout, stderr
}

// commit writes a file and commits it.
func (r repository) commit(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(r.hg.Dir+"/"+name, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.run("commit", "-qAm", "change "+name, "-u", "me", "-d", "0 0")
}

func (r repository) store() *store.Store {
	r.t.Helper()
	l, err := requires.Resolve(r.hg.Dir)
	if err != nil {
		r.t.Fatal(err)
	}
	return l.Store()
}

// flip changes the byte at a position counted from the end of a file.
func flip(t *testing.T, path string, fromEnd int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-fromEnd] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamageInHgsWords damages a store and compares the error with the one that
// hg ends with. Mercurial 7 names a filelog without "data/"; the engine follows
// Mercurial 6.
func TestDamageInHgsWords(t *testing.T) {
	v := hgtest.HgVersions(t)[0]
	words := func(t *testing.T, err error, stderr string) {
		t.Helper()
		var a *hgerr.Abort
		if !errors.As(err, &a) || "abort: "+a.Message+"\n" != stderr {
			t.Errorf("got %v, hg prints %q", err, stderr)
		}
		var d *hgerr.Damage
		if !errors.As(err, &d) {
			t.Errorf("%v is no damage", err)
		}
	}
	t.Run("text of a file", func(t *testing.T) {
		r := newRepository(t, v)
		r.commit("a", "some text that is too short to compress")
		s := r.store()
		flip(t, s.Filelog("a").IndexPath(), 3)
		_, stderr := r.run("cat", "-r0", "a")
		f, err := filelog.Open(s, "a")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Data(0)
		words(t, err, stderr)
		if f.Scan(0, 1, func(node.Rev, []byte) error { return nil }) == nil {
			t.Error("scan accepts it")
		}
	})
	t.Run("changeset", func(t *testing.T) {
		r := newRepository(t, v)
		r.commit("a", "a")
		s := r.store()
		flip(t, s.Changelog().IndexPath(), 1)
		_, stderr := r.run("debugdata", "-c", "0")
		log, err := revlog.Open(s.Changelog())
		if err != nil {
			t.Fatal(err)
		}
		_, err = log.Text(0)
		words(t, err, stderr)
	})
	t.Run("truncated index", func(t *testing.T) {
		r := newRepository(t, v)
		r.commit("a", "a")
		s := r.store()
		fi, err := os.Stat(s.Changelog().IndexPath())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{1, fi.Size() - 65} {
			if err := os.Truncate(s.Changelog().IndexPath(), fi.Size()-n); err != nil {
				t.Fatal(err)
			}
			_, stderr := r.run("log")
			_, err = revlog.Open(s.Changelog())
			words(t, err, stderr)
		}
	})
}

// TestCensored reads what `hg censor` left.
func TestCensored(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		r := newRepository(t, v)
		r.commit("a", "secret")
		r.commit("a", "public")
		if _, stderr := r.run("--config", "extensions.censor=", "censor", "-r0", "a", "-t", "gone"); strings.Contains(stderr, "abort") {
			t.Fatal(stderr)
		}
		f, err := filelog.Open(r.store(), "a")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Data(0)
		var c *revlog.CensoredError
		if !errors.As(err, &c) || c.Node != f.Node(0) || !f.Censored(0) || !bytes.Contains(c.Tombstone, []byte("gone")) {
			t.Errorf("hg %s: %v", v.Number, err)
		}
		if size, err := f.Size(0); size != 0 || err != nil {
			t.Errorf("hg %s: size %d %v", v.Number, size, err)
		}
		if same, err := f.Same(0, nil); !same || err != nil {
			t.Errorf("hg %s: a censored file differs from an empty one (%v)", v.Number, err)
		}
		if data, err := f.Data(1); string(data) != "public" || err != nil {
			t.Errorf("hg %s: %q %v", v.Number, data, err)
		}
	}
}

// TestStripUnderReader keeps revlogs open while hg strips and commits, with
// inline and split revlogs, and follows with ReadTail.
func TestStripUnderReader(t *testing.T) {
	v := hgtest.HgVersions(t)[0]
	for name, size := range map[string]int{"inline": 10, "split": 200000} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, v)
			text := func(i int) string {
				var b strings.Builder
				for b.Len() < size {
					b.WriteString(strconv.Itoa(b.Len() * (i + 12345) % 1000003))
				}
				return b.String() + strconv.Itoa(i)
			}
			for i := range 4 {
				r.commit("a", text(i))
			}
			s := r.store()
			known, err := revlog.Open(s.Filelog("a"))
			if err != nil {
				t.Fatal(err)
			}
			if known.Inline() != (name == "inline") {
				t.Fatal("not the form that is tested")
			}
			held := revlog.OpenWithIndex(known.Files(), known.Index, known.Stamp())
			if _, err := held.Text(1); err != nil {
				t.Fatal(err)
			}

			// Appended.
			r.commit("a", text(4))
			x, stamp, appended, err := revlog.ReadTail(known.Files(), known.Index)
			if err != nil || !appended || x.Len() != 5 || stamp.Equal(known.Stamp()) {
				t.Fatalf("after a commit: %d revisions, %v %v", x.Len(), appended, err)
			}
			five := revlog.OpenWithIndex(known.Files(), x, stamp)
			if got, err := five.Text(4); err != nil || string(got) != text(4) {
				t.Errorf("text of the new revision: %v", err)
			}
			for _, log := range []*revlog.Revlog{held, five} { // the old view still reads
				if got, err := log.Text(3); err != nil || string(got) != text(3) {
					t.Errorf("text of an old revision: %v", err)
				}
			}

			// Stripped: what is gone is an error that says the file changed.
			held.Close()
			r.run("--config", "extensions.strip=", "strip", "-q", "--no-backup", "-r", "2")
			if _, _, appended, err := revlog.ReadTail(known.Files(), x); appended || err != nil {
				t.Errorf("after strip: %v %v", appended, err)
			}
			for _, log := range []*revlog.Revlog{held, five} {
				for rev := range node.Rev(log.Len()) {
					got, err := log.Text(rev)
					var d *hgerr.Damage
					if err == nil && string(got) != text(int(rev)) || err != nil && (!errors.As(err, &d) || !d.Changed) || rev > 2 && rev < 4 && err == nil {
						t.Errorf("revision %d: %d bytes, %v", rev, len(got), err)
					}
				}
				log.Close()
			}

			// Other revisions where the stripped ones were.
			for i := 10; i < 14; i++ {
				r.commit("a", text(i))
			}
			if _, _, appended, err := revlog.ReadTail(known.Files(), x); appended || err != nil {
				t.Errorf("after strip and commits: %v %v", appended, err)
			}
			if _, err := held.Text(3); err == nil {
				t.Error("reads a text that was replaced")
			}
			if _, err := five.Text(3); err == nil {
				t.Error("reads a text that was replaced")
			}
			if err := os.Remove(known.Files().IndexPath()); err != nil {
				t.Fatal(err)
			}
			if _, _, appended, err := revlog.ReadTail(known.Files(), x); appended || err != nil {
				t.Errorf("after removal: %v %v", appended, err)
			}
		})
	}
}

// TestInlineBecomesSplit follows a revlog over the size where hg splits it.
func TestInlineBecomesSplit(t *testing.T) {
	v := hgtest.HgVersions(t)[0]
	r := newRepository(t, v)
	r.commit("a", "small")
	s := r.store()
	known, err := revlog.Open(s.Filelog("a"))
	if err != nil || !known.Inline() {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range 100000 {
		b.WriteString(strconv.Itoa(i * 7919 % 1000003))
	}
	r.commit("a", b.String())
	if _, _, appended, err := revlog.ReadTail(known.Files(), known.Index); appended || err != nil {
		t.Errorf("%v %v", appended, err)
	}
	now, err := revlog.Open(s.Filelog("a"))
	if err != nil || now.Inline() || now.Len() != 2 {
		t.Fatal(err)
	}
	if got, err := now.Text(1); err != nil || string(got) != b.String() {
		t.Error(err)
	}
	if got, err := known.Text(0); err != nil || string(got) != "small" {
		t.Error(err)
	}
}
