package hosttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Need skips a test for the reason that require gives, or fails it where RECIPE_TEST_HOST=1 promises that nothing is
// missing.
func Need(t testing.TB, require func() error) {
	t.Helper()
	err := require()
	switch {
	case err == nil:
	case os.Getenv("RECIPE_TEST_HOST") == "1":
		t.Fatalf("RECIPE_TEST_HOST=1, but %v", err)
	default:
		t.Skipf("%v (.ci/run installs it)", err)
	}
}

// Tools requires root and programs.
func Tools(names ...string) func() error {
	return func() error {
		if os.Getuid() != 0 {
			return fmt.Errorf("this needs root")
		}
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				return fmt.Errorf("this needs %s", name)
			}
		}
		return nil
	}
}

const (
	suite   = "bookworm"
	include = "systemd,systemd-sysv,dbus,curl"
)

// Debian returns the path of a Debian tree, which nobody may write to. It is made once, in 40 s and 250 MB, below
// $RECIPE_TEST_CACHE or the user's cache.
func Debian(t testing.TB) string {
	t.Helper()
	sum := sha256.Sum256([]byte(suite + " " + include))
	tree := filepath.Join(cache(t), "debian-"+suite+"-"+hex.EncodeToString(sum[:4]))
	lock, err := os.OpenFile(tree+".lock", os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree); err == nil {
		return tree
	}
	making := tree + ".new" // left by a run that was killed
	if err := os.RemoveAll(making); err != nil {
		t.Fatal(err)
	}
	t.Logf("making a Debian tree in %s", tree)
	command := exec.Command("debootstrap", "--variant=minbase", "--include="+include, suite, making)
	if out, err := command.CombinedOutput(); err != nil {
		Need(t, func() error { // it may be the network
			return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, last(out))
		})
	}
	for _, clutter := range []string{"var/cache/apt/archives", "var/lib/apt/lists"} {
		if err := os.RemoveAll(filepath.Join(making, clutter)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(making, tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func cache(t testing.TB) string {
	dir := os.Getenv("RECIPE_TEST_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			base = os.TempDir()
		}
		dir = filepath.Join(base, "recipe-test")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// last is the end of a long output.
func last(out []byte) []byte { return out[max(0, len(out)-4000):] }
