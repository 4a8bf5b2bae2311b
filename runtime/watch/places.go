package watch

import (
	"os"
	"path/filepath"
	"strings"
)

// place is something that decides what a path leads to: an entry of a directory, a directory on the way, whose entry is
// empty, or in the end the file, or the folder with all its entries.
type place struct {
	at, entry    string
	file, folder bool
}

// mask is what is to be told of the place.
func (p place) mask() uint32 {
	switch {
	case p.file:
		return ofFile
	case p.entry != "" || p.folder:
		return ofEntry
	}
	return ofWay
}

// maxLinks is where the kernel gives up too.
const maxLinks = 40

// places walks path as the kernel does and returns what it depends on: each directory on the way, each link and the
// directory that it lies in, and the file itself, or the folder where one is wanted, or the first entry that is missing.
func places(path string, folder bool) []place {
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
		here := place{at: dir, entry: entry}
		at := filepath.Join(dir, entry)
		info, err := os.Lstat(at)
		switch {
		case err != nil:
			return append(found, here)
		case len(rest) == 0 && info.Mode().IsRegular():
			return append(found, here, place{at: at, file: true})
		case len(rest) == 0 && folder && info.IsDir():
			return append(found, here, place{at: at, folder: true})
		case len(rest) == 0 && info.Mode()&os.ModeSymlink == 0:
			return append(found, here)
		case info.Mode()&os.ModeSymlink == 0:
			dir = at
			found = append(found, place{at: dir})
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
