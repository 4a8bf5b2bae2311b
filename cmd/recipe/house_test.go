package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestHouse holds the arrows of the design: cmd -> interp -> builtins -> runtime/plan, and cmd -> runtime/* -> plan.
func TestHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "recipe/...").Output()
	if err != nil {
		t.Fatalf("cannot list the packages: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := words[0]
		seen++
		for _, to := range words[1:] {
			if why := wrongArrow(from, to); why != "" {
				t.Errorf("%s imports %s: %s", from, to, why)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

// wrongArrow says which rule an import breaks, or nothing.
func wrongArrow(from, to string) string {
	in := func(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }
	const (
		commands = "recipe/cmd"
		interp   = "recipe/interp"
		diag     = "recipe/builtins/diag"
		words    = "recipe/builtins"
		runtime  = "recipe/runtime"
		starlark = "go.starlark.net"
	)
	switch {
	case in(to, commands) && !in(from, commands):
		return "nothing but commands may import commands"
	case in(from, runtime) && (in(to, starlark) || in(to, interp) || in(to, words)):
		return "nothing behind the plan knows Starlark"
	case in(from, diag) && (in(to, starlark) || in(to, "recipe")):
		return "diagnostics know neither Starlark nor plans"
	case in(from, words) && in(to, interp):
		return "the words do not know how they are evaluated"
	case (in(from, words) || in(from, interp)) && in(to, runtime) && !in(to, runtime+"/plan") && !in(to, runtime+"/expr"):
		return "what is before the plan meets what is behind it through the plan alone"
	case (from == runtime+"/plan" || from == runtime+"/expr") && in(to, "recipe") && to != runtime+"/expr":
		return "the plan stands on its own"
	case in(from, commands) && in(to, starlark):
		return "commands leave Starlark to interp"
	}
	return ""
}

// TestArrowsTheWrongWayAreSeen keeps TestHouse from holding because it sees nothing.
func TestArrowsTheWrongWayAreSeen(t *testing.T) {
	for _, test := range []struct {
		from, to string
		wrong    bool
	}{
		{"recipe/runtime/launch", "go.starlark.net/starlark", true},
		{"recipe/runtime/supervise/driver", "recipe/interp", true},
		{"recipe/runtime/probe", "recipe/builtins", true},
		{"recipe/runtime/plan", "recipe/runtime/launch", true},
		{"recipe/runtime/unit", "recipe/cmd/recipe/cli", true},
		{"recipe/builtins", "recipe/interp", true},
		{"recipe/interp", "recipe/runtime/launch", true},
		{"recipe/builtins/diag", "recipe/runtime/plan", true},
		{"recipe/builtins", "recipe/builtins/diag", false},
		{"recipe/interp", "recipe/builtins", false},
		{"recipe/interp", "recipe/runtime/plan", false},
		{"recipe/runtime/plan", "recipe/runtime/expr", false},
		{"recipe/runtime/supervise/driver", "recipe/runtime/process", false},
		{"recipe/cmd/recipe/cli", "recipe/interp", false},
		{"recipe/cmd/recipe", "recipe/cmd/recipe/cli", false},
	} {
		if got := wrongArrow(test.from, test.to); (got != "") != test.wrong {
			t.Errorf("%s -> %s: got %q", test.from, test.to, got)
		}
	}
}
