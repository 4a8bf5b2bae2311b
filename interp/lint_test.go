package interp

import (
	"strings"
	"testing"

	"recipe/builtins/diag"
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
		{"only a connection", `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(80, connect_only = True)])`, "connect-only"},
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

		{"root in a package", pkg + `"true"])])` + "\n" + service(`command = ["/usr/bin/foo"]`), "runs-as-root"},
		{"root for a port", pkg + `"true"])])` + "\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [http(80)])", ""},

		{"a secret default", "f = flag(\"db-password\", type = \"string\", default = \"x\", help = \"f\")\nt = template(\"/run/x/c\", \"{}\", f)\n" + service(`command = ["/usr/bin/foo"], prepare = [t]`), "secret-in-recipe"},
		{"where a secret lies", "f = flag(\"password-file\", type = \"path\", default = \"/etc/x\", help = \"f\")\n" + service(`command = ["/usr/bin/foo", fmt("--password-file={}", f)]`), ""},
		{"a secret argument", service(`command = ["/usr/bin/foo", "--api-key=abc"]`), "secret-in-recipe"},
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
