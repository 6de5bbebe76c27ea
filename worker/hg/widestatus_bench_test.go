// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BenchmarkWideStatus measures `status` of a large working directory beside its
// peers, turn by turn in one run, and prints a table of the medians.
//
//	HGBROKER_BENCH_WIDE      a repository of the recipe gen_r3.py, checked out
//	HGBROKER_BENCH_WIDE_GIT  the same tree as a git work tree, optional
//	HGBROKER_BENCH_ROUNDS    turns for each contender (15)
//
// "bare walk" reads every directory and lstats every entry but those of .hg, on
// two threads, and does nothing else: the floor.
func BenchmarkWideStatus(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_WIDE")
	if dir == "" {
		b.Skip("HGBROKER_BENCH_WIDE names no repository")
	}
	rounds := 15
	fmt.Sscan(os.Getenv("HGBROKER_BENCH_ROUNDS"), &rounds)
	e := New(Options{})
	defer e.Close()
	env := []string{"HGRCPATH=", "HOME=/nonexistent", "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	var answer string
	engine := func() {
		var out, errOut bytes.Buffer
		_, err := e.Run(context.Background(), &Request{Args: []string{"status"}, Dir: dir, Env: env, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
		if err != nil {
			b.Fatal(err)
		}
		answer = out.String()
	}
	type contender struct {
		name string
		run  func()
	}
	program := func(name, dir string, args ...string) contender {
		return contender{name + " status", func() {
			cmd := exec.Command(args[0], append(args[1:], "status")...)
			cmd.Dir, cmd.Env = dir, append(env, "CHGHG=hg", "XDG_RUNTIME_DIR="+os.Getenv("XDG_RUNTIME_DIR"), "TMPDIR="+os.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %v\n%s", args, err, out)
			} else if args[0] != "git" && string(out) != answer {
				b.Fatalf("%s says\n%s, the engine\n%s", name, out, answer)
			}
		}}
	}
	contenders := []contender{{"bare walk", func() { bareWalk(dir, 2) }}, {"engine status", engine}}
	if gitDir := os.Getenv("HGBROKER_BENCH_WIDE_GIT"); gitDir != "" {
		contenders = append(contenders, program("git", gitDir, "git"))
	}
	for _, name := range []string{"hg", "chg"} {
		if path, err := exec.LookPath(name); err == nil {
			contenders = append(contenders, program(name, dir, path))
		}
	}
	modified := wideFiles(b, dir, 10)
	for _, state := range []string{"clean", "10 files modified"} {
		if state != "clean" {
			for _, name := range modified {
				appendTo(b, name)
			}
		}
		times := make([][]time.Duration, len(contenders))
		for round := range rounds + 1 {
			for i, c := range contenders {
				if round > 4 && c.name != "bare walk" && c.name != "engine status" {
					continue // the slow ones have fewer turns
				}
				start := time.Now()
				c.run()
				if round > 0 {
					times[i] = append(times[i], time.Since(start))
				}
			}
		}
		for i, c := range contenders {
			slices.Sort(times[i])
			median, floor := times[i][len(times[i])/2], times[0][len(times[0])/2]
			fmt.Printf("| %-18s | %-14s | %7.1f ms | least %7.1f ms | %5.2f |\n", state, c.name,
				float64(median)/1e6, float64(times[i][0])/1e6, float64(median)/float64(floor))
		}
	}
	for b.Loop() {
		engine()
	}
}

// wideFiles picks n tracked files; what they hold comes back after the run.
func wideFiles(b *testing.B, dir string, n int) []string {
	var list []string
	for i := 0; len(list) < n && i < 100; i++ {
		found, _ := filepath.Glob(fmt.Sprintf("%s/pkg%02d/area1/module007/*3.*", dir, i))
		list = append(list, found[:min(1, len(found))]...)
	}
	if len(list) < n {
		b.Fatalf("%s is not what gen_r3.py makes", dir)
	}
	for _, name := range list {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		fi, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			os.WriteFile(name, data, 0o666)
			os.Chtimes(name, fi.ModTime(), fi.ModTime())
		})
	}
	return list
}

// appendTo changes a file: half of them keep their size.
func appendTo(b *testing.B, name string) {
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	if strings.Contains(name, "pkg0") {
		data = bytes.ToUpper(data)
	} else {
		data = append(data, "more\n"...)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		b.Fatal(err)
	}
}

// bareWalk reads all directories and lstats all entries. It ends when no
// directory is left.
func bareWalk(root string, threads int) {
	var mu sync.Mutex
	wake := sync.NewCond(&mu)
	stack, busy := []string{root}, 0
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			buf := make([]byte, 64<<10)
			mu.Lock()
			defer mu.Unlock()
			for {
				for len(stack) == 0 && busy > 0 {
					wake.Wait()
				}
				if len(stack) == 0 {
					return
				}
				dir := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				busy++
				mu.Unlock()
				below := bareRead(dir, buf, dir == root)
				mu.Lock()
				busy--
				stack = append(stack, below...)
				if len(below) > 1 || busy == 0 {
					wake.Broadcast()
				}
			}
		})
	}
	wg.Wait()
}

func bareRead(dir string, buf []byte, isRoot bool) (below []string) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n <= 0 {
			return below
		}
		for rest := buf[:n]; len(rest) > 19; rest = rest[binary.NativeEndian.Uint16(rest[16:]):] {
			if name := rest[19:]; name[0] == '.' && (name[1] == 0 || name[1] == '.' && name[2] == 0 || isRoot && string(name[:4]) == ".hg\x00") {
				continue
			}
			unix.RawSyscall6(unix.SYS_NEWFSTATAT, uintptr(fd), uintptr(unsafe.Pointer(&rest[19])), uintptr(unsafe.Pointer(&st)), unix.AT_SYMLINK_NOFOLLOW, 0, 0)
			if rest[18] == unix.DT_DIR {
				name, _, _ := bytes.Cut(rest[19:], []byte{0})
				below = append(below, dir+"/"+string(name))
			}
		}
	}
}
