package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

// The first command of the README on a fresh clone: it answers, and ctrl-C ends it within the grace and leaves nothing.
// Where the tester is root and the host was made for the tests, an ordinary user with empty caches runs it.
func TestTourRunsOnAFreshClone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the program anew")
	}
	h := newHome(t)
	clone := filepath.Join(h.dir, "clone")
	cloneInto(t, clone)
	cache, modules := goEnv(t, "GOCACHE"), goEnv(t, "GOMODCACHE")
	if os.Geteuid() == 0 && os.Getenv("RECIPE_TEST_HOST") == "1" {
		cache, modules = filepath.Join(h.dir, "cache"), filepath.Join(h.dir, "modules")
		vendored(t, clone)
		h.give(nobody)
	}
	args, web := ports(t)
	cmd := h.command("go", append(append([]string{"run", "./cmd/recipe", "run"}, args...), "--dev", "recipes/foo/foo.star")...)
	cmd.Dir = clone
	cmd.Env = append(cmd.Env, "GOCACHE="+cache, "GOMODCACHE="+modules, "GOFLAGS=", "GOTOOLCHAIN=local", "GOPROXY=off")
	s := h.start(cmd)
	// Two compilations with empty caches: on a busy host, all the time that there is.
	end := time.Now().Add(8 * time.Minute)
	if last, ok := t.Deadline(); ok {
		end = last.Add(-time.Minute)
	}
	for ; ask(web+"/healthz") != "ok\n"; time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.ended:
			t.Fatal("go run has ended")
		default:
		}
		if time.Now().After(end) {
			t.Fatal("the tour does not answer")
		}
	}
	h.becomes("turns healthy", "foo", "foo", func(s control.Status) bool { return s.State == control.Healthy })
	begin := time.Now()
	s.interrupt()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("ctrl-C took %s, longer than the grace of 10 s", took)
	}
	h.empty()
}

// cloneInto copies what the repository holds, and what will be added to it, but nothing that a build left.
func cloneInto(t *testing.T, dir string) {
	t.Helper()
	for _, file := range mustRun(t, source, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard") {
		from, to := filepath.Join(source, file), filepath.Join(dir, file)
		info, err := os.Stat(from)
		if os.IsNotExist(err) {
			continue // deleted and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(read(t, from)), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// vendored puts the dependencies where a user without the tester's caches finds them.
func vendored(t *testing.T, dir string) {
	t.Helper()
	mustRun(t, dir, "go", "mod", "vendor")
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(mustRun(t, source, "go", "env", name)[0])
}

// mustRun gives the output, cut at NULs.
func mustRun(t *testing.T, dir, name string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
