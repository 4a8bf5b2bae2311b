package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"recipe/interp"
	"recipe/runtime/metrics"
	"recipe/runtime/plan"
	"recipe/runtime/simulate"
	"recipe/runtime/supervise"
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
	var table strings.Builder
	table.WriteString("\n| code | why |\n|---|---|\n")
	for _, e := range interp.Explanations() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", e.Code, strings.ReplaceAll(e.Reason, "|", `\|`))
	}
	wantTable(t, "codes", table.String())
}

// TestSpecListsTheBudgets holds SPEC.md's table of budgets to the program's constants; UPDATE=1 writes it.
func TestSpecListsTheBudgets(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| budget | limit | code |\n|---|---|---|\n")
	for _, b := range interp.Budgets() {
		code := ""
		if b.Code != "" {
			code = "`" + b.Code + "`"
			if _, known := interp.Explain(b.Code); !known {
				t.Errorf("%s has the code %q, which is not explained", b.Name, b.Code)
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", b.Name, b.Limit, code)
	}
	wantTable(t, "budgets", table.String())
}

// TestSpecListsTheMetrics holds SPEC.md's table of metrics to the program's; UPDATE=1 writes it.
func TestSpecListsTheMetrics(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| metric | type | labels | what it tells |\n|---|---|---|---|\n")
	for _, m := range metrics.Table() {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), strings.TrimSuffix(m.Help, "."))
	}
	wantTable(t, "metrics", table.String())
}

// specWrites orders the tests that rewrite SPEC.md.
var specWrites sync.Mutex

// wantTable compares what stands between the marks of that name in SPEC.md with a table.
func wantTable(t *testing.T, mark, table string) {
	t.Helper()
	specWrites.Lock()
	defer specWrites.Unlock()
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "<!-- "+mark+" -->\n")
	_, after, closed := strings.Cut(rest, "<!-- /"+mark+" -->\n")
	if !ok || !closed {
		t.Fatalf("SPEC.md has no place for the %s", mark)
	}
	want := before + "<!-- " + mark + " -->\n" + table + "\n<!-- /" + mark + " -->\n" + after
	if want == string(text) {
		return
	}
	if os.Getenv("UPDATE") != "1" {
		t.Fatalf("SPEC.md lists other %s than the program has; UPDATE=1 go test -run TestSpecLists ./cmd/recipe writes them", mark)
	}
	if err := os.WriteFile(spec, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSpecListsTheStates holds SPEC.md's diagrams of states to the tables that the machines work by; UPDATE=1 writes them.
func TestSpecListsTheStates(t *testing.T) {
	wantTable(t, "states of a service", stateTable(supervise.ServiceRows()))
	wantTable(t, "states of a task", stateTable(supervise.TaskRows()))
}

// TestSpecListsTheProfiles holds SPEC.md's rates of faults to those that are simulated; UPDATE=1 writes them.
func TestSpecListsTheProfiles(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| profile | fault | of | a year | lasts | from |\n|---|---|---|---|---|---|\n")
	for _, p := range simulate.Profiles() {
		fmt.Fprintf(&table, "| `%s`: %s | | | | | |\n", p.Name, p.About)
		for _, r := range p.Rates {
			of, lasts := "a service", ""
			if r.HostWide() {
				of = "a host"
			}
			if r.Most > 0 {
				lasts = fmt.Sprintf("%s to %s", plan.Duration(r.Least.Milliseconds()), plan.Duration(r.Most.Milliseconds()))
			}
			fmt.Fprintf(&table, "| | %s | %s | %g | %s | %s |\n", r.What, of, r.PerYear, lasts, r.Source)
		}
	}
	wantTable(t, "profiles", table.String())
}

// stateTable draws the rows that lead from one state to another, and lists all.
func stateTable(rows []supervise.Row) string {
	var diagram, table strings.Builder
	diagram.WriteString("\n```mermaid\nstateDiagram-v2\n    [*] --> stopped\n")
	table.WriteString("\n| event | in | does | leads to |\n|---|---|---|---|\n")
	type edge struct{ from, to supervise.State }
	var order []edge
	labels := map[edge][]string{}
	for _, r := range rows {
		for _, from := range r.In {
			for _, to := range r.To {
				if e := (edge{from, to}); !slices.Contains(labels[e], r.Event) {
					if labels[e] == nil {
						order = append(order, e)
					}
					labels[e] = append(labels[e], r.Event)
				}
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", r.Event, stateNames(r.In), r.Does, stateNames(r.To))
	}
	for _, e := range order {
		fmt.Fprintf(&diagram, "    %s --> %s: %s\n", e.from, e.to, strings.Join(labels[e], ", "))
	}
	return diagram.String() + "```\n" + table.String()
}

func stateNames(states []supervise.State) string {
	var names []string
	for _, s := range states {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
