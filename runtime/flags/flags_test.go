package flags

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func testPlan() *plan.Plan {
	two, most := int64(2), int64(64)
	return &plan.Plan{Name: "foo", Flags: []plan.Flag{
		{Name: "port", Type: plan.FlagPort, Default: expr.IntOf(8080)},
		{Name: "workers", Type: plan.FlagInt, Min: &two, Max: &most, Default: expr.Call(expr.OpMul, expr.HostOf("cpus"), expr.IntOf(2))},
		{Name: "spare", Type: plan.FlagInt, Default: expr.Call(expr.OpSub, expr.FlagOf("workers"), expr.IntOf(1))},
		{Name: "log-level", Type: plan.FlagEnum, Values: []string{"debug", "info"}, Default: expr.TextOf("info")},
		{Name: "title", Type: plan.FlagString, Default: expr.Fmt("{}:{}", expr.HostOf("name"), expr.FlagOf("port"))},
		{Name: "data", Type: plan.FlagPath, Default: expr.PathOf("/var/lib/foo")},
		{Name: "copy", Type: plan.FlagPath, Default: expr.FlagOf("data")},
		{Name: "wait", Type: plan.FlagDuration, Default: expr.DurationOf(10_000)},
	}}
}

var testFacts = expr.Facts{CPUs: 4, Memory: 1 << 30, Name: "node", Arch: "x86_64"}

// rootWith is a root with a flags file, or without one.
func rootWith(t *testing.T, file string) string {
	t.Helper()
	root := t.TempDir()
	if file == "" {
		return root
	}
	path := filepath.Join(root, testPlan().FlagsPath())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestPrecedence: --set over the file over the default; origins say which it was.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		sets       []string
		values     map[string]string
		origins    map[string]string
	}{
		{name: "defaults, computed in order",
			values:  map[string]string{"port": "8080", "workers": "8", "spare": "7", "log-level": "info", "title": "node:8080", "data": "ROOT/var/lib/foo", "copy": "ROOT/var/lib/foo", "wait": "10s"},
			origins: map[string]string{"port": "default", "workers": "default", "spare": "default", "log-level": "default", "title": "default", "data": "default", "copy": "default", "wait": "default"}},
		{name: "a file", file: "# ours\n\n \t\nport=1\ntitle= a=b \\ 'x' \nworkers=64\ndata=/srv\nlog-level=debug",
			values:  map[string]string{"port": "1", "workers": "64", "spare": "63", "log-level": "debug", "title": " a=b \\ 'x' ", "data": "ROOT/srv", "copy": "ROOT/srv", "wait": "10s"},
			origins: map[string]string{"port": "FILE:4", "title": "FILE:5", "workers": "FILE:6", "data": "FILE:7", "log-level": "FILE:8", "spare": "default", "copy": "default", "wait": "default"}},
		{name: "--set, the last of them", file: "port=1\nwait=1m\n", sets: []string{"port=2", "port=3", "title=", "data=/"},
			values:  map[string]string{"port": "3", "workers": "8", "spare": "7", "log-level": "info", "title": "", "data": "ROOT", "copy": "ROOT", "wait": "1m"},
			origins: map[string]string{"port": "--set", "wait": "FILE:2", "title": "--set", "data": "--set", "workers": "default", "spare": "default", "log-level": "default", "copy": "default"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := rootWith(t, test.file)
			r, err := Resolve(testPlan(), root, test.sets, testFacts)
			if err != nil {
				t.Fatal(err)
			}
			values, origins := map[string]string{}, map[string]string{}
			for name, v := range r.Env.Flags {
				values[name] = strings.ReplaceAll(v.String(), root, "ROOT")
			}
			for name, origin := range r.Origin {
				origins[name] = strings.ReplaceAll(origin, root+"/etc/foo/flags", "FILE")
			}
			if diff := cmp.Diff(test.values, values); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.origins, origins); diff != "" {
				t.Error(diff)
			}
			if r.Env.Root != root || r.Env.Facts != testFacts {
				t.Errorf("root %q, facts %v", r.Env.Root, r.Env.Facts)
			}
		})
	}
}

