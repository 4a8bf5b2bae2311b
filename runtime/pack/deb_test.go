package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// TestSameBytes builds in two folders, at two times, with other modes, umask, zone, number of CPUs and, where root runs
// the test, as two users.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	for _, compression := range Compressions() {
		sums := map[string]string{}
		for i, at := range []time.Time{time.Unix(1_000_000_000, 0), time.Now()} {
			dir := folder(t, []os.FileMode{0o644, 0o755}[i], at)
			out := filepath.Join(dir, "out")
			if err := errors.Join(os.Mkdir(out, 0o777), os.Chmod(out, 0o777)); err != nil {
				t.Fatal(err)
			}
			binary, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(binary)
			cmd.Env = append(os.Environ(), "RECIPE_TEST_BUILD="+dir, "RECIPE_TEST_OUT="+out, "RECIPE_TEST_COMPRESSION="+string(compression),
				[]string{"TZ=America/St_Johns", "TZ=Asia/Tokyo"}[i], []string{"GOMAXPROCS=1", "GOMAXPROCS=4"}[i], []string{"LANG=C", "LANG=de_DE.UTF-8"}[i])
			if i == 1 && os.Getuid() == 0 {
				asNobody(t, cmd, dir)
			}
			var problem bytes.Buffer
			cmd.Stderr = &problem
			path, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, problem.String())
			}
			data, err := os.ReadFile(string(path))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(data)
			sums[hex.EncodeToString(sum[:])] = string(path)
		}
		if len(sums) != 1 {
			t.Errorf("%s: two builds of one plan differ: %v", compression, sums)
		}
	}
}

