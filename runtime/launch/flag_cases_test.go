package launch_test

import (
	"os"
	"strings"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// listed is a plan whose command, and a run step before it, have a list for arguments.
func listed() *plan.Plan {
	hosts := plan.Flag{Name: "hosts", Type: plan.FlagList, Default: expr.ListOf("it's", "a b", "*"), Apply: plan.Apply{Action: plan.ApplyRestart}}
	copies := plan.Flag{Name: "copies", Type: plan.FlagList, Max: number(3), Pattern: "[a-z *']+", Default: expr.FlagOf("hosts"), Apply: plan.Apply{Action: plan.ApplyRestart}}
	return with(daemon(run(5000, append(sh(`printf "<%s>" "$@"; echo`), expr.TextOf("sh"), expr.FlagOf("hosts"), expr.TextOf("*"))...)), func(p *plan.Plan, s *plan.Service) {
		p.Flags = []plan.Flag{hosts, copies}
		s.Command = append(s.Command, expr.TextOf("first,*"), expr.FlagOf("hosts"), expr.ListOf("x", "y z"), expr.Fmt("{}!", expr.Call(expr.OpJoin, expr.FlagOf("copies"), expr.TextOf(" & "))), expr.FlagOf("hosts"), expr.TextOf("last"))
	})
}

func listTwins() []twin {
	most := strings.Repeat("x,", expr.MostElements-1)
	bad := func(name, file, says string) twin {
		return twin{name: "list: " + name, plan: listed(), flags: file, code: 100, says: says, once: true}
	}
	return []twin{
		{name: "list", plan: listed(), says: "argument \"it's\"\nargument \"a b\"\nargument \"*\"\nargument \"x\"\nargument \"y z\"\nargument \"it's & a b & *!\"\nargument \"it's\""},
		{name: "list in a step", plan: listed(), says: "<it's><a b><*><*>\n"},
		{name: "list without elements", plan: listed(), flags: "hosts=\n", says: "argument \"first,*\"\nargument \"x\"\nargument \"y z\"\nargument \"!\"\nargument \"last\""},
		{name: "list of odd elements", plan: listed(), flags: "hosts=$(id),\"q\",back\\slash,-n,=,#\ncopies=a\n", says: `argument "\"q\""` + "\n" + `argument "back\\slash"`},
		{name: "list of one", plan: listed(), flags: "hosts=é\ncopies=a", says: `argument "é"`},
		bad("empty element", "hosts=a,,b\n", `flag "hosts": "a,,b" is not a list: element 2 is empty`+"\n"),
		bad("empty elements", "hosts=,\ncopies=a,\n", `:1: flag "hosts": "," is not a list: element 1 is empty; ROOT/etc/foo/flags:2: flag "copies": "a," is not a list: element 2 is empty`),
		bad("white space", "hosts=a, b\ncopies=a\t\n", `"a, b" is not a list: element 2 has white space at an end; ROOT/etc/foo/flags:2: flag "copies": "a\t" is not a list: element 1 has`),
		bad("too many", "copies=a,b,c,d\nhosts="+most+"x,x\n", `flag "copies": 4 elements is out of range: 0 to 3 elements; ROOT/etc/foo/flags:2: flag "hosts": a list has at most 1000 elements`+"\n"),
		bad("an element that does not match", "copies=a,b1,c2\n", `flag "copies": "b1" does not match [a-z *']+`+"\n"),
		bad("default that is too long", "hosts=a,b,c,d\n", `flag "copies": the default cannot be used: 4 elements is out of range: 0 to 3 elements: set it in ROOT/etc/foo/flags`+"\n"),
		bad("default that does not match", "hosts=a,B\n", `flag "copies": the default cannot be used: "B" does not match [a-z *']+: set it in`),
	}
}

func patternTwins() []twin {
	patterned := func() *plan.Plan {
		return show(daemon(),
			plan.Flag{Name: "tag", Type: plan.FlagString, Min: number(2), Max: number(5), Pattern: `[a-z\]"'$-]*|v\d+(\.\d+)?`, Default: expr.TextOf("ab")},
			plan.Flag{Name: "name", Type: plan.FlagString, Pattern: ".+", Default: expr.HostOf("name")},
			plan.Flag{Name: "two", Type: plan.FlagString, Default: expr.Fmt("a{}", expr.FlagOf("tag"))},
			plan.Flag{Name: "count", Type: plan.FlagInt, Unit: "workers", Max: number(9), Default: expr.IntOf(3)})
	}
	bad := func(file, says string) twin {
		return twin{name: "pattern: " + file, plan: patterned(), flags: file, code: 100, says: says + "\n", once: true}
	}
	lines := patterned()
	lines.Flags[2].Default = expr.Fmt("a\n{}", expr.FlagOf("tag"))
	return []twin{
		{name: "pattern", plan: patterned(), flags: "tag=$']-\"", says: `tag=$']-\"`},
		{name: "pattern, the other way", plan: patterned(), flags: "tag=v1.25\ncount=-9\n", says: "tag=v1.25"},
		bad("tag=a1", `flag "tag": "a1" does not match [a-z\]"'$-]*|v\d+(\.\d+)?`),
		bad("tag=aé", `flag "tag": "aé" does not match [a-z\]"'$-]*|v\d+(\.\d+)?`),
		bad("tag=éé!", `flag "tag": "éé!" does not match [a-z\]"'$-]*|v\d+(\.\d+)?`),
		bad("tag=ééé", `flag "tag": 6 bytes is out of range: 2 to 5 bytes`),
		bad("tag=a", `flag "tag": 1 byte is out of range: 2 to 5 bytes`),
		bad("tag=", `flag "tag": 0 bytes is out of range: 2 to 5 bytes`),
		bad("name=", `flag "name": "" does not match .+`),
		bad("name=\t", `flag "name": "\t" does not match .+`),
		bad("count=10", `flag "count": 10 workers is out of range: at most 9 workers`),
		{name: "default of two lines", plan: lines, code: 100, says: `flag "two": the default cannot be used: it is not one line of text: set it in`, once: true},
	}
}

const hunter = "s3cr3t it's \\ $(id)"

// secretly is a plan that shows the secret flag password in a template.
func secretly(steps ...plan.Step) *plan.Plan {
	steps = append([]plan.Step{template("/run/foo/password", 0o600, expr.Fmt("password={}\n", expr.FlagOf("password")))}, steps...)
	return with(daemon(steps...), func(p *plan.Plan, _ *plan.Service) {
		p.Flags = []plan.Flag{{Name: "password", Type: plan.FlagString, Secret: true, Min: number(3), Max: number(40), Pattern: ".*", RenamedFrom: []string{"pass"}, Apply: plan.Apply{Action: plan.ApplyRestart}}}
	})
}

func secretTwins() []twin {
	put := func(content string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			write(t, root+"/etc/foo/secret", content, mode)
			chmod(t, root+"/etc/foo/secret", mode)
		}
	}
	const set = "password=@/etc/foo/secret\n"
	bad := func(name, file, says string, setup func(*testing.T, string)) twin {
		return twin{name: "secret: " + name, plan: secretly(), flags: file, setup: setup, code: 100, says: `cannot start foo: ` + says + "\n", absent: "s3cr3t", once: true}
	}
	ours := func(says string) string { return `flag "password": the file ROOT/etc/foo/secret` + says }
	const unset = `flag "password": is not set: write password=@/PATH, the path of a file that holds it, in ROOT/etc/foo/flags, or give the service a credential of that name`
	const written = `it is a secret, whose value is not written here: write password=@/PATH, an absolute path of a file that holds it`
	credential := []string{"CREDENTIALS_DIRECTORY=ROOT/creds"}
	loose := func(t *testing.T, root string) {
		write(t, root+"/creds/password", hunter+"\n", 0o644)
	}
	return []twin{
		{name: "secret", plan: secretly(), flags: set, setup: put(hunter+"\n", 0o600), again: 1, says: "recorder", absent: "s3cr3t"},
		{name: "secret without a line end", plan: secretly(), flags: set, setup: put(hunter, 0o400), says: "recorder", absent: "s3cr3t"},
		{name: "secret by an old name", plan: secretly(), flags: "pass=@/etc/foo/secret", setup: put(hunter, 0o400), says: "recorder", absent: "s3cr3t",
			warns: "run-foo: ROOT/etc/foo/flags:1: flag \"pass\" is now called \"password\": write password=...\n"},
		{name: "secret behind a link", plan: secretly(), flags: set, says: "recorder", setup: func(t *testing.T, root string) {
			write(t, root+"/etc/foo/..data/secret", hunter, 0o600)
			symlink(t, "..data/secret", root+"/etc/foo/secret")
		}},
		{name: "secret of a credential", plan: secretly(), env: credential, setup: loose, says: "recorder", absent: "s3cr3t"},
		{name: "secret of a file before a credential", plan: secretly(), env: credential, flags: set, says: "recorder", setup: func(t *testing.T, root string) {
			loose(t, root)
			put("other", 0o600)(t, root)
		}},
		{name: "secret is no credential", plan: secretly(), env: credential, code: 100, says: unset},
		{name: "secret of nowhere", plan: secretly(), env: []string{"CREDENTIALS_DIRECTORY=relative"}, code: 100, says: unset},
		bad("written", "password=s3cr3t\n", "ROOT/etc/foo/flags:1: flag \"password\": "+written, nil),
		bad("written with an at", "password=@s3cr3t\n", "ROOT/etc/foo/flags:1: flag \"password\": "+written, nil),
		bad("path that is not clean", "pass=@/s3cr3t/../x\n", "ROOT/etc/foo/flags:1: flag \"pass\": "+strings.Replace(written, "password=", "pass=", 1), nil),
		bad("not there", set, ours(" is not there, or cannot be read"), nil),
		bad("a folder", set, ours(" is not a regular file"), func(t *testing.T, root string) { mkdir(t, root+"/etc/foo/secret") }),
		bad("for the group", set, ours(" can be read or written by others: chmod 600 ROOT/etc/foo/secret"), put(hunter, 0o640)),
		bad("for all", set, ours(" can be read or written by others: chmod 600 ROOT/etc/foo/secret"), put(hunter, 0o602)),
		bad("empty", set, ours(": it is empty"), put("", 0o600)),
		bad("an empty line", set, ours(": it is empty"), put("\n", 0o600)),
		bad("two lines", set, ours(": it holds more than one line"), put("s3cr3t\nx", 0o600)),
		bad("two line ends", set, ours(": it holds more than one line"), put("s3cr3t\n\n", 0o600)),
		bad("two empty lines", set, ours(": it holds more than one line"), put("\n\n", 0o600)),
		bad("a NUL", set, ours(": a NUL byte"), put("s3cr3t\x00\n", 0o600)),
		bad("a carriage return", set, ours(": a carriage return at the end: write the file with Unix line ends"), put("s3cr3t\r\n", 0o600)),
		bad("a control character", set, ours(": a control character"), put("s3cr3t\n\x1b", 0o600)),
		bad("not UTF-8", set, ours(": bytes that are not UTF-8"), put("s3cr3t\xff", 0o600)),
		bad("large", set, ours(" is larger than 64KiB"), put(strings.Repeat("s3cr3t ", 10000), 0o600)),
		bad("a long line", set, ours(": a line of more than 16384 bytes"), put(strings.Repeat("s3cr3t ", 3000), 0o600)),
		bad("out of range", set, ours(": the value in it is not accepted: one line of text, 3 to 40 bytes, matching .*"), put(strings.Repeat("s3cr3t", 10), 0o600)),
		bad("without a match", set, ours(": the value in it is not accepted: one line of text, 3 to 40 bytes, matching .*"), put("s3cr3té", 0o600)),
		{name: "secret of another", plan: secretly(), flags: set, only: "root", code: 100, says: "ROOT/etc/foo/secret belongs to another user, who could change it: chown 0 ROOT/etc/foo/secret\n", setup: func(t *testing.T, root string) {
			put(hunter, 0o600)(t, root)
			if err := os.Chown(root+"/etc/foo/secret", 1, 1); err != nil {
				t.Fatal(err)
			}
		}},
	}
}

