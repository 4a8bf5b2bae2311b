package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"recipe/interp"
)

const spec = "../../SPEC.md"

// TestContracts holds the rules of SPEC.md to tests that are there.
func TestContracts(t *testing.T) {
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(string(text))
	if len(rules) < 10 {
		t.Fatalf("SPEC.md opens with a table of %d rules", len(rules))
	}
	known := testNames(t)
	for _, r := range rules {
		if len(r.tests) == 0 {
			t.Errorf("no test holds the rule %q", r.name)
		}
		for _, test := range r.tests {
			if !known[test] {
				t.Errorf("the rule %q is held by %s, which there is not", r.name, test)
			}
		}
	}
}

type rule struct {
	name  string
	tests []string
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// rulesOf reads the first table.
func rulesOf(text string) []rule {
	_, table, _ := strings.Cut(text, "| rule |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rules []rule
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") {
			continue
		}
		r := rule{name: strings.TrimSpace(cells[1])}
		for _, match := range inBackticks.FindAllStringSubmatch(cells[3], -1) {
			r.tests = append(r.tests, match[1])
		}
		rules = append(rules, r)
	}
	return rules
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)

// testNames are the test functions and txtar files of the module.
func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." && path != "../..":
			return fs.SkipDir
		case strings.HasSuffix(path, ".txtar"):
			names[entry.Name()] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, match := range testFunction.FindAllStringSubmatch(string(text), -1) {
				names[match[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestSpecListsTheCodes holds SPEC.md's table of codes to the program's; UPDATE=1 writes it.
func TestSpecListsTheCodes(t *testing.T) {
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "<!-- codes -->\n")
	_, after, closed := strings.Cut(rest, "<!-- /codes -->\n")
	if !ok || !closed {
		t.Fatal("SPEC.md has no place for the codes")
	}
	var table strings.Builder
	table.WriteString("\n| code | why |\n|---|---|\n")
	for _, e := range interp.Explanations() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", e.Code, strings.ReplaceAll(e.Reason, "|", `\|`))
	}
	want := before + "<!-- codes -->\n" + table.String() + "\n<!-- /codes -->\n" + after
	if want == string(text) {
		return
	}
	if os.Getenv("UPDATE") != "1" {
		t.Fatal("SPEC.md lists other codes than the program has; UPDATE=1 go test -run TestSpecListsTheCodes ./cmd/recipe writes them")
	}
	if err := os.WriteFile(spec, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
