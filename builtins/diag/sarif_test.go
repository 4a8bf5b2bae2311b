package diag

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSARIFHoldsToTheSchema checks what the schema of SARIF 2.1.0 requires: properties that must be there, values that
// are enumerated, numbers from 1, arrays whose indexes are good.
func TestSARIFHoldsToTheSchema(t *testing.T) {
	t.Parallel()
	list := append(sample(), Diagnostic{Severity: Error, Code: "plain", At: Span{File: "/src/lib/b c.star", Line: 3, Column: 4, EndLine: 3, EndColumn: 9}, Message: "again",
		Fix: &Fix{At: Span{File: "/src/lib/b c.star", Line: 3, Column: 5, EndLine: 3, EndColumn: 6}, New: "x"}})
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID                                      string
						ShortDescription, FullDescription, Help struct{ Text string }
					}
				}
			}
			ColumnKind  string
			Invocations []struct{ ExecutionSuccessful *bool }
			Results     []struct {
				RuleID    string
				RuleIndex *int
				Level     string
				Message   struct{ Text string }
				Locations []location
				Related   []location `json:"relatedLocations"`
				Stacks    []struct{ Frames []struct{ Location location } }
				Fixes     []struct {
					ArtifactChanges []struct {
						ArtifactLocation struct{ URI string }
						Replacements     []struct {
							DeletedRegion   region
							InsertedContent struct{ Text string }
						}
					}
				}
			}
		}
	}
	data := list.SARIF(Tool{Version: "1", Base: "/src", Rules: []Rule{{"plain", "Because. And more.", "help"}, {"unheard-of", "x", "y"}}})
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(log.Runs) != 1 || run.ColumnKind != "unicodeCodePoints" || run.Tool.Driver.Name == "" || run.Invocations[0].ExecutionSuccessful == nil {
		t.Errorf("%s", data)
	}
	if rules := run.Tool.Driver.Rules; len(rules) != 1 || rules[0].ID != "plain" || rules[0].ShortDescription.Text != "Because." || rules[0].Help.Text == "" || rules[0].FullDescription.Text == "" {
		t.Errorf("%+v", rules)
	}
	if len(run.Results) != len(list) {
		t.Fatalf("%d results of %d", len(run.Results), len(list))
	}
	for i, r := range run.Results {
		if r.Message.Text == "" || r.RuleID != list[i].Code || r.Level != string(list[i].Severity) {
			t.Errorf("%d: %+v", i, r)
		}
		if r.RuleIndex != nil && run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID || (r.RuleID == "plain") != (r.RuleIndex != nil) {
			t.Errorf("%d: its rule is another: %+v", i, r)
		}
		places := append(r.Locations, r.Related...)
		for _, s := range r.Stacks {
			for _, f := range s.Frames {
				places = append(places, f.Location)
			}
		}
		for _, p := range places {
			p.check(t)
		}
		if list[i].At.File != "" && len(r.Locations) != 1 || len(r.Related) != min(len(list[i].Related), mostRelated) {
			t.Errorf("%d: places are missing: %+v", i, r)
		}
	}
	last := run.Results[len(list)-1].Locations[0].PhysicalLocation
	if last.ArtifactLocation.URI != "lib/b%20c.star" || *last.Region != (region{3, 4, 3, 9}) {
		t.Errorf("%+v", last)
	}
	change := run.Results[len(list)-1].Fixes[0].ArtifactChanges[0]
	if mend := change.Replacements[0]; change.ArtifactLocation.URI != "lib/b%20c.star" || mend.DeletedRegion != (region{3, 5, 3, 6}) || mend.InsertedContent.Text != "x" {
		t.Errorf("%+v", change)
	}
}

type region struct{ StartLine, StartColumn, EndLine, EndColumn int }

type location struct {
	Message          struct{ Text string }
	PhysicalLocation struct {
		ArtifactLocation struct{ URI string }
		Region           *region
	}
}

func (l location) check(t *testing.T) {
	t.Helper()
	if uri := l.PhysicalLocation.ArtifactLocation.URI; uri == "" || strings.ContainsAny(uri, " \\\"<>") {
		t.Errorf("the URI %q", uri)
	}
	r := l.PhysicalLocation.Region
	if r != nil && (r.StartLine < 1 || r.StartColumn < 0 || r.EndLine != 0 && r.EndLine < r.StartLine || r.EndLine == r.StartLine && r.EndColumn < r.StartColumn) {
		t.Errorf("the region %+v", r)
	}
}

func TestSARIFIsBounded(t *testing.T) {
	t.Parallel()
	list := make(List, 5000)
	for i := range list {
		list[i] = sample()[0]
	}
	text := string(list.SARIF(Tool{}))
	if n := strings.Count(text, `"ruleId"`); n != mostResults || !strings.Contains(text, "4000 more diagnostics were left out") {
		t.Errorf("%d results", n)
	}
	if text := string(List(nil).SARIF(Tool{})); !strings.Contains(text, `"results": []`) || !strings.Contains(text, `"rules": []`) {
		t.Error(text)
	}
}