func renamedTwins() []twin {
	renamed := func() *plan.Plan {
		return show(daemon(),
			plan.Flag{Name: "port", Type: plan.FlagPort, RenamedFrom: []string{"listen", "tcp-port"}, Default: expr.IntOf(1)},
			plan.Flag{Name: "old", Type: plan.FlagString, Deprecated: "it's of no use; set port", Default: expr.TextOf("x")})
	}
	const at = "run-foo: ROOT/etc/foo/flags:"
	const again = "; port was called listen, tcp-port"
	return []twin{
		{name: "renamed flag", plan: renamed(), flags: "tcp-port=7\n\nold=y\n", says: `"port=7"`,
			warns: at + `1: flag "tcp-port" is now called "port": write port=...` + "\n" + at + `3: flag "old" is deprecated: it's of no use; set port` + "\n"},
		{name: "renamed flag by its name", plan: renamed(), flags: "port=7\n", says: `"port=7"`},
		{name: "renamed flag by both names", plan: renamed(), flags: "port=7\nlisten=8\n", code: 100, says: `flags:2: flag "listen": is set already, in line 1` + again + "\n", once: true},
		{name: "renamed flag by two old names", plan: renamed(), flags: "listen=8\ntcp-port=8\nport=9\n", code: 100, once: true,
			says: `flags:2: flag "tcp-port": is set already, in line 1` + again + `; ROOT/etc/foo/flags:3: flag "port": is set already, in line 1` + again + "\n"},
		{name: "renamed flag of a bad value", plan: renamed(), flags: "listen=x\nold=y\n", code: 100, says: `flags:1: flag "listen": "x" is not a whole number of 64 bits` + "\n", once: true},
		{name: "renamed flag and an unknown one", plan: renamed(), flags: "lisen=1\n", code: 100, says: "no such flag; there are: port, old\n", once: true},
	}
}
