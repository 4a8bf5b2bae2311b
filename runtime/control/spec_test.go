package control

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSpecListsTheRequests holds the tables of requests and of codes in SPEC.md to those here.
func TestSpecListsTheRequests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../SPEC.md")
	must(t, err)
	_, section, ok := strings.Cut(string(text), "\n## The control API\n")
	if !ok {
		t.Fatal("SPEC.md has no section on the control API")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	may := map[access]string{read: "reads", command: "commands"}
	var want []string
	for _, r := range requests {
		want = append(want, strings.ReplaceAll(r.pattern, "{name}", "NAME")+" | "+may[r.needs])
	}
	for code, status := range statuses {
		want = append(want, fmt.Sprintf("%s | %d", code, status))
	}
	for _, code := range []Code{Ambiguous, Unreachable} { // of clients alone
		want = append(want, string(code)+" | ")
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\w*) ?\\|").FindAllStringSubmatch(section, -1) {
		got = append(got, row[1]+" | "+row[2])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("SPEC.md lists\n%s\nwhere the program has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
