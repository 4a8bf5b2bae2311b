package process

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// look is a daemon that tells how it finds itself.
const look = `echo "= status"; while read -r line; do echo "$line"; done </proc/$$/status
for f in limits stat oom_score_adj coredump_filter personality timerslack_ns cgroup; do echo "= $f"; cat /proc/$$/$f; done
echo "= environ"; tr '\0' '\n' </proc/$$/environ
for fd in $(ls /proc/$$/fd); do echo "= fd $fd"; readlink /proc/$$/fd/$fd; cat /proc/$$/fdinfo/$fd; done
echo "= shell"; umask; pwd -P; echo end`

// view is what the daemon tells, without what no two processes share.
func view(t *testing.T, h *Host, service string, edit func(*launch.Spec)) string {
	t.Helper()
	r := start(t, h, service, "", func(s *launch.Spec) { s.Argv = []string{"/bin/sh", "-c", look} }, edit)
	defer r.end()
	forked := r.program != ""
	if forked == h.options.NoForker {
		t.Errorf("the daemon was made by a forker: %t", forked)
	}
	var kept []string
	for part := ""; ; {
		line := r.line()
		name, fields := line, strings.Fields(line)
		if len(fields) > 0 {
			name = strings.TrimSuffix(fields[0], ":")
		}
		switch {
		case line == "end":
			return normal(strings.Join(kept, "\n"), r)
		case strings.HasPrefix(line, "= "):
			part = line
		case part == "= stat": // parent, group, session, terminal, priority, niceness, threads, exit signal, policy
			for _, at := range []int{3, 4, 5, 6, 7, 17, 18, 19, 37, 39, 40} {
				kept = append(kept, fmt.Sprintf("stat %d: %s", at, fields[at]))
			}
			continue
		case part == "= status" && !regexp.MustCompile(`^(Umask|PPid|Uid|Gid|Groups|Threads|CoreDump.*|THP.*|Sig.*|Shd.*|Cap.*|NoNew.*|Seccomp.*|Cpus.*)$`).MatchString(name):
			continue
		case name == "SigQ":
			continue
		}
		kept = append(kept, line)
	}
}

func normal(text string, r *running) string {
	for _, one := range []struct{ pattern, name string }{
		{`\b` + fmt.Sprint(r.PID()) + `\b`, "PID"}, {r.id, "ID"}, {`recipe-spare-[0-9a-f]+`, "recipe-" + r.service + "-ID"}, {`pipe:\[\d+\]`, "pipe"},
		{`(ino|mnt_id):\s*\d+`, "$1"}, {`lock:.*`, "lock"},
	} {
		text = regexp.MustCompile(one.pattern).ReplaceAllString(text, one.name)
	}
	return text
}

// eachForker is eachContainment where there are forkers.
func eachForker(t *testing.T, test func(t *testing.T, h *Host)) {
	t.Helper()
	if !canFork {
		t.Skip("what is built for this architecture, or with the race detector, has no forker")
	}
	eachContainment(t, test)
}

// A daemon cannot tell who made it.
func TestForkerGivesWhatALauncherGives(t *testing.T) {
	for name, edit := range map[string]func(*launch.Spec){
		"nothing": func(*launch.Spec) {},
		"place":   func(s *launch.Spec) { mode := plan.Mode(0o77); s.WorkDir, s.Umask = "/usr", &mode },
		"limits": func(s *launch.Spec) {
			none := plan.Size(0)
			s.Limits = plan.Limits{NoFile: 200, Core: &none, Stack: 1 << 20, FSize: 1 << 30, MemLock: &none, PIDs: 20}
		},
		"few descriptors": func(s *launch.Spec) { s.Limits.NoFile = 16 },
		"account":         func(s *launch.Spec) { s.Account = &launch.Account{Name: "daemon", Groups: []string{"adm"}} },
		"environment":     func(s *launch.Spec) { s.Env = append(s.Env, "A=b c", "EMPTY="); s.Extra = []string{"A=d"} },
	} {
		t.Run(name, func(t *testing.T) {
			eachForker(t, func(t *testing.T, h *Host) {
				got := view(t, h, "foo", edit)
				want := view(t, byLauncher(h), "foo", edit)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("by a launcher (-) and by a forker (+):\n%s", diff)
				}
			})
		})
	}
}

