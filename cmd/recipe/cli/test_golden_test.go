package cli

import (
	"os"
	"path/filepath"
	"testing"

	"recipe/interp/suite"
)

// TestGoldenFilesOfAChildAreNotBelieved: whatever path a child names, nothing is written outside of testdata.
func TestGoldenFilesOfAChildAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"foo.star", "../testdata/x", "/etc/x", "testdata/../foo.star", "testdata", "testdata/", "", "testdatax/y"} {
		dir := t.TempDir()
		folder := filepath.Join(dir, "in")
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		r := suite.Report{File: filepath.Join(folder, "x_test.star"), Tests: []suite.Verdict{{Result: suite.Result{Golden: []suite.Golden{{Path: path, Text: "x"}}}}}}
		if written, err := writeGolden([]suite.Report{r}); err == nil {
			t.Errorf("%q: wrote %v", path, written)
		}
		if entries, _ := os.ReadDir(folder); len(entries) > 0 {
			t.Errorf("%q left %v", path, entries)
		}
	}
}
