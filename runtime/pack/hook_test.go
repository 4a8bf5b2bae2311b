package pack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func hookRun(timeout plan.Duration, command ...string) plan.Step {
	r := plan.Run{Timeout: timeout}
	for _, word := range command {
		r.Command = append(r.Command, expr.TextOf(word))
	}
	return plan.Step{Run: &r}
}

// hooked is the tour with a hook in every phase, which notes its phase in a log, and more steps in some.
func hooked(log string) *plan.Plan {
	p := tour()
	for _, phase := range plan.HookPhases() {
		p.Hooks = append(p.Hooks, plan.Hook{Phase: phase, Steps: []plan.Step{hookRun(60_000, "/bin/sh", "-c", "echo "+string(phase)+" >>"+expr.QuoteShell(log))}})
	}
	p.Hook(plan.AfterUpgrade).Steps = append(p.Hook(plan.AfterUpgrade).Steps,
		plan.Step{Run: &plan.Run{Command: []expr.Expr{expr.TextOf("/bin/echo"), expr.TextOf("it's"), expr.FlagOf("port")}, Timeout: 1000}},
		plan.Step{RequireFile: &plan.RequireFile{Path: expr.PathOf("/etc/passwd")}})
	return p
}

// scriptHost is a folder in which maintainer scripts find the programs that they call, and what dpkg knows.
type scriptHost struct {
	t       *testing.T
	dir     string
	run     string // what they take for /run/
	scripts map[string][]byte
}

