package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/interp/suite"
)

// show prints what became of a file: its name where all is well, each test that failed with what it says.
func (c *testCommand) show(s *Streams, r *suite.Report) {
	style := s.styleOf(s.Out)
	if r.Wrong.Failed() {
		fmt.Fprintf(s.Out, "FAIL  %s\n%s\n", printable(r.File), r.Wrong.Text(style))
	}
	for i := range r.Tests {
		v := &r.Tests[i]
		switch {
		case !v.Passed():
			fmt.Fprintf(s.Out, "FAIL  %s: %s%s\n%s\n", printable(r.File), v.Name, c.cost(v), v.Diagnostics.Text(style))
		case c.Verbose:
			fmt.Fprintf(s.Out, "ok    %s: %s%s\n%s", printable(r.File), v.Name, c.cost(v), v.Diagnostics.Text(style))
		}
	}
	if r.Failed() == 0 && len(r.Tests) > 0 && !c.Verbose {
		fmt.Fprintf(s.Out, "ok    %s  %s\n", printable(r.File), counted(len(r.Tests), "test"))
	}
}

func (c *testCommand) cost(v *suite.Verdict) string {
	if !c.Verbose {
		return ""
	}
	return fmt.Sprintf("  %.1fms, %s", float64(v.Took.Microseconds())/1000, counted(int(v.Steps), "step"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// testJSON is a test as programs read it.
type testJSON struct {
	Name        string          `json:"name"`
	Passed      bool            `json:"passed"`
	Seconds     float64         `json:"seconds"`
	Steps       uint64          `json:"steps"`
	Diagnostics json.RawMessage `json:"diagnostics,omitempty"`
}

type testFileJSON struct {
	File        string          `json:"file"`
	Diagnostics json.RawMessage `json:"diagnostics,omitempty"`
	Tests       []testJSON      `json:"tests"`
}

func testsJSON(reports []suite.Report, coverage []interp.FileCoverage) any {
	out := struct {
		Tests    int                   `json:"tests"`
		Failed   int                   `json:"failed"`
		Files    []testFileJSON        `json:"files"`
		Coverage []interp.FileCoverage `json:"coverage,omitempty"`
	}{Files: []testFileJSON{}, Coverage: coverage}
	for i := range reports {
		r := &reports[i]
		out.Tests, out.Failed = out.Tests+len(r.Tests), out.Failed+r.Failed()
		f := testFileJSON{File: printable(r.File), Diagnostics: diagnosticsJSON(r.Wrong), Tests: []testJSON{}}
		for _, v := range r.Tests {
			f.Tests = append(f.Tests, testJSON{v.Name, v.Passed(), v.Took.Seconds(), v.Steps, diagnosticsJSON(v.Diagnostics)})
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// diagnosticsJSON is the list alone of what the list is as JSON.
func diagnosticsJSON(list diag.List) json.RawMessage {
	if len(list) == 0 {
		return nil
	}
	var whole struct {
		Diagnostics json.RawMessage `json:"diagnostics"`
	}
	if json.Unmarshal(list.JSON(), &whole) != nil {
		return nil
	}
	var flat bytes.Buffer
	json.Compact(&flat, whole.Diagnostics)
	return flat.Bytes()
}
