package suite

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"recipe/builtins/diag"
)

// TestJUnitIsXML holds the counts, and that no text of a test breaks the file.
func TestJUnitIsXML(t *testing.T) {
	t.Parallel()
	bad := diag.Diagnostic{Severity: diag.Error, Code: "assertion", At: diag.Span{File: "a<b>&\"_test.star", Line: 3, Column: 4}, Word: "assert.eq",
		Message: "]]> <&> \x00\x1b[31m \ufffe", Source: "assert.eq(\"<\", '&')"}
	note := diag.Diagnostic{Severity: diag.Note, Code: "note", Message: "<printed>"}
	data, err := JUnit([]Report{
		{File: "a<b>&\"_test.star", Tests: []Verdict{
			{Name: "test_a", Took: 1500 * time.Millisecond, Result: Result{Diagnostics: diag.List{note}}},
			{Name: "test_b", Took: 20 * time.Millisecond, Result: Result{Diagnostics: diag.List{note, bad}}},
		}},
		{File: "b_test.star", Wrong: diag.List{bad}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if got.Tests != 3 || got.Failures != 1 || got.Errors != 1 || got.Time != "1.520" || len(got.Suites) != 2 {
		t.Errorf("%+v", got)
	}
	first := got.Suites[0]
	if first.Name != "a<b>&\"_test.star" || len(first.Cases) != 2 || first.Cases[0].Failure != nil || !strings.Contains(first.Cases[0].Out, "<printed>") {
		t.Errorf("%+v", first)
	}
	f := first.Cases[1].Failure
	if f == nil || f.Type != "assertion" || !strings.HasPrefix(f.Message, "a<b>&\"_test.star:3:4: assert.eq: ]]> <&>") || !strings.Contains(f.Text, "^") {
		t.Errorf("%+v", f)
	}
	if got.Suites[1].Cases[0].Error == nil {
		t.Error("a file that cannot be run is no error")
	}
	if strings.ContainsAny(string(data), "\x00\x1b") {
		t.Errorf("control characters in %q", data)
	}
}
