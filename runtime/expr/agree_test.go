package expr

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

var expressions = flag.Int("expressions", 10_000, "how many random expressions TestShellAgreesWithEval compares")

// batch is how many expressions one process of a shell computes.
const batch = 2_000

// TestShellAgreesWithEval holds the two back ends equal, values and errors alike, on random well-typed expressions over
// random flags and facts. `go test ./runtime/expr -run ShellAgrees -expressions 1000000 -timeout 0` is the longer run.
func TestShellAgreesWithEval(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	found := shells(t)
	failures, used := 0, map[Op]int{}
	for first := 0; first < *expressions; first += batch {
		c := &comparison{sh: NewShell(testKind)}
		for i := first; i < min(first+batch, *expressions); i++ {
			g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
			e := g.expression(anyKinds[g.IntN(len(anyKinds))], 4)
			c.add(t, e, g.env())
			e.Walk(func(n Expr) { used[n.Op]++ })
		}
		failures += c.failures
		c.compare(t, found)
		if t.Failed() {
			t.Fatalf("the batch of the first %d disagrees", first+batch)
		}
	}
	if failures < *expressions/20 || failures > *expressions/2 {
		t.Errorf("%d of %d expressions fail: the mixture is poor", failures, *expressions)
	}
	for _, op := range []Op{OpAdd, OpSub, OpMul, OpDiv, OpMod, OpMin, OpMax, OpClamp, OpFmt, OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpAnd, OpOr, OpNot, OpCond, OpSelect} {
		if used[op] < *expressions/50 {
			t.Errorf("%s is in %d of %d expressions: the mixture is poor", op, used[op], *expressions)
		}
	}
}

// TestShellAgreesOnEdges tries every pair of edges under every operator of two numbers, and every pair of texts.
func TestShellAgreesOnEdges(t *testing.T) {
	t.Parallel()
	c := &comparison{sh: NewShell(testKind)}
	env := (&generator{Rand: rand.New(rand.NewPCG(1, 1))}).env()
	for _, op := range []Op{OpAdd, OpSub, OpMul, OpDiv, OpMod, OpEq, OpNe, OpLt, OpLe, OpGt, OpGe} {
		for _, a := range edges {
			for _, b := range edges {
				env.Flags["i-1"], env.Flags["i-2"] = Value{Kind: Int, Int: a}, Value{Kind: Int, Int: b}
				c.add(t, Call(op, FlagOf("i-1"), FlagOf("i-2")), env)
			}
		}
	}
	for _, a := range texts {
		for _, b := range texts {
			env.Flags["t-1"], env.Flags["t-2"] = Value{Kind: Text, Text: a}, Value{Kind: Text, Text: b}
			c.add(t, Call(OpEq, FlagOf("t-1"), FlagOf("t-2")), env)
			c.add(t, Call(OpSelect, FlagOf("t-1"), TextOf(b), IntOf(1), IntOf(2)), env)
			c.add(t, Call(OpCond, Call(OpNe, FlagOf("t-1"), TextOf(b)), FlagOf("t-1"), FlagOf("t-2")), env)
		}
	}
	script := c.script()
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script"); err != nil {
		t.Fatalf("not POSIX: %v", err)
	}
	c.compare(t, shells(t))
}

