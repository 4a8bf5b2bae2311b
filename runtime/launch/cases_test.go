package launch_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// daemon is a plan of one service, foo, which prints how it was called, with steps before it.
func daemon(steps ...plan.Step) *plan.Plan {
	return called([]expr.Expr{expr.PathOf("/bin/recorder")}, steps...)
}

func called(command []expr.Expr, steps ...plan.Step) *plan.Plan {
	return &plan.Plan{Format: plan.Format, Name: "foo", Services: []plan.Service{{
		Name: "foo", Command: command, Prepare: steps,
		Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs(),
	}}}
}

// with changes a plan before it is used.
func with(p *plan.Plan, change func(p *plan.Plan, s *plan.Service)) *plan.Plan {
	change(p, &p.Services[0])
	return p
}

// listens wants two sockets.
func listens(p *plan.Plan) *plan.Plan {
	for i, name := range []string{"a", "b"} {
		p.Services[0].Listen = append(p.Services[0].Listen, plan.Socket{Name: name, Type: plan.Stream, Port: expr.IntOf(int64(8080 + i)), Backlog: 10})
	}
	return p
}

// tells wants to be told that the daemon is ready.
func tells(p *plan.Plan) *plan.Plan {
	p.Services[0].Probes = []plan.Probe{{Notify: &plan.NotifyProbe{}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000}}
	return p
}

// show adds an argument NAME=VALUE for each flag.
func show(p *plan.Plan, flags ...plan.Flag) *plan.Plan {
	for _, f := range flags {
		f.Apply.Action = plan.ApplyRestart
		p.Flags = append(p.Flags, f)
		p.Services[0].Command = append(p.Services[0].Command, expr.Fmt(f.Name+"={}", expr.FlagOf(f.Name)))
	}
	return p
}

func text(words ...string) []expr.Expr {
	list := []expr.Expr{}
	for _, w := range words {
		list = append(list, expr.TextOf(w))
	}
	return list
}

func sh(script string) []expr.Expr { return text("/bin/sh", "-c", script) }

func directory(path string, mode plan.Mode, owner, group string) plan.Step {
	return plan.Step{Directory: &plan.Directory{Path: expr.PathOf(path), Mode: mode, Owner: owner, Group: group}}
}

func template(path string, mode plan.Mode, content expr.Expr) plan.Step {
	return plan.Step{Template: &plan.Template{Path: expr.PathOf(path), Mode: mode, Text: content}}
}

func run(timeout plan.Duration, command ...expr.Expr) plan.Step {
	return plan.Step{Run: &plan.Run{Command: command, Timeout: timeout}}
}

func freeSpace(path string, size expr.Expr) plan.Step {
	return plan.Step{RequireFreeSpace: &plan.RequireFreeSpace{Path: expr.PathOf(path), Size: size}}
}

func portFree(port expr.Expr) plan.Step {
	return plan.Step{RequirePortFree: &plan.RequirePortFree{Port: port}}
}

func number(n int64) *int64 { return &n }

// everyType declares a flag of each type.
func everyType() []plan.Flag {
	return []plan.Flag{
		{Name: "count", Type: plan.FlagInt, Default: expr.IntOf(-3)},
		{Name: "workers", Type: plan.FlagInt, Min: number(2), Max: number(64),
			Default: expr.Call(expr.OpClamp, expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(2)), expr.IntOf(2), expr.IntOf(64))},
		{Name: "verbose", Type: plan.FlagBool, Default: expr.BoolOf(false)},
		{Name: "title", Type: plan.FlagString, Default: expr.Fmt("{} on {} of {}", expr.FlagOf("workers"), expr.HostOf("name"), expr.HostOf("arch"))},
		{Name: "log-level", Type: plan.FlagEnum, Values: []string{"debug", "info it's", "error"}, Default: expr.TextOf("error")},
		{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080)},
		{Name: "wait", Type: plan.FlagDuration, Max: number(3_600_000), Default: expr.DurationOf(90_000)},
		{Name: "cache", Type: plan.FlagSize, Min: number(1 << 20), Default: expr.Call(expr.OpDiv, expr.HostOf("memory"), expr.IntOf(4))},
		{Name: "data", Type: plan.FlagPath, Default: expr.PathOf("/var/lib/foo")},
		{Name: "top", Type: plan.FlagPath, Default: expr.PathOf("/")},
	}
}

