package e2e

import (
	"os/exec"
	"testing"

	"recipe/runtime/plan"
)

// Going back to old content is an upgrade for dpkg, and the next release is one from there.
func TestRollbackIsNeverADowngrade(t *testing.T) {
	t.Parallel()
	needs(t, "dpkg")
	rising := []plan.Package{
		{Version: "1.4.2", Release: 3},
		{Version: "1.4.2", Release: 3, Rollback: 1},
		{Version: "1.4.2", Release: 3, Rollback: 2},
		{Version: "1.4.2", Release: 3, Rollback: 10},
		{Version: "1.4.2", Release: 4},
		{Version: "1.4.2", Release: 10},
		{Version: "1.4.10", Release: 1},
	}
	for i := range rising[1:] {
		low, high := rising[i].FullVersion(), rising[i+1].FullVersion()
		if err := exec.Command("dpkg", "--compare-versions", low, "lt", high).Run(); err != nil {
			t.Errorf("dpkg does not take %s for less than %s: %v", low, high, err)
		}
	}
}
