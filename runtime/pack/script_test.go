package pack

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestScriptsGolden(t *testing.T) {
	scripts, err := maintainerScripts(tour())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(text)); diff != "" {
			t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, diff)
		}
	}
}

func TestScriptsAreSound(t *testing.T) {
	need(t, "shellcheck", "dash")
	serviceless, accountless := tour(), tour()
	serviceless.Services, serviceless.Tasks = nil, nil
	accountless.Accounts, accountless.Package.Contents = nil, nil
	bare, staging, alone := tour(), hooked("/x"), hooked("/x")
	bare.Package.Style, staging.Package.Style = plan.StyleBare, plan.StyleStaging
	supervised := hooked("/x")
	supervised.Package.Runtime, supervised.Package.Style = plan.RuntimeRecipe, plan.StyleStaging
	alone.Services, alone.Tasks, alone.Accounts, alone.Package.Contents = nil, nil, nil, nil
	for _, p := range []*plan.Plan{tour(), serviceless, accountless, bare, staging, supervised, alone} {
		scripts, err := maintainerScripts(p)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range scripts {
			for _, judge := range [][]string{{"shellcheck", "-"}, {"dash", "-n"}} {
				cmd := exec.Command(judge[0], judge[1:]...)
				cmd.Stdin = strings.NewReader(string(text))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s of %s: %v\n%s", judge[0], name, err, out)
				}
			}
		}
	}
}

// TestScriptsCannotHang: whatever asks another process, which may hang, is bounded.
func TestScriptsCannotHang(t *testing.T) {
	scripts, err := maintainerScripts(hooked("/x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		for _, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") || strings.Contains(line, "echo ") {
				continue
			}
			for _, asks := range []string{"systemctl", "deb-systemd-", "journalctl", "getent", "useradd", "userdel", "groupadd", "groupdel", "check-$name\" once", "\"$0\" hook"} {
				if before, _, found := strings.Cut(line, asks); found && !strings.Contains(before, "timeout ") {
					t.Errorf("%s calls %s without a bound: %s", name, asks, line)
				}
			}
		}
	}
}

// TestPurgeSparesWhatMayBeShared decides by the name of a directory what is removed with all that is in it.
func TestPurgeSparesWhatMayBeShared(t *testing.T) {
	p := tour()
	p.Package.Name = "lib"
	p.Accounts = append(p.Accounts, plan.Account{Name: "shared", Group: "shared"})
	for dir, want := range map[string]bool{
		"/var/lib/foo": true, "/var/cache/foo/x": true, "/run/foo": true, "/etc/foo/d": true, "/srv/foo-web": true, "/opt/foo": true,
		"/var/lib": false, "/var/lib/lib": true, "/var/www": false, "/srv": false, "/srv/www": false, "/run": false, "/usr/lib/foo": false,
		"/home/foo": false, "/etc/ssl": false, "/foo": false, "/var/foo": false, "/": false, "/var/lib/shared": false,
	} {
		if got := own(p, dir); got != want {
			t.Errorf("%s would be removed: %v", dir, got)
		}
	}
}

// TestPurgeLeavesTheFilesBesideATemplate: a folder that one of our templates lies in may be full of an admin's files.
func TestPurgeLeavesTheFilesBesideATemplate(t *testing.T) {
	p := tour()
	p.Services[0].Prepare = []plan.Step{{Template: &plan.Template{Path: expr.PathOf("/etc/foo/conf.d/ours.conf"), Text: expr.TextOf("x"), Mode: 0o644}}}
	facts := scriptFactsOf(p)
	for _, dir := range facts.Erased {
		if strings.HasPrefix("/etc/foo/conf.d", dir) {
			t.Errorf("%s is erased", dir)
		}
	}
	if !slices.Contains(facts.Files, "/etc/foo/conf.d/ours.conf") {
		t.Errorf("the template stays: %v", facts.Files)
	}
}

