package watch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const never = time.Hour

// modes are the two ways in which a change is noticed: each must do alone.
var modes = map[string]struct{ debounce, poll time.Duration }{
	"by notification": {20 * time.Millisecond, never},
	"by looking":      {20 * time.Millisecond, 50 * time.Millisecond},
}

// each runs a test in both modes, on a watcher and a path in a fresh directory.
func each(t *testing.T, test func(t *testing.T, w *Watcher, path string)) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := New(mode.debounce, mode.poll)
			if err != nil {
				t.Fatal(err)
			}
			if name == "by looking" {
				w.Close()
				w = start(mode.debounce, mode.poll, nil, syscall.EMFILE)
			}
			t.Cleanup(func() { w.Close() })
			test(t, w, filepath.Join(t.TempDir(), "foo.star"))
		})
	}
}

func TestWriteInPlace(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString("two")
		f.Close()
		expect(t, w, path, "two")
	})
}

func TestTruncateAndWrite(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		write(t, path, "two, longer")
		expect(t, w, path, "two, longer")
		write(t, path, "")
		expect(t, w, path, "")
	})
}

func TestRenameOver(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		for i := range 3 {
			write(t, path+".tmp", fmt.Sprint("next ", i))
			rename(t, path+".tmp", path)
			expect(t, w, path, fmt.Sprint("next ", i))
		}
	})
}

// As vim does: the old file becomes the backup, and a new one is made.
func TestRenameAwayAndWriteAnew(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		rename(t, path, path+"~")
		write(t, path, "two")
		expect(t, w, path, "two")
	})
}

func TestLinkSwappedBesideIt(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		dir := filepath.Dir(path)
		publish := func(version, content string) { // as a ConfigMap is updated
			folder := filepath.Join(dir, version)
			mkdir(t, folder)
			write(t, filepath.Join(folder, "foo.star"), content)
			link(t, version, filepath.Join(dir, "..data_tmp"))
			rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
		}
		publish("..1", "one")
		link(t, "..data/foo.star", path)
		add(t, w, path, "one")
		publish("..2", "two")
		expect(t, w, path, "two")
		os.RemoveAll(filepath.Join(dir, "..1"))
		publish("..3", "three")
		expect(t, w, path, "three")
	})
}

func TestLinkedDirectorySwappedAbove(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		dir := filepath.Dir(path)
		for i, release := range []string{"one", "two", "three"} {
			mkdir(t, filepath.Join(dir, release, "deep"))
			write(t, filepath.Join(dir, release, "deep", "foo.star"), release)
			link(t, release, filepath.Join(dir, "next"))
			rename(t, filepath.Join(dir, "next"), filepath.Join(dir, "current"))
			path := filepath.Join(dir, "current", "deep", "foo.star")
			if i == 0 {
				add(t, w, path, release)
				continue
			}
			expect(t, w, path, release)
			write(t, path, release+" edited")
			expect(t, w, path, release+" edited")
		}
	})
}

func TestLinkToAFileElsewhere(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		target := filepath.Join(t.TempDir(), "target")
		write(t, target, "one")
		link(t, target, path)
		add(t, w, path, "one")
		write(t, target+".tmp", "two")
		rename(t, target+".tmp", target)
		expect(t, w, path, "two")
	})
}

func TestRemovedAndMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		os.Remove(path)
		expect(t, w, path, absent)
		write(t, path, "one")
		expect(t, w, path, "one")
	})
}

func TestDirectoryAppearsLater(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		path = filepath.Join(filepath.Dir(path), "a", "b", "foo.star")
		add(t, w, path, absent)
		mkdir(t, filepath.Dir(path))
		write(t, path, "one")
		expect(t, w, path, "one")
		write(t, path, "two")
		expect(t, w, path, "two")
		os.RemoveAll(filepath.Dir(filepath.Dir(path)))
		expect(t, w, path, absent)
		mkdir(t, filepath.Dir(path))
		write(t, path, "three")
		expect(t, w, path, "three")
	})
}

func TestDirectoryAppearsStepByStep(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		dir := filepath.Join(filepath.Dir(path), "a")
		path = filepath.Join(dir, "foo.star")
		add(t, w, path, absent)
		mkdir(t, dir)
		eventually(t, func() bool { // it has moved on to the new directory
			var last place
			w.do(func() { last = w.files[path].places[len(w.files[path].places)-1] })
			return last.at == dir && last.must
		})
		write(t, path, "one")
		expect(t, w, path, "one")
	})
}

func TestDirectoryReplacedByAnother(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		dir := filepath.Join(filepath.Dir(path), "a")
		path = filepath.Join(dir, "foo.star")
		mkdir(t, dir)
		write(t, path, "one")
		add(t, w, path, "one")
		mkdir(t, dir+".new")
		write(t, filepath.Join(dir+".new", "foo.star"), "two")
		rename(t, dir, dir+".old")
		rename(t, dir+".new", dir)
		expect(t, w, path, "two")
		write(t, path, "three")
		expect(t, w, path, "three")
	})
}

func TestDirectoryOnTheWayReplacedByAnother(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		top := filepath.Join(filepath.Dir(path), "a")
		path = filepath.Join(top, "b", "c", "foo.star")
		mkdir(t, filepath.Dir(path))
		write(t, path, "one")
		add(t, w, path, "one")
		mkdir(t, filepath.Join(top+".new", "b", "c"))
		write(t, filepath.Join(top+".new", "b", "c", "foo.star"), "two")
		rename(t, top, top+".old")
		rename(t, top+".new", top)
		expect(t, w, path, "two")
		write(t, path, "three")
		expect(t, w, path, "three")
		write(t, filepath.Join(top+".old", "b", "c", "foo.star"), "old")
		quiet(t, w)
	})
}

func TestUnreadableIsAnEventWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		make   func(path string) error
		reason string
	}{
		"directory":      {func(path string) error { return os.Mkdir(path, 0o755) }, "it is no regular file"},
		"named pipe":     {func(path string) error { return syscall.Mkfifo(path, 0o644) }, "it is no regular file"},
		"link to itself": {func(path string) error { return os.Symlink(path, path) }, "too many levels of symbolic links"},
		"too large": {func(path string) error {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
			return os.Truncate(path, maxSize+1)
		}, "it is larger than 8 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *Watcher, path string) {
				write(t, path, "one")
				add(t, w, path, "one")
				os.Remove(path)
				if err := test.make(path); err != nil {
					t.Fatal(err)
				}
				e := next(t, w)
				for ; !e.Exists; e = next(t, w) { // the moment between, on a slow machine
				}
				if e.Err == nil || e.Err.Error() != "cannot read "+path+": "+test.reason || e.Content != nil {
					t.Errorf("%+v", e)
				}
				os.RemoveAll(path)
				write(t, path, "two")
				for e = next(t, w); !e.Exists || e.Err != nil; e = next(t, w) {
				}
				if string(e.Content) != "two" {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

func TestForbiddenIsAnEventWithTheReason(t *testing.T) {
	if os.Getuid() == 0 { // who may read everything
		asNobody(t)
		return
	}
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "one")
		add(t, w, path, "one")
		os.Chmod(path, 0)
		if e := next(t, w); e.Err == nil || e.Err.Error() != "cannot read "+path+": permission denied" {
			t.Errorf("%+v", e)
		}
		os.Chmod(path, 0o644)
		expect(t, w, path, "one")
	})
}

// asNobody runs this test again, in a process of an ordinary user's.
func asNobody(t *testing.T) {
	dir, err := os.MkdirTemp("", "watch-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as user 65534: %v\n%s", err, out)
	}
}
