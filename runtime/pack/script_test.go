package pack

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	serviceless.Services = nil
	accountless.Accounts, accountless.Package.Contents = nil, nil
	for _, p := range []*plan.Plan{tour(), serviceless, accountless} {
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
	scripts, err := maintainerScripts(tour())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		for _, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") || strings.Contains(line, "echo ") {
				continue
			}
			for _, asks := range []string{"systemctl", "deb-systemd-", "journalctl", "getent", "useradd", "userdel", "groupadd", "groupdel", "check-$1\" once"} {
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
	for dir, want := range map[string]bool{
		"/var/lib/foo": true, "/var/cache/foo/x": true, "/run/foo": true, "/etc/foo/d": true, "/srv/foo-web": true, "/opt/foo": true,
		"/var/lib": false, "/var/lib/lib": true, "/var/www": false, "/srv": false, "/srv/www": false, "/run": false, "/usr/lib/foo": false,
		"/home/foo": false, "/etc/ssl": false, "/foo": false, "/var/foo": false, "/": false,
	} {
		if got := own(p, dir); got != want {
			t.Errorf("%s would be removed: %v", dir, got)
		}
	}
}
