package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/control"
)

// Recipes in a folder are deployed by rename and taken out by removal, and a mistake in one is the others' none.
func TestAFolderOfRecipes(t *testing.T) {
	t.Parallel()
	eachUser(t, func(t *testing.T, h *home) {
		sleeper := func(name string) string {
			return `service(name = "` + name + `", command = ["/bin/sleep", "infinity"])` + "\n"
		}
		h.write("recipes/one.star", sleeper("one"))
		h.give(h.uid)
		s := h.run("recipes")
		up := func(s control.Status) bool { return s.IsUp() }
		one := h.becomes("runs", "recipes", "one", up)
		h.replace("recipes/two.star", sleeper("two"))
		h.becomes("runs", "recipes", "two", up)
		h.replace("recipes/half.star", `service(name = "half"`)
		h.until("the mistake is said", func() bool { return strings.Contains(s.out.String(), "half.star:1:") }, s.out.String)
		if table := h.must("status"); !strings.Contains(table, filepath.Join("recipes", "two.star")) {
			t.Errorf("the files are not shown:\n%s", table)
		}
		if err := os.Remove(filepath.Join(h.dir, "recipes/two.star")); err != nil {
			t.Fatal(err)
		}
		h.until("two is gone", func() bool { _, found := h.status("recipes", "two"); return !found }, s.out.String)
		if now := h.becomes("runs", "recipes", "one", up); now.PID != one.PID {
			t.Errorf("process %d was followed by %d", one.PID, now.PID)
		}
		// A supervisor that becomes another program goes on with the folder.
		h.must("restart", "--supervisor")
		h.replace("recipes/three.star", sleeper("three"))
		h.becomes("runs", "recipes", "three", up)
		if err := os.Remove(filepath.Join(h.dir, "recipes/one.star")); err != nil {
			t.Fatal(err)
		}
		h.until("one is gone", func() bool { _, found := h.status("recipes", "one"); return !found }, s.out.String)
		if now, _ := h.status("recipes", "three"); now.File != filepath.Join(h.dir, "recipes/three.star") {
			t.Errorf("its file is %q", now.File)
		}
		s.interrupt()
		h.empty()
	})
}
