package launch_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// bounded is a plan whose daemon shows what script says of it.
func bounded(script string, l plan.Limits) *plan.Plan {
	return with(called(sh(script)), func(_ *plan.Plan, s *plan.Service) { s.Limits = l })
}

func size(n plan.Size) *plan.Size { return &n }

func small(n int) *int { return &n }

func kept(names ...string) *[]string {
	list := append([]string{}, names...)
	return &list
}

// niceness is that of the tests, below which only the privileged get.
func niceness(t *testing.T) int {
	t.Helper()
	room, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 1 to 40: 20 less the niceness
	if err != nil {
		t.Fatal(err)
	}
	return 20 - room
}

func boundTwins(t *testing.T) []twin {
	now := niceness(t)
	nicer := max(7, now)
	const limits = `grep -E "^Max (open|core|stack|file size|locked|processes)" /proc/self/limits`
	const privileges = `grep -E "^(Cap|NoNewPrivs|Uid)" /proc/self/status`
	const scheduled = `nice; ionice`
	all := plan.Limits{NoFile: 64, Core: size(0), Stack: 1 << 20, FSize: 8 << 20, MemLock: size(64 << 10), NProc: 4000}
	step := func(p *plan.Plan) *plan.Plan { // a run step is not bounded
		p.Services[0].Prepare = []plan.Step{run(5000, sh(limits+"; "+privileges+"; "+scheduled)...)}
		return p
	}
	return []twin{
		{name: "every limit", plan: step(bounded(limits, all)), says: "Max core file size        0                    0 "},
		{name: "every limit of an account", plan: account(bounded(limits, all), "nobody", "nogroup", expr.Expr{}), says: "Max processes             4000                 4000 "},
		{name: "no processes for root", plan: bounded("sh -c : && echo forked", plan.Limits{NProc: 1}), only: "root", says: "forked\n"},
		{name: "too much stack", plan: bounded(limits, plan.Limits{Stack: 1 << 49}), only: "user", says: "stack"},
		{name: "too much locked memory", plan: bounded(limits, plan.Limits{MemLock: size(1 << 49)}), only: "user", code: 100, says: "the limit of 562949953421312 bytes of locked memory cannot be set: the hard limit is "},
		{gnu: true, name: "nice", plan: step(bounded(scheduled, plan.Limits{Nice: &nicer, IONice: "best-effort", IOLevel: small(6)})), says: fmt.Sprintf("%d\nbest-effort: prio 6\n", nicer)},
		{gnu: true, name: "nice of an account", plan: account(bounded(scheduled, plan.Limits{Nice: small(-7), IONice: "best-effort"}), "nobody", "nogroup", expr.Expr{}), only: "root", says: "-7\nbest-effort: prio 4\n"},
		{gnu: true, name: "nice without privilege", plan: bounded(scheduled, plan.Limits{Nice: small(-7), IONice: "idle"}), only: "user", says: fmt.Sprintf("%d\nidle\n", max(-7, now))},
		{name: "no capability", plan: step(bounded(privileges, plan.Limits{Capabilities: kept()})), only: "root", says: "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"},
		{name: "some capabilities", plan: bounded(privileges, plan.Limits{Capabilities: kept("net_bind_service", "chown")}), only: "root", says: "CapEff:\t0000000000000401\nCapBnd:\t0000000000000401\n"},
		{name: "no capability of an account", plan: account(bounded(privileges, plan.Limits{Capabilities: kept()}), "nobody", "nogroup", expr.Expr{}), only: "root", says: "CapBnd:\t0000000000000000\n"},
		{name: "some capabilities of an account", plan: step(account(bounded(privileges, plan.Limits{Capabilities: kept("net_bind_service"), NoNewPrivs: true}), "nobody", "nogroup", expr.Expr{})), only: "root", says: "CapAmb:\t0000000000000400\nNoNewPrivs:\t1\n"},
		{name: "capabilities are root's to give", plan: bounded(privileges, plan.Limits{Capabilities: kept("net_bind_service")}), only: "user", says: "CapEff:\t0000000000000000\n"},
		{name: "no new privileges", plan: step(bounded(privileges, plan.Limits{NoNewPrivs: true})), says: "NoNewPrivs:\t1\n"},
		{gnu: true, name: "no new privileges of an account", plan: account(bounded(privileges, plan.Limits{NoNewPrivs: true, Nice: small(3)}), "daemon", "mail", expr.Expr{}), says: "NoNewPrivs:\t1\n"},
		{gnu: true, name: "all at once", plan: with(account(bounded(limits+";"+privileges+";"+scheduled+"; pwd; umask", plan.Limits{NoFile: 65, NProc: 5000, Nice: small(-3), IONice: "idle", Capabilities: kept("kill", "setgid"), NoNewPrivs: true}), "nobody", "nogroup", expr.Expr{}), func(_ *plan.Plan, s *plan.Service) {
			s.WorkDir, s.Umask = expr.PathOf("/bin"), mode(0o077)
		}), only: "root", says: "idle\nROOT/bin\n0077\n"},
	}
}

func mode(m plan.Mode) *plan.Mode { return &m }

func placeTwins() []twin {
	in := func(p *plan.Plan, dir string) *plan.Plan {
		p.Services[0].WorkDir = expr.PathOf(dir)
		return p
	}
	return []twin{
		{name: "starts in a directory", plan: in(daemon(run(5000, sh("pwd")...)), "/bin"), says: "/\nargument"},
		{name: "starts in a directory that a step makes", plan: in(daemon(directory("/var/it's", 0o755, "", "")), "/var/it's"), says: `directory "ROOT/var/it's"`},
		{name: "starts in a directory of a flag", plan: with(show(daemon(), plan.Flag{Name: "d", Type: plan.FlagPath, Default: expr.PathOf("/bin")}), func(_ *plan.Plan, s *plan.Service) { s.WorkDir = expr.FlagOf("d") }), says: `directory "ROOT/bin"`},
		{name: "starts nowhere", plan: in(daemon(), "/absent"), code: 100, says: "cannot start foo: there is no directory ROOT/absent to start in: have a step make it\n"},
		{name: "starts in a file", plan: in(daemon(), "/bin/recorder"), code: 100, says: "ROOT/bin/recorder is not a directory to start in\n"},
		{name: "starts where it may not be", plan: in(account(daemon(), "nobody", "nogroup", expr.Expr{}), "/private"), only: "root", code: 100, says: `the directory ROOT/private to start in cannot be entered for "nobody"` + "\n", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/private")
			chmod(t, root+"/private", 0o700)
		}},
		{name: "starts where nobody may be", plan: in(daemon(), "/private"), only: "user", code: 100, says: "the directory ROOT/private to start in cannot be entered\n", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/private")
			chmod(t, root+"/private", 0o600)
		}},
		{name: "umask", says: "0027\n0027\n", plan: with(called(sh("umask")), func(_ *plan.Plan, s *plan.Service) {
			s.Prepare, s.Umask = []plan.Step{run(5000, append(sh(`umask; : >"$0"`), expr.PathOf("/made"))...), directory("/a/b", 0o755, "", ""), template("/c/d", 0o644, expr.TextOf("x"))}, mode(0o027)
		})},
		{name: "umask of nothing", says: "0000\n", plan: with(called(sh("umask")), func(_ *plan.Plan, s *plan.Service) { s.Umask = mode(0) })},
	}
}
