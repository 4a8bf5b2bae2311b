package repl

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// here evaluates in this process, and answers the rest with what it was asked.
type here struct{ files map[string]string }

func (h *here) Evaluate(_ context.Context, q interp.SessionQuestion) (interp.SessionAnswer, error) {
	return interp.EvaluateSession(q, interp.Options{Files: &interp.Folder{Path: "/nowhere"}}), nil
}

func (h *here) Read(file string) ([]byte, error) {
	text, ok := h.files[file]
	if !ok {
		return nil, fmt.Errorf("no such file")
	}
	return []byte(text), nil
}

func (h *here) Facts(Host) error { return nil }
func (h *here) Resolve(_ *plan.Plan, e expr.Expr, host Host) (string, error) {
	return fmt.Sprintf("%s %v %v", e.Op, host.Facts, host.Sets), nil
}
func (h *here) Service(_ *plan.Plan, s string, _ Host) (string, error) { return "service " + s, nil }
func (h *here) Prepare(_ *plan.Plan, s string, _ Host) (string, error) { return "prepare " + s, nil }
func (h *here) Probe(_ context.Context, _ *plan.Plan, s string, _ Host) (string, error) {
	return "probe " + s, nil
}
func (h *here) Diff(a, b *plan.Plan) (string, error) {
	changes, err := plan.Changes(a, b)
	return fmt.Sprintf("%d changes\n", len(changes)), err
}
func (h *here) Doc(word string) (string, error) { return "", fmt.Errorf("no word %s", word) }
func (h *here) Write(file, text string) error   { h.files[file] = text; return nil }

const foo = `port = flag("port", type = "port", default = 8080, help = "p")
service(name = "foo", command = ["/usr/bin/foo", fmt("{}", port)], probes = [http(port)])
`

func session(t *testing.T) (*Session, *here) {
	t.Helper()
	backend := &here{map[string]string{"foo.star": foo}}
	s := New(backend, "foo.star", diag.Plain)
	if r := s.Load(context.Background()); r.Error {
		t.Fatal(r.Text)
	}
	return s, backend
}

// say gives what an input comes to, on one line.
func say(s *Session, input string) string {
	r := s.Do(context.Background(), input)
	text := strings.Join(strings.Fields(r.Text), " ")
	if r.Error {
		text = "error: " + text
	}
	return text
}

// TestFailuresLeaveTheSessionAsItWas tries what is wrong, and looks whether anything has changed.
func TestFailuresLeaveTheSessionAsItWas(t *testing.T) {
	t.Parallel()
	s, _ := session(t)
	say(s, "x = 1")
	before := say(s, ":plan") + say(s, ":show")
	for _, wrong := range []string{
		"x = y", "x = (", "1 // 0", "flag(\"port\", type = \"int\", default = 1)", "service(name = \"foo\", command = [\"/x\"])", "fail(\"no\")", "def x(:\n", ":load nowhere.star", ":plan nobody",
		"load(\"nowhere.star\", \"x\")", "x = 1\nx = 2\n", "x = \"\xff\"", "for i in range(1000000000): pass", ":what",
	} {
		if got := say(s, wrong); !strings.HasPrefix(got, "error: ") {
			t.Errorf("%q: %s", wrong, got)
		}
		if after := say(s, ":plan") + say(s, ":show"); after != before {
			t.Errorf("%q changed the session to %s", wrong, after)
		}
	}
	if got := say(s, "x"); got != "1" {
		t.Errorf("x is %s", got)
	}
}

// TestNamesAreGivenAnew replaces what was typed; what is only looked at is not kept.
func TestNamesAreGivenAnew(t *testing.T) {
	t.Parallel()
	s, backend := session(t)
	for _, step := range []struct{ input, want string }{
		{"x = 1", ""}, {"y = x + 1", ""}, {"y", "2"}, {"x = 5", ""}, {"y", "6"},
		{":show", "x = 5 y = x + 1"}, {"z = 7", ""}, {"x = z", ""}, {"x", "7"}, {"y", "6"}, {":undo", "taken back: x = z"}, {"f = lambda a: a * x", ""}, {"f(2)", "10"}, {"d = {\"a\": 1}", ""}, {"d[\"b\"] = 2", ""}, {"d", `{"a": 1, "b": 2}`},
		{"l = []", ""}, {"l.append(1)", ""}, {"l", "[1]"}, {":undo", "taken back: l.append(1)"}, {"l", "[]"}, {"l + [1]", "[1]"}, {":undo", "taken back: l = []"},
		{"service(name = \"bar\", command = [\"/x\"], probes = [http(80)])", "service(\"bar\")"}, {":diff", "1 changes"}, {":undo", "taken back: service(name = \"bar\", command = [\"/x\"], probes = [http(80)])"}, {":diff", "0 changes"},
		{":resolve port * 2", "mul map[] []"}, {":set port=81", "port=81"}, {":host cpus=2", "host.cpus is 2"}, {":resolve host.cpus", "host map[cpus:2] [port=81]"}, {":resolve [1]", "error: this is no value that a host computes: it is a text, a number, a truth value, a path, a flag, a fact or what is made of them"},
		{":prepare", "prepare foo"}, {":probe foo", "probe foo"}, {":service foo", "service foo"}, {":write x.star", "wrote x.star"},
	} {
		if got := say(s, step.input); got != step.want {
			t.Errorf("%q: got %s, want %s", step.input, got, step.want)
		}
	}
	if !strings.HasPrefix(backend.files["x.star"], foo) || !strings.Contains(backend.files["x.star"], "x = 5\n") {
		t.Errorf("wrote %s", backend.files["x.star"])
	}
}

