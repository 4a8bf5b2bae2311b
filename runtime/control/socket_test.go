package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"recipe/runtime/dirs"
)

// The test binary is also the other process of a test.
const (
	strangerVariable = "CONTROL_TEST_STRANGER" // the socket to ask as user 65534
	victimVariable   = "CONTROL_TEST_VICTIM"   // the socket to serve until killed
)

func TestMain(m *testing.M) {
	if path := os.Getenv(strangerVariable); path != "" {
		os.Exit(stranger(path))
	}
	if path := os.Getenv(victimVariable); path != "" {
		fmt.Println(Serve(context.Background(), path, newFake()))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func stranger(path string) int {
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
		fmt.Println(err)
		return 1
	}
	_, err := NewClient(path).Start(context.Background(), "foo", "")
	fmt.Println(err)
	return 0
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatal("needs root to become another user")
	}
	t.Skip("needs root to become another user")
}

func TestStrangersAreRefused(t *testing.T) {
	needRoot(t)
	folder, err := os.MkdirTemp("", "control") // t.TempDir is closed to others
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o755))
	path := folder + "/foo.sock"
	f := newFake()
	serveAt(t, path, f, nil)
	ask := func(want string) {
		t.Helper()
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), strangerVariable+"="+path)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("a stranger got %q, %v; want %q", out, err, want)
		}
	}
	ask("permission denied")
	must(t, os.Chmod(path, 0o666)) // the kernel lets them in now; we do not
	ask("listens to root and to its own user only")
	if len(f.callers) > 0 {
		t.Errorf("a stranger reached the supervisor: %+v", f.callers)
	}
}

func TestSocketIsClosedToOthers(t *testing.T) {
	t.Parallel()
	path := serve(t, newFake(), nil)
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket's mode is %v", info.Mode())
	}
}

func TestSocketOfAKilledSupervisorIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	victim := exec.Command("/proc/self/exe")
	victim.Env = append(os.Environ(), victimVariable+"="+path)
	must(t, victim.Start())
	t.Cleanup(func() { victim.Process.Kill(); victim.Wait() })
	until(t, "the victim serves", func() bool {
		_, err := NewClient(path).Status(t.Context())
		return err == nil
	})

	_, err := Listen(t.Context(), path)
	if want := fmt.Sprintf("process %d", victim.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a live socket: got %v, want %q", err, want)
	}
	must(t, victim.Process.Signal(syscall.SIGSTOP)) // stopped is not dead
	if _, err := Listen(t.Context(), path); err == nil {
		t.Error("the socket of a stopped supervisor was stolen")
	}
	must(t, victim.Process.Kill())
	victim.Wait()

	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("the victim left no socket: %v", err)
	}
	serveAt(t, path, newFake(), nil)
	if _, err := NewClient(path).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOneListenerOfMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	leaveStale(t, path)
	var won sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if l, err := Listen(t.Context(), path); err == nil {
				won.Store(i, l)
			}
		})
	}
	all.Wait()
	count := 0
	won.Range(func(_, l any) bool { count++; l.(*Listener).Close(); return true })
	if count != 1 {
		t.Errorf("%d of 8 listeners got the socket", count)
	}
}

// leaveStale leaves a socket that nobody listens on.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
}

func TestWhatIsNoSocketStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	must(t, os.WriteFile(path, []byte("mine"), 0o600))
	if _, err := Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file was changed")
	}
}

func TestCloseLeavesASuccessorsSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	old, err := Listen(t.Context(), path)
	must(t, err)
	must(t, os.Rename(path, path+".old")) // keeps the inode's number from being used again
	serveAt(t, path, newFake(), nil)
	must(t, old.Close())
	if _, err := NewClient(path).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLongPaths(t *testing.T) {
	t.Parallel()
	folder := t.TempDir() + "/" + strings.Repeat("long", 40)
	must(t, os.Mkdir(folder, 0o700))
	d := dirs.Dirs{Runtime: folder}
	path := SocketPath(d.Runtime, "foo")
	leaveLongStale(t, path)
	serveAt(t, path, newFake(), nil)
	if _, err := Listen(t.Context(), path); err == nil {
		t.Error("a live socket was stolen")
	}
	h, err := Open(d)
	must(t, err)
	if f, err := h.Find(t.Context(), "foo"); err != nil || f.PID != 7 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func leaveLongStale(t *testing.T, path string) {
	t.Helper()
	l, err := listen(path)
	must(t, err)
	must(t, l.Close())
}
