package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func cgroupHost(t *testing.T) *Host {
	t.Helper()
	h := newHost(t, t.TempDir(), false)
	if h.cgroup == "" {
		needsHost(t, "a writable cgroup2: "+h.why)
	}
	return h
}

// Kernels before 5.7 cannot clone into a cgroup.
func TestLauncherEntersItsLeafByItself(t *testing.T) {
	h := cgroupHost(t)
	h.joins = true
	r := start(t, h, "foo", "launcher:launcher:stubborn")
	r.expect(Executed{})
	if pid := r.pid(); !slices.Contains(r.Members(), pid) {
		t.Errorf("process %d is not in the leaf", pid)
	}
}

// Kernels before 5.14 have no cgroup.kill.
func TestEachMemberIsKilledWithoutCgroupKill(t *testing.T) {
	r := start(t, cgroupHost(t), "foo", "launcher:launcher:stubborn")
	pid := r.pid()
	eventually(t, "the tree is dead", func() bool {
		r.leaf.killEach()
		populated, err := r.leaf.populated()
		return err == nil && !populated
	})
	if lives(pid) {
		t.Errorf("process %d is left", pid)
	}
}

// A daemon may make cgroups of its own, as container runtimes do.
func TestCgroupsBelowTheLeafGoWithIt(t *testing.T) {
	h := cgroupHost(t)
	r := start(t, h, "foo", "parent:stubborn")
	pid := r.pid()
	below := filepath.Join(r.leaf.path, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(r.Members(), pid) {
		t.Errorf("process %d is not among the members", pid)
	}
	r.end()
	if _, err := os.Stat(r.leaf.path); lives(pid) || !os.IsNotExist(err) {
		t.Errorf("process %d lives: %t; the leaf: %v", pid, lives(pid), err)
	}
}

// Nothing lives on of a supervisor that died, but its cgroups: the next one removes those that are empty, and old
// enough not to be another's that is just about to use it.
func TestEmptyLeavesAreSweptWithAge(t *testing.T) {
	folder := t.TempDir() // any folder will do: only what is empty can be removed
	old, young, used, other := folder+"/recipe-foo-1", folder+"/recipe-foo-2", folder+"/recipe-foo-3", folder+"/foo"
	for _, path := range []string{old, young, used + "/x", other} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-time.Minute)
	for _, path := range []string{old, used, other} {
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
	}
	sweepLeaves(folder)
	for path, want := range map[string]bool{old: false, young: true, used: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is kept: %t, want %t", path, err == nil, want)
		}
	}
}

// A login moves its processes out of the leaf; their lock still betrays them.
func TestProcessMovedToAnotherCgroupIsOfTheTree(t *testing.T) {
	h := cgroupHost(t)
	r := start(t, h, "foo", "parent:stubborn")
	pid := r.pid()
	if err := os.WriteFile(filepath.Join(h.cgroup, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
	if others, err := r.KillTree(t.Context(), nil); err != nil || others != 1 || lives(pid) {
		t.Errorf("KillTree: %d others, %v; process %d lives: %t", others, err, pid, lives(pid))
	}
}

// firstGroup makes a group of a controller of the first cgroups. In a frozen one, processes cannot even be killed.
func firstGroup(t *testing.T, controller string) string {
	t.Helper()
	mounted := t.TempDir()
	if err := unix.Mount("none", mounted, "cgroup", 0, controller); err != nil {
		needsHost(t, "the controller "+controller+" of cgroup version 1: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(mounted, unix.MNT_DETACH) })
	group := filepath.Join(mounted, "recipe-test-"+randomID())
	if err := os.Mkdir(group, 0o755); err != nil {
		needsHost(t, "a group of "+controller+" to write to: "+err.Error())
	}
	t.Cleanup(func() { os.Remove(group) })
	return group
}

// A process that SIGKILL does not end, as in a hung file system, holds up its own service and is named.
func TestProcessThatCannotDieIsNamed(t *testing.T) {
	frozen := firstGroup(t, "freezer")
	freeze := func(state string) {
		if err := os.WriteFile(frozen+"/freezer.state", []byte(state), 0); err != nil {
			t.Fatal(err)
		}
	}
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "parent:stubborn")
		pid := r.pid()
		if err := os.WriteFile(frozen+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0); err != nil {
			t.Fatal(err)
		}
		freeze("FROZEN")
		defer freeze("THAWED")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := r.KillTree(ctx, nil)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "process "+strconv.Itoa(pid)) {
			t.Errorf("KillTree of a process that cannot die: %v", err)
		}
		if got := r.Members(); !slices.Equal(got, []int{pid}) {
			t.Errorf("the members are %d, want %d alone", got, pid)
		}
		if _, err := tryStart(t, h, "foo", "serve"); !errors.Is(err, ErrHeld) {
			t.Errorf("a start meanwhile: %v", err)
		}
		freeze("THAWED")
		r.end()
		if lives(pid) {
			t.Errorf("process %d is left", pid)
		}
	})
}