// What a forker cannot execute is told by a launcher.
func TestForkerLeavesReasonsToALauncher(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	busy := write("busy", "#!/bin/sh\nexec sleep 1000\n", 0o755)
	held, err := os.OpenFile(busy, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	foreign := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xf3\xf0" + strings.Repeat("\x00", 64)
	for program, want := range map[string]string{
		"/no/such/program":                   "there is no program /no/such/program",
		dir:                                  "the program " + dir + " is not a regular file",
		write("plain", "#!/bin/sh\n", 0o644): "the program " + dir + "/plain is not executable",
		write("foreign", foreign, 0o755):     "the program " + dir + "/foreign cannot be run: it is neither a program for this machine nor a script that begins with #!",
		write("orphan", "#!/no/such/sh\n", 0o755): "the program " + dir + "/orphan cannot be run: its interpreter /no/such/sh is not there",
		busy: "the program " + busy + " cannot be run: Text file busy",
	} {
		t.Run(filepath.Base(program), func(t *testing.T) {
			h := newHost(t, t.TempDir(), true)
			for range 2 { // with a launcher of its own, then with a spare
				r := start(t, h, "foo", "", func(s *launch.Spec) { s.Argv = []string{program} })
				r.expect(NotSane{want})
				r.expect(Exited{Status{Code: launch.ExitInsane}})
				if line := r.line(); !strings.HasSuffix(line, want) {
					t.Errorf("the log says %q", line)
				}
				r.end()
			}
		})
	}
}

// A program that is written to while it is to be executed is waited for.
func TestBusyProgramIsExecutedOnceItIsNot(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	text, err := os.ReadFile("/bin/sleep")
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(program, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, t.TempDir(), true)
	time.AfterFunc(100*time.Millisecond, func() { held.Close() })
	start(t, h, "foo", "", func(s *launch.Spec) { s.Argv = []string{program, "1000"} }).expect(Executed{})
}

// stoppedServer mounts a file system whose server never answers, until the result is called.
func stoppedServer(t *testing.T) (mounted string, answer func()) {
	t.Helper()
	server, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		needsHost(t, "/dev/fuse: "+err.Error())
	}
	mounted = t.TempDir()
	if err := unix.Mount("stopped", mounted, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", server)); err != nil {
		unix.Close(server)
		needsHost(t, "a file system of its own: "+err.Error())
	}
	closed := false
	answer = func() {
		if !closed {
			closed = true
			unix.Close(server)
		}
	}
	t.Cleanup(func() {
		answer()
		if err := unix.Unmount(mounted, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return mounted, answer
}

// An exec that hangs is its own service's trouble: others start meanwhile, it can be ended, and told when it fails.
func TestHungProgramHoldsUpNobody(t *testing.T) {
	eachForker(t, func(t *testing.T, h *Host) {
		var hung []*running
		var answers []func()
		for n := range 3 {
			mounted, answer := stoppedServer(t)
			answers = append(answers, answer)
			hung = append(hung, start(t, h, fmt.Sprint("hung", n), "", func(s *launch.Spec) { s.Argv = []string{mounted + "/program"} }))
		}
		other := start(t, h, "other", "serve")
		other.expect(Executed{})
		other.end()
		answers[0]()
		if e, ok := (<-hung[0].events).(NotSane); !ok || e.Reason != launch.Unable(hung[0].program, unix.ENOTCONN) {
			t.Errorf("once it has failed: %#v", e)
		}
		hung[0].expect(Exited{Status{Code: launch.ExitInsane}})
		for _, r := range hung {
			r.end()
		}
	})
}

// A forker that does not answer is done without, and makes no second daemon when it comes to again.
func TestForkerThatHangsIsDoneWithout(t *testing.T) {
	eachForker(t, func(t *testing.T, h *Host) {
		start(t, h, "foo", "serve").end()
		f := h.theForker()
		f.patience = 50 * time.Millisecond
		if err := sendTo(f.pidfd, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		r := start(t, h, "foo", "serve")
		r.expect(Executed{})
		if pid := r.pid(); r.program != "" || !slices.Equal(r.Members(), []int{pid}) {
			t.Errorf("the members are %d, the leader %d is the forker's: %t", r.Members(), pid, r.program != "")
		}
		eventually(t, "the forker is reaped", func() bool { _, there := readProc(f.pid); return !there })
		r.end()
		if again := start(t, h, "foo", "serve"); again.program == "" {
			t.Error("there is no other forker")
		}
	})
}

func TestForkerThatDiedIsDoneWithout(t *testing.T) {
	eachForker(t, func(t *testing.T, h *Host) {
		start(t, h, "foo", "serve").end()
		f := h.theForker()
		if err := f.kill(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r := start(t, h, "foo", "serve")
			r.expect(Executed{})
			if pid := r.pid(); !slices.Equal(r.Members(), []int{pid}) {
				t.Errorf("the members are %d", r.Members())
			}
			r.end()
		}
	})
}

// A forker that has made daemons has one thread, which nothing wakes but an order, and next to no memory of its own.
func TestForkerIsSmall(t *testing.T) {
	eachForker(t, func(t *testing.T, h *Host) {
		for range 3 {
			start(t, h, "foo", "serve").end()
		}
		pid := h.theForker().pid
		kib := func(file, field string) (n int) {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(text), "\n"+field+":")
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatalf("%s of %s: %v", field, file, err)
			}
			return n
		}
		if threads := kib("status", "Threads"); threads != 1 {
			t.Errorf("it has %d threads", threads)
		}
		if rss := kib("smaps_rollup", "Rss"); rss > 2048 {
			t.Errorf("it holds %d KiB", rss)
		}
	})
}
