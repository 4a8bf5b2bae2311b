package interp

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// pattern compiles when first asked: this program starts for every daemon, and evaluates nothing then.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var unassignedForm = pattern(`^(?:global|local) variable (\S+) referenced before assignment$`)

// describe gives Starlark's messages the words of this language.
func (e *evaluation) describe(d *diag.Diagnostic, word string) {
	d.Message = strings.TrimPrefix(d.Message, word+": ")
	if d.Code != "" {
		return // one of the language's own
	}
	d.Code = CodeEvaluation
	m := unassignedForm().FindStringSubmatch(d.Message)
	switch {
	case m != nil:
		d.Code, d.Word, d.Message, d.Hint = CodeReassigned, m[1], "this name has no value yet: it is assigned to further on, or not at all", "use it after it is assigned"
		if e.words.Has(m[1]) || starlark.Universe.Has(m[1]) {
			d.Message, d.Hint = "a name of the recipe's own hides this word", "give the name on the left of = another spelling"
		}
	case word == "fail":
		d.Code = CodeFail
	case strings.Contains(d.Message, callsItself):
		d.Code, d.Hint = CodeRecursion, "the language has no recursion, so that every evaluation ends: write a loop"
	case strings.Contains(d.Message, "host value"):
		d.Code = builtins.CodeHostValue
		d.Message = strings.NewReplacer("host value value", "a value that only the host knows", "host value", "a value that only the host knows").Replace(d.Message)
		d.Hint = builtins.HintHostValue
	default:
		translate(d)
	}
}

// failure is what an author is told of a message of Starlark that has this form; $1 and so on stand for what the form
// has in parentheses. Names of types in %1 and so on are given as authors know them.
type failure struct {
	form          *regexp.Regexp
	message, hint string
	refine        func(d *diag.Diagnostic, m []string)
}

