// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// TestBefore compares the order of directories with that of a stack, which is
// how hg walks.
func TestBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	root := &directory{}
	stack, order := []*directory{root}, []*directory(nil)
	for len(stack) > 0 {
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, d)
		if len(order) > 200 {
			continue
		}
		for place := range 1 + r.IntN(3) {
			stack = append(stack, &directory{parent: d, place: place})
		}
	}
	shuffled := slices.Clone(order)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	slices.SortFunc(shuffled, before)
	if len(order) < 20 || !slices.Equal(shuffled, order) {
		t.Errorf("%d directories are not in the order of the walk", len(order))
	}
}

// cleanTree makes dirs directories of 20 files each, and their dirstate.
func cleanTree(t testing.TB, dirs int) *WorkingCopy {
	t.Helper()
	root := t.TempDir()
	var entries []dirstate.Entry
	for i := range dirs {
		dir := fmt.Sprintf("top%02d/dir%03d", i%10, i)
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
		for j := range 20 {
			name := fmt.Sprintf("%s/file%02d.c", dir, j)
			if err := os.WriteFile(filepath.Join(root, name), []byte(name), 0o666); err != nil {
				t.Fatal(err)
			}
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(root, name), &st); err != nil {
				t.Fatal(err)
			}
			entries = append(entries, dirstate.Entry{Path: name, Item: dirstate.Item{
				Flags: dirstate.WdirTracked | dirstate.P1Tracked | dirstate.HasModeAndSize | dirstate.HasMtime,
				Mode:  int32(st.Mode), Size: int32(st.Size), MtimeS: int32(st.Mtim.Sec),
			}})
		}
	}
	slices.SortFunc(entries, func(a, b dirstate.Entry) int { return slices.Compare([]byte(a.Path), []byte(b.Path)) })
	return &WorkingCopy{Root: root, Dirstate: dirstate.New(node.Null, node.Null, entries), P1: manifest.Manifest{}, ListUnknown: true}
}

func TestCancel(t *testing.T) {
	wc := cleanTree(t, 30)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Status(ctx, wc); err != context.Canceled {
		t.Errorf("a cancelled walk ends with %v", err)
	}
	wc.ListUnknown = false
	if _, err := Status(ctx, wc); err != context.Canceled {
		t.Errorf("a cancelled check ends with %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser can read every directory")
	}
	wc := cleanTree(t, 3)
	dir := filepath.Join(wc.Root, "top01")
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o777)
	var said string
	wc.Bad = func(name, reason string) { said += name + ": " + reason + "\n" }
	r, err := Status(context.Background(), wc)
	if err != nil || said != "top01: Permission denied\n" || len(r.Deleted) != 20 {
		t.Errorf("%+v, %v, said %q", r, err, said)
	}
}

func BenchmarkStatus(b *testing.B) {
	wc := cleanTree(b, 500)
	for _, unknown := range []bool{true, false} {
		for _, workers := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("unknown=%v/workers=%d", unknown, workers), func(b *testing.B) {
				wc.ListUnknown, wc.Workers = unknown, workers
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

// TestTake takes all files of a tree, each once.
func TestTake(t *testing.T) {
	for _, size := range []int{1, 3, 20, 64, 1000} {
		wc := cleanTree(t, 7)
		tree := wc.Dirstate.Tree()
		seen := map[int32]int{}
		for next := (position{tree: tree, piece: size}); ; {
			f, ok := next.take()
			if !ok {
				break
			}
			for f.count > 0 {
				list := tree.Files(f.dir)[f.from:]
				list = list[:min(len(list), f.count)]
				for _, i := range list {
					seen[i]++
				}
				f.count -= len(list)
				f.dir, f.from = f.dir+1, 0
			}
		}
		for i := range wc.Dirstate.Len() {
			if seen[int32(i)] != 1 {
				t.Errorf("in pieces of %d, file %d is taken %d times", size, i, seen[int32(i)])
			}
		}
	}
}
