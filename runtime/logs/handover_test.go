package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// pass hands the log over as an exec does: by JSON, to another collector.
func pass(t *testing.T, l *Log, within time.Duration, limits plan.Logs, tee func([]byte)) *Log {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	h, err := l.HandOver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	h = &Handover{}
	if err := json.Unmarshal(text, h); err != nil {
		t.Fatal(err)
	}
	next, err := collector(t).Take(h, l.file.dir, limits, tee)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { next.Close() })
	return next
}

// TestHandoverLosesNoByte: a daemon writes on while its log changes hands, a hundred times, over rotations.
func TestHandoverLosesNoByte(t *testing.T) {
	t.Parallel()
	limits := plan.Logs{Size: 1 << 20, Keep: 1000}
	l, dir := start(t, limits, nil)
	fd, err := unix.Dup(int(l.Writer().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	daemon := os.NewFile(uintptr(fd), "daemon")
	defer daemon.Close()
	var want bytes.Buffer
	for n := 0; want.Len() < 16<<20; n++ {
		want.WriteString(line(n))
	}
	done := make(chan error)
	go func() {
		for p := want.Bytes(); len(p) > 0; {
			n, err := daemon.Write(p[:min(len(p), 3333)])
			if err != nil {
				done <- err
				return
			}
			p = p[n:]
		}
		close(done)
	}()
	for range 100 {
		l = pass(t, l, time.Minute, limits, nil)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	drain(t, l)
	same(t, whole(t, dir), want.String())
	if stats := l.Stats(); stats.Bytes != int64(want.Len()) || stats.Dropped != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestHandoverGoesOnWithinALine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits plan.Logs
		want   string
	}{
		"as it is":   {plan.DefaultLogs(), "one and two\nthree\n"},
		"timestamps": {plan.Logs{Size: 1 << 20, Timestamps: true}, "TIME one and two\nTIME three\n"},
		"json": {plan.Logs{Size: 1 << 20, Format: plan.LogJSON},
			`{"time":"TIME","service":"foo","text":"one and two"}` + "\n" + `{"time":"TIME","service":"foo","text":"three"}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := make(chan string, 10)
			tee := func(line []byte) { shown <- string(line) }
			l, dir := start(t, test.limits, tee)
			io.WriteString(l.Writer(), "one and")
			l = pass(t, l, time.Minute, test.limits, tee)
			io.WriteString(l.Writer(), " two\nthree\n")
			drain(t, l)
			same(t, withoutTimes(whole(t, dir)), test.want)
			same(t, <-shown, "one and two")
			same(t, <-shown, "three")
		})
	}
}

// TestHandoverTakesAlongWhatTheDiskDidNotTake of one that fails, and of one that hangs.
func TestHandoverTakesAlongWhatTheDiskDidNotTake(t *testing.T) {
	t.Parallel()
	t.Run("fails", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "logs")
		appendTo(t, dir, "a file where the directory should be")
		l := open(t, dir, plan.DefaultLogs(), nil)
		io.WriteString(l.Writer(), "one\n")
		eventually(t, func() bool { return l.Stats().Err != nil })
		io.WriteString(l.Writer(), "two")
		l = pass(t, l, time.Millisecond, plan.DefaultLogs(), nil)
		io.WriteString(l.Writer(), " and more\n")
		os.Remove(dir)
		drain(t, l)
		same(t, whole(t, dir), "one\ntwo and more\n")
	})
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		l, dir := start(t, plan.DefaultLogs(), nil)
		opened := gate(l, &l.disk)
		defer close(opened)
		// The first of it is in the hands of the disk, which never gets it: a real one may have.
		lines := flood(t, l, 12<<20, 6*time.Second)
		l = pass(t, l, time.Millisecond, plan.DefaultLogs(), nil)
		drain(t, l)
		text := whole(t, dir)
		first := number([]byte(text))
		var said int
		if n := strings.Index(text, "recipe: "); n < 0 {
			t.Fatal("nothing was dropped")
		} else if fmt.Sscanf(text[n:], "recipe: %d", &said); said == 0 {
			t.Fatalf("not said: %q", text[n:])
		}
		if l.Stats().Dropped < int64(said) || first > lines/10 {
			t.Errorf("%d lines dropped, %d said; the first is %d", l.Stats().Dropped, said, first)
		}
	})
}

func TestHandoverOfAClosedLogIsRefused(t *testing.T) {
	t.Parallel()
	l, _ := start(t, plan.DefaultLogs(), nil)
	l.Close()
	if _, err := l.HandOver(context.Background()); err == nil {
		t.Error("it was handed over")
	}
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

func withoutTimes(text string) string { return times.ReplaceAllString(text, "TIME") }
