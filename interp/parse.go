package interp

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"recipe/builtins/diag"
)

// Parse reads a source to its tree, comments kept. The tree is nil when the list says why the source cannot be read.
func Parse(name string, text []byte) (*syntax.File, diag.List) {
	e := newEvaluation(name, Options{})
	f := e.parse(&source{name: name, text: string(text)}, syntax.RetainComments)
	return f, e.list
}

// parse takes a source from text to tree, or says why it cannot and returns nil.
func (e *evaluation) parse(src *source, mode syntax.Mode) *syntax.File {
	e.sources[src.name] = src
	if len(src.text) > mostSource {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeTooLarge, At: diag.Span{File: src.name},
			Message: fmt.Sprintf("the source is larger than %d KiB", mostSource>>10), Hint: "share what repeats in functions, or split the recipe"})
		return nil
	}
	src.text = strings.TrimPrefix(src.text, byteOrderMark)
	if !e.scan(src) {
		return nil
	}
	f, err := dialect().Parse(src.name, src.text, mode)
	if err != nil {
		e.syntaxError(src, err)
		return nil
	}
	src.file = f
	if deep := tooDeep(f); deep != nil {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeTooLarge, At: point(syntax.Start(deep)), Message: fmt.Sprintf("expressions are nested more than %d deep", mostNesting)})
		return nil
	}
	return f
}
