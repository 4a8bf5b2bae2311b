package manual

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"recipe/builtins"
	"recipe/stdlib"
)

type grammar struct {
	Keep struct {
		Loud  bool     `short:"l" help:"Say \\n and 'more'."`
		Level int      `placeholder:"N" help:".TH is no request here."`
		Files []string `arg:"" name:"file" help:"What to keep."`
	} `cmd:"" help:"Keep files - at all costs."`
	Hidden struct{} `cmd:"" hidden:""`
}

func commands(t *testing.T) []byte {
	t.Helper()
	parser, err := kong.New(&grammar{}, kong.Name("recipe"), kong.Description("Keeps."))
	if err != nil {
		t.Fatal(err)
	}
	return Commands(parser.Model)
}

// need finds a tool, without which a test is left out unless all must be run.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func mandoc(t *testing.T, form string, page []byte) string {
	t.Helper()
	cmd := exec.Command("mandoc", "-T"+form)
	cmd.Stdin = bytes.NewReader(page)
	out, err := cmd.CombinedOutput()
	if err != nil && form != "lint" {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func language(t *testing.T) []byte {
	t.Helper()
	library, err := stdlib.Modules()
	if err != nil {
		t.Fatal(err)
	}
	return Language(builtins.Words(), library)
}

// TestPagesAreClean has mandoc judge both pages.
func TestPagesAreClean(t *testing.T) {
	t.Parallel()
	need(t, "mandoc")
	for name, page := range map[string][]byte{"recipe(1)": commands(t), "recipe(5)": language(t)} {
		for line := range strings.Lines(mandoc(t, "lint", page)) {
			if !strings.Contains(line, "missing date") && !regexp.MustCompile(`verbatim|longer than 80 bytes`).MatchString(line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// shown is a page as it is read, with one space for each stretch of white space.
func shown(t *testing.T, page []byte) string {
	t.Helper()
	struck := regexp.MustCompile(".\b")
	return strings.Join(strings.Fields(struck.ReplaceAllString(mandoc(t, "utf8", page), "")), " ")
}

// TestPagesHoldEverything looks for every verb, flag, word and parameter in what a reader sees.
func TestPagesHoldEverything(t *testing.T) {
	t.Parallel()
	need(t, "mandoc")
	page := shown(t, commands(t))
	for _, want := range []string{"keep <file> ... [flags]", "Keep files - at all costs.", "-l, --loud", `Say \n and 'more'.`, "--level=N", ".TH is no request here.", "FILE What to keep."} {
		if !strings.Contains(page, want) {
			t.Errorf("recipe(1) does not show %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "hidden") {
		t.Error("recipe(1) shows what is hidden")
	}
	page = shown(t, language(t))
	for _, want := range []string{"@std//redis.star", "redis_account(user, key = None)"} {
		if !strings.Contains(page, want) {
			t.Errorf("recipe(5) does not show %q of the standard library", want)
		}
	}
	for _, w := range builtins.Words() {
		wants := []string{w.Signature(), w.Doc, w.Example}
		for _, p := range w.Parameters {
			wants = append(wants, p.Name+" ("+p.Type.Name+")", p.Doc)
		}
		for _, want := range wants {
			if !strings.Contains(page, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("recipe(5) does not show %q of %s", want, w.Name)
			}
		}
	}
}

// TestSamePage gives the same bytes twice.
func TestSamePage(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(language(t), language(t)) || !bytes.Equal(commands(t), commands(t)) {
		t.Error("two calls give two pages")
	}
}
