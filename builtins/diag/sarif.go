package diag

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
)

// mostResults bounds the results of a SARIF log, which programs read; the rest is counted in a notification.
const mostResults = 1000

// Tool says who speaks in a SARIF log. Rules explain codes; one that no diagnostic has is left out of the log. Files are
// named by their path from Base, an absolute folder, where they lie below it.
type Tool struct {
	Version string
	Base    string
	Rules   []Rule
}

// Rule explains a code in a sentence or two, and at length.
type Rule struct{ Code, Reason, Help string }

// The parts of SARIF 2.1.0 (OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/) that are written. Columns count code
// points from 1, and ends are exclusive, as those of Span are.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		ColumnKind  string            `json:"columnKind"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		Help             sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID     string            `json:"ruleId,omitempty"`
		RuleIndex  *int              `json:"ruleIndex,omitempty"`
		Level      string            `json:"level"`
		Message    sarifText         `json:"message"`
		Locations  []sarifLocation   `json:"locations,omitempty"`
		Related    []sarifLocation   `json:"relatedLocations,omitempty"`
		Stacks     []sarifStack      `json:"stacks,omitempty"`
		Fixes      []sarifFix        `json:"fixes,omitempty"`
		Properties map[string]string `json:"properties,omitempty"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFix struct {
		Changes []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
	sarifStack struct {
		Message sarifText    `json:"message"`
		Frames  []sarifFrame `json:"frames"`
	}
	sarifFrame struct {
		Location sarifLocation `json:"location"`
	}
)

// SARIF is the list as a SARIF 2.1.0 log of one run: a result for each diagnostic, its other places as related
// locations, its calls as a stack, its mend as a fix. Texts are cleaned as those of String are.
func (l List) SARIF(t Tool) []byte {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Invocations: []sarifInvocation{{Successful: true}}, Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "recipe", Version: t.Version, Rules: []sarifRule{}}
	index := map[string]int{}
	for _, d := range l[:min(len(l), mostResults)] {
		r := t.result(&d)
		if at, known := t.rule(d.Code, index, &run.Tool.Driver.Rules); known {
			r.RuleIndex = &at
		}
		run.Results = append(run.Results, r)
	}
	if more := len(l) - mostResults; more > 0 {
		run.Invocations[0].Notifications = []sarifNotification{{Level: "warning", Message: sarifText{plural(more, "more diagnostic was", "more diagnostics were") + " left out"}}}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	enc.Encode(sarifLog{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
	return b.Bytes()
}

// rule finds the rule of a code in the log, or puts it there.
func (t Tool) rule(code string, index map[string]int, rules *[]sarifRule) (int, bool) {
	if at, there := index[code]; there {
		return at, true
	}
	for _, r := range t.Rules {
		if r.Code == code {
			index[code] = len(*rules)
			*rules = append(*rules, sarifRule{code, sarifText{firstSentence(r.Reason)}, sarifText{r.Reason}, sarifText{r.Help}})
			return index[code], true
		}
	}
	return 0, false
}

func (t Tool) result(d *Diagnostic) sarifResult {
	r := sarifResult{RuleID: d.Code, Level: string(d.Severity), Message: sarifText{clean(d.Message)}, Properties: map[string]string{}}
	if d.Word != "" {
		r.Message.Text = clean(d.Word) + ": " + r.Message.Text
	}
	for _, field := range []struct{ name, text string }{{"found", d.Found}, {"accepted", d.Accepted}, {"hint", d.Hint}} {
		if field.text != "" {
			r.Properties[field.name] = clean(field.text)
			r.Message.Text += "\n" + field.name + ": " + clean(field.text)
		}
	}
	if at := t.location(d.At, ""); at.Physical != nil {
		r.Locations = []sarifLocation{at}
	}
	for i, other := range d.Related[:min(len(d.Related), mostRelated)] {
		at := t.location(other.At, other.Label)
		at.ID = i + 1
		r.Related = append(r.Related, at)
	}
	if len(d.Chain) > 0 {
		stack := sarifStack{Message: sarifText{"the calls that led here"}}
		for _, f := range d.Chain[:min(len(d.Chain), mostFrames)] {
			stack.Frames = append(stack.Frames, sarifFrame{t.location(f.At, f.Name)})
		}
		r.Stacks = []sarifStack{stack}
	}
	if f := d.Fix; f != nil {
		r.Fixes = []sarifFix{{[]sarifChange{{sarifArtifact{t.uri(f.At.File)}, []sarifReplacement{{regionOf(f.At), sarifText{clean(f.New)}}}}}}}
	}
	return r
}

func (t Tool) location(s Span, message string) sarifLocation {
	var l sarifLocation
	if message != "" {
		l.Message = &sarifText{clean(message)}
	}
	if s.File == "" {
		return l
	}
	l.Physical = &sarifPhysical{Artifact: sarifArtifact{t.uri(s.File)}}
	if s.Line > 0 {
		at := regionOf(s)
		l.Physical.Region = &at
	}
	return l
}

func regionOf(s Span) sarifRegion { return sarifRegion{s.Line, s.Column, s.EndLine, s.EndColumn} }

// uri names a file from the tool's base where it lies below it, and by its whole path elsewhere.
func (t Tool) uri(file string) string {
	if !filepath.IsAbs(file) {
		return (&url.URL{Path: filepath.ToSlash(file)}).String()
	}
	if below, err := filepath.Rel(t.Base, file); err == nil && filepath.IsLocal(below) {
		return (&url.URL{Path: filepath.ToSlash(below)}).String()
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
}

// firstSentence cuts a reason at its first full stop.
func firstSentence(text string) string {
	if first, _, more := strings.Cut(text, ". "); more {
		return first + "."
	}
	return text
}