// TestWhatIsNotChosenIsNotComputed holds both back ends to being lazy: what would fail is no error where it is not
// chosen, and is one where it is.
func TestWhatIsNotChosenIsNotComputed(t *testing.T) {
	t.Parallel()
	zero, big, yes, no := FlagOf("i-1"), FlagOf("i-2"), FlagOf("b-1"), FlagOf("b-2")
	env := &Env{Flags: map[string]Value{"i-1": {Kind: Int}, "i-2": {Kind: Int, Int: 1 << 62}, "b-1": truth(true), "b-2": truth(false), "t-1": {Kind: Text, Text: "x"}}}
	divides, overflows := Call(OpDiv, IntOf(1), zero), Call(OpMul, big, big)
	fails := Call(OpGt, divides, IntOf(0))
	c := &comparison{sh: NewShell(testKind)}
	for _, test := range []struct {
		e    Expr
		want string
	}{
		{Call(OpCond, yes, IntOf(1), divides), "1"},
		{Call(OpCond, no, overflows, IntOf(2)), "2"},
		{Call(OpCond, no, IntOf(1), divides), "error: division by zero"},
		{Call(OpCond, yes, overflows, IntOf(2)), "error: the result does not fit in 64 bits"},
		{Call(OpCond, fails, IntOf(1), IntOf(2)), "error: division by zero"},
		{Call(OpCond, Call(OpNe, zero, IntOf(0)), Call(OpDiv, big, zero), IntOf(-1)), "-1"},
		{Call(OpAnd, no, fails), "false"},
		{Call(OpAnd, yes, fails), "error: division by zero"},
		{Call(OpOr, yes, fails), "true"},
		{Call(OpOr, no, fails), "error: division by zero"},
		{Call(OpOr, Call(OpAnd, no, fails), yes), "true"},
		{Call(OpNot, Call(OpAnd, yes, Call(OpOr, yes, fails))), "false"},
		{Call(OpAnd, no, Call(OpNot, Call(OpNot, Call(OpOr, no, yes)))), "false"},
		{Call(OpNot, Call(OpNot, Call(OpNot, Call(OpAnd, no, Call(OpOr, yes, yes))))), "true"},
		{Call(OpSelect, FlagOf("t-1"), TextOf("x"), IntOf(1), TextOf("y"), divides, overflows), "1"},
		{Call(OpSelect, FlagOf("t-1"), TextOf("y"), divides, overflows), "error: the result does not fit in 64 bits"},
		{Call(OpSelect, FlagOf("t-1"), TextOf("y"), IntOf(1)), `error: select has no result for "x"`},
		{Call(OpSelect, divides, IntOf(1), IntOf(1), IntOf(2)), "error: division by zero"},
		{Fmt("{}", Call(OpMin, IntOf(1), divides)), "error: division by zero"},
	} {
		c.add(t, test.e, env)
		if got := c.want[len(c.want)-1]; got != show(test.e)+": "+test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	c.compare(t, shells(t))
}

// comparison collects expressions: what Eval says of them, and one script that says it again.
type comparison struct {
	sh       *Shell
	body     strings.Builder
	want     []string
	failures int
}

// add gives those that fail a shell of their own, which fail ends. The others share one, for the sake of speed: if one
// of them fails after all, nothing of the rest is said.
func (c *comparison) add(t *testing.T, e Expr, env *Env) {
	t.Helper()
	v, err := e.Eval(env)
	begin, end := "", ""
	if err != nil {
		c.failures++
		c.want = append(c.want, fmt.Sprintf("%s: error: %v", show(e), err))
		begin, end = "(\n", ")\n"
	} else {
		c.want = append(c.want, show(e)+": "+v.String())
	}
	lines, word, err := c.sh.Text(e)
	if err != nil {
		t.Fatalf("%s: %v", show(e), err)
	}
	fmt.Fprintf(&c.body, "%swhat=%s\n%s%s\nprintf '%%s: %%s\\0' \"$what\" %s\n%s", begin, QuoteShell(show(e)), assignments(e, env), strings.Join(lines, "\n"), word, end)
}

func (c *comparison) script() string {
	return "set -u\nfail() { printf '%s: error: %s\\0' \"$what\" \"$1\"; exit; }\n" + c.sh.Functions() + c.body.String()
}

// compare runs the script under every shell at once.
func (c *comparison) compare(t *testing.T, shells map[string][]string) {
	t.Helper()
	script := c.script()
	type answer struct{ name, out string }
	answers := make(chan answer)
	for name, command := range shells {
		go func() { answers <- answer{name, run(t, command, script)} }()
	}
	for range shells {
		a := <-answers
		got := strings.Split(a.out, "\x00")
		for i, want := range c.want {
			if i >= len(got) || got[i] != want {
				t.Errorf("%s: %q\nEval: %q", a.name, got[min(i, len(got)-1)], want)
				break
			}
		}
		if len(got)-1 != len(c.want) || got[len(got)-1] != "" {
			t.Errorf("%s: %d results for %d expressions", a.name, len(got)-1, len(c.want))
		}
	}
}

// run gives what a shell prints; what goes wrong is a failure of the test.
func run(t *testing.T, command []string, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Error(err)
	}
	defer os.Remove(file) // a long run has many
	cmd := exec.Command(command[0], append(command[1:], file)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("%s: %v: %s", command[0], err, stderr.String())
	}
	return string(out)
}
