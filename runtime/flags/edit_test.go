package flags

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func editable() *plan.Plan {
	low, high := int64(1), int64(9)
	return &plan.Plan{Format: plan.Format, Name: "foo", Flags: []plan.Flag{
		{Name: "size", Type: plan.FlagInt, Min: &low, Max: &high, Default: expr.IntOf(3), RenamedFrom: []string{"width"}},
		{Name: "level", Type: plan.FlagEnum, Values: []string{"info", "debug"}, Default: expr.TextOf("info")},
		{Name: "text", Type: plan.FlagString, Default: expr.TextOf("")},
		{Name: "password", Type: plan.FlagString, Secret: true},
	}}
}

func TestEditKeepsWhatItIsNotAskedFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, before, set, unset, after string }{
		{"a new file", "", "size=4", "", "size=4\n"},
		{"in its place", "# sizes\nsize=3\n\n# levels\nlevel=debug\n", "size=4", "", "# sizes\nsize=4\n\n# levels\nlevel=debug\n"},
		{"at the end", "level=debug\n", "size=4", "", "level=debug\nsize=4\n"},
		{"behind an unfinished line", "level=debug", "size=4", "", "level=debug\nsize=4\n"},
		{"what is unknown stays", "nonsense\nother=1\n size=5\nsize=3\n", "size=4", "", "nonsense\nother=1\n size=5\nsize=4\n"},
		{"a comment is none", "#size=3\n", "size=4", "", "#size=3\nsize=4\n"},
		{"an old name", "width=3\n", "size=4", "", "size=4\n"},
		{"by an old name", "size=3\n", "width=4", "", "size=4\n"},
		{"twice", "size=3\nlevel=info\nsize=5\n", "size=4", "", "size=4\nlevel=info\n"},
		{"to the default", "# why\nsize=3\nlevel=debug\n", "size=", "level", "# why\n"},
		{"to the default that it has", "level=debug\n", "size=", "", "level=debug\n"},
		{"the same", "size=4\n", "size=4", "", "size=4\n"},
		{"two", "", "size=4 text=a=b#c", "", "size=4\ntext=a=b#c\n"},
		{"a secret's file", "", "password=@/etc/foo/password", "", "password=@/etc/foo/password\n"},
	} {
		got, _, err := edit(editable(), []byte(test.before), strings.Fields(test.set), strings.Fields(test.unset))
		if err != nil || string(got) != test.after {
			t.Errorf("%s: got %q, %v; want %q", test.name, got, err, test.after)
		}
	}
}

func TestChangeRefusesWhatTheFlagDoesNotTake(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	file := filepath.Join(root, "etc/foo/flags")
	write(t, file, "size=3\n")
	for _, test := range []struct {
		set, unset, want string
	}{
		{set: "size=99", want: `flag "size": 99 is out of range: 1 to 9`},
		{set: "sise=4", want: `did you mean "size"?`},
		{set: "size", want: `no '=' in "size"`},
		{set: "text=a\nsize=1", want: "a control character"},
		{set: "text=\x1b", want: "a control character"},
		{set: "size=4|width=5", want: `flag "width": it is given twice`},
		{set: "size=4", unset: "size", want: "given twice"},
		{unset: "nothing", want: "no such flag"},
		{set: "password=hunter2", want: "it is a secret"},
		{set: "size=4|level=loud", want: `flag "level"`}, // one bad value, and none is set
	} {
		set := slices.DeleteFunc(strings.Split(test.set, "|"), func(s string) bool { return s == "" })
		_, _, err := Change(editable(), root, nil, expr.Facts{}, set, strings.Fields(test.unset))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want %q", test.set, err, test.want)
		}
	}
	if data, _ := os.ReadFile(file); string(data) != "size=3\n" {
		t.Errorf("the file holds %q", data)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestChangeReplacesTheFileWhole(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	change := func(set ...string) error {
		_, _, err := Change(editable(), root, nil, expr.Facts{}, set, nil)
		return err
	}
	file := filepath.Join(root, "etc/foo/flags")
	if err := change("size=4"); err != nil { // where there is no root either
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o604); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 1234, 2345); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := os.Stat(file)
	if err := change("size=5"); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(file)
	if after.Mode() != before.Mode() || owner(after) != owner(before) || os.SameFile(before, after) {
		t.Errorf("before %v %v, after %v %v", before.Mode(), owner(before), after.Mode(), owner(after))
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("left in the folder: %v", names)
	}

	// A link is somebody's arrangement, and one that leads out of the root is an attack.
	elsewhere := filepath.Join(t.TempDir(), "flags")
	write(t, elsewhere, "size=3\n")
	os.Remove(file)
	if err := os.Symlink(elsewhere, file); err != nil {
		t.Fatal(err)
	}
	if err := change("size=6"); err == nil || !strings.Contains(err.Error(), "it is a link or no file") {
		t.Errorf("got %v", err)
	}
	os.RemoveAll(filepath.Join(root, "etc"))
	if err := os.Symlink(filepath.Dir(elsewhere), filepath.Join(root, "etc")); err != nil {
		t.Fatal(err)
	}
	if err := change("size=6"); err == nil {
		t.Error("a link out of the root was followed")
	}
	if data, _ := os.ReadFile(elsewhere); string(data) != "size=3\n" {
		t.Errorf("the file elsewhere holds %q", data)
	}
}

