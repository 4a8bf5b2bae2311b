package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"recipe/runtime/bounded"
)

// architectures are those that the command is built for and evaluates on here, with the emulator of the package
// qemu-user-static where the processor has no such mode. arm has 32 bits, s390x the other byte order.
var architectures = map[string]string{"386": "", "arm64": "qemu-aarch64-static", "arm": "qemu-arm-static", "s390x": "qemu-s390x-static"}

// TestSameBytesOnEveryArchitecture has children of other architectures evaluate the recipe of the tour. With
// RECIPE_TEST_HOST=1 nothing of it is left out.
func TestSameBytesOnEveryArchitecture(t *testing.T) {
	if os.Getenv("RECIPE_TEST_HOST") == "" {
		t.Skip("RECIPE_TEST_HOST=1 runs it: it builds the command four times")
	}
	t.Parallel()
	const file = "../../../recipes/foo/foo.star"
	want := planOf(t, newEvaluator(1), file)
	for arch, emulator := range architectures {
		t.Run(arch, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "recipe")
			build := exec.Command("go", "build", "-o", binary, "recipe/cmd/recipe")
			build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			program := []string{"bash", "-c", `exec -a "$0" "$1"`, bounded.ChildName, binary}
			if emulator != "" {
				program = []string{emulator, "-0", bounded.ChildName, binary}
			}
			e := &evaluator{bounded.New(limits, 1)}
			e.runner.Program = program
			if got := planOf(t, e, file); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// planOf is the plan's canonical JSON, and what is said of it.
func planOf(t *testing.T, e *evaluator, file string) string {
	t.Helper()
	defer e.close()
	p, list, err := e.plan(context.Background(), file, nil)
	if err != nil || p == nil {
		t.Fatalf("%v\n%s", err, list)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + list.String()
}
