package watch

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func describe(e Event) string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case !e.Exists:
		return absent
	}
	return string(e.Content)
}

func add(t *testing.T, w *Watcher, path, want string) {
	t.Helper()
	e, err := w.Add(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(e); got != want || e.Path != path {
		t.Fatalf("at first there is %q, wanted %q", got, want)
	}
}

// expect waits for the content. A step on the way, such as a file that is gone for a moment, is no mistake: the last word counts.
func expect(t *testing.T, w *Watcher, path, want string) Event {
	t.Helper()
	var got []string
	deadline := time.After(time.Minute)
	for {
		select {
		case e := <-w.Events():
			if e.Path != path {
				t.Fatalf("an event of %s", e.Path)
			}
			if describe(e) == want {
				return e
			}
			got = append(got, describe(e))
		case <-deadline:
			t.Fatalf("no event with %q, only %q", want, got)
		}
	}
}

func next(t *testing.T, w *Watcher) Event {
	t.Helper()
	select {
	case e := <-w.Events():
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event")
	}
	return Event{}
}

// quiet checks that nothing more is coming: a marker that is written now is the next event.
func quiet(t *testing.T, w *Watcher) {
	t.Helper()
	marker := filepath.Join(t.TempDir(), "marker")
	add(t, w, marker, absent)
	write(t, marker, "marker")
	if e := next(t, w); e.Path != marker || !bytes.Equal(e.Content, []byte("marker")) {
		t.Errorf("an event too many: %s %q", e.Path, describe(e))
	}
	w.Remove(marker)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(content), 0o644))
}
func rename(t *testing.T, from, to string)   { t.Helper(); must(t, os.Rename(from, to)) }
func link(t *testing.T, target, path string) { t.Helper(); must(t, os.Symlink(target, path)) }
func mkdir(t *testing.T, path string)        { t.Helper(); must(t, os.MkdirAll(path, 0o755)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute")
		}
	}
}
