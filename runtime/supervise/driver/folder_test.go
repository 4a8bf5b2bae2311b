package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"recipe/runtime/control"
	"recipe/runtime/plan"
)

// folderOf prepares a supervisor of a folder that holds recipes, by their names without .star.
func folderOf(t *testing.T, recipes map[string]*plan.Plan) (r *running, path string) {
	t.Helper()
	r = prepare(t, t.TempDir(), nil)
	path = filepath.Join(r.dir, "recipes")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	r.options.Recipes = []string{path}
	for name, p := range recipes {
		r.put(filepath.Join(path, name+".star"), p)
	}
	return r, path
}

// put makes a file what evaluates to that plan; nil is a mistake.
func (r *running) put(file string, p *plan.Plan) {
	r.t.Helper()
	r.mu.Lock()
	r.loads++
	text := fmt.Sprint("text ", r.loads)
	r.others[file] = p
	r.mu.Unlock()
	r.write(file, text)
}

func (r *running) move(from, to string) {
	r.t.Helper()
	r.mu.Lock()
	r.others[to] = r.others[from]
	r.mu.Unlock()
	if err := os.Rename(from, to); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) remove(files ...string) {
	r.t.Helper()
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *running) isGone(name string) {
	r.t.Helper()
	r.until(name+" is gone", func() bool { return r.status(name).Service == "" })
}

func TestRecipesOfAFolderComeAndGo(t *testing.T) {
	r, path := folderOf(t, nil)
	r.begin()
	r.until("it answers", func() bool {
		_, err := control.NewClient(control.SocketPath(r.options.RuntimeDir, "recipes")).Status(t.Context())
		return err == nil
	})
	file := func(name string) string { return filepath.Join(path, name) }
	for _, name := range []string{".x.star", "x_test.star", "x.star~", "x.star.new", ".#x.star"} { // what nobody means to run
		r.put(file(name), named("x", sleeper("x")))
	}
	r.put(file("a.star"), named("a", sleeper("a")))
	a := r.pidOf("a")
	if got := r.status("a").File; got != file("a.star") {
		t.Errorf("its file is %q", got)
	}
	// As a deployment does: beside it, then by rename.
	r.put(file("b.json.new"), named("b", sleeper("b")))
	r.move(file("b.json.new"), file("b.json"))
	b := r.pidOf("b")
	r.put(file("c.star"), nil)
	r.until("the mistake is said", func() bool { return r.count("c.star:1:1: this text is no recipe") > 0 })
	r.put(file("c.star"), named("c", sleeper("c")))
	r.pidOf("c")
	r.remove(file("b.json"))
	r.isGone("b")
	if !gone(b) {
		t.Error("a process of b is left")
	}
	if r.pidOf("a") != a || r.status("x").Service != "" {
		t.Errorf("others were touched: %+v", r.Status(t.Context()))
	}
	r.put(file("b.star"), named("b", sleeper("b")))
	r.pidOf("b")
}

// A recipe that is given another name keeps what runs, and its change is made as ever.
func TestARenamedRecipeKeepsWhatRuns(t *testing.T) {
	r, path := folderOf(t, map[string]*plan.Plan{"a": named("a", sleeper("one"), sleeper("two")), "b": named("b", sleeper("b"))})
	r.begin()
	one, two, b := r.pidOf("one"), r.pidOf("two"), r.pidOf("b")
	file := func(name string) string { return filepath.Join(path, name+".star") }
	r.move(file("a"), file("z"))
	r.until("the new name is known", func() bool { return r.status("one").File == file("z") })
	if r.pidOf("one") != one || r.pidOf("two") != two || r.pidOf("b") != b {
		t.Errorf("what ran was touched: %+v", r.Status(t.Context()))
	}
	r.put(file("z"), named("a", sleeper("one")))
	r.isGone("two")
	if r.pidOf("one") != one {
		t.Error("one was touched")
	}
	// One that is broken when it takes the new name takes nothing down.
	r.mu.Lock()
	r.others[file("y")] = nil
	r.mu.Unlock()
	if err := os.Rename(file("z"), file("y")); err != nil {
		t.Fatal(err)
	}
	r.until("the mistake is said", func() bool { return r.count("y.star:1:1: this text is no recipe") > 0 })
	if r.pidOf("one") != one {
		t.Error("one was touched by a mistake")
	}
	r.put(file("y"), named("other", sleeper("three")))
	r.pidOf("three")
	r.isGone("one")
}

func TestAFolderThatIsEmptiedAtOnceStopsNothing(t *testing.T) {
	r, path := folderOf(t, map[string]*plan.Plan{"a": named("a", sleeper("a")), "b": named("b", sleeper("b"))})
	r.begin()
	a, b := r.pidOf("a"), r.pidOf("b")
	file := func(name string) string { return filepath.Join(path, name+".star") }
	r.remove(file("a"), file("b"))
	r.until("it is said", func() bool {
		return r.count("all 2 recipes of "+path+" are gone at once: nothing is stopped for that") > 0
	})
	r.put(file("a"), named("a", sleeper("a")))
	r.isGone("b")
	if r.pidOf("a") != a {
		t.Error("a was touched")
	}
	if !gone(b) {
		t.Error("b is left")
	}
	// Away with all of it, as when it is unmounted, and back.
	r.move(path, path+".away")
	r.until("it is said", func() bool { return r.count(path+" is gone: nothing is stopped for that") > 0 })
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	r.until("it is said", func() bool { return r.count("is another folder than before, and has no recipes") > 0 })
	r.put(file("c"), named("c", sleeper("c")))
	r.pidOf("c")
	r.isGone("a")
	r.remove(file("c"))
	r.isGone("c")
}

// Of two that declare the same service the later is refused, until the first is gone.
func TestTheSameServiceInTwoRecipesOfAFolder(t *testing.T) {
	r, path := folderOf(t, map[string]*plan.Plan{"a": named("a", sleeper("s")), "b": named("b", sleeper("s"), sleeper("other"))})
	r.begin()
	file := func(name string) string { return filepath.Join(path, name+".star") }
	s := r.pidOf("s")
	r.until("the second is refused", func() bool { return r.count("cannot run "+file("b")+`: another of these recipes declares "s" too`) > 0 })
	r.put(file("c"), named("c", sleeper("s")))
	r.until("the third is refused", func() bool {
		return r.count("cannot use "+file("c")+": "+file("a")+` has the service "s" already`) > 0
	})
	if r.pidOf("s") != s || r.status("s").File != file("a") {
		t.Error("the first was touched")
	}
	r.remove(file("a"))
	r.until("another has it", func() bool { now := r.status("s"); return now.PID != 0 && now.PID != s && now.File != file("a") })
}
