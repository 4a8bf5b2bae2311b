package interp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/starlarktest"
	"go.starlark.net/syntax"

	"recipe/builtins"
)

// notRun are the scripts of go.starlark.net that the language has nothing to run with.
var notRun = map[string]string{
	"benchmark.star":      "no test: it measures",
	"function_param.star": "no test: it is read by one in Go",
	"paths.star":          "no test: an example that is run by hand",
	"json.star":           "tests a library that the language does not have",
	"math.star":           "tests a library that the language does not have",
	"proto.star":          "tests a library that the language does not have",
	"time.star":           "tests a clock, which the language does not have",
}

// differences are the lines of the scripts at which the language differs from Starlark with the options that the script
// asks for, by FILE:LINE. Each is in SPEC.md as well.
var differences = map[string]string{
	"assign.star:311":   once,
	"assign.star:325":   once,
	"assign.star:331":   once,
	"assign.star:338":   once,
	"builtins.star:124": "a range has at most 1,000,000 numbers",
	"function.star:256": recursion,
	"recursion.star:14": recursion,
	"recursion.star:21": recursion,
	"while.star:1":      "there is no `while`",
	"string.star:27":    repeated,
	"string.star:28":    repeated,
	"tuple.star:51":     repeated,
	"tuple.star:52":     repeated,
	"misc.star:61":      cyclic,
	"misc.star:62":      cyclic,
	"misc.star:63":      cyclic,
	"misc.star:66":      cyclic,
	"misc.star:70":      cyclic,
	"misc.star:73":      cyclic,
	"misc.star:76":      cyclic,
	"misc.star:77":      cyclic,
	"misc.star:78":      cyclic,
	"misc.star:81":      cyclic,
}

const (
	once      = "a global is assigned once, and `load` binds names of the file alone"
	recursion = "a function does not call itself"
	repeated  = "`*` makes at most 1,000,000 characters or items"
	cyclic    = "a list or dict that holds itself is neither compared nor turned into text"
)

// TestDifferencesAreInTheSpecification holds the table in SPEC.md to the two here.
func TestDifferencesAreInTheSpecification(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for at, why := range differences {
		rows[why] = append(rows[why], strings.Replace(at, ".star", "", 1))
	}
	for file, why := range notRun {
		rows[why] = append(rows[why], file)
	}
	for why, at := range rows {
		sort.Strings(at)
		if row := fmt.Sprintf("| %s | `%s` |", why, strings.Join(at, "`, `")); !strings.Contains(string(data), row) {
			t.Errorf("SPEC.md has not\n%s", row)
		}
	}
}

// TestStarlarksOwnScripts runs the tests that go.starlark.net has in Starlark through this dialect and its guards.
func TestStarlarksOwnScripts(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.starlark.net").Output()
	if err != nil {
		t.Fatalf("cannot find the module: %v", err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "starlark", "testdata", "*.star"))
	if err != nil || len(paths) < 20 {
		t.Fatalf("found %d scripts: %v", len(paths), err)
	}
	s := &scripts{found: map[string]string{}}
	ran := 0
	for _, path := range paths {
		if notRun[filepath.Base(path)] == "" {
			s.run(t, path)
			ran++
		}
	}
	if ran+len(notRun) != len(paths) {
		t.Errorf("%d scripts ran and %d did not, of %d", ran, len(notRun), len(paths))
	}
	for at, why := range s.found {
		if differences[at] == "" {
			t.Errorf("%s: %s", at, why)
		}
	}
	for at := range differences {
		if s.found[at] == "" {
			t.Errorf("%s is no difference any more", at)
		}
	}
}

// scripts collects what is not as a script wants it, by FILE:LINE.
type scripts struct{ found map[string]string }

func (s *scripts) differs(path string, line int, format string, args ...any) {
	s.found[fmt.Sprintf("%s:%d", filepath.Base(path), line)] = fmt.Sprintf(format, args...)
}

// Error is what a script's assert reports; the call stack names the line of the script.
func (s *scripts) Error(args ...any) {
	text := fmt.Sprint(args...)
	at := regexp.MustCompile(`(?m)/(\w+\.star):(\d+):\d+: in <toplevel>`).FindStringSubmatch(text)
	if at == nil {
		s.found[text] = text
		return
	}
	line, _ := strconv.Atoi(at[2])
	s.differs(at[1], line, "%s", strings.TrimSpace(text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:]))
}