func twins(t *testing.T) []twin {
	var all []twin
	for _, list := range [][]twin{commandTwins(), flagTwins(), badFlagTwins(), listTwins(), patternTwins(), secretTwins(), renamedTwins(), valueTwins(), templateTwins(), directoryTwins(), runTwins(), requireTwins(t), accountTwins(), limitTwins(), copyTwins(), linkTwins(), waitTwins(t), fileTwins(), hostTwins(), boundTwins(t), placeTwins()} {
		all = append(all, list...)
	}
	return all
}

func commandTwins() []twin {
	odd := text("", "two words", "it's", `"double"`, `back\slash`, "line\nline\n", "$(touch /tmp/x) `id` ${root} $1", "*", "~", "-n", "é ☃", "a=b", "\t", "end\\")
	return []twin{
		{name: "arguments", plan: called(append([]expr.Expr{expr.PathOf("/bin/recorder")}, odd...)), says: `argument "é ☃"`},
		{name: "no arguments", plan: daemon(), says: "recorder", absent: "dirt"},
		{name: "environment", says: `variable "PATH=/opt/it's"`, absent: "dirt", plan: with(daemon(), func(_ *plan.Plan, s *plan.Service) {
			s.Env = []plan.Variable{{Name: "A", Value: expr.TextOf("line\n'\"$x\\")}, {Name: "EMPTY", Value: expr.TextOf("")}, {Name: "PATH", Value: expr.TextOf("/opt/it's")},
				{Name: "WAIT", Value: expr.DurationOf(1500)}, {Name: "_under", Value: expr.Fmt("{}:{}", expr.PathOf("/etc"), expr.PathOf("/"))}}
		})},
		{name: "program that looks like a variable", plan: called([]expr.Expr{expr.PathOf("/opt/a=b/recorder"), expr.TextOf("x=y")}), gnu: true, says: "a=b/recorder", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/opt/a=b")
			if err := os.Link(root+"/bin/recorder", root+"/opt/a=b/recorder"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "told where to say that it is ready", plan: tells(daemon(run(60_000, sh(`test -z "${NOTIFY_SOCKET-}${WATCHDOG_USEC-}"`)...))), env: []string{"NOTIFY_SOCKET=/run/it's here", "WATCHDOG_USEC=3000"},
			says: `variable "NOTIFY_SOCKET=/run/it's here"`, absent: "WATCHDOG_PID"},
		{name: "told of its life", plan: tells(daemon()), env: []string{"NOTIFY_SOCKET=/run/x", "WATCHDOG_USEC=3000"}, says: `variable "WATCHDOG_USEC=3000"`},
		{name: "told nothing", plan: tells(daemon()), says: "recorder", absent: "NOTIFY_SOCKET"},
		{name: "told what it does not want to know", plan: daemon(), env: []string{"NOTIFY_SOCKET=/run/x"}, says: "recorder", absent: "NOTIFY_SOCKET"},
		{name: "missing program", plan: called([]expr.Expr{expr.PathOf("/bin/it's absent")}), code: 100, says: "run-foo: cannot start foo: there is no program ROOT/bin/it's absent\n"},
		{name: "missing program of an odd name", plan: called(text("/absent\nline  %s\\n")), code: 100, says: "there is no program /absent; line  %s\\n\n"},
		{name: "program is a folder", plan: called([]expr.Expr{expr.PathOf("/bin")}), code: 100, says: "the program ROOT/bin is not a regular file"},
		{name: "program is not executable", plan: called([]expr.Expr{expr.PathOf("/bin/plain")}), code: 100, says: "the program ROOT/bin/plain is not executable\n",
			setup: func(t *testing.T, root string) { write(t, root+"/bin/plain", "#!/bin/sh\n", 0o644) }},
		{name: "program of a flag", plan: with(called([]expr.Expr{expr.FlagOf("program")}), func(p *plan.Plan, _ *plan.Service) {
			p.Flags = []plan.Flag{{Name: "program", Type: plan.FlagString, Default: expr.TextOf("true"), Apply: plan.Apply{Action: plan.ApplyRestart}}}
		}), code: 100, says: "the program true is not an absolute path"},
	}
}

func flagTwins() []twin {
	return []twin{
		{name: "defaults", plan: show(daemon(), everyType()...), says: `argument "data=ROOT/var/lib/foo"`},
		{name: "flags file", plan: show(daemon(), everyType()...), says: `argument "log-level=info it's"`, flags: "# a comment\n\n \t \n#\ncount=-9223372036854775808\nworkers=64\nverbose=true\ntitle= $(id) 'x' \"y\" \\ = é \nlog-level=info it's\nport=1\nwait=007m\ncache=2TiB\ndata=/srv/it's here\ntop=/"},
		{name: "empty flags file", plan: show(daemon(), everyType()...), flags: "\n", says: `"port=8080"`},
		{name: "greatest numbers", plan: show(daemon(), everyType()...), flags: "count=9223372036854775807\ncache=9223372036854775807B\nwait=3600000ms\n", says: `"wait=1h"`},
		{name: "flags file is a link", plan: show(daemon(), everyType()...), says: `"port=7"`, setup: func(t *testing.T, root string) {
			write(t, root+"/etc/foo/..data/flags", "port=7\n", 0o644)
			symlink(t, "..data/flags", root+"/etc/foo/flags")
		}},
	}
}

// badFlagTwins hold every complaint of a flags file to the same words.
func badFlagTwins() []twin {
	const at = "cannot start foo: ROOT/etc/foo/flags"
	var all []twin
	for _, bad := range []struct{ name, file, says string }{
		{"unknown", "prot=1\n", at + `:1: flag "prot": no such flag; there are: count, workers, verbose, title, log-level, port, wait, cache, data, top (did you mean "port"?)` + "\n"},
		{"unknown in capitals", "LOG_LEVEL=error", `(did you mean "log-level"?)`},
		{"unlike any", "\"xyzzy\\\tplugh \"=1", `flag "\"xyzzy\\\tplugh \"": no such flag; there are: count,`},
		{"no name", "=1", `:1: flag "": no such flag;`},
		{"duplicate", "port=1\nport=1\nport=x\n", at + `:2: flag "port": is set already, in line 1; ROOT/etc/foo/flags:3: flag "port": is set already, in line 1` + "\n"},
		{"no equals", "port 80\nverbose", at + `:1: no '=': write name=value; ROOT/etc/foo/flags:2: no '=': write name=value` + "\n"},
		{"white space first", " port=80\n\tport=80\n", at + `:1: white space before the name: write name=value from the start of the line;`},
		{"carriage return", "port=80\r\n# x\r\n\r\nport=81\r", at + `:1: a carriage return at the end: write the file with Unix line ends; ROOT/etc/foo/flags:2: a carriage`},
		{"carriage return inside", "title=a\rb\n", at + `:1: a control character`},
		{"NUL", "title=a\x00b\nport=\n\x00", at + `:1: a NUL byte; ROOT/etc/foo/flags:2: flag "port": "" is not a whole number of 64 bits; ROOT/etc/foo/flags:3: a NUL byte` + "\n"},
		{"control character", "title=\x1b[31m\n#\x7f\ntitle=\a", at + `:1: a control character; ROOT/etc/foo/flags:2: a control character; ROOT/etc/foo/flags:3: a control character`},
		{"not UTF-8", "title=\xff\ntitle=\xc3\ntitle=\xc0\x80\ntitle=\xed\xa0\x80\ntitle=\xf4\x90\x80\x80\ntitle=\xe0\x9f\xbf\ntitle=\xf0\x8f\xbf\xbf\n#\x80\nport=\xe2\x82", at + `:1: bytes that are not UTF-8; ROOT/etc/foo/flags:2: bytes`},
		{"UTF-8 at its limits", "count=x\ntitle=\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xef\xbf\xbd\n", at + `:1: flag "count": "x" is not a whole number of 64 bits` + "\n"},
		{"numbers", "count=9223372036854775808\nworkers=1\nport=65536\nwait=2h\ncache=1KiB\n",
			`"9223372036854775808" is not a whole number of 64 bits; ROOT/etc/foo/flags:2: flag "workers": 1 is out of range: 2 to 64; ROOT/etc/foo/flags:3: flag "port": 65536 is out of range: 1 to 65535; ` +
				`ROOT/etc/foo/flags:4: flag "wait": 2h is out of range: 0s to 1h; ROOT/etc/foo/flags:5: flag "cache": 1KiB is out of range: at least 1MiB`},
		{"not numbers", "count=-9223372036854775809\nworkers=08\nport= 80\nwait=10\ncache=1MB\n", `wait": "10" is not a duration: a whole number and ms, s, m, h or d, as in 10s`},
		{"not numbers either", "count=-0\nworkers=+3\nport=1e3\nwait=s\ncache=9999999999TiB\n", `"9999999999TiB" is too large for a size`},
		{"long numbers", "count=99999999999999999999999\nworkers=9223372036854775810\nport=-\nwait=99999999999999999999ms\ncache=0001024KiB\n", `"99999999999999999999ms" is too large for a duration`},
		{"sizes out of range", "cache=0B\n", "0B is out of range"},
		{"odd sizes out of range", "cache=1025B\n", "1025B is out of range"},
		{"choices", "verbose=yes\nlog-level=\"warn\"\\\n", `log-level": "\"warn\"\\" is not one of: debug, info it's, error`},
		{"paths", "data=srv\ntop=/a/../b\n", `"/a/../b" is not a clean path: it has an element ".."`},
		{"paths of nothing", "data=\ntop=/a//b\n", `it has an element ""`},
		{"paths that end", "data=/a/\ntop=/./\n", `it has an element ""`},
		{"large", strings.Repeat("# a comment of thirty-two bytes\n", 32769), at + ": is larger than 1MiB\n"},
	} {
		all = append(all, twin{name: "flags file: " + bad.name, plan: show(daemon(), everyType()...), flags: bad.file, code: 100, says: bad.says, absent: "recorder", once: true})
	}
	return append(all,
		twin{name: "flags file: of no flags", plan: daemon(), flags: "# fine\nport=1\n", code: 100, says: at + `:2: flag "port": no such flag; the recipe has none` + "\n"},
		twin{name: "flags file: a folder", plan: show(daemon(), everyType()...), code: 100, says: at + ": is not a regular file\n",
			setup: func(t *testing.T, root string) { mkdir(t, root+"/etc/foo/flags") }},
		twin{name: "flags file: unreadable", plan: show(daemon(), everyType()...), code: 100, says: at + ": cannot be read\n", only: "user",
			flags: "port=1", setup: func(t *testing.T, root string) { chmod(t, root+"/etc/foo/flags", 0) }},
		twin{name: "flags file: out of reach", plan: show(daemon(), everyType()...), code: 100, says: at + ": cannot be read\n", only: "user",
			flags: "port=1", setup: func(t *testing.T, root string) {
				if os.Geteuid() != 0 {
					t.Skip("not root: the tests could not look at the folder afterwards")
				}
				chmod(t, root+"/etc/foo", 0)
			}},
	)
}

func valueTwins() []twin {
	zero := expr.Call(expr.OpDiv, expr.IntOf(1), expr.Call(expr.OpSub, expr.HostOf("cpus"), expr.HostOf("cpus")))
	huge := expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(1<<62))
	flag := func(f plan.Flag) *plan.Plan { return show(daemon(directory("/var/x", 0o755, "", "")), f) }
	const unusable = `cannot start foo: flag "x": the default cannot be used: `
	const remedy = ": set it in ROOT/etc/foo/flags\n"
	return []twin{
		{once: true, name: "default cannot be computed", plan: flag(plan.Flag{Name: "x", Type: plan.FlagInt, Default: zero}), code: 100, says: unusable + "division by zero" + remedy},
		{once: true, name: "default is out of range", plan: flag(plan.Flag{Name: "x", Type: plan.FlagPort, Default: expr.Call(expr.OpAdd, expr.HostOf("cpus"), expr.IntOf(65535))}), code: 100, says: " is out of range: 1 to 65535" + remedy},
		{once: true, name: "default is below its bounds", plan: flag(plan.Flag{Name: "x", Type: plan.FlagDuration, Default: expr.Call(expr.OpMul, expr.DurationOf(1000), expr.Call(expr.OpSub, expr.IntOf(0), expr.HostOf("cpus")))}), code: 100, says: "s is out of range: at least 0s" + remedy},
		{once: true, name: "default is no choice", plan: flag(plan.Flag{Name: "x", Type: plan.FlagEnum, Values: []string{"vax", "pdp"}, Default: expr.HostOf("arch")}), code: 100, says: `is not one of: vax, pdp` + remedy},
		{once: true, name: "default clamps the wrong way", plan: flag(plan.Flag{Name: "x", Type: plan.FlagInt, Default: expr.Call(expr.OpClamp, expr.HostOf("cpus"), expr.IntOf(5), expr.IntOf(-5))}), code: 100, says: unusable + "clamp's low bound 5 is above its high bound -5" + remedy},
		{once: true, name: "bad default that is not needed", plan: flag(plan.Flag{Name: "x", Type: plan.FlagInt, Default: zero}), flags: "x=1", says: `"x=1"`},
		{once: true, name: "argument cannot be computed", plan: with(daemon(directory("/var/x", 0o755, "", "")), func(_ *plan.Plan, s *plan.Service) {
			s.Command = append(s.Command, expr.TextOf("x"), expr.Fmt("{}", huge))
		}), code: 100, says: "cannot start foo: argument 2 of the command, computed from host.cpus: the result does not fit in 64 bits\n"},
		{once: true, name: "variable cannot be computed", plan: with(daemon(directory("/var/x", 0o755, "", "")), func(_ *plan.Plan, s *plan.Service) {
			s.Env = []plan.Variable{{Name: "X", Value: zero}}
		}), code: 100, says: "cannot start foo: the variable X, computed from host.cpus: division by zero\n"},
		{once: true, name: "step cannot be computed", plan: daemon(directory("/var/x", 0o755, "", ""), template("/var/x/y", 0o644, zero)), code: 100, says: "cannot start foo: the text of prepare step 2, computed from host.cpus: division by zero\n"},
		{once: true, name: "nothing to select", plan: with(flag(plan.Flag{Name: "x", Type: plan.FlagString, Default: expr.TextOf("it's")}), func(_ *plan.Plan, s *plan.Service) {
			s.Command = append(s.Command, expr.Call(expr.OpSelect, expr.FlagOf("x"), expr.TextOf("a"), expr.HostOf("cpus")))
		}), code: 100, says: `cannot start foo: argument 2 of the command, computed from flag "x", host.cpus: select has no result for "it's"` + "\n"},
		{once: true, name: "choices", plan: with(flag(plan.Flag{Name: "x", Type: plan.FlagBool, Default: expr.BoolOf(true)}), func(_ *plan.Plan, s *plan.Service) {
			few := expr.Call(expr.OpLt, expr.HostOf("cpus"), expr.IntOf(1<<40))
			s.Command = append(s.Command, expr.Call(expr.OpCond, expr.Call(expr.OpAnd, expr.FlagOf("x"), few), expr.PathOf("/few"), expr.PathOf("/many")),
				expr.Call(expr.OpSelect, expr.FlagOf("x"), expr.BoolOf(true), expr.DurationOf(1000), expr.Call(expr.OpMul, expr.DurationOf(1), zero)), expr.Call(expr.OpNot, few))
		}), says: `"ROOT/few"`},
		{once: true, name: "arithmetic", plan: with(daemon(), func(_ *plan.Plan, s *plan.Service) {
			cpus := expr.HostOf("cpus")
			s.Command = append(s.Command, expr.Call(expr.OpClamp, expr.Call(expr.OpMul, cpus, expr.IntOf(2)), expr.IntOf(2), expr.IntOf(64)),
				expr.Fmt("{}-{}", expr.Call(expr.OpAdd, cpus, expr.IntOf(1)), expr.Call(expr.OpMul, expr.DurationOf(500), cpus)), expr.HostOf("memory"))
		}), says: "argument"},
	}
}

