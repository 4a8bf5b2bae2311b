package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

func TestOneOrderForStdoutAndStderr(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	say(t, l, "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done")
	drain(t, l)
	var want strings.Builder
	for i := 1; i <= 9; i++ {
		fmt.Fprintf(&want, "out %d\nerr %d\n", i, i)
	}
	same(t, whole(t, dir), want.String())
}

func TestRestartLosesNothingAndStartsWithALineOfItsOwn(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	say(t, l, "echo one; printf 'last words'")
	l.EndIncarnation()
	l.EndIncarnation() // nothing to end
	l.Note("recipe: it exited")
	say(t, l, "echo two")
	drain(t, l)
	same(t, whole(t, dir), "one\nlast words\nrecipe: it exited\ntwo\n")
}

func TestWhatWasSaidIsOnDiskBeforeItsLineEnds(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "no newline yet")
	eventually(t, func() bool { return whole(t, dir) == "no newline yet" })
}

func TestSupervisorContinuesTheFile(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "first\n")
	l.Close()
	appendTo(t, filepath.Join(dir, "foo.log"), "cut of")
	l = open(t, dir, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "second\n")
	drain(t, l)
	same(t, whole(t, dir), "first\ncut of\nsecond\n")
	info, _ := os.Stat(filepath.Join(dir, "foo.log"))
	if info.Mode().Perm()&^0o640 != 0 {
		t.Errorf("the log has mode %v", info.Mode())
	}
}

func TestRotationTearsNoLineAndLosesNone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 7))
		size := int64(4096) << (2 * random.IntN(3))
		l, dir := start(t, plan.Logs{Size: plan.Size(size), Keep: 1000}, nil)
		const longest = 20 << 10
		var want bytes.Buffer
		for want.Len() < 1<<20 {
			n := random.IntN(200)
			if random.IntN(50) == 0 {
				n = random.IntN(longest)
			}
			fmt.Fprintf(&want, "%s\n", strings.Repeat(string(rune('a'+random.IntN(26))), n))
		}
		for rest := want.Bytes(); len(rest) > 0; {
			piece := rest[:min(len(rest), 1+random.IntN(100<<10))]
			l.Writer().Write(piece)
			rest = rest[len(piece):]
		}
		drain(t, l)
		same(t, whole(t, dir), want.String())
		for _, path := range paths(t, dir) {
			content, _ := os.ReadFile(path)
			if content[len(content)-1] != '\n' {
				t.Errorf("seed %d: %s ends within a line", seed, path)
			}
			if int64(len(content)) > size+longest {
				t.Errorf("seed %d: %s has %d bytes, more than %d and a line", seed, path, len(content), size)
			}
		}
	}
}

func TestVeryLongLineGoesOnInTheNextFile(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 128 << 10, Keep: 100}, nil)
	want := strings.Repeat("x", 1<<20) + "\nshort\n"
	io.WriteString(l.Writer(), want)
	drain(t, l)
	same(t, whole(t, dir), want)
	for _, path := range paths(t, dir) {
		if info, _ := os.Stat(path); info.Size() > 256<<10 {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
	}
}

func TestKeepsNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 1023) + "\n"
	for _, test := range []struct{ before, keep, files int }{{3, 3, 4}, {5, 2, 3}, {3, 0, 1}, {2, 5, 6}} {
		l, dir := start(t, plan.Logs{Size: 4096, Keep: test.before}, nil)
		io.WriteString(l.Writer(), strings.Repeat(line, 40))
		drain(t, l)
		l.SetLimits(plan.Logs{Size: 4096, Keep: test.keep})
		io.WriteString(l.Writer(), strings.Repeat(line, 40))
		drain(t, l)
		if got := paths(t, dir); len(got) != test.files {
			t.Errorf("keep %d after %d: %v", test.keep, test.before, got)
		}
	}
}

func TestFileTakenAwayIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(dir, path string) error{
		"renamed":           func(dir, path string) error { return os.Rename(path, path+"-20261123") },
		"removed":           func(_, path string) error { return os.Remove(path) },
		"directory removed": func(dir, _ string) error { return os.RemoveAll(dir) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir := start(t, plan.DefaultLogs(), nil)
			io.WriteString(l.Writer(), "before\n")
			drain(t, l)
			path := filepath.Join(dir, "foo.log")
			if err := take(dir, path); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool {
				io.WriteString(l.Writer(), "after\n")
				content, _ := os.ReadFile(path)
				return strings.HasPrefix(string(content), "after\n")
			})
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o007 != 0 && name == "directory removed" {
				t.Errorf("others may look into the directory that was made: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestLinkInTheFilesPlaceIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	appendTo(t, victim, "untouched")
	if err := os.Symlink(victim, filepath.Join(dir, "foo.log")); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "text\n")
	eventually(t, func() bool { return l.Stats().Err != nil })
	content, _ := os.ReadFile(victim)
	same(t, string(content), "untouched")
}

func TestDiskThatComesBackGetsWhatWaited(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	appendTo(t, dir, "a file where the directory should be")
	shown := make(chan string, 100)
	l := open(t, dir, plan.DefaultLogs(), func(line []byte) { shown <- string(line) })
	io.WriteString(l.Writer(), "one\ntwo\n")
	eventually(t, func() bool { return l.Stats().Err != nil })
	for _, want := range []string{"one", "two", "recipe: cannot open " + dir + "/foo.log: not a directory"} {
		same(t, <-shown, want)
	}
	os.Remove(dir)
	drain(t, l)
	same(t, whole(t, dir), "one\ntwo\n")
	if stats := l.Stats(); stats.Err != nil || stats.Dropped != 0 || stats.Bytes != 8 {
		t.Errorf("afterwards: %+v", stats)
	}
}

func TestFileThatCannotBeRotatedGrows(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 4096, Keep: 1}, nil)
	if err := os.MkdirAll(filepath.Join(dir, "foo.log.1", "x"), 0o755); err != nil { // no file can be renamed over it
		t.Fatal(err)
	}
	want := strings.Repeat("0123456789\n", 1000)
	io.WriteString(l.Writer(), want)
	drain(t, l)
	content, _ := os.ReadFile(filepath.Join(dir, "foo.log"))
	same(t, string(content), want)
	if err := l.Stats().Err; err == nil || !strings.Contains(err.Error(), "cannot rotate") {
		t.Errorf("the error is %v", err)
	}
}

func TestFullDiskStopsNobodyAndIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=256k"); err != nil {
		hostOnly(t, "a tmpfs cannot be mounted: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	appendTo(t, ballast, strings.Repeat("x", 128<<10))
	l := open(t, dir, plan.DefaultLogs(), nil)
	lines := flood(t, l, 12<<20, 6*time.Second)
	if err := l.Stats().Err; !errors.Is(err, unix.ENOSPC) {
		t.Errorf("the error is %v", err)
	}
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	drain(t, l)
	accounted(t, whole(t, dir), lines, "no space left on device")
}

func TestSlowDiskHoldsTheDaemonBackForASecondThenWholeLinesAreDropped(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	opened := gate(l, &l.disk)
	lines := flood(t, l, 12<<20, 6*time.Second)
	close(opened)
	drain(t, l)
	accounted(t, whole(t, dir), lines, "the disk did not keep up")
	if l.Stats().Dropped == 0 {
		t.Error("nothing was dropped")
	}
}

func TestNotesAndLastWordsArePutWhileTheDiskHangs(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.DefaultLogs(), nil)
	opened := gate(l, &l.disk)
	flood(t, l, 6<<20, 6*time.Second)
	began := time.Now()
	l.EndIncarnation()
	l.Note("recipe: a note")
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("a note waited %v for the disk", took)
	}
	close(opened)
	drain(t, l)
	if !strings.Contains(whole(t, dir), "\nrecipe: a note\n") {
		t.Error("the note is lost")
	}
}

func TestTeeGetsWholeLines(t *testing.T) {
	t.Parallel()
	shown := make(chan string, 10)
	l, _ := start(t, plan.DefaultLogs(), func(line []byte) { shown <- string(line) })
	for _, piece := range []string{"on", "e\ntw", "o\n\nthr", "ee"} {
		io.WriteString(l.Writer(), piece)
		drain(t, l)
	}
	l.Note("recipe: note")
	for _, want := range []string{"one", "two", "", "three", "recipe: note"} {
		same(t, <-shown, want)
	}
}

func TestBlockedTeeHoldsTheDaemonBackForASecond(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	var mu sync.Mutex
	var shown strings.Builder
	l, dir := start(t, plan.DefaultLogs(), func(line []byte) {
		<-open
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&shown, "%s\n", line)
	})
	lines := flood(t, l, 3<<19, 6*time.Second) // without long lines, which a tee gets in pieces
	close(open)
	drain(t, l)
	accounted(t, whole(t, dir), lines, "-")
	mu.Lock()
	defer mu.Unlock()
	accounted(t, shown.String(), lines, "the terminal did not keep up")
	if stats := l.Stats(); stats.Dropped != 0 || stats.Unshown == 0 {
		t.Errorf("%+v", stats)
	}
}

func TestCloseDoesNotWaitForADiskThatHangs(t *testing.T) {
	t.Parallel()
	l, _ := start(t, plan.DefaultLogs(), nil)
	opened := gate(l, &l.disk)
	defer close(opened)
	io.WriteString(l.Writer(), "text\n")
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), `output of service "foo"`) {
		t.Errorf("the error is %v", err)
	}
}

func TestCloseTriesABrokenDiskOnceMore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	appendTo(t, dir, "a file where the directory should be")
	l := open(t, dir, plan.DefaultLogs(), nil)
	io.WriteString(l.Writer(), "text\n")
	began := time.Now()
	err := l.Close()
	if err == nil || err.Error() != `5 bytes of the output of service "foo" are not on disk: cannot open `+dir+`/foo.log: not a directory` {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestDaemonMayOpenStderrByName(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		hostOnly(t, "only root can give the pipe away")
	}
	l, dir := start(t, plan.DefaultLogs(), nil)
	if err := l.Own(65534, 65534); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("/bin/sh", "-c", "echo by name >/dev/stderr")
	command.Stderr = l.Writer()
	command.SysProcAttr = &unix.SysProcAttr{Credential: &credential{Uid: 65534, Gid: 65534}}
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	drain(t, l)
	same(t, whole(t, dir), "by name\n")
}

func TestRefusesNamesThatLeaveTheDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "../foo", "a/b", ".hidden"} {
		if _, err := collector(t).Open(t.TempDir(), name, plan.DefaultLogs(), nil); err == nil {
			t.Errorf("%q was accepted", name)
		}
		if err := Tail(t.TempDir(), name, 1, io.Discard); err == nil {
			t.Errorf("Tail accepted %q", name)
		}
	}
}

func drain(t *testing.T, l *Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}
