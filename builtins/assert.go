package builtins

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// The codes of tests that fail: an assertion does not hold, a text is not that of its golden file, and a recipe that is
// not sound is asked for what it means.
const (
	CodeAssertion = "assertion"
	CodeGolden    = "golden"
	CodeNoResult  = "no-result"
)

var (
	testValueType = &Type{"value", "any value", readAny} // starlark.Value
	functionType  = &Type{"function", "a function without parameters, as in lambda: tcp(0)", func(it *item, v starlark.Value) any {
		if f, ok := v.(starlark.Callable); ok {
			return f
		}
		return it.mismatch(v, it.parameter.Type.Accepted, "write lambda: before a call, so that it is made where its failure is expected")
	}} // starlark.Callable
)

// failed reports that an assertion does not hold, at one of its arguments.
func failed(r *Recording, a *arguments, parameter string, d diag.Diagnostic) starlark.Value {
	d.Code = CodeAssertion
	if message := get[string](a, "message"); message != "" {
		d.Message = message + ": " + d.Message
	}
	r.report(a.call, Whole(parameter), d)
	return starlark.None
}

// unanswered reports a comparison that has no answer in a test: one with a value of the host, or one that cannot be made.
func unanswered(r *Recording, a *arguments, parameter string, v starlark.Value, err error) starlark.Value {
	var d diag.Diagnostic
	if err != nil {
		d = Explain(err)
	} else {
		d = diag.Diagnostic{Code: CodeHostValue, Message: fmt.Sprintf("%s cannot be compared: %s", v, onlyOnHost), Found: show(v), Hint: "evaluate(..., set = ..., host = ...) gives what a recipe comes to on a host"}
	}
	r.report(a.call, Whole(parameter), d)
	return starlark.None
}

// compared gives two arguments, unless one is missing or there is no answer yet.
func compared(r *Recording, a *arguments, op syntax.Token, left, right string) (x, y starlark.Value, ok bool) {
	x, y = get[starlark.Value](a, left), get[starlark.Value](a, right)
	if x == nil || y == nil {
		return nil, nil, false // reported
	}
	i, v, err := clash(op, x, y)
	if v != nil || err != nil {
		unanswered(r, a, []string{left, right}[min(i, 1)], v, err)
		return nil, nil, false
	}
	return x, y, true
}

// runEqual is assert.eq and assert.ne.
func runEqual(wanted bool) func(*Recording, *arguments) starlark.Value {
	other := map[bool]string{true: "wanted", false: "unwanted"}[wanted]
	return func(r *Recording, a *arguments) starlark.Value {
		x, y, ok := compared(r, a, syntax.EQL, "found", other)
		if !ok {
			return starlark.None
		}
		equal, err := starlark.Equal(x, y)
		switch {
		case err != nil:
			return unanswered(r, a, "found", nil, err)
		case equal == wanted:
			return starlark.None
		case !wanted:
			return failed(r, a, "found", diag.Diagnostic{Message: "the values are equal", Found: show(x)})
		}
		return failed(r, a, "found", differ(x, y))
	}
}

// differ shows two values: short ones as they are, longer ones by their difference.
func differ(found, wanted starlark.Value) diag.Diagnostic {
	d := diag.Diagnostic{Message: "the values differ", Found: show(found), Accepted: show(wanted)}
	x, y := written(found), written(wanted)
	if strings.Count(x, "\n") < 2 && strings.Count(y, "\n") < 2 && len(x) <= brief && len(y) <= brief {
		if isList(found) {
			d.Found = strings.TrimSpace(x)
		}
		if isList(wanted) {
			d.Accepted = strings.TrimSpace(y)
		}
		return d
	}
	d.Found, d.Accepted, d.Lines = "", "", Difference(x, y)
	return d
}

func isList(v starlark.Value) bool {
	_, ok := v.(starlark.Iterable)
	return ok
}

// whole is a list or dict with what is in it, unless there is too much to look through.
func whole(v starlark.Value) string {
	if _, err := look(v, false); err != nil {
		return describe(v)
	}
	return clip(v.String(), 400)
}