// TestAPlanCommandsNoTerminal shows a plan whose texts hold control characters.
func TestAPlanCommandsNoTerminal(t *testing.T) {
	t.Parallel()
	s, _ := session(t)
	say(s, `flag("x", type = "string", default = "\u009b31m\u202e\U000e0001", help = "x")`)
	if got := say(s, ":plan x"); !strings.Contains(got, `"default": "\u009b31m\u202e\udb40\udc01"`) {
		t.Error(got)
	}
}

// TestChangedRecipeIsLoaded keeps what was typed where it still fits.
func TestChangedRecipeIsLoaded(t *testing.T) {
	t.Parallel()
	s, backend := session(t)
	say(s, "x = port")
	backend.files["foo.star"] = strings.Replace(foo, "8080", "8081", 1)
	if r := s.Load(context.Background()); r.Error || r.Text != "1 changes\n" {
		t.Errorf("%+v", r)
	}
	if got := say(s, "x"); !strings.HasPrefix(got, "flag(\"port\")") {
		t.Errorf("x is %s", got)
	}
	backend.files["foo.star"] = "service("
	if r := s.Load(context.Background()); !r.Error {
		t.Errorf("%+v", r)
	}
	if got := say(s, ":plan port"); !strings.Contains(got, "8081") {
		t.Errorf("the broken recipe has changed the plan: %s", got)
	}
	backend.files["foo.star"] = strings.ReplaceAll(foo, "port", "prt")
	if r := s.Load(context.Background()); !r.Error && !strings.Contains(r.Text, "does not fit") {
		t.Errorf("%+v", r)
	}
}

// TestUnfinishedInputsGoOn tells whole inputs from those that go on in the next line.
func TestUnfinishedInputsGoOn(t *testing.T) {
	t.Parallel()
	for input, whole := range map[string]bool{
		"x = 1\n": true, "f(\n": false, "f(\n1)\n": true, "def f():\n": false, "def f():\n    pass\n": false, "def f():\n    pass\n\n": true, "if x:\n": false,
		"\"\"\"a\n": false, "\"\"\"a\nb\"\"\"\n": true, ":plan\n": true, "x?\n": true, "\n": true, "x = [1,\n\n": true, ")\n": true, "x = \"\n": true,
	} {
		if got := Complete(input); got != whole {
			t.Errorf("%q: whole is %v", input, got)
		}
	}
}

// TestCompletion gives the first candidates and the hint for the end of a line.
func TestCompletion(t *testing.T) {
	t.Parallel()
	s, _ := session(t)
	say(s, "portly = 1")
	for _, test := range []struct{ line, first, hint string }{
		{"por", "port portly", ""},
		{":pl", ":plan", ""},
		{"http(port, ev", "every = ", "http("},
		{"http(port, every = ", "", "http: every (duration): from one question"},
		{"service(name = \"x\", probes = [http(80, \"a(b\", tim", "timeout = ", "http("},
		{"host.c", "host.cpus", ""},
		{"require_port", "require_port_free", ""},
		{"require_port_free", "require_port_free", "require_port_free(port): "},
		{"# http(", "", ""},
		{"x→require_port", "require_port_free", ""},
	} {
		var words []string
		for _, c := range s.Complete([]rune(test.line), len(test.line)) {
			words = append(words, c.Word)
		}
		if got := strings.Join(words, " "); !strings.HasPrefix(got, test.first) {
			t.Errorf("%q: completes to %s", test.line, got)
		}
		if got := s.Hint([]rune(test.line), len(test.line)); !strings.HasPrefix(got, test.hint) || test.hint == "" && got != "" {
			t.Errorf("%q: hint %q", test.line, got)
		}
	}
}

// BenchmarkComplete completes a parameter in a session of a thousand names.
func BenchmarkComplete(b *testing.B) {
	var source strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&source, "name_%d = %d\n", i, i)
	}
	s := New(&here{map[string]string{"foo.star": source.String() + foo}}, "foo.star", diag.Plain)
	if r := s.Load(context.Background()); r.Error {
		b.Fatal(r.Text)
	}
	line := []rune("service(name = \"x\", command = [\"/x\"], probes = [http(port, ti")
	for b.Loop() {
		if len(s.Complete(line, len(line))) == 0 {
			b.Fatal("nothing")
		}
	}
}
