// Package stdlib holds the modules of the language that are written in the language: load("@std//NAME.star", ...).
// They are part of the program, so that a recipe means the same wherever it is evaluated; they export functions and
// declare nothing. A function passes on to the word that it wraps what it does not know itself, under the same names, so
// that a mistake in an argument is shown where the recipe gave it.
//
// Beside each module lie its tests, NAME_test.star, which are no modules; `recipe test stdlib` runs them.
package stdlib

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.star
var files embed.FS

// Read returns the source of a module by the name behind @std//, as in "probes.star".
func Read(name string) ([]byte, error) {
	if isTest(name) {
		return nil, fs.ErrNotExist
	}
	return files.ReadFile(name)
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.star") }

// Names lists the modules, sorted.
func Names() []string {
	entries, _ := files.ReadDir(".") // an embedded folder is always there
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return slices.DeleteFunc(names, isTest)
}
