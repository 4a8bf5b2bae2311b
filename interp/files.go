package interp

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Files is where modules come from: the recipe's folder, and nothing outside of it. Keys are paths from there, with
// slashes, as fs.ValidPath has them.
type Files interface {
	// Read gives the content of a regular file, cut at that many bytes. One that is not there is fs.ErrNotExist.
	Read(key string, most int) ([]byte, error)
	// Names lists a folder in the order of the alphabet, at most 1000 of what is in it; nothing where it cannot.
	Names(dir string) []string
}

// FolderOf is the folder that the loads of a recipe are below: root, or the recipe's own where that is empty.
func FolderOf(name, root string) string { return cmp.Or(root, filepath.Dir(name)) }

// Folder is Files of the file system. No link leads out of it. It is opened when it is first needed; Close ends that.
type Folder struct {
	Path string
	root *os.Root
}

var errNoFile = errors.New("it is not a file")

// Read reads a file; what is no regular file is an error, and holds nobody up.
func (f *Folder) Read(key string, most int) ([]byte, error) {
	if f.root == nil {
		root, err := os.OpenRoot(f.Path)
		if err != nil {
			return nil, err
		}
		f.root = root
	}
	file, err := f.root.OpenFile(filepath.FromSlash(key), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold us up
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	return wholly(file, most)
}

// wholly reads to the end, cut at that many bytes. Of a file it asks for all at once: io.ReadAll asks for 512 bytes, then for
// somewhat more, and so on.
func wholly(in io.Reader, most int) ([]byte, error) {
	var b bytes.Buffer
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err == nil {
			b.Grow(int(min(info.Size(), int64(most))) + bytes.MinRead)
		}
	}
	_, err := b.ReadFrom(io.LimitReader(in, int64(most)))
	return b.Bytes(), err
}

// Names lists a folder.
func (f *Folder) Names(dir string) []string {
	if f.root == nil {
		return nil // not even the folder is there
	}
	file, err := f.root.Open(filepath.FromSlash(dir))
	if err != nil {
		return nil
	}
	defer file.Close()
	names, _ := file.Readdirnames(1000)
	slices.Sort(names)
	return names
}

// Close gives the folder back.
func (f *Folder) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}
