package watch

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// Nothing of a neighbour's content is told by the kernel, so that a daemon that writes beside its recipe wakes nobody.
func TestANeighbourThatWritesIsNotHeard(t *testing.T) {
	t.Parallel()
	n, err := newNotify()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	dir := t.TempDir()
	path, neighbour := filepath.Join(dir, "foo.star"), filepath.Join(dir, "foo.log")
	write(t, path, "one")
	write(t, neighbour, "")
	for _, p := range places(path, false) {
		if _, err := n.add(p.at, p.mask()); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		write(t, neighbour, "a line\n")
	}
	os.Remove(neighbour)
	for hint := range n.hints {
		for _, h := range hint {
			if h.name == "foo.log" && h.mask&unix.IN_DELETE != 0 {
				return
			}
			t.Errorf("told of %q, mask %x", h.name, h.mask)
		}
	}
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
		for watch := range w.watches { // silence
			w.notify.remove(watch)
		}
		for _, f := range w.files {
			clear(f.watches)
		}
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
	w.do(func() { clear(w.files[path].watches) }) // what comes now is nobody's
	write(t, path, "two")
	w.do(func() { w.hint(hint{watch: none, mask: unix.IN_Q_OVERFLOW}) })
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
	w.do(func() { clear(w.files[path].watches) })
	write(t, path, "two")
	expect(t, w, path, "two")
}

func FuzzParse(f *testing.F) {
	event := func(watch int32, mask, length uint32, name string) []byte {
		var b bytes.Buffer
		binary.Write(&b, binary.NativeEndian, []uint32{uint32(watch), mask, 0, length})
		b.WriteString(name)
		return b.Bytes()
	}
	f.Add(event(1, unix.IN_CREATE, 16, "foo.star\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(append(event(-1, unix.IN_Q_OVERFLOW, 0, ""), event(2, unix.IN_MOVE_SELF, 0, "")...))
	f.Add(event(1, 0, 1<<31, "short"))
	f.Fuzz(func(t *testing.T, data []byte) {
		room := len(data)
		for _, h := range parse(data) {
			room -= unix.SizeofInotifyEvent + len(h.name)
			if strings.Contains(h.name, "\x00") {
				t.Errorf("a name of zeros: %q", h.name)
			}
		}
		if room < 0 {
			t.Error("more was read than was there")
		}
	})
}