func templateTwins() []twin {
	live := template("/run/foo/live.conf", 0o640, expr.Fmt("listen {} {{}}\n\n", expr.IntOf(8080)))
	const path = "/run/foo/live.conf"
	return []twin{
		{name: "template is new", plan: daemon(live), says: "recorder"},
		{name: "template is there already", plan: daemon(live), again: 2, says: "recorder"},
		{name: "template is empty", plan: daemon(template("/x", 0o644, expr.TextOf(""))), again: 1, says: "recorder"},
		{name: "template of odd text", plan: daemon(template("/a b/it's", 0o600, expr.TextOf("-n \\n %s $(id) 'q' \"\n\n\té"))), again: 1, says: "recorder"},
		{name: "template of a path", plan: show(daemon(template("/run/x", 0o644, expr.Fmt("{}{}", expr.PathOf("/etc"), expr.FlagOf("p")))), plan.Flag{Name: "p", Type: plan.FlagPath, Default: expr.PathOf("/srv")}), says: "recorder"},
		{name: "template is replaced", plan: daemon(live), says: "recorder", setup: func(t *testing.T, root string) { write(t, root+path, "old", 0o640) }},
		{name: "template of another mode", plan: daemon(live), says: "recorder", setup: func(t *testing.T, root string) { write(t, root+path, "listen 8080 {}\n\n", 0o666) }},
		{name: "template that nobody may read", plan: daemon(template("/x", 0, expr.TextOf("x"))), again: 1, says: "recorder"},
		{name: "template left half done", plan: daemon(live), says: "recorder", setup: func(t *testing.T, root string) {
			write(t, root+"/run/foo/.recipe-foo.new", "listen", 0o600)
		}},
		{name: "template left half done beside a good one", plan: daemon(live), says: "recorder", setup: func(t *testing.T, root string) {
			write(t, root+path, "listen 8080 {}\n\n", 0o640)
			symlink(t, "/nowhere", root+"/run/foo/.recipe-foo.new")
		}},
		{name: "template is a link", plan: daemon(live), code: 100, says: "the file ROOT/run/foo/live.conf is a symbolic link, which is not followed\n", setup: func(t *testing.T, root string) {
			write(t, root+"/etc/shadow", "secret", 0o600)
			mkdir(t, root+"/run/foo")
			symlink(t, "../../etc/shadow", root+path)
		}},
		{name: "template is a folder", plan: daemon(live), code: 100, says: "the file ROOT/run/foo/live.conf is something else already\n", setup: func(t *testing.T, root string) { mkdir(t, root+path) }},
		{name: "template below a file", plan: daemon(live), code: 100, says: "the directory ROOT/run/foo cannot be made: Not a directory\n", setup: func(t *testing.T, root string) { write(t, root+"/run", "", 0o644) }},
		{name: "template in a folder that is not ours", plan: daemon(live), only: "user", code: 100, says: "the file ROOT/run/foo/live.conf cannot be written: Permission denied\n", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/run/foo")
			chmod(t, root+"/run/foo", 0o555)
		}},
	}
}

