package expr

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/syntax"
)

var testEnv = &Env{
	Root: "/r",
	Flags: map[string]Value{"i-1": {Kind: Int, Int: 8080}, "s-1": {Kind: Size, Int: 3 << 20}, "d-1": {Kind: Duration, Int: 90_000},
		"t-1": {Kind: Text, Text: "x"}, "p-1": {Kind: Path, Text: "/r/srv"}, "b-1": {Kind: Bool, Int: 1}},
	Facts: Facts{CPUs: 4, Memory: 8 << 30, Name: "node", Arch: "x86_64"},
}

// TestEval gives each operator its values and its errors. want is the value as a daemon reads it.
func TestEval(t *testing.T) {
	t.Parallel()
	n := IntOf
	tests := []struct {
		e          Expr
		want, fail string
	}{
		{e: n(-5), want: "-5"},
		{e: BoolOf(true), want: "true"},
		{e: BoolOf(false), want: "false"},
		{e: TextOf("a\nb"), want: "a\nb"},
		{e: PathOf("/etc/foo"), want: "/r/etc/foo"},
		{e: PathOf("/"), want: "/r"},
		{e: SizeOf(1 << 20), want: "1048576"},
		{e: DurationOf(1500), want: "1500ms"},
		{e: FlagOf("i-1"), want: "8080"},
		{e: FlagOf("p-1"), want: "/r/srv"},
		{e: FlagOf("d-1"), want: "90s"},
		{e: FlagOf("absent"), fail: `the flag "absent" has no value`},
		{e: HostOf("cpus"), want: "4"},
		{e: HostOf("memory"), want: "8589934592"},
		{e: HostOf("name"), want: "node"},
		{e: HostOf("arch"), want: "x86_64"},
		{e: HostOf("moon"), fail: `the host has no fact "moon"`},

		{e: Call(OpAdd, n(math.MaxInt64), n(0)), want: "9223372036854775807"},
		{e: Call(OpAdd, n(math.MaxInt64), n(1)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpAdd, n(math.MinInt64), n(-1)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpAdd, SizeOf(1), SizeOf(2)), want: "3"},
		{e: Call(OpSub, n(0), n(math.MinInt64)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpSub, n(-1), n(math.MinInt64)), want: "9223372036854775807"},
		{e: Call(OpMul, n(math.MinInt64), n(-1)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpMul, n(math.MinInt64), n(1)), want: "-9223372036854775808"},
		{e: Call(OpMul, n(3037000500), n(3037000500)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpMul, DurationOf(500), n(3)), want: "1500ms"},
		{e: Call(OpDiv, n(7), n(2)), want: "3"},
		{e: Call(OpDiv, n(-7), n(2)), want: "-4"},
		{e: Call(OpDiv, n(7), n(-2)), want: "-4"},
		{e: Call(OpDiv, n(-7), n(-2)), want: "3"},
		{e: Call(OpDiv, n(math.MinInt64), n(-1)), fail: "the result does not fit in 64 bits"},
		{e: Call(OpDiv, n(1), n(0)), fail: "division by zero"},
		{e: Call(OpDiv, SizeOf(1<<30), SizeOf(1<<20)), want: "1024"},
		{e: Call(OpMod, n(7), n(3)), want: "1"},
		{e: Call(OpMod, n(-7), n(3)), want: "2"},
		{e: Call(OpMod, n(7), n(-3)), want: "-2"},
		{e: Call(OpMod, n(-7), n(-3)), want: "-1"},
		{e: Call(OpMod, n(math.MinInt64), n(-1)), want: "0"},
		{e: Call(OpMod, n(1), n(0)), fail: "division by zero"},
		{e: Call(OpMin, n(3), n(-1), n(2)), want: "-1"},
		{e: Call(OpMax, n(3), n(-1), n(5)), want: "5"},
		{e: Call(OpMin, n(3)), want: "3"},
		{e: Call(OpClamp, Call(OpMul, HostOf("cpus"), n(2)), n(2), n(6)), want: "6"},
		{e: Call(OpClamp, n(0), n(2), n(6)), want: "2"},
		{e: Call(OpClamp, n(0), n(6), n(2)), fail: "clamp's low bound 6 is above its high bound 2"},

		{e: Call(OpEq, FlagOf("t-1"), TextOf("x")), want: "true"},
		{e: Call(OpNe, FlagOf("p-1"), PathOf("/srv")), want: "false"},
		{e: Call(OpEq, FlagOf("b-1"), BoolOf(false)), want: "false"},
		{e: Call(OpLt, n(math.MinInt64), n(math.MaxInt64)), want: "true"},
		{e: Call(OpLe, n(3), n(3)), want: "true"},
		{e: Call(OpGt, SizeOf(1), SizeOf(1)), want: "false"},
		{e: Call(OpGe, HostOf("memory"), SizeOf(1<<30)), want: "true"},
		{e: Call(OpAnd, FlagOf("b-1"), Call(OpNot, FlagOf("b-1"))), want: "false"},
		{e: Call(OpOr, FlagOf("b-1"), Call(OpNot, FlagOf("b-1"))), want: "true"},
		{e: Call(OpCond, Call(OpGt, HostOf("cpus"), n(4)), n(16), n(2)), want: "2"},
		{e: Call(OpCond, FlagOf("b-1"), PathOf("/a"), FlagOf("p-1")), want: "/r/a"},
		{e: Call(OpSelect, FlagOf("t-1"), TextOf("y"), n(1), TextOf("x"), n(2), n(3)), want: "2"},
		{e: Call(OpSelect, FlagOf("i-1"), n(80), TextOf("http"), TextOf("other")), want: "other"},
		{e: Call(OpSelect, FlagOf("b-1"), BoolOf(false), DurationOf(1), BoolOf(true), DurationOf(2000)), want: "2s"},
		{e: Call(OpSelect, HostOf("arch"), TextOf("armv7l"), n(1)), fail: `select has no result for "x86_64"`},
		{e: Call(OpCond, n(1)), fail: "cond takes 3 values, not 1"},

		{e: Fmt("{}:{} {{}} {}", FlagOf("t-1"), FlagOf("i-1"), PathOf("/a")), want: "x:8080 {} /r/a"},
		{e: Fmt("{}|{}|{}", FlagOf("s-1"), FlagOf("d-1"), FlagOf("b-1")), want: "3145728|90s|true"},
		{e: Fmt("{}", Call(OpDiv, n(1), n(0))), fail: "division by zero"},
		{e: Fmt("{"), fail: `a single "{" at byte 0: write {} for a value, or {{ for the brace itself`},
		{e: Fmt("{}"), fail: "the format has 1 {} but there are 0 values"},
	}
	for _, test := range tests {
		v, err := test.e.Eval(testEnv)
		if test.fail != "" {
			if err == nil || err.Error() != test.fail {
				t.Errorf("%s: error %v, want %s", show(test.e), err, test.fail)
			}
			continue
		}
		if err != nil || v.String() != test.want {
			t.Errorf("%s: %q, %v; want %q", show(test.e), v.String(), err, test.want)
		}
	}
}

