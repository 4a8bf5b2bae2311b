package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func watcher(t *testing.T, poll time.Duration) *Watcher {
	t.Helper()
	w, err := New(20*time.Millisecond, poll)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// What a neighbour writes costs a look-up: no file is read for it.
func TestANeighbourThatWritesMakesNoWork(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	dir := t.TempDir()
	path, folder := filepath.Join(dir, "foo.star"), filepath.Join(dir, "recipes")
	mkdir(t, folder)
	add(t, w, path, absent)
	if _, err := w.AddFolder(folder); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		hint   fsnotify.Event
		hinted string
	}{
		"own":           {fsnotify.Event{Name: path, Op: fsnotify.Write}, path},
		"neighbour":     {fsnotify.Event{Name: path + "~", Op: fsnotify.Create}, ""},
		"entry":         {fsnotify.Event{Name: folder + "/bar.star", Op: fsnotify.Create}, folder},
		"entry's":       {fsnotify.Event{Name: folder + "/bar.star", Op: fsnotify.Write}, ""},
		"the way there": {fsnotify.Event{Name: dir, Op: fsnotify.Rename}, path + folder},
	} {
		w.do(func() {
			w.hint(test.hint)
			for path, f := range w.files {
				if hinted := !f.first.IsZero(); hinted != strings.Contains(test.hinted, path) {
					t.Errorf("%s: %s is hinted at: %t", name, path, hinted)
				}
				f.first = time.Time{}
			}
		})
	}
}

// A neighbour who is loud is not listened to all the time, and delays no change.
func TestALoudNeighbourIsHeardNowAndThen(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	path := filepath.Join(t.TempDir(), "foo.star")
	write(t, path, "one")
	add(t, w, path, "one")
	done, loud := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-done:
				loud <- n
				return
			default:
				_ = os.WriteFile(fmt.Sprintf("%s.%d", path, n%3), []byte("line"), 0o644)
			}
		}
	}()
	for i := range 5 {
		content := fmt.Sprint("next ", i)
		write(t, path+"~", content)
		rename(t, path+"~", path)
		expect(t, w, path, content)
	}
	close(done)
	if n := <-loud; n < 100 {
		t.Errorf("the neighbour wrote %d times only", n)
	}
	w.do(func() {
		f := w.files[path]
		f.touch(time.Now().Add(-time.Second))
		if w.deaf.IsZero() || w.due(f).Before(w.deaf) {
			t.Errorf("the file is read at %s, and something may have happened until %s", w.due(f), w.deaf)
		}
	})
}

// Only a mount that lies at what a path goes through is a reason to look.
func TestMountsElsewhereAreNoReasonToLook(t *testing.T) {
	t.Parallel()
	const root, data, odd = "22 1 8:1 / / rw - ext4 /dev/sda rw\n", "30 22 0:27 / /srv/data rw - tmpfs t rw\n", "31 22 0:28 / /srv/a\\040b rw - tmpfs t rw\n"
	names := map[string]bool{"/srv": false, "/srv/a b": true, "/srv/a b/foo.star": true}
	for name, test := range map[string]struct {
		before, after string
		elsewhere     bool
	}{
		"nothing":          {root + data + odd, data + root + odd, false},
		"mounted apart":    {root, root + data, false},
		"unmounted apart":  {root + data, root, false},
		"mounted over it":  {root + data, root + data + odd, true},
		"unmounted":        {root + odd, root, true},
		"mounted anew":     {root + odd, root + "99" + odd[2:], true},
		"no table, or odd": {"", "1 2\n", false},
	} {
		if got := leadElsewhere(names, test.before, test.after); got != test.elsewhere {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Folders that all the host writes to are watched where nothing else tells alone.
func TestBusyFoldersAreNotWatched(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/etc/passwd":             {"/etc/passwd"},
		"/etc/no such file":       {"/etc"},
		"/no such folder/foo":     {"/"},
		"/proc/sys/kernel/osname": {"/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel"},
	} {
		var got []string
		for _, p := range places(path, false) {
			if p.watch {
				got = append(got, p.at)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q are watched, wanted %q", path, got, want)
		}
	}
}

// Of a file in a folder that is not watched itself, all is told: that it is replaced, moved or removed.
func TestFileInABusyFolder(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	f, err := os.CreateTemp("/tmp", "recipe-watch-*")
	must(t, err)
	path := f.Name()
	t.Cleanup(func() { os.Remove(path) })
	add(t, w, path, "")
	write(t, path+".new", "renamed over")
	rename(t, path+".new", path)
	expect(t, w, path, "renamed over")
	rename(t, path, path+"~")
	write(t, path, "written anew")
	expect(t, w, path, "written anew")
	must(t, os.Link(path, path+"~~"))
	t.Cleanup(func() { os.Remove(path + "~~") })
	rename(t, path+"~", path)
	expect(t, w, path, "renamed over")
	must(t, os.Remove(path))
	expect(t, w, path, absent)
	link(t, path+"~~", path)
	expect(t, w, path, "written anew")
}

// fsnotify tells under a lock of what moved and went at once, and does not bear that a name becomes another one of what it watches.
func TestTroublesOfTheLibraryStopNothing(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.star")
	write(t, path, "one")
	add(t, w, path, "one")
	for i := range 500 {
		other := filepath.Join(dir, fmt.Sprint(i))
		write(t, other, "other")
		if _, err := w.Add(other); err != nil {
			t.Fatal(err)
		}
		rename(t, other, other+"~")
		must(t, os.Remove(other+"~"))
		if err := w.Remove(other); err != nil {
			t.Fatal(err)
		}
	}
	other := path + ".other"
	write(t, other, "other")
	must(t, os.Link(other, other+"~"))
	add(t, w, other, "other")
	must(t, os.Remove(other))
	must(t, os.Link(path, other))
	w.do(func() { must(t, w.notify.Add(other)) }) // as between a walk and its watching
	if err := w.Remove(other); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, "two")
	expect(t, w, path, "two")
}

// mount makes the test root's: what is mounted is a change of no directory.
func mount(t *testing.T, kind, at, options string) (unmount func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root mounts")
	}
	if err := syscall.Mount(kind, at, kind, 0, options); err != nil {
		if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatalf("RECIPE_TEST_HOST=1, but %s cannot be mounted: %v", kind, err)
		}
		t.Skipf("cannot mount %s: %v", kind, err)
	}
	unmount = func() { syscall.Unmount(at, syscall.MNT_DETACH) }
	t.Cleanup(unmount)
	return unmount
}