// TestExistingAccountsAreTheHosts: they are neither made nor removed, and files may be theirs.
func TestExistingAccountsAreTheHosts(t *testing.T) {
	p := tour()
	p.Accounts = []plan.Account{{Name: "www-data", Existing: true}}
	p.Package.Contents = append(p.Package.Contents, plan.Content{Kind: plan.ContentDirectory, Path: "/srv/x", Owner: "www-data", Mode: 0o750})
	facts := scriptFactsOf(p)
	if len(facts.Accounts) != 0 || !slices.Contains(facts.Owned, "/srv/x www-data: 0750") {
		t.Errorf("accounts %v, owned %v", facts.Accounts, facts.Owned)
	}
	if slices.Contains(depends(&plan.Plan{Package: &plan.Package{}, Accounts: p.Accounts}), "passwd") {
		t.Error("passwd is needed to make no account")
	}
}

// TestPurgeTakesCopiesAndLinks: what the steps made goes, a link only while it is one.
func TestPurgeTakesCopiesAndLinks(t *testing.T) {
	p := tour()
	p.Services[0].Prepare = []plan.Step{
		{Copy: &plan.Copy{Source: expr.PathOf("/usr/share/foo/x"), Path: expr.PathOf("/etc/foo/x"), Mode: 0o644, Once: true}},
		{Symlink: &plan.Symlink{Path: expr.PathOf("/opt/foo/current"), Target: expr.TextOf("it's")}},
		{Symlink: &plan.Symlink{Path: expr.FlagOf("where"), Target: expr.TextOf("x")}},
	}
	facts := scriptFactsOf(p)
	if !slices.Contains(facts.Files, "/etc/foo/x") || !slices.Equal(facts.Links, []string{"/opt/foo/current"}) {
		t.Errorf("files %v, links %v", facts.Files, facts.Links)
	}
	scripts, err := maintainerScripts(p)
	if err != nil || !strings.Contains(string(scripts["postrm"]), "\n\t[ ! -h /opt/foo/current ] || drop /opt/foo/current\n") {
		t.Errorf("%v\n%s", err, scripts["postrm"])
	}
}

// TestScriptsInAnyOrder calls every script in every way that dpkg may, twice, where no file can be made below /run, as on
// a host whose tmpfs is full, and where an admin removed a file that has an owner.
func TestScriptsInAnyOrder(t *testing.T) {
	h := newScriptHost(t, hooked(filepath.Join(t.TempDir(), "log")))
	h.run = h.dir + "/absent/"
	for _, call := range []string{
		"preinst install", "preinst install 1", "preinst upgrade 1", "preinst abort-upgrade 2",
		"postinst configure", "postinst configure 1", "postinst abort-upgrade 2", "postinst abort-remove", "postinst abort-remove in-favour bar 1",
		"postinst abort-deconfigure in-favour bar 1", "postinst triggered x",
		"prerm remove", "prerm remove in-favour bar 1", "prerm upgrade 2", "prerm failed-upgrade 1", "prerm deconfigure in-favour bar 1",
		"postrm remove", "postrm upgrade 2", "postrm failed-upgrade 1", "postrm abort-install", "postrm abort-upgrade 1", "postrm disappear bar 1",
	} {
		for range 2 {
			if out, err := h.call(strings.Fields(call)...); err != nil {
				t.Errorf("%s: %v\n%s", call, err, out)
			}
		}
	}
}

// TestPurgeFollowsNoLink: what lies in a directory that goes as a whole is not named, since whoever has the directory
// could have put a link on the way to it.
func TestPurgeFollowsNoLink(t *testing.T) {
	facts := scriptFactsOf(tour())
	if !slices.Contains(facts.Erased, "/var/lib/foo") {
		t.Errorf("/var/lib/foo is not erased: %v", facts.Erased)
	}
	if !slices.Contains(facts.Files, "/run/foo/live.conf") || !slices.Contains(facts.Emptied, "/run/foo") {
		t.Errorf("a template or its folder stays: %v, %v", facts.Files, facts.Emptied)
	}
	for _, path := range slices.Concat(facts.Erased, facts.Files, facts.Emptied) {
		for _, dir := range facts.Erased {
			if strings.HasPrefix(strings.Trim(path, "'"), dir+"/") {
				t.Errorf("%s is named, and lies in %s", path, dir)
			}
		}
	}
}
