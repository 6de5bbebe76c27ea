// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
)

// remapped is a Source of images in memory files, which every lease maps anew: what
// a new process finds.
type remapped map[image.Key]int

func (m remapped) Lease(key image.Key) *image.Image {
	if fd, ok := m[key]; ok {
		return must(m.open(fd))
	}
	return nil
}

func (m remapped) open(fd int) (*image.Image, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	data, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return image.Open(data, func() error { return unix.Munmap(data) })
}

func (m remapped) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	fd, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC) // closed with the process
	if err == nil {
		_, err = b.WriteTo(memoryFile(fd))
	}
	if err != nil {
		return nil, err
	}
	m[key] = fd
	return m.open(fd)
}

type memoryFile int

func (fd memoryFile) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = unix.Write(int(fd), p[n:])
		n += k
	}
	return n, err
}

// BenchmarkNewWorker measures the first command of an engine that has answered
// nothing yet, and finds the images of all that others have asked; and the next one,
// which is warm. HGBROKER_BENCH_REPO names a repository to use instead of a recorded
// one.
func BenchmarkNewWorker(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_REPO")
	if dir == "" {
		dir = hgtest.Extract(b, "merges-renames")
	}
	var out bytes.Buffer
	run := func(e *Engine, args []string) {
		out.Reset()
		_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &out, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
		if err != nil {
			b.Fatal(err)
		}
	}
	lines := []string{"log -r . -T {node}", "log -l10", "log -G -l10", "identify", "summary", "branches", "heads", "tags",
		"log -r draft()", "log -r head()", "log -r branch(default)&1000:1010"}
	source := remapped{}
	for range 2 {
		e := New(Options{Images: source})
		for _, line := range lines {
			run(e, strings.Fields(line))
		}
		e.Close()
	}
	for _, line := range lines {
		args := strings.Fields(line)
		b.Run(strings.ReplaceAll(line, " ", "_")+"/first", func(b *testing.B) {
			b.ReportAllocs()
			begin := processorTime(b)
			for b.Loop() {
				e := New(Options{Images: source, Deferred: true})
				run(e, args)
				e.Close()
			}
			b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
		})
		b.Run(strings.ReplaceAll(line, " ", "_")+"/next", func(b *testing.B) {
			b.ReportAllocs()
			e := New(Options{Images: source, Deferred: true})
			defer e.Close()
			run(e, args)
			begin := processorTime(b)
			for b.Loop() {
				run(e, args)
			}
			b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
		})
	}
}

// What is prepared changes no answer, and leaves nothing open.
func TestPrepare(t *testing.T) {
	dir := hgtest.Extract(t, "merges-renames")
	answer := func(e *Engine) string {
		var out bytes.Buffer
		_, err := e.Run(context.Background(), &Request{Args: []string{"log", "-T", "{rev}:{node} {desc}\n"}, Dir: dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &out, Now: time.Now(), Hg: Installation{Version: "7.2.4"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	plain, prepared := New(Options{}), New(Options{})
	defer plain.Close()
	defer prepared.Close()
	for _, at := range []string{"/", dir} {
		prepared.Prepare(context.Background(), &Request{Dir: at, Env: []string{"HGRCPATH="}, UID: os.Getuid(), Stdin: bytes.NewReader(nil),
			Stdout: io.Discard, Stderr: io.Discard, Now: time.Now(), Hg: Installation{Version: "7.2.4"}})
	}
	if len(prepared.repos) > 0 {
		t.Errorf("%d repositories are open", len(prepared.repos))
	}
	if a, b := answer(plain), answer(prepared); a != b || len(a) < 100 {
		t.Errorf("%q, prepared %q", a, b)
	}
}
