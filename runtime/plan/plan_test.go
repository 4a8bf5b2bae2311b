package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
)

var update = flag.Bool("update", false, "rewrite testdata")

func number(n int64) *int64 { return &n }

// whole is a sound plan that uses every type and field.
func whole() *Plan {
	score, level, none, umask := -100, 5, Size(0), Mode(0o027)
	data := expr.PathOf("/var/lib/foo")
	port := expr.FlagOf("port")
	return &Plan{
		Format: Format, Name: "foo",
		Flags: []Flag{
			{Name: "port", Type: FlagPort, Default: expr.IntOf(8080), Help: "TCP port", Apply: Apply{Action: ApplyRestart}},
			{Name: "workers", Type: FlagInt, Default: expr.Call(expr.OpClamp, expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(2)), expr.IntOf(2), expr.IntOf(64)), Min: number(1), Max: number(256), Apply: Apply{Action: ApplyNone}},
			{Name: "log-level", Type: FlagEnum, Values: []string{"debug", "info"}, Default: expr.TextOf("info"), Apply: Apply{Action: ApplySignal, Signal: "HUP"}},
			{Name: "wait", Type: FlagDuration, Default: expr.DurationOf(90_000), Apply: Apply{Action: ApplyRestart}},
			{Name: "cache", Type: FlagSize, Default: expr.SizeOf(64 << 20), Apply: Apply{Action: ApplyRestart}},
		},
		Accounts: []Account{{Name: "foo", Group: "foo", Groups: []string{"ssl-cert"}, Home: data}, {Name: "www-data", Existing: true}},
		Package: &Package{
			Name: "foo", Version: "1.4.2", Release: 3, Rollback: 1, License: "Apache-2.0", Maintainer: "Foo Team <foo@example.org>",
			Summary: "serves <foo> & \"bar\"", Description: "Serves foo.", Homepage: "https://example.org", Style: "full", Runtime: "standalone",
			Build: []Run{{Command: []expr.Expr{expr.TextOf("go"), expr.TextOf("build")}, Timeout: 600_000}},
			Contents: []Content{{Kind: ContentFile, Source: "dist/food", Path: "/usr/lib/foo/bin/food", Mode: 0o755}, {Kind: ContentConfig, Source: "foo.conf", Path: "/etc/foo/foo.conf", Mode: 0o640, Owner: "root", Group: "foo"},
				{Kind: ContentTree, Source: "static", Path: "/usr/share/foo/static", Exclude: []string{"*.map"}}, {Kind: ContentTree, Source: "bin", Path: "/usr/lib/foo/more", Mode: 0o755},
				{Kind: ContentDirectory, Path: "/var/lib/foo", Mode: 0o750, Owner: "foo", Group: "foo"}, {Kind: ContentSymlink, Path: "/usr/bin/food", Target: "../lib/foo/bin/food"}},
			Depends: []string{"ca-certificates", "libc6 (>= 2.36)"},
		},
		Services: []Service{{
			Name: "foo", User: "foo",
			Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.Fmt("--workers={}", expr.FlagOf("workers"))},
			Env:     []Variable{{Name: "FOO_DATA", Value: data}},
			Prepare: []Step{
				{Directory: &Directory{Path: data, Owner: "foo", Group: "foo", Mode: 0o750}},
				{Template: &Template{Path: expr.PathOf("/run/foo/live.conf"), Text: expr.Fmt("listen {}\nlog-level {}\n", port, expr.FlagOf("log-level")), Mode: 0o644}},
				{RequireFreeSpace: &RequireFreeSpace{Path: data, Size: expr.SizeOf(1 << 30)}},
				{RequirePortFree: &RequirePortFree{Port: port}},
				{Run: &Run{Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.TextOf("--migrate")}, Timeout: 30_000}},
				{Copy: &Copy{Source: expr.PathOf("/usr/share/foo/foo.conf"), Path: expr.PathOf("/var/lib/foo/foo.conf"), Owner: "foo", Group: "foo", Mode: 0o640, Once: true}},
				{Symlink: &Symlink{Path: expr.PathOf("/var/lib/foo/current"), Target: expr.TextOf("releases/5")}},
				{WaitFor: &WaitFor{Host: "db.example.org", Port: expr.IntOf(5432), Timeout: 60_000}},
				{WaitFor: &WaitFor{Socket: expr.PathOf("/run/db.sock"), Timeout: 60_000}},
				{WaitFor: &WaitFor{Path: expr.PathOf("/srv/data"), Timeout: 60_000}},
				{RequireFile: &RequireFile{Path: expr.PathOf("/usr/lib/foo/bin/food"), Executable: true}},
				{RequireMemory: &RequireMemory{Size: expr.SizeOf(1 << 30)}},
				{RequireMount: &RequireMount{Path: expr.PathOf("/srv/data")}},
				{RequireWritable: &RequireWritable{Path: expr.PathOf("/srv/data")}},
			},
			Listen: []Socket{
				{Name: "web", Type: Stream, Host: "127.0.0.1", Port: expr.IntOf(8081), Backlog: 4096},
				{Name: "admin", Type: Datagram, Path: expr.PathOf("/run/foo/admin.sock"), Mode: 0o660, Owner: "foo", Group: "adm"},
			},
			Probes: []Probe{
				{HTTP: &HTTPProbe{Host: "127.0.0.1", Port: port, Path: "/healthz", Status: Status(200)}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1, StartWithin: 60_000},
				{TCP: &TCPProbe{Host: "127.0.0.1", Port: port, Send: "PING\r\n", Expect: "PONG"}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1},
				{TCP: &TCPProbe{Unix: expr.PathOf("/run/foo.sock"), TLS: &TLS{ServerName: "foo.example", CA: expr.PathOf("/etc/foo/ca.pem")}, Exchange: []Round{{Send: "\x00\xff", Expect: "a"}, {Expect: "b"}}}, Role: RoleStartup, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1},
				{TCP: &TCPProbe{Port: port, TLS: &TLS{Insecure: true}, ConnectOnly: true}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1},
				{HTTP: &HTTPProbe{Unix: expr.PathOf("/run/foo.sock"), TLS: &TLS{ServerName: "foo.example"}, Method: "POST", Path: "/", Headers: []Header{{"A", "b"}}, Body: "c", Status: Statuses{{200, 200}, {300, 399}}, Expect: "d"}, Role: RoleReadiness, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1},
				{Exec: &ExecProbe{Command: []expr.Expr{expr.TextOf("/usr/bin/foo"), expr.TextOf("--ping")}}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1},
			},
			Restart: DefaultRestart(), Stop: DefaultStop(), Logs: Logs{Size: 64 << 20, Keep: 30, MaxAge: 86_400_000, Compress: true, Format: LogJSON, Rate: 100, Burst: 500, Forward: ForwardJournald},
			WorkDir: data, Umask: &umask,
			Limits: Limits{NoFile: 65536, NProc: 4096, Core: &none, Stack: 1 << 20, FSize: 1 << 30, MemLock: &none, Memory: 512 << 20, CPU: 150, PIDs: 500, Nice: &level, IONice: "best-effort", IOLevel: &level,
				OOMScoreAdj: &score, Capabilities: &[]string{"net_bind_service"}, NoNewPrivs: true},
			After: []string{"bar"},
		}, {Name: "bar", Command: []expr.Expr{expr.TextOf("/usr/bin/bar")}, Restart: DefaultRestart(), Stop: DefaultStop(), Logs: DefaultLogs()}},
		Tasks: []Task{
			{Name: "foo-sweep", User: "foo", Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.TextOf("--sweep")}, Env: []Variable{{Name: "FOO_DATA", Value: data}},
				Prepare: []Step{{RequireFreeSpace: &RequireFreeSpace{Path: data, Size: expr.SizeOf(1 << 20)}}},
				Every:   3_600_000, Jitter: 300_000, Timeout: 600_000, Limits: Limits{NoFile: 1024}, Logs: DefaultLogs(), After: []string{"foo"}},
			{Name: "foo-seed", Command: []expr.Expr{expr.TextOf("/usr/bin/seed")}, Timeout: 600_000, Restart: &Restart{Delay: 1000, Cap: 300_000, JitterPermille: 200, StableAfter: 60_000}, Logs: DefaultLogs()},
		},
		Hooks: []Hook{
			{Phase: BeforeInstall, Strict: true, Steps: []Step{{RequireFreeSpace: &RequireFreeSpace{Path: expr.PathOf("/var"), Size: expr.SizeOf(1 << 30)}}}},
			{Phase: AfterUpgrade, User: "foo", Steps: []Step{{Run: &Run{Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.TextOf("--reindex")}, Timeout: 300_000}}}},
		},
		Inputs: []Input{{Path: "lib/x.star", SHA256: strings.Repeat("0", 64)}},
	}
}

