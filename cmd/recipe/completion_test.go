package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shells complete a line, which is $1, each in its own way, and print a candidate a line.
var shells = map[string][]string{
	"bash": {"bash", "--norc", "-c", `source <(recipe completion bash)
		COMP_LINE=$1 COMP_POINT=${#1}; _recipe_complete; printf '%s\n' "${COMPREPLY[@]}"`, "-"},
	// What zsh is asked by its own machinery is asked here by hand.
	"zsh": {"zsh", "-f", "-c", `compdef() { : }; _files() { print FILES }
		_describe() { local -a list; list=("${(@P)2}"); print -rl -- "${(@)list%%:*}" }
		source <(recipe completion zsh)
		words=("${(@s: :)1}") CURRENT=${#words} PREFIX=${words[-1]}; _recipe`, "-"},
	"fish": {"fish", "--no-config", "-c", `recipe completion fish | source; complete -C "$argv[1]" | string split -f1 \t; true`},
}

// TestShellsComplete asks the shells themselves. Each that is not here is left out, unless all must be.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recipe := `level = flag("log-level", type = "enum", values = ["info", "debug"], default = "info", help = "how much")
service(name = "foo", command = ["/usr/bin/foo", fmt("--level={}", level)])
task(name = "sweep", command = ["/usr/bin/foo"], every = "1h")
`
	if err := os.WriteFile(filepath.Join(dir, "foo.star"), []byte(recipe), 0o644); err != nil {
		t.Fatal(err)
	}
	for shell, command := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				if os.Getenv("RECIPE_TEST_HOST") == "1" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			for line, want := range map[string]string{
				"recipe che":                                     "check",
				"recipe check --js":                              "--json",
				"recipe run foo.star --set log":                  "log-level=",
				"recipe run foo.star --set log-level=d":          "log-level=debug",
				"recipe exec foo.star --service f":               "foo",
				"recipe exec foo.star --service s":               "sweep",
				"recipe doc require_port":                        "require_port_free",
				"recipe explain unknown-w":                       "unknown-word",
				"recipe signal foo VTA":                          "VTALRM",
				"recipe set foo --file foo.star --unset l":       "log-level",
				"recipe set foo --file foo.star log-level=i":     "log-level=info",
				"recipe check fo":                                "foo.star",
				"recipe exec foo.star --set=log-level=i":         "--set=log-level=info",
				"recipe run nowhere.star --set ":                 "",
				"recipe run foo.star --set log-level=info --hel": "--help",
			} {
				cmd := exec.Command(command[0], append(command[1:len(command):len(command)], line)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "RECIPE_RUNTIME_DIR="+dir)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				got := strings.TrimSpace(string(out))
				if shell == "zsh" && got == "FILES" {
					got = "foo.star"
				}
				// bash has cut the word at its last =, and puts back what is before it.
				if _, value, cut := strings.Cut(want, "="); shell == "bash" && cut && value != "" {
					want = want[strings.LastIndex(want, "=")+1:]
				}
				if got != want {
					t.Errorf("%q: got %q, want %q", line, got, want)
				}
			}
		})
	}
}

// TestBashRunsNothingThatARecipeNames completes values that bash would run if they stood on the line as they are; zsh and
// fish quote what they are given.
func TestBashRunsNothingThatARecipeNames(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	values := []string{"a b", "$(touch ran)", "`touch ran`", `q'uo"te`, `back\slash`, "semi;touch ran", "*"}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	recipe := "mode = flag(\"mode\", type = \"enum\", default = \"*\", values = [" + strings.Join(quoted, ", ") + "], help = \"m\")\n" +
		"service(name = \"foo\", command = [\"/usr/bin/foo\", mode])\n"
	if err := os.WriteFile(filepath.Join(dir, "foo.star"), []byte(recipe), 0o644); err != nil {
		t.Fatal(err)
	}
	// Each candidate is put on a line, as bash puts it, and read as bash reads a line.
	cmd := exec.Command("bash", "--norc", "-c", `source <(recipe completion bash)
		COMP_LINE="recipe run foo.star --set mode="; COMP_POINT=${#COMP_LINE}; _recipe_complete
		for word in "${COMPREPLY[@]}"; do eval "printf '%s\n' $word"; done`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); !slices.Equal(got, values) {
		t.Errorf("got %q, want %q", got, values)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a value was run")
	}
}
