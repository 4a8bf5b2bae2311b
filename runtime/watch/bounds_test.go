package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What is told of is content: a touch, a rewrite of the same bytes and a neighbour's change are silent.
func TestSameContentIsNoEvent(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		os.Chtimes(path, time.Now(), time.Now())
		write(t, path, "one")
		write(t, path+".tmp", "one")
		rename(t, path+".tmp", path)
		write(t, path+"~", "neighbour")
		write(t, path, "two")
		expect(t, w, path, "two")
		quiet(t, w)
	})
}

// A file that is written for a while is read once it is whole.
func TestHalfWrittenFileIsWaitedFor(t *testing.T) {
	t.Parallel()
	w, err := New(200*time.Millisecond, never)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	path := filepath.Join(t.TempDir(), "foo.star")
	write(t, path, "old")
	add(t, w, path, "old")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		f.WriteString("piece ")
		time.Sleep(20 * time.Millisecond) // an editor that is slow, but not silent for long
	}
	f.Close()
	expect(t, w, path, strings.Repeat("piece ", 10))
	quiet(t, w)
}

func TestFileThatIsNeverQuietIsReadAfterAWhile(t *testing.T) {
	t.Parallel()
	const debounce = 60 * time.Millisecond
	w, err := New(debounce, never)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	path := filepath.Join(t.TempDir(), "foo.star")
	write(t, path, "old")
	add(t, w, path, "old")
	began := time.Now()
	for content := []byte("x"); ; content = append(content, 'x') {
		write(t, path, string(content))
		select {
		case <-w.Events():
			if took := time.Since(began); took < debounce {
				t.Errorf("read after %v already", took)
			}
			return
		case <-time.After(debounce / 6):
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("a file that is written all the time is never read")
		}
	}
}

func TestSlowReaderGetsTheLastChange(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		other := path + ".other"
		add(t, w, path, absent)
		add(t, w, other, absent)
		for i := range 5 {
			content := fmt.Sprint(i)
			write(t, path, content)
			eventually(t, func() bool {
				var pending bool
				w.do(func() { pending = len(w.pending) == 1 && string(w.pending[0].Content) == content })
				return pending
			})
		}
		write(t, other, "other")
		expect(t, w, path, "4")
		expect(t, w, other, "other")
	})
}

func TestRemoveEndsTheWatch(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		other := path + ".other"
		add(t, w, path, absent)
		add(t, w, other, absent)
		if err := w.Remove(path); err != nil {
			t.Fatal(err)
		}
		write(t, path, "one")
		write(t, other, "two")
		expect(t, w, other, "two")
		quiet(t, w)
		if err := w.Remove(other); err != nil {
			t.Fatal(err)
		}
		w.do(func() {
			if len(w.names) != 0 || w.notify != nil && len(w.notify.watched)+len(w.notify.WatchList()) != 0 {
				t.Errorf("still watched: %v", w.names)
			}
		})
	})
}

func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	w, err := New(time.Second, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	add(t, w, filepath.Join(t.TempDir(), "foo.star"), absent)
	w.Close()
	w.Close()
	if _, open := <-w.Events(); open {
		t.Error("Events is open")
	}
	if _, err := w.Add("/x"); err == nil {
		t.Error("Add works on")
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

func TestRelativePathIsRefused(t *testing.T) {
	t.Parallel()
	w, err := New(time.Second, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Add("foo.star"); err == nil {
		t.Error("accepted")
	}
}

// absent stands for no file; no test writes it.
const absent = "\x00"
