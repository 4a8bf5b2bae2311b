package errand

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/launch"
)

func TestMain(m *testing.M) {
	if Running(os.Args) {
		Main()
	}
	os.Exit(m.Run())
}

func shell(text string) *launch.Spec {
	return &launch.Spec{Service: "foo", Argv: []string{"/bin/sh", "-c", text}, Env: []string{"PATH=/usr/bin:/bin"}}
}

// TestEndedSaysWhatRunSays of commands that say something and end with an exit code.
func TestEndedSaysWhatRunSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		exit   int
		output string
		want   string // the error
	}{
		{0, "", ""},
		{0, "asking\nfine\n", ""},
		{1, "", "/bin/sh failed with exit code 1"},
		{3, "asking\n\033[1mno answer\n\n", "/bin/sh failed with exit code 3:  [1mno answer"},
		{127, strings.Repeat("x", 5000), "/bin/sh failed with exit code 127: " + strings.Repeat("x", 4096)},
	} {
		spec := shell(`printf '%s' "$1"; exit "$2"`)
		spec.Argv = append(spec.Argv, "sh", test.output, strconv.Itoa(test.exit))
		said, err := Run(t.Context(), spec, time.Minute)
		judged, judgedErr := Ended(spec, test.exit, []byte(test.output))
		if said != judged || text(err) != text(judgedErr) {
			t.Errorf("%q and exit code %d: run says %q, %v; ended says %q, %v", test.output, test.exit, said, err, judged, judgedErr)
		}
		if text(err) != test.want {
			t.Errorf("%q and exit code %d: %q, want %q", test.output, test.exit, text(err), test.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestTimeEndsTheTree: what does not end in time is killed with all that it started.
func TestTimeEndsTheTree(t *testing.T) {
	t.Parallel()
	held := t.TempDir() + "/held"
	_, err := Run(t.Context(), shell(`(trap "" TERM; exec sleep 600 9> `+held+`) & wait`), 200*time.Millisecond)
	if text(err) != "/bin/sh did not end within 200ms" {
		t.Errorf("the error is %v", err)
	}
	if pids := holders(held); len(pids) > 0 {
		t.Errorf("%v are left", pids)
	}
}

// TestInterruptionJudgesNothing: whoever asked has gone.
func TestInterruptionJudgesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, shell("exit 1"), time.Minute); err != context.Canceled {
		t.Errorf("the error is %v", err)
	}
}

// TestInterruptionEndsTheTree: nothing of a command that forks all the while gets away from whoever gives it up.
func TestInterruptionEndsTheTree(t *testing.T) {
	t.Parallel()
	for range 10 {
		held := t.TempDir() + "/held"
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := Run(ctx, shell(`exec 9>`+held+`; while :; do (sleep 600 & exit) & sleep 0.002; done`), time.Minute)
			ended <- err
		}()
		for len(holders(held)) < 5 {
			runtime.Gosched()
		}
		cancel()
		if err := <-ended; err != context.Canceled {
			t.Errorf("the error is %v", err)
		}
		left := holders(held)
		for deadline := time.Now().Add(time.Minute); len(left) > 0 && time.Now().Before(deadline); { // the kernel takes its time
			left = holders(held)
		}
		for _, pid := range left {
			t.Errorf("%s is left", pid)
			n, _ := strconv.Atoi(pid)
			syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// holders are the processes that have a file open.
func holders(file string) (pids []string) {
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		open, _ := os.ReadDir("/proc/" + p.Name() + "/fd")
		for _, fd := range open {
			if to, _ := os.Readlink("/proc/" + p.Name() + "/fd/" + fd.Name()); to == file {
				pids = append(pids, p.Name())
			}
		}
	}
	return pids
}
