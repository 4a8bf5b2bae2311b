package driver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// tellingRole is the argument by which the test binary becomes a daemon that says something of itself.
const tellingRole = "telling-daemon"

// tell does one thing after another, and then stays until it is ended.
func tell(acts []string) {
	for _, act := range acts {
		what, text, _ := strings.Cut(act, " ")
		text = strings.ReplaceAll(text, `\n`, "\n")
		switch what {
		case "say":
			say(os.Getenv("NOTIFY_SOCKET"), text)
		case "print":
			fmt.Println(text)
		case "newline": // on a descriptor
			os.NewFile(uintptr(text[0]-'0'), "readiness").WriteString("\n")
		case "shut":
			syscall.Close(int(text[0] - '0'))
		case "environment":
			os.WriteFile(text, []byte(strings.Join(os.Environ(), "\n")), 0o644)
		case "pause":
			d, _ := time.ParseDuration(text)
			time.Sleep(d)
		case "every": // 10ms WATCHDOG=1
			period, text, _ := strings.Cut(text, " ")
			d, _ := time.ParseDuration(period)
			go func() {
				for range time.Tick(d) {
					say(os.Getenv("NOTIFY_SOCKET"), text)
				}
			}()
		case "child": // another process of the tree says it, and waits to be heard
			child := exec.Command(os.Args[0], tellingRole, "say "+text, "barrier", "exit")
			child.Run()
		case "barrier":
			barrier(os.Getenv("NOTIFY_SOCKET"))
		case "until": // a file is there
			for {
				if _, err := os.Stat(text); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
		case "deaf":
			signal.Ignore(syscall.SIGTERM)
		case "exit":
			os.Exit(0)
		}
	}
	time.Sleep(time.Hour)
}

func say(path, text string) {
	conn, err := net.Dial("unixgram", path)
	if err == nil {
		_, err = conn.Write([]byte(text))
	}
	if err != nil {
		fmt.Println(err)
	}
}

// barrier waits until all that was said before has been heard: the reader closes what it is handed then.
func barrier(path string) {
	var ends [2]int
	unix.Pipe2(ends[:], unix.O_CLOEXEC)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err == nil {
		err = unix.Sendmsg(fd, []byte("BARRIER=1"), unix.UnixRights(ends[1]), &unix.SockaddrUnix{Name: path}, 0)
	}
	if err != nil {
		fmt.Println(err)
	}
	unix.Close(ends[1])
	var b [1]byte
	unix.Read(ends[0], b[:])
}

func telling(name string, probes []plan.Probe, acts ...string) plan.Service {
	s := serviceOf(name, "")
	s.Command = []expr.Expr{expr.TextOf("/proc/self/exe")}
	if self, err := os.Executable(); err == nil {
		s.Command[0] = expr.TextOf(self)
	}
	for _, word := range append([]string{tellingRole}, acts...) {
		s.Command = append(s.Command, expr.TextOf(word))
	}
	s.Probes = probes
	s.Restart.Delay, s.Restart.Cap = 600_000, 600_000
	return s
}

// ready and living are notify probes of the two kinds.
func ready(within plan.Duration) plan.Probe {
	return plan.Probe{Notify: &plan.NotifyProbe{}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: within}
}

func living(every plan.Duration, failures int) plan.Probe {
	return plan.Probe{Notify: &plan.NotifyProbe{}, Every: every, Failures: failures, Successes: 1, StartWithin: 0}
}

// TestDaemonSaysThatItIsReady holds each way of saying so: the others are asked only after it.
func TestDaemonSaysThatItIsReady(t *testing.T) {
	for name, test := range map[string]struct {
		probe plan.Probe
		how   string
	}{
		"notify":     {ready(60_000), `say READY=1\nSTATUS=serving 3 of 8`},
		"a child":    {ready(60_000), `child STATUS=serving 3 of 8\nREADY=1`},
		"descriptor": {plan.Probe{Notify: &plan.NotifyProbe{Descriptor: 4}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000}, "newline 4"},
		"log line":   {plan.Probe{LogLine: &plan.LogProbe{Pattern: "^ready on port [0-9]+$"}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000}, "print ready on port 80"},
	} {
		t.Run(name, func(t *testing.T) {
			may := filepath.Join(t.TempDir(), "may")
			s := telling("a", []plan.Probe{test.probe, silent(t)}, "print almost ready on port 80", "until "+may, test.how)
			r := begun(t, planOf(s))
			r.until("it runs", func() bool { return r.status("a").State == control.Running })
			sv := r.service("a")
			if asked := sv.snapshot().machine.Asked(); len(asked) != 1 || asked[0] != 0 {
				t.Errorf("asked before it is ready: %v", asked)
			}
			if err := os.WriteFile(may, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			r.until("it has started", func() bool { return r.count("a: started: every startup probe was answered") == 1 })
			if test.probe.Notify != nil && test.probe.Notify.Descriptor == 0 {
				r.until("its status is known", func() bool { return r.status("a").Says == "serving 3 of 8" })
			}
			if asked := sv.snapshot().machine.Asked(); len(asked) != 1 || asked[0] != 1 {
				t.Errorf("asked when it is ready: %v", asked)
			}
		})
	}
}

// TestDaemonThatIsNeverReadyIsKilled: with the reason of each way.
func TestDaemonThatIsNeverReadyIsKilled(t *testing.T) {
	for name, test := range map[string]struct {
		probe plan.Probe
		acts  []string
		want  string
	}{
		"notify":     {ready(300), []string{"say STATUS=waiting for a lock"}, "a: kill: notify: READY=1 did not come within 300ms"},
		"extended":   {ready(300), []string{"say EXTEND_TIMEOUT_USEC=600000"}, "a: kill: notify: READY=1 did not come within 300ms"},
		"descriptor": {plan.Probe{Notify: &plan.NotifyProbe{Descriptor: 3}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 300}, []string{"shut 3"}, "the descriptor was closed without a newline"},
		"log line":   {plan.Probe{LogLine: &plan.LogProbe{Pattern: "^ready"}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 300}, []string{"print not ready"}, `a: kill: log_line "^ready": no line of its output matched within 300ms`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := begun(t, planOf(telling("a", []plan.Probe{test.probe}, test.acts...)))
			r.until("it is killed", func() bool { return r.count("a: kill") > 0 })
			if r.count(test.want) == 0 {
				t.Errorf("nobody says %q", test.want)
			}
			decisions, err := r.Why(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range decisions {
				if name == "notify" && d.What == "kill" && !strings.Contains(d.Evidence, "waiting for a lock") {
					t.Errorf("the evidence of the kill is %q", d.Evidence)
				}
			}
			if name == "extended" && r.count("a: extended: the daemon asks for 600ms more to start") == 0 {
				t.Error("it was given no more time")
			}
		})
	}
}

// TestSilentWatchdogIsAHang: signs of life keep a daemon, their absence has it killed, and its own word at once.
func TestSilentWatchdogIsAHang(t *testing.T) {
	t.Parallel()
	alive := telling("alive", []plan.Probe{ready(60_000), living(400, 2)}, "say READY=1", "every 50ms WATCHDOG=1")
	hangs := telling("hangs", []plan.Probe{ready(60_000), living(400, 2)}, "say READY=1", "say WATCHDOG=1")
	says := telling("says", []plan.Probe{ready(60_000), living(600_000, 9)}, "say READY=1", "say WATCHDOG=1", "pause 300ms", "say WATCHDOG=trigger")
	r := begun(t, planOf(alive, hangs, says))
	pid := r.pidOf("alive")
	r.until("the silent one is killed", func() bool {
		return r.count("hangs: kill: notify: WATCHDOG=1 did not come within 400ms (2 of 2") > 0
	})
	r.until("the other is killed at its word", func() bool { return r.count("says: kill: notify: the daemon itself says WATCHDOG=trigger") > 0 })
	if s := r.status("alive"); s.PID != pid || s.State != control.Healthy {
		t.Errorf("the one that lives is %+v", s)
	}
}

// TestDaemonIsToldWhereToSpeak: it, and nobody before it.
func TestDaemonIsToldWhereToSpeak(t *testing.T) {
	t.Parallel()
	told, step := filepath.Join(t.TempDir(), "told"), filepath.Join(t.TempDir(), "step")
	s := telling("a", []plan.Probe{ready(60_000), living(2_500, 1)}, "environment "+told, "every 100ms READY=1\\nWATCHDOG=1")
	s.Prepare = []plan.Step{{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf("env >" + step)}, Timeout: 60_000}}}
	r := begun(t, planOf(s))
	r.pidOf("a")
	environment, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, "run", "notify", "a")
	for _, want := range []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=2500000"} {
		if !strings.Contains(string(environment), want) {
			t.Errorf("the daemon is not told %s:\n%s", want, environment)
		}
	}
	if before, err := os.ReadFile(step); err != nil || strings.Contains(string(before), "NOTIFY_SOCKET") {
		t.Errorf("a step is told %q, %v", before, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if _, err := r.Stop(t.Context(), "a", tester); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("of a service that is stopped the socket is left: %v", err)
	}
}