func directoryTwins() []twin {
	data := directory("/var/lib/foo", 0o750, "", "")
	const path = "/var/lib/foo"
	return []twin{
		{name: "directory is new", plan: daemon(data), again: 1, says: "recorder"},
		{name: "directory of another mode", plan: daemon(data), says: "recorder", setup: func(t *testing.T, root string) {
			mkdir(t, root+path)
			chmod(t, root+path, 0o777|os.ModeSetgid)
			write(t, root+path+"/kept", "kept", 0o604)
		}},
		{name: "directory for a group", plan: daemon(directory("/srv/x", 0o2770, "", ""), directory("/srv/x/y", 0o1777, "", "")), again: 1, says: "recorder"},
		{name: "directory is the root", plan: daemon(directory("/", 0o755, "", "")), says: "recorder"},
		{name: "directory is a link", plan: daemon(data), code: 100, says: "the directory ROOT/var/lib/foo is a symbolic link, which is not followed\n", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/var/lib/other")
			symlink(t, "other", root+path)
		}},
		{name: "directory is a link to nothing", plan: daemon(data), code: 100, says: "symbolic link", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/var/lib")
			symlink(t, "nothing", root+path)
		}},
		{name: "directory is a file", plan: daemon(data), code: 100, says: "the directory ROOT/var/lib/foo is something else already\n", setup: func(t *testing.T, root string) { write(t, root+path, "x", 0o644) }},
		{name: "directory below a file", plan: daemon(data), code: 100, says: "the directory ROOT/var/lib cannot be made: Not a directory\n", setup: func(t *testing.T, root string) { write(t, root+"/var/lib", "x", 0o644) }},
		{name: "directory below a link", plan: daemon(data), says: "recorder", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/mnt/lib")
			mkdir(t, root+"/var")
			symlink(t, "../mnt/lib", root+"/var/lib")
		}},
		{name: "directory below another's link", plan: daemon(data), only: "root", code: 100, says: "the directory ROOT/var/lib is a symbolic link that root did not make", setup: anothersLink},
		{name: "template below another's link", plan: daemon(template("/var/lib/foo/x", 0o644, expr.TextOf("x"))), only: "root", code: 100, says: "the directory ROOT/var/lib is a symbolic link that root did not make", setup: anothersLink},
		{name: "directory with owner", plan: daemon(directory(path, 0o2750, "daemon", "mail"), directory("/srv", 0o755, "", "adm"), directory("/opt/x", 0o700, "bin", "")), again: 1, says: "recorder", only: "root"},
		{name: "directory without privilege", plan: daemon(directory(path, 0o750, "daemon", "mail")), says: "recorder", only: "user"},
		{name: "directory of a missing user", plan: daemon(directory(path, 0o750, "no-such-user", "")), code: 100, says: `the directory ROOT/var/lib/foo: there is no user "no-such-user" on this host` + "\n", only: "root"},
		{name: "directory of a missing group", plan: daemon(directory(path, 0o750, "daemon", "no-such-group")), code: 100, says: `there is no group "no-such-group" on this host` + "\n", only: "root"},
		{name: "template with owner", plan: with(daemon(template("/x", 0o4711, expr.TextOf("x"))), func(_ *plan.Plan, s *plan.Service) {
			s.Prepare[0].Template.Owner, s.Prepare[0].Template.Group = "daemon", "mail"
		}), again: 1, says: "recorder", only: "root"},
	}
}

