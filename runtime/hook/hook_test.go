package hook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/plan"
)

// TestPhases follows calls as dpkg and rpm make them, in one root a row: what preinst saw, postinst knows.
func TestPhases(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		there bool // dpkg knows of its files
		calls []string
		want  []plan.HookPhase
	}{
		"install":            {false, []string{"preinst install", "postinst configure", "postinst configure 2-1"}, []plan.HookPhase{plan.BeforeInstall, plan.AfterInstall, ""}},
		"upgrade":            {true, []string{"prerm upgrade 2-1", "preinst upgrade 1-1 2-1", "postrm upgrade 2-1", "postinst configure 1-1"}, []plan.HookPhase{"", plan.BeforeUpgrade, "", plan.AfterUpgrade}},
		"the same once more": {true, []string{"preinst upgrade 2-1 2-1", "postinst configure 2-1"}, []plan.HookPhase{plan.BeforeUpgrade, plan.AfterUpgrade}},
		"removal":            {true, []string{"prerm remove", "postrm remove", "postrm purge"}, []plan.HookPhase{plan.BeforeRemove, plan.AfterRemove, ""}},
		"in favour":          {true, []string{"prerm remove in-favour bar 1", "prerm deconfigure in-favour bar 1"}, []plan.HookPhase{plan.BeforeRemove, ""}},
		"over a removal":     {true, []string{"preinst install 2-1 2-1", "postinst configure 2-1"}, []plan.HookPhase{plan.BeforeInstall, plan.AfterInstall}},
		"never unpacked":     {false, []string{"preinst upgrade 1-1"}, []plan.HookPhase{plan.BeforeInstall}},
		"never configured":   {true, []string{"preinst upgrade 1-1", "postinst configure"}, []plan.HookPhase{plan.BeforeUpgrade, plan.AfterInstall}},
		"given up":           {true, []string{"preinst upgrade 1-1", "postrm abort-upgrade 1-1", "postinst configure 2-1"}, []plan.HookPhase{plan.BeforeUpgrade, "", ""}},
		"without a mark":     {true, []string{"postinst configure 1-1"}, []plan.HookPhase{plan.AfterUpgrade}},
		"aborts":             {true, []string{"postinst abort-remove", "postinst abort-upgrade 2-1", "preinst abort-upgrade 1-1", "postinst triggered x"}, []plan.HookPhase{"", "", "", ""}},
		"rpm installs":       {false, []string{"preinst 1", "postinst 1"}, []plan.HookPhase{plan.BeforeInstall, plan.AfterInstall}},
		"rpm upgrades":       {false, []string{"preinst 2", "postinst 2", "prerm 1", "postrm 1"}, []plan.HookPhase{plan.BeforeUpgrade, plan.AfterUpgrade, "", ""}},
		"rpm removes":        {false, []string{"prerm 0", "postrm 0"}, []plan.HookPhase{plan.BeforeRemove, plan.AfterRemove}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, dir := range []string{"/run", "/var/lib/dpkg/info"} {
				if err := os.MkdirAll(root+dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if test.there {
				if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/info/foo.list"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for i, call := range test.calls {
				words := strings.Fields(call)
				c := &Call{Script: words[0], Args: words[1:], Name: "foo", Full: "2-1", Root: root}
				got, err := c.Phase()
				if err != nil || got != test.want[i] {
					t.Errorf("%s is for %q, %v; want %q", call, got, err, test.want[i])
				}
				c.Done()
			}
		})
	}
}

// TestReconfiguringIsNeither an installation nor an upgrade.
func TestReconfiguringIsNeither(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"upgrade", "2-1"}, {"install"}} {
		c := &Call{Script: "preinst", Args: args, Name: "foo", Full: "2-1", Root: t.TempDir(), Reconfigures: true}
		if got, err := c.Phase(); got != "" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestCallsThatMakeNoSense are refused.
func TestCallsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []*Call{{Script: "postint", Args: []string{"configure"}}, {Script: "postinst"}} {
		if got, err := c.Phase(); err == nil {
			t.Errorf("%+v is for %q", c, got)
		}
	}
}
