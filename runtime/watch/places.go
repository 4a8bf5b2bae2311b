package watch

import (
	"os"
	"path/filepath"
	"strings"
)

// place is an entry of a directory that decides what a path leads to.
type place struct{ dir, entry string }

// maxLinks is where the kernel gives up too.
const maxLinks = 40

// places walks path as the kernel does and returns the entries that it depends on and that change by rename: each link
// on the way, the file itself, or the first entry that is missing. A plain directory on the way is not among them: one
// that is removed says so itself, and one that is moved is found by the next look.
func places(path string) []place {
	var found []place
	links := 0
	dir, rest := "/", strings.Split(strings.Trim(path, "/"), "/")
	for len(rest) > 0 {
		entry := rest[0]
		rest = rest[1:]
		switch entry {
		case "", ".":
			continue
		case "..":
			dir = filepath.Dir(dir)
			continue
		}
		here := place{dir, entry}
		at := filepath.Join(dir, entry)
		info, err := os.Lstat(at)
		switch {
		case err != nil || len(rest) == 0 && info.Mode()&os.ModeSymlink == 0:
			return append(found, here)
		case info.Mode()&os.ModeSymlink == 0:
			dir = at
			continue
		}
		found = append(found, here)
		target, err := os.Readlink(at)
		if links++; err != nil || links > maxLinks {
			return found
		}
		if filepath.IsAbs(target) {
			dir = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return found
}
