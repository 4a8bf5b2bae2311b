package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"recipe/runtime/control"
)

// insideName is the program, where the test runs as the first process of a namespace of its own.
const insideName = "RECIPE_TEST_INSIDE"

// Supervisor and daemons are gone, and strangers have got their very numbers before the next supervisor comes: it touches none
// of them. Numbers can be chosen in a namespace of its own, which takes root. It takes a second.
func TestStrangersWithReusedNumbersAreSpared(t *testing.T) {
	if os.Getenv(insideName) != "" {
		enterNamespace(t)
		for what, uid := range map[string]int{"tester": -1, "nobody": nobody} {
			t.Run(what, func(t *testing.T) {
				h := newHome(t)
				h.give(uid)
				strangersAreSpared(h)
			})
		}
		return
	}
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a namespace of processes here")
	}
	if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil {
		t.Skip("this kernel lets nobody choose numbers")
	}
	cmd := exec.Command(self(t), "-test.run=^TestStrangersWithReusedNumbersAreSpared$", "-test.v")
	cmd.Env = append(os.Environ(), insideName+"="+program)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "strangers live") != 2 {
		t.Errorf("in its namespace: %v\n%s", err, out)
	}
}

// enterNamespace shows its processes alone.
func enterNamespace(t *testing.T) {
	for _, err := range []error{
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func strangersAreSpared(h *home) {
	t := h.t
	var text strings.Builder
	for i := range 4 {
		fmt.Fprintf(&text, "service(name = \"s%d\", command = [\"/bin/sleep\", \"1000\"], restart = restart(delay = \"0s\"), env = {\"PLACE\": %q})\n", i, h.dir)
	}
	file := h.write("reused.star", text.String())
	s := h.run("--root", h.dir, file)
	for i := range 4 {
		h.becomes("runs", "reused", fmt.Sprint("s", i), func(st control.Status) bool { return st.IsUp() })
	}
	numbers := mentioning(h.dir) // supervisor, daemons, launcher and forker
	if len(numbers) < 6 {
		t.Fatalf("%d processes run", len(numbers))
	}
	s.cmd.Process.Signal(syscall.SIGSTOP) // so that it starts nothing in their place
	for _, pid := range numbers {
		if pid != s.cmd.Process.Pid {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	s.kill()
	strangers := map[int]*exec.Cmd{}
	for _, pid := range numbers {
		h.until(fmt.Sprint("the number ", pid, " is free"), func() bool {
			syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // as the first process does
			return syscall.Kill(pid, 0) != nil
		}, func() string { return name(pid) })
		stranger := exec.Command("/bin/sleep", "1000")
		stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Fatal(err)
		}
		if err := stranger.Start(); err != nil {
			t.Fatal(err)
		}
		defer stranger.Wait()
		defer stranger.Process.Kill()
		if stranger.Process.Pid == pid {
			strangers[pid] = stranger
		}
	}
	if len(strangers) < len(numbers)/2 {
		t.Fatalf("%d of %d numbers were given again", len(strangers), len(numbers))
	}
	s = h.run("--root", h.dir, file)
	for i := range 4 {
		h.becomes("runs again", "reused", fmt.Sprint("s", i), func(st control.Status) bool { return st.IsUp() && strangers[st.PID] == nil })
	}
	for range 3 {
		h.must("restart", "s0")
	}
	h.must("stop", "s1")
	s.interrupt()
	for pid := range strangers {
		stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if !strings.Contains(string(stat), "(sleep) S") {
			t.Errorf("the stranger %d was touched: %s", pid, stat)
		}
	}
	h.empty()
	t.Logf("%d strangers live", len(strangers))
}
