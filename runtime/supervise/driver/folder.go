package driver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recipe/runtime/plan"
	"recipe/runtime/watch"
)

// folder is a directory that was given in place of recipes: those that appear in it are started, those that go are stopped. A
// mistake takes nothing down:
//   - A folder that is gone, or cannot be read, changes nothing. Nor does one that is empty where there were several recipes,
//     or that is another than before, as when it was unmounted.
//   - A recipe that goes while others come is stopped once those can be used. One that comes with its name takes its place, and
//     what runs goes on.
//   - Of two that declare the same service the later is refused; it has its turn when the other is gone.
type folder struct {
	path  string
	which string // as watch tells
	said  string // why nothing was changed
}

// given takes a recipe, or a folder of them, that the supervisor is started with.
func (s *Supervisor) given(path string) error {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		s.recipes = append(s.recipes, &recipe{file: path}) // what is wrong with it is said when it is read
		return nil
	}
	e, err := s.watcher.AddFolder(path)
	if err == nil {
		err = e.Err
	}
	if err != nil {
		return fmt.Errorf("cannot run the recipes of %s: %w", path, err)
	}
	f := &folder{path: path, which: e.Folder}
	s.folders = append(s.folders, f)
	for _, file := range f.recipes(e.Content) {
		s.recipes = append(s.recipes, &recipe{file: file, folder: f})
	}
	return nil
}

// at is the folder's path; of none it is "".
func (f *folder) at() string {
	if f == nil {
		return ""
	}
	return f.path
}

// folderAt is nil for the path of none.
func (s *Supervisor) folderAt(path string) *folder {
	at := slices.IndexFunc(s.folders, func(f *folder) bool { return f.path == path })
	if at < 0 {
		return nil
	}
	return s.folders[at]
}

func (s *Supervisor) carryFolders() []carriedFolder {
	var list []carriedFolder
	for _, f := range s.folders {
		list = append(list, carriedFolder{Path: f.path, Which: f.which, Said: f.said})
	}
	return list
}

// resumeFolder looks at what came and went meanwhile once the recipes are there.
func (s *Supervisor) resumeFolder(one carriedFolder) {
	s.folders = append(s.folders, &folder{path: one.Path, which: one.Which, said: one.Said})
	now, err := s.watcher.AddFolder(one.Path)
	if err != nil {
		now.Path, now.Err = one.Path, err
	}
	s.missed = append(s.missed, now)
}

// name is the supervisor's: that of the folder, where one was given first, or of the first recipe that can be used.
func (s *Supervisor) name() string {
	if first := s.options.Recipes[0]; len(s.recipes) == 0 || len(s.folders) > 0 && s.folders[0].path == first {
		return filepath.Base(first)
	}
	return s.recipes[0].name()
}

// recipes are the paths of those among the names of a folder: recipes and plans, and no tests of them.
func (f *folder) recipes(names []byte) []string {
	var files []string
	for name := range bytes.Lines(names) {
		name := strings.TrimSuffix(string(name), "\n")
		if plans := strings.HasSuffix(name, ".json"); plans || strings.HasSuffix(name, ".star") && !strings.HasSuffix(name, "_test.star") {
			files = append(files, filepath.Join(f.path, name))
		}
	}
	return files
}

// folderChanged starts what came, and marks what went.
func (s *Supervisor) folderChanged(ctx context.Context, f *folder, e watch.Event) {
	files := f.recipes(e.Content)
	had := 0
	for _, r := range s.recipes {
		if r.folder == f {
			had++
		}
	}
	problem := ""
	switch {
	case e.Err != nil:
		problem = e.Err.Error()
	case !e.Exists:
		problem = f.path + " is gone"
	case len(files) == 0 && had > 0 && e.Folder != f.which:
		problem = f.path + " is another folder than before, and has no recipes"
	case len(files) == 0 && had > 1:
		problem = fmt.Sprintf("all %d recipes of %s are gone at once", had, f.path)
	}
	if problem != "" {
		if problem != f.said {
			s.say("%s: nothing is stopped for that", problem)
		}
		f.said = problem
		return
	}
	f.said, f.which = "", e.Folder
	fresh := slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		return slices.ContainsFunc(s.recipes, func(r *recipe) bool { return r.file == file })
	})
	for _, r := range s.recipes {
		if r.folder != f {
			continue
		}
		if there := slices.Contains(files, r.file); there == r.gone {
			r.gone, r.heirs = !there, fresh
		}
	}
	for _, file := range fresh {
		s.come(ctx, &recipe{file: file, folder: f})
	}
}

// come takes a recipe that appeared, in the place of one of the same name that went.
func (s *Supervisor) come(ctx context.Context, r *recipe) {
	s.recipes = append(s.recipes, r)
	s.watchRecipe(r)
	if slices.ContainsFunc(s.recipes, func(other *recipe) bool { return other.gone }) {
		if p, err := s.load(ctx, r); err == nil {
			if old := s.ancestor(r, p); old != nil {
				s.recipes = slices.DeleteFunc(s.recipes, func(other *recipe) bool { return other == r })
				s.say("%s takes the place of %s", r.file, old.file)
				old.file, old.gone, old.heirs = r.file, false, nil
				s.watchRecipe(old)
				r = old
			}
		}
	}
	s.recipeChanged(ctx, r, false)
}

// ancestor is the recipe that went and whose place another takes.
func (s *Supervisor) ancestor(r *recipe, p *plan.Plan) *recipe {
	at := slices.IndexFunc(s.recipes, func(old *recipe) bool {
		return old.gone && old.plan != nil && old.plan.Name == p.Name && slices.Contains(old.heirs, r.file)
	})
	if at < 0 {
		return nil
	}
	return s.recipes[at]
}

// bury stops what went, unless it may go on in what came with that and cannot be used yet.
func (s *Supervisor) bury() {
	for _, r := range slices.Clone(s.recipes) {
		unusable := func(heir *recipe) bool { return heir.plan == nil && slices.Contains(r.heirs, heir.file) }
		if !r.gone || slices.ContainsFunc(s.recipes, unusable) {
			continue
		}
		s.recipes = slices.DeleteFunc(s.recipes, func(other *recipe) bool { return other == r })
		for _, file := range r.files {
			if !s.watched(file) {
				s.watcher.Remove(file)
			}
		}
		if r.plan != nil {
			s.drop(r.plan, &plan.Plan{}, "its recipe "+r.file+" is gone")
		}
		for _, other := range s.recipes { // which may have been refused for it
			other.stale = other.stale || other.retry
		}
	}
}
