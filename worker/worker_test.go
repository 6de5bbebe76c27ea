// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/image"
)

func goroutines() int { return runtime.NumGoroutine() }

func TestCommandsOnOneChannel(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	for i := range 3 {
		a := p.run("echo", "hello", fmt.Sprint(i))
		x := a.exit(t)
		if a.out != fmt.Sprint("hello ", i) || x.Code != 7 || x.Served != protocol.ServedWarm || x.Generation != "g1" || x.Canceled {
			t.Errorf("%+v, %+v", a, x)
		}
		fin := h.finished()
		if fin.Command != "echo" || fin.ExitCode != 7 || fin.Store != "/r/.hg/store" || fin.HeapBytes == 0 || fin.Failed != "" || fin.Wrote {
			t.Errorf("%+v", fin)
		}
	}
	p.conn.Close()
	h.control(protocol.CtlIdle)
	if a := h.attach().run("echo", "again"); a.out != "again" {
		t.Errorf("second channel: %+v", a)
	}
}

func TestSmallOutputComesWithTheEnd(t *testing.T) {
	h := start(t, nil)
	if a := h.attach().run("echo", "x"); a.frames != 2 {
		t.Errorf("%d frames", a.frames)
	}
}

func TestOrderOfStdoutAndStderr(t *testing.T) {
	h := start(t, nil)
	a := h.attach().run("both")
	want := ""
	for i := range 50 {
		want += fmt.Sprintf("out %d\nerr %d\n", i, i)
	}
	if a.both != want {
		t.Errorf("got %q", a.both)
	}
}

func TestLargeOutputIsCut(t *testing.T) {
	h := start(t, nil)
	if a := h.attach().run("large"); len(a.out) != 3<<20 || a.frames < 3<<20/protocol.OutputChunk {
		t.Errorf("%d bytes in %d frames", len(a.out), a.frames)
	}
}

func TestFirstOutputDoesNotWaitForMore(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"wait"}, Dir: "/"})
	f, err := p.conn.Recv() // while the command still runs
	if err != nil || string(f.Payload) != "waiting" {
		t.Fatalf("%v, %v", f, err)
	}
	p.send(&protocol.Frame{Type: protocol.ChCancel, ID: p.id})
	if x := p.collect().exit(t); !x.Canceled {
		t.Errorf("%+v", x)
	}
}

func TestEnvironmentAndStdin(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.send(&protocol.Frame{Type: protocol.ChEnviron, Payload: protocol.EncodeEnviron([]string{"A=1", "AB=2"}, 0o22)})
	p.begin(protocol.Run{Args: []string{"env"}, Dir: "/d", Env: []string{"A", "B=3"}, RealHg: "/x", Fallback: protocol.FallbackNever})
	if a := p.collect(); a.out != "AB=2,B=3|/d|false|/x " || a.exit(t).Served != protocol.ServedNone {
		t.Errorf("%q", a.out)
	}
	if a := p.run("env"); !strings.HasPrefix(a.out, "A=1,AB=2|") {
		t.Errorf("overrides stick: %q", a.out)
	}
	p.begin(protocol.Run{Args: []string{"cat"}, Stdin: []byte("from stdin")})
	if a := p.collect(); a.out != "from stdin" {
		t.Errorf("%q", a.out)
	}
}

func TestHowCommandsFail(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	tests := []struct {
		command, kind, stderr, told string
		end                         protocol.FrameType
	}{
		{"unsupported", "Unsupported", "", "Unsupported", protocol.ChUnsupported},
		{"late", "Bug", "", "Internal", protocol.ChFailed},
		{"abort", "UnknownRevision", "abort: unknown revision 'x'\n(look)\n", "UnknownRevision", protocol.ChFailed},
		{"damage", "Corrupt", "abort: read 00changelog.i: short\n", "Corrupt", protocol.ChFailed},
		{"odd", "Bug", "", "Internal", protocol.ChFailed},
	}
	for _, tt := range tests {
		f := p.run(tt.command).failure(t, tt.end)
		if f.Kind != tt.kind || f.Stderr != tt.stderr || f.ExitCode != 255 || f.Message == "" {
			t.Errorf("%s: %+v", tt.command, f)
		}
		if fin := h.finished(); fin.Failed != tt.told {
			t.Errorf("%s: told the master %q", tt.command, fin.Failed)
		}
	}
}

