// Package diag is what the program says about a recipe: diagnostics with a place, a reason and a way out.
//
// Rules:
//   - A diagnostic names the argument at fault: file, line, column, the source line and a caret below it.
//   - It says what was found, what is accepted and, where one can be given, what to do. Its code is stable.
//   - Errors fail a check, warnings and notes never do.
//   - Whatever a recipe holds, the output is bounded and free of control characters.
//
// The package knows neither Starlark nor plans, so that every part of the language can use it. Tests: golden files of
// rendered lists, and the mistakes of package interp.
package diag

import (
	"cmp"
	"slices"
)

// Severity tells what a diagnostic means for the check.
type Severity string

// The severities. A note is what a recipe prints.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Span is a stretch of a source, as lines and columns counted from 1 in characters; the end is exclusive. A span
// without a line has no place.
type Span struct {
	File      string
	Line      int
	Column    int
	EndLine   int
	EndColumn int
}

// Frame is one call on the way to the place of a diagnostic: what was called, and where.
type Frame struct {
	Name string
	At   Span
}

// Related is another place that a diagnostic concerns, and in a few words what it has to do with it. Source is the line
// that At begins on, without its end.
type Related struct {
	At     Span
	Label  string
	Source string
}

// Fix is the one right mend of what a diagnostic complains of: New, source text of one line, takes the place of At, which
// lies in the diagnostic's own file.
type Fix struct {
	At  Span
	New string
}

// Diagnostic is one thing to say. Word is the recipe's word that it concerns; Source is the line that At begins on,
// without its end. Related, Found, Accepted, Hint, Lines and Chain may be empty. Lines are a longer text to be shown as it
// is, such as the difference of two. Chain has the innermost call first.
type Diagnostic struct {
	Severity Severity
	Code     string
	At       Span
	Word     string
	Message  string
	Source   string
	Related  []Related
	Found    string
	Accepted string
	Hint     string
	Lines    []string
	Chain    []Frame
	Fix      *Fix // nil unless one mend alone is right
}

// List holds diagnostics in the order in which they are shown.
type List []Diagnostic

// Lists are those of several files that were judged in one call. Each is bounded by itself, so that none silences another.
type Lists []List

// Failed reports whether one of the lists does.
func (all Lists) Failed() bool { return slices.ContainsFunc(all, List.Failed) }

// Failed reports whether the list holds an error.
func (l List) Failed() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors counts them.
func (l List) Errors() (n int) {
	for _, d := range l {
		if d.Severity == Error {
			n++
		}
	}
	return n
}

// Sort orders by place: the file named first stays first, then lines and columns. What is equal is said once.
func (l List) Sort() List {
	rank := map[string]int{}
	for _, d := range l {
		if _, seen := rank[d.At.File]; !seen {
			rank[d.At.File] = len(rank)
		}
	}
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(rank[a.At.File], rank[b.At.File]), cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Column, b.At.Column))
	})
	return slices.CompactFunc(l, func(a, b Diagnostic) bool {
		return a.Code == b.Code && a.At == b.At && a.Message == b.Message && a.Found == b.Found
	})
}
