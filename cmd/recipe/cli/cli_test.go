package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/plan"
)

// TestMain is a bounded child as well.
func TestMain(m *testing.M) {
	Spawned(os.Args)
	os.Exit(m.Run())
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnAnswerThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"doc", "doc service", "--help", "--version", "plan -", "status --json"} {
		var errs bytes.Buffer
		in := strings.NewReader(`service(name = "foo", command = ["/usr/bin/foo"])`)
		code := Main(append([]string{"recipe"}, strings.Fields(args)...), in, full{}, &errs)
		if code != exitNo || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("recipe %s: exit code %d, %s", args, code, errs.String())
		}
	}
}

func TestEveryVerbHasHelp(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	Main([]string{"recipe", "--help"}, nil, &help, io.Discard)
	_, verbs, _ := strings.Cut(help.String(), "Commands:\n")
	count := 0
	for line := range strings.Lines(verbs) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(line, "  ") {
			continue
		}
		count++
		var out, errs bytes.Buffer
		if code := Main([]string{"recipe", words[0], "--help"}, nil, &out, &errs); code != exitDone || !strings.HasPrefix(out.String(), "Usage: recipe "+words[0]) {
			t.Errorf("recipe %s --help: exit code %d\n%s%s", words[0], code, out.String(), errs.String())
		}
	}
	if count < 15 {
		t.Errorf("the help names %d verbs", count)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0s"},
		{0, "0s"},
		{350*time.Millisecond + 999, "350ms"},
		{4*time.Second + 900*time.Millisecond, "4s"},
		{3*time.Minute + 12*time.Second, "3m12s"},
		{5*time.Hour + 4*time.Minute + 59*time.Second, "5h4m"},
		{12*24*time.Hour + 3*time.Hour, "12d3h"},
	} {
		if got := span(test.d); got != test.want {
			t.Errorf("%d: got %s, want %s", test.d, got, test.want)
		}
	}
}

func TestControlCharactersAreShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, é and 日本":                    "plain, é and 日本",
		"\x1b[2Jgone\n":                      `\u001b[2Jgone\u000a`,
		"a\u202eb":                           `a\u202eb`,
		"\x9b31mred":                         "\uFFFD31mred",
		strings.Repeat("x", mostPrintable+7): strings.Repeat("x", mostPrintable) + "... (7 bytes more)",
		strings.Repeat("x", mostPrintable-1) + "é": strings.Repeat("x", mostPrintable-1) + "... (2 bytes more)",
	} {
		if got := printable(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What a supervisor says may repeat what a probe was answered.
func TestASupervisorSaysNothingThatATerminalObeys(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	shown := newTerminal(&out)
	shown.say("foo: refused: \x1b[2J\x9bgone\nwhat runs goes on")
	shown.close()
	if got, want := out.String(), "recipe: foo: refused: \\u001b[2J\uFFFDgone\nwhat runs goes on\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What comes in pieces is shown as if it came at once.
func TestOutputIsEscapedWhereverItIsCut(t *testing.T) {
	t.Parallel()
	const text = "a\té\x1b[31m\xff日\n"
	for at := range len(text) {
		var out bytes.Buffer
		e := &escaped{to: &out}
		io.WriteString(e, text[:at])
		io.WriteString(e, text[at:])
		if got, want := out.String(), "a\té\\u001b[31m\uFFFD日\n"; got != want {
			t.Errorf("cut at %d: got %q, want %q", at, got, want)
		}
	}
}

func TestSetSaysWhoStartsTheServiceNext(t *testing.T) {
	t.Parallel()
	full := func(runtime string) *plan.Plan {
		return &plan.Plan{Package: &plan.Package{Runtime: runtime, Style: plan.StyleFull}}
	}
	for _, test := range []struct {
		plan      *plan.Plan
		installed bool
		want      string
	}{
		{full(plan.RuntimeStandalone), true, "the host's init runs foo, not recipe: it has this from its next start on, such as `systemctl restart foo`"},
		{full(plan.RuntimeStandalone), false, "no supervisor runs foo: it has this from its next start on"},
		{full(plan.RuntimeRecipe), true, "no supervisor runs foo: it has this from its next start on"},
		{&plan.Plan{}, false, "no supervisor runs foo: it has this from its next start on"},
	} {
		if got := whenUnsupervised("foo", test.plan, test.installed); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// TestGrammarOfOneVerb holds that a line which begins with a verb is answered as by the grammar of all.
func TestGrammarOfOneVerb(t *testing.T) {
	t.Parallel()
	for _, verb := range evaluates {
		alone, all := grammar([]string{verb}).Elem().Type(), grammar(nil).Elem().Type()
		var commands, flags int
		for i := range alone.NumField() {
			f := alone.Field(i)
			if same, ok := all.FieldByName(f.Name); !ok || same.Type != f.Type || same.Tag != f.Tag {
				t.Errorf("%s: %s is another field", verb, f.Name)
			}
			if _, ok := f.Tag.Lookup("cmd"); ok {
				commands++
			} else {
				flags++
			}
		}
		if commands != 1 || flags != 2 {
			t.Errorf("%s: its grammar has %d commands and %d flags of all", verb, commands, flags)
		}
		for _, line := range [][]string{{verb, "--help"}, {verb}, {verb, "--nonesuch"}} {
			if got, want := answered(t, line), answered(t, append([]string{"--color=auto"}, line...)); got != want {
				t.Errorf("%q: got\n%s\nwant\n%s", line, got, want)
			}
		}
	}
}

// answered is what a line makes the command say, and its exit code.
func answered(t *testing.T, line []string) string {
	t.Helper()
	var said bytes.Buffer
	code := Main(append([]string{"recipe"}, line...), nil, &said, &said)
	return fmt.Sprintf("%s\n%d", &said, code)
}

// A task that is kept down says so, and not how its last run went.
func TestATaskInQuarantineTellsWhy(t *testing.T) {
	t.Parallel()
	now := time.Now()
	st := &control.Status{Service: "job", State: control.Quarantined, Reason: "quarantined by root: it eats disks",
		Task: &control.Task{Every: "1h", Runs: []control.Run{{Began: now, Ended: &now, OK: true, Result: "exit 0"}}}}
	if got := explain(st, now); got != "quarantined by root: it eats disks" {
		t.Errorf("got %q", got)
	}
}
