package launch_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// TestHostileFlagsFiles holds both readers of a flags file equal, values and complaints alike, on files that nobody would
// write: mixed line ends, NUL, no last line end, long lines, duplicates by several names, bytes that are not UTF-8.
func TestHostileFlagsFiles(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	p := hostile()
	names, exprs := []string{}, []expr.Expr{}
	for _, f := range p.Flags {
		if f.Secret {
			continue
		}
		e := expr.Fmt("{}", expr.FlagOf(f.Name))
		if f.Type == plan.FlagList {
			e = expr.Call(expr.OpJoin, expr.FlagOf(f.Name), expr.TextOf("|"))
		}
		names, exprs = append(names, fmt.Sprintf("value_%d", len(names))), append(exprs, e)
	}
	functions, lines, err := launch.Values(p, &p.Services[0], names, exprs)
	if err != nil {
		t.Fatal(err)
	}
	dir := openTempDir(t)
	script := "set -u\nPATH=/usr/bin:/bin LC_ALL=C\nexport PATH LC_ALL\ninsane() { printf '%s\\0' \"$1\"; exit; }\n" + functions +
		"one() (\nroot=$1\n" + lines + "printf '%s\\n' \"$" + strings.Join(names, `" "$`) + "\"\nprintf '\\0'\n)\n"
	var want []string
	sound := 0
	for i := range 50 {
		g := &hostileGenerator{rand.New(rand.NewPCG(seed, uint64(i)))}
		root := filepath.Join(dir, fmt.Sprint(i))
		write(t, root+p.FlagsPath(), g.file(), 0o600)
		script += "one " + root + "\n"
		resolved, err := flags.ResolveOpenly(p, root, nil, expr.Facts{CPUs: 1, Memory: 1 << 30})
		if err != nil {
			want = append(want, strings.ReplaceAll(err.Error(), "\n", "; "))
			continue
		}
		sound++
		text := ""
		for _, e := range exprs {
			v, err := e.Eval(resolved.Env)
			if err != nil {
				t.Fatal(err)
			}
			text += v.String() + "\n"
		}
		want = append(want, text)
	}
	if sound < 2 || sound > 48 {
		t.Errorf("%d files are sound: the mixture is poor", sound)
	}
	for _, l := range launchers(t) {
		if l.native || l.name == "busybox sh" {
			continue
		}
		cmd := exec.Command(l.argv[0], l.argv[1:]...)
		text := script
		if l.tools != "" {
			text = strings.Replace(text, "PATH=/usr/bin:/bin", "PATH="+l.tools, 1)
		}
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		got := strings.Split(string(out), "\x00")
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("%s reads %s otherwise:\n%q\nand not\n%q", l.name, filepath.Join(dir, fmt.Sprint(i)), got[min(i, len(got)-1)], want[i])
			}
		}
	}
}

func hostile() *plan.Plan {
	return with(daemon(), func(p *plan.Plan, _ *plan.Service) {
		p.Flags = []plan.Flag{
			{Name: "count", Type: plan.FlagInt, Unit: "things", Min: number(-5), Default: expr.IntOf(1)},
			{Name: "port", Type: plan.FlagPort, RenamedFrom: []string{"listen", "tcp-port"}, Default: expr.IntOf(1)},
			{Name: "verbose", Type: plan.FlagBool, Deprecated: "it's gone", Default: expr.BoolOf(true)},
			{Name: "title", Type: plan.FlagString, Max: number(20000), Default: expr.TextOf("x")},
			{Name: "tag", Type: plan.FlagString, Pattern: "[a-z]*(-[0-9]+)?", Default: expr.TextOf("x")},
			{Name: "wait", Type: plan.FlagDuration, Default: expr.DurationOf(1)},
			{Name: "cache", Type: plan.FlagSize, Max: number(1 << 40), Default: expr.SizeOf(1)},
			{Name: "hosts", Type: plan.FlagList, Max: number(4), Pattern: "[a-z ]+", Default: expr.ListOf()},
			{Name: "data", Type: plan.FlagPath, Default: expr.PathOf("/")},
			{Name: "level", Type: plan.FlagEnum, Values: []string{"a", "it's"}, Default: expr.TextOf("a")},
			{Name: "password", Type: plan.FlagString, Secret: true, Default: expr.Expr{}},
		}
	})
}

type hostileGenerator struct{ *rand.Rand }

func (g *hostileGenerator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *hostileGenerator) file() string {
	var b strings.Builder
	for range g.IntN(8) {
		b.WriteString(g.line())
		b.WriteString(g.pick("\n", "\n", "\n", "\n", "\n", "\n", "\n\n", "\r\n", "\n \t\n"))
	}
	if g.IntN(3) == 0 {
		b.WriteString(g.line())
	}
	return b.String()
}

func (g *hostileGenerator) line() string {
	switch g.IntN(16) {
	case 0:
		return g.pick("#", "# a comment", "#\x00", "# \xff", "", "\t", "port", "=", "a=b=c", " port=1", "\tport=1")
	case 1:
		return "title=" + strings.Repeat("x", 16370+g.IntN(20)) + g.pick("", "é", "\x00")
	case 2:
		return "title=" + g.pick("\x00", "a\x00b", "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "a\rb", "\r", "\x1b[0m", "\x7f", "\a", "\u0080ok"[2:]+"é☃𝄞")
	}
	name := g.pick("count", "port", "listen", "tcp-port", "verbose", "title", "tag", "wait", "cache", "hosts", "data", "level", "password")
	if g.IntN(12) == 0 {
		name = g.pick("prot", "xyzzy", "HOSTS", "lst", "pasword", "tcp-prot")
	}
	if g.IntN(4) == 0 {
		return name + "=" + g.pick("", "x", "0", "-1", "1", " 1", "true", "a,b", "/", "@/x", "=", "é", "$(id)", `\`, `"q"`, "'", "*", "~", "99999999999999999999")
	}
	return name + "=" + map[string]string{
		"count": g.pick("-5", "-6", "9223372036854775807", "9223372036854775808"), "port": g.pick("1", "65535", "65536"), "listen": "7", "tcp-port": "8",
		"verbose": g.pick("true", "false", "True"), "title": g.pick("a b", " a", "a ", "#", "a=b"), "tag": g.pick("ab-12", "ab-", "AB", "é"),
		"wait": g.pick("10s", "1d", "0001ms", "1.5s"), "cache": g.pick("1KiB", "1TiB", "2TiB", "1KB"), "hosts": g.pick("a,b", "a,b,c,d,e", "a,,b", "a, b", "a b,c", "a,B", ","),
		"data": g.pick("/srv", "/a/../b", "/a//b", "srv"), "level": g.pick("it's", "a", "b"), "password": g.pick("@/a", "@/a/", "hunter2", "@a", "@"),
	}[name]
}
