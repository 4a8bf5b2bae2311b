package builtins_test

import (
	"strings"
	"testing"

	"recipe/interp"
)

// TestEveryProblemFindsItsArgument makes a plan wrong in one place at a time, and wants the caret exactly there. The
// place is marked in the source by «»; what plan.Validate refuses and what the words refuse are held alike.
func TestEveryProblemFindsItsArgument(t *testing.T) {
	t.Parallel()
	const ok = `service(name = "ok", command = ["/x"], probes = [http(80)])` + "\n"
	for _, marked := range []string{
		`flag(«"Bad"», type = "int", default = 1)`,
		`flag(name = «"Bad"», type = "int", default = 1)`,
		`flag("a", type = "int", default = «50», max = 20)`,
		`flag("a", type = "int", default = 5, min = «9», max = 2)`,
		`flag("a", type = "string", default = "x", values = «["a"]»)`,
		`flag("a", type = "enum", values = ["a"], default = «"b"»)`,
		`a = account(«"Bad"»)`,
		`a = account("a", group = «"Bad"»)`,
		`a = account("a", home = «flag("h", type = "path", default = "/x")»)`,
		`service(name = "x", user = «"nobody-here"», command = ["/x"])`,
		`service(name = "x", command = «[]»)`,
		`service(name = "x", command = [«"x"»])`,
		`service(name = "x", command = ["/x", "a", «"--daemon"», "b"])`,
		`service(name = "x", command = ("/x", "a", «"--daemon"»))`,
		`service(name = "x", command = ["/x"], env = {"A": "x", «"B C"»: "y"})`,
		`service(name = "x", command = ["/x"], env = {"A": "x", "B": «None»})`,
		`service(name = "x", command = ["/x"], prepare = [directory("/a", owner = «"Bad"»)])`,
		`service(name = "x", command = ["/x"], prepare = [run(["/a"]), run([«"a"», "b"])])`,
		`service(name = "x", command = ["/x"], prepare = [run(["/a"], timeout = «"0s"»)])`,
		`service(name = "x", command = ["/x"], prepare = [require_free_space("/a", «"x"»)])`,
		`service(name = "x", command = ["/x"], prepare = [require_free_space(«"a"», "1GiB")])`,
		`service(name = "x", command = ["/x"], prepare = [require_port_free(«host.name»)])`,
		`service(name = "x", command = ["/x"], prepare = [template("/a", «"{"»)])`,
		`service(name = "x", command = ["/x"], prepare = [template("/a", "{}{}", 1, «{}»)])`,
		`service(name = "x", command = ["/x"], prepare = [«1»])`,
		`service(name = "x", command = ["/x"], probes = [tcp(80, expect = "x"), http(80, «"x"»)])`,
		`service(name = "x", command = ["/x"], probes = [tcp(80, expect = «1»)])`,
		`service(name = "x", command = ["/x"], probes = [tcp(80, send = "a", connect_only = «True»)])`,
		`service(name = "x", command = ["/x"], restart = restart(jitter = «2»))`,
		`service(name = "x", command = ["/x"], restart = restart(delay = "5s", cap = «"1s"»))`,
		`service(name = "x", command = ["/x"], stop = stop(grace = «"100h"»))`,
		`service(name = "x", command = ["/x"], limits = limits(nofile = «1»))`,
		`service(name = "x", command = ["/x"], logs = logs(keep = «5000»))`,
		`service(name = "x", command = ["/x"], after = ["ok", «"other"»])`,
		`package(name = «"X"», version = "1", maintainer = "A <a@b>", summary = "x")`,
		`package(name = "xx", version = "1", release = «0», maintainer = "A <a@b>", summary = "x")`,
		`package(name = "xx", version = "1", maintainer = "A <a@b>", summary = «"a\nb"»)`,
		`package(name = "xx", version = "1", maintainer = "A <a@b>", summary = "x", build = [run(["go", «host.name»])])`,
		`package(name = "xx", version = "1", maintainer = "A <a@b>", summary = "x", contents = [file(«"/a"», "/b")])`,
		`package(name = "xx", version = "1", maintainer = "A <a@b>", summary = "x", contents = [file("a", «"/b"»), file("c", "/b")])`,
		`package(name = "xx", version = "1", maintainer = "A <a@b>", summary = "x", depends = ["a", «"b c"»])`,
		`service(name = "x", command = ["/x"], probes = [http(*«[70000]»)])`,
		`service(**«{"name": "x", "comand": ["/x"]}»)`,
	} {
		before, rest, _ := strings.Cut(marked, "«")
		inside, after, _ := strings.Cut(rest, "»")
		if strings.Contains(marked, `file("c"`) { // the second of two is at fault
			before, inside, after = before+`"/b"), file("c", `, `"/b"`, ")])"
		}
		_, list := interp.EvaluateBytes("x.star", []byte(ok+before+inside+after+"\n"), interp.Options{})
		stars := len(before) - len(strings.TrimRight(before, "*")) // a starred argument is shown with its stars
		if len(list) != 1 || list[0].At.Line != 2 || list[0].At.Column != len(before)+1-stars || list[0].At.EndColumn != len(before)+len(inside)+1 {
			t.Errorf("%s:\n%s", marked, list)
		}
	}
}