func newScriptHost(t *testing.T, p *plan.Plan) *scriptHost {
	need(t, "dash", "timeout", "setsid")
	h := &scriptHost{t: t, dir: t.TempDir()}
	h.run = filepath.Join(h.dir, "run") + "/"
	var err error
	if h.scripts, err = maintainerScripts(p); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bin/", "booted/", "units/", "run/", "etc/", "dpkg/info/"} {
		if err := os.MkdirAll(filepath.Join(h.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.write("units/foo.service", "", 0o644)
	h.write("dpkg/info/foo.list", "", 0o644)
	for _, name := range []string{"chmod", "chown", "deb-systemd-helper", "deb-systemd-invoke", "dpkg-statoverride", "getent", "groupadd", "journalctl", "systemctl", "useradd"} {
		h.write("bin/"+name, "#!/bin/sh\ncase \"$*\" in *ActiveState*) echo inactive ;; esac\n", 0o755)
	}
	return h
}

func (h *scriptHost) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

// call runs a script as dpkg would: a file, with these arguments.
func (h *scriptHost) call(words ...string) (string, error) {
	h.t.Helper()
	here := strings.NewReplacer("/run/systemd/system", h.dir+"/booted", "/run/", h.run, unitDir, h.dir+"/units/", "/etc/foo/", h.dir+"/etc/",
		"PATH=/usr/local", "PATH="+h.dir+"/bin:/usr/local")
	h.write(words[0], here.Replace(string(h.scripts[words[0]])), 0o755)
	cmd := exec.Command("dash", append([]string{filepath.Join(h.dir, words[0])}, words[1:]...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(h.dir, "bin")+":"+os.Getenv("PATH"), "DPKG_ADMINDIR="+filepath.Join(h.dir, "dpkg"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// ran takes what the log holds, and empties it.
func ran(t *testing.T, log string) string {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	os.Remove(log)
	return strings.Join(strings.Fields(string(text)), " ")
}

// TestHooksRunInTheirPhases follows a package through its life, with arguments as dpkg gives them.
func TestHooksRunInTheirPhases(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "it's log")
	h := newScriptHost(t, hooked(log))
	for _, step := range []struct{ call, want string }{
		{"preinst install", "before_install"},
		{"postinst configure", "after_install"},
		{"postinst configure 1.4.2-3", ""}, // configured anew
		{"prerm upgrade 1.4.2-3", ""},
		{"preinst upgrade 1.0 1.4.2-3", "before_upgrade"},
		{"postrm upgrade 1.4.2-3", ""},
		{"postinst configure 1.0", "after_upgrade"},
		{"preinst upgrade 1.4.2-3 1.4.2-3", "before_upgrade"}, // the same version once more
		{"postinst configure 1.4.2-3", "after_upgrade"},
		{"prerm remove", "before_remove"},
		{"postrm remove", "after_remove"},
		{"preinst install 1.4.2-3 1.4.2-3", "before_install"}, // its configuration was left
		{"postinst configure 1.4.2-3", "after_install"},
		{"preinst upgrade 1.0 1.4.2-3", "before_upgrade"}, // and given up
		{"postrm abort-upgrade 1.0", ""},
		{"postinst abort-upgrade 1.4.2-3", ""},
		{"postinst configure 1.4.2-3", ""},
		{"postrm purge", ""},
	} {
		if out, err := h.call(strings.Fields(step.call)...); err != nil {
			t.Errorf("%s: %v\n%s", step.call, err, out)
		}
		if got := ran(t, log); got != step.want {
			t.Errorf("%s ran %q, not %q", step.call, got, step.want)
		}
	}
	// An installation that was broken off before anything was there is tried again as an upgrade.
	os.Remove(filepath.Join(h.dir, "dpkg/info/foo.list"))
	if _, err := h.call("preinst", "upgrade", "1.0"); err != nil || ran(t, log) != "before_install" {
		t.Error("an installation is taken for an upgrade")
	}
}

// TestAHookFailsAlone: it is said, with the way to run it again, and nothing else fails; a strict one fails its script.
func TestAHookFailsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := tour()
	p.Hooks = []plan.Hook{{Phase: plan.AfterInstall, Steps: []plan.Step{hookRun(60_000, "/bin/sh", "-c", "test -e "+dir+"/mended")}}}
	h := newScriptHost(t, p)
	out, err := h.call("postinst", "configure")
	again := "sh " + h.dir + "/dpkg/info/foo.postinst hook after_install"
	for _, want := range []string{"foo: hook after_install: /bin/sh failed with exit code 1\n", "foo: the hook after_install failed; to run it again: " + again} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v, and not %q:\n%s", err, want, out)
		}
	}
	h.write("dpkg/info/foo.postinst", string(h.scripts["postinst"]), 0o755)
	if err := exec.Command("sh", "-c", again).Run(); err == nil {
		t.Error("the hook succeeds before it is mended")
	}
	if err := os.WriteFile(dir+"/mended", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-c", again).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", again, err, out)
	}

	os.Remove(dir + "/mended")
	p.Hooks[0].Strict = true
	h = newScriptHost(t, p)
	for range 2 {
		if out, err := h.call("postinst", "configure"); err == nil || !strings.Contains(out, "is strict") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if err := os.WriteFile(dir+"/mended", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := h.call("postinst", "configure"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHooksCannotHang: a step that hangs is killed with what it started, also where the step's own bound is too late.
func TestHooksCannotHang(t *testing.T) {
	t.Parallel()
	need(t, "pgrep")
	mark := fmt.Sprintf("9%d", os.Getpid())
	for _, c := range []struct {
		timeout plan.Duration
		want    string
	}{{300, "did not end within 300ms"}, {600_000, "did not end within 1 s, and was killed"}} {
		p := tour()
		p.Hooks = []plan.Hook{{Phase: plan.AfterInstall, Steps: []plan.Step{hookRun(c.timeout, "/bin/sh", "-c", "trap '' TERM; sleep "+mark+" & sleep "+mark)}}}
		h := newScriptHost(t, p)
		if c.timeout > 1000 {
			h.scripts["postinst"] = []byte(strings.Replace(string(h.scripts["postinst"]), "hook after_install 660", "hook after_install 1", 1))
		}
		begin := time.Now()
		out, err := h.call("postinst", "configure")
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%v, and not %q:\n%s", err, c.want, out)
		}
		if took := time.Since(begin); took > 60*time.Second {
			t.Errorf("it took %s", took)
		}
		if left, _ := exec.Command("pgrep", "-f", "^sleep "+mark+"$").Output(); len(left) > 0 {
			t.Errorf("processes are left: %s", left)
		}
	}
}

// TestStagedIsHeldOnce: the first installation puts the file there, with who, when and why, and no later one does.
func TestStagedIsHeldOnce(t *testing.T) {
	t.Parallel()
	p := tour()
	p.Package.Style = plan.StyleStaging
	h := newScriptHost(t, p)
	file := filepath.Join(h.dir, "etc/foo-web.stopped")
	out, err := h.call("postinst", "configure")
	text, _ := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "by: package foo\nwhen: 20") || !strings.HasSuffix(string(text), "why: staged by the package\n") {
		t.Errorf("%v, %q\n%s", err, text, out)
	}
	if want := "foo: foo-web.service is not started while " + file + " is there; to release it: rm " + file + " && systemctl start foo-web.service"; !strings.Contains(out, want) {
		t.Errorf("not %q:\n%s", want, out)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "etc/foo-sweep.stopped")); err != nil {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := h.call("postinst", "configure", "1.4.2-3"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("what was released is held again")
	}
	// What cannot be held is not installed.
	if err := os.RemoveAll(filepath.Join(h.dir, "etc")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.call("postinst", "configure"); err == nil {
		t.Error("the installation goes on though nothing holds the service")
	}
}

// TestScriptsHaveRecipeCallFunctions with the package's plan and the version that was there, and fail by it only where they are
// strict.
func TestScriptsHaveRecipeCallFunctions(t *testing.T) {
	t.Parallel()
	p := hooked(filepath.Join(t.TempDir(), "log"))
	p.Package.Runtime = plan.RuntimeRecipe
	function := &plan.Script{Function: "migrate", Modules: []plan.ScriptModule{{Name: "x.star", Functions: []plan.ScriptFunction{{Line: 1, Text: "def migrate(upgrade):\n    return None\n"}}}}}
	for _, phase := range []plan.HookPhase{plan.AfterUpgrade, plan.BeforeRemove} {
		h := p.Hook(phase)
		h.Steps, h.Script, h.Strict = nil, function, phase == plan.BeforeRemove
	}
	need(t, "shellcheck")
	if got := strings.Join(depends(p), ", "); !strings.Contains(got, "recipe") {
		t.Errorf("it depends on %s", got)
	}
	h := newScriptHost(t, p)
	for code, want := range map[string]string{"0": "", "1": "", "124": "foo: the hook after_upgrade failed; to run it again: recipe hook after_upgrade /usr/share/foo/plan.json -- 1.0~a-1\n"} {
		h.write("bin/recipe", "#!/bin/sh\n[ \"$1\" = hook ] || exit 0\necho \"called: $#: $*\"\nexit "+code+"\n", 0o755)
		if out, err := h.call("preinst", "upgrade", "1.0~a-1", "1.4.2-3"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		out, err := h.call("postinst", "configure", "1.0~a-1")
		if err != nil || !strings.Contains(out, "called: 5: hook after_upgrade /usr/share/foo/plan.json -- 1.0~a-1\n") || strings.Contains(out, "run it again") != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", code, err, out)
		}
		out, err = h.call("prerm", "remove")
		if (err == nil) != (code == "0") || !strings.Contains(out, "called: 4: hook before_remove /usr/share/foo/plan.json --\n") {
			t.Errorf("%s: %v\n%s", code, err, out)
		}
	}
	for _, name := range []string{"postinst", "prerm"} {
		judge := exec.Command("shellcheck", "-")
		judge.Stdin = strings.NewReader(string(h.scripts[name]))
		if out, err := judge.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, want := range []string{"hook after_upgrade 3720 '' \"$2\"", "after_upgrade) timeout --kill-after=20 \"$2\" recipe hook"} {
		if text := string(h.scripts["postinst"]); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text := string(h.scripts["prerm"]); !strings.Contains(text, "hook before_remove 3720 'strict' ;;") {
		t.Errorf("%s", text)
	}
}
