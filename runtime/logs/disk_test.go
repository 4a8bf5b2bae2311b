package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// TestReadOnlyDiskStopsNobodyAndIsSaid, and what waited is written when it can be.
func TestReadOnlyDiskStopsNobodyAndIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_RDONLY, "size=64m"); err != nil {
		hostOnly(t, "a tmpfs cannot be mounted: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	l := open(t, dir, plan.DefaultLogs(), nil)
	lines := flood(t, l, 12<<20, 6*time.Second)
	if err := l.Stats().Err; !errors.Is(err, unix.EROFS) {
		t.Errorf("the error is %v", err)
	}
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	drain(t, l)
	accounted(t, whole(t, dir), lines, "read-only file system")
	if l.Stats().Dropped == 0 {
		t.Error("nothing was dropped")
	}
}

// TestDirectoryThatVanishesWithItsDisk: what is written to the file that was there is gone with it, and said nowhere, since
// the kernel takes it; within a second it goes to what the path names then.
func TestDirectoryThatVanishesWithItsDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := unix.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64m"); err != nil {
		hostOnly(t, "a tmpfs cannot be mounted: "+err.Error())
	}
	l := open(t, dir, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "before\n")
	drain(t, l)
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		io.WriteString(l.Writer(), "after\n")
		drain(t, l)
		return strings.HasPrefix(whole(t, dir), "after\n")
	})
}

// TestRotationUnderLoadLosesNoByte: 64 MB as fast as they go, more than 50 MB/s where the host has nothing else to do, over
// files of 4 MiB that are compressed meanwhile. It takes about a second.
func TestRotationUnderLoadLosesNoByte(t *testing.T) {
	l, dir := start(t, plan.Logs{Size: 4 << 20, Keep: 1000, Compress: true}, nil)
	var block bytes.Buffer
	began := time.Now()
	for n := 0; n < 64; n++ {
		block.Reset()
		for i := range 10_000 {
			fmt.Fprintf(&block, "%08d %090d\n", n*10_000+i, i)
		}
		if _, err := l.Writer().Write(block.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, l)
	took := time.Since(began)
	t.Logf("%.0f MB/s", 64/took.Seconds())
	if stats := l.Stats(); stats.Dropped != 0 || stats.Bytes != 64_000_000 {
		t.Errorf("%+v", stats)
	}
	next := 0
	check := &splitter{emit: func(line []byte) {
		if !bytes.HasPrefix(line, fmt.Appendf(nil, "%08d ", next)) || len(line) != 99 {
			t.Fatalf("instead of line %d there is %q", next, line)
		}
		next++
	}}
	if err := Tail(dir, "foo", -1, writer(func(p []byte) { check.deliver(&chunk{n: len(p), space: p}) })); err != nil {
		t.Fatal(err)
	}
	if next != 640_000 {
		t.Errorf("%d lines are there", next)
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// TestAgeBeginsANewFile by a clock of the test's, which is never waited for.
func TestAgeBeginsANewFile(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	l := collector(t).newLog(t.TempDir(), "foo", plan.Logs{Size: 1 << 20, Keep: 5, MaxAge: plan.Duration(time.Hour / time.Millisecond)}, nil)
	l.file.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := l.start(ends[0], ends[1]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for _, step := range []struct {
		later time.Duration
		text  string
		files int
	}{
		{0, "one\n", 1},
		{59 * time.Minute, "two\nbegun", 1},
		{61 * time.Minute, " and ended\n", 1}, // a line is not torn for its age
		{61 * time.Minute, "three\n", 2},
		{62 * time.Minute, "four\n", 2},
		{time.Hour * 24 * 365, "five\n", 3},
		{time.Hour, "six\n", 3}, // a clock that is set back rotates nothing
	} {
		later.Store(int64(step.later))
		io.WriteString(l.Writer(), step.text)
		drain(t, l)
		if got := paths(t, l.file.dir); len(got) != step.files {
			t.Errorf("after %v and %q: %v", step.later, step.text, got)
		}
	}
	same(t, whole(t, l.file.dir), "one\ntwo\nbegun and ended\nthree\nfour\nfive\nsix\n")
}

// TestMemoryIsBoundedOverAllLogs while the disk hangs and all services say much.
func TestMemoryIsBoundedOverAllLogs(t *testing.T) {
	const services = 50 // which may hold 4 MiB each
	c, dir := collector(t), t.TempDir()
	var all sync.WaitGroup
	var gates []chan struct{}
	for i := range services {
		l, err := c.Open(dir, fmt.Sprintf("service-%d", i), plan.DefaultLogs(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		gates = append(gates, gate(l, &l.disk))
		all.Go(func() { flood(t, l, 6<<20, 30*time.Second) })
	}
	most := make(chan int)
	stop := make(chan struct{})
	go func() {
		high := 0
		for looks := time.NewTicker(time.Millisecond); ; {
			select {
			case <-stop:
				looks.Stop()
				most <- high
				return
			case <-looks.C:
				c.memory.mu.Lock()
				high = max(high, c.memory.held)
				c.memory.mu.Unlock()
			}
		}
	}()
	all.Wait()
	close(stop)
	if high := <-most; high < holdAtMost/2 || high > holdAtMost+services*4*smallChunk+largeChunk {
		t.Errorf("they held %d bytes", high)
	}
	for _, g := range gates {
		close(g)
	}
}
