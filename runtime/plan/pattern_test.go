package plan

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPatterns: what a pattern may be, and how grep is told.
func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, ere, err string }{
		{pattern: "[a-z0-9.-]+", ere: "[.0-9a-z-]+"},
		{pattern: `\d{1,3}(\.\d{1,3}){3}`, ere: `[0-9]{1,3}(\.[0-9]{1,3}){3}`},
		{pattern: "a.c", ere: "a[ -~]c"},
		{pattern: "https?://[^ -,.-~]*", ere: "https?://-*"},
		{pattern: "abc|abd|x", ere: "ab[cd]|x"},
		{pattern: "(|a)b", ere: "((a)?)b"},
		{pattern: "(?:ab)*", ere: "(ab)*"},
		{pattern: `[\]\[\\^-]`, ere: `(\[|\\|[]^-])`},
		{pattern: `[\^-]`, ere: `[-^]`},
		{pattern: "é", err: `'é' is not printable ASCII`},
		{pattern: "[é]", err: `'é' is not printable ASCII`},
		{pattern: "^a", err: `it describes the whole text, so that ^, $, \b and the like have no place in it`},
		{pattern: `a\b`, err: `it describes the whole text, so that ^, $, \b and the like have no place in it`},
		{pattern: "(?i)abc", err: "a pattern tells capitals from small letters: write both, as in [aA]"},
		{pattern: "a+?", err: "a+? prefers less, which says nothing where the whole text is described"},
		{pattern: "a{256}", err: "it repeats something more than 255 times"},
		{pattern: "((a{16})b){16}", err: "it repeats something more than 255 times"},
		{pattern: "(a?b?)*", err: "it repeats something that may be empty: leave the inner *, ? or {0,n} out"},
		{pattern: "(a|b*){2}", err: "it repeats something that may be empty: leave the inner *, ? or {0,n} out"},
		{pattern: "(a*)?", ere: "(a*)?"},
		{pattern: "(a", err: `missing closing ): "(a"`},
		{pattern: "(?=a)", err: "invalid or unsupported Perl syntax: \"(?=\""},
		{pattern: "a{0}", err: "it describes the empty text alone"},
		{pattern: "[[:^print:]]", err: "a class in it takes no character of printable ASCII"},
		{pattern: strings.Repeat("a", 201), err: "it is longer than 200 bytes"},
		{pattern: "\n", err: `'\n' is not printable ASCII`},
	}
	for _, test := range tests {
		ere, err := PatternERE(test.pattern)
		if err != nil != (test.err != "") || err != nil && err.Error() != test.err || err == nil && ere != test.ere {
			t.Errorf("%q: %q, %v", test.pattern, ere, err)
		}
	}
}

// TestGrepAgreesWithGo holds both readers of a pattern equal on random patterns, each over texts that it nearly takes.
func TestGrepAgreesWithGo(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	g := &patternGenerator{rand.New(rand.NewPCG(seed, 1))}
	patterns, count := []string{}, 300
	for len(patterns) < count {
		if p := g.pattern(3); CheckPattern(p) == nil {
			patterns = append(patterns, p)
		}
	}
	compareGrep(t, patterns, func(p string) []string {
		texts := []string{"", "é", "a\x7fb", " "}
		for range 30 {
			texts = append(texts, g.text(p))
		}
		return texts
	})
}

// FuzzPattern: what is taken for a pattern is read alike by Go and by grep.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"[a-z]+", `\d{1,3}(\.\d{1,3}){3}`, "(a|b|)c?", `[\]\[\\^-]`, "(|a*)*", "[^,]+(,[^,]+)*", "a{0,3}{2}", "[[:alpha:]]", `\Qa.b\E`} {
		f.Add(seed, "ab1.c")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		ere, err := PatternERE(pattern)
		if err != nil {
			return
		}
		form, err := compilePattern(pattern)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", pattern, ere, err)
		}
		if strings.ContainsAny(text, "\n\x00") {
			return
		}
		for _, command := range greps(t) {
			cmd := exec.CommandContext(t.Context(), "timeout", append(append([]string{"10"}, command...), "-Eqx", "-e", ere)...)
			cmd.Env, cmd.Stdin = []string{"LC_ALL=C"}, strings.NewReader(text+"\n")
			out, err := cmd.CombinedOutput()
			if len(out) > 0 || (err == nil) != form.MatchString(text) {
				t.Errorf("%q, as %q, and %q: %v: %v, %s", pattern, ere, text, command, err, out)
			}
		}
	})
}

