package interp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestLinesAreCounted marks every line with how often it is reached; lines without a mark begin no statement.
func TestLinesAreCounted(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"recipe.star": `"""Docstrings are no statements."""
load("lib.star", "twice")                     #1

# neither are comments
def called(n):                                #1
    """Nor these."""
    if n > 1:                                 #3
        return "many"                         #1
    elif n == 1:                              #2
        return "one"                          #1
        print("unreachable")                  #0
    else:
        for i in range(5):                    #1
            pass                              #5
    return (                                  #1
        "none"
    )

def never():                                  #1
    x = [                                     #0
        1,
    ]
    return lambda: x                          #0

for i in range(3):                            #1
    called(i); twice(i)                       #6
service(                                      #1
    name = "foo",
    command = ["/usr/bin/foo"],
    probes = [http(8080)],
)
`,
		"lib.star": `def twice(n):                             #1
    return n * 2                              #3
def once():                                   #1
    return 1                                  #0
`,
	}
	dir := write(t, files)
	c := &Coverage{}
	if _, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{Coverage: c}); len(list) > 0 {
		t.Fatal(list)
	}
	got := map[string][]LineCoverage{}
	for _, f := range c.Files() {
		got[strings.TrimPrefix(f.File, dir+"/")] = f.Lines
	}
	want := map[string][]LineCoverage{}
	for name, text := range files {
		for i, line := range strings.Split(text, "\n") {
			if _, mark, ok := strings.Cut(line, " #"); ok && mark[0] != ' ' {
				var l LineCoverage
				if n, _ := fmt.Sscan(mark, &l.Count); n == 1 {
					l.Line = i + 1
					want[name] = append(want[name], l)
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCountingChangesNothing: neither the plan, nor what a recipe is told, nor the steps that it takes.
func TestCountingChangesNothing(t *testing.T) {
	t.Parallel()
	for _, path := range append(mistakes(t), "testdata/foo.star") {
		dir := ""
		if strings.HasSuffix(path, ".txtar") {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir, path = unpacked(t, archive), "recipe.star"
		}
		path = filepath.Join(dir, path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		told := func(o Options) (string, string) {
			p, list := EvaluateBytes(path, text, o)
			if p == nil {
				return list.String(), ""
			}
			data, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			return list.String(), string(data)
		}
		list, plan := told(Options{})
		counted, countedPlan := told(Options{Coverage: &Coverage{}})
		if list != counted || plan != countedPlan {
			t.Errorf("%s: counted\n%s\nelse\n%s", path, counted, list)
		}
	}
	src := []byte("def f():\n    n = 0\n    for i in range(100):\n        if i % 2:\n            n += i\n        else:\n            n -= i\n    return n\nf()\n" + small)
	steps := func(c *Coverage) uint64 {
		s := NewScript("x.star", src, Options{Coverage: c, Files: &Folder{}})
		s.src.script = false // so that it is counted
		s.Run()
		return s.Steps()
	}
	if with, without := steps(&Coverage{}), steps(nil); with != without {
		t.Errorf("%d steps with counting, %d without", with, without)
	}
}

// BenchmarkCoverage is the tour, counted and not, and a loop of nothing but statements, which counting costs the most.
func BenchmarkCoverage(b *testing.B) {
	loop := []byte("def f():\n    n = 0\n    for i in range(100000):\n        n = n + i\n        n = n - i\n    return n\nf()\n" + small)
	tour, err := os.ReadFile("testdata/foo.star")
	if err != nil {
		b.Fatal(err)
	}
	for name, src := range map[string][]byte{"tour": tour, "loop": loop} {
		for _, count := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/%v", name, count), func(b *testing.B) {
				for b.Loop() {
					o := Options{}
					if count {
						o.Coverage = &Coverage{}
					}
					if p, list := EvaluateBytes("testdata/foo.star", src, o); p == nil {
						b.Fatal(list)
					}
				}
			})
		}
	}
}
