package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"recipe/interp"
)

// bomb is a text that means harm, or looks like it. The check of it must end with one of the codes.
type bomb struct {
	name  string
	text  string
	codes string
	links map[string]string // made beside it: name to target; "pipe" makes a pipe, "/" a directory
}

const sound = "service(name = \"x\", command = [\"/x\"], probes = [http(80)])\n"

// in puts statements into a function that is called.
func in(statements ...string) string {
	return "def f():\n    " + strings.ReplaceAll(strings.Join(statements, "\n"), "\n", "\n    ") + "\nf()\n"
}

func chain(open, inner, shut string, n int) string {
	return "x = " + strings.Repeat(open, n) + inner + strings.Repeat(shut, n) + "\n"
}

// bombs are those of memory, of time, of the reader and of the file system.
func bombs() []bomb {
	return []bomb{
		{name: "list repeated", text: "x = [0] * 10000000 * 100000\n", codes: "too-large"},
		{name: "text repeated", text: "x = \"a\" * 17179869184\n", codes: "too-large"},
		{name: "bytes repeated", text: "x = b\"a\" * 17179869184\n", codes: "too-large"},
		{name: "text doubled", text: in("s = 'a'", "for _ in range(60):\n    s = s + s"), codes: "memory-budget"},
		{name: "text doubled in place", text: in("s = 'a'", "for _ in range(60):\n    s += s"), codes: "memory-budget"},
		{name: "list doubled", text: in("s = [1]", "for _ in range(60):\n    s = s + s"), codes: "memory-budget"},
		{name: "list extended by itself", text: in("s = [1]", "for _ in range(60):\n    s.extend(list(s))"), codes: "memory-budget"},
		{name: "comprehensions nested", text: "x = [[[[0 for a in range(1000)] for b in range(1000)] for c in range(1000)] for d in range(1000)]\n", codes: "step-budget memory-budget"},
		{name: "comprehension of texts", text: "x = [str(i) + \"a\" * 1000000 for i in range(100000)]\n", codes: "memory-budget"},
		{name: "sorted by a huge key", text: in("xs = list(range(1000))", "sorted(xs, key = lambda x: [x] * 1000000)"), codes: "memory-budget"},
		{name: "sorted again and again", text: in("xs = list(range(900000))", "for i in range(1000):\n    sorted(xs, reverse = i % 2 == 0)"), codes: "time-budget memory-budget"},
		{name: "data nested deep", text: in("x = []", "for _ in range(2000000):\n    x = [x]", "y = str(x)"), codes: "too-large"},
		{name: "data nested deep and compared", text: in("x, y = [], []", "for _ in range(2000000):\n    x, y = [x], [y]", "z = x == y"), codes: "too-large evaluation"},
		{name: "data nested deep and hashed", text: in("x = ()", "for _ in range(2000000):\n    x = (x,)", "z = {x: 1}"), codes: "too-large"},
		{name: "tuple that holds itself often, hashed", text: in("x = (1,)", "for _ in range(60):\n    x = (x, x)", "z = {x: 1}"), codes: "too-large time-budget"},
		{name: "list that holds itself often", text: in("x = [0]", "for _ in range(60):\n    x = [x, x]", "y = str(x)"), codes: "too-large"},
		{name: "list that holds itself often, in an error", text: in("x = [0]", "for _ in range(60):\n    x = [x, x]", "y = {}[str]", "z = x + 1"), codes: "evaluation"},
		{name: "list that holds itself often, as a name", text: in("x = [0]", "for _ in range(60):\n    x = [x, x]", "service(name = x, command = x, env = {'A': x})"), codes: "wrong-type too-large"},
		{name: "number squared", text: in("x = 3", "for _ in range(100):\n    x = x * x"), codes: "too-large"},
		{name: "number shifted", text: "x = 1 << 1000000000\n", codes: "evaluation too-large"},
		{name: "number shifted again and again", text: in("x = 1", "for _ in range(100000):\n    x = x << 500"), codes: "evaluation too-large time-budget step-budget"},
		{name: "number written out", text: "x = " + strings.Repeat("9", 900_000) + "\n", codes: "too-large"},
		{name: "number as text", text: in("x = 7", "for _ in range(18):\n    x = x * x", "for _ in range(1000):\n    y = str(x)"), codes: "too-large time-budget"},
		{name: "text read as a number", text: in("s = '9' * 1000000", "for _ in range(100):\n    x = int(s)"), codes: "too-large time-budget"},
		{name: "fraction of a huge number", text: "x = float(\"1\" * 1000000) // 7\n", codes: "evaluation too-large"},
		{name: "format with a width", text: "x = \"%1000000000d\" % 1\n", codes: "evaluation"},
		{name: "text joined", text: "x = (\"a\" * 100000).join([\"b\"] * 100000)\n", codes: "too-large memory-budget"},
		{name: "text replaced", text: "x = (\"a\" * 1000000).replace(\"a\", \"b\" * 100000)\n", codes: "too-large memory-budget"},
		{name: "text replaced by much for nothing", text: "x = (\"a\" * 1000000).replace(\"\", \"b\" * 100000)\n", codes: "too-large memory-budget"},
		{name: "text split", text: in("s = 'a,' * 500000", "x = [s.split(',') for _ in range(1000)]"), codes: "too-large memory-budget"},
		{name: "text formatted", text: "x = (\"{}\" * 100000).format(*[\"a\" * 100000] * 100000)\n", codes: "too-large memory-budget"},
		{name: "text formatted by %", text: "x = (\"%s\" * 10000) % tuple([\"a\" * 1000000] * 10000)\n", codes: "too-large memory-budget"},
		{name: "words for the host formatted", text: in("x = fmt('{}', host.cpus)", "for _ in range(100):\n    x = fmt('{}{}', x, x)"), codes: "too-large"},
		{name: "sets united", text: in("s = set(range(300000))", "all = []", "for i in range(1000):\n    all.append(s | set([-i]))"), codes: "memory-budget time-budget"},
		{name: "dicts united", text: in("d = {i: i for i in range(300000)}", "all = []", "for i in range(1000):\n    all.append(d | {-i: i})"), codes: "memory-budget time-budget"},
		{name: "keys that collide", text: "x = {i << 32: i for i in range(1000000)}\n", codes: "time-budget memory-budget"},
		{name: "range listed", text: "x = list(range(1000000000))\n", codes: "too-large"},
		{name: "enumerate, zip and reversed", text: in("r = range(1000000)", "x = [list(zip(r, r, r)) for _ in range(1000)]"), codes: "memory-budget"},
		{name: "search that looks again", text: in("s = 'a' * 1000000", "t = 'a' * 500000 + 'b'", "for _ in range(100000):\n    s.count(t)"), codes: "time-budget"},
		{name: "membership in a long list", text: in("s = list(range(1000000))", "for i in range(100000):\n    -1 in s"), codes: "time-budget"},
		{name: "lists compared", text: in("s, t = list(range(400000)), list(range(400000))", "for i in range(100000):\n    s == t"), codes: "time-budget"},
		{name: "calls of calls", text: "def f0():\n    return 0\n" + calls(20_000) + "x = f20000()\n", codes: "declares-nothing"},
		{name: "lambda of itself", text: in("g = lambda h: h(h)", "g(g)"), codes: "recursion"},
		{name: "print in a loop", text: in("for i in range(1000000):\n    print('a' * 100000)"), codes: "time-budget step-budget declares-nothing memory-budget too-large"},
		{name: "fail with a book", text: "fail(\"a\" * 1000000, *[\"b\" * 1000000] * 100)\n", codes: "refused-by-recipe too-large"},
		{name: "mistakes in a loop", text: "for i in range(100000):\n    service(name = i)\n", codes: "wrong-type"},
		{name: "names that there are not", text: names(90_000), codes: "unknown-word"},
		{name: "services in a loop", text: "for i in range(5000000):\n    service(name = \"x\" + str(i), command = [\"/x\"])\n", codes: "step-budget memory-budget time-budget too-large"},
		{name: "plan of a gigabyte", text: in("s = 'a' * 1000000", "for i in range(1000):\n    service(name = 'x' + str(i), command = ['/x', s], probes = [http(80)])"), codes: "too-large memory-budget"},

		{name: "sums", text: chain("", "1", "+1", 100_000), codes: "too-large"},
		{name: "sums of all operators", text: chain("", "1", " or 1 and 1 + 1 | 1", 50_000), codes: "too-large"},
		{name: "brackets", text: chain("[", "", "]", 400_000), codes: "too-large syntax"},
		{name: "parentheses", text: chain("(", "1", ")", 400_000), codes: "too-large syntax"},
		{name: "negations", text: chain("-", "1", "", 900_000), codes: "too-large"},
		{name: "nots", text: chain("not ", "1", "", 200_000), codes: "too-large"},
		{name: "dots", text: chain("", "a", ".a", 100_000), codes: "too-large"},
		{name: "calls", text: chain("", "f", "()", 100_000), codes: "too-large"},
		{name: "indices", text: chain("", "f", "[0]", 100_000), codes: "too-large"},
		{name: "lambdas", text: chain("lambda: ", "1", "", 100_000), codes: "too-large"},
		{name: "conditions", text: chain("1 if 1 else ", "1", "", 80_000), codes: "too-large syntax"},
		{name: "elifs", text: "if 1:\n  pass\n" + strings.Repeat("elif 1:\n  pass\n", 60_000), codes: "too-large"},
		{name: "ifs in one another", text: nested("if %d:", 1000), codes: "too-large"},
		{name: "defs in one another", text: nested("def f%d():", 1000), codes: "too-large"},
		{name: "loops in one another", text: nested("for i%d in range(10):", 300), codes: "too-large step-budget"},
		{name: "comprehension of many fors", text: "x = [1 " + strings.Repeat("for i in range(10) ", 50_000) + "]\n", codes: "too-large step-budget"},
		{name: "functions", text: strings.Repeat("def f(): return 1\n", 50_000), codes: "reassigned too-large"},
		{name: "names of a loop", text: "x = [" + strings.Repeat("lambda: 1, ", 90_000) + "]\n", codes: "too-large declares-nothing"},
		{name: "line of 10 MB", text: "x = \"" + strings.Repeat("a", 10<<20) + "\"\n", codes: "too-large"},
		{name: "comment of 10 MB", text: "#" + strings.Repeat("a", 10<<20) + "\n" + sound, codes: "too-large"},
		{name: "long line", text: "x = \"" + strings.Repeat("a", 1_000_000) + "\"; y = z\n", codes: "unknown-word"},
		{name: "bytes that are not UTF-8", text: "x = \"a\xff\xfe\"\n" + sound, codes: "not-text"},
		{name: "bytes that are not UTF-8, in a comment", text: "# \xc3\x28\n" + sound, codes: "not-text"},
		{name: "NUL", text: "x = 1\x00\n" + sound, codes: "not-text"},
		{name: "NUL in a text", text: "x = \"\x00\"\n" + sound, codes: "not-text"},
		{name: "half a UTF-16 file", text: "\xff\xfex\x00 \x00=\x00 \x001\x00\n\x00", codes: "not-text"},
		{name: "escape of a terminal", text: "x = \"\x1b]0;title\x07\" + y\n" + sound, codes: "not-text"},
		{name: "text that hides", text: "# \u202e } \u2066 if admin\n" + sound, codes: "not-text"},

		{name: "load of a device", text: "load(\"zero.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"zero.star": "/dev/zero"}},
		{name: "load of a pipe", text: "load(\"pipe.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"pipe.star": "pipe"}},
		{name: "load of a folder", text: "load(\"dir.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"dir.star": "/"}},
		{name: "load through a link out", text: "load(\"out.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"out.star": "/etc/passwd"}},
		{name: "load through a folder's link out", text: "load(\"etc/x.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"etc": "/etc"}},
		{name: "load through a circle of links", text: "load(\"a.star\", \"x\")\n" + sound, codes: "cannot-load", links: map[string]string{"a.star": "b.star", "b.star": "a.star"}},
		{name: "load from above", text: "load(\"../x.star\", \"x\")\n" + sound, codes: "cannot-load"},
		{name: "load of itself", text: "load(\"x.star\", \"x\")\n" + sound, codes: "load-cycle"},
		{name: "loads without end", text: loads(3000) + sound, codes: "too-large cannot-load"},

		{name: "plan of brackets", text: "{\"format\": " + strings.Repeat("[", 1_000_000), codes: "bad-plan"},
		{name: "plan of deep expressions", text: `{"format":1,"name":"x","services":[{"name":"x","command":["/x",` + strings.Repeat(`{"add":[1,`, 300_000) + "1" + strings.Repeat("]}", 300_000) + `]}]}`, codes: "bad-plan too-large"},
		{name: "plan of 70 MB", text: `{"format":1,"name":"` + strings.Repeat("a", 70<<20) + `"}`, codes: "too-large"},
		{name: "plan of zeros", text: "{" + strings.Repeat("\x00", 1<<20), codes: "bad-plan"},
	}
}

func calls(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "def f%d():\n    return f%d()\n", i+1, i)
	}
	return b.String()
}

func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d\n", i)
	}
	return b.String()
}

func nested(line string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, strings.Repeat(" ", i)+line+"\n", i)
	}
	return b.String() + strings.Repeat(" ", n) + "pass\n"
}