func TestCanonicalJSON(t *testing.T) {
	data, err := whole().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/whole.json", data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/whole.json")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(data)); d != "" {
		t.Errorf("the canonical form changed; if that is meant, raise Format and run with -update:\n%s", d)
	}
	back, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(whole(), back); d != "" {
		t.Errorf("decoding lost something:\n%s", d)
	}
	again, err := back.Encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("a plan in does not give the same bytes out: %v", err)
	}
	sum := sha256.Sum256(data)
	if digest, err := back.Digest(); err != nil || digest != hex.EncodeToString(sum[:]) {
		t.Errorf("digest %s, %v is not the SHA-256 of the bytes", digest, err)
	}
}

// secretly adds a secret flag, password, and changes the plan then.
func secretly(edit func(*Plan, *Flag)) func(*Plan) {
	return func(p *Plan) {
		p.Flags = append(p.Flags, Flag{Name: "password", Type: FlagString, Secret: true, Apply: Apply{Action: ApplyRestart}})
		at := len(p.Flags) - 1
		f := p.Flags[at]
		edit(p, &f)
		p.Flags[at] = f
	}
}

// TestASecretMayBeShownInATemplate that nobody else may read.
func TestASecretMayBeShownInATemplate(t *testing.T) {
	p := whole()
	secretly(func(p *Plan, f *Flag) {
		p.Services[0].Prepare = []Step{{Template: &Template{Path: expr.PathOf("/x"), Text: expr.Fmt("password {}", expr.FlagOf("password")), Mode: 0o640}}}
	})(p)
	if problems := p.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestProblems(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Plan)
		want string // path and code
	}{
		{"socket without a place", func(p *Plan) { p.Services[0].Listen[0].Port = expr.Expr{} }, "services[0].listen[0] missing-argument"},
		{"socket in two places", func(p *Plan) { p.Services[0].Listen[0].Path = expr.PathOf("/x") }, "services[0].listen[0] missing-argument"},
		{"socket twice", func(p *Plan) { p.Services[0].Listen[1].Name = "web" }, "services[0].listen[1].name duplicate-name"},
		{"socket with a name of two", func(p *Plan) { p.Services[0].Listen[1].Name = "a:b" }, "services[0].listen[1].name bad-name"},
		{"socket of another type", func(p *Plan) { p.Services[0].Listen[1].Type = "seqpacket" }, "services[0].listen[1].type unknown-choice"},
		{"socket on a name", func(p *Plan) { p.Services[0].Listen[0].Host = "localhost" }, "services[0].listen[0].host bad-name"},
		{"port with a mode", func(p *Plan) { p.Services[0].Listen[0].Mode = 0o600 }, "services[0].listen[0].mode wrong-type"},
		{"path without a mode", func(p *Plan) { p.Services[0].Listen[1].Mode = 0 }, "services[0].listen[1].mode out-of-range"},
		{"path with a host", func(p *Plan) { p.Services[0].Listen[1].Host = "::1" }, "services[0].listen[1].host wrong-type"},
		{"path beyond the kernel's", func(p *Plan) { p.Services[0].Listen[1].Path = expr.PathOf("/" + strings.Repeat("x", 107)) }, "services[0].listen[1].path bad-path"},
		{"backlog of nothing", func(p *Plan) { p.Services[0].Listen[0].Backlog = 0 }, "services[0].listen[0].backlog out-of-range"},
		{"backlog of datagrams", func(p *Plan) { p.Services[0].Listen[1].Backlog = 1 }, "services[0].listen[1].backlog wrong-type"},
		{"own port must be free", func(p *Plan) { p.Services[0].Prepare[3].RequirePortFree.Port = p.Services[0].Listen[0].Port }, "services[0].prepare[3].require_port_free.port wrong-type"},
		{"socket of a package that a flag moves", func(p *Plan) {
			p.Services[0].Listen[0].Port = expr.Call(expr.OpAdd, expr.FlagOf("port"), expr.IntOf(1))
		}, "services[0].listen[0].port needs-more-than-sh"},
		{"too many sockets", func(p *Plan) {
			for i := range MostSockets {
				p.Services[0].Listen = append(p.Services[0].Listen, Socket{Name: fmt.Sprint("s", i), Type: Stream, Port: expr.IntOf(int64(2000 + i)), Backlog: 1})
			}
		}, "services[0].listen out-of-range"},
		{"more sockets than sh keeps from a step", func(p *Plan) {
			for i := range MostShellSockets {
				p.Services[0].Listen = append(p.Services[0].Listen, Socket{Name: fmt.Sprint("s", i), Type: Stream, Port: expr.IntOf(int64(2000 + i)), Backlog: 1})
			}
		}, "services[0].listen needs-more-than-sh"},
		{"a terminal that no init gives", func(p *Plan) { p.Services[0].Terminal = true }, "services[0].terminal needs-more-than-sh"},
		{"task named as a service", func(p *Plan) { p.Tasks[0].Name = "bar" }, "tasks[0].name duplicate-name"},
		{"task without a command", func(p *Plan) { p.Tasks[0].Command = nil }, "tasks[0].command missing-argument"},
		{"task that forks away", func(p *Plan) { p.Tasks[0].Command = append(p.Tasks[0].Command, expr.TextOf("--daemonize")) }, "tasks[0].command[2] daemonizes"},
		{"interval that moves about the clock", func(p *Plan) { p.Tasks[0].Every = 7 * 60_000 }, "tasks[0].every out-of-range"},
		{"interval below a second", func(p *Plan) { p.Tasks[0].Every, p.Tasks[0].Jitter = 500, 0 }, "tasks[0].every out-of-range"},
		{"jitter of more than half", func(p *Plan) { p.Tasks[0].Jitter = p.Tasks[0].Every/2 + 1 }, "tasks[0].jitter out-of-range"},
		{"jitter of nothing", func(p *Plan) { p.Tasks[1].Jitter = 1000 }, "tasks[1].jitter wrong-type"},
		{"task without time", func(p *Plan) { p.Tasks[0].Timeout = 0 }, "tasks[0].timeout out-of-range"},
		{"cap of a task below its delay", func(p *Plan) { p.Tasks[1].Restart.Cap = 10 }, "tasks[1].restart.cap out-of-range"},
		{"task after nothing", func(p *Plan) { p.Tasks[0].After = []string{"baz"} }, "tasks[0].after[0] undeclared-name"},
		{"task after a task", func(p *Plan) { p.Tasks[0].After = []string{"foo-seed"} }, "tasks[0].after[0] undeclared-name"},
		{"hook of no phase", func(p *Plan) { p.Hooks[0].Phase = "after_lunch" }, "hooks[0].phase unknown-choice"},
		{"phase twice", func(p *Plan) { p.Hooks[1].Phase = BeforeInstall }, "hooks[1].phase duplicate-name"},
		{"hook without a package", func(p *Plan) { p.Package = nil }, "hooks[0].phase missing-argument"},
		{"hook without steps", func(p *Plan) { p.Hooks[0].Steps = nil }, "hooks[0].steps missing-argument"},
		{"hook of nobody", func(p *Plan) { p.Hooks[1].User = "bar" }, "hooks[1].user undeclared-name"},
		{"hook of an account that is not there yet", func(p *Plan) { p.Hooks[0].User = "foo" }, "hooks[0].user not-there-yet"},
		{"hook for an owner who is not there yet", func(p *Plan) {
			p.Hooks[0].Steps = []Step{{Directory: &Directory{Path: expr.PathOf("/x"), Owner: "foo", Mode: 0o755}}}
		}, "hooks[0].steps[0].directory.owner not-there-yet"},
		{"hook that runs what is not there yet", func(p *Plan) { p.Hooks[1].Phase, p.Hooks[0].Phase = BeforeInstall, AfterInstall }, "hooks[1].steps[0].run.command[0] not-there-yet"},
		{"hook by a function before anything is there", func(p *Plan) {
			p.Package.Runtime, p.Hooks[0].Steps, p.Hooks[0].Script = RuntimeRecipe, nil, &Script{Function: "f", Modules: []ScriptModule{{Name: "x.star"}}}
		}, "hooks[0].script not-there-yet"},
		{"hook by a function in a standalone package", func(p *Plan) {
			p.Hooks[1].Steps, p.Hooks[1].Script = nil, &Script{Function: "f", Modules: []ScriptModule{{Name: "x.star"}}}
		}, "hooks[1].script needs-more-than-sh"},
		{"hook that runs what is gone", func(p *Plan) { p.Hooks[1].Phase = AfterRemove }, "hooks[1].steps[0].run.command[0] not-there-yet"},
		{"hook that copies what is gone", func(p *Plan) {
			p.Hooks[1].Phase, p.Hooks[1].Steps = AfterRemove, []Step{{Copy: &Copy{Source: expr.PathOf("/usr/share/foo/static/a"), Path: expr.PathOf("/x"), Mode: 0o644}}}
		}, "hooks[1].steps[0].copy.source not-there-yet"},
		{"step of a hook", func(p *Plan) { p.Hooks[1].Steps[0].Run.Timeout = 0 }, "hooks[1].steps[0].run.timeout out-of-range"},
		{"style", func(p *Plan) { p.Package.Style = "stagin" }, "package.style unknown-choice"},
		{"runtime", func(p *Plan) { p.Package.Runtime = "docker" }, "package.runtime unknown-choice"},
		{"plan name", func(p *Plan) { p.Name = "Foo!" }, "name bad-name"},
		{"no name", func(p *Plan) { p.Name = "" }, "name missing-argument"},
		{"flag name", func(p *Plan) { p.Flags[0].Name = "Port" }, "flags[0].name bad-name"},
		{"flag twice", func(p *Plan) { p.Flags[3].Name = "port" }, "flags[3].name duplicate-name"},
		{"flag type", func(p *Plan) { p.Flags[3].Type = "durration" }, "flags[3].type unknown-choice"},
		{"default of another type", func(p *Plan) { p.Flags[0].Default = expr.TextOf("x") }, "flags[0].default wrong-type"},
		{"default out of range", func(p *Plan) { p.Flags[0].Default = expr.IntOf(70000) }, "flags[0].default out-of-range"},
		{"default names itself", func(p *Plan) { p.Flags[1].Default = expr.FlagOf("workers") }, "flags[1].default undeclared-name"},
		{"default names a later flag", func(p *Plan) { p.Flags[0].Default = expr.FlagOf("workers") }, "flags[0].default undeclared-name"},
		{"enum without values", func(p *Plan) { p.Flags[2].Values = nil }, "flags[2].values missing-argument"},
		{"enum default", func(p *Plan) { p.Flags[2].Default = expr.TextOf("inof") }, "flags[2].default out-of-range"},
		{"values of an int", func(p *Plan) { p.Flags[1].Values = []string{"1"} }, "flags[1].values wrong-type"},
		{"bounds of an enum", func(p *Plan) { p.Flags[2].Min = number(1) }, "flags[2].min wrong-type"},
		{"bounds crossed", func(p *Plan) { p.Flags[1].Min = number(300) }, "flags[1].min out-of-range"},
		{"list in an environment", func(p *Plan) {
			p.Flags = append(p.Flags, Flag{Name: "hosts", Type: FlagList, Default: expr.ListOf("a"), Apply: Apply{Action: ApplyRestart}})
			p.Services[0].Env = []Variable{{Name: "HOSTS", Value: expr.FlagOf("hosts")}}
		}, "services[0].env[0].value wrong-type"},
		{"list as a program", func(p *Plan) {
			p.Flags = append(p.Flags, Flag{Name: "hosts", Type: FlagList, Default: expr.ListOf("a"), Apply: Apply{Action: ApplyRestart}})
			p.Services[0].Command = []expr.Expr{expr.FlagOf("hosts")}
		}, "services[0].command[0] wrong-type"},
		{"elements out of range", func(p *Plan) {
			p.Flags = append(p.Flags, Flag{Name: "hosts", Type: FlagList, Min: number(2), Default: expr.ListOf("a"), Apply: Apply{Action: ApplyRestart}})
		}, "flags[5].default out-of-range"},
		{"pattern of an int", func(p *Plan) { p.Flags[1].Pattern = "[0-9]+" }, "flags[1].pattern wrong-type"},
		{"pattern that is none", func(p *Plan) {
			p.Flags = append(p.Flags, Flag{Name: "tag", Type: FlagString, Pattern: "^a", Default: expr.TextOf("a"), Apply: Apply{Action: ApplyRestart}})
		}, "flags[5].pattern bad-pattern"},
		{"default that does not match", func(p *Plan) {
			p.Flags = append(p.Flags, Flag{Name: "tag", Type: FlagString, Pattern: "[a-z]+", Default: expr.TextOf("A"), Apply: Apply{Action: ApplyRestart}})
		}, "flags[5].default out-of-range"},
		{"unit of a port", func(p *Plan) { p.Flags[0].Unit = "ports" }, "flags[0].unit wrong-type"},
		{"help of two lines", func(p *Plan) { p.Flags[0].Help = "a\nb" }, "flags[0].help bad-text"},
		{"old name of two flags", func(p *Plan) {
			p.Flags[0].RenamedFrom, p.Flags[1].RenamedFrom = []string{"listen"}, []string{"listen"}
		}, "flags[1].renamed_from[0] duplicate-name"},
		{"old name of another flag", func(p *Plan) { p.Flags[1].RenamedFrom = []string{"port"} }, "flags[1].renamed_from[0] duplicate-name"},
		{"secret of another type", secretly(func(p *Plan, f *Flag) { f.Type = FlagPort }), "flags[5].type wrong-type"},
		{"secret with a default", secretly(func(p *Plan, f *Flag) { f.Default = expr.TextOf("hunter2") }), "flags[5].default secret-shown"},
		{"secret in a command", secretly(func(p *Plan, f *Flag) {
			p.Services[0].Command = append(p.Services[0].Command, expr.Fmt("--password={}", expr.FlagOf("password")))
		}), "services[0].command[2] secret-shown"},
		{"secret in a run step", secretly(func(p *Plan, f *Flag) {
			p.Services[0].Prepare = []Step{{Run: &Run{Command: []expr.Expr{expr.TextOf("/bin/x"), expr.FlagOf("password")}, Timeout: 1000}}}
		}), "services[0].prepare[0].run.command[1] secret-shown"},
		{"secret in a variable", secretly(func(p *Plan, f *Flag) {
			p.Services[0].Env = []Variable{{Name: "PASSWORD", Value: expr.FlagOf("password")}}
		}), "services[0].env[0].value secret-shown"},
		{"secret in a default", secretly(func(p *Plan, f *Flag) {
			p.Flags = append(p.Flags, Flag{Name: "url", Type: FlagString, Default: expr.Fmt("x:{}", expr.FlagOf("password")), Apply: Apply{Action: ApplyRestart}})
		}), "flags[6].default secret-shown"},
		{"secret that everybody may read", secretly(func(p *Plan, f *Flag) {
			p.Services[0].Prepare = []Step{{Template: &Template{Path: expr.PathOf("/x"), Text: expr.FlagOf("password"), Mode: 0o644}}}
		}), "services[0].prepare[0].template.mode secret-shown"},
		{"signal of a flag", func(p *Plan) { p.Flags[2].Apply.Signal = "HUPP" }, "flags[2].apply unknown-choice"},
		{"signal that reaches nothing", func(p *Plan) { p.Flags[1].Apply = Apply{Action: ApplySignal, Signal: "HUP"} }, "flags[1].apply signal-reaches-nothing"},
		{"account name", func(p *Plan) { p.Accounts[0].Name = "a b"; p.Services[0].User = "a b" }, "accounts[0].name bad-name"},
		{"home on a flag", func(p *Plan) { p.Accounts[0].Home = expr.TextOf("/x") }, "accounts[0].home wrong-type"},
		{"what no host can compute", func(p *Plan) { p.Services[0].Command[1] = expr.Call(expr.OpDiv, expr.IntOf(1), expr.IntOf(0)) }, "services[0].command[1] out-of-range"},
		{"what no host can compute, in a default", func(p *Plan) { p.Flags[1].Default = expr.Call(expr.OpMul, expr.IntOf(1<<62), expr.IntOf(2)) }, "flags[1].default out-of-range"},
		{"group of an account", func(p *Plan) { p.Accounts[0].Groups[0] = "a b" }, "accounts[0].groups[0] bad-name"},
		{"group twice", func(p *Plan) { p.Accounts[0].Groups[0] = "foo" }, "accounts[0].groups[0] duplicate-name"},
		{"package name", func(p *Plan) { p.Package.Name = "f" }, "package.name bad-name"},
		{"version with a dash", func(p *Plan) { p.Package.Version = "1-2" }, "package.version bad-name"},
		{"release", func(p *Plan) { p.Package.Release = 0 }, "package.release out-of-range"},
		{"maintainer", func(p *Plan) { p.Package.Maintainer = "me" }, "package.maintainer bad-name"},
		{"summary", func(p *Plan) { p.Package.Summary = " " }, "package.summary missing-argument"},
		{"license of two lines", func(p *Plan) { p.Package.License = "a\nb" }, "package.license bad-text"},
		{"build on a flag", func(p *Plan) { p.Package.Build[0].Command[1] = expr.FlagOf("port") }, "package.build[0].command[1] wrong-type"},
		{"source outside", func(p *Plan) { p.Package.Contents[0].Source = "../x" }, "package.contents[0].source bad-path"},
		{"path not clean", func(p *Plan) { p.Package.Contents[0].Path = "/a//b" }, "package.contents[0].path bad-path"},
		{"two files at a path", func(p *Plan) { p.Package.Contents[1].Path = p.Package.Contents[0].Path }, "package.contents[1].path duplicate-name"},
		{"kind of content", func(p *Plan) { p.Package.Contents[2].Kind = "folder" }, "package.contents[2].kind unknown-choice"},
		{"pattern", func(p *Plan) { p.Package.Contents[2].Exclude[0] = "[" }, "package.contents[2].exclude[0] bad-text"},
		{"pattern of nothing", func(p *Plan) { p.Package.Contents[2].Exclude[0] = "" }, "package.contents[2].exclude[0] bad-text"},
		{"exclude of a file", func(p *Plan) { p.Package.Contents[0].Exclude = []string{"x"} }, "package.contents[0].exclude wrong-type"},
		{"owner of a tree", func(p *Plan) { p.Package.Contents[2].Owner = "foo" }, "package.contents[2].owner wrong-type"},
		{"tree of nothing", func(p *Plan) { p.Package.Contents[2].Source = "" }, "package.contents[2].source missing-argument"},
		{"tree outside", func(p *Plan) { p.Package.Contents[2].Source = "../x" }, "package.contents[2].source bad-path"},
		{"directory with a source", func(p *Plan) { p.Package.Contents[4].Source = "x" }, "package.contents[4].source wrong-type"},
		{"link to nothing", func(p *Plan) { p.Package.Contents[5].Target = "" }, "package.contents[5].target bad-path"},
		{"link to a path that is not clean", func(p *Plan) { p.Package.Contents[5].Target = "/a/../b" }, "package.contents[5].target bad-path"},
		{"link of two lines", func(p *Plan) { p.Package.Contents[5].Target = "a\nb" }, "package.contents[5].target bad-text"},
		{"path of two lines", func(p *Plan) { p.Package.Contents[0].Path = "/a\nb" }, "package.contents[0].path bad-text"},
		{"maintainer of two lines", func(p *Plan) { p.Package.Maintainer = "Foo\r\x1b <foo@example.org>" }, "package.maintainer bad-name"},
		{"NUL in the maintainer", func(p *Plan) { p.Package.Maintainer = "Foo\x00 <foo@example.org>" }, "package.maintainer bad-text"},
		{"summary of two lines", func(p *Plan) { p.Package.Summary = "a\rb" }, "package.summary missing-argument"},
		{"NUL in the summary", func(p *Plan) { p.Package.Summary = "a\x00b" }, "package.summary bad-text"},
		{"root as a file", func(p *Plan) { p.Package.Contents[0].Path = "/" }, "package.contents[0].path bad-path"},
		{"input outside", func(p *Plan) { p.Inputs[0].Path = "../../dev/zero" }, "inputs[0].path bad-path"},
		{"sum of an input", func(p *Plan) { p.Inputs[0].SHA256 = "AB" }, "inputs[0].sha256 bad-name"},
		{"dependency", func(p *Plan) { p.Package.Depends[0] = "Foo >= 1" }, "package.depends[0] bad-name"},
		{"two services of one name", func(p *Plan) { p.Services[1].Name = "foo"; p.Services[0].After = nil }, "services[1].name duplicate-name"},
		{"user", func(p *Plan) { p.Services[0].User = "bar" }, "services[0].user undeclared-name"},
		{"no command", func(p *Plan) { p.Services[1].Command = nil }, "services[1].command missing-argument"},
		{"relative program", func(p *Plan) { p.Services[1].Command[0] = expr.TextOf("bar") }, "services[1].command[0] bad-path"},
		{"NUL", func(p *Plan) { p.Services[1].Command = append(p.Services[1].Command, expr.TextOf("a\x00")) }, "services[1].command[1] bad-text"},
		{"daemonize", func(p *Plan) { p.Services[1].Command = append(p.Services[1].Command, expr.TextOf("--daemonize")) }, "services[1].command[1] daemonizes"},
		{"daemonize=yes", func(p *Plan) { p.Services[1].Command = append(p.Services[1].Command, expr.TextOf("--daemonize=yes")) }, "services[1].command[1] daemonizes"},
		{"undeclared flag", func(p *Plan) { p.Services[1].Command = append(p.Services[1].Command, expr.FlagOf("prot")) }, "services[1].command[1] undeclared-name"},
		{"variable", func(p *Plan) { p.Services[0].Env[0].Name = "A-B" }, "services[0].env[0].name bad-name"},
		{"path wanted", func(p *Plan) { p.Services[0].Prepare[0].Directory.Path = expr.TextOf("/x") }, "services[0].prepare[0].directory.path wrong-type"},
		{"size wanted", func(p *Plan) { p.Services[0].Prepare[2].RequireFreeSpace.Size = expr.IntOf(5) }, "services[0].prepare[2].require_free_space.size wrong-type"},
		{"port of a step", func(p *Plan) { p.Services[0].Prepare[3].RequirePortFree.Port = expr.IntOf(0) }, "services[0].prepare[3].require_port_free.port out-of-range"},
		{"copy of a text", func(p *Plan) { p.Services[0].Prepare[5].Copy.Source = expr.TextOf("x") }, "services[0].prepare[5].copy.source wrong-type"},
		{"copy to itself", func(p *Plan) { p.Services[0].Prepare[5].Copy.Path = p.Services[0].Prepare[5].Copy.Source }, "services[0].prepare[5].copy.path bad-path"},
		{"owner of a copy", func(p *Plan) { p.Services[0].Prepare[5].Copy.Owner = "a b" }, "services[0].prepare[5].copy.owner bad-name"},
		{"link to an absolute text", func(p *Plan) { p.Services[0].Prepare[6].Symlink.Target = expr.TextOf("/x") }, "services[0].prepare[6].symlink.target bad-path"},
		{"link to a number", func(p *Plan) { p.Services[0].Prepare[6].Symlink.Target = expr.IntOf(5) }, "services[0].prepare[6].symlink.target wrong-type"},
		{"wait for nothing", func(p *Plan) { p.Services[0].Prepare[9].WaitFor.Path = expr.Expr{} }, "services[0].prepare[9].wait_for.port wrong-type"},
		{"wait for two things", func(p *Plan) { p.Services[0].Prepare[7].WaitFor.Path = expr.PathOf("/x") }, "services[0].prepare[7].wait_for.port wrong-type"},
		{"wait at a host", func(p *Plan) { p.Services[0].Prepare[8].WaitFor.Host = "db" }, "services[0].prepare[8].wait_for.host wrong-type"},
		{"wait at no host", func(p *Plan) { p.Services[0].Prepare[7].WaitFor.Host = "d b" }, "services[0].prepare[7].wait_for.host bad-name"},
		{"wait for ever", func(p *Plan) { p.Services[0].Prepare[7].WaitFor.Timeout = 1 << 40 }, "services[0].prepare[7].wait_for.timeout out-of-range"},
		{"memory wanted", func(p *Plan) { p.Services[0].Prepare[11].RequireMemory.Size = expr.IntOf(5) }, "services[0].prepare[11].require_memory.size wrong-type"},
		{"workdir of a text", func(p *Plan) { p.Services[0].WorkDir = expr.TextOf("/x") }, "services[0].workdir wrong-type"},
		{"umask", func(p *Plan) { *p.Services[0].Umask = 0o1000 }, "services[0].umask out-of-range"},
		{"core in bytes", func(p *Plan) { *p.Services[0].Limits.Core = 1000 }, "services[0].limits.core out-of-range"},
		{"stack", func(p *Plan) { p.Services[0].Limits.Stack = 1024 }, "services[0].limits.stack out-of-range"},
		{"nice", func(p *Plan) { *p.Services[0].Limits.Nice = 20 }, "services[0].limits.nice out-of-range"},
		{"cpu", func(p *Plan) { p.Services[0].Limits.CPU = -1 }, "services[0].limits.cpu_percent out-of-range"},
		{"class of input and output", func(p *Plan) { p.Services[0].Limits.IONice = "besteffort" }, "services[0].limits.ionice unknown-choice"},
		{"level without a class", func(p *Plan) { p.Services[0].Limits.IONice = "" }, "services[0].limits.ionice_level wrong-type"},
		{"capability", func(p *Plan) { p.Services[0].Limits.Capabilities = &[]string{"CAP_KILL"} }, "services[0].limits.capabilities[0] unknown-choice"},
		{"capability twice", func(p *Plan) { p.Services[0].Limits.Capabilities = &[]string{"kill", "kill"} }, "services[0].limits.capabilities[1] duplicate-name"},
		{"age of a log", func(p *Plan) { p.Services[0].Logs.MaxAge = 1 }, "services[0].logs.max_age out-of-range"},
		{"format of a log", func(p *Plan) { p.Services[0].Logs.Format = "xml" }, "services[0].logs.format unknown-choice"},
		{"timestamps of JSON", func(p *Plan) { p.Services[0].Logs.Timestamps = true }, "services[0].logs.timestamps wrong-type"},
		{"receiver of logs", func(p *Plan) { p.Services[0].Logs.Forward = "loki" }, "services[0].logs.forward unknown-choice"},
		{"syslog of a standalone package", func(p *Plan) { p.Services[0].Logs.Forward = ForwardSyslog }, "services[0].logs.forward needs-more-than-sh"},
		{"rate", func(p *Plan) { p.Services[0].Logs.Rate = -1 }, "services[0].logs.rate out-of-range"},
		{"burst below the rate", func(p *Plan) { p.Services[0].Logs.Burst = 5 }, "services[0].logs.burst out-of-range"},
		{"burst without a rate", func(p *Plan) { p.Services[0].Logs.Rate = 0 }, "services[0].logs.burst wrong-type"},
		{"format without values", func(p *Plan) { p.Services[0].Prepare[1].Template.Text = expr.Fmt("{}") }, "services[0].prepare[1].template.text wrong-type"},
		{"step of two kinds", func(p *Plan) { p.Services[0].Prepare[0].Run = p.Services[0].Prepare[4].Run }, "services[0].prepare[0] wrong-type"},
		{"probe of no kind", func(p *Plan) { p.Services[0].Probes[0].HTTP = nil }, "services[0].probes[0] wrong-type"},
		{"probe port", func(p *Plan) { p.Services[0].Probes[1].TCP.Port = expr.IntOf(65536) }, "services[0].probes[1].tcp.port out-of-range"},
		{"probe that only connects", func(p *Plan) { p.Services[0].Probes[1].TCP.ConnectOnly = true }, "services[0].probes[1].tcp.connect_only wrong-type"},
		{"probe path", func(p *Plan) { p.Services[0].Probes[0].HTTP.Path = "healthz" }, "services[0].probes[0].http.path bad-path"},
		{"probe of a place that is no host", func(p *Plan) { p.Services[0].Probes[1].TCP.Host = "a/../../etc" }, "services[0].probes[1].tcp.host bad-name"},
		{"probe of a host that is an option", func(p *Plan) { p.Services[0].Probes[0].HTTP.Host = "-x" }, "services[0].probes[0].http.host bad-name"},
		{"probe of a host of two lines", func(p *Plan) { p.Services[0].Probes[0].HTTP.Host = "a\nPRIORITY=0" }, "services[0].probes[0].http.host bad-name"},
		{"probe that hears and is asked", func(p *Plan) { p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Timeout = 100 }) }, "services[0].probes[0].timeout wrong-type"},
		{"readiness in a row", func(p *Plan) { p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Failures = 2 }) }, "services[0].probes[0].failures wrong-type"},
		{"two that hear the same", func(p *Plan) { p.Services[0].Probes = []Probe{heardProbe(nil), heardProbe(nil)} }, "services[0].probes[1].notify duplicate-name"},
		{"life without an interval", func(p *Plan) { p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Role = RoleLiveness }) }, "services[0].probes[0].every out-of-range"},
		{"life on a descriptor", func(p *Plan) {
			p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Role, p.Every, p.Notify.Descriptor = RoleLiveness, 1000, 9 })
		}, "services[0].probes[0].notify.descriptor wrong-type"},
		{"descriptor of the output", func(p *Plan) { p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Notify.Descriptor = 2 }) }, "services[0].probes[0].notify.descriptor out-of-range"},
		{"line that is none", func(p *Plan) {
			p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Notify, p.LogLine = nil, &LogProbe{Pattern: "("} })
		}, "services[0].probes[0].log_line.pattern bad-pattern"},
		{"any line", func(p *Plan) {
			p.Services[0].Probes[0] = heardProbe(func(p *Probe) { p.Notify, p.LogLine = nil, &LogProbe{} })
		}, "services[0].probes[0].log_line.pattern missing-argument"},
		{"probe that never tires", func(p *Plan) { p.Services[0].Probes[0].Failures = 0 }, "services[0].probes[0].failures out-of-range"},
		{"delay above cap", func(p *Plan) { p.Services[0].Restart.Delay = 60_000 }, "services[0].restart.cap out-of-range"},
		{"stop signal", func(p *Plan) { p.Services[0].Stop.Signal = "SIGTERM" }, "services[0].stop.signal unknown-choice"},
		{"logs", func(p *Plan) { p.Services[0].Logs.Size = 1 }, "services[0].logs.size out-of-range"},
		{"nofile", func(p *Plan) { p.Services[0].Limits.NoFile = 3 }, "services[0].limits.nofile out-of-range"},
		{"after nobody", func(p *Plan) { p.Services[0].After[0] = "baz" }, "services[0].after[0] undeclared-name"},
		{"after in a circle", func(p *Plan) { p.Services[1].After = []string{"foo"} }, "services[1].after[0] order-cycle"},
	}
	if problems := whole().Validate(); len(problems) > 0 {
		t.Fatalf("the whole plan has problems: %v", problems)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := whole()
			c.edit(p)
			var got []string
			for _, problem := range p.Validate() {
				got = append(got, problem.Path+" "+problem.Code)
				if strings.Contains(problem.Error(), "expr.") || strings.Contains(problem.Error(), "%!") {
					t.Errorf("the message speaks Go: %s", problem.Error())
				}
			}
			if !slices.Contains(got, c.want) {
				t.Errorf("got %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestDaemonsMayBeToldNotToFork(t *testing.T) {
	p := whole()
	p.Services[1].Command = []expr.Expr{expr.TextOf("/usr/bin/redis-server"), expr.TextOf("--daemonize"), expr.TextOf("no"), expr.TextOf("--detach=false")}
	if problems := p.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestDecodeRefuses(t *testing.T) {
	data, err := whole().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown field":    {`"services"`, `"servises"`, "servises"},
		"another format":   {`"format": 1`, `"format": 2`, "its format is 2"},
		"a second plan":    {"\n}\n", "\n}\n{}", "something follows"},
		"a broken literal": {`"10s"`, `"10 s"`, "10 s"},
		"a problem":        {`"1.4.2"`, `"x"`, "package.version"},
		"a bad operator":   {`"clamp"`, `"klamp"`, "klamp"},
		"a wrong type":     {`"failures": 3`, `"failures": "3"`, "services.probes.failures cannot be of the type string"},
		"a wrong text":     {`"10s"`, `10`, "cannot be of the type number"},
		"no JSON":          {"{\n", "{\n\n  x", "line 3: a name in quotes is wanted, not 'x'"},
		"half of it":       {"\n}\n", "\n", "it ends too early"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(data), c.from, c.to, 1)
			if text == string(data) {
				t.Fatalf("%q is not in the plan", c.from)
			}
			_, err := Decode([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, wanted a word of %q", err, c.want)
			}
			if strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "plan.") {
				t.Errorf("it speaks of this program's types: %v", err)
			}
		})
	}
}

