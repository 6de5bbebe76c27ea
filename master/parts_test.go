// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hgbroker/protocol"
)

func TestQueueIsBoundedAndFair(t *testing.T) {
	any := func(*request) bool { return true }
	q := &queue{max: 4}
	greedy, modest := &client{id: 1}, &client{id: 2}
	add := func(c *client, id uint32) *request { return q.add(&request{client: c, id: id}) }
	for i := range uint32(4) {
		if out := add(greedy, i); out != nil {
			t.Fatalf("refused %d", out.id)
		}
	}
	if out := add(greedy, 9); out == nil || out.id != 9 {
		t.Errorf("the bound does not hold: %v", out)
	}
	// When full, the longest line loses its newest for someone with less.
	if out := add(modest, 100); out == nil || out.client != greedy || out.id != 3 {
		t.Errorf("%+v", out)
	}
	if out := add(modest, 101); out == nil || out.client != greedy || out.id != 2 {
		t.Errorf("%+v", out)
	}
	if out := add(modest, 102); out == nil || out.id != 102 {
		t.Errorf("%+v", out)
	}
	var order []uint32
	for r := q.take(any); r != nil; r = q.take(any) {
		order = append(order, r.id)
	}
	if want := []uint32{0, 100, 1, 101}; !slices.Equal(order, want) || q.size != 0 {
		t.Errorf("served %v, want %v", order, want)
	}
}

func TestQueueServesOnlyClassesThatCanBe(t *testing.T) {
	q := &queue{max: 10}
	c := &client{}
	q.add(&request{client: c, id: 1, class: protocol.Runner})
	q.add(&request{client: c, id: 2, class: protocol.Reader})
	if q.waiting(protocol.Runner) != 1 || q.waiting(protocol.Reader) != 1 {
		t.Error("miscounted")
	}
	r := q.take(func(r *request) bool { return r.class == protocol.Reader })
	if r == nil || r.id != 2 {
		t.Fatalf("%+v", r)
	}
	if n := q.dropIf(func(r *request) bool { return r.client == c }); n != 1 || q.size != 0 {
		t.Errorf("dropped %d, %d left", n, q.size)
	}
}

func TestHistogram(t *testing.T) {
	for _, us := range []uint64{0, 1, 3, 4, 5, 7, 8, 100, 12345, 1 << 30, 1 << 40, 1<<64 - 1} {
		b := bucket(us)
		if b < 0 || b >= 128 || us < 1<<32 && (us >= upper(b) || b > 0 && us < upper(b-1)) {
			t.Errorf("%d is in bucket %d, up to %d", us, b, upper(b))
		}
	}
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for us := range uint64(1000) {
		h.add(us + 1)
	}
	if p := h.quantile(0.5); p < 500 || p > 640 {
		t.Errorf("p50 %d", p)
	}
	if p := h.quantile(0.99); p < 990 || p > 1280 {
		t.Errorf("p99 %d", p)
	}
	if p := h.quantile(1); p < 1000 {
		t.Errorf("p100 %d", p)
	}
}

func TestMemory(t *testing.T) {
	if got := stalled([]byte("some avg10=9.00 avg60=0.00\nfull avg10=12.34 avg60=0.00 avg300=0.00 total=0\n")); got != 12.34 {
		t.Error(got)
	}
	for _, s := range []string{"", "full", "full avg10=x"} {
		if got := stalled([]byte(s)); got != 0 {
			t.Error(s, got)
		}
	}
	total := memTotal()
	if budget := defaultBudget(); total <= 0 || budget <= 0 || budget > total/4 {
		t.Errorf("%d of %d", budget, total)
	}
}

func TestLoadsOfOneRootAreJoined(t *testing.T) {
	m := &master{jobs: newJobs(2), stores: map[string]string{}}
	m.cfg.Log = &logged{}
	for range 3 {
		m.load("/a")
	}
	m.load("/b")
	m.load("not/sane")
	if n := m.jobs.pending(jobLoad); n != 2 || m.counts.loads.Requested != 4 || m.counts.loads.Joined != 2 {
		t.Errorf("%d pending, %+v", n, m.counts.loads)
	}
	a := m.jobs.waiting[0]
	m.jobs.waiting, m.jobs.running = m.jobs.waiting[1:], []*job{a}
	m.load("/a")
	m.load("/a") // both while it runs: one more load afterwards
	if n := m.jobs.pending(jobLoad); n != 2 {
		t.Errorf("%d pending", n)
	}
	m.jobDone(a, "", time.Now())
	m.load("/a")
	if n := m.jobs.pending(jobLoad); n != 2 || len(m.jobs.running) != 0 || m.counts.loads.Done != 1 {
		t.Errorf("%d pending, %+v", n, m.counts.loads)
	}
	for i := range 2 * maxLoads {
		m.load("/" + strings.Repeat("x", i+1))
	}
	if n := m.jobs.pending(jobLoad); n > maxLoads {
		t.Errorf("%d pending", n)
	}
}

// session plays a worker with an obedient process in a group of its own, and a
// deaf one in another.
func session(file string) {
	var ids []string
	for _, body := range []string{"sleep 1000", `trap "" TERM; echo >"$0.deaf"; while :; do sleep 1000; done`} {
		c := exec.Command("/bin/sh", "-c", body, file)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			os.Exit(1)
		}
		ids = append(ids, strconv.Itoa(c.Process.Pid))
	}
	for {
		if _, err := os.Stat(file + ".deaf"); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := os.WriteFile(file, []byte(strings.Join(ids, " ")+"\n"), 0o600); err != nil {
		os.Exit(1)
	}
	select {}
}

func TestSweepEndsASessionByGroups(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	cmd := exec.Command("/proc/self/exe", "session", file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{pid: cmd.Process.Pid, pidfd: -1}
	var text []byte
	eventually(t, "the script starts", func() bool { text, _ = os.ReadFile(file); return strings.HasSuffix(string(text), "\n") })
	ids := strings.Fields(string(text))
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	if n := len(sessionGroups(p.pid)); n != 3 {
		t.Errorf("%d groups", n)
	}
	p.kill()
	p.wait()
	p.sweep(50 * time.Millisecond)
	if groups := sessionGroups(p.pid); len(groups) != 0 {
		t.Errorf("left: %v", groups)
	}
	for _, id := range ids {
		if pid := number(t, id); alive(pid) {
			t.Errorf("%d lives", pid)
		}
	}
	if code := p.reap(); code != 128+9 {
		t.Errorf("exit status %d", code)
	}
	_ = cmd.Process.Release()
}