func runTwins() []twin {
	return []twin{
		{name: "run", plan: daemon(run(5000, append(sh(`echo "step $0 $#"; env | sort; pwd; umask; cat; cd "$1" && echo made >made`), expr.TextOf("zero"), expr.PathOf("/"))...)), says: "step zero 1\n", absent: "dirt"},
		{name: "sockets", handed: 2, plan: listens(called(sh(`[ "$LISTEN_PID" = $$ ] && echo "mine: $LISTEN_FDS $LISTEN_FDNAMES"; for fd in 3 4 5; do [ -e /proc/$$/fd/$fd ] && echo "has $fd"; done; :`),
			run(5000, sh(`env | grep LISTEN; for fd in 3 4; do [ -e /proc/$$/fd/$fd ] && echo "a step has $fd"; done; :`)...))), says: "mine: 2 a:b\nhas 3\nhas 4\n", absent: "step"},
		{name: "sockets that nobody hands over", plan: listens(daemon(directory("/a", 0o755, "", ""))), code: 100, says: "run-foo: cannot start foo: it was not handed its listening sockets (a, b): its socket unit or a supervisor opens them\n"},
		{name: "one socket too few", handed: 1, plan: listens(daemon()), code: 100, says: "it was not handed its listening sockets (a, b)"},
		{name: "sockets that are not wanted", handed: 2, plan: called(sh(`env | grep LISTEN; for fd in 3 4; do [ -e /proc/$$/fd/$fd ] && echo "has $fd"; done; echo none`)), says: "none\n", absent: "has"},
		{name: "run fails", plan: daemon(directory("/a", 0o755, "", ""), run(5000, sh("echo no >&2; exit 3")...), directory("/b", 0o755, "", "")), code: 100, says: "cannot start foo: /bin/sh failed with exit code 3\n"},
		{name: "run is killed", plan: daemon(run(5000, sh("kill -9 $$")...)), code: 100, says: "/bin/sh failed with exit code 137\n"},
		{name: "run takes too long", plan: daemon(run(300, sh("sleep 50 & sleep 50; echo late")...)), code: 100, says: "cannot start foo: /bin/sh did not end within 300ms\n", absent: "late"},
		{name: "run leaves a child behind", plan: daemon(run(5000, sh("(sleep 0.3; echo late) & echo early")...), run(5000, sh("sleep 0.6")...)), says: "early\n", absent: "late"},
		{name: "run of nothing", plan: daemon(run(5000, expr.PathOf("/bin/absent"))), code: 100, says: "there is no program ROOT/bin/absent\n"},
		{name: "run many times", plan: daemon(run(5000, sh("echo 1")...), run(5000, sh("echo 2")...), run(5000, expr.PathOf("/bin/recorder"), expr.TextOf(""))), again: 1, says: "1\n2\nargument"},
	}
}

