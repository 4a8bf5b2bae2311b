package stage

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func packageOf(build [][]string, contents ...plan.Content) *plan.Plan {
	p := &plan.Plan{Package: &plan.Package{Name: "foo", Contents: contents}}
	for _, argv := range build {
		r := plan.Run{Timeout: 10_000}
		for _, a := range argv {
			r.Command = append(r.Command, expr.TextOf(a))
		}
		p.Package.Build = append(p.Package.Build, r)
	}
	return p
}

func TestBuildStepsRunInTheRecipesFolderWithACleanEnvironment(t *testing.T) {
	t.Setenv("SECRET", "leaks")
	dir := t.TempDir()
	var out bytes.Buffer
	if err := Build(context.Background(), packageOf([][]string{{"pwd"}, {"env"}}), dir, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), dir+"\n") || strings.Contains(out.String(), "SECRET") {
		t.Errorf("the steps saw:\n%s", out.String())
	}
}

func TestBuildNamesTheStepThatFails(t *testing.T) {
	p := packageOf([][]string{{"true"}, {"sh", "-c", "exit 3"}})
	err := Build(context.Background(), p, t.TempDir(), &bytes.Buffer{})
	if err == nil || err.Error() != `cannot build foo: the step "sh -c exit 3": exit status 3` {
		t.Errorf("got %v", err)
	}
	p = packageOf([][]string{{"sleep", "60"}})
	p.Package.Build[0].Timeout = 20
	if err := Build(context.Background(), p, t.TempDir(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "longer than its timeout of 20ms") {
		t.Errorf("got %v", err)
	}
}

func TestAnInterruptedBuildSaysSo(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	p := packageOf([][]string{{"sh", "-c", "echo begun; exec sleep 60"}})
	err := Build(ctx, p, t.TempDir(), writer(func([]byte) { interrupt() }))
	if err == nil || !strings.HasSuffix(err.Error(), "was interrupted") {
		t.Errorf("the error is %v", err)
	}
}

// writer is called with what is written.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func TestStageReplacesAProgramThatRuns(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "nap"), program, 0o644); err != nil {
		t.Fatal(err)
	}
	p := packageOf(nil, plan.Content{Kind: plan.ContentFile, Source: "nap", Path: "/usr/lib/foo/nap", Mode: 0o755})
	target := filepath.Join(root, "usr/lib/foo/nap")
	if err := Contents(p, dir, root); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(target, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if err := Contents(p, dir, root); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o755 || info.Size() != int64(len(program)) {
		t.Errorf("staged: %v, %v", info, err)
	}
}

func TestStageFollowsNoLinkOutOfTheRecipe(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	p := packageOf(nil, plan.Content{Kind: plan.ContentFile, Source: "out", Path: "/etc/foo/out", Mode: 0o644})
	if err := Contents(p, dir, root); err == nil {
		t.Error("a link that leads out of the recipe's folder was followed")
	}
	if _, err := os.Stat(filepath.Join(root, "etc/foo/out")); !os.IsNotExist(err) {
		t.Errorf("a file was left: %v", err)
	}
}

// TestStageLaysOutTreesDirectoriesAndLinks: twice, since a recipe is run again and again.
func TestStageLaysOutTreesDirectoriesAndLinks(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "static/a b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "static/a b/x"), []byte("x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a b/x", filepath.Join(dir, "static/current")); err != nil {
		t.Fatal(err)
	}
	p := packageOf(nil, plan.Content{Kind: plan.ContentTree, Source: "static", Path: "/usr/share/foo"},
		plan.Content{Kind: plan.ContentDirectory, Path: "/var/lib/foo", Mode: 0o750, Owner: "foo"},
		plan.Content{Kind: plan.ContentSymlink, Path: "/usr/bin/x", Target: "/usr/share/foo/current"})
	for range 2 {
		if err := Contents(p, dir, root); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(root, "usr/bin/x")); string(got) != "x" || err != nil {
		t.Errorf("through both links: %q, %v", got, err)
	}
	for path, want := range map[string]os.FileMode{"usr/share/foo/a b/x": 0o755, "var/lib/foo": 0o750 | os.ModeDir} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := os.Remove(filepath.Join(root, "usr/bin/x")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Contents(p, dir, root); err == nil || !strings.Contains(err.Error(), "it is something else already") {
		t.Errorf("a file in the link's place: %v", err)
	}
}

func TestUnprivilegedLeavesThePlanAlone(t *testing.T) {
	p := &plan.Plan{Services: []plan.Service{{User: "foo", Prepare: []plan.Step{{Directory: &plan.Directory{Owner: "foo", Group: "foo"}}, {Template: &plan.Template{Owner: "foo"}},
		{RequireMount: &plan.RequireMount{}}, {Copy: &plan.Copy{Owner: "foo"}}}, Listen: []plan.Socket{{Owner: "foo", Group: "adm"}}}},
		Tasks: []plan.Task{{User: "foo", Prepare: []plan.Step{{Directory: &plan.Directory{Owner: "foo"}}}}}}
	local := Unprivileged(p)
	s := local.Services[0]
	if len(s.Prepare) != 3 || s.Prepare[2].Copy.Owner != "" || len(p.Services[0].Prepare) != 4 || p.Services[0].Prepare[3].Copy.Owner != "foo" {
		t.Errorf("the steps are %+v, of %+v", s.Prepare, p.Services[0].Prepare)
	}
	if s.User != "" || s.Prepare[0].Directory.Owner != "" || s.Prepare[0].Directory.Group != "" || s.Prepare[1].Template.Owner != "" {
		t.Errorf("an owner is left: %+v", s)
	}
	if task := local.Tasks[0]; s.Listen[0].Owner != "" || s.Listen[0].Group != "" || task.User != "" || task.Prepare[0].Directory.Owner != "" {
		t.Errorf("an owner is left: %+v, %+v", s.Listen, task)
	}
	if p.Services[0].Listen[0].Owner != "foo" || p.Tasks[0].User != "foo" || p.Services[0].User != "foo" || p.Services[0].Prepare[0].Directory.Owner != "foo" {
		t.Error("the plan was changed")
	}
}
