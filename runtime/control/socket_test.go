package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/dirs"
)

// The test binary is also the other process of a test.
const (
	strangerVariable = "CONTROL_TEST_STRANGER" // the socket to ask as user 65534
	groupsVariable   = "CONTROL_TEST_GROUPS"   // further groups of the stranger
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

// stranger looks and then commands.
func stranger(path string) int {
	var groups []int
	for text := range strings.FieldsSeq(os.Getenv(groupsVariable)) {
		group, err := strconv.Atoi(text)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		groups = append(groups, group)
	}
	if err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
		fmt.Println(err)
		return 1
	}
	c := NewClient(path)
	_, read := c.Status(context.Background())
	_, commanded := c.Start(context.Background(), "foo", "")
	fmt.Println(read, "/", commanded)
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
	ask(t, path, "", "permission denied.*/ .*permission denied")
	must(t, os.Chmod(path, 0o666)) // the kernel lets them in now; we do not
	ask(t, path, "1 2 3", "listens to root, to its own user and to the groups")
	if len(f.callers) > 0 {
		t.Errorf("a stranger reached the supervisor: %+v", f.callers)
	}
}

// ask has a stranger look and command, and wants both answers as the pattern has them.
func ask(t *testing.T, path, groups, want string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), strangerVariable+"="+path, groupsVariable+"="+groups)
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile("(?s)"+want).Match(out) {
		t.Errorf("a stranger in the groups %q got %q, %v; want %q", groups, out, err, want)
	}
}

// Each group may do what it was named for, the one that commands also reads, and the kernel keeps others out.
func TestGroupsReadAndCommand(t *testing.T) {
	needRoot(t)
	for _, test := range []struct {
		groups                       Groups
		mode                         os.FileMode
		reader, commander, bystander string
	}{
		{Groups{Read: "5001"}, 0o660, "<nil> / .*not command it", "permission denied", "permission denied"},
		{Groups{Command: "5002"}, 0o660, "permission denied", "<nil> / <nil>", "permission denied"},
		{Groups{Read: "5001", Command: "5002"}, 0o660, "<nil> / .*not command it", "<nil> / <nil>", "permission denied"},
		{Groups{Read: "5002", Command: "5002"}, 0o660, "permission denied", "<nil> / <nil>", "permission denied"},
	} {
		folder, err := os.MkdirTemp("", "control")
		must(t, err)
		t.Cleanup(func() { os.RemoveAll(folder) })
		must(t, os.Chmod(folder, 0o755))
		path := folder + "/foo.sock"
		l, err := Listen(t.Context(), path, test.groups)
		must(t, err)
		serveOn(t, l, newFake())
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Perm() != test.mode {
			t.Errorf("%+v: the socket's mode is %v, %v", test.groups, info.Mode(), err)
		}
		// More groups than a first guess has room for.
		many := strings.Repeat("6001 ", 100)
		ask(t, path, "5001", test.reader)
		ask(t, path, many+"5002", test.commander)
		ask(t, path, "5003", test.bystander)
	}
}

func TestAGroupThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	_, err := Listen(t.Context(), path, Groups{Read: "no-such-group"})
	if err == nil || !strings.Contains(err.Error(), "groupadd no-such-group") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a socket was left: %v", err)
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

	_, err := Listen(t.Context(), path, Groups{})
	if want := fmt.Sprintf("process %d", victim.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a live socket: got %v, want %q", err, want)
	}
	must(t, victim.Process.Signal(syscall.SIGSTOP)) // stopped is not dead
	if _, err := Listen(t.Context(), path, Groups{}); err == nil {
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
			if l, err := Listen(t.Context(), path, Groups{}); err == nil {
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

// A folder with groups' sockets is open to be listed, and so to be locked by anyone.
func TestNobodyElseCanKeepASupervisorFromItsSocket(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	dir, err := os.Open(folder)
	must(t, err)
	defer dir.Close()
	must(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	l, err := Listen(ctx, filepath.Join(folder, "foo.sock"), Groups{})
	must(t, err)
	must(t, l.Close())
	if info, err := os.Stat(filepath.Join(folder, lockName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock is %v, %v", info, err)
	}
}

func TestWhatIsNoSocketStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	must(t, os.WriteFile(path, []byte("mine"), 0o600))
	if _, err := Listen(t.Context(), path, Groups{}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file was changed")
	}
}

func TestCloseLeavesASuccessorsSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "foo.sock")
	old, err := Listen(t.Context(), path, Groups{})
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
	if _, err := Listen(t.Context(), path, Groups{}); err == nil {
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
