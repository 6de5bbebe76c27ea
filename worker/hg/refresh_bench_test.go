// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// longRepo is a repository of any length, written as fast as the disk takes it:
// for benchmarks only. Every changeset has the same manifest, of one file.
type longRepo struct {
	b        testing.TB
	dir      string
	manifest node.ID
	n        int
	offset   int64
	tip      node.ID
	draft    bool
	word     string // in the descriptions
}

// entry is an index entry of a revlog without deltas.
func entry(offset int64, chunk, size, rev int, link, p1 int, id node.ID) []byte {
	be := binary.BigEndian
	e := make([]byte, revlog.EntrySize)
	be.PutUint64(e, uint64(offset)<<16)
	if rev == 0 {
		be.PutUint32(e, revlog.FlagGeneralDelta|1)
	}
	be.PutUint32(e[8:], uint32(chunk))
	be.PutUint32(e[12:], uint32(size))
	be.PutUint32(e[16:], uint32(rev))
	be.PutUint32(e[20:], uint32(link))
	be.PutUint32(e[24:], uint32(int32(p1)))
	be.PutUint32(e[28:], 0xffffffff)
	copy(e[32:], id[:])
	return e
}

func newLongRepo(b testing.TB, n int) *longRepo {
	b.Helper()
	r := &longRepo{b: b, dir: b.TempDir()}
	if to, err := filepath.EvalSymlinks(r.dir); err == nil {
		r.dir = to
	}
	r.write(n)
	return r
}

// write makes the repository anew.
func (r *longRepo) write(n int) {
	b := r.b
	if err := os.RemoveAll(filepath.Join(r.dir, ".hg")); err != nil {
		b.Fatal(err)
	}
	r.n, r.offset, r.tip, r.draft = 0, 0, node.Null, false
	if err := os.MkdirAll(filepath.Join(r.dir, ".hg/store/data"), 0o777); err != nil {
		b.Fatal(err)
	}
	r.put("requires", []byte("dotencode\nfncache\ngeneraldelta\nrevlogv1\nstore\n"))
	text := []byte("f\x00" + strings.Repeat("1", 40) + "\n")
	r.manifest = revlog.HashText(node.Null, node.Null, text)
	r.put("store/00manifest.d", append([]byte("u"), text...))
	r.put("store/00manifest.i", entry(0, len(text)+1, len(text), 0, 0, -1, r.manifest))
	index, data := r.file("store/00changelog.i"), r.file("store/00changelog.d")
	wi, wd := bufio.NewWriterSize(index, 1<<20), bufio.NewWriterSize(data, 1<<20)
	for range n {
		e, chunk := r.next()
		wi.Write(e)
		wd.Write(chunk)
	}
	if err := wi.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := wd.Flush(); err != nil {
		b.Fatal(err)
	}
	index.Close()
	data.Close()
	r.finish()
}

func (r *longRepo) put(name string, text []byte) {
	if err := os.WriteFile(filepath.Join(r.dir, ".hg", name), text, 0o666); err != nil {
		r.b.Fatal(err)
	}
}

func (r *longRepo) file(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(r.dir, ".hg", name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		r.b.Fatal(err)
	}
	return f
}

// next is the next changeset: its entry and its chunk.
func (r *longRepo) next() (e, chunk []byte) {
	text := fmt.Appendf(nil, "%s\nAda Stone <ada.stone@example.org>\n%d 0\nf\n\nchange number %d\n\nwith some words about it%s", r.manifest.Hex(), 1400000000+r.n*60, r.n, r.word)
	id := revlog.HashText(r.tip, node.Null, text)
	e = entry(r.offset, len(text)+1, len(text), r.n, r.n, r.n-1, id)
	r.offset += int64(len(text) + 1)
	r.n++
	r.tip = id
	return e, append([]byte("u"), text...)
}

// finish makes the last changeset the working directory's parent, and the first
// one of those after the public ones a draft root.
func (r *longRepo) finish() {
	r.put("dirstate", append(bytes.Clone(r.tip[:]), make([]byte, node.Size)...))
	if !r.draft {
		r.draft = true
		r.put("store/phaseroots", []byte("1 "+r.tip.Hex()+"\n"))
	}
}

// commit appends a changeset, as hg does.
func (r *longRepo) commit() {
	e, chunk := r.next()
	for name, b := range map[string][]byte{"store/00changelog.i": e, "store/00changelog.d": chunk} {
		f := r.file(name)
		if _, err := f.Write(b); err != nil {
			r.b.Fatal(err)
		}
		f.Close()
	}
	r.finish()
}

// BenchmarkRefresh measures the first command after a commit, and what is done
// after its answer, at several lengths of history.
//
//	HGBROKER_BENCH_LENGTHS   numbers of changesets ("10000 200000")
func BenchmarkRefresh(b *testing.B) {
	lengths := os.Getenv("HGBROKER_BENCH_LENGTHS")
	if lengths == "" {
		lengths = "10000 200000"
	}
	for _, length := range strings.Fields(lengths) {
		n, err := strconv.Atoi(length)
		if err != nil {
			b.Fatal(err)
		}
		r := newLongRepo(b, n)
		for _, line := range []string{"log -r .", "log -G -l10", "identify -n", "heads", "branches", "log -r draft()"} {
			args := strings.Fields(line)
			b.Run(length+"/"+strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
				e := New(Options{Deferred: true})
				defer e.Close()
				run := func() time.Duration {
					var out, errOut bytes.Buffer
					start := time.Now()
					_, err := e.Run(context.Background(), &Request{Args: args, Dir: r.dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
						Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: start, Hg: Installation{Version: "6.3.2"}})
					took := time.Since(start)
					if err != nil || out.Len() == 0 || errOut.Len() > 0 {
						b.Fatalf("%v, %q, %q", err, out.String(), errOut.String())
					}
					return took
				}
				run()
				e.Settle()
				var warm, refresh, settle time.Duration
				for b.Loop() {
					warm += run()
					r.commit()
					refresh += run()
					start := time.Now()
					e.Settle()
					settle += time.Since(start)
				}
				each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
				b.ReportMetric(each(warm), "warm-µs")
				b.ReportMetric(each(refresh), "refresh-µs")
				b.ReportMetric(each(settle), "settle-µs")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