func TestUses(t *testing.T) {
	p := whole()
	p.Flags = append(p.Flags, Flag{Name: "threads", Type: FlagInt, Default: expr.FlagOf("workers"), Apply: Apply{Action: ApplyRestart}})
	p.Services[0].Env = append(p.Services[0].Env, Variable{Name: "THREADS", Value: expr.FlagOf("threads")})
	for _, name := range []string{"from", "to", "first"} {
		p.Flags = append(p.Flags, Flag{Name: name, Type: FlagPath, Default: expr.PathOf("/x"), Apply: Apply{Action: ApplyRestart}})
	}
	steps := p.Services[0].Prepare
	steps[6].Symlink.Target = expr.FlagOf("to")
	first := *steps[5].Copy
	first.Source = expr.FlagOf("first")
	p.Services[0].Prepare = append(steps, Step{Copy: &first}, Step{Copy: &Copy{Source: expr.FlagOf("from"), Path: expr.FlagOf("to"), Mode: 0o644}})
	want := map[string]Use{
		"from": {Template: true}, "to": {Template: true, Launch: true}, "first": {Launch: true}, // kept when it is there: a change shows at a start at most
		"port": {Launch: true, Template: true, Probe: true}, "workers": {Launch: true}, "threads": {Launch: true}, "log-level": {Template: true},
	}
	if d := cmp.Diff(want, p.Services[0].Uses(p)); d != "" {
		t.Error(d)
	}
}

