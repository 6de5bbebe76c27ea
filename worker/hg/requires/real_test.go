// SPDX-License-Identifier: GPL-2.0-or-later

package requires_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/store"
)

// hg runs a command; config items come first in args.
func hg(t *testing.T, v hgtest.Version, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	// An hg without its Rust extensions refuses some formats unless told.
	for _, item := range []string{"dirstate-v2", "revlog.persistent-nodemap", "fileindex"} {
		args = append([]string{"--config", "storage." + item + ".slow-path=allow"}, args...)
	}
	shell := hgtest.Shell{Hg: hgtest.CLI(v.Path), Dir: dir, Env: hgtest.BaseEnv()}
	return shell.Run(t, args...)
}

func mustHg(t *testing.T, v hgtest.Version, dir string, args ...string) string {
	t.Helper()
	out, stderr, code := hg(t, v, dir, args...)
	if code != 0 {
		t.Fatalf("hg %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return out
}

// format is one `hg init` and what the engine makes of its repository.
type format struct {
	config   []string
	encoding store.Encoding
	refused  string // what Unsupported names; "" when native
}

const unstable = "enable-unstable-format-and-corrupt-my-data"

var formats = []format{
	{nil, store.DotEncode, ""},
	{[]string{"format.bookmarks-in-store=yes"}, store.DotEncode, ""},
	{[]string{"format.use-dirstate-v2=yes"}, store.DotEncode, ""},
	{[]string{"format.use-dirstate-tracked-hint=yes"}, store.DotEncode, ""},
	{[]string{"format.dotencode=no"}, store.FnCache, ""},
	{[]string{"format.usefncache=no"}, store.Encoded, ""},
	{[]string{"format.usestore=no", "format.use-share-safe=no"}, store.Plain, ""},
	{[]string{"format.usegeneraldelta=no", "format.sparse-revlog=no"}, store.DotEncode, ""},
	{[]string{"format.sparse-revlog=no"}, store.DotEncode, ""},
	{[]string{"format.use-share-safe=no"}, store.DotEncode, ""},
	{[]string{"format.use-persistent-nodemap=yes"}, store.DotEncode, ""},
	{[]string{"format.revlog-compression=zlib"}, store.DotEncode, ""},
	{[]string{"format.revlog-compression=zstd"}, store.DotEncode, ""},
	{[]string{"format.revlog-compression=none"}, store.DotEncode, ""},
	{[]string{"format.maxchainlen=5", "format.manifestcachesize=5", "format.chunkcachesize=4096", "format.obsstore-version=0"}, store.DotEncode, ""},
	{[]string{"format.use-internal-phase=yes"}, store.DotEncode, ""},
	{[]string{"format.exp-archived-phase=yes"}, store.DotEncode, ""},
	{[]string{"format.exp-use-changelog-v2=" + unstable}, 0, "requirement exp-changelog-v2"},
	{[]string{"format.exp-use-copies-side-data-changeset=yes"}, 0, "requirement exp-changelog-v2"},
	{[]string{"experimental.revlogv2=" + unstable}, 0, "requirement exp-revlogv2.2"},
	{[]string{"experimental.treemanifest=yes"}, store.DotEncode, ""},
	// Of Mercurial 7 only; Mercurial 6 ignores the items.
	{[]string{"format.use-delta-info-flags=yes"}, store.DotEncode, ""},
	{[]string{"format.use-fileindex-v1=yes"}, store.DotEncode, ""},
	{[]string{"format.exp-use-very-fragile-and-unsafe-plain-store-encoding=yes", "format.dotencode=no"}, store.Literal, ""},
}

// TestFormats makes a repository for every format.* item that changes
// requirements and compares with what hg says is in it.
func TestFormats(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		for _, f := range formats {
			t.Run(v.Number+" "+strings.Join(f.config, " "), func(t *testing.T) {
				repo := filepath.Join(t.TempDir(), "repo")
				var args []string
				for _, c := range f.config {
					args = append(args, "--config", c)
				}
				mustHg(t, v, t.TempDir(), append(args, "init", repo)...)
				all := requirementsOf(t, repo)
				layout, err := requires.Resolve(repo)
				refused := f.refused
				if refused != "" && f.encoding != 0 && !slices.Contains(all, strings.TrimPrefix(refused, "requirement ")) {
					refused = "" // this hg does not know the item
				}
				if refused != "" {
					var u *hgerr.Unsupported
					name := ""
					if errors.As(err, &u) {
						name, _, _ = strings.Cut(strings.TrimPrefix(u.What, "requirement "), ":")
					}
					if u == nil || u.What != refused && !strings.HasPrefix(u.What, "requirement ") || !slices.Contains(all, name) {
						t.Errorf("requirements %q: got %v, want %q", all, err, refused)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if f.encoding == store.Literal && !slices.Contains(all, requires.PlainEncode) {
					return // this hg does not know the item
				}
				if !slices.Equal(layout.Requirements, all) || layout.Encoding() != f.encoding || layout.Shared {
					t.Errorf("got %+v with encoding %d, want %q and %d", layout, layout.Encoding(), all, f.encoding)
				}
				if fi, err := os.Stat(layout.StorePath); err != nil || !fi.IsDir() {
					t.Errorf("store %s: %v", layout.StorePath, err)
				}
				// hg makes the changelog where we look for it.
				if err := os.WriteFile(repo+"/A_b", nil, 0o600); err != nil {
					t.Fatal(err)
				}
				mustHg(t, v, repo, "commit", "-qAm", "x", "-u", "x")
				for _, name := range []string{layout.Store().ChangelogPath(), layout.Store().FilelogPath("A_b")} {
					if s, err := layout.Store().Stamp(name); err != nil || !s.Exists {
						t.Errorf("%s is not in the store (%v)", name, err)
					}
				}
			})
		}
	}
}

// requirementsOf reads the files by themselves.
func requirementsOf(t *testing.T, repo string) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"/.hg/requires", "/.hg/store/requires"} {
		data, err := os.ReadFile(repo + name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, strings.Fields(string(data))...)
	}
	slices.Sort(all)
	if len(all) == 0 {
		t.Fatalf("%s has no requirements", repo)
	}
	return slices.Compact(all)
}

func TestShares(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		for _, safe := range []string{"yes", "no"} {
			for _, relative := range []bool{false, true} {
				t.Run(v.Number+" safe="+safe+" relative="+map[bool]string{true: "yes", false: "no"}[relative], func(t *testing.T) {
					dir, err := filepath.EvalSymlinks(t.TempDir())
					if err != nil {
						t.Fatal(err)
					}
					mustHg(t, v, dir, "init", "--config", "format.use-share-safe="+safe, "source")
					args := []string{"share", "-q", "--config", "extensions.share=", "--config", "format.use-share-safe=" + safe}
					if relative {
						args = append(args, "--relative")
					}
					mustHg(t, v, dir, append(args, "source", "deep-share")...)
					layout, err := requires.Resolve(dir + "/deep-share")
					if err != nil {
						t.Fatal(err)
					}
					if layout.Root != dir+"/deep-share" || layout.SharedDot != dir+"/source/.hg" ||
						layout.StorePath != dir+"/source/.hg/store" || !layout.Shared || layout.ShareSafe != (safe == "yes") ||
						layout.CacheDir() != dir+"/source/.hg/cache" || layout.WCacheDir() != dir+"/deep-share/.hg/wcache" {
						t.Errorf("%+v", layout)
					}
					source, err := requires.Resolve(dir + "/source")
					if err != nil || source.StorePath != layout.StorePath {
						t.Errorf("%+v %v", source, err)
					}

					// The source goes away: hg's own words.
					if !layout.Fresh(nil) {
						t.Error("stale without a change")
					}
					if err := os.Rename(dir+"/source", dir+"/moved"); err != nil {
						t.Fatal(err)
					}
					if layout.Fresh(nil) {
						t.Error("fresh after its source moved")
					}
					compareAbort(t, v, dir+"/deep-share")
				})
			}
		}
	}
}