// TestRootOfNothing adds nothing in front of a path.
func TestRootOfNothing(t *testing.T) {
	t.Parallel()
	for root, want := range map[string]string{"": "/etc", "/": "/etc", "/r": "/r/etc", "/r/": "/r/etc"} {
		if got := (&Env{Root: root}).Rooted("/etc"); got != want {
			t.Errorf("below %q: %q, not %q", root, got, want)
		}
	}
}

// TestKind holds the typing rules, and that an error speaks of units rather than of types of Go.
func TestKind(t *testing.T) {
	t.Parallel()
	n, size, wait, text := IntOf(1), SizeOf(1), DurationOf(1), TextOf("x")
	tests := []struct {
		e    Expr
		want Kind
		fail string
	}{
		{e: n, want: Int},
		{e: BoolOf(true), want: Bool},
		{e: text, want: Text},
		{e: PathOf("/"), want: Path},
		{e: FlagOf("s-2"), want: Size},
		{e: HostOf("memory"), want: Size},
		{e: Call(OpAdd, wait, wait), want: Duration},
		{e: Call(OpMul, n, size), want: Size},
		{e: Call(OpMul, wait, n), want: Duration},
		{e: Call(OpDiv, size, n), want: Size},
		{e: Call(OpDiv, wait, wait), want: Int},
		{e: Call(OpMod, size, size), want: Size},
		{e: Call(OpClamp, wait, wait, wait), want: Duration},
		{e: Fmt("{}{}", n, text), want: Text},
		{e: Fmt(""), want: Text},
		{e: Call(OpEq, text, text), want: Bool},
		{e: Call(OpGe, wait, wait), want: Bool},
		{e: Call(OpNot, BoolOf(true)), want: Bool},
		{e: Call(OpCond, BoolOf(true), size, size), want: Size},
		{e: Call(OpSelect, text, text, wait, wait), want: Duration},
		{e: Call(OpSelect, BoolOf(true), BoolOf(true), text, BoolOf(false), text), want: Text},
		{e: Call(OpEq, n, text), fail: "eq of a int and a text has no meaning"},
		{e: Call(OpEq, n), fail: "eq takes 2 values, not 1"},
		{e: Call(OpLt, text, text), fail: "lt works on numbers, not on a text"},
		{e: Call(OpLt, n, size), fail: "give both the same unit"},
		{e: Call(OpAnd, BoolOf(true), n), fail: "and decides by a bool, not by a int"},
		{e: Call(OpNot, n), fail: "not decides by a bool"},
		{e: Call(OpCond, n, n, n), fail: "cond decides by a bool, not by a int"},
		{e: Call(OpCond, BoolOf(true), n, size), fail: "cond of a int and a size"},
		{e: Call(OpEq, FlagOf("strange"), FlagOf("strange")), fail: "eq does not work on a strange"},
		{e: Call(OpCond, BoolOf(true), FlagOf("strange"), FlagOf("strange")), fail: "cond does not work on a strange"},
		{e: Call(OpSelect, n, n, FlagOf("strange")), fail: "select does not work on a strange"},
		{e: Call(OpCond, BoolOf(true), n), fail: "cond takes 3 values, not 2"},
		{e: Call(OpSelect, text, text), fail: "select takes a value, and a choice with its result"},
		{e: Call(OpSelect, size, size, n), fail: "select chooses by a text, an int or a bool, not by a size"},
		{e: Call(OpSelect, text, n, n), fail: "each choice is a literal text"},
		{e: Call(OpSelect, n, HostOf("cpus"), n), fail: "each choice is a literal int"},
		{e: Call(OpSelect, n, Call(OpAdd, n, n), n), fail: "each choice is a literal int"},
		{e: Call(OpSelect, text, text, n, text, n), fail: `select has the choice "x" twice`},
		{e: Call(OpSelect, text, text, n, size), fail: "select of a int and a size"},
		{e: FlagOf("absent"), fail: `the flag "absent" is not declared`},
		{e: HostOf("moon"), fail: "the host has no fact"},
		{e: Call(OpAdd, n, size), fail: "add of a int and a size has no meaning"},
		{e: Call(OpAdd, n, text), fail: "add works on numbers, not on a text"},
		{e: Call(OpMul, size, size), fail: "one of them must be an int"},
		{e: Call(OpDiv, size, wait), fail: "div of a size by a duration has no meaning"},
		{e: Call(OpMod, size, n), fail: "give both the same unit"},
		{e: Call(OpSub, n), fail: "sub takes 2 values, not 1"},
		{e: Call(OpClamp, n, n), fail: "clamp takes 3 values, not 2"},
		{e: Call(OpMin), fail: "min takes at least one value"},
		{e: Call(OpFmt), fail: "fmt takes a format"},
		{e: Call(OpFmt, n), fail: "fmt takes a format"},
		{e: Fmt("{}{}", n), fail: "the format has 2 {} but there are 1 values"},
		{e: Fmt("}", n), fail: `a single "}"`},
		{e: Expr{Op: "pow", Args: []Expr{n}}, fail: `no such operator: "pow"`},
	}
	for _, test := range tests {
		kind, err := test.e.Kind(testKind)
		if test.fail != "" {
			if err == nil || !strings.Contains(err.Error(), test.fail) {
				t.Errorf("%s: error %v, want %s", show(test.e), err, test.fail)
			}
			continue
		}
		if err != nil || kind != test.want {
			t.Errorf("%s: %s, %v; want %s", show(test.e), kind, err, test.want)
		}
	}
}

