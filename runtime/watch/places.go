package watch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// place is what decides where a path leads: a directory or link on the way, and in the end the file or folder, or the first
// that is missing.
type place struct {
	at    string
	thing thing
	watch bool // it is watched
	must  bool // as nothing else tells of it
}

// thing is what is at a place; zero for nothing.
type thing struct{ dev, ino uint64 }

// maxLinks is where the kernel gives up too.
const maxLinks = 40

// places walks path as the kernel does. What is there is watched itself: it tells when it is written, moved, removed or
// replaced. Of a link, or what is missing, the directory tells. Directories on the way are watched for their own moves, but
// for those directly below /: /tmp and its like are busy, and nobody moves them.
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
		here, mode := placeAt(filepath.Join(dir, entry))
		switch {
		case len(rest) > 0 && mode.IsDir():
			here.watch = dir != "/"
			found = append(found, here)
			dir = here.at
			continue
		case here.thing != thing{} && mode.IsRegular(), folder && mode.IsDir():
			here.watch, here.must = true, true
			return append(found, here, place{at: within(here.at)})
		}
		parent, _ := placeAt(dir)
		parent.watch, parent.must = true, true
		found = append(found, here, parent)
		if mode&os.ModeSymlink == 0 {
			return found
		}
		target, err := os.Readlink(here.at)
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

func placeAt(path string) (place, os.FileMode) {
	info, err := os.Lstat(path)
	if err != nil {
		return place{at: path}, 0
	}
	st := info.Sys().(*syscall.Stat_t)
	return place{at: path, thing: thing{uint64(st.Dev), st.Ino}}, info.Mode()
}

// within stands for the entries of a folder.
func within(folder string) string { return folder + "/" }