// Of several who change the file at once none undoes what another was told to have done.
func TestChangesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	file := filepath.Join(root, "etc/foo/flags")
	write(t, file, "# kept\n")
	p := &plan.Plan{Format: plan.Format, Name: "foo"}
	for i := range 16 {
		p.Flags = append(p.Flags, plan.Flag{Name: fmt.Sprint("flag", i), Type: plan.FlagInt, Default: expr.IntOf(0)})
	}
	var all sync.WaitGroup
	for i := range p.Flags {
		all.Go(func() {
			for {
				_, _, err := Change(p, root, nil, expr.Facts{}, []string{p.Flags[i].Name + "=1"}, nil)
				if err == nil {
					return
				}
				if !strings.Contains(err.Error(), "try again") {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	data, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(data), "# kept\n") || strings.Count(string(data), "=1\n") != len(p.Flags) {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("left in the folder: %v", names)
	}
}

// A file with mistakes of its own can be mended line by line; a sound one cannot be broken by what hangs together.
func TestChangeKeepsASoundFileSound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := editable()
	p.Flags = append(p.Flags, plan.Flag{Name: "half", Type: plan.FlagInt, Max: p.Flags[0].Min, Default: expr.FlagOf("size")})
	file := filepath.Join(root, "etc/foo/flags")
	write(t, file, "size=1\n")
	if _, _, err := Change(p, root, nil, expr.Facts{}, []string{"size=2"}, nil); err == nil || !strings.Contains(err.Error(), `flag "half"`) {
		t.Errorf("got %v", err)
	}
	write(t, file, "size=99\nlevel=loud\n")
	if _, _, err := Change(p, root, nil, expr.Facts{}, []string{"size=1"}, nil); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(file); string(data) != "size=1\nlevel=loud\n" {
		t.Errorf("the file holds %q", data)
	}
}

// What is set is what is read, and nothing else changes, whatever the file held.
func FuzzEdit(f *testing.F) {
	f.Add("# a\nsize=3\nwidth=4\n\xff\n", "7")
	f.Add("size", "a b")
	f.Add("\n\n", "#")
	p := editable()
	f.Fuzz(func(t *testing.T, data, text string) {
		got, _, err := edit(p, []byte(data), []string{"text=" + text}, nil)
		if err != nil || text == "" {
			return
		}
		settings, _ := Parse(p, "flags", got)
		if i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == "text" }); i < 0 || settings[i].Value.Text != text {
			t.Fatalf("%q and %q give %q, with the settings %+v", data, text, got, settings)
		}
		again, _, err := edit(p, got, []string{"text=" + text}, nil)
		if err != nil || string(again) != string(got) {
			t.Fatalf("twice: %q, then %q", got, again)
		}
		before, _ := Parse(p, "flags", []byte(data))
		for _, b := range before {
			if b.Name != "text" && !slices.ContainsFunc(settings, func(s Setting) bool { return s.Name == b.Name && s.Value == b.Value }) {
				t.Fatalf("%q: %s was lost in %q", data, b.Name, got)
			}
		}
	})
}

func owner(info os.FileInfo) [2]uint32 {
	s := info.Sys().(*syscall.Stat_t)
	return [2]uint32{s.Uid, s.Gid}
}
