package dirs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	tests := []struct {
		name string
		uid  int
		env  map[string]string
		want Dirs
	}{
		{"root", 0, map[string]string{"XDG_RUNTIME_DIR": "/run/user/0", "HOME": "/root"},
			Dirs{Runtime: "/run/recipe", State: "/var/lib/recipe", Logs: "/var/log/recipe"}},
		{"a login", 7, map[string]string{"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/a"},
			Dirs{Runtime: "/run/user/7/recipe", State: "/home/a/.local/state/recipe", Logs: "/home/a/.local/state/recipe/log"}},
		{"a state home", 7, map[string]string{"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/a", "XDG_STATE_HOME": "/s"},
			Dirs{Runtime: "/run/user/7/recipe", State: "/s/recipe", Logs: "/s/recipe/log"}},
		{"nothing set", 7, nil,
			Dirs{Runtime: "/tmp/recipe-7", State: "/tmp/recipe-7/state", Logs: "/tmp/recipe-7/state/log"}},
		{"TMPDIR", 7, map[string]string{"TMPDIR": "/var/tmp", "HOME": "/home/a"},
			Dirs{Runtime: "/var/tmp/recipe-7", State: "/home/a/.local/state/recipe", Logs: "/home/a/.local/state/recipe/log"}},
		{"relative XDG values are ignored", 7, map[string]string{"XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "s", "TMPDIR": "t"},
			Dirs{Runtime: "/tmp/recipe-7", State: "/tmp/recipe-7/state", Logs: "/tmp/recipe-7/state/log"}},
		{"overrides", 7, map[string]string{"RECIPE_RUNTIME_DIR": "/a/", "RECIPE_STATE_DIR": "/b", "RECIPE_LOG_DIR": "/c"},
			Dirs{Runtime: "/a", State: "/b", Logs: "/c"}},
		{"logs follow the state", 7, map[string]string{"RECIPE_RUNTIME_DIR": "/a", "RECIPE_STATE_DIR": "/b"},
			Dirs{Runtime: "/a", State: "/b", Logs: "/b/log"}},
		{"root's logs do not", 0, map[string]string{"RECIPE_STATE_DIR": "/b"},
			Dirs{Runtime: "/run/recipe", State: "/b", Logs: "/var/log/recipe"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Resolve(func(name string) string { return test.env[name] }, test.uid)
			system := "/run/recipe"
			if test.uid == 0 || test.env["RECIPE_RUNTIME_DIR"] != "" {
				system = ""
			}
			if got.System() != system {
				t.Errorf("root's supervisors are looked for in %q, not %q", got.System(), system)
			}
			got.shared, got.system = "", ""
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestRelativeOverrideIsRefused(t *testing.T) {
	_, err := Resolve(func(name string) string {
		if name == "RECIPE_LOG_DIR" {
			return "log"
		}
		return ""
	}, 7)
	if err == nil || !strings.Contains(err.Error(), "RECIPE_LOG_DIR") {
		t.Errorf("got %v", err)
	}
}

func TestPlantedFoldersAreRefused(t *testing.T) {
	plant := map[string]func(t *testing.T, path string){
		"not a directory": func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) },
		"not a directory (a link)": func(t *testing.T, path string) {
			must(t, os.Symlink(t.TempDir(), path))
		},
		"others may enter": func(t *testing.T, path string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.Chmod(path, 0o750))
		},
		"belongs to user 65534": func(t *testing.T, path string) {
			must(t, os.Mkdir(path, 0o700))
			if os.Geteuid() != 0 {
				unlessRoot(t, errors.New("a folder is to be given to another user"))
			}
			must(t, os.Chown(path, 65534, 65534))
		},
	}
	for want, plant := range plant {
		t.Run(want, func(t *testing.T) {
			temporary := t.TempDir()
			d, err := Resolve(func(name string) string {
				return map[string]string{"TMPDIR": temporary}[name]
			}, 7)
			must(t, err)
			plant(t, d.Runtime)
			want, _, _ := strings.Cut(want, " (")
			if err := d.Make(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestMake(t *testing.T) {
	base := t.TempDir()
	d := Dirs{Runtime: filepath.Join(base, "a/run"), State: filepath.Join(base, "b/state"), Logs: filepath.Join(base, "b/state/log")}
	for range 2 { // the second finds what the first made
		must(t, d.Make())
	}
	for path, want := range map[string]os.FileMode{d.Runtime: 0o700, d.State: 0o700, d.Logs: 0o750} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
	}
	must(t, os.Chmod(d.Runtime, 0o755)) // a service manager's default, and harmless: the sockets are 0600
	must(t, d.Make())
	must(t, os.Chmod(d.Runtime, 0o775))
	if err := d.Make(); err == nil {
		t.Error("a runtime folder that a group may change was accepted")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unlessRoot(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatal(err)
	}
	t.Skipf("needs root: %v", err)
}

func TestClientsNeedNoFolder(t *testing.T) {
	d := Dirs{Runtime: filepath.Join(t.TempDir(), "none")}
	if err := d.CheckRuntime(); err != nil {
		t.Error(err)
	}
	if err := d.check(d.Runtime, 7); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestOpenLetsOthersLook(t *testing.T) {
	d := Dirs{Runtime: t.TempDir()}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(d.Runtime); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if err := d.check(d.Runtime, os.Geteuid()); err != nil {
		t.Errorf("an open folder is refused: %v", err)
	}
	d.shared = d.Runtime
	if err := d.Open(); err == nil || !strings.Contains(err.Error(), "RECIPE_RUNTIME_DIR") {
		t.Errorf("a folder where anyone may write: %v", err)
	}
}
