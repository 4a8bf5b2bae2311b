package pack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// TestMain lets the test binary be a build in other surroundings: RECIPE_TEST_BUILD is the recipe's folder,
// RECIPE_TEST_OUT where the package goes.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RECIPE_TEST_BUILD"); dir != "" {
		syscall.Umask(0o077)
		path, err := BuildFile(os.Getenv("RECIPE_TEST_OUT"), Options{Plan: tour(), Dir: dir, Arch: "amd64", Compression: Compression(os.Getenv("RECIPE_TEST_COMPRESSION"))})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Print(path)
		return
	}
	os.Exit(m.Run())
}

// tour is a plan with one of everything that a package shows.
func tour() *plan.Plan {
	service := func(name string) plan.Service {
		return plan.Service{Name: name, User: "foo", Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food")},
			Restart: plan.DefaultRestart(), Stop: plan.DefaultStop(), Logs: plan.DefaultLogs()}
	}
	p := &plan.Plan{
		Format:   plan.Format,
		Name:     "foo",
		Accounts: []plan.Account{{Name: "foo", Group: "foo", Home: expr.PathOf("/var/lib/foo")}},
		Flags:    []plan.Flag{{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080), Apply: plan.Apply{Action: plan.ApplyRestart}}},
		Package: &plan.Package{
			Name: "foo", Version: "1.4.2", Release: 3, License: "Apache-2.0", Maintainer: "Foo Team <foo@example.org>", Summary: "serves foo",
			Description: "A first paragraph that is long enough to be broken into two lines, since nobody reads beyond the eightieth column.\n\n verbatim",
			Homepage:    "https://example.org/foo", Style: "full", Runtime: "standalone", Depends: []string{"ca-certificates", "passwd (>= 1:4)"},
			Contents: []plan.Content{
				{Kind: plan.ContentFile, Source: "dist/food", Path: "/usr/lib/foo/bin/food", Mode: 0o755},
				{Kind: plan.ContentFile, Source: "dist/secret", Path: "/usr/lib/foo/it's secret", Mode: 0o4750, Owner: "root", Group: "foo"},
				{Kind: plan.ContentConfig, Source: "foo.conf", Path: "/etc/foo/foo.conf", Mode: 0o644},
				{Kind: plan.ContentFile, Source: "foo.conf", Path: "/usr/share/foo/" + strings.Repeat("deep/", 40) + "foo.conf", Mode: 0o600},
			},
		},
		Services: []plan.Service{service("foo"), service("foo-web")},
		Tasks: []plan.Task{
			{Name: "foo-sweep", User: "foo", Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.TextOf("--sweep")}, Every: 3_600_000, Timeout: 600_000, Logs: plan.DefaultLogs(), After: []string{"foo"}},
			{Name: "foo-seed", Command: []expr.Expr{expr.PathOf("/usr/lib/foo/bin/food"), expr.TextOf("--seed")}, Timeout: 600_000, Logs: plan.DefaultLogs()},
		},
	}
	p.Services[0].Prepare = []plan.Step{
		{Directory: &plan.Directory{Path: expr.PathOf("/var/lib/foo"), Owner: "foo", Mode: 0o750}},
		{Directory: &plan.Directory{Path: expr.PathOf("/var/lib/foo/it's"), Mode: 0o750}},
		{Directory: &plan.Directory{Path: expr.PathOf("/srv/www"), Mode: 0o755}},
		{Template: &plan.Template{Path: expr.PathOf("/run/foo/live.conf"), Text: expr.TextOf("x"), Mode: 0o644}},
		{Template: &plan.Template{Path: expr.PathOf("/etc/default/foo"), Text: expr.TextOf("x"), Mode: 0o644}},
	}
	p.Services[0].Probes = []plan.Probe{{HTTP: &plan.HTTPProbe{Port: expr.FlagOf("port"), Path: "/", Status: plan.Status(200)}, Every: 1000, Timeout: 1000, Failures: 2, Successes: 1}}
	return p
}

// folder lays out the recipe's folder of the tour, with modes and times that must not matter.
func folder(t *testing.T, mode os.FileMode, at time.Time) string {
	t.Helper()
	dir := t.TempDir()
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // several blocks of the compressors
	for name, text := range map[string][]byte{"dist/food": big, "dist/secret": []byte("x"), "foo.conf": []byte("greeting hello\n")} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, mode), os.Chmod(path, mode), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func build(t *testing.T, p *plan.Plan, dir string) string {
	t.Helper()
	if problems := p.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	path, err := BuildFile(t.TempDir(), Options{Plan: p, Dir: dir, Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("RECIPE_TEST_HOST") == "1" {
			t.Fatalf("RECIPE_TEST_HOST=1, but this needs %s", tool)
		}
		t.Skipf("this needs %s (.ci/run installs it)", tool)
	}
}

func run(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}