// A look at a lock takes it for a moment. A child that is cloned just then has a copy of it until its exec.
func TestLookAtALockLeavesItFree(t *testing.T) {
	h := newHost(t, t.TempDir(), true)
	lock, err := h.openLock(incarnationDir, "foo")
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
	const children = 200
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range children {
			if pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{}); err == nil {
				_, _ = unix.Wait4(pid, nil, 0, nil)
			}
		}
	}()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		if _, err := h.lockFree("foo"); err != nil {
			t.Fatal(err)
		}
		lock, err := h.openLock(incarnationDir, "foo")
		if err != nil {
			t.Fatal(err)
		}
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		_ = unix.Flock(int(lock.Fd()), unix.LOCK_UN)
		lock.Close()
		if err != nil {
			t.Fatalf("after a look at a free lock: %v", err)
		}
	}
}

// What the kernel has no room for just now fails a start, leaves nothing, and is had later.
func TestStartWithoutDescriptorsIsTriedAgain(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		start(t, h, "foo", "serve").end()
		before := remains(t, h, 0)
		failed := 0
		for room := range 15 {
			if !startIn(t, h, room) {
				failed++
			}
		}
		if failed == 0 || failed == 15 {
			t.Errorf("%d of 15 starts failed", failed)
		}
		r := start(t, h, "foo", "serve")
		r.expect(Executed{})
		if pid := r.pid(); !slices.Equal(r.Members(), []int{pid}) {
			t.Errorf("the members are %d, the daemon is %d", r.Members(), pid)
		}
		r.end()
		eventually(t, "nothing is left of the attempts", func() bool {
			after := remains(t, h, 0)
			return after.descriptors <= before.descriptors && after.children <= before.children && after.cgroups <= before.cgroups
		})
	})
}

// startIn tries to start where a number of descriptors is left, and ends what came of it.
func startIn(t *testing.T, h *Host, room int) (started bool) {
	t.Helper()
	events := make(chan Event, 3)
	order := Order{Service: "foo", ID: randomID(), Spec: roleSpec("foo", "serve"), Output: os.Stdout, Notify: func(e Event) { events <- e }}
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 300, Max: limit.Max}, nil); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	for range room {
		unix.Close(taken[len(taken)-1])
		taken = taken[:len(taken)-1]
	}
	i, err := h.Start(order)
	for _, fd := range taken {
		unix.Close(fd)
	}
	if failed := unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil); failed != nil {
		t.Fatal(failed)
	}
	if err != nil {
		t.Log(room, err)
		return false
	}
	if e := <-events; e != (Executed{}) {
		t.Errorf("with %d descriptors left: %#v", room, e)
	}
	if _, err := i.End(t.Context(), func([]int) {}); err != nil {
		t.Error(err)
	}
	return true
}

// A bound of processes is the kernel's EAGAIN: a forker is held to it as anyone, and asked again the next time.
func TestForkerWithoutRoomIsDoneWithout(t *testing.T) {
	group := firstGroup(t, "pids")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(group, name), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	eachForker(t, func(t *testing.T, h *Host) {
		start(t, h, "foo", "serve").end()
		write("cgroup.procs", strconv.Itoa(h.theForker().pid))
		for _, room := range []string{"1", "max"} {
			write("pids.max", room)
			r := start(t, h, "foo", "serve")
			r.expect(Executed{})
			if pid := r.pid(); !slices.Equal(r.Members(), []int{pid}) {
				t.Errorf("the members are %d, the daemon is %d", r.Members(), pid)
			}
			if forked := r.program != ""; forked != (room == "max") {
				t.Errorf("with room for %s the daemon was made by a forker: %t", room, forked)
			}
			r.end()
		}
	})
}