func failures() []failure {
	of := func(form, message, hint string) failure {
		return failure{form: regexp.MustCompile("^" + form + "$"), message: message, hint: hint}
	}
	with := func(f failure, refine func(*diag.Diagnostic, []string)) failure {
		f.refine = refine
		return f
	}
	return []failure{
		with(of(`unknown binary op: (.+) (\S+|not in) (.+)`, "%1 and %3 have no $2 between them", ""), joined),
		of(`unknown unary op: (.+?) ?(\S+)`, "$1 has no meaning for %2", "it stands in front of a number"),
		with(of(`(.+) has no \.(\S+) field or method(?: \(did you mean \.(\S+)\?\))?`, "%1 has no $2", ""), attribute),
		of(`key (.+) not in dict`, "the dict has no key $1", "d.get(key, default) answers for keys that may be missing"),
		of(`duplicate key: (.+)`, "the key $1 is given twice", "leave one of them out"),
		of(`(\w+) index (-?\d+) out of range: empty \w+`, "%1 is empty, and has no item $2", "ask len(...) first"),
		with(of(`(\w+) index (-?\d+) out of range \[(-?\d+):(-?\d+)\]`, "%1 has no item $2", "the first item is 0; -1 is the last"), func(d *diag.Diagnostic, m []string) {
			d.Found, d.Accepted = m[2], m[3]+" to "+m[4]
		}),
		of(`unhandled index operation host\[.*\]`, "a fact of the host is named behind a dot", "write host.cpus"),
		of(`unhandled index operation (.+)\[(.+)\]`, "%1 has no items to name by %2", "texts, lists and dicts have"),
		of(`(.+) value does not support item assignment`, "the items of %1 cannot be changed", "those of lists and dicts can"),
		of(`can't assign to \.(\S+) field of (.+)`, "$1 of %2 cannot be changed", "give the value where the thing is made"),
		of(`invalid call of non-function \((.+)\)`, "%1 is no function, and cannot be called", "remove the brackets behind it, or the name hides a word"),
		of(`(?:.* )?(?:cannot|can't) (\S+) .*frozen (.+)`, "%2 of a loaded module does not change", "make one of your own: extra + [...], or a | {...}"),
		of(`cannot (\S+) .*(?:frozen) (.+)`, "%2 of a loaded module does not change", "make one of your own: extra + [...], or a | {...}"),
		of(`cannot (.+) during iteration`, "what a loop walks through does not change meanwhile", "collect the changes in another list"),
		of(`too many values to unpack \(got (\d+), want (\d+)\)`, "there are $1 values for $2 names", "give as many names as there are values"),
		of(`too few values to unpack \(got (\d+), want (\d+)\)`, "there are $1 values for $2 names", "give as many names as there are values"),
		of(`got (.+) in sequence assignment`, "%1 is not several values", "a list or a tuple is"),
		of(`(.+) value is not iterable`, "%1 cannot be walked through", "lists, tuples, dicts, sets and range(n) can; a text by .elems()"),
		of(`argument #\d+ is not iterable: (.+)`, "%1 cannot be walked through", "lists, tuples, dicts, sets and range(n) can; a text by .elems()"),
		of(`(?:.*: )?(?:got )?(.+?),? want iterable`, "%1 cannot be walked through", "lists, tuples, dicts, sets and range(n) can"),
		of(`(?:floored )?division by zero|(?:integer|floating-point)? ?modulo by zero|real division by zero|.*by zero`, "division by zero", "ask for zero first: x // n if n else 0"),
		of(`invalid literal with base (\d+): (.*)`, "$2 is no whole number", "digits alone: int(\"80\"); a size or duration stays a text with its unit"),
		of(`invalid float literal: (.*)`, "$1 is no number", "digits and a point: float(\"0.5\")"),
		of(`not enough arguments for format string`, "the text has more % than there are values", "give a value for each, or write %% for the sign itself"),
		of(`too many arguments for format string`, "there are more values than % in the text", "write %s for each of them"),
		of(`%(\S) format requires (\w+): .*`, "%$1 shows %2 alone", "write %s, which shows anything"),
		of(`unknown conversion %(.*)`, "%$1 shows nothing", "write %s, %d, or %% for the sign itself"),
		of(`format: tuple index out of range|tuple index out of range`, "the text has more {} than there are values", "give a value for each"),
		of(`(?:format: )?keyword (\S+) not found`, "no value is called $1", "give it by its name: format($1 = ...)"),
		of(`(?:.*: )?unmatched '(.)' in format|single '(.)' in format`, "a brace stands alone in the text", "write {{ and }} for braces themselves"),
		of(`key (.+) is unhashable|unhashable(?: type)?: (.+)`, "%1$2 cannot be a key", "texts, numbers and tuples of them can"),
		of(`(?:sorted|min|max|sort): .*|(.+) (<|>|<=|>=) (.+) not implemented`, "%1 and %3 have no order", "compare values of one type, or give key = ..."),
		of(`value of type (\S+) has no len`, "%1 has no length", "texts, lists, dicts and sets have"),
		of(`argument is an empty sequence`, "there is no value to choose from", "ask len(...) first, or add a value that always holds"),
		of(`in list, want string, got (.+)`, "an item of the list is %1, and texts are joined", "str(n) makes a text of a number: [str(n) for n in list]"),
		of(`got (\d+) arguments, want (.+)`, "the word is given $1 arguments, and takes $2", ""),
		of(`got (\S+) for (\S+), want (.+)`, "$2 is %1, and %3 is wanted", ""),
		of(`for parameter (\d+): got (.+), want (.+)`, "argument $1 is %2, and %3 is wanted", ""),
		of(`for parameter (.+): got (.+), want (.+)`, "$1 is %2, and %3 is wanted", ""),
		of(`got (.+), want (.+)`, "%1 stands where %2 is wanted", ""),
		of(`missing argument for (\S+)`, "the argument $1 is missing", "add it"),
		of(`unexpected keyword argument "?([^"]+?)"?(?: \(did you mean (\S+)\?\))?`, "there is no parameter $1", ""),
		of(`unexpected keyword arguments?`, "this word takes no arguments by name", "give them by their place"),
		of(`pop: .*index out of range.*|index out of range.*`, "there is no such item", "ask len(...) first"),
		of(`(?:substring|.*) not found|.*element not in list|value not in list|.*missing key`, "what is looked for is not there", "ask for it first: x in list"),
	}
}

