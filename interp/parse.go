package interp

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/interp/parse"
)

// Parse reads a source to its tree, comments kept. The tree is nil when the list says why the source cannot be read.
func Parse(name string, text []byte) (*syntax.File, diag.List) {
	e := newEvaluation(name, Options{})
	f := e.parse(&source{name: name, text: string(text)}, syntax.RetainComments)
	if e.list.Failed() {
		return nil, e.list // of a tree with holes nobody wants the rest
	}
	return f, e.list
}

// parse takes a source from text to tree, without the statements that cannot be read; it is nil when the rest cannot be
// run without them.
func (e *evaluation) parse(src *source, mode syntax.Mode) *syntax.File {
	e.sources[src.name] = src
	if len(src.text) > mostSource {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeTooLarge, At: diag.Span{File: src.name},
			Message: fmt.Sprintf("the source is larger than %d KiB", mostSource>>10), Hint: "share what repeats in functions, or split the recipe"})
		return nil
	}
	src.text = strings.TrimPrefix(src.text, ByteOrderMark)
	if !e.scan(src) {
		return nil
	}
	read := parse.File(dialect(), src.name, src.text, mode)
	for _, d := range read.Problems {
		e.add(d)
	}
	f := read.File
	if src.lost = read.Lost; f == nil {
		return nil
	}
	src.file = f
	if deep := tooDeep(f); deep != nil {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeTooLarge, At: point(syntax.Start(deep)), Message: fmt.Sprintf("expressions are nested more than %d deep", mostNesting)})
		return nil
	}
	return f
}