func requireTwins(t *testing.T) []twin {
	var taken []expr.Expr
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v: not compared", address, err)
			continue
		}
		t.Cleanup(func() { l.Close() })
		taken = append(taken, expr.IntOf(int64(l.Addr().(*net.TCPAddr).Port)))
	}
	all := []twin{
		{name: "port is free", plan: daemon(portFree(expr.IntOf(1))), says: "recorder"},
		{name: "port is none", plan: daemon(portFree(expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(70000)))), code: 100, says: "is not a TCP port: 1 to 65535\n"},
		{name: "space is free", plan: daemon(freeSpace("/var/lib/foo/deep", expr.SizeOf(1))), says: "recorder"},
		{name: "space is short", plan: daemon(freeSpace("/var/lib/foo", expr.SizeOf(1<<49))), code: 100, says: "ROOT/var/lib/foo has N bytes free and needs 562949953421312\n"},
	}
	for _, port := range taken {
		all = append(all, twin{name: "port is taken", plan: daemon(directory("/a", 0o755, "", ""), portFree(port)), code: 100, says: " is taken: a process listens on it\n"})
	}
	return all
}

// account declares a user of Debian's base for the service.
func account(p *plan.Plan, name, group string, home expr.Expr) *plan.Plan {
	p.Accounts = append(p.Accounts, plan.Account{Name: name, Group: group, Home: home})
	p.Services[0].User = name
	return p
}

