package interp

import (
	"strings"
	"testing"

	"recipe/builtins/diag"
	"recipe/runtime/plan/lint"
)

// TestLints gives for each recipe the codes of its warnings, and what its fixes write.
func TestLints(t *testing.T) {
	t.Parallel()
	service := func(rest string) string {
		return `service(name = "foo", probes = [http(8080)], ` + rest + ")"
	}
	pkg := `package(name = "foo", version = "1", maintainer = "F <f@example.org>", summary = "f", build = [run([`
	for _, test := range []struct{ name, source, want string }{
		{"nothing", service(`command = ["/usr/bin/foo", "--foreground"]`), ""},

		{"a pidfile as one argument", service(`command = ["/usr/bin/foo", "--pidfile=/run/x", "-v"]`), `pidfile: "" for "--pidfile=/run/x", `},
		{"the last argument", service(`command = ["/usr/bin/foo", "--pid-file=/run/x"]`), `pidfile: "" for , "--pid-file=/run/x"`},
		{"a pidfile as two", service(`command = ["/usr/bin/foo", "-pidfile", "x"]`), "pidfile"},
		{"a pidfile in a file", "t = template(\"/run/x/c\", \"a\\npidfile /run/x/foo.pid\\n\")\n" + service(`command = ["/usr/bin/foo", t], prepare = [t]`), "pidfile"},
		{"no pidfile, but its like", service(`command = ["/usr/bin/foo", "--pids=3", "--rapid", "pidfile"]`), ""},

		{"a file that forks", "t = template(\"/run/x/c\", \"daemon on;\\n\")\n" + service(`command = ["/usr/bin/foo", t], prepare = [t]`), "daemonizes-in-file"},
		{"a file that does not", "t = template(\"/run/x/c\", \"daemonize no\\n# daemon on\\n\")\n" + service(`command = ["/usr/bin/foo", t], prepare = [t]`), ""},

		{"no probe", `service(name = "foo", command = ["/usr/bin/foo"])`, "no-probe"},
		{"once ready and never asked", `service(name = "foo", command = ["/usr/bin/foo"], probes = [notify(), log_line("up")])`, "no-probe"},
		{"ready and alive", `service(name = "foo", command = ["/usr/bin/foo"], probes = [notify(), notify(role = "liveness")])`, ""},
		{"only a connection", `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(80, connect_only = True)])`, "connect-only"},
		{"any certificate", `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(443, tls = True, insecure = True), tcp(1, tls = True)])`, "insecure-tls"},
		{"a slow question", `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(80, every = "2s", timeout = "3s")])`, "timeout-not-below-interval"},

		{"a step that removes", service(`command = ["/usr/bin/foo"], prepare = [run(["/bin/rm", "-rf", "/x"])]`), "destructive-step"},
		{"in a shell", service(`command = ["/usr/bin/foo"], prepare = [run(["/bin/sh", "-c", "test -e /x && rm -r /x"])]`), "destructive-step"},
		{"in SQL", service(`command = ["/usr/bin/foo"], prepare = [run(["/usr/bin/psql", "-c", "DROP TABLE x"])]`), "destructive-step"},
		{"a program that is named like one", service(`command = ["/usr/bin/foo"], prepare = [run(["/usr/bin/foo", "rm"]), run(["/usr/bin/find", "/x", "-name", "y"])]`), ""},

		{"a path spelt out", "d = directory(\"/var/lib/foo\")\n" + service(`command = ["/usr/bin/foo", "--data={/var/lib/foo}/x"], prepare = [d]`), `spelt-path: fmt("--data={{{}}}/x", d) for "--data={/var/lib/foo}/x"`},
		{"and nothing else", "d = directory(\"/var/lib/foo\")\n" + service(`command = ["/usr/bin/foo", "/var/lib/foo"], prepare = [d]`), `spelt-path: d for "/var/lib/foo"`},
		{"without a name", service(`command = ["/usr/bin/foo", "/var/lib/foo"], prepare = [directory("/var/lib/foo")]`), "spelt-path"},
		{"another path", "d = directory(\"/var/lib/foo\")\n" + service(`command = ["/usr/bin/foo", "/var/lib/foobar", "/srv/var/lib/foo"], prepare = [d]`), ""},
		{"one within another", "a = directory(\"/srv/foo\")\nb = directory(\"/srv/foo/b\")\n" + service(`command = ["/usr/bin/foo", "/srv/foo/b"], prepare = [a, b]`), `spelt-path: b for "/srv/foo/b"`},

		{"flags", "f = flag(\"f\", type = \"int\", default = 1)\n" + service(`command = ["/usr/bin/foo"]`), "undocumented-flag unused-flag"},
		{"a flag by way of another", "a = flag(\"a\", type = \"int\", default = 1, help = \"a\")\nb = flag(\"b\", type = \"int\", default = a * 2, help = \"b\")\n" + service(`command = ["/usr/bin/foo", fmt("{}", b)]`), ""},

		{"a flag of a socket", "p = flag(\"p\", type = \"port\", default = 8080, help = \"p\")\n" + service(`command = ["/usr/bin/foo"], listen = [socket("http", port = p)]`), ""},
		{"a flag of a socket that recipe opens", "p = flag(\"p\", type = \"port\", default = 8080, help = \"p\")\n" +
			`package(name = "foo", version = "1", maintainer = "F <f@example.org>", summary = "f", runtime = "recipe")` + "\n" +
			service(`command = ["/usr/bin/foo"], user = account("foo"), listen = [socket("http", port = p)]`), ""},
		{"a flag of a function", "p = flag(\"p\", type = \"port\", default = 8080, help = \"p\")\ndef check(probe): return probe.http(\"GET\", \"/\", port = p).status == 200\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [script(check)])", ""},

		{"root in a package", pkg + `"true"])])` + "\n" + service(`command = ["/usr/bin/foo"]`), "runs-as-root"},
		{"root for a port", pkg + `"true"])])` + "\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [http(80)])", "runs-as-root"},
		{"a task as root", pkg + `"true"])])` + "\ntask(name = \"foo\", command = [\"/usr/bin/foo\"])", "runs-as-root"},
		{"a task", "t = flag(\"token\", type = \"string\", default = \"\", help = \"t\")\nd = directory(\"/var/lib/foo\")\n" +
			`task(name = "foo", command = ["/usr/bin/foo", "/var/lib/foo", fmt("{}", t), "$HOME", "--password=x"], prepare = [d, run(["/bin/rm", "/x"])])`,
			"spelt-path: d for \"/var/lib/foo\" secret-in-arguments shell-words secret-in-recipe destructive-step"},
		{"a hook", "d = directory(\"/var/lib/foo\")\n" + pkg + `"true"])])` + "\n" + `hooks(before_remove = [run(["/bin/rm", "/var/lib/foo/x", "--token=x", "&&"])])` +
			"\n" + service(`command = ["/usr/bin/foo"], prepare = [d], user = account("foo")`), "spelt-path secret-in-recipe shell-words"},
		{"a task that is well", "p = flag(\"p\", type = \"port\", default = 1, help = \"p\")\n" + `task(name = "foo", command = ["/usr/bin/foo", fmt("{}", p)], every = "1h")`, ""},

		{"a secret default", "f = flag(\"db-password\", type = \"string\", default = \"x\", help = \"f\")\nt = template(\"/run/x/c\", \"{}\", f)\n" + service(`command = ["/usr/bin/foo"], prepare = [t]`), "secret-in-recipe"},
		{"where a secret lies", "f = flag(\"password-file\", type = \"path\", default = \"/etc/x\", help = \"f\")\n" + service(`command = ["/usr/bin/foo", fmt("--password-file={}", f)]`), ""},
		{"a secret argument", service(`command = ["/usr/bin/foo", "--api-key=abc"]`), "secret-in-recipe"},
		{"a secret in a template", "f = flag(\"password\", secret = True, help = \"f\")\nt = template(\"/run/x/c\", \"{}\", f, mode = 0o600)\n" + service(`command = ["/usr/bin/foo"], prepare = [t]`), ""},
		{"a secret in a step", "f = flag(\"token\", type = \"string\", default = \"\", help = \"f\")\n" + service(`command = ["/usr/bin/foo"], prepare = [run(["/usr/bin/foo", "init", fmt("--t={}", f)])]`), "secret-in-arguments"},
		{"in a URL", service(`command = ["/usr/bin/foo", "postgres://me:abc@db/x"]`), "secret-in-recipe"},
		{"a secret in the list of processes", "f = flag(\"token\", type = \"string\", default = \"\", help = \"f\")\n" + service(`command = ["/usr/bin/foo", fmt("--t={}", f)]`), "secret-in-arguments"},

		{"go get", pkg + `"go", "install", "example.org/x@latest"])])`, "unpinned-build"},
		{"go install of a version", pkg + `"go", "install", "example.org/x@v1.2.3"])])`, ""},
		{"go build", pkg + `"go", "build", "./..."])])`, ""},
		{"in a shell", pkg + `"sh", "-c", "make && curl -O https://example.org/x"])])`, "unpinned-build"},
		{"git by a commit", pkg + `"git", "fetch", "origin", "0123456789012345678901234567890123456789"])])`, ""},
		{"cargo", pkg + `"cargo", "build", "--release"])])`, "unpinned-build"},
		{"pip", pkg + `"pip", "install", "x==1.2"])])`, ""},
	} {
		p, list := EvaluateBytes("recipe.star", []byte(test.source+"\n"), Options{})
		if p == nil {
			t.Errorf("%s: %s", test.name, list)
			continue
		}
		var got []string
		for _, d := range list {
			text := d.Code
			if d.Fix != nil {
				text += ": " + shown(d.Fix) + " for " + at(test.source, d.Fix.At)
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %s, want %s", test.name, strings.Join(got, " "), test.want)
		}
	}
}

// TestProbesThatAskOthers: what tells of processes, sockets and files is told apart from what asks the service.
func TestProbesThatAskOthers(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		`"/usr/bin/pgrep", "-x", "foo"`:                                    "pgrep -x",
		`"/bin/pidof", "foo"`:                                              "pidof foo",
		`"/bin/kill", "-0", "1"`:                                           "kill -0",
		`"/usr/bin/ps", "-C", "foo"`:                                       "ps -C",
		`"/bin/netstat", "-tln"`:                                           "netstat -tln",
		`"/usr/bin/ss", "-tln"`:                                            "ss -tln",
		`"/usr/bin/lsof", "-i"`:                                            "lsof -i",
		`"/bin/fuser", "80/tcp"`:                                           "fuser 80/tcp",
		`"/usr/bin/systemctl", "--quiet", "is-active", "foo"`:              "systemctl is-active",
		`"/usr/sbin/service", "foo", "status"`:                             "service status",
		`"/etc/init.d/foo", "status"`:                                      "/etc/init.d/foo status",
		`"/usr/bin/supervisorctl", "status", "foo"`:                        "supervisorctl status",
		`"/sbin/initctl", "status", "foo"`:                                 "initctl status",
		`"/usr/bin/test", "-e", "/run/foo.pid"`:                            "a pidfile",
		`"/bin/cat", "/run/foo/foo.pid"`:                                   "a pidfile",
		`"/bin/sh", "-c", "ps aux | grep -q foo"`:                          "ps aux",
		`"/bin/sh", "-c", "test -n \"$(pgrep foo)\""`:                      "pgrep foo",
		`"/bin/sh", "-c", "true; kill -0 $(cat /run/foo.pid)"`:             "kill -0",
		`"/bin/sh", "-c", "[ -f '/run/foo.pid' ]"`:                         "a pidfile",
		`"/bin/sh", "-c", "if ! systemctl is-active foo\nthen exit 1\nfi"`: "systemctl is-active",
		`"/bin/bash", "-ec", "x=1&&lsof -i :80"`:                           "lsof -i",

		`"/usr/bin/redis-cli", "ping"`:                                 "",
		`"/usr/bin/foo", "status"`:                                     "",
		`"/usr/bin/foo", "-c", "status"`:                               "",
		`"/usr/lib/foo/ps", "--ask"`:                                   "",
		`"/usr/bin/pg_isready", "-h", "/run/foo.pid.d"`:                "",
		`"/bin/sh", "-c", "curl -fs localhost:80/ps | grep -q ss"`:     "",
		`"/bin/sh", "-c", "foo-admin status && foo-admin kill-me-not"`: "",
		`"/usr/bin/systemctl", "list-units"`:                           "",
	} {
		source := `service(name = "foo", command = ["/usr/bin/foo"], probes = [exec([` + command + `], timeout = "1s")])` + "\n"
		p, list := EvaluateBytes("recipe.star", []byte(source), Options{})
		found := ""
		for _, d := range list {
			if d.Code == lint.CodeAsksOthers {
				found = d.Found
			}
		}
		if p == nil || found != want || want == "" && len(list) > 0 {
			t.Errorf("%s: found %q, want %q\n%s", command, found, want, list)
		}
	}
}

func shown(f *diag.Fix) string {
	if f.New == "" {
		return `""`
	}
	return f.New
}

// at is what a span of one line holds.
func at(source string, s diag.Span) string {
	line := strings.Split(source, "\n")[s.Line-1]
	return line[s.Column-1 : s.EndColumn-1]
}
