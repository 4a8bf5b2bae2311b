// Package contents lists what a package's contents come to: the files that lie below the recipe's folder when the package
// is built or staged, and what is made without a file, directories and links.
//
// Rules:
//   - The order is the recipe's, and in a tree that of the names, whatever the file system gives.
//   - Nothing is read out of the recipe's folder. A link in a tree is kept as a link if it leads to something in the tree;
//     any other is an error.
//   - A name that a package's lists cannot hold, a device, a socket or a pipe in a tree is an error; exclude leaves it out.
//
// Tests: real trees with odd names, links of every kind, and what is left out.
package contents

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"recipe/runtime/plan"
)

// Entry is one thing at Path. A file has a Source below the recipe's folder; a link a Target; a Directory neither. Mode
// is not that of a link. Whole is the content that it is, or nil in a tree.
type Entry struct {
	Path      string
	Source    string
	Target    string
	Directory bool
	Mode      plan.Mode
	Config    bool
	Whole     *plan.Content
}

// List reads the trees among the package's contents. sources is the recipe's folder.
func List(p *plan.Package, sources *os.Root) ([]Entry, error) {
	var all []Entry
	for i := range p.Contents {
		c := &p.Contents[i]
		if c.Kind == plan.ContentTree {
			below, err := tree(c, sources)
			if err != nil {
				return nil, err
			}
			all = append(all, below...)
			continue
		}
		all = append(all, Entry{Path: c.Path, Source: c.Source, Target: c.Target, Directory: c.Kind == plan.ContentDirectory, Mode: c.Mode,
			Config: c.Kind == plan.ContentConfig, Whole: c})
	}
	return all, nil
}

func tree(c *plan.Content, sources *os.Root) ([]Entry, error) {
	root, err := sources.OpenRoot(filepath.FromSlash(c.Source))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot pack %s: there is no such folder in %s; is there a build step that makes it?", c.Source, sources.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("cannot pack %s: %w", c.Source, reason(err))
	}
	defer root.Close()
	var all []Entry
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", path.Join(c.Source, name), reason(err))
		}
		if name != "." && excluded(c.Exclude, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		e, err := entry(c, root, name, d)
		if err != nil {
			return fmt.Errorf("cannot pack %q: %w", path.Join(c.Source, name), err)
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

func entry(c *plan.Content, root *os.Root, name string, d fs.DirEntry) (Entry, error) {
	e := Entry{Path: path.Join(c.Path, name), Mode: 0o755}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return e, errors.New("its name is not UTF-8 or holds a control character, which lists of files cannot hold: rename it, or exclude it")
	}
	switch {
	case d.IsDir():
		e.Directory = true
		return e, nil
	case d.Type() == fs.ModeSymlink:
		var err error
		e.Target, err = linkTarget(root, name)
		return e, err
	case !d.Type().IsRegular():
		return e, errors.New("it is neither a file, a folder nor a link: exclude it")
	}
	e.Source = path.Join(c.Source, name)
	info, err := d.Info()
	switch {
	case err != nil:
		return e, reason(err)
	case c.Mode != 0:
		e.Mode = c.Mode
	case info.Mode()&0o111 == 0:
		e.Mode = 0o644
	}
	return e, nil
}

// linkTarget follows the link to its end, which is in the tree, in ways that the tree's own links may take.
func linkTarget(root *os.Root, name string) (string, error) {
	target, err := root.Readlink(name)
	if err != nil {
		return "", reason(err)
	}
	_, err = root.Stat(name)
	switch {
	case err == nil:
		return target, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("it is a link to %q, where nothing is: exclude it", target)
	}
	return "", fmt.Errorf("it is a link to %q, which leads out of the tree: pack what it leads to, or exclude it", target)
}

// excluded holds the name against patterns: one with a slash against the whole of it, another against its last element.
func excluded(patterns []string, name string) bool {
	for _, p := range patterns {
		of := path.Base(name)
		if strings.Contains(p, "/") {
			of = name
		}
		if match, _ := path.Match(p, of); match {
			return true
		}
	}
	return false
}

// reason leaves out of an error what the message around it says already.
func reason(err error) error {
	if at := new(fs.PathError); errors.As(err, &at) {
		return at.Err
	}
	return err
}