func greps(t *testing.T) [][]string {
	var found [][]string
	for _, command := range [][]string{{"grep"}, {"busybox", "grep"}} {
		if _, err := exec.LookPath(command[0]); err == nil {
			found = append(found, command)
		} else if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatalf("%s is not installed", command[0])
		}
	}
	if len(found) == 0 {
		t.Skip("there is no grep")
	}
	return found
}

// compareGrep asks each grep once a pattern: which of these lines, of a file, does it take?
func compareGrep(t *testing.T, patterns []string, texts func(string) []string) {
	t.Helper()
	dir := t.TempDir()
	var script bytes.Buffer
	var want strings.Builder
	taken, all := 0, 0
	for i, p := range patterns {
		form, err := compilePattern(p)
		if err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		ere, _ := PatternERE(p)
		lines := texts(p)
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "timeout 10 $GREP -Enx -e '%s' <%s | cut -d: -f1 | tr '\\n' ' '; echo\n", strings.ReplaceAll(ere, "'", `'\''`), file)
		for i, text := range lines {
			all++
			if form.MatchString(text) {
				taken++
				fmt.Fprintf(&want, "%d ", i+1)
			}
		}
		want.WriteByte('\n')
	}
	if taken < all/20 || taken > all*9/10 {
		t.Errorf("%d of %d texts are taken: the mixture is poor", taken, all)
	}
	for _, command := range greps(t) {
		cmd := exec.Command("sh")
		cmd.Env = append(os.Environ(), "LC_ALL=C", "GREP="+strings.Join(command, " "))
		cmd.Stdin = bytes.NewReader(script.Bytes())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		got, wanted := strings.Split(string(out), "\n"), strings.Split(want.String(), "\n")
		for i := range min(len(got), len(wanted)) {
			if got[i] != wanted[i] {
				ere, _ := PatternERE(patterns[i])
				t.Fatalf("%v: %q as %q:\n%s, not\n%s", command, patterns[i], ere, got[i], wanted[i])
			}
		}
	}
}

type patternGenerator struct{ *rand.Rand }

var pieces = []string{"a", "b", "ab", ".", `\.`, `\-`, "[ab]", "[^a]", "[a-c-]", `[]a]`, `[\[\]]`, `[\\^]`, "[^-]", `\d`, `\w`, `\W`, "-", "'", `\^`, `\\`, `\|`, `"`, "#", "[:;]", "[.a]", "[=]", "[[:digit:]b]", "[ ]"}

func (g *patternGenerator) pattern(depth int) string {
	if depth == 0 {
		return pieces[g.IntN(len(pieces))]
	}
	var b strings.Builder
	for range 1 + g.IntN(3) {
		switch g.IntN(7) {
		case 0, 1, 2:
			b.WriteString(pieces[g.IntN(len(pieces))])
		case 3:
			b.WriteString("(" + g.pattern(depth-1) + ")")
		case 4:
			b.WriteString("(?:" + g.pattern(depth-1) + "|" + g.pattern(depth-1) + ")")
		case 5:
			b.WriteString("(" + g.pattern(depth-1) + "|)")
		case 6:
			b.WriteString("(?:" + g.pattern(depth-1) + "){" + []string{"0,2", "2", "1,", "0,1"}[g.IntN(4)] + "}")
		}
		b.WriteString([]string{"", "", "", "*", "+", "?"}[g.IntN(6)])
	}
	return b.String()
}

// text is made of what the pattern is made of, so that it has a chance.
func (g *patternGenerator) text(pattern string) string {
	const more = `ab-.1^]['\"#:=|Z é`
	var b strings.Builder
	for range g.IntN(7) {
		if from := pattern + more; g.IntN(2) == 0 {
			r := []rune(from)
			b.WriteRune(r[g.IntN(len(r))])
		} else {
			b.WriteByte("ab"[g.IntN(2)])
		}
	}
	return b.String()
}