// asNobody makes a command another user's, in a copy of the test binary that everybody may run.
func asNobody(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	binary := filepath.Join(dir, "builder")
	run(t, "cp", cmd.Path, binary) // by another process: what this one has open for writing, its children may have
	run(t, "chmod", "0755", binary)
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Path, cmd.Args = binary, []string{binary}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

func TestEpochIsTheOneThatIsAskedFor(t *testing.T) {
	epoch, err := Epoch("1700000000")
	if err != nil {
		t.Fatal(err)
	}
	var deb bytes.Buffer
	if err := Deb(&deb, Options{Plan: tour(), Dir: folder(t, 0o644, time.Now()), Epoch: epoch}); err != nil {
		t.Fatal(err)
	}
	if got := string(deb.Bytes()[8:36]); got != "debian-binary   1700000000  " {
		t.Errorf("the archive begins with %q", got)
	}
	for _, bad := range []string{"x", "-1", "1e9", "99999999999"} {
		if _, err := Epoch(bad); err == nil {
			t.Errorf("SOURCE_DATE_EPOCH=%s is taken", bad)
		}
	}
}

// TestDpkgReadsItBack compares what dpkg-deb finds with what went in.
func TestDpkgReadsItBack(t *testing.T) {
	t.Parallel()
	need(t, "dpkg-deb", "md5sum")
	dir := folder(t, 0o600, time.Now())
	for _, compression := range Compressions() {
		path, err := BuildFile(t.TempDir(), Options{Plan: tour(), Dir: dir, Arch: "arm64", Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(path); got != "foo_1.4.2-3_arm64.deb" {
			t.Errorf("the file's name is %s", got)
		}
		root := filepath.Join(t.TempDir(), "root")
		run(t, "dpkg-deb", "-R", path, root)
		for _, c := range tour().Package.Contents {
			want, err := os.ReadFile(filepath.Join(dir, c.Source))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(root, c.Path)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s holds other bytes, %v", compression, c.Path, err)
			}
		}
		check := exec.Command("md5sum", "--check", "--quiet", "--strict", "DEBIAN/md5sums")
		check.Dir = root
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("md5sums: %v\n%s", err, out)
		}
		if got, _ := os.ReadFile(filepath.Join(root, "DEBIAN/conffiles")); string(got) != "/etc/foo/foo.conf\n" {
			t.Errorf("conffiles: %q", got)
		}
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	need(t, "dpkg-deb")
	path := build(t, tour(), folder(t, 0o600, time.Now()))
	listing := run(t, "dpkg-deb", "-c", path)
	for _, want := range []string{
		"drwxr-xr-x root/root         0 1980-01-01 00:00 ./\n",
		"-rwxr-xr-x root/root   3200000 1980-01-01 00:00 ./usr/lib/foo/bin/food\n",
		"-rwsr-x--- root/root         1 1980-01-01 00:00 ./usr/lib/foo/it's secret\n",
		"-rw-r--r-- root/root        15 1980-01-01 00:00 ./etc/foo/foo.conf\n",
	} {
		if !strings.Contains(listing, want) {
			t.Errorf("no %q in the listing:\n%s", want, listing)
		}
	}
	for _, name := range []string{"/usr/sbin/run-foo", "/usr/sbin/run-foo-web", "/usr/lib/foo/check-foo", "/usr/lib/systemd/system/foo.service",
		"/usr/lib/systemd/system/foo-check.service", "/usr/lib/systemd/system/foo-web.service", "/usr/share/foo/plan.json",
		"/usr/share/doc/foo/copyright", "/usr/share/doc/foo/changelog.Debian.gz"} {
		if !strings.Contains(listing, " ."+name+"\n") {
			t.Errorf("no %s in the listing", name)
		}
	}
	if strings.Contains(listing, "foo-web-check") {
		t.Error("a service without probes has a check")
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	need(t, "dpkg-deb")
	p := tour()
	p.Package.Rollback = 2
	path := build(t, p, folder(t, 0o600, time.Now()))
	if got := run(t, "dpkg-deb", "-f", path, "Depends"); got != "ca-certificates, passwd (>= 1:4), curl\n" {
		t.Errorf("Depends: %q", got)
	}
	if got := run(t, "dpkg-deb", "-f", path, "Version"); got != "1.4.2-3+rb2\n" {
		t.Errorf("Version: %q", got)
	}
	want := "serves foo\n A first paragraph that is long enough to be broken into two lines, since\n nobody reads beyond the eightieth column.\n .\n  verbatim\n"
	if got := run(t, "dpkg-deb", "-f", path, "Description"); got != want {
		t.Errorf("Description: %q", got)
	}
	root := filepath.Join(t.TempDir(), "root")
	run(t, "dpkg-deb", "-x", path, root)
	if got, want := run(t, "dpkg-deb", "-f", path, "Installed-Size"), fmt.Sprintf("%d\n", installed(t, root)); got != want {
		t.Errorf("Installed-Size is %q, not %q", got, want)
	}
}

// installed counts as dpkg-gencontrol does.
func installed(t *testing.T, root string) (kib int64) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err == nil && d.Type().IsRegular() {
			kib += (info.Size() + 1023) / 1024
		} else {
			kib++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// TestRollbackSortsBetweenReleases: what goes back sorts above the version that it replaces and below the next release.
func TestRollbackSortsBetweenReleases(t *testing.T) {
	t.Parallel()
	need(t, "dpkg")
	version := func(release, rollback int) string {
		return (&plan.Package{Version: "1.4.2", Release: release, Rollback: rollback}).FullVersion()
	}
	order := []string{version(3, 0), version(3, 1), version(3, 2), version(3, 10), version(4, 0), version(10, 0)}
	for i := range order[1:] {
		run(t, "dpkg", "--compare-versions", order[i], "lt", order[i+1])
	}
}

// TestNoHalfPackage breaks builds. What stood under the name stays, and nothing else is left.
func TestNoHalfPackage(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"missing":   {func(path string) error { return nil }, "cannot pack dist/food: there is no such file in"},
		"link out":  {func(path string) error { return os.Symlink(outside, path) }, "cannot pack dist/food: path escapes"},
		"directory": {func(path string) error { return os.Mkdir(path, 0o755) }, "cannot pack dist/food: it is no regular file"},
		"pipe":      {func(path string) error { return syscall.Mkfifo(path, 0o644) }, "cannot pack dist/food: it is no regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, out := folder(t, 0o644, time.Now()), t.TempDir()
			food := filepath.Join(dir, "dist/food")
			if err := errors.Join(os.Remove(food), c.spoil(food)); err != nil {
				t.Fatal(err)
			}
			before := filepath.Join(out, "foo_1.4.2-3_amd64.deb")
			if err := os.WriteFile(before, []byte("the one of before"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := BuildFile(out, Options{Plan: tour(), Dir: dir, Arch: "amd64"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v; wanted %q", err, c.want)
			}
			if got, _ := os.ReadFile(before); string(got) != "the one of before" {
				t.Error("the package of before is gone")
			}
			left, err := os.ReadDir(out)
			if err != nil || len(left) != 1 {
				t.Errorf("left in the folder: %v, %v", left, err)
			}
		})
	}
}

// TestChangedWhileRead lets a source change between its size being taken and its bytes being read.
func TestChangedWhileRead(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"shorter": func(path string) error { return os.Truncate(path, 1) },
		"longer":  func(path string) error { return os.Truncate(path, 1<<20) },
		"other":   func(path string) error { return os.WriteFile(path, []byte("greeting jello\n"), 0o644) },
	} {
		dir := folder(t, 0o644, time.Unix(1_000_000_000, 0))
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		f, info, err := openSource(root, "foo.conf")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := change(filepath.Join(dir, "foo.conf")); err != nil {
			t.Fatal(err)
		}
		if err := copySource(&bytes.Buffer{}, f, info, "foo.conf"); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingStandsTwice(t *testing.T) {
	dir := folder(t, 0o644, time.Now())
	for path, want := range map[string]string{
		"/usr/sbin/run-foo":         `two files want to be /usr/sbin/run-foo`,
		"/usr/share/foo/plan.json":  `two files want to be /usr/share/foo/plan.json`,
		"/usr/lib/foo":              `/usr/lib/foo cannot be a file ("foo.conf" of the recipe)`,
		"/usr/lib/foo/check-foo/me": `/usr/lib/foo/check-foo cannot be a file (one that recipe makes)`,
	} {
		p := tour()
		p.Package.Contents = append(p.Package.Contents, plan.Content{Kind: plan.ContentFile, Source: "foo.conf", Path: path, Mode: 0o644})
		if err := Deb(&bytes.Buffer{}, Options{Plan: p, Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v; wanted %q", path, err, want)
		}
	}
}

// TestTreesDirectoriesAndLinks reads back what has no file of its own in the plan. Modes and times in the recipe's folder
// do not matter, but for whether a file can be executed.
func TestTreesDirectoriesAndLinks(t *testing.T) {
	t.Parallel()
	need(t, "dpkg-deb")
	dir := folder(t, 0o600, time.Now())
	for name, mode := range map[string]os.FileMode{"static/a b/it's é": 0o600, "static/run": 0o711, "static/x.map": 0o644, "more/y": 0o644} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "static/empty"), 0o700), os.Symlink("a b", filepath.Join(dir, "static/current"))); err != nil {
		t.Fatal(err)
	}
	p := tour()
	p.Package.Contents = append(p.Package.Contents,
		plan.Content{Kind: plan.ContentTree, Source: "static", Path: "/usr/share/foo/static", Exclude: []string{"*.map"}},
		plan.Content{Kind: plan.ContentTree, Source: "more", Path: "/usr/share/foo/static/a b/more", Mode: 0o640},
		plan.Content{Kind: plan.ContentDirectory, Path: "/usr/share/foo/static", Mode: 0o751},
		plan.Content{Kind: plan.ContentDirectory, Path: "/var/lib/foo", Mode: 0o750, Owner: "foo", Group: "foo"},
		plan.Content{Kind: plan.ContentSymlink, Path: "/usr/bin/food", Target: "/usr/lib/foo/bin/food"})
	if problems := p.Validate(); len(problems) != 1 || problems[0].Code != plan.CodeDuplicate {
		t.Errorf("a tree and a directory of one path: %v", problems)
	}
	p.Package.Contents[len(p.Package.Contents)-3].Path = "/usr/share/foo/static/empty"
	path := build(t, p, dir)
	listing := run(t, "dpkg-deb", "-c", path)
	for _, want := range []string{
		"drwxr-xr-x root/root         0 1980-01-01 00:00 ./usr/share/foo/static/\n",
		"drwxr-xr-x root/root         0 1980-01-01 00:00 ./usr/share/foo/static/a b/\n",
		"-rwxr-xr-x root/root         1 1980-01-01 00:00 ./usr/share/foo/static/run\n",
		"drwxr-x--x root/root         0 1980-01-01 00:00 ./usr/share/foo/static/empty/\n",
		"lrwxrwxrwx root/root         0 1980-01-01 00:00 ./usr/share/foo/static/current -> a b\n",
		"-rw-r----- root/root         1 1980-01-01 00:00 ./usr/share/foo/static/a b/more/y\n",
		"drwxr-x--- root/root         0 1980-01-01 00:00 ./var/lib/foo/\n",
		"lrwxrwxrwx root/root         0 1980-01-01 00:00 ./usr/bin/food -> /usr/lib/foo/bin/food\n",
	} {
		if !strings.Contains(listing, want) {
			t.Errorf("no %q in the listing:\n%s", want, listing)
		}
	}
	if strings.Contains(listing, "x.map") {
		t.Error("what is excluded is packed")
	}
	root := t.TempDir()
	run(t, "dpkg-deb", "-R", path, root)
	if got, err := os.ReadFile(filepath.Join(root, "usr/share/foo/static/a b/it's é")); string(got) != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if postinst, _ := os.ReadFile(filepath.Join(root, "DEBIAN/postinst")); !strings.Contains(string(postinst), "\nown /var/lib/foo foo:foo 0750\n") {
		t.Errorf("the directory is given to nobody:\n%s", postinst)
	}
	sums := exec.Command("md5sum", "--check", "--quiet", "--strict", "DEBIAN/md5sums")
	sums.Dir = root
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestProgramsFitTheLabel: a package of another architecture than its programs would install, and not start.
func TestProgramsFitTheLabel(t *testing.T) {
	dir := folder(t, 0o644, time.Now())
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dist", "program"), program, 0o644); err != nil {
		t.Fatal(err)
	}
	p := tour()
	p.Package.Contents = append(p.Package.Contents, plan.Content{Kind: plan.ContentFile, Source: "dist/program", Path: "/usr/lib/foo/program", Mode: 0o755})
	for _, arch := range []string{"mips64le", "all"} {
		if err := Deb(&bytes.Buffer{}, Options{Plan: p, Dir: dir, Arch: arch}); err == nil || !strings.Contains(err.Error(), "dist/program is a program for") {
			t.Errorf("%s: the error is %v", arch, err)
		}
	}
	if err := Deb(&bytes.Buffer{}, Options{Plan: p, Dir: dir}); err != nil {
		t.Errorf("for this machine: %v", err)
	}
}

func TestOptionsAreJudged(t *testing.T) {
	dir := folder(t, 0o644, time.Now())
	bare := tour()
	bare.Package = nil
	for want, o := range map[string]Options{
		"the recipe declares none":        {Plan: bare, Dir: dir},
		`there is no compression "brown"`: {Plan: tour(), Dir: dir, Compression: "brown"},
		`the architecture "a/../b"`:       {Plan: tour(), Dir: dir, Arch: "a/../b"},
		"cannot open the recipe's folder": {Plan: tour(), Dir: dir + "/none"},
	} {
		if err := Deb(&bytes.Buffer{}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v; wanted %q", err, want)
		}
	}
}

// TestPackageAlone: a recipe without services makes a package that neither starts nor stops anything.
func TestPackageAlone(t *testing.T) {
	need(t, "dpkg-deb")
	p := tour()
	p.Services, p.Tasks, p.Accounts = nil, nil, nil
	p.Package.Contents = slices.DeleteFunc(p.Package.Contents, func(c plan.Content) bool { return c.Group != "" })
	path := build(t, p, folder(t, 0o644, time.Now()))
	control := filepath.Join(t.TempDir(), "control")
	run(t, "dpkg-deb", "-e", path, control)
	files, err := os.ReadDir(control)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, f := range files {
		names = append(names, f.Name())
	}
	if got := strings.Join(names, " "); got != "conffiles control md5sums" {
		t.Errorf("the control files are %s", got)
	}
}

// TestBareHoldsItsContentsAlone, with doc and the plan, and needs nothing for services that it does not start.
func TestBareHoldsItsContentsAlone(t *testing.T) {
	need(t, "dpkg-deb")
	p := tour()
	p.Package.Style = plan.StyleBare
	path := build(t, p, folder(t, 0o644, time.Now()))
	for _, line := range strings.Split(run(t, "dpkg-deb", "-c", path), "\n") {
		for _, not := range []string{"run-foo", "check-foo", ".service", ".timer"} {
			if strings.Contains(line, not) {
				t.Errorf("it holds %s", line)
			}
		}
	}
	if depends := run(t, "dpkg-deb", "-f", path, "Depends"); strings.Contains(depends, "curl") {
		t.Errorf("it depends on %s", depends)
	}
}

// TestSupervisedHoldsOneUnit: recipe launches, asks and watches, so that neither launchers nor checks are there.
func TestSupervisedHoldsOneUnit(t *testing.T) {
	need(t, "dpkg-deb")
	p := tour()
	p.Package.Runtime = plan.RuntimeRecipe
	path := build(t, p, folder(t, 0o644, time.Now()))
	listing := run(t, "dpkg-deb", "-c", path)
	for _, not := range []string{"run-foo", "check-foo", "foo-web.service", ".timer"} {
		if strings.Contains(listing, not) {
			t.Errorf("it holds %s:\n%s", not, listing)
		}
	}
	if !strings.Contains(listing, unitDir+"foo.service") || !strings.Contains(listing, "/usr/share/foo/plan.json") {
		t.Errorf("there is no unit, or no plan:\n%s", listing)
	}
	if depends := run(t, "dpkg-deb", "-f", path, "Depends"); !strings.Contains(depends, ", recipe") || strings.Contains(depends, "curl") {
		t.Errorf("it depends on %s", depends)
	}
}