// TestProblems are told all at once, with file, line and flag, before any default is looked at.
func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		sets       []string
		want       []string
	}{
		{name: "every kind", file: "prot=1\nport=0\nport=2\n workers=3\nnothing\nx=\x00\nwait=1s\r\n\xff\nlog-level=warn\nport\u00a0=1\n", sets: []string{"workers=65", "prot=1", "port"}, want: []string{
			`FILE:1: flag "prot": no such flag; there are: port, workers, spare, log-level, title, data, copy, wait (did you mean "port"?)`,
			`FILE:2: flag "port": 0 is out of range: 1 to 65535`,
			`FILE:3: flag "port": is set already, in line 2`,
			`FILE:4: white space before the name: write name=value from the start of the line`,
			`FILE:5: no '=': write name=value`,
			`FILE:6: a NUL byte`,
			`FILE:7: a carriage return at the end: write the file with Unix line ends`,
			`FILE:8: bytes that are not UTF-8`,
			`FILE:9: flag "log-level": "warn" is not one of: debug, info`,
			`FILE:10: flag "port\u00a0": no such flag; there are: port, workers, spare, log-level, title, data, copy, wait (did you mean "port"?)`,
			`--set: flag "workers": 65 is out of range: 2 to 64`,
			`--set: flag "prot": no such flag; there are: port, workers, spare, log-level, title, data, copy, wait (did you mean "port"?)`,
			`--set: no '=' in "port": write --set name=value`,
		}},
		{name: "--set does not hide the file's", file: "port=x\n", sets: []string{"port=1"}, want: []string{`FILE:1: flag "port": "x" is not a whole number of 64 bits`}},
		{name: "a string of two lines", sets: []string{"title=a\nb"}, want: []string{`--set: flag "title": it is not one line of text`}},
		{name: "large", file: strings.Repeat("#\n", MaxFile/2) + "#", want: []string{"FILE: is larger than 1MiB"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := rootWith(t, test.file)
			_, err := Resolve(testPlan(), root, test.sets, testFacts)
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), root+"/etc/foo/flags", "FILE"), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDefaultsMustBeAccepted: a host on which a default makes no sense is told what to set, and where.
func TestDefaultsMustBeAccepted(t *testing.T) {
	t.Parallel()
	root := rootWith(t, "")
	facts := testFacts
	facts.CPUs = 100
	_, err := Resolve(testPlan(), root, nil, facts)
	if want := `flag "workers": the default cannot be used: 200 is out of range: 2 to 64: set it in ` + root + "/etc/foo/flags"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if _, err := Resolve(testPlan(), root, []string{"workers=64"}, facts); err != nil {
		t.Errorf("a default that is not needed: %v", err)
	}
}

// TestOddFiles are refused, and a pipe does not hold the launcher up.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o644) },
	} {
		root := rootWith(t, "#")
		path := filepath.Join(root, "etc/foo/flags")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Resolve(testPlan(), root, nil, testFacts); err == nil || err.Error() != path+": is not a regular file" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fuzzPlan has a flag of each rule besides.
func fuzzPlan() *plan.Plan {
	p := testPlan()
	p.Flags = append(p.Flags,
		plan.Flag{Name: "hosts", Type: plan.FlagList, Pattern: "[a-z ]+", Default: expr.ListOf()},
		plan.Flag{Name: "tag", Type: plan.FlagString, Pattern: "[a-z]*(-[0-9]+)?", Deprecated: "it has no effect", Default: expr.TextOf("")},
		plan.Flag{Name: "password", Type: plan.FlagString, Secret: true, RenamedFrom: []string{"pass"}})
	return p
}

// FuzzParse: every line is a setting, a problem, a comment or blank; what is accepted means itself when written again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "port=1\n", "# x\nport=1\nport=2\n", " port=1", "port", "=", "title=\x00", "title=\r\n", "\xff\xfe", "data=/\n", "wait=1d\n\n", "log-level=debug", "hosts=a,b c\nhosts=,", "tag=a-1", "pass=@/a\npassword=hunter2", "password=@/../x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := fuzzPlan()
		settings, problems := Parse(p, "F", data)
		if lines := strings.Count(string(data), "\n") + 1; len(settings)+len(problems) > lines {
			t.Fatalf("%d settings and %d problems in %d lines", len(settings), len(problems), lines)
		}
		var again strings.Builder
		seen := map[string]bool{}
		for _, s := range settings {
			if p.Flag(s.Name) == nil || seen[s.Name] {
				t.Fatalf("%q is unknown, or set twice", s.Name)
			}
			seen[s.Name] = true
			sign := ""
			if p.Flag(s.Name).Secret {
				sign = "@"
			}
			again.WriteString(s.Name + "=" + sign + s.Value.String() + "\n")
		}
		for _, problem := range problems {
			if text := problem.Error(); !strings.HasPrefix(text, "F:") || strings.ContainsAny(text, "\n\r\x00") {
				t.Fatalf("%q", text)
			}
		}
		twice, problems := Parse(p, "F", []byte(again.String()))
		if len(problems) > 0 || len(twice) != len(settings) {
			t.Fatalf("%q: %v", again.String(), problems)
		}
		for i := range twice {
			if twice[i].Value != settings[i].Value {
				t.Fatalf("%v and %v", settings[i], twice[i])
			}
		}
	})
}