// TestStrangersAreNotHeard: what is not of the service's tree is dropped, counted and said.
func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	r := begun(t, planOf(telling("a", []plan.Probe{ready(600_000)}, "say MAINPID=1\\nFDSTORE=1\\nERRNO=2")))
	r.until("it runs", func() bool { return r.status("a").State == control.Running })
	path := filepath.Join(r.dir, "run", "notify", "a")
	say(path, "READY=1\nSTATUS=taken over")
	r.until("the stranger is counted", func() bool { return r.status("a").Dropped == 1 })
	if s := r.status("a"); s.State != control.Running || s.Says != "" {
		t.Errorf("a stranger was heard: %+v", s)
	}
	for _, want := range []string{
		fmt.Sprintf("a: notify: a message of process %d was dropped: the process is none of the service's", os.Getpid()),
		"a: notify: MAINPID is not obeyed", "a: notify: FDSTORE is not obeyed",
	} {
		r.until(want, func() bool { return r.count(want) == 1 })
	}
}

// TestDaemonThatLeavesHasItsGrace: it is sent no signal, and is started again once it has ended.
func TestDaemonThatLeavesHasItsGrace(t *testing.T) {
	t.Parallel()
	leaves := telling("leaves", []plan.Probe{ready(60_000)}, "deaf", "say READY=1", "say STOPPING=1", "pause 100ms", "exit")
	stays := telling("stays", []plan.Probe{ready(60_000)}, "deaf", "say READY=1", "say STOPPING=1")
	leaves.Stop.Grace = 60_000
	r := begun(t, planOf(leaves, stays))
	r.until("it has left", func() bool { return r.count("leaves: ended: exit 0 after it said that it was stopping") > 0 })
	r.until("the other is killed", func() bool { return r.count("stays: kill: still there") > 0 })
}