// TestUsesOfDoublingDefaults would not end if every mention of a flag were followed.
func TestUsesOfDoublingDefaults(t *testing.T) {
	p := whole()
	last := "port"
	for i := range 80 {
		name := fmt.Sprintf("x%d", i)
		p.Flags = append(p.Flags, Flag{Name: name, Type: FlagInt, Default: expr.Call(expr.OpAdd, expr.FlagOf(last), expr.FlagOf(last)), Apply: Apply{Action: ApplyRestart}})
		last = name
	}
	p.Services[0].Env[0].Value = expr.FlagOf(last)
	if got := len(p.Services[0].Uses(p)); got != 83 {
		t.Errorf("%d flags are used, wanted 80 and the three of before", got)
	}
}

func TestLaunchDigestIgnoresWhatARunningDaemonCanTake(t *testing.T) {
	base, err := whole().Services[0].LaunchDigest(whole())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*Plan)
		same bool
	}{
		"probe":     {func(p *Plan) { p.Services[0].Probes[0].Every = 5000 }, true},
		"grace":     {func(p *Plan) { p.Services[0].Stop.Grace = 1 }, true},
		"logs":      {func(p *Plan) { p.Services[0].Logs.Keep = 1 }, true},
		"other":     {func(p *Plan) { p.Services[1].Command[0] = expr.TextOf("/x") }, true},
		"argument":  {func(p *Plan) { p.Services[0].Command[1] = expr.TextOf("x") }, false},
		"step":      {func(p *Plan) { p.Services[0].Prepare = p.Services[0].Prepare[1:] }, false},
		"account":   {func(p *Plan) { p.Accounts[0].Group = "x" }, false},
		"umask":     {func(p *Plan) { p.Services[0].Umask = nil }, false},
		"workdir":   {func(p *Plan) { p.Services[0].WorkDir = expr.Expr{} }, false},
		"terminal":  {func(p *Plan) { p.Services[0].Terminal = true }, false},
		"limit":     {func(p *Plan) { p.Services[0].Limits.NoFile = 100 }, false},
		"variables": {func(p *Plan) { p.Services[0].Env = nil }, false},
	} {
		p := whole()
		c.edit(p)
		if got, err := p.Services[0].LaunchDigest(p); err != nil || (got == base) != c.same {
			t.Errorf("%s: same digest %t, wanted %t (%v)", name, got == base, c.same, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := whole().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1,"name":"x","services":[{"name":"x","command":[{"fmt":["{}",{"add":[1,{"flag":"a"}]}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data)
		if err != nil {
			return
		}
		out, err := p.Encode()
		if err != nil {
			t.Fatalf("a plan that was read cannot be written: %v", err)
		}
		if p.Most() < len(out) {
			t.Errorf("%d bytes, at most %d", len(out), p.Most())
		}
		again, err := Decode(out)
		if err != nil {
			t.Fatalf("a plan that was written cannot be read: %v", err)
		}
		if d := cmp.Diff(p, again); d != "" {
			t.Fatal(d)
		}
	})
}

// heardProbe is a notify probe of startup, changed.
func heardProbe(change func(p *Probe)) Probe {
	p := Probe{Notify: &NotifyProbe{}, Role: RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000}
	if change != nil {
		change(&p)
	}
	return p
}
