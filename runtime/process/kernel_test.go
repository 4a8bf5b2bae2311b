package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	if others, err := r.KillTree(t.Context()); err != nil || others != 1 || lives(pid) {
		t.Errorf("KillTree: %d others, %v; process %d lives: %t", others, err, pid, lives(pid))
	}
}

// freezer makes a group of the first cgroups, in which frozen processes cannot even be killed.
func freezer(t *testing.T) string {
	t.Helper()
	mounted := t.TempDir()
	if err := unix.Mount("none", mounted, "cgroup", 0, "freezer"); err != nil {
		needsHost(t, "the freezer of cgroup version 1: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(mounted, unix.MNT_DETACH) })
	group := filepath.Join(mounted, "recipe-test-"+randomID())
	if err := os.Mkdir(group, 0o755); err != nil {
		needsHost(t, "a freezer to write to: "+err.Error())
	}
	t.Cleanup(func() { os.Remove(group) })
	return group
}

// A process that SIGKILL does not end, as in a hung file system, holds up its own service and is named.
func TestProcessThatCannotDieIsNamed(t *testing.T) {
	frozen := freezer(t)
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
		_, err := r.KillTree(ctx)
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
