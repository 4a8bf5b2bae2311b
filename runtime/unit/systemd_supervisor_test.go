package unit

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/plan"
)

// TestSupervisorGolden: one unit for a plan of several, which is stopped by what all of their graces take.
func TestSupervisorGolden(t *testing.T) {
	p := tour()
	p.Package.Runtime = plan.RuntimeRecipe
	p.Services = append(p.Services, several().Services...)
	if !p.Supervised() {
		t.Fatal("recipe does not supervise it")
	}
	const golden = "testdata/supervisor.service"
	got := SystemdSupervisor(p)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-update rewrites it:\n%s", diff)
	}
}
