package launch_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/syntax"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestScriptIsPOSIX parses the script of every plan of the twin test.
func TestScriptIsPOSIX(t *testing.T) {
	t.Parallel()
	for _, c := range twins(t) {
		text := script(t, c.plan)
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(bytes.NewReader(text), c.name); err != nil {
			t.Error(err)
		}
	}
}

// TestScriptIsClean holds scripts that use every function between them to shellcheck's judgement.
func TestScriptIsClean(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("shellcheck"); err != nil {
		if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatal("shellcheck is not installed")
		}
		t.Skip("shellcheck is not installed")
	}
	dir := t.TempDir()
	args := []string{"--severity=style"}
	for name, p := range map[string]*plan.Plan{"tour": tour(), "bare": daemon(), "flags": show(account(daemon(), "daemon", "", expr.Expr{}), everyType()...)} {
		file := filepath.Join(dir, name)
		write(t, file, string(script(t, p)), 0o644)
		args = append(args, file)
	}
	if out, err := exec.Command("shellcheck", args...).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

// TestScriptGolden shows what a reader of /usr/sbin/run-foo sees.
func TestScriptGolden(t *testing.T) {
	t.Parallel()
	const golden = "testdata/run-foo.sh"
	got := script(t, tour())
	if *update {
		write(t, golden, string(got), 0o644)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update if this is meant:\n%s", diff)
	}
}

// TestScriptHoldsWhatItUses keeps the prelude of a small recipe small.
func TestScriptHoldsWhatItUses(t *testing.T) {
	t.Parallel()
	text := string(script(t, daemon()))
	for _, function := range []string{"directory", "template", "run", "account", "clamp", "whole", "no_flag", "fail"} {
		if strings.Contains(text, "\n"+function+"() {") {
			t.Errorf("%s is not used, but there", function)
		}
	}
}

// TestScriptUsage refuses what it does not know, before it touches anything.
func TestScriptUsage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run-foo")
	write(t, file, string(script(t, daemon())), 0o755)
	for _, args := range [][]string{{"start"}, {"--root"}, {"--root", "relative"}, {"--root", "/", "more"}, {""}, {"--help"}} {
		cmd := exec.Command("/bin/sh", append([]string{file}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err == nil || cmd.ProcessState.ExitCode() != 2 || len(out) > 0 || !strings.HasPrefix(stderr.String(), "usage: run-foo ") {
			t.Errorf("%q: %v, %q, %q", args, err, out, stderr.String())
		}
	}
}

// TestScriptRefuses a plan that was never validated.
func TestScriptRefuses(t *testing.T) {
	t.Parallel()
	p := called([]expr.Expr{expr.FlagOf("absent")})
	if text, err := launch.Script(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), `the flag "absent" is not declared`) {
		t.Errorf("%q, %v", text, err)
	}
	p = called([]expr.Expr{expr.TextOf("/bin/true")})
	p.Services[0].Prepare = []plan.Step{{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/true")}, Timeout: 1000}}}
	p.Services[0].Listen = make([]plan.Socket, plan.MostShellSockets+1)
	if text, err := launch.Script(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), "8 sockets") { // the step would have one
		t.Errorf("%q, %v", text, err)
	}
	p = called([]expr.Expr{expr.TextOf("/bin/true")})
	p.Services[0].Terminal = true
	if text, err := launch.Script(p, &p.Services[0]); err == nil || !strings.Contains(err.Error(), "terminal") {
		t.Errorf("%q, %v", text, err)
	}
}

func script(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	text, err := launch.Script(p, &p.Services[0])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tour is the service that the documentation speaks of, all kinds of steps and all that a service may have.
func tour() *plan.Plan {
	adj := -100
	p := &plan.Plan{Format: plan.Format, Name: "foo",
		Flags: []plan.Flag{
			{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080)},
			{Name: "workers", Type: plan.FlagInt, Default: expr.Call(expr.OpClamp, expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(2)), expr.IntOf(2), expr.IntOf(64))},
			{Name: "log-level", Type: plan.FlagEnum, Values: []string{"debug", "info", "error"}, Default: expr.TextOf("info")},
		},
		Accounts: []plan.Account{{Name: "foo", Group: "foo", Groups: []string{"ssl-cert"}, Home: expr.PathOf("/var/lib/foo")}},
	}
	food, live := expr.PathOf("/usr/lib/foo/bin/food"), expr.PathOf("/run/foo/live.conf")
	p.Services = []plan.Service{{
		Name: "foo", User: "foo",
		Command: []expr.Expr{food, expr.TextOf("--foreground"), expr.Fmt("--config={}", expr.PathOf("/etc/foo/foo.conf")), expr.Fmt("--live={}", live), expr.Fmt("--workers={}", expr.FlagOf("workers"))},
		Env:     []plan.Variable{{Name: "FOO_DATA", Value: expr.PathOf("/var/lib/foo")}},
		Prepare: []plan.Step{
			directory("/var/lib/foo", 0o750, "foo", "foo"),
			template("/run/foo/live.conf", 0o644, expr.Fmt("listen {}\nlog-level {}\n", expr.FlagOf("port"), expr.FlagOf("log-level"))),
			freeSpace("/var/lib/foo", expr.SizeOf(1<<30)),
			portFree(expr.FlagOf("port")),
			hasFile("/usr/lib/foo/bin/food", true),
			copied("/usr/share/foo/foo.conf", "/etc/foo/foo.conf", 0o644, true),
			link("/etc/foo/current", expr.TextOf("foo.conf")),
			waits(plan.WaitFor{Host: "db.example.org", Port: expr.IntOf(5432), Timeout: 60_000}),
			waits(plan.WaitFor{Socket: expr.PathOf("/run/db.sock"), Timeout: 60_000}),
			waits(plan.WaitFor{Path: expr.PathOf("/srv/data"), Timeout: 60_000}),
			mounted(expr.PathOf("/srv/data")),
			hasMemory(256 << 20),
			writable("/var/lib/foo"),
			run(30_000, food, expr.TextOf("--migrate")),
		},
		WorkDir: expr.PathOf("/var/lib/foo"), Umask: mode(0o027),
		Limits: plan.Limits{NoFile: 65536, NProc: 4096, Core: size(0), Memory: 512 << 20, OOMScoreAdj: &adj, Nice: small(5), IONice: "best-effort",
			Capabilities: kept("net_bind_service"), NoNewPrivs: true},
		Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(),
	}}
	return p
}