func TestPanicIsOneRequestsError(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	f := p.run("panic").failure(t, protocol.ChFailed)
	if f.Kind != "Bug" || !strings.Contains(f.Message, "as asked") {
		t.Errorf("%+v", f)
	}
	if fin := h.finished(); fin.Failed != "Bug" {
		t.Errorf("%+v", fin)
	}
	status := exitPanic
	h.wait(&status)
}

func TestCancelBeforeWhileAndAfter(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.send(&protocol.Frame{Type: protocol.ChCancel, ID: 1}) // before the command is there
	p.begin(protocol.Run{Args: []string{"wait"}})
	if x := p.collect().exit(t); !x.Canceled || x.Code != 255 {
		t.Errorf("before: %+v", x)
	}
	<-h.engine.started
	p.begin(protocol.Run{Args: []string{"wait"}})
	<-h.engine.started
	p.send(&protocol.Frame{Type: protocol.ChCancel, ID: 1}) // of another command
	p.send(&protocol.Frame{Type: protocol.ChCancel, ID: p.id})
	if x := p.collect().exit(t); !x.Canceled {
		t.Errorf("while: %+v", x)
	}
	a := p.run("echo", "x")
	p.send(&protocol.Frame{Type: protocol.ChCancel, ID: p.id})
	if x := a.exit(t); x.Canceled {
		t.Errorf("after: %+v", x)
	}
	if a := p.run("echo", "y"); a.out != "y" || a.exit(t).Canceled {
		t.Errorf("the next one: %+v", a)
	}
}

func TestTimeout(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"wait"}, TimeoutMs: 5})
	if f := p.collect().failure(t, protocol.ChFailed); f.Kind != "Timeout" {
		t.Errorf("%+v", f)
	}
}

func TestClientThatLeavesCancelsItsCommand(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"wait"}})
	<-h.engine.started
	p.conn.Close()
	h.finished()
	h.control(protocol.CtlIdle)
	if a := h.attach().run("echo", "next"); a.out != "next" {
		t.Errorf("%+v", a)
	}
}

func TestCommandThatOutlivesItsClientEndsTheProcess(t *testing.T) {
	h := start(t, func(c *Config) { c.grace = time.Millisecond })
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"stuck"}})
	<-h.engine.started
	p.conn.Close()
	if code := <-h.exits; code != exitHung {
		t.Errorf("exit status %d", code)
	}
	close(h.engine.release)
}

func TestClientThatStopsReadingBlocksOnlyItsWorker(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"flood"}})
	first, err := p.conn.Recv()
	if err != nil || first.Type != protocol.ChOut {
		t.Fatal(first, err)
	}
	// The worker is now, or soon, blocked in a write. Leaving ends it.
	p.conn.Close()
	if fin := h.finished(); fin.Command != "flood" {
		t.Errorf("%+v", fin)
	}
	h.control(protocol.CtlIdle)
}

func TestMasterThatDies(t *testing.T) {
	t.Run("worker idle", func(t *testing.T) {
		h := start(t, nil)
		h.ctl.Shutdown()
		status := exitDone
		h.wait(&status)
		if !h.engine.closed {
			t.Error("the engine was not closed")
		}
	})
	t.Run("channel idle", func(t *testing.T) {
		h := start(t, nil)
		p := h.attach()
		p.run("echo")
		h.ctl.Shutdown()
		h.wait(nil)
		if _, err := p.conn.Recv(); err != io.EOF {
			t.Errorf("the client reads %v", err)
		}
	})
	t.Run("command runs", func(t *testing.T) {
		h := start(t, nil)
		p := h.attach()
		p.begin(protocol.Run{Args: []string{"stuck"}})
		<-h.engine.started
		h.ctl.Shutdown()
		h.engine.release <- struct{}{}
		if x := p.collect().exit(t); x.Canceled {
			t.Errorf("%+v", x)
		}
		h.wait(nil)
	})
	t.Run("command never ends", func(t *testing.T) {
		h := start(t, func(c *Config) { c.last = time.Millisecond })
		p := h.attach()
		p.begin(protocol.Run{Args: []string{"stuck"}})
		<-h.engine.started
		h.ctl.Shutdown()
		if code := <-h.exits; code != exitHung {
			t.Errorf("exit status %d", code)
		}
		close(h.engine.release)
	})
}

