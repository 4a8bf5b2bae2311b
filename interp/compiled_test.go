package interp

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// sharing is recipes with modules of every kind: of the library, loading each other, by two spellings, with functions that
// are called later, and with mistakes.
var sharing = map[string]string{
	"one.star": `load("lib/a.star", "command", "again", "deep")` + "\n" + `load("@std//probes.star", "http_ok")` + "\n" +
		`service(name = "one", command = command("/one"), probes = [http_ok(80), script(deep, every = "1m")], env = {"A": again})` + "\n",
	"two.star":     `load("lib/a.star", "command")` + "\n" + `service(name = "two", command = command(5), probes = [http(80)], env = {"A": unheard})` + "\n",
	"three.star":   `load("lib/a.star", "count")` + "\n" + "count([])\n",
	"lib/a.star":   "\ufeff" + `load("b.star", "flags", x = "limit")` + "\n" + `load("//lib/b.star", n = "name")` + "\n" + "again = n\ndef command(x):\n    return [x] + flags\ndef deep(probe):\n    return probe.http(\"GET\", \"/\").status < x\ndef count(l):\n    return l[x]\n",
	"lib/b.star":   `flags = ["-f" + s for s in ["a", "b"]]` + "\n" + `name, limit = "b", 400` + "\n",
	"faulty.star":  `load("lib/bad.star", "x", "y")` + "\n" + `service(name = "f", command = ["/x", x], probes = [http(80)])` + "\n",
	"lib/bad.star": "x = nowhere\n",
}

// TestKeptProgramsChangeNothing evaluates every recipe alone, and with what others left behind.
func TestKeptProgramsChangeNothing(t *testing.T) {
	t.Parallel()
	dir := write(t, sharing)
	said := func(name string, o Options) string {
		e := newEvaluation(filepath.Join(dir, name), o)
		e.files = &Folder{Path: dir}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p, list := e.evaluate(e.name, text)
		if p == nil {
			return list.String()
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return list.String() + string(data)
	}
	kept := &Compiled{}
	var all sync.WaitGroup
	for name := range sharing {
		if strings.Contains(name, "/") {
			continue
		}
		alone := said(name, Options{})
		for range 3 {
			all.Go(func() {
				if got := said(name, Options{Compiled: kept}); got != alone {
					t.Errorf("%s: with others\n%s\nalone\n%s", name, got, alone)
				}
			})
		}
	}
	all.Wait()
	if len(kept.programs) != 3 {
		t.Errorf("%d programs are kept, not those of two modules and of the library's", len(kept.programs))
	}
	before := said("one.star", Options{Compiled: kept})
	if err := os.WriteFile(filepath.Join(dir, "lib/b.star"), []byte(`flags, name, limit = [], "c", 400`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after := said("one.star", Options{Compiled: kept}); after == before || after != said("one.star", Options{}) {
		t.Errorf("a module has changed, and what comes of it has not:\n%s", after)
	}
}

// TestKeptProgramsCostTheirSteps holds that the budget does not depend on what was evaluated before.
func TestKeptProgramsCostTheirSteps(t *testing.T) {
	t.Parallel()
	dir := write(t, sharing)
	kept := &Compiled{}
	var steps []uint64
	for range 2 {
		e := newEvaluation(filepath.Join(dir, "one.star"), Options{Files: &Folder{Path: dir}, Compiled: kept})
		if p, list := e.evaluate(e.name, []byte(sharing["one.star"])); p == nil {
			t.Fatal(list)
		}
		steps = append(steps, e.thread.Steps)
	}
	if steps[0] != steps[1] || steps[0] == 0 {
		t.Errorf("they took %d steps", steps)
	}
}

func TestFewProgramsAreKept(t *testing.T) {
	t.Parallel()
	kept := &Compiled{}
	for i := range 5 {
		kept.keep(compiling{"x.star", strings.Repeat(string(rune('a'+i)), mostCompiled/2)}, compiled{})
		if len(kept.programs) > 2 || kept.size > mostCompiled {
			t.Errorf("%d programs are kept, of %d bytes", len(kept.programs), kept.size)
		}
	}
}