// TestScriptIsNotLedAstray lets an account that has a folder put a link in the place of what root has just made there,
// right before root changes owner or mode. What the link leads to keeps its own.
func TestScriptIsNotLedAstray(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		skipOnHost(t, "not root: nobody is led anywhere")
		return
	}
	for name, c := range map[string]struct {
		step   plan.Step
		victim string // below the root
		name   string // that is replaced
	}{
		"directory": {directory("/var/lib/foo/cache", 0o755, "daemon", ""), "/secret", "/var/lib/foo/cache"},
		"template":  {template("/var/lib/foo/live.conf", 0o644, expr.TextOf("x\n")), "/secret/key", "/var/lib/foo/.recipe-foo.new"},
	} {
		for _, tool := range []string{"chown", "chmod"} {
			t.Run(name+" at "+tool, func(t *testing.T) {
				t.Parallel()
				root := fresh(t)
				mkdir(t, root+"/var/lib/foo")
				write(t, root+"/secret/key", "key\n", 0o600)
				chmod(t, root+"/secret", 0o700)
				if c.step.Template != nil {
					c.step.Template.Owner = "daemon"
				}
				tools := filepath.Join(filepath.Dir(root), "tools")
				write(t, filepath.Join(tools, tool), "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nmv "+root+c.name+" "+root+"/aside && ln -s "+root+c.victim+" "+root+c.name+"\nexec "+tool+" \"$@\"\n", 0o755)
				p := daemon(c.step)
				file := filepath.Join(filepath.Dir(root), "run-foo")
				write(t, file, strings.Replace(string(script(t, p)), "PATH=/", "PATH="+tools+":/", 1), 0o755)
				cmd := exec.Command("/bin/sh", file, "--root", root)
				cmd.Env = append(os.Environ(), "RECIPE_PAUSE=0")
				out, err := cmd.CombinedOutput()
				if _, missing := os.Lstat(root + "/aside"); missing != nil {
					t.Fatalf("nothing was replaced: %v, %s", err, out)
				}
				for _, path := range []string{"/secret", "/secret/key"} {
					info, err := os.Stat(root + path)
					if err != nil {
						t.Fatal(err)
					}
					if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 || info.Mode().Perm()&0o077 != 0 {
						t.Errorf("%s is of %d now, with mode %v: %s", path, st.Uid, info.Mode(), out)
					}
				}
			})
		}
	}
}