// compareAbort compares the error for a repository with what hg prints.
func compareAbort(t *testing.T, v hgtest.Version, repo string) {
	t.Helper()
	_, stderr, code := hg(t, v, repo, "-R", repo, "log")
	if code == 0 {
		t.Fatal("hg has no error")
	}
	_, got := requires.Resolve(repo)
	var abort *hgerr.Abort
	if !errors.As(got, &abort) || "abort: "+abort.Message+"\n" != stderr {
		t.Errorf("got %v, hg prints %q", got, stderr)
	}
}

func TestBrokenRepositories(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir+"/none", 0o700); err != nil {
			t.Fatal(err)
		}
		compareAbort(t, v, dir+"/none")
		for name, content := range map[string]string{"blank": "share-safe\n\n", "dash": "-x\n", "return": "\rstore\n"} {
			mustHg(t, v, dir, "init", name)
			if err := os.WriteFile(dir+"/"+name+"/.hg/requires", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			compareAbort(t, v, dir+"/"+name)
		}
		for name, content := range map[string]string{
			"unknown": "revlogv1\nstore\nsome-extension\n", "v0": "store\n", "empty": "",
			"noshared": "revlogv1\nshared\n",
		} {
			mustHg(t, v, dir, "init", name)
			if err := os.WriteFile(dir+"/"+name+"/.hg/requires", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if l, err := requires.Resolve(dir + "/" + name); !hgerr.IsUnsupported(err) {
				t.Errorf("%s: %+v %v", name, l, err)
			}
		}
	}
}

// TestMismatch has a share whose source changed sides: what hg does depends on
// its configuration.
func TestMismatch(t *testing.T) {
	v := hgtest.HgVersions(t)[0]
	for from, to := range map[string]string{"yes": "no", "no": "yes"} {
		dir := t.TempDir()
		mustHg(t, v, dir, "init", "--config", "format.use-share-safe="+from, "source")
		mustHg(t, v, dir, "share", "-q", "--config", "extensions.share=", "--config", "format.use-share-safe="+from, "source", "share")
		mustHg(t, v, dir, "debugupgraderepo", "-q", "--run", "--no-backup", "-R", "source", "--config", "format.use-share-safe="+to)
		if _, _, code := hg(t, v, dir+"/share", "log"); code == 0 {
			t.Fatalf("hg accepts a share whose source went from %s to %s", from, to)
		}
		if l, err := requires.Resolve(dir + "/share"); !hgerr.IsUnsupported(err) {
			t.Errorf("%s to %s: %+v %v", from, to, l, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("dotencode\nfncache\ngeneraldelta\nrevlog-compression-zstd\nrevlogv1\nsparserevlog\nstore\n"))
	f.Add([]byte("share-safe\r\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := requires.Parse(data)
		if err != nil {
			return
		}
		if !slices.IsSorted(s) {
			t.Errorf("%q is not sorted", s)
		}
		for _, name := range s {
			if !s.Has(name) || strings.ContainsAny(name, "\r\n") {
				t.Errorf("name %q", name)
			}
		}
	})
}