// Difference is the unified difference of two texts, by lines; what is wanted is marked by -, what was found by +.
func Difference(found, wanted string) []string {
	text := string(diff.Diff("wanted", []byte(wanted), "found", []byte(found)))
	_, text, _ = strings.Cut(text, "\n")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// brief is what stands on one line of a difference, in characters.
const brief = 60

// written is a value as lines: texts as they are, lists and dicts with an item a line where they are long.
func written(v starlark.Value) string {
	if s, ok := v.(starlark.String); ok && strings.Contains(string(s), "\n") {
		return string(s)
	}
	var b strings.Builder
	write(&b, v, "")
	b.WriteByte('\n')
	return b.String()
}

func write(b *strings.Builder, v starlark.Value, indent string) {
	text := v.String()
	if len(text) <= brief || len(indent) > deepest {
		b.WriteString(text)
		return
	}
	inner := indent + "    "
	switch v := v.(type) {
	case *starlark.Dict:
		items := v.Items()
		slices.SortFunc(items, func(x, y starlark.Tuple) int { return strings.Compare(x[0].String(), y[0].String()) })
		b.WriteString("{\n")
		for _, kv := range items {
			b.WriteString(inner + kv[0].String() + ": ")
			write(b, kv[1], inner)
			b.WriteString(",\n")
		}
		b.WriteString(indent + "}")
	case starlark.Sequence:
		b.WriteString("[\n")
		for x := range starlark.Elements(v) {
			b.WriteString(inner)
			write(b, x, inner)
			b.WriteString(",\n")
		}
		b.WriteString(indent + "]")
	default:
		b.WriteString(text)
	}
}

// runTruth is assert.true and assert.false.
func runTruth(wanted bool) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		v := get[starlark.Value](a, "value")
		if v == nil {
			return starlark.None // reported
		}
		if host, ok := v.(*Value); ok {
			return unanswered(r, a, "value", host, nil)
		}
		if bool(v.Truth()) == wanted {
			return starlark.None
		}
		d := diag.Diagnostic{Message: "the value counts as false", Found: show(v)}
		if !wanted {
			d.Message = "the value counts as true"
		}
		if isList(v) {
			d.Found = whole(v)
		}
		return failed(r, a, "value", d)
	}
}

func runContains(r *Recording, a *arguments) starlark.Value {
	item, container, ok := compared(r, a, syntax.IN, "item", "container")
	if !ok {
		return starlark.None
	}
	in, err := starlark.Binary(syntax.IN, item, container)
	switch {
	case err != nil:
		return failed(r, a, "container", diag.Diagnostic{Message: "this holds no such item", Found: show(container), Accepted: "a text beside a text, a list, or a dict"})
	case bool(in.Truth()):
		return starlark.None
	}
	return failed(r, a, "container", diag.Diagnostic{Message: "the item is missing", Found: whole(container), Accepted: "something with " + show(item)})
}

func runMatches(r *Recording, a *arguments) starlark.Value {
	pattern, ok := expression(r, a)
	if found := get[string](a, "text"); ok && !a.call.Spoilt(Whole("text")) && !pattern.MatchString(found) {
		return failed(r, a, "text", diag.Diagnostic{Message: "the pattern does not match", Found: clip(fmt.Sprintf("%q", found), 400), Accepted: fmt.Sprintf("%q", pattern)})
	}
	return starlark.None
}

// expression reads the argument pattern.
func expression(r *Recording, a *arguments) (*regexp.Regexp, bool) {
	pattern, err := regexp.Compile(get[string](a, "pattern"))
	if err != nil {
		r.report(a.call, Whole("pattern"), diag.Diagnostic{Code: plan.CodeKind, Message: "this is no regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "),
			Found: clip(fmt.Sprintf("%q", get[string](a, "pattern")), 80), Accepted: "the syntax of RE2"})
	}
	return pattern, err == nil && !a.call.Spoilt(Whole("pattern"))
}

func runFails(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		f := get[starlark.Callable](a, "function")
		pattern, ok := expression(r, a)
		if f == nil || !ok {
			return unknown{} // reported
		}
		caught := slices.DeleteFunc(b.Catch(f), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
		code := get[string](a, "code")
		switch {
		case len(caught) == 0:
			return failed(r, a, "function", diag.Diagnostic{Message: "the call did not fail"})
		case code != "" && !slices.ContainsFunc(caught, func(d diag.Diagnostic) bool { return d.Code == code }):
			return failed(r, a, "code", diag.Diagnostic{Message: "the call failed with another code", Found: codesOf(caught), Accepted: code, Hint: plan.Nearest(code, codeList(caught))})
		case !slices.ContainsFunc(caught, func(d diag.Diagnostic) bool { return pattern.MatchString(d.Message) }):
			return failed(r, a, "pattern", diag.Diagnostic{Message: "the call failed with another message", Found: caught[0].Message, Accepted: fmt.Sprintf("%q", pattern)})
		}
		return errorList(caught)
	}
}

func codeList(list diag.List) []string {
	var codes []string
	for _, d := range list {
		if !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
		}
	}
	return codes
}

func codesOf(list diag.List) string { return strings.Join(codeList(list), ", ") }

func runGolden(b Bench) func(*Recording, *arguments) starlark.Value {
	return func(r *Recording, a *arguments) starlark.Value {
		if len(a.call.spoilt) == 0 {
			if fault := b.Golden(get[string](a, "name"), get[string](a, "text")); fault != nil {
				r.report(a.call, Whole(fault.Parameter), fault.Diagnostic)
			}
		}
		return starlark.None
	}
}
