package diag

import (
	"bytes"
	"encoding/json"
)

type spanJSON struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
}

type frameJSON struct {
	Name string `json:"name"`
	spanJSON
}

type relatedJSON struct {
	spanJSON
	Label  string `json:"label"`
	Source string `json:"source,omitempty"`
}

type fixJSON struct {
	spanJSON
	New string `json:"new"`
}

type diagnosticJSON struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	spanJSON
	Word     string        `json:"word,omitempty"`
	Message  string        `json:"message"`
	Source   string        `json:"source,omitempty"`
	Related  []relatedJSON `json:"related,omitempty"`
	Found    string        `json:"found,omitempty"`
	Accepted string        `json:"accepted,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	Lines    []string      `json:"lines,omitempty"`
	Chain    []frameJSON   `json:"in,omitempty"`
	Fix      *fixJSON      `json:"fix,omitempty"`
}

// JSON is the list as an object: "diagnostics", at most Most of them, and "omitted", how many more there are. Texts
// are cleaned as those of String are.
func (l List) JSON() []byte { return Lists{l}.JSON() }

// JSON is all lists as one object, with at most Most diagnostics of each.
func (all Lists) JSON() []byte {
	out := struct {
		Diagnostics []diagnosticJSON `json:"diagnostics"`
		Omitted     int              `json:"omitted,omitempty"`
	}{Diagnostics: []diagnosticJSON{}}
	for _, l := range all {
		out.Omitted += max(0, len(l)-Most)
		for i := range l[:min(len(l), Most)] {
			out.Diagnostics = append(out.Diagnostics, l[i].json())
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	enc.Encode(out) // plain strings and numbers: it cannot fail
	return b.Bytes()
}

func (d *Diagnostic) json() diagnosticJSON {
	j := diagnosticJSON{
		Severity: d.Severity, Code: d.Code, spanJSON: d.At.json(), Word: clean(d.Word), Message: clean(d.Message),
		Source: clean(d.Source), Found: clean(d.Found), Accepted: clean(d.Accepted), Hint: clean(d.Hint),
	}
	for _, r := range d.Related[:min(len(d.Related), mostRelated)] {
		j.Related = append(j.Related, relatedJSON{spanJSON: r.At.json(), Label: clean(r.Label), Source: clean(r.Source)})
	}
	for _, line := range d.Lines[:min(len(d.Lines), mostLines)] {
		j.Lines = append(j.Lines, clean(line))
	}
	for _, f := range d.Chain[:min(len(d.Chain), mostFrames)] {
		j.Chain = append(j.Chain, frameJSON{Name: clean(f.Name), spanJSON: f.At.json()})
	}
	if d.Fix != nil {
		j.Fix = &fixJSON{d.Fix.At.json(), clean(d.Fix.New)}
	}
	return j
}

func (s Span) json() spanJSON {
	return spanJSON{File: clean(s.File), Line: s.Line, Column: s.Column, EndLine: s.EndLine, EndColumn: s.EndColumn}
}