func loads(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "load(\"m%d.star\", x%d = \"x\")\n", i, i)
	}
	return b.String()
}

// heavy reports whether the bomb may take seconds of the processor, or half a gigabyte.
func (b *bomb) heavy() bool { return strings.Contains(b.codes, "-budget") }

// TestBombsInOneCall has one call check all bombs that are not heavy, between two sound recipes. None silences another.
func TestBombsInOneCall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var light []bomb
	files := []string{"before.star"}
	for _, b := range bombs() {
		if !b.heavy() {
			folder := fmt.Sprintf("b%d", len(light))
			b.lay(t, filepath.Join(dir, folder))
			light, files = append(light, b), append(files, folder+"/x.star")
		}
	}
	text := check(t, dir, append(files, "after.star"))
	said := map[string]string{} // by folder
	for block := range strings.SplitSeq(text, "\n\n") {
		folder, _, _ := strings.Cut(block, "/")
		said[folder] += block + "\n"
	}
	for i, b := range light {
		if mine := said[fmt.Sprintf("b%d", i)]; !b.says(mine) {
			t.Errorf("%s: none of %s in\n%.1000s", b.name, b.codes, mine)
		}
	}
}

// TestBombs has a call of its own check each bomb, between two sound recipes. It takes minutes of the processor, and is
// left to runs with RECIPE_TEST_HOST=1.
func TestBombs(t *testing.T) {
	if os.Getenv("RECIPE_TEST_HOST") == "" {
		t.Skip("RECIPE_TEST_HOST=1 runs it")
	}
	t.Parallel()
	slots := make(chan struct{}, 2) // each may take half a gigabyte
	for _, b := range bombs() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			dir := t.TempDir()
			b.lay(t, dir)
			if text := check(t, dir, []string{"before.star", "x.star", "after.star"}); !b.says(text) {
				t.Errorf("none of %s in\n%.2000s", b.codes, text)
			}
		})
	}
}