func TestRetire(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	h.send(&protocol.Frame{Type: protocol.CtlRetire})
	if a := p.run("echo", "still here"); a.out != "still here" {
		t.Errorf("%+v", a)
	}
	h.finished()
	p.conn.Close()
	h.control(protocol.CtlIdle)
	status := exitDone
	h.wait(&status)
}

func TestClientsThatBreakTheProtocol(t *testing.T) {
	h := start(t, nil)
	frames := []*protocol.Frame{
		{Type: 99},
		{Type: protocol.ChRun, Payload: []byte("x")},
		{Type: protocol.ChCall, Payload: []byte("x")},
		{Type: protocol.ChEnviron, Payload: []byte("x")},
		{Type: protocol.ChRun, Payload: (&protocol.Run{Args: []string{"echo"}, HasFiles: true}).Encode()},
		{Type: protocol.ChRun, Payload: (&protocol.Run{Args: []string{"echo"}}).Encode(), Files: []int{0}},
	}
	for i, f := range frames {
		p := h.attach()
		p.send(f)
		if got, err := p.conn.Recv(); err != io.EOF {
			t.Errorf("%d: %v, %v", i, got, err)
		}
		h.control(protocol.CtlIdle)
	}
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"stuck"}})
	<-h.engine.started
	for range pipelined + 1 {
		p.begin(protocol.Run{Args: []string{"echo"}})
	}
	// Too many behind the one that runs: the channel is given up at once.
	for {
		if _, err := p.conn.Recv(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	h.engine.release <- struct{}{}
}

func TestDropInsDescriptors(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	dir := t.TempDir()
	open := func(name, text string) int {
		fd, err := unix.Open(dir+"/"+name, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Pwrite(fd, []byte(text), 0); err != nil {
			t.Fatal(err)
		}
		return fd
	}
	p.id++
	files := []int{open("in", "typed"), open("out", ""), open("err", "")}
	f := &protocol.Frame{Type: protocol.ChRun, ID: p.id, Files: files,
		Payload: (&protocol.Run{Args: []string{"cat"}, HasFiles: true}).Encode()}
	p.send(f)
	f.CloseFiles()
	if a := p.collect(); a.frames != 1 || a.exit(t).Code != 0 {
		t.Errorf("%+v", a)
	}
	if b, err := os.ReadFile(dir + "/out"); err != nil || string(b) != "typed" {
		t.Errorf("%q, %v", b, err)
	}
	t.Run("reader that left", func(t *testing.T) {
		for _, command := range []string{"flood", "echo"} {
			var pipe [2]int
			if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			unix.Close(pipe[0])
			p.id++
			f := &protocol.Frame{Type: protocol.ChRun, ID: p.id, Files: []int{open("in", ""), pipe[1], open("err", "")},
				Payload: (&protocol.Run{Args: []string{command, "x"}, HasFiles: true}).Encode()}
			p.send(f)
			f.CloseFiles()
			if x := p.collect().exit(t); x.Code != 255 {
				t.Errorf("%s: %+v", command, x)
			}
		}
	})
}

func TestImagesAreKeptSealedDonatedAndLeased(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	if a := p.run("keep"); a.out != "abc" || a.exit(t).Served != protocol.ServedCold {
		t.Fatalf("%+v", a)
	}
	f := h.control(protocol.CtlFinished)
	defer f.CloseFiles()
	fin, err := protocol.DecodeFinished(f.Payload)
	if err != nil || len(f.Files) != 1 || fin.Donated != (protocol.ImageKey{Kind: "store", Path: "/r/.hg/store"}) || fin.Loaded != "built" || fin.LoadUs != 5000 {
		t.Fatalf("%+v, %v", fin, err)
	}
	fd := f.Files[0]
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Blocks*512 < st.Size {
		t.Errorf("holes: %d blocks, %d bytes, %v", st.Blocks, st.Size, err)
	}
	if _, err := unix.Pwrite(fd, []byte("x"), 0); err != unix.EPERM {
		t.Errorf("write: %v", err)
	}

	p.begin(protocol.Run{Args: []string{"lease"}})
	q := h.control(protocol.CtlLease)
	if k, err := protocol.DecodeKey(q.Payload); err != nil || k != fin.Donated {
		t.Errorf("%+v, %v", k, err)
	}
	h.send(&protocol.Frame{Type: protocol.CtlImage, ID: 12345, Files: []int{fd}}) // nobody asked
	h.send(&protocol.Frame{Type: protocol.CtlImage, ID: q.ID, Files: []int{fd}})
	if a := p.collect(); a.out != "abc" {
		t.Errorf("%+v", a)
	}
	h.finished()

	for _, damage := range []struct {
		name string
		make func() int // the descriptor
	}{
		{"none", func() int { return -1 }},
		{"unsealed", func() int {
			fd, _ := unix.MemfdCreate("x", unix.MFD_CLOEXEC)
			_, _ = unix.Pwrite(fd, fakeBuilder().Bytes(), 0)
			return fd
		}},
		{"not an image", func() int {
			fd, _ := unix.MemfdCreate("x", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
			_, _ = unix.Pwrite(fd, make([]byte, 4096), 0)
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
			return fd
		}},
	} {
		p.begin(protocol.Run{Args: []string{"lease"}})
		q := h.control(protocol.CtlLease)
		answer := &protocol.Frame{Type: protocol.CtlImage, ID: q.ID}
		if fd := damage.make(); fd >= 0 {
			answer.Files = []int{fd}
		}
		h.send(answer)
		answer.CloseFiles()
		if a := p.collect(); a.out != "none" {
			t.Errorf("%s: %+v", damage.name, a)
		}
		h.finished()
	}
}

func TestMasterThatDiesBeforeItAnswersALease(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(protocol.Run{Args: []string{"lease"}})
	h.control(protocol.CtlLease)
	h.ctl.Shutdown()
	if a := p.collect(); a.out != "none" {
		t.Errorf("%+v", a)
	}
}

func TestJobs(t *testing.T) {
	h := start(t, nil)
	done := func(id uint32) string {
		t.Helper()
		f := h.control(protocol.CtlDone)
		why, err := protocol.DecodeDone(f.Payload)
		if err != nil || f.ID != id {
			t.Fatalf("done %d %v", f.ID, err)
		}
		return why
	}
	key := func(path string) []byte { return protocol.EncodeKey(protocol.ImageKey{Kind: "store", Path: path}) }

	h.send(&protocol.Frame{Type: protocol.CtlLoad, ID: 1, Payload: key("/r")})
	f := h.control(protocol.CtlFinished)
	fin, err := protocol.DecodeFinished(f.Payload)
	if err != nil || !fin.Background || fin.Donated.Path != "/r/.hg/store" || len(f.Files) != 1 || fin.Repository != "/r" {
		t.Fatalf("%+v, %v", fin, err)
	}
	if why := done(1); why != "" {
		t.Error(why)
	}
	h.send(&protocol.Frame{Type: protocol.CtlLoad, ID: 2, Payload: key("/bad")})
	h.finished()
	if why := done(2); why != "bad repository" {
		t.Error(why)
	}

	h.send(&protocol.Frame{Type: protocol.CtlVerify, ID: 3, Payload: key("/r/.hg/store"), Files: f.Files})
	if why := done(3); why != "" {
		t.Error(why)
	}
	h.send(&protocol.Frame{Type: protocol.CtlVerify, ID: 4, Payload: protocol.EncodeKey(protocol.ImageKey{Kind: "checkout", Path: "/r"}), Files: f.Files})
	if why := done(4); !strings.Contains(why, "kind") {
		t.Error(why)
	}
	f.CloseFiles()
	bad := fakeBuilder().Bytes()
	bad[len(bad)-1] ^= 1
	fd, err := unix.MemfdCreate("bad", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, bad); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	h.send(&protocol.Frame{Type: protocol.CtlVerify, ID: 5, Payload: key("/r/.hg/store"), Files: []int{fd}})
	unix.Close(fd)
	if why := done(5); !strings.Contains(why, "checksum") {
		t.Error(why)
	}

	h.send(&protocol.Frame{Type: protocol.CtlDrop, Payload: key("/r/.hg/store")})
	if k := <-h.engine.forgot; k != fakeKey {
		t.Errorf("%+v", k)
	}
	p := h.attach() // also while a channel is served
	p.run("echo")
	h.finished()
	h.send(&protocol.Frame{Type: protocol.CtlDrop, Payload: key("/r/.hg/store")})
	for dropped := false; !dropped; {
		p.run("echo") // the drop takes effect before some next command
		h.finished()
		select {
		case <-h.engine.forgot:
			dropped = true
		default:
		}
	}
	p.conn.Close()
	h.control(protocol.CtlIdle)

	h.send(&protocol.Frame{Type: protocol.CtlLoad, ID: 6, Payload: key("/panic")})
	if fin := h.finished(); fin.Failed != "Bug" {
		t.Errorf("%+v", fin)
	}
	if why := done(6); !strings.Contains(why, "panic") {
		t.Error(why)
	}
	status := exitPanic
	h.wait(&status)
}

func TestTypedMethods(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	call := func(method, params string) answer {
		t.Helper()
		p.id++
		c := protocol.Call{Method: method, Params: []byte(params), Dir: "/r", Config: []string{"ui.x=y"}}
		p.send(&protocol.Frame{Type: protocol.ChCall, ID: p.id, Payload: c.Encode()})
		a := p.collect()
		if fin := h.finished(); fin.Command != method {
			t.Errorf("%+v", fin)
		}
		return a
	}
	good := []struct{ method, params, want string }{
		{"hg/state", `{}`, `{"root":{"base64":"L3L/"},"parents":[{"rev":3,"node":"n","parents":[],"user":"","date":[5,-3600],"branch":"","desc":"d","phase":"","bookmarks":[],"tags":[]}],"branch":"--config ui.x=y","operation":{"name":"merge","continue":"hg commit"},"conflicts":0,"generation":"g1","served":"warm"}`},
		{"hg/status", `{"paths":["a",{"base64":"/w=="}],"kinds":"M?"}`, `{"files":[{"path":{"base64":"cmVscGF0aDphK3JlbHBhdGg6/w=="},"status":"?"},{"path":"b","status":"M","copySource":"a"}],"generation":"g1","served":"warm"}`},
		{"hg/log", `{"revset":"tip","limit":3}`, `{"commits":[],"next":"cursor:tip","generation":"g1","served":"warm"}`},
		{"hg/lineDiff", `{"uri":"a","content":"xy"}`, `{"path":"a","hunks":[{"oldStart":1,"oldLines":2,"newStart":0,"newLines":0}],"binary":false,"generation":"g1","served":"warm"}`},
		{"hg/annotate", `{"uri":"a","range":{"first":7}}`, `{"path":"a","binary":false,"lines":[{"commit":-1,"line":7,"path":"other"}],"commits":[],"generation":"g1","served":"warm"}`},
		{"hg/cat", `{"uri":"file:///r/a%20b"}`, `{"path":"/r/a b","content":{"base64":"AP8="},"size":2,"node":".","flags":"x","binary":true,"generation":"g1","served":"warm"}`},
	}
	for _, tt := range good {
		a := call(tt.method, tt.params)
		if a.end.Type != protocol.ChResult || string(a.end.Payload) != tt.want || !json.Valid(a.end.Payload) {
			t.Errorf("%s: frame %d\ngot  %s\nwant %s", tt.method, a.end.Type, a.end.Payload, tt.want)
		}
	}
	bad := []struct {
		method, params, kind string
		end                  protocol.FrameType
	}{
		{"hg/status", `{"kinds":"Z"}`, "InvalidParams", protocol.ChFailed},
		{"hg/status", `{"paths":"`, "InvalidParams", protocol.ChFailed},
		{"hg/cat", `{"uri":"file://elsewhere/x"}`, "InvalidParams", protocol.ChFailed},
		{"hg/cat", `{}`, "InvalidParams", protocol.ChFailed},
		{"hg/log", `{"limit":-1}`, "InvalidParams", protocol.ChFailed},
		{"hg/cat", `{"uri":"missing"}`, "FileNotInRevision", protocol.ChFailed},
		{"hg/annotate", `{}`, "InvalidParams", protocol.ChFailed},
		{"hg/annotate", `{"uri":"a","range":{"first":-1}}`, "InvalidParams", protocol.ChFailed},
		{"hg/lineDiff", `{"uri":5}`, "InvalidParams", protocol.ChFailed},
		{"hg/unknown", `{}`, "Unsupported", protocol.ChUnsupported},
	}
	for _, tt := range bad {
		if f := call(tt.method, tt.params).failure(t, tt.end); f.Kind != tt.kind {
			t.Errorf("%s %s: %+v", tt.method, tt.params, f)
		}
	}
}

func TestChurnLeavesNothing(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.run("keep")
	h.finished()
	before := descriptors(t)
	for i := range 300 {
		switch i % 3 {
		case 0:
			p.run("keep")
		case 1:
			p.run("echo", "x")
		default:
			p.run("unsupported")
		}
		h.finished()
		if i%50 == 49 {
			p.conn.Close()
			h.control(protocol.CtlIdle)
			p = h.attach()
		}
	}
	if after := descriptors(t); after > before+1 {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// installed makes a directory with an hg as a virtual environment has it.
func installed(t *testing.T, version string) (bin, hg string) {
	t.Helper()
	dir := t.TempDir()
	bin, hg = dir+"/bin", dir+"/bin/hg"
	lib := dir + "/lib/python3.11/site-packages/mercurial"
	for _, d := range []string{bin, lib + "/defaultrc"} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{hg: "#!" + bin + "/python3\n", lib + "/__version__.py": "version = b\"" + version + "\"\n", lib + "/defaultrc/mergetools.rc": "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return bin, hg
}

func TestInstallations(t *testing.T) {
	now := time.Now()
	bin, path := installed(t, "6.9.1")
	s := newInstallations()
	for _, got := range []hg.Installation{s.of(path, nil, now), s.of(path, nil, now), s.of("", []string{"PATH=/nowhere:" + bin}, now)} {
		if got != (hg.Installation{Path: path, Version: "6.9.1"}) {
			t.Errorf("%+v", got)
		}
	}
	if got := s.of("/nowhere/hg", nil, now); got != (hg.Installation{Path: "/nowhere/hg"}) {
		t.Errorf("%+v", got)
	}
	if got := s.of("", []string{"PATH=/nowhere"}, now); got != (hg.Installation{}) {
		t.Errorf("%+v", got)
	}
	// Another file at the same place is another installation.
	_, other := installed(t, "7.0")
	if err := os.Remove(bin + "/../lib/python3.11/site-packages/mercurial/__version__.py"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if got := s.of(path, nil, now.Add(rememberVersion)); got.Version == "6.9.1" {
		t.Errorf("%+v", got)
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		args      string
		name, dir string
	}{
		{"log -r .", "log", "/d"},
		{"-R /x status", "status", "/x"},
		{"-Rx status", "status", "/d/x"},
		{"--cwd a --config b=c --color always id", "id", "/d/a"},
		{"--repository=/x --debug diff", "diff", "/x"},
		{"-q", "", "/d"},
		{"--config", "", "/d"},
		{"-- -R x", "", "/d"},
	}
	for _, tt := range tests {
		if name, dir := commandLine(strings.Fields(tt.args), "/d"); name != tt.name || dir != tt.dir {
			t.Errorf("%s: %s in %s", tt.args, name, dir)
		}
	}
}

var _ Engine = (*fake)(nil)
var _ image.Source = (*images)(nil)