// translate takes the first form that fits.
func translate(d *diag.Diagnostic) {
	for _, f := range failures() {
		m := f.form.FindStringSubmatch(d.Message)
		if m == nil {
			continue
		}
		fill := func(template string) string {
			for i := len(m) - 1; i > 0; i-- {
				n := fmt.Sprint(i)
				template = strings.ReplaceAll(template, "%"+n, typeName(m[i]))
				template = strings.ReplaceAll(template, "$"+n, m[i])
			}
			return template
		}
		d.Message, d.Hint = fill(f.message), fill(f.hint)
		if f.refine != nil {
			f.refine(d, m)
		}
		return
	}
}

// typeName is a type of Starlark in an author's words, with its article.
func typeName(name string) string {
	switch name {
	case "string":
		return "a text"
	case "int", "integer":
		return "a whole number"
	case "float":
		return "a number with a fraction"
	case "bool":
		return "a truth value"
	case "NoneType":
		return "None"
	case "builtin_function_or_method":
		return "a word of the language"
	case "function":
		return "a function"
	case "list", "dict", "set", "tuple", "range", "bytes", "directory", "file", "config", "template", "service", "account", "run", "tcp", "http":
		return "a " + name
	}
	return name
}

// joined says how a text and another value come together.
func joined(d *diag.Diagnostic, m []string) {
	one, op, other := m[1], m[2], m[3]
	switch {
	case op == "+" && (one == "string") != (other == "string"):
		d.Hint = `str(n) makes a text of a number: "--port=" + str(n)`
	case op == "+" && (one == "list" || other == "list"):
		d.Hint = "lists are joined to lists: list + [item]"
	case op == "|" || op == "&" || op == "^":
		d.Hint = "| joins dicts and sets; and, or, not work on truth values"
	case op == "in" || op == "not in":
		d.Hint = "in asks a list, a dict, a set or a text"
	default:
		d.Hint = "both sides are of one type: int(\"80\") makes a number, str(80) a text"
	}
	d.Found = fmt.Sprintf("%s %s %s", typeName(one), op, typeName(other))
}

// attribute names what the type has instead.
func attribute(d *diag.Diagnostic, m []string) {
	name, wanted := m[1], m[2]
	values := map[string]starlark.HasAttrs{"string": starlark.String(""), "list": starlark.NewList(nil), "dict": starlark.NewDict(0), "set": starlark.NewSet(0), "bytes": starlark.Bytes("")}
	known, ok := values[name]
	d.Found = wanted
	if !ok {
		switch {
		case m[3] != "":
			d.Hint = fmt.Sprintf("did you mean %q?", m[3])
		case name == "directory" || name == "file" || name == "config" || name == "template":
			d.Hint = "a handle is a path wherever one is wanted: name it alone"
		}
		return
	}
	d.Accepted = strings.Join(known.AttrNames(), ", ")
	if d.Hint = plan.Nearest(wanted, known.AttrNames()); m[3] != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", m[3])
	}
	if other, ok := map[string]string{"push": "append", "add": "append", "size": "len(...)", "length": "len(...)", "lenght": "len(...)", "toLowerCase": "lower", "lowercase": "lower", "trim": "strip",
		"contains": "in: x in list", "has_key": "in: key in dict", "includes": "in: x in list", "match": "startswith, endswith, find", "encode": "the text itself", "items_list": "items"}[wanted]; ok {
		d.Hint = "write " + other
	}
}