// lay writes the bomb as x.star, with what lies beside it.
func (b *bomb) lay(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range b.links {
		path := filepath.Join(dir, name)
		var err error
		switch target {
		case "pipe":
			err = syscall.Mkfifo(path, 0o600)
		case "/":
			err = os.Mkdir(path, 0o700)
		default:
			err = os.Symlink(target, path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "x.star"), []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// check has the real command check files, the first and the last of which it writes: sound ones. It must live, be done
// soon, in few words, within its memory, and have evaluated those two.
func check(t *testing.T, dir string, files []string) string {
	t.Helper()
	for _, name := range []string{"before", "after"} {
		if err := os.WriteFile(filepath.Join(dir, name+".star"), fmt.Appendf(nil, "print(%q)\n%s", name, sound), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe", append([]string{"check"}, files...)...)
	cmd.Args[0], cmd.Dir = "recipe", dir
	start := time.Now()
	out, _ := cmd.CombinedOutput()
	text := string(out)
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(start); took > 3*interp.Wall {
		t.Errorf("took %s", took)
	}
	for _, other := range []string{"before", "after"} {
		if !strings.Contains(text, other+".star:1:1: note: print: "+other) {
			t.Errorf("%s.star was not evaluated:\n%.2000s", other, text)
		}
	}
	if len(text) > 100_000*len(files) || strings.Contains(text, "goroutine") || strings.Contains(text, "broken-down") || strings.ContainsFunc(text, unprintable) {
		t.Errorf("%d bytes:\n%.2000q", len(text), text)
	}
	// The largest of the calling process and its children. The kernel counts in KiB.
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	t.Logf("%s of the processor, %d MiB", (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Millisecond), peak>>20)
	if peak > interp.Memory+192<<20 {
		t.Errorf("a process took %d MiB", peak>>20)
	}
	return text
}

func (b *bomb) says(text string) bool {
	for _, code := range strings.Fields(b.codes) {
		if strings.Contains(text, "["+code+"]\n") {
			return true
		}
	}
	return false
}

func unprintable(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

// TestRunBoundsEvaluation has a supervisor meet a bomb.
func TestRunBoundsEvaluation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recipe := filepath.Join(dir, "foo.star")
	if err := os.WriteFile(recipe, []byte(in("s = 'a'", "for _ in range(60):\n    s = s + s")+sound), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "run", recipe)
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), "RECIPE_RUNTIME_DIR="+filepath.Join(dir, "run"), "RECIPE_STATE_DIR="+filepath.Join(dir, "state"), "RECIPE_LOG_DIR="+filepath.Join(dir, "log"))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it needs more than 512 MiB of memory") || strings.Contains(string(out), "goroutine") {
		t.Errorf("%v: %.2000s", err, out)
	}
}