// run takes the parts of a script, which ---- separates, each as a file of its own. A comment ### "PATTERN" wants an error.
func (s *scripts) run(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := 1
	for _, part := range strings.Split(string(data), "\n---\n") {
		lines := strings.Split(part, "\n")
		want := map[int]*regexp.Regexp{}
		for i, text := range lines {
			if _, pattern, ok := strings.Cut(text, "###"); ok {
				pattern, err := strconv.Unquote(strings.TrimSpace(pattern))
				if err != nil {
					t.Fatalf("%s:%d: %v", path, first+i, err)
				}
				want[first+i] = regexp.MustCompile(pattern)
			}
		}
		for {
			err := s.execute(path, strings.Repeat("\n", first-1)+strings.Join(lines, "\n"))
			inner, at, text := ended(err, path, first)
			if err == nil || want[inner] != nil && want[inner].MatchString(text) {
				delete(want, inner)
				break
			}
			s.differs(path, at, "%s", text)
			if at == first || lines[at-first] == "" {
				break
			}
			lines[at-first] = "" // and on with what follows
		}
		for at := range want {
			s.differs(path, at, "no error")
		}
		first += len(lines) + 1
	}
}

// ended is the line of the script at which it ended, the line of its own statement that led there, and why.
func ended(err error, path string, first int) (inner, outer int, text string) {
	if err == nil {
		return first, first, ""
	}
	var ee *starlark.EvalError
	if errors.As(err, &ee) {
		for i := range ee.CallStack {
			if pos := ee.CallStack.At(i).Pos; pos.Filename() == path {
				if outer = int(pos.Line); inner == 0 {
					inner = outer
				}
			}
		}
	}
	if inner == 0 {
		return first, first, err.Error()
	}
	return inner, outer, err.Error()
}

func (s *scripts) execute(path, src string) error {
	e := newEvaluation(path, Options{})
	f, err := dialect().Parse(path, src, 0)
	if err != nil {
		return err
	}
	guarder{}.stmts(f.Stmts)
	e.words["fibonacci"], e.words["struct"] = fibonacci{}, starlark.NewBuiltin("struct", starlarkstruct.Make)
	e.words["hasfields"] = starlark.NewBuiltin("hasfields", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return &fields{values: starlark.StringDict{}}, nil
	})
	prog, err := starlark.FileProgram(f, e.words.Has)
	if err != nil {
		return err
	}
	e.thread.Load = func(_ *starlark.Thread, module string) (starlark.StringDict, error) {
		if module != "assert.star" {
			return nil, fmt.Errorf("no module %s", module)
		}
		return starlarktest.LoadAssertModule()
	}
	starlarktest.SetReporter(e.thread, s)
	made, err := prog.Init(e.thread, e.words)
	made.Freeze()
	for _, m := range e.recording.Mistakes {
		if m.Code != builtins.CodeNote {
			return fmt.Errorf("%s: %s", m.Call.Site.Pos, m.Message)
		}
	}
	return err
}

// fibonacci is the endless iterable that the scripts ask for.
type fibonacci struct{}

func (fibonacci) String() string             { return "fibonacci" }
func (fibonacci) Type() string               { return "fibonacci" }
func (fibonacci) Freeze()                    {}
func (fibonacci) Truth() starlark.Bool       { return true }
func (fibonacci) Hash() (uint32, error)      { return 0, errors.New("unhashable type: fibonacci") }
func (fibonacci) Iterate() starlark.Iterator { return &fibonacciIterator{0, 1} }

type fibonacciIterator struct{ a, b int }

func (*fibonacciIterator) Done() {}
func (it *fibonacciIterator) Next(v *starlark.Value) bool {
	*v = starlark.MakeInt(it.a)
	it.a, it.b = it.b, it.a+it.b
	return true
}

// fields is the value with fields of every name that the scripts ask for; its + and * are what they test operators by.
type fields struct {
	values starlark.StringDict
	frozen bool
}

func (*fields) String() string        { return "hasfields" }
func (*fields) Type() string          { return "hasfields" }
func (*fields) Truth() starlark.Bool  { return true }
func (*fields) Hash() (uint32, error) { return 42, nil }
func (f *fields) AttrNames() []string { return f.values.Keys() }
func (f *fields) Freeze() {
	f.frozen = true
	f.values.Freeze()
}

func (f *fields) Attr(name string) (starlark.Value, error) { return f.values[name], nil }

func (f *fields) SetField(name string, v starlark.Value) error {
	if f.frozen {
		return errors.New("cannot set field on a frozen hasfields")
	}
	if strings.HasPrefix(name, "no") {
		return starlark.NoSuchAttrError(fmt.Sprintf("no .%s field", name))
	}
	f.values[name] = v
	return nil
}

var _ starlark.HasBinary = (*fields)(nil)

func (f *fields) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	if _, ok := y.(*starlark.List); ok && op == syntax.PLUS && side == starlark.Right {
		return starlark.MakeInt(42), nil
	}
	return nil, nil
}
