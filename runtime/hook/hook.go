// Package hook tells which phase of a package's life a maintainer script was called for, and carries the recipe's hook out.
//
// A Call is one call of a script: which one, with the arguments that dpkg or rpm gave it. Phase says what is to be done,
// by the arguments and by what is there; Run does it, natively, as the scripts that package pack writes do it in sh.
//
// Rules:
//   - The two agree, and share the mark by which the script before an unpacking tells the one after it what it saw.
//   - Neither a mark that is missing nor a folder that cannot be written fails anything: dpkg's own word is taken then.
//   - A hook is bounded, whatever its steps do.
//
// Tests: one table of dpkg's and rpm's calls; the command itself in cmd/recipe/testdata.
package hook

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// Scripts are the names of the maintainer scripts, as dpkg has them.
func Scripts() []string { return []string{"preinst", "postinst", "prerm", "postrm"} }

// Call is one call of a maintainer script. Root goes in front of the paths of the host; empty is none.
type Call struct {
	Script string
	Args   []string
	Name   string // of the package
	Full   string // the whole version of the package that the script is of
	Root   string

	Reconfigures bool   // dpkg-reconfigure calls, as $DEBCONF_RECONFIGURE tells
	Admin        string // dpkg's folder; /var/lib/dpkg where empty
}

// Mark is the file by which preinst tells postinst what it saw: "install" or "upgrade".
func (c *Call) Mark() string { return c.Root + "/run/run-" + c.Name + ".phase" }

// Phase gives the phase that the call is for, or "" where it is for none. Of preinst it leaves the mark.
func (c *Call) Phase() (plan.HookPhase, error) {
	if !slices.Contains(Scripts(), c.Script) {
		return "", fmt.Errorf("there is no maintainer script %q: %s", c.Script, strings.Join(Scripts(), ", "))
	}
	if len(c.Args) == 0 {
		return "", fmt.Errorf("%s is called with what it is to do, as dpkg and rpm call it", c.Script)
	}
	if count := c.Args[0]; strings.Trim(count, "0123456789") == "" {
		return rpm(c.Script, count), nil
	}
	switch c.Script {
	case "preinst":
		return c.preinst(), nil
	case "postinst":
		return c.postinst(), nil
	case "prerm":
		if c.Args[0] == "remove" {
			return plan.BeforeRemove, nil
		}
	case "postrm":
		if c.Args[0] == "remove" {
			return plan.AfterRemove, nil
		}
	}
	return "", nil
}

// rpm gives how many of the package there will be: 1 is the first, 0 is none any more.
func rpm(script, count string) plan.HookPhase {
	switch script + " " + count {
	case "preinst 1":
		return plan.BeforeInstall
	case "postinst 1":
		return plan.AfterInstall
	case "prerm 0":
		return plan.BeforeRemove
	case "postrm 0":
		return plan.AfterRemove
	}
	switch script {
	case "preinst":
		return plan.BeforeUpgrade
	case "postinst":
		return plan.AfterUpgrade
	}
	return "" // of the old version, in an upgrade
}

// preinst is called for an upgrade as well where an installation that was broken off is tried again, though nothing was
// ever there, and by dpkg-reconfigure.
func (c *Call) preinst() plan.HookPhase {
	kind := c.Args[0]
	if kind != "install" && kind != "upgrade" || c.Reconfigures {
		return ""
	}
	if _, err := os.Stat(c.admin() + "/info/" + c.Name + ".list"); err != nil {
		kind = "install"
	}
	os.WriteFile(c.Mark(), []byte(kind+"\n"), 0o644) // at worst dpkg's word has to do
	if kind == "install" {
		return plan.BeforeInstall
	}
	return plan.BeforeUpgrade
}

// postinst is given the version that was configured last, if any was, also before a removal.
func (c *Call) postinst() plan.HookPhase {
	if c.Args[0] != "configure" {
		return ""
	}
	mark, _ := os.ReadFile(c.Mark())
	kind, last := strings.TrimSpace(string(mark)), ""
	if len(c.Args) > 1 {
		last = c.Args[1]
	}
	switch {
	case last == "", kind == "install":
		return plan.AfterInstall
	case kind == "upgrade", kind == "" && last != c.Full:
		return plan.AfterUpgrade
	}
	return ""
}

// Done ends what preinst began: what postinst had to do is done.
func (c *Call) Done() {
	if c.Script == "postinst" || c.Script == "postrm" && strings.HasPrefix(c.Args[0], "abort-") {
		os.Remove(c.Mark())
	}
}

func (c *Call) admin() string {
	if c.Admin != "" {
		return c.Admin
	}
	return c.Root + "/var/lib/dpkg"
}