// TestKindOfTheDeep ends before the stack does.
func TestKindOfTheDeep(t *testing.T) {
	t.Parallel()
	e := IntOf(1)
	for range maxDepth + 1 {
		e = Call(OpMin, e)
	}
	if _, err := e.Kind(testKind); err == nil {
		t.Error("a nesting above the bound has a kind")
	}
}

// TestJSON holds the canonical form of each node, both ways.
func TestJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		e    Expr
		want string
	}{
		{IntOf(-8080), `-8080`},
		{IntOf(math.MinInt64), `-9223372036854775808`},
		{BoolOf(true), `true`},
		{BoolOf(false), `false`},
		{TextOf("<a & \"b\">\n"), `"<a & \"b\">\n"`},
		{TextOf(""), `""`},
		{PathOf("/etc/foo"), `{"path":"/etc/foo"}`},
		{SizeOf(64 << 20), `{"size":"64MiB"}`},
		{SizeOf(0), `{"size":"0B"}`},
		{DurationOf(90_000), `{"duration":"90s"}`},
		{FlagOf("port"), `{"flag":"port"}`},
		{HostOf("cpus"), `{"host":"cpus"}`},
		{Call(OpClamp, Call(OpMul, HostOf("cpus"), IntOf(2)), IntOf(2), IntOf(64)), `{"clamp":[{"mul":[{"host":"cpus"},2]},2,64]}`},
		{Fmt("--port={}", FlagOf("port")), `{"fmt":["--port={}",{"flag":"port"}]}`},
		{Call(OpCond, Call(OpAnd, Call(OpGt, HostOf("cpus"), IntOf(4)), Call(OpNot, FlagOf("b-1"))), IntOf(8), IntOf(2)),
			`{"cond":[{"and":[{"gt":[{"host":"cpus"},4]},{"not":[{"flag":"b-1"}]}]},8,2]}`},
		{Call(OpSelect, HostOf("arch"), TextOf("x86_64"), TextOf("amd64"), TextOf("other")), `{"select":[{"host":"arch"},"x86_64","amd64","other"]}`},
		{Expr{Op: OpMin, Args: []Expr{}}, `{"min":[]}`},
	}
	for _, test := range tests {
		if got := show(test.e); got != test.want {
			t.Errorf("%s, not %s", got, test.want)
		}
		var back Expr
		if err := json.Unmarshal([]byte(test.want), &back); err != nil {
			t.Errorf("%s: %v", test.want, err)
		} else if diff := cmp.Diff(test.e, back); diff != "" {
			t.Errorf("%s comes back as something else: %s", test.want, diff)
		}
	}
	if _, err := (Expr{}).MarshalJSON(); err == nil {
		t.Error("an absent expression is written")
	}
}