func TestMountedOverAndUnmounted(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	dir := filepath.Join(t.TempDir(), "a")
	path := filepath.Join(dir, "b", "foo.star")
	mkdir(t, filepath.Dir(path))
	write(t, path, "below")
	add(t, w, path, "below")
	unmount := mount(t, "tmpfs", dir, "")
	expect(t, w, path, absent)
	mkdir(t, filepath.Dir(path))
	write(t, path, "above")
	expect(t, w, path, "above")
	unmount()
	expect(t, w, path, "below")
	write(t, path, "below again")
	expect(t, w, path, "below again")
}

// A container's root is an overlay: a file of its lower layer is copied when it is first written, and told of all the same.
func TestOverlayTells(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	base, dir := t.TempDir(), t.TempDir()
	mount(t, "tmpfs", base, "") // an overlay takes no layers of another overlay
	lower, upper, work := filepath.Join(base, "lower"), filepath.Join(base, "upper"), filepath.Join(base, "work")
	for _, layer := range []string{lower, upper, work} {
		mkdir(t, layer)
	}
	write(t, filepath.Join(lower, "foo.star"), "lower")
	mount(t, "overlay", dir, "lowerdir="+lower+",upperdir="+upper+",workdir="+work)
	path := filepath.Join(dir, "foo.star")
	add(t, w, path, "lower")
	if err := w.Slow(path); err != nil {
		t.Error(err)
	}
	for _, content := range []string{"copied up", "written"} {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		must(t, err)
		f.WriteString(content)
		f.Close()
		expect(t, w, path, content)
	}
	write(t, path+".new", "renamed over")
	rename(t, path+".new", path)
	expect(t, w, path, "renamed over")
}

// What lies where changes are not told of is looked at, and said.
func TestFileSystemThatDoesNotTellIsLookedAt(t *testing.T) {
	t.Parallel()
	w := watcher(t, 50*time.Millisecond)
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.star")
	write(t, path, "one")
	add(t, w, path, "one")
	if err := w.Slow(path); err != nil {
		t.Errorf("%s is slow: %v", path, err)
	}
	if _, err := w.Add("/proc/sys/kernel/hostname"); err != nil {
		t.Fatal(err)
	}
	if err := w.Slow("/proc/sys/kernel/hostname"); err == nil || !strings.Contains(err.Error(), "0x9fa0, does not tell of every change") {
		t.Errorf("/proc: %v", err)
	}
	link(t, "/proc/self/comm", path+".link") // elsewhere, by a link
	if _, err := w.Add(path + ".link"); err != nil {
		t.Fatal(err)
	}
	if w.Slow(path+".link") == nil {
		t.Error("a link into /proc is taken for told of")
	}
	w.do(func() {
		w.files[path].slow = w.files[path+".link"].slow
		clear(w.names) // silence
	})
	write(t, path, "two")
	expect(t, w, path, "two")
}

// Over a full queue everything is read again.
func TestLostNotificationsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	w := watcher(t, never)
	path := filepath.Join(t.TempDir(), "foo.star")
	write(t, path, "one")
	add(t, w, path, "one")
	w.do(func() { clear(w.names) }) // what comes now is nobody's
	write(t, path, "two")
	w.notify.Errors <- fsnotify.ErrEventOverflow
	expect(t, w, path, "two")
	write(t, path, "three")
	expect(t, w, path, "three")
}

// The look that is far away finds what nobody told of.
func TestFarLookFindsTheRest(t *testing.T) {
	t.Parallel()
	w := watcher(t, 10*time.Millisecond) // so 1.2 s
	path := filepath.Join(t.TempDir(), "foo.star")
	write(t, path, "one")
	add(t, w, path, "one")
	w.do(func() { clear(w.names) })
	write(t, path, "two")
	expect(t, w, path, "two")
}