func more(p *plan.Plan, groups ...string) *plan.Plan {
	p.Accounts[0].Groups = groups
	return p
}

func accountTwins() []twin {
	who := `echo $(id -u) $(id -g) $(id -G); grep -E "^(Uid|Gid|Groups|CapEff|NoNewPrivs)" /proc/self/status`
	return []twin{
		{name: "account", plan: account(daemon(run(5000, sh(who)...), directory("/made", 0o700, "", "")), "daemon", "daemon", expr.PathOf("/var/lib/foo")), says: `variable "HOME=ROOT/var/lib/foo"`},
		{name: "account becomes the daemon", plan: account(called(sh(who+`; echo "$HOME $USER $LOGNAME"`)), "nobody", "nogroup", expr.Expr{}), says: "/ nobody nobody\n"},
		{name: "account's variables are not root's", plan: with(account(daemon(), "daemon", "daemon", expr.Expr{}), func(_ *plan.Plan, s *plan.Service) {
			// The loader would list what it loads for setpriv, and not run it.
			s.Env = []plan.Variable{{Name: "LD_TRACE_LOADED_OBJECTS", Value: expr.TextOf("1")}}
			s.Command = []expr.Expr{expr.TextOf("/bin/true")}
		}), only: "root", absent: "libcap"},
		{name: "account with groups", plan: account(called(sh(who)), "games", "mail", expr.Expr{}), says: "8", only: "root"},
		{name: "account with the group of passwd", plan: account(called(sh(who)), "man", "", expr.Expr{}), says: "12", only: "root"},
		{name: "account may not run it", plan: account(called([]expr.Expr{expr.PathOf("/bin/private")}), "nobody", "nogroup", expr.Expr{}), only: "root", code: 100, says: `the program ROOT/bin/private is not executable for "nobody"` + "\n",
			setup: func(t *testing.T, root string) { write(t, root+"/bin/private", "#!/bin/sh\n", 0o744) }},
		{name: "account may not reach it", plan: account(daemon(), "nobody", "nogroup", expr.Expr{}), only: "root", code: 100, says: `is not executable for "nobody"` + "\n",
			setup: func(t *testing.T, root string) { chmod(t, root+"/bin", 0o700) }},
		{name: "account with more groups", plan: more(account(called(sh(who)), "games", "mail", expr.Expr{}), "adm", "games", "nogroup"), says: "5 8 ", only: "root"},
		{name: "account with more groups and a step", plan: more(account(called(sh(who), hasFile("/adm", false), run(5000, sh(who)...)), "man", "", expr.Expr{}), "adm"), says: " 4", only: "root", setup: func(t *testing.T, root string) {
			write(t, root+"/adm", "x", 0o040)
			if err := os.Chown(root+"/adm", 0, 4); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "account with a group that is missing", plan: more(account(called(sh(who)), "games", "mail", expr.Expr{}), "no-such-group"), only: "root", code: 100, says: `there is no group "no-such-group" on this host` + "\n"},
		{name: "account is missing", plan: account(daemon(directory("/a", 0o755, "", "")), "no-such-user", "daemon", expr.Expr{}), only: "root", code: 100, says: `cannot start foo: there is no user "no-such-user" on this host` + "\n"},
		{name: "account's group is missing", plan: account(daemon(), "nobody", "no-such-group", expr.Expr{}), only: "root", code: 100, says: `there is no group "no-such-group" on this host` + "\n"},
		{name: "account nobody can become", plan: account(daemon(), "no-such-user", "no-such-group", expr.Expr{}), only: "user", says: `variable "USER=no-such-user"`},
	}
}

func limitTwins() []twin {
	limited := func(nofile int64, adj int) *plan.Plan {
		return with(called(sh("ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj")), func(_ *plan.Plan, s *plan.Service) {
			s.Limits = plan.Limits{NoFile: nofile, OOMScoreAdj: &adj}
		})
	}
	state := `grep -E "^(SigIgn|SigBlk|Umask)" /proc/self/status; ls /proc/self/fd; pwd; tr "\0" "\n" </proc/$$/environ`
	return []twin{
		{name: "limits", plan: limited(777, 321), says: "777\n777\n321\n"},
		{name: "limits of an account", plan: account(limited(778, 322), "nobody", "nogroup", expr.Expr{}), says: "778\n778\n322\n"},
		{name: "limits below zero", plan: limited(777, -100), says: "777\n777\n"},
		{name: "limits above the hard one", plan: limited(1<<30, 0), code: 100, says: "the limit of 1073741824 open files cannot be set: the hard limit is "},
		{name: "clean process", plan: called(sh(state)), gnu: true, says: "SigIgn:\t0000000000000000\n", absent: "dirt"},
		{name: "clean process of an account", plan: account(called(sh(state)), "nobody", "nogroup", expr.Expr{}), gnu: true, says: "SigBlk:\t0000000000000000\n", absent: "dirt"},
	}
}

// anothersLink leads from /var/lib to a folder of root's.
func anothersLink(t *testing.T, root string) {
	t.Helper()
	mkdir(t, root+"/secret")
	symlink(t, "../secret", root+"/var/lib")
	if err := os.Lchown(root+"/var/lib", 1, 1); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
