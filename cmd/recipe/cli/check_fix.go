package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"recipe/builtins/diag"
	"recipe/interp"
)

// mostRounds bounds how often the mends of mends are looked for.
const mostRounds = 20

// fix mends a file as far as it goes, and gives what is left to say. The file is written once, after the last round.
func (e *evaluator) fix(ctx context.Context, file string) (mended bool, left diag.List, err error) {
	source, err := interp.Read(file, nil)
	if err != nil {
		return false, interp.Unreadable(file, err), nil
	}
	read := source
	answer, err := e.text(ctx, evaluateRequest{Name: file, Source: source})
	if err != nil {
		return false, nil, err
	}
	for range mostRounds {
		next := applied(source, answer.Diagnostics)
		if bytes.Equal(next, source) {
			break
		}
		better, err := e.text(ctx, evaluateRequest{Name: file, Source: next})
		if err != nil {
			return false, nil, err
		}
		if !leaves(answer.Diagnostics, better.Diagnostics) {
			break
		}
		mended, source, answer = true, next, better
	}
	if mended {
		if err := replace(file, read, source); err != nil {
			return false, nil, fmt.Errorf("cannot mend: %w", err)
		}
	}
	return mended, answer.Diagnostics, nil
}

// leaves reports whether a mend leaves fewer errors, or as many and less to say, and none that was not there: one that
// cannot be read would hide all others.
func leaves(before, after diag.List) bool {
	for _, d := range after {
		known := func(o diag.Diagnostic) bool {
			return o.Severity == d.Severity && o.Code == d.Code && o.Message == d.Message
		}
		if d.Severity == diag.Error && !slices.ContainsFunc(before, known) {
			return false
		}
	}
	fewer := cmp.Compare(after.Errors(), before.Errors())
	return fewer < 0 || fewer == 0 && len(after) < len(before)
}

// applied is the source with the fixes of a list; of two that overlap the first.
func applied(source []byte, list diag.List) []byte {
	var fixes []diag.Fix
	for _, d := range list {
		if d.Fix != nil {
			fixes = append(fixes, *d.Fix)
		}
	}
	slices.SortFunc(fixes, func(a, b diag.Fix) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	var out bytes.Buffer
	done := 0
	for _, f := range fixes {
		start, end := offset(source, f.At.Line, f.At.Column), offset(source, f.At.EndLine, f.At.EndColumn)
		if start < done || end < start {
			continue
		}
		out.Write(source[done:start])
		out.WriteString(f.New)
		done = end
	}
	out.Write(source[done:])
	return out.Bytes()
}

// offset is the byte at a line and a column, both counted from 1, the column in characters.
func offset(source []byte, line, column int) int {
	at := 0
	if line == 1 && bytes.HasPrefix(source, []byte(interp.ByteOrderMark)) {
		at = len(interp.ByteOrderMark) // no column counts it
	}
	for ; line > 1; line-- {
		end := bytes.IndexByte(source[at:], '\n')
		if end < 0 {
			return len(source)
		}
		at += end + 1
	}
	for ; column > 1 && at < len(source) && source[at] != '\n'; column-- {
		_, size := utf8.DecodeRune(source[at:])
		at += size
	}
	return at
}
