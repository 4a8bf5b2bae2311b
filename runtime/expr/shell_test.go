package expr

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// shells are the commands that have to agree with Eval.
func shells(t *testing.T) map[string][]string {
	found := map[string][]string{}
	for name, command := range map[string][]string{"dash": {"dash"}, "busybox": {"busybox", "sh"}} {
		if _, err := exec.LookPath(command[0]); err == nil {
			found[name] = command
		} else if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatalf("%s is not installed", command[0])
		} else {
			t.Logf("%s is not installed: not compared", command[0])
		}
	}
	if len(found) == 0 {
		t.Skip("neither dash nor busybox is installed")
	}
	return found
}

// TestShellAgreesWithEval holds the two back ends equal, values and errors alike, on random well-typed expressions and
// on every pair of edges under every operator of two numbers.
func TestShellAgreesWithEval(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &comparison{sh: NewShell(testKind)}
	for i := range 2400 {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		c.add(t, g.expression(anyKinds[g.IntN(len(anyKinds))], 4), g.env())
	}
	if c.failures < 100 || c.failures > 1200 {
		t.Errorf("%d of %d expressions fail: the mixture is poor", c.failures, len(c.want))
	}
	env := (&generator{Rand: rand.New(rand.NewPCG(seed, 0))}).env()
	for _, op := range []Op{OpAdd, OpSub, OpMul, OpDiv, OpMod} {
		for _, a := range edges {
			for _, b := range edges {
				env.Flags["i-1"], env.Flags["i-2"] = Value{Kind: Int, Int: a}, Value{Kind: Int, Int: b}
				c.add(t, Call(op, FlagOf("i-1"), FlagOf("i-2")), env)
			}
		}
	}
	script := "set -u\nfail() { printf '%s: error: %s\\0' \"$what\" \"$1\"; exit; }\n" + c.sh.Functions() + c.body.String()
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script"); err != nil {
		t.Fatalf("not POSIX: %v", err)
	}
	for name, command := range shells(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Split(run(t, command, script), "\x00")
			if got[len(got)-1] != "" || len(got)-1 != len(c.want) {
				t.Fatalf("%d results for %d expressions", len(got)-1, len(c.want))
			}
			for i, want := range c.want {
				if got[i] != want {
					t.Errorf("sh:   %q\nEval: %q", got[i], want)
				}
			}
		})
	}
}

// comparison collects expressions: what Eval says of them, and one script that says it again.
type comparison struct {
	sh       *Shell
	body     strings.Builder
	want     []string
	failures int
}

func (c *comparison) add(t *testing.T, e Expr, env *Env) {
	t.Helper()
	v, err := e.Eval(env)
	if err != nil {
		c.failures++
		c.want = append(c.want, fmt.Sprintf("%s: error: %v", show(e), err))
	} else {
		c.want = append(c.want, show(e)+": "+v.String())
	}
	lines, word, err := c.sh.Text(e)
	if err != nil {
		t.Fatalf("%s: %v", show(e), err)
	}
	fmt.Fprintf(&c.body, "(\nwhat=%s\n%s%s\nprintf '%%s: %%s\\0' \"$what\" %s\n)\n", QuoteShell(show(e)), assignments(e, env), strings.Join(lines, "\n"), word)
}

func run(t *testing.T, command []string, script string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(script), &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return string(out)
}

