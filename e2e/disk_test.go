package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

const kept = `
size = flag("size", type = "int", default = 1000, help = "how long it sleeps")
quick = restart(delay = "50ms", cap = "500ms")
service(name = "direct", command = ["/bin/sleep", size], env = {"IN": "HOME"}, restart = quick)
service(name = "prepared", command = ["/bin/sleep", "1000"], env = {"IN": "HOME"}, prepare = [directory("/made")], restart = quick)
task("often", command = ["/bin/true"], every = "1s")
`

// What befalls the folder of a name: how, and how it is mended.
var disks = map[string]struct {
	befall, mend func(t *testing.T, at string)
}{
	"full": {
		func(t *testing.T, at string) {
			f, err := os.Create(filepath.Join(at, "filler"))
			must(t, err)
			defer f.Close()
			for size := 64 << 10; size > 0; size /= 2 {
				for _, err = f.Write(make([]byte, size)); err == nil; _, err = f.Write(make([]byte, size)) {
				}
			}
			if err == nil || !strings.Contains(err.Error(), "no space") {
				t.Fatal(err)
			}
			for i := range 10_000 { // and no file either
				if os.WriteFile(filepath.Join(at, fmt.Sprint("filler", i)), nil, 0o600) != nil {
					return
				}
			}
			t.Fatal("there is no end of files")
		},
		func(t *testing.T, at string) {
			all, _ := filepath.Glob(filepath.Join(at, "filler*"))
			for _, path := range all {
				must(t, os.Remove(path))
			}
		},
	},
	"read-only": { // for all that is opened from then on
		func(t *testing.T, at string) {
			must(t, unix.Mount(at, at, "", unix.MS_BIND, ""))
			must(t, unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
		},
		func(t *testing.T, at string) { must(t, unix.Unmount(at, unix.MNT_DETACH)) },
	},
	"vanished": {
		func(t *testing.T, at string) {
			must(t, unix.Unmount(at, unix.MNT_DETACH))
			must(t, os.Remove(at))
		},
		func(t *testing.T, at string) {},
	},
}

// The folder for the state and that for sockets and locks is full, read-only, or gone: what runs goes on, what dies is
// started again at once or once that is mended, an order that cannot be kept is refused and changes nothing, and what could
// not be written is counted. It takes about 10 s.
func TestADiskThatTakesNothingEndsNothing(t *testing.T) {
	t.Parallel()
	rootOnly(t)
	for folder := range map[string]bool{"state": true, "run": true} {
		for what := range disks {
			t.Run(folder+" "+what, func(t *testing.T) {
				t.Parallel()
				aDiskThatTakesNothing(t, folder, what)
			})
		}
	}
}

func aDiskThatTakesNothing(t *testing.T, folder, what string) {
	h := newHome(t)
	at := filepath.Join(h.dir, folder)
	must(t, os.Mkdir(at, 0o700))
	must(t, unix.Mount("small", at, "tmpfs", 0, "size=256k,nr_inodes=100,mode=700"))
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
	path := h.write("kept.star", strings.ReplaceAll(kept, "HOME", h.dir))
	s := h.run("--root", h.dir, path)
	names := []string{"direct", "prepared"}
	pids := map[string]int{}
	for _, name := range names {
		h.becomes("runs", "kept", name, running)
		h.must("restart", name) // so that what is opened once is open
		pids[name] = h.becomes("runs", "kept", name, running).PID
	}
	before := s.figures()
	disks[what].befall(t, at)

	if folder == "state" {
		for _, verb := range [][]string{{"stop", "direct"}, {"quarantine", "direct", "--why", "a test"}} {
			_, errs, code := h.recipe(verb...)
			if kept := what == "vanished"; kept != (code == 0) || !kept && !strings.Contains(errs, "so it was left alone") {
				t.Errorf("%q: exit code %d, %s", verb, code, errs)
			}
		}
		if what == "vanished" { // the folder was made again, and the orders are kept
			h.must("release", "direct")
			h.must("start", "direct")
		} else if st, _ := h.status("kept", "direct"); st.PID != pids["direct"] || st.Stop != nil || st.Quarantine != nil {
			t.Errorf("the service was touched: %+v", st)
		}
		for range 20 { // more events than the rest of a page holds
			h.must("restart", "direct")
		}
		pids["direct"] = h.becomes("runs", "kept", "direct", running).PID
	}
	for _, pid := range pids {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	if folder+what == "runread-only" { // no lock can be had
		h.until("why tells of it", func() bool { return strings.Contains(h.must("why", "direct"), "read-only file system") }, s.out.String)
	}
	disks[what].mend(t, at)
	began := time.Now()
	h.until("all are back", func() bool {
		all := named(s.daemons(), "sleep")
		return len(all) == 2 && !slices.Contains(all, pids["direct"]) && !slices.Contains(all, pids["prepared"])
	}, s.out.String)
	took := time.Since(began)
	for name, pid := range pids {
		h.becomes("is back", "kept", name, func(st control.Status) bool { return running(st) && st.PID != pid })
	}
	t.Logf("all were back %s after it was mended, and said so after %s", took, time.Since(began))
	if took > 3*time.Second {
		t.Errorf("all were back only %s after it was mended, the cap is 500ms", took)
	}
	h.must("restart", "direct")
	h.until("why tells what happened", func() bool {
		why := h.must("why", "direct")
		return strings.Contains(why, "killed by SIGKILL") || strings.Contains(why, "events before this one could not be written to")
	}, func() string { return h.must("why", "direct") })
	if folder+what == "statefull" && !strings.Contains(h.must("why", "prepared"), "events before this one could not be written to") {
		t.Errorf("why does not tell what it misses:\n%s", h.must("why", "prepared"))
	}
	if out, errs, code := h.recipe("run", "--root", h.dir, path); code != 1 || !strings.Contains(errs, "is already supervised") {
		t.Errorf("a second supervisor: exit code %d, %s%s", code, out, errs)
	}
	if all := named(s.daemons(), "sleep"); len(all) != 2 {
		t.Errorf("%d daemons run, want 2", len(all))
	}
	s.flat(before)
	s.interrupt()
	h.empty()
}