// TestReloadingIsNotReady, and kills nothing.
func TestReloadingIsNotReady(t *testing.T) {
	t.Parallel()
	may := filepath.Join(t.TempDir(), "may")
	probe := ready(60_000)
	probe.Role = plan.RoleReadiness
	r := begun(t, planOf(telling("a", []plan.Probe{probe}, "say READY=1", "until "+may, "say RELOADING=1", "until "+may+"2", "say READY=1")))
	pid := r.pidOf("a")
	for _, step := range []struct {
		file  string
		state control.State
	}{{may, control.Unhealthy}, {may + "2", control.Healthy}} {
		if err := os.WriteFile(step.file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		r.until(string(step.state), func() bool { return r.status("a").State == step.state })
	}
	if r.status("a").PID != pid {
		t.Error("it was killed")
	}
}

// TestNewLogLineJudgesNoDaemonThatRuns: nobody looked for the line when it started.
func TestNewLogLineJudgesNoDaemonThatRuns(t *testing.T) {
	t.Parallel()
	s := telling("a", []plan.Probe{ready(60_000)}, "say READY=1")
	s.Probes = nil
	r := begun(t, planOf(s))
	pid := r.pidOf("a")
	changed := s
	changed.Probes = []plan.Probe{{LogLine: &plan.LogProbe{Pattern: "never written"}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 1}}
	r.change(planOf(changed), "with a probe")
	r.until("it is healthy", func() bool { return r.status("a").State == control.Healthy })
	if r.status("a").PID != pid {
		t.Error("it was replaced")
	}
}

// TestDaemonOfAnotherAccountReachesItsSocket, which is that account's alone.
func TestDaemonOfAnotherAccountReachesItsSocket(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-notify"); err != nil || os.Geteuid() != 0 {
		t.Skip("this needs root, and systemd-notify")
	}
	s := serviceOf("a", "systemd-notify --ready --status=\"$(id -un)\"; exec sleep 1000")
	s.User, s.Probes = "nobody", []plan.Probe{ready(60_000)}
	p := planOf(s)
	p.Accounts = []plan.Account{{Name: "nobody", Existing: true}}
	dir := t.TempDir()
	for _, passed := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(passed, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := prepare(t, dir, p)
	r.begin()
	r.until("it is ready", func() bool { return r.status("a").State == control.Healthy })
	if says := r.status("a").Says; says != "nobody" {
		t.Errorf("it is %q who says so", says)
	}
	info, err := os.Stat(filepath.Join(r.dir, "run", "notify", "a"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Errorf("the socket is %v, %v", info, err)
	}
}

// TestStarvedDaemonIsNotKilled keeps every processor busy with others that are far more to the kernel: what does not come
// meanwhile, and comes in time otherwise, is nobody's fault.
func TestStarvedDaemonIsNotKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it keeps all processors busy for three seconds")
	}
	s := telling("a", []plan.Probe{ready(60_000), living(1_000, 1)}, "say READY=1", "every 100ms WATCHDOG=1")
	nice := 19
	s.Limits.Nice = &nice
	r := begun(t, planOf(s))
	pid := r.pidOf("a")
	var others []*exec.Cmd
	for range 4 * runtime.NumCPU() {
		busy := exec.Command("nice", "-n", "10", "/bin/sh", "-c", "while :; do :; done") // who else is tested goes before them
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		others = append(others, busy)
	}
	time.Sleep(3 * time.Second) // the starvation
	for _, busy := range others {
		busy.Process.Kill()
		busy.Wait()
	}
	r.until("it is healthy", func() bool { return r.status("a").State == control.Healthy })
	if now := r.status("a"); now.PID != pid {
		t.Errorf("it was killed: %+v", now)
	}
}

// What a daemon says while its probes begin anew, since they are to ask otherwise, is not lost.
func TestWhatWasSaidIsKnownToProbesThatBeginAnew(t *testing.T) {
	readiness := ready(60_000)
	readiness.Role = plan.RoleReadiness
	asks := plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/true"), expr.FlagOf("as")}},
		Every: 60_000, Timeout: 10_000, Failures: 3, Successes: 1, StartWithin: 60_000}
	p := planOf(telling("a", []plan.Probe{readiness, asks}))
	p.Flags = []plan.Flag{{Name: "as", Type: plan.FlagString, Default: expr.TextOf("one"), Apply: plan.Apply{Action: plan.ApplyRestart}}}
	r := begun(t, p)
	r.until("it runs", func() bool { return r.status("a").State == control.Running })
	sv := r.service("a")
	said := make(chan struct{})
	sv.send(message{do: func() {
		h := sv.hearing
		h.mu.Lock()
		h.ready, h.told = true, true // as if READY=1 came just now
		h.mu.Unlock()
		close(said)
	}})
	<-said
	r.write(filepath.Join(r.dir, "root/etc/test/flags"), "as=two\n")
	r.until("it is healthy", func() bool { return r.status("a").State == control.Healthy })
}
