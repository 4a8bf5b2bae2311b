package process

import (
	"strings"
	"testing"
)

func TestCgroupFolder(t *testing.T) {
	const (
		unified = "38 31 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
		part    = `41 31 0:38 /docker/c0 /sys/fs/my\040cgroup rw,relatime shared:3 - cgroup2 cgroup2 rw,nsdelegate` + "\n"
		version = "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
	)
	for _, test := range []struct{ name, mounts, membership, want, problem string }{
		{"root", version + unified, "2:cpu:/x\n0::/\n", "/sys/fs/cgroup/unified", ""},
		{"below", unified, "0::/system.slice/recipe.service\n", "/sys/fs/cgroup/unified/system.slice/recipe.service", ""},
		{"colon in a name", unified, "0::/a:b\n", "/sys/fs/cgroup/unified/a:b", ""},
		{"a part is mounted", part, "0::/docker/c0/own\n", "/sys/fs/my cgroup/own", ""},
		{"another part is mounted", part, "0::/docker/c00\n", "", "outside"},
		{"the second mount shows it", part + unified, "0::/x\n", "/sys/fs/cgroup/unified/x", ""},
		{"outside of the namespace", unified, "0::/../x\n", "/sys/fs/cgroup/unified/../x", "outside"},
		{"version 1 alone", version, "2:devices:/\n", "", "in no cgroup2"},
		{"not mounted", version, "0::/\n", "", "no cgroup2 is mounted"},
		{"nothing", "", "", "", "in no cgroup2"},
	} {
		got, err := cgroupFolder(test.mounts, test.membership)
		switch {
		case test.problem == "" && (err != nil || got != test.want):
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%s: got %q, %v, want an error with %q", test.name, got, err, test.problem)
		}
	}
}

func TestParseStat(t *testing.T) {
	const rest = " S 1 42 43 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9911 1 1 1\n"
	want := proc{pid: 42, parent: 1, group: 42, session: 43, state: 'S', threads: 1, started: 9911}
	for _, name := range []string{"food", "a b", ") R 1 1 1", "", "\n"} {
		if got, ok := parseStat([]byte("42 (" + name + ")" + rest)); !ok || got != want {
			t.Errorf("%q: got %+v, %t", name, got, ok)
		}
	}
}

func TestParseLock(t *testing.T) {
	pid, device, number, ok := parseLock("12: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF\n")
	if !ok || pid != 1234 || device != "fe:00" || number != 5678 {
		t.Errorf("got %d %s %d %t", pid, device, number, ok)
	}
	for _, line := range []string{
		"", "1: POSIX  ADVISORY  WRITE 1 fe:00:5 0 EOF", "1: -> FLOCK  ADVISORY  WRITE 1 fe:00:5 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 0 fe:00:5 0 EOF", "1: FLOCK  ADVISORY  WRITE 7 fe:00 0 EOF",
	} {
		if pid, _, number, ok := parseLock(line); ok && number == 5 {
			t.Errorf("%q names %d as holder", line, pid)
		}
	}
}

// A note that cannot be trusted must never point at a cgroup.
func TestParseNote(t *testing.T) {
	for text, want := range map[string]string{
		"cgroup /sys/fs/cgroup/recipe-foo-00ff": "/sys/fs/cgroup/recipe-foo-00ff",
		"scan":                                  "",
		"":                                      "",
		"cgroup /sys/fs/cgroup/system.slice":    "",
		"cgroup /sys/fs/cgroup/recipe-bar-00ff": "",
		"cgroup recipe-foo-00ff":                "",
		"cgroup /sys/fs/cgroup/../recipe-foo-00ff": "",
		"cgroup /a/recipe-foo-1\n/b/recipe-foo-2":  "",
	} {
		if got := parseNote(text, "foo"); got.leaf != want {
			t.Errorf("%q: got %q, want %q", text, got.leaf, want)
		}
	}
}

func FuzzParsers(f *testing.F) {
	f.Add("42 (food) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9911 1")
	f.Add("12: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF")
	f.Add("cgroup /sys/fs/cgroup/recipe-foo-00ff")
	f.Add(`1 2 0:3 / /a\04 rw - cgroup2 x rw`)
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := parseStat([]byte(text)); ok && p.state == 0 {
			t.Errorf("a process without a state from %q", text)
		}
		if pid, _, _, ok := parseLock(text); ok && pid <= 0 {
			t.Errorf("holder %d from %q", pid, text)
		}
		if n := parseNote(text, "foo"); n.leaf != "" && !strings.HasPrefix(n.leaf, "/") {
			t.Errorf("leaf %q from %q", n.leaf, text)
		}
		if path, err := cgroupFolder(text, "0::/x\n"); err == nil && strings.HasPrefix(path, "..") {
			t.Errorf("cgroup %q from %q", path, text)
		}
	})
}
