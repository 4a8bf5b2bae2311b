// Package format gives recipes and modules one layout, so that a change shows what was changed.
//
// Rules:
//   - The meaning stays: the syntax tree of what comes out is that of what went in, and so is every comment. Both are
//     checked at each call; a text that would fail is left as it is and said to be a fault of this program.
//   - A second call changes nothing.
//   - Nothing is sorted, renamed or removed. Where lines break is the author's where the layout allows it.
//
// The layout itself is that of bazelbuild/buildtools, which its users know. Texts pass it unseen (see texts.go).
//
// Tests: golden files in testdata, go.starlark.net's own scripts, every recipe and module of this project, and a fuzz
// target for the rules.
package format

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/bazelbuild/buildtools/build"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/interp"
)

// Source returns the text in the one layout; name is what diagnostics call it. The list is empty unless the text cannot
// be read, or not be laid out without a change of its meaning; the returned text is nil then.
func Source(name string, text []byte) ([]byte, diag.List) {
	text = unix(text)
	file, list := interp.Parse(name, text)
	if file == nil {
		return nil, list
	}
	if list := while(file); list != nil {
		return nil, list
	}
	once, said, err := layout(name, text, file)
	if err != nil {
		return nil, refuse(name, err)
	}
	if bytes.Equal(once, text) {
		return once, nil // there is nothing to hold it to
	}
	again, list := interp.Parse(name, once)
	switch {
	case again == nil && slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == interp.CodeTooLarge }):
		return nil, list // it would be
	case again == nil:
		return nil, refuse(name, fmt.Errorf("the result cannot be read: %s", list.String()))
	}
	if err := same(file, again); err != nil {
		return nil, refuse(name, err)
	}
	twice, saidAgain, err := layout(name, once, again)
	if err != nil || !bytes.Equal(once, twice) {
		return nil, refuse(name, fmt.Errorf("a second call would change it again"))
	}
	if !slices.Equal(said, saidAgain) {
		return nil, refuse(name, fmt.Errorf("of its %d comments %d would be left", len(said), len(saidAgain)))
	}
	return once, nil
}

// unix is a text without a byte order mark and without \r\n, which Starlark reads as \n in a literal too, and with an end of
// its last line, without which the parser drops a comment there. One that is not even text is the parser's to report.
func unix(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte(interp.ByteOrderMark))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(slices.Clip(text), '\n')
	}
	return text
}

// layout returns the text in its layout, and the comments that it holds.
func layout(name string, text []byte, file *syntax.File) ([]byte, []string, error) {
	masked, texts, err := mask(text, file)
	if err != nil {
		return nil, nil, err
	}
	tree, err := build.ParseDefault(name, masked)
	if err != nil {
		return nil, nil, err
	}
	out, err := unmask(build.FormatWithoutRewriting(tree), texts)
	return out, comments(masked), err
}

// while refuses what the language has not: the layout's grammar does not read it.
func while(file *syntax.File) (list diag.List) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if w, ok := n.(*syntax.WhileStmt); ok {
			start, end := int(w.While.Col), int(w.While.Col)+len("while")
			list = append(list, diag.Diagnostic{Severity: diag.Error, Code: interp.CodeDialect, Message: "the language has no while",
				At:   diag.Span{File: file.Path, Line: int(w.While.Line), Column: start, EndLine: int(w.While.Line), EndColumn: end},
				Hint: "for ... in range(...) ends by itself"})
		}
		return true
	})
	return list
}

func refuse(name string, why error) diag.List {
	return diag.List{{Severity: diag.Error, Code: interp.CodeBroken, At: diag.Span{File: name}, Word: "fmt",
		Message: "this cannot be laid out, and is left as it is: " + why.Error(), Hint: "the fault is not the recipe's; report it with the recipe"}}
}
