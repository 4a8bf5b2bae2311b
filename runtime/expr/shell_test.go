package expr

import (
	"os"
	"os/exec"
	"strings"
	"testing"
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
		{Call(OpCond, Call(OpGt, cpus, IntOf(4)), Call(OpMul, cpus, IntOf(2)), IntOf(8)),
			"if [ \"$host_cpus\" -gt 4 ]; then\n\tmul \"$host_cpus\" 2\nelse\n\tvalue=8\nfi\nv1=$value\n\"$v1\""},
		{Call(OpCond, Call(OpAnd, FlagOf("b-1"), Call(OpOr, Call(OpEq, FlagOf("t-1"), TextOf("x")), Call(OpNot, FlagOf("b-2")))), IntOf(1), IntOf(2)),
			"if [ \"$flag_b_1\" = true ] && { [ \"$flag_t_1\" = x ] || ! [ \"$flag_b_2\" = true ]; }; then\n\tvalue=1\nelse\n\tvalue=2\nfi\nv1=$value\n\"$v1\""},
		{Call(OpCond, Call(OpAnd, FlagOf("b-1"), Call(OpLt, Call(OpAdd, cpus, IntOf(1)), port)), IntOf(1), IntOf(2)),
			"if [ \"$flag_b_1\" = true ] && {\n\tadd \"$host_cpus\" 1\n\t[ \"$value\" -lt \"$flag_i_1\" ]\n}; then\n\tvalue=1\nelse\n\tvalue=2\nfi\nv1=$value\n\"$v1\""},
		{Call(OpSelect, HostOf("arch"), TextOf("x86_64"), TextOf("amd64"), TextOf("it's"), HostOf("arch")),
			"case \"$host_arch\" in\n'x86_64')\n\tvalue=amd64\n\t;;\n'it'\\''s')\n\tvalue=\"$host_arch\"\n\t;;\n*)\n\tfail \"select has no result for \\\"$host_arch\\\"\"\n\t;;\nesac\nv1=$value\n\"$v1\""},
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
