package launch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// twin is one plan that both launchers must carry out alike. What they do is fixed as well, roughly: code and says, a
// part of stdout.
type twin struct {
	name   string
	plan   *plan.Plan
	flags  string                          // the flags file, none if empty
	setup  func(t *testing.T, root string) // what is there before
	again  int                             // further runs
	handed int                             // sockets
	only   string                          // "root" or "user", who may run it
	once   bool                            // is the same for any user, and for busybox with any tools
	gnu    bool                            // needs coreutils: an env that resets signals, or nice
	code   int
	env    []string // besides the dirt
	says   string
	warns  string // all of stderr, if any of it is wanted
	absent string // must not be on stdout
}

// outcome is all that a launcher leaves behind.
type outcome struct {
	Code   int
	Stdout string
	Tree   []string
}

// launcher is one way to run a plan. Its argv is followed by the arguments of the script, if it takes one.
type launcher struct {
	name   string
	argv   []string
	native bool
	tools  string // a folder that holds the only tools that the script may use
}

func launchers(t *testing.T) []launcher {
	found := []launcher{{name: "native", native: true}}
	for _, l := range []launcher{
		{name: "dash", argv: []string{"dash"}},
		{name: "busybox sh", argv: []string{"busybox", "sh"}},
		{name: "busybox alone", argv: []string{"busybox", "sh"}, tools: "busybox"},
	} {
		if _, err := exec.LookPath(l.argv[0]); err != nil {
			skipOnHost(t, l.argv[0]+" is not installed")
			continue
		}
		if l.tools != "" {
			l.tools = filepath.Join(shared, "tools")
		}
		found = append(found, l)
	}
	if len(found) == 1 {
		t.Skip("there is no shell to compare with")
	}
	return found
}

// skipOnHost fails where nothing may be left out, and notes it elsewhere.
func skipOnHost(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatal(why)
	}
	t.Log(why + ": not compared")
}

// TestTwins runs each plan through the native launcher and through the script under every shell, as root and as an
// ordinary user where we can, and compares files, argv, environment, reason and exit code.
func TestTwins(t *testing.T) {
	t.Parallel()
	all := launchers(t)
	users := []string{""}
	if os.Geteuid() == 0 {
		users = append(users, "nobody")
	} else {
		skipOnHost(t, "not root: accounts and owners")
	}
	for _, c := range twins(t) {
		for _, user := range users {
			if isRoot := os.Geteuid() == 0 && user == ""; c.once && user != "" || c.only == "root" && !isRoot || c.only == "user" && isRoot {
				continue
			}
			t.Run(strings.TrimSuffix(c.name+" as "+user, " as "), func(t *testing.T) {
				t.Parallel()
				c.compare(t, all, user)
			})
		}
	}
}

func (c *twin) compare(t *testing.T, all []launcher, user string) {
	var want outcome
	for i, l := range all {
		if c.gnu && l.tools != "" || c.once && l.name == "busybox sh" || user != "" && l.name != "native" && l.name != "dash" {
			continue
		}
		got := c.run(t, l, user)
		if got.Code != c.code || !strings.Contains(got.Stdout, c.says) || c.absent != "" && strings.Contains(got.Stdout, c.absent) {
			t.Errorf("%s: exit code %d, %q; want %d, %q", l.name, got.Code, got.Stdout, c.code, c.says)
		}
		if i == 0 {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is no twin of the native launcher:\n%s", l.name, diff)
		}
	}
}

