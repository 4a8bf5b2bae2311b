package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"recipe/interp"
	"recipe/interp/suite"
)

type testCommand struct {
	Paths       []string `arg:"" optional:"" name:"path" help:"Test files, and folders to look for *_test.star in; the current folder without any."`
	Pattern     string   `name:"run" placeholder:"PATTERN" help:"Run only the tests whose names this regular expression matches."`
	Update      bool     `help:"Write the golden files that differ."`
	Coverage    bool     `help:"Show which lines of recipes and modules the tests reached."`
	CoverageOut string   `placeholder:"FILE" help:"Write that to FILE, in the format of lcov."`
	JUnit       string   `name:"junit" placeholder:"FILE" help:"Write the results to FILE as JUnit XML."`
	JSON        bool     `name:"json" help:"Print JSON."`
	Verbose     bool     `short:"v" help:"Show every test, how long it took, and what it prints."`
}

// Help is the long text of --help.
func (*testCommand) Help() string {
	return `A test is a function test_... of a file *_test.star beside the recipe. It has the words of recipes and assert, evaluate, golden and probe besides; ` + "`recipe doc assert.eq`" + ` explains one. Nothing of this machine is seen or started. Folders named testdata, or with a dot in front, are not looked into.

Exit codes: 0 all passed, 1 a test failed, 2 wrong usage, or there is no test.`
}

// Run runs the tests of all files side by side, and shows them in their order.
func (c *testCommand) Run(s *Streams) error {
	pattern, err := regexp.Compile(c.Pattern)
	if err != nil {
		return usagef("cannot use --run %s: %v", c.Pattern, err)
	}
	files, err := testFiles(c.Paths)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	t := newTestRun(pattern, c.Update, c.Coverage || c.CoverageOut != "")
	defer t.close()
	tests, failed := 0, 0
	err = t.run(ctx, files, func(r *suite.Report) {
		tests, failed = tests+len(r.Tests), failed+r.Failed()
		if !c.JSON {
			c.show(s, r)
		}
	})
	switch {
	case err != nil:
		return err
	case tests+failed == 0:
		return usagef("cannot run a test: none has a name that --run %s matches", c.Pattern)
	}
	if err := c.conclude(s, t.reports, t.coverage.Files()); err != nil {
		return err
	}
	if !c.JSON && failed > 0 {
		fmt.Fprintf(s.Out, "%s, %d failed\n", counted(tests, "test"), failed)
	}
	if failed > 0 {
		return exit(exitNo)
	}
	return nil
}

// testFiles finds the test files in or below paths, each once, in the order of the alphabet.
func testFiles(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, usagef("cannot find %s: there is no such file or folder", path)
		case err != nil:
			return nil, fmt.Errorf("cannot look for tests: %w", err)
		case info.IsDir():
			found, err := testFilesBelow(path)
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		case !strings.HasSuffix(path, suite.Suffix):
			return nil, usagef("%s is no test file: their names end in %s", path, suite.Suffix)
		default:
			files = append(files, filepath.Clean(path))
		}
	}
	if len(files) == 0 {
		return nil, usagef("cannot find a test: there is no file *%s in or below %s", suite.Suffix, strings.Join(paths, ", "))
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func testFilesBelow(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (name == "testdata" || strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, suite.Suffix):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot look for tests: %w", err)
	}
	return files, nil
}

// conclude writes the golden files and the reports for other programs.
func (c *testCommand) conclude(s *Streams, reports []suite.Report, coverage []interp.FileCoverage) error {
	var written []string
	if c.Update {
		var err error
		if written, err = writeGolden(reports); err != nil {
			return err
		}
	}
	if c.JUnit != "" {
		data, err := suite.JUnit(reports)
		if err == nil {
			err = renameio.WriteFile(c.JUnit, data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", c.JUnit, err)
		}
	}
	if c.CoverageOut != "" {
		if err := renameio.WriteFile(c.CoverageOut, suite.LCOV(coverage), 0o644); err != nil {
			return fmt.Errorf("cannot write %s: %w", c.CoverageOut, err)
		}
	}
	if c.JSON {
		return printJSON(s.Out, testsJSON(reports, coverage))
	}
	for _, path := range written {
		fmt.Fprintf(s.Out, "wrote %s\n", printable(path))
	}
	if c.Coverage {
		fmt.Fprintln(s.Out)
		for line := range strings.Lines(suite.CoverageTable(coverage)) {
			fmt.Fprintln(s.Out, printable(strings.TrimSuffix(line, "\n")))
		}
	}
	return nil
}
