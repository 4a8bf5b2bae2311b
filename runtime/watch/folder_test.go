package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A folder's names are told, and nothing of what the entries hold.
func TestNamesOfAFolder(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		folder := filepath.Dir(path)
		write(t, path, "one")
		write(t, filepath.Join(folder, ".hidden"), "")
		now, err := w.AddFolder(folder)
		if err != nil || string(now.Content) != "foo.star\n" || now.Folder == "" {
			t.Fatalf("it holds %q, %v", now.Content, err)
		}
		write(t, path, "two")
		write(t, filepath.Join(folder, "bar.star"), "")
		expect(t, w, folder, "bar.star\nfoo.star\n")
		rename(t, path, filepath.Join(folder, "a.star"))
		expect(t, w, folder, "a.star\nbar.star\n")
		if err := os.Remove(filepath.Join(folder, "bar.star")); err != nil {
			t.Fatal(err)
		}
		expect(t, w, folder, "a.star\n")
	})
}

// Another folder that holds the same is another.
func TestFolderThatIsSwapped(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		at := filepath.Dir(path)
		for _, name := range []string{"v1", "v2"} {
			if err := os.Mkdir(filepath.Join(at, name), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(at, name, "foo.star"), "")
		}
		link := filepath.Join(at, "current")
		if err := os.Symlink("v1", link); err != nil {
			t.Fatal(err)
		}
		first, err := w.AddFolder(link)
		if err != nil || string(first.Content) != "foo.star\n" {
			t.Fatalf("it holds %q, %v", first.Content, err)
		}
		if err := os.Symlink("v2", link+".new"); err != nil {
			t.Fatal(err)
		}
		rename(t, link+".new", link)
		second := expect(t, w, link, "foo.star\n")
		if second.Folder == first.Folder {
			t.Errorf("both are %q", first.Folder)
		}
		if err := os.RemoveAll(filepath.Join(at, "v2")); err != nil {
			t.Fatal(err)
		}
		expect(t, w, link, absent)
	})
}

func TestFileInAFoldersPlace(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		write(t, path, "")
		if now, err := w.AddFolder(path); err != nil || now.Err == nil && now.Exists {
			t.Errorf("a file holds %q, %v, %v", now.Content, now.Err, err)
		}
	})
}

// A file that is watched itself leaves its folder: both are told, in either order.
func TestAWatchedFileLeavesItsFolder(t *testing.T) {
	each(t, func(t *testing.T, w *Watcher, path string) {
		folder := filepath.Dir(path)
		write(t, path, "one")
		add(t, w, path, "one")
		if _, err := w.AddFolder(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		told := map[string]string{}
		for range 2 {
			select {
			case e := <-w.Events():
				told[e.Path] = string(e.Content)
			case <-time.After(10 * time.Second):
			}
		}
		if names, ok := told[folder]; !ok || names != "" {
			t.Errorf("told: %q", told)
		}
	})
}
