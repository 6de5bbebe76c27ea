// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// bundleTypes are what `hg bundle --type` makes, with each version of hg.
var bundleTypes = []string{
	"none-v1", "gzip-v1", "bzip2-v1", "none-v2", "gzip-v2", "bzip2-v2", "zstd-v2",
	"none-v2;obsolescence=yes", "gzip-v2;obsolescence=yes;obsolescence-mandatory=no", "none-v2;phases=yes", "none-v2;tagsfnodescache=no;revbranchcache=yes",
	"zstd-v2;cg.version=03;phases=yes;obsolescence=yes", "none-v2;cg.version=01", "none-v2;cg.version=02;changegroup=no;phases=yes",
	"none-v2;stream=v2", "none-v2;stream=v2;obsolescence=yes", "none-v2;stream=v3-exp", "none-v2;cg.version=04", "none-v2;cg.version=05",
	"zstd-v2;cg.version=04;cg.delta-compression=zlib,zstd", "none-v2;changegroup=no",
}

// part makes a part of a bundle2 by hand.
func part(kind string, payload string, params ...string) string {
	head := string(rune(len(kind))) + kind + "\x00\x00\x00\x05\x00" + string(rune(len(params)/2))
	for i := 0; i < len(params); i += 2 {
		head += string(rune(len(params[i]))) + string(rune(len(params[i+1])))
	}
	head += strings.Join(params, "")
	out := size4(len(head)) + head
	if payload != "" {
		out += size4(len(payload)) + payload
	}
	return out + size4(0)
}

func size4(n int) string { return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) }

// TestDebugbundle compares what is told of bundles made by each hg.
func TestDebugbundle(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "repo")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			s := &site{hgtest.NewShell(t, version.Path, dir, "HGENCODING=utf-8"), t}
			s.hg("init", "-q")
			s.write(".hg/hgrc", "[extensions]\nrebase=\n[experimental]\nevolution=all\nchangegroup3=yes\nevolution.bundle-obsmarker=yes\n")
			verifySite(s)
			s.hg("tag", "-u", "a", "-d", "0 0", "v1")
			s.hg("phase", "-p", "1")
			s.hg("commit", "--amend", "-q", "-m", "amended \xc3\xa9", "-u", "Ada", "-d", "1600000000 3600")
			s.hg("commit", "--amend", "-q", "-m", "amended twice", "-d", "1600000001 3600")
			s.hg("phase", "-sf", ".")
			var files []string
			for i, kind := range bundleTypes {
				for _, what := range [][]string{{"-a"}, {"--base", "1", "-r", "tip"}} {
					name := fmt.Sprintf("%d-%s.hg", i, what[0])
					args := append([]string{"bundle", "-q", "-t", kind}, what...)
					if _, _, code := s.Run(t, append(args, name)...); code == 0 {
						files = append(files, name)
					}
				}
			}
			s.Run(t, "debugcreatestreamclonebundle", "packed.hg")
			s.hg("rebase", "-q", "-s", "6", "-d", "0", "--tool", ":local", "--config", "extensions.rebase=", "--config", "experimental.evolution=no")
			backups, err := filepath.Glob(filepath.Join(dir, ".hg/strip-backup/*.hg"))
			if err != nil || len(backups) == 0 {
				t.Fatal("no backup", err)
			}
			for _, b := range backups {
				files = append(files, strings.TrimPrefix(b, dir+"/"))
			}
			for name, text := range map[string]string{
				"text": "no bundle\n", "empty": "", "short": "HG2", "noalg": "HG10U", "alg": "HG10XX", "v3": "HG30", "v2x": "HG2X", "null": "\x00\x00\x00\x00",
				"noparts": "HG20" + size4(0) + size4(0), "param": "HG20" + size4(7) + "a=b%20c" + size4(0), "lone": "HG20" + size4(1) + "a" + size4(0), "mand": "HG20" + size4(3) + "A=b" + size4(0),
				"keys": "HG20" + size4(0) + part("LISTKEYS", "a\tb\n", "namespace", "bookmarks") + part("pushkey", "", "namespace", "phases", "key", "x", "old", "1", "new", "0") +
					part("reply:changegroup", "", "return", "1", "in-reply-to", "0") + part("output", "hello") + part("error:abort", "", "message", "no", "hint", "why") + size4(0),
				"phases":   "HG20" + size4(0) + part("phase-heads", "\x00\x00\x00\x02"+strings.Repeat("b", 20)+"\x00\x00\x00\x00"+strings.Repeat("a", 20)+"\x00\x00\x00\x60"+strings.Repeat("c", 20)) + size4(0),
				"badphase": "HG20" + size4(0) + part("phase-heads", "\x00\x00\x00\x07"+strings.Repeat("b", 20)) + size4(0),
				"cut":      "HG20" + size4(0) + part("output", "hello"),
				"group9":   "HG20" + size4(0) + part("changegroup", "hello", "version", "09") + size4(0),
				"markers9": "HG20" + size4(0) + part("obsmarkers", "\x09hello") + size4(0),
			} {
				s.write(name, text)
				files = append(files, name)
			}
			files = append(files, "packed.hg", "nosuch", "dir")
			var cmds []hgtest.Command
			for _, name := range files {
				for _, opts := range []string{"", "--all", "--spec", "-q", "--part-type obsmarkers --part-type phase-heads", "-v -a"} {
					cmds = append(cmds, hgtest.Command{Args: append(append([]string{"debugbundle"}, strings.Fields(opts)...), name)})
				}
			}
			cmds = append(cmds, hgtest.Command{Args: []string{"debugbundle"}}, hgtest.Command{Args: []string{"debugbundle", "a", "b"}},
				hgtest.Command{Args: []string{"debugbundle", "../packed.hg"}, Sub: "dir"}, hgtest.Command{Args: []string{"debugbundle", "-R", "..", "keys"}},
				hgtest.Command{Args: []string{"debugbundle", "--debug", "keys"}})
			t.Log(len(files), "bundles")
			inst := Installation{Path: version.Path, Version: version.Number}
			hgtest.Compare(t, hgtest.NewTally(t), dir, cmds, engineRunner("cold", inst, true), hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)})
		})
	}
}