// TestShellFacts compares what the script finds out about this host with what Host does.
func TestShellFacts(t *testing.T) {
	t.Parallel()
	facts, err := Host()
	if err != nil {
		t.Fatal(err)
	}
	e := Fmt("{} {} {} {}", HostOf("cpus"), HostOf("memory"), HostOf("name"), HostOf("arch"))
	want, err := e.Eval(&Env{Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	sh := NewShell(testKind)
	_, word, err := sh.Text(e)
	if err != nil {
		t.Fatal(err)
	}
	for name, command := range shells(t) {
		if got := run(t, command, sh.Facts()+"printf %s "+word); got != want.Text {
			t.Errorf("%s: %q, not %q", name, got, want.Text)
		}
	}
}

// TestShellIsReadable pins the text of a few expressions: short, and nothing in the prelude that is not used.
func TestShellIsReadable(t *testing.T) {
	t.Parallel()
	cpus, port := HostOf("cpus"), FlagOf("i-1")
	tests := []struct {
		e    Expr
		want string
	}{
		{IntOf(8080), `8080`},
		{TextOf("--foreground"), `--foreground`},
		{TextOf(""), `''`},
		{TextOf("it's $(x)"), `'it'\''s $(x)'`},
		{PathOf("/etc/foo"), `"$root/etc/foo"`},
		{PathOf("/"), `"${root:-/}"`},
		{Fmt("--port={}", port), `"--port=$flag_i_1"`},
		{Fmt("{}x{{", port), `"${flag_i_1}x{"`},
		{Fmt("{}{}", port, cpus), `"$flag_i_1$host_cpus"`},
		{DurationOf(90_000), `90s`},
		{Call(OpMul, IntOf(6), IntOf(7)), `42`},
		{Call(OpClamp, Call(OpMul, cpus, IntOf(2)), IntOf(2), IntOf(64)), "mul \"$host_cpus\" 2\nclamp \"$value\" 2 64\nv1=$value\n\"$v1\""},
		{Call(OpAdd, Call(OpMul, cpus, IntOf(2)), Call(OpSub, cpus, IntOf(1))), "mul \"$host_cpus\" 2\nv1=$value\nsub \"$host_cpus\" 1\nadd \"$v1\" \"$value\"\nv2=$value\n\"$v2\""},
		{Fmt("{}:{}", FlagOf("d-1"), TextOf("`")), "duration \"$flag_d_1\"\nv1=$value\n\"$v1:\\`\""},
	}
	for _, test := range tests {
		sh := NewShell(testKind)
		lines, word, err := sh.Text(test.e)
		if got := strings.Join(append(lines, word), "\n"); err != nil || got != test.want {
			t.Errorf("%s:\n%s\nnot\n%s\n%v", show(test.e), got, test.want, err)
		}
		if len(lines) == 0 && sh.Functions() != "" {
			t.Errorf("%s needs no functions, but has %q", show(test.e), sh.Functions())
		}
	}
}

// TestShellRefuses what Eval would never be given.
func TestShellRefuses(t *testing.T) {
	t.Parallel()
	for _, e := range []Expr{FlagOf("absent"), HostOf("moon"), Call(OpAdd, IntOf(1), TextOf("x")), TextOf("\x00"), {}} {
		if _, _, err := NewShell(testKind).Text(e); err == nil {
			t.Errorf("%v is written", e)
		}
	}
}

var (
	anyKinds = []Kind{Int, Int, Size, Duration, Text, Text, Path, Bool}
	edges    = []int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1, -1, 0, 1, -2, 2, -7, 10,
		math.MinInt32, math.MaxInt32, 3037000499, 3037000500, -3037000500, 60_000, 3_600_000, -1000}
	texts = []string{"", "x", "it's", `"`, `\`, "$(touch x)", "`id`", "a b", "\n", "é", "*", "~", "{}", "-n", "end\n", "\t", "${root}"}
)

// testKind declares flags i-1 to i-3 and so on for every kind.
func testKind(name string) (Kind, bool) {
	prefix, number, _ := strings.Cut(name, "-")
	for _, k := range anyKinds {
		if string(k)[:1] == prefix && (number == "1" || number == "2" || number == "3") {
			return k, true
		}
	}
	return "", false
}

type generator struct{ *rand.Rand }

func (g *generator) number() int64 {
	switch g.IntN(4) {
	case 0:
		return edges[g.IntN(len(edges))]
	case 1:
		return int64(g.Uint64())
	}
	return g.Int64N(2000) - 500
}

func (g *generator) text() string { return texts[g.IntN(len(texts))] }

func (g *generator) path() string {
	return []string{"/", "/etc", "/var/lib/it's", "/a b/$x", "/é"}[g.IntN(5)]
}

func (g *generator) env() *Env {
	env := &Env{Flags: map[string]Value{}, Facts: Facts{g.number(), g.number(), g.text(), g.text()}}
	env.Root = []string{"", "/", "/r", "/it's a $root"}[g.IntN(4)]
	for _, k := range anyKinds {
		for n := 1; n <= 3; n++ {
			v := Value{Kind: k}
			switch k {
			case Text:
				v.Text = g.text()
			case Path:
				v.Text = env.Rooted(g.path())
			case Bool:
				v.Int = g.Int64N(2)
			default:
				v.Int = g.number()
			}
			env.Flags[fmt.Sprintf("%s-%d", string(k)[:1], n)] = v
		}
	}
	return env
}

// assignments gives the script the part of env that e names.
func assignments(e Expr, env *Env) string {
	set := map[string]string{"root": strings.TrimSuffix(env.Root, "/")}
	e.Walk(func(n Expr) {
		switch v := env.Flags[n.Text]; n.Op {
		case OpFlag:
			set[ShellFlag(n.Text)] = v.String()
			if v.Kind == Duration {
				set[ShellFlag(n.Text)] = strconv.FormatInt(v.Int, 10)
			}
		case OpHost:
			v, _ := env.Facts.value(n.Text)
			set["host_"+n.Text] = v.String()
		}
	})
	var b strings.Builder
	for name, value := range set {
		fmt.Fprintf(&b, "%s=%s\n", name, QuoteShell(value))
	}
	return b.String()
}

// expression makes one of the kind, at most depth deep. Flags are the usual leaves: arithmetic on literals is folded.
func (g *generator) expression(k Kind, depth int) Expr {
	if depth == 0 || !k.Numeric() && k != Text || g.IntN(5) == 0 {
		return g.leaf(k)
	}
	if k == Text {
		format, args := "", []Expr{}
		for range g.IntN(4) {
			format += []string{"", "-", "a", "{{", "$", "'", "\n"}[g.IntN(7)] + "{}"
			args = append(args, g.expression(anyKinds[g.IntN(len(anyKinds))], depth-1))
		}
		return Fmt(format+[]string{"", "z", "\n"}[g.IntN(3)], args...)
	}
	arg := func(k Kind) Expr { return g.expression(k, depth-1) }
	switch g.IntN(8) {
	case 0:
		return Call(OpAdd, arg(k), arg(k))
	case 1:
		return Call(OpSub, arg(k), arg(k))
	case 2:
		if g.IntN(2) == 0 {
			return Call(OpMul, arg(Int), arg(k))
		}
		return Call(OpMul, arg(k), arg(Int))
	case 3:
		if unit := []Kind{Size, Duration, Int}[g.IntN(3)]; k == Int {
			return Call(OpDiv, arg(unit), arg(unit))
		}
		return Call(OpDiv, arg(k), arg(Int))
	case 4:
		return Call(OpMod, arg(k), arg(k))
	case 5:
		return Call(OpClamp, arg(k), arg(k), arg(k))
	}
	args := []Expr{}
	for range 1 + g.IntN(3) {
		args = append(args, arg(k))
	}
	return Call([]Op{OpMin, OpMax}[g.IntN(2)], args...)
}

func (g *generator) leaf(k Kind) Expr {
	if g.IntN(3) > 0 {
		return FlagOf(fmt.Sprintf("%s-%d", string(k)[:1], 1+g.IntN(3)))
	}
	switch k {
	case Bool:
		return BoolOf(g.IntN(2) == 0)
	case Text:
		return []Expr{TextOf(g.text()), HostOf("name"), HostOf("arch")}[g.IntN(3)]
	case Path:
		return PathOf(g.path())
	case Size:
		return []Expr{SizeOf(g.number()), HostOf("memory")}[g.IntN(2)]
	case Duration:
		return DurationOf(g.number())
	}
	return []Expr{IntOf(g.number()), HostOf("cpus")}[g.IntN(2)]
}

func show(e Expr) string {
	if e.IsZero() {
		return "absent"
	}
	data, err := e.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(data)
}
