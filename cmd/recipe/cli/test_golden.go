package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recipe/interp/suite"
)

// writeGolden writes the golden files of the tests and returns their paths. A file that two tests give is that of the
// latter.
func writeGolden(reports []suite.Report) ([]string, error) {
	texts := map[string]suite.Golden{}
	folders := map[string]string{}
	for i := range reports {
		folder := filepath.Dir(reports[i].File)
		for _, v := range reports[i].Tests {
			for _, g := range v.Golden {
				path := filepath.Join(folder, filepath.FromSlash(g.Path))
				texts[path], folders[path] = g, folder
			}
		}
	}
	paths := slices.Sorted(maps.Keys(texts))
	for _, path := range paths {
		if below := texts[path].Path; !fs.ValidPath(below) || !strings.HasPrefix(below, suite.GoldenFolder+"/") {
			return nil, fmt.Errorf("cannot write %s: it lies outside of %s", path, suite.GoldenFolder) // a child is not believed
		}
		if err := replaceBelow(folders[path], filepath.FromSlash(texts[path].Path), texts[path].Text); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	return paths, nil
}

// replaceBelow writes a file below a folder by rename, and its folders. No link leads out of the folder.
func replaceBelow(folder, path, text string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), ".recipe-test.new")
	if err := root.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temporary, path)
	}
	if err != nil {
		root.Remove(temporary)
	}
	return err
}
