package unit

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tour is a plan with one of everything that a unit or a check shows.
func tour() *plan.Plan {
	adjust := -100
	return &plan.Plan{
		Format: plan.Format,
		Name:   "foo",
		Flags: []plan.Flag{
			{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080), Apply: plan.Apply{Action: plan.ApplyRestart}},
		},
		Package: &plan.Package{
			Name: "foo", Version: "1.4.2", Release: 3, Maintainer: "Foo Team <foo@example.org>",
			Summary: `serves 100% of foo \`, Homepage: "https://example.org/%66oo", Style: "full", Runtime: "standalone",
		},
		Services: []plan.Service{{
			Name:    "foo",
			Command: []expr.Expr{expr.PathOf("/usr/bin/food")},
			Probes: []plan.Probe{
				{HTTP: &plan.HTTPProbe{Port: expr.FlagOf("port"), Path: "/healthz?a=b&c='", Status: plan.Status(200), Expect: "o'k\n"},
					Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1, StartWithin: 30_000},
				{TCP: &plan.TCPProbe{Host: "localhost", Port: expr.Call(expr.OpAdd, expr.FlagOf("port"), expr.IntOf(1)), Send: "PING\r\n\x00%s\\", Expect: "PONG"},
					Every: 1000, Timeout: 500, Failures: 2, Successes: 2, StartWithin: 0},
				{TCP: &plan.TCPProbe{Host: "::1", Port: expr.IntOf(7000), ConnectOnly: true},
					Every: 1005, Timeout: 10, Failures: 1, Successes: 1, StartWithin: 60_000},
			},
			Restart: plan.DefaultRestart(),
			Stop:    plan.Stop{Signal: "INT", Grace: 0},
			Limits:  plan.Limits{NoFile: 65536, Memory: 512 << 20, CPU: 150, PIDs: 500, OOMScoreAdj: &adjust},
			Logs:    plan.DefaultLogs(),
		}},
	}
}

// several is a plan of two services, one behind the other, without package or probes.
func several() *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Name: "pair"}
	for _, name := range []string{"front", "back"} {
		p.Services = append(p.Services, plan.Service{
			Name: name, Command: []expr.Expr{expr.TextOf("/bin/true")}, Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.Logs{Size: 64 << 20, Keep: 5, Rate: 100, Burst: 500},
		})
	}
	p.Services[0].After = []string{"back"}
	return p
}

// tasks are one of each kind.
func tasks() *plan.Plan {
	p := tour()
	p.Tasks = []plan.Task{
		{Name: "sweep", Command: []expr.Expr{expr.TextOf("/bin/true")}, Every: 3_600_000, Jitter: 300_000, Timeout: 600_000, Logs: plan.DefaultLogs(), Limits: plan.Limits{NoFile: 1024}, After: []string{"foo"}},
		{Name: "beat", Command: []expr.Expr{expr.TextOf("/bin/true")}, Every: 10_000, Timeout: 5_000, Restart: &plan.Restart{Delay: 500, Cap: 1000}, Logs: plan.DefaultLogs()},
		{Name: "seed", Command: []expr.Expr{expr.TextOf("/bin/true")}, Timeout: 600_000, Logs: plan.DefaultLogs()},
	}
	return p
}

// listening is a service with sockets.
func listening() *plan.Plan {
	p := several()
	p.Services = p.Services[:1]
	p.Name, p.Services[0].Name, p.Services[0].After = "ears", "ears", nil
	p.Services[0].Listen = []plan.Socket{
		{Name: "web", Type: plan.Stream, Port: expr.IntOf(8080), Backlog: 4096},
		{Name: "local", Type: plan.Stream, Host: "::1", Port: expr.IntOf(8081), Backlog: 4096},
		{Name: "admin", Type: plan.Stream, Path: expr.PathOf("/run/ears/100%.sock"), Mode: 0o660, Group: "adm", Backlog: 4096},
		{Name: "log", Type: plan.Datagram, Host: "127.0.0.1", Port: expr.IntOf(514)},
	}
	return p
}

// telling says of itself that it is ready and alive, and is asked besides.
func telling() *plan.Plan {
	p := several()
	p.Services = p.Services[:1]
	s := &p.Services[0]
	p.Name, s.Name, s.After = "tells", "tells", nil
	s.Prepare = []plan.Step{{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/true")}, Timeout: 300_000}}}
	s.Probes = []plan.Probe{
		{Notify: &plan.NotifyProbe{}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000},
		{Notify: &plan.NotifyProbe{}, Every: 10_000, Failures: 3, Successes: 1, StartWithin: 60_000},
		{TCP: &plan.TCPProbe{Host: "localhost", Port: expr.IntOf(80)}, Every: 1000, Timeout: 500, Failures: 2, Successes: 2, StartWithin: 0},
	}
	return p
}

// rendered gives every file of a plan by its name.
func rendered(t *testing.T, p *plan.Plan) map[string][]byte {
	t.Helper()
	if problems := p.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	files := map[string][]byte{}
	for i := range p.Services {
		s := &p.Services[i]
		service, err := Systemd(p, s)
		if err != nil {
			t.Fatal(err)
		}
		check, err := SystemdCheck(p, s)
		if err != nil {
			t.Fatal(err)
		}
		script, err := Check(p, s)
		if err != nil {
			t.Fatal(err)
		}
		socket, err := SystemdSocket(p, s)
		if err != nil {
			t.Fatal(err)
		}
		if socket != nil {
			files[s.Name+".socket"] = socket
		}
		for j, name := range Names(s) {
			files[name] = [][]byte{service, check}[j]
		}
		if script != nil {
			files["check-"+s.Name] = script
		}
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		files[t.Name+".service"] = SystemdTask(p, t)
		if timer := SystemdTimer(p, t); timer != nil {
			files[t.Name+".timer"] = timer
		}
	}
	return files
}

func TestGolden(t *testing.T) {
	for _, p := range []*plan.Plan{tour(), several(), tasks(), listening(), telling()} {
		for name, text := range rendered(t, p) {
			if strings.HasPrefix(name, "check-") { // most of it is check.sh and the launcher's; what is asked is this plan's
				_, rest, _ := strings.Cut(string(text), "\nexchange() {")
				exchanges, rest, _ := strings.Cut(rest, "\nonce() {")
				_, calls, _ := strings.Cut(rest, "\nread -r ")
				text = []byte("exchange() {" + exchanges + "\nread -r " + calls)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(text)); diff != "" {
				t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, diff)
			}
		}
	}
}

func TestStoppedNamesTheServiceOnlyAmongSeveral(t *testing.T) {
	one, two := tour(), several()
	if got := Stopped(one, &one.Services[0]); got != "/etc/foo/stopped" {
		t.Error(got)
	}
	if got := Stopped(two, &two.Services[1]); got != "/etc/pair/back.stopped" {
		t.Error(got)
	}
	p := tasks() // its service keeps the file that it had without tasks
	if got := Stopped(p, &p.Services[0]) + " " + StoppedTask(p, &p.Tasks[0]); got != "/etc/foo/stopped /etc/foo/sweep.stopped" {
		t.Error(got)
	}
}

func TestClashOfNames(t *testing.T) {
	p := tour()
	p.Services = append(p.Services, plan.Service{Name: "foo-check"})
	if _, err := Systemd(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), "rename one") {
		t.Errorf("two services want foo-check.service: %v", err)
	}
}

// TestTimersKeepToTheirInterval: the host's phase and the jitter together stay below the interval, from which systemd counts.
func TestTimersKeepToTheirInterval(t *testing.T) {
	for _, every := range []plan.Duration{1000, 30_000, 60_000, 900_000, 3_600_000, 86_400_000, 7 * 86_400_000} {
		for _, jitter := range []plan.Duration{0, every / 10, every / 2} {
			task := plan.Task{Name: "x", Every: every, Jitter: jitter}
			var delay, late plan.Duration
			for line := range strings.Lines(string(SystemdTimer(tour(), &task))) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				var err error
				switch key {
				case "RandomizedDelaySec":
					err = delay.UnmarshalText([]byte(value))
				case "AccuracySec":
					err = late.UnmarshalText([]byte(value))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if late < jitter || late <= 0 || delay < every/4 || delay+late >= every {
				t.Errorf("every %s, jitter %s: a delay of %s, and %s late", every, jitter, delay, late)
			}
		}
	}
}

// TestSocketsThatSystemdCannotSay are refused, with a way out.
func TestSocketsThatSystemdCannotSay(t *testing.T) {
	for says, edit := range map[string]func(s *plan.Service){
		"depends on a flag or on the host": func(s *plan.Service) { s.Listen[0].Port = expr.FlagOf("port") },
		"has another backlog than":         func(s *plan.Service) { s.Listen[1].Backlog = 7 },
		"has another mode or owner than": func(s *plan.Service) {
			s.Listen[0] = plan.Socket{Name: "x", Type: plan.Stream, Path: expr.PathOf("/run/x"), Mode: 0o600, Backlog: 4096}
		},
	} {
		p := listening()
		p.Flags = []plan.Flag{{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080), Apply: plan.Apply{Action: plan.ApplyRestart}}}
		edit(&p.Services[0])
		if _, err := SystemdSocket(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestNulCannotBeExpected(t *testing.T) {
	p := tour()
	p.Services[0].Probes[1].TCP.Expect = "a\x00b"
	if _, err := Check(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Errorf("a NUL is expected: %v", err)
	}
}

// need skips where a tool is missing, or fails where RECIPE_TEST_HOST=1 promises that none is.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatalf("RECIPE_TEST_HOST=1, but this needs %s", tool)
		}
		t.Skipf("this needs %s (.ci/run installs it)", tool)
	}
}

// TestSystemdAcceptsUnits asks systemd whether it knows every key and takes every value.
func TestSystemdAcceptsUnits(t *testing.T) {
	need(t, "systemd-analyze")
	for _, p := range []*plan.Plan{tour(), several(), tasks(), listening(), telling()} {
		root := t.TempDir()
		paths := []string{}
		units := rendered(t, p)
		if p.Package != nil {
			units["supervisor.service"] = SystemdSupervisor(p)
		}
		for name, text := range units {
			if strings.HasPrefix(name, "check-") {
				continue
			}
			path := filepath.Join(root, name)
			// What it starts is not installed here, which systemd would complain of.
			text := strings.NewReplacer("/usr/bin/recipe", "/bin/true", "/usr/sbin/run-foo", "/bin/true", "/usr/sbin/run-front", "/bin/true", "/usr/sbin/run-back", "/bin/true",
				"/usr/sbin/run-ears", "/bin/true", "/usr/sbin/run-tells", "/bin/true", "/usr/lib/tells/check-tells", "/bin/true", "/usr/sbin/run-sweep", "/bin/true", "/usr/sbin/run-beat", "/bin/true", "/usr/sbin/run-seed", "/bin/true",
				"/usr/lib/foo/check-foo", "/bin/true").Replace(string(text))
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		cmd := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--generators=no"}, paths...)...)
		out, err := cmd.CombinedOutput()
		for _, line := range strings.Split(string(out), "\n") { // of our units alone: this machine has others
			for _, path := range paths {
				if strings.Contains(line, filepath.Base(path)) || strings.Contains(line, path) {
					t.Error(line)
				}
			}
		}
		if err != nil && len(out) == 0 {
			t.Error(err)
		}
	}
}

func TestShellcheckFindsNothing(t *testing.T) {
	need(t, "shellcheck")
	text := rendered(t, tour())["check-foo"]
	// SC2034: flags that no probe reads are judged all the same, as the launcher judges them.
	cmd := exec.Command("shellcheck", "--exclude=SC2034", "-")
	cmd.Stdin = strings.NewReader(string(text))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnitsRefuseWhatSystemdDoesNotHear, with the reason.
func TestUnitsRefuseWhatSystemdDoesNotHear(t *testing.T) {
	for want, change := range map[string]func(p *plan.Probe){
		"waits for a newline on a descriptor":     func(p *plan.Probe) { p.Notify.Descriptor = 3 },
		"waits for a line of the daemon's output": func(p *plan.Probe) { p.Notify, p.LogLine = nil, &plan.LogProbe{Pattern: "up"} },
	} {
		p := telling()
		change(&p.Services[0].Probes[0])
		if _, err := Systemd(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
