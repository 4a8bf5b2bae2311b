package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"recipe/builtins"
	"recipe/stdlib"
)

// recipeTest runs `recipe test` in a folder.
func recipeTest(t *testing.T, dir string, arguments ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", append([]string{"test"}, arguments...)...)
	cmd.Args[0], cmd.Dir = "recipe", dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRecipesOfTheHouse runs the tests beside the recipes and the standard library: each recipe and each module has some.
func TestRecipesOfTheHouse(t *testing.T) {
	t.Parallel()
	out, err := recipeTest(t, "../..", "recipes", "stdlib")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	recipes, err := filepath.Glob("../../recipes/*/*.star")
	if err != nil || len(recipes) < 2 {
		t.Fatal(recipes, err)
	}
	for _, name := range stdlib.Names() {
		recipes = append(recipes, "../../stdlib/"+name)
	}
	for _, path := range recipes {
		if _, err := os.Stat(strings.TrimSuffix(path, ".star") + "_test.star"); err != nil && !strings.HasSuffix(path, "_test.star") {
			t.Errorf("%s has no tests: %v", path, err)
		}
	}
}

// TestExamplesOfTestWords runs the example of every word of tests, which must name the word and pass.
func TestExamplesOfTestWords(t *testing.T) {
	t.Parallel()
	const foo = `
port = flag("port", type = "port", default = 8080, help = "TCP port")
workers = flag("workers", type = "int", default = host.cpus * 2, help = "threads")
live = template("/run/foo/live.conf", "workers {}\n", workers)
service(name = "foo", command = ["/usr/bin/foo", fmt("--port={}", port), fmt("--live={}", live)], prepare = [live], probes = [http(port)])
`
	for _, w := range builtins.AllTestWords() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(w.Example, w.Name) {
				t.Error("its example does not show it")
			}
			dir := t.TempDir()
			for name, text := range map[string]string{"foo.star": foo, "x_test.star": w.Example + "\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := recipeTest(t, dir, "--update"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