// run carries the plan out in a root of its own.
func (c *twin) run(t *testing.T, l launcher, user string) outcome {
	t.Helper()
	root := filepath.Join(openTempDir(t), "root")
	mkdir(t, root)
	install(t, root)
	if c.flags != "" {
		write(t, root+c.plan.FlagsPath(), c.flags, 0o644)
	}
	if c.setup != nil {
		c.setup(t, root)
	}
	if user != "" {
		giveAway(t, root)
	}
	var out outcome
	var stdout bytes.Buffer
	for range 1 + c.again {
		stdout.Reset()
		cmd := command(t, l, c.plan, root, user)
		cmd.Stdout = &stdout
		if c.handed > 0 {
			cmd.Env = append(cmd.Env, fmt.Sprintf("HANDED=%d", c.handed))
		}
		for _, v := range c.env {
			cmd.Env = append(cmd.Env, strings.ReplaceAll(v, "ROOT", root))
		}
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatalf("%s: %v", l.name, err)
		}
		out.Code = cmd.ProcessState.ExitCode()
		if said := normal(cmd.Stderr.(*bytes.Buffer).String(), root); c.warns != "" && said != c.warns {
			t.Errorf("%s warns %q; want %q", l.name, said, c.warns)
		}
		if testing.Verbose() && cmd.Stderr.(*bytes.Buffer).Len() > 0 {
			t.Logf("%s: %s", l.name, cmd.Stderr)
		}
	}
	out.Stdout = normal(stdout.String(), root)
	out.Tree = tree(t, root)
	return out
}

// command starts a launcher from a dirty process: variables that a careless script would use, and ignored signals.
func command(t *testing.T, l launcher, p *plan.Plan, root, user string) *exec.Cmd {
	t.Helper()
	s := &p.Services[0]
	dirt := []string{"PATH=" + os.Getenv("PATH"), "RECIPE_PAUSE=0", "HOME=/dirt", "flag_port=1", "line_port=1", "account=root", "value=9",
		"root=/dirt", "IFS=x", "why=dirt", "OMP_NUM_THREADS=77", "detach=dirt", "remedy=dirt"}
	var argv []string
	if l.native {
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(filepath.Dir(root), "plan.json")
		write(t, file, string(data), 0o644)
		dirt = append(dirt, "RECIPE_TEST_NATIVE="+file, "RECIPE_TEST_ROOT="+root)
		argv = []string{filepath.Join(shared, "recorder")}
	} else {
		text, err := launch.Script(p, s)
		if err != nil {
			t.Fatal(err)
		}
		if l.tools != "" {
			text = regexp.MustCompile(`(?m)^PATH=\S+`).ReplaceAll(text, []byte("PATH="+l.tools))
		}
		file := filepath.Join(filepath.Dir(root), "run-"+s.Name)
		write(t, file, string(text), 0o755)
		argv = append(slices.Clone(l.argv), file, "--root", root)
	}
	argv = append([]string{"sh", "-c", `trap "" HUP PIPE USR1; if [ -n "$HANDED" ]; then export LISTEN_PID=$$ LISTEN_FDS=$HANDED LISTEN_FDNAMES=x:y; fi; exec "$@"`, "sh"}, argv...)
	if user != "" {
		argv = append([]string{"setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", "--"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { null.Close() })
	cmd.ExtraFiles = []*os.File{null, null}
	cmd.Env, cmd.Stderr, cmd.Dir = dirt, &bytes.Buffer{}, os.TempDir()
	return cmd
}

var (
	bytesFree = regexp.MustCompile(`has [0-9]+ bytes free`)
	available = regexp.MustCompile(`has [0-9]+ bytes of memory`)
	address   = regexp.MustCompile(`\(0x[0-9a-f]+\)`)
)

func normal(s, root string) string {
	s = bytesFree.ReplaceAllString(strings.ReplaceAll(s, root, "ROOT"), "has N bytes free")
	s = available.ReplaceAllString(s, "has N bytes of memory")
	return address.ReplaceAllString(s, "(ADDRESS)")
}

// tree lists a folder: path, type and mode, owner, and what it holds.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%s %v %d:%d", strings.TrimPrefix(path, root), info.Mode(), st.Uid, st.Gid)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " -> " + normal(target, root)
		case info.Mode().IsRegular() && info.Size() < 1<<20:
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrPermission) {
				data = []byte("cannot be read by the tests")
			} else if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", normal(string(data), root))
		}
		list = append(list, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