// TestJSONRefuses what is not an expression, and says what was found.
func TestJSONRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"min":[`, maxDepth+1) + "1" + strings.Repeat("]}", maxDepth+1)
	for text, want := range map[string]string{
		`null`:                         "null is not an expression",
		`[1]`:                          "[1] is not an expression",
		`1.5`:                          "1.5 is not a whole number of 64 bits",
		`9223372036854775808`:          "is not a whole number of 64 bits",
		`{}`:                           "without an operator",
		`{"pow":[1,2]}`:                `no such operator: "pow"`,
		`{"int":1}`:                    `no such operator: "int"`,
		`{"add":[1,2],"sub":[1,2]}`:    "one operator",
		`{"add":1}`:                    `"add" takes a list, not 1`,
		`{"add":[1,{"pow":[]}]}`:       `no such operator: "pow"`,
		`{"flag":1}`:                   `"flag" takes a text, not 1`,
		`{"path":"etc"}`:               `"etc" is not an absolute path`,
		`{"path":"/a/../b"}`:           "not a clean path",
		`{"path":"/a//b"}`:             "not a clean path",
		`{"path":"/a\n"}`:              "a NUL or a newline",
		`{"size":"64MB"}`:              `"64MB" is not a size`,
		`{"duration":"-1s"}`:           `"-1s" is not a duration`,
		`{"duration":"999999999999d"}`: "too large",
		deep:                           "nested more than",
	} {
		var e Expr
		if err := json.Unmarshal([]byte(text), &e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %s", text, err, want)
		}
	}
}

// TestUnits reads what it writes, takes every unit, and nothing loose.
func TestUnits(t *testing.T) {
	t.Parallel()
	durations := map[string]int64{"0s": 0, "100ms": 100, "10s": 10_000, "5m": 300_000, "2h": 7_200_000, "1d": 86_400_000}
	for text, want := range durations {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	sizes := map[string]int64{"0B": 0, "512B": 512, "64KiB": 64 << 10, "512MiB": 512 << 20, "1GiB": 1 << 30, "2TiB": 2 << 40}
	for text, want := range sizes {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
		if got := FormatSize(want); got != text {
			t.Errorf("%d is written %s, not %s", want, got, text)
		}
	}
	for ms, want := range map[int64]string{0: "0s", 1: "1ms", 1500: "1500ms", 60_000: "1m", 90_000: "90s", 3_600_000: "1h", 86_400_000: "24h", -60_000: "-1m"} {
		if got := FormatDuration(ms); got != want {
			t.Errorf("%d is written %s, not %s", ms, got, want)
		}
	}
	for _, text := range []string{"", "10", "s", "10 s", "-1s", "+1s", "1.5s", "10S", "1w", "99999999999999999999s", "200000000000d"} {
		if n, err := ParseDuration(text); err == nil {
			t.Errorf("the duration %q is read as %d", text, n)
		}
	}
	for _, text := range []string{"", "10", "B", "1KB", "1 MiB", "1MIB", "-1B", "9999999999TiB"} {
		if n, err := ParseSize(text); err == nil {
			t.Errorf("the size %q is read as %d", text, n)
		}
	}
}

// BenchmarkEval computes what a launcher does for a default as the tour has it, and for a choice.
func BenchmarkEval(b *testing.B) {
	for name, e := range map[string]Expr{
		"clamp": Call(OpClamp, Call(OpMul, HostOf("cpus"), IntOf(2)), IntOf(2), IntOf(64)),
		"cond":  Call(OpCond, Call(OpGt, HostOf("memory"), SizeOf(4<<30)), Call(OpDiv, HostOf("memory"), IntOf(4)), SizeOf(1<<30)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(testEnv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestConstant is false as soon as a flag or the host is named anywhere; Fixed, also where a path is.
func TestConstant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		e    Expr
		want bool
	}{
		{Fmt("{}", IntOf(1)), true},
		{PathOf("/x"), true},
		{Fmt("{}", Call(OpAdd, IntOf(1), FlagOf("i-1"))), false},
		{HostOf("name"), false},
	} {
		if got := test.e.Constant(); got != test.want {
			t.Errorf("%s: %t", show(test.e), got)
		}
		if got := test.e.Fixed(); got != (test.want && test.e.Op != OpPath) {
			t.Errorf("%s is fixed: %t", show(test.e), got)
		}
	}
}

// FuzzExpr: what decodes encodes to a form that decodes to the same; what has a kind is evaluated to a value of that kind,
// if to any, and is written for sh as text that is POSIX.
func FuzzExpr(f *testing.F) {
	for _, seed := range []string{`8080`, `"x"`, `true`, `{"path":"/etc"}`, `{"size":"1GiB"}`, `{"duration":"10s"}`, `{"fmt":["{}",{"flag":"i-1"}]}`,
		`{"clamp":[{"mul":[{"host":"cpus"},2]},2,64]}`, `{"div":[-9223372036854775808,-1]}`, `{"min":[]}`, `{"sub":[1]}`, `{"fmt":[1]}`, `{"`,
		`{"cond":[{"and":[{"flag":"b-1"},{"not":[{"gt":[{"host":"cpus"},{"div":[1,0]}]}]}]},{"path":"/a"},{"flag":"p-1"}]}`,
		`{"select":[{"host":"arch"},"esac",{"duration":"1s"},"it's",{"flag":"d-1"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e, again Expr
		if json.Unmarshal(data, &e) != nil {
			return
		}
		once, err := e.MarshalJSON()
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s: cannot be read back: %v", once, err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatalf("%s: %s", once, diff)
		}
		kind, err := e.Kind(testKind)
		if err != nil {
			return
		}
		if v, err := e.Eval(testEnv); err == nil && v.Kind != kind {
			t.Fatalf("%s: is a %s by Kind and a %s by Eval", once, kind, v.Kind)
		}
		lines, word, err := NewShell(testKind).Text(e)
		if err != nil {
			if !bytes.Contains(once, []byte(`\u0000`)) {
				t.Fatalf("%s: cannot be written: %v", once, err)
			}
			return
		}
		script := strings.Join(append(lines, "true "+word), "\n")
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script"); err != nil {
			t.Fatalf("%s: not POSIX: %v\n%s", once, err, script)
		}
	})
}
