package interp

import (
	"fmt"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// undefinedNames reports each name that nobody gives, where it stands first.
func (e *evaluation) undefinedNames(src *source) {
	var own []string
	seen := map[string]bool{}
	first := map[string]*syntax.Ident{}
	count := map[string]int{}
	var order []string
	syntax.Walk(src.file, func(n syntax.Node) bool {
		id, ok := n.(*syntax.Ident)
		if !ok {
			return true
		}
		b, bound := id.Binding.(*resolve.Binding)
		switch {
		case bound && b.Scope == resolve.Predeclared && src.undefined[id.Name]:
			if count[id.Name]++; count[id.Name] == 1 {
				first[id.Name] = id
				order = append(order, id.Name)
			}
		case bound && !seen[id.Name] && b.Scope != resolve.Predeclared && b.Scope != resolve.Universal:
			seen[id.Name] = true
			own = append(own, id.Name)
		}
		return true
	})
	known := append(own, builtins.Names(e.words)...)
	for _, name := range order[:min(len(order), mostUndefined)] {
		d := diag.Diagnostic{Severity: diag.Error, Code: CodeUnknownWord, Word: name, At: span(first[name]), Message: "there is no such word or name", Hint: plan.Nearest(name, known)}
		if count[name] > 1 {
			d.Message += fmt.Sprintf(", here and in %d more places", count[name]-1)
		}
		switch hint, foreign := elsewhere()[name]; {
		case src.compared(first[name]):
			d.Message, d.Hint = "this argument is compared, and not given", fmt.Sprintf("write %s = ...: == compares", name)
		case foreign:
			d.Hint = hint
		case d.Hint == "":
			d.Hint = fmt.Sprintf("a text is written in quotes, %q; a name is given by %s = ... or brought by load", name, name)
		}
		e.add(d)
	}
}

// elsewhere are the names of other languages that authors bring along, and what there is here.
func elsewhere() map[string]string {
	const nothingOfTheMachine = "a recipe sees nothing of the machine; host and flag are what it may ask"
	const inTests = "this is a word of tests: `recipe test` runs the files named *_test.star"
	const unit = "a recipe is written in Starlark: service(name = \"foo\", command = [\"/usr/bin/foo\"])"
	return map[string]string{
		"true": "write True", "false": "write False", "yes": "write True", "no": "write False",
		"null": "write None", "nil": "write None", "undefined": "write None",
		"import": `load("x.star", "name") brings names from another file`, "require": `load("x.star", "name") brings names from another file`,
		"open":   "read(\"x.txt\") gives the text of a file in the recipe's folder; what lies on hosts is named with file, config and template",
		"assert": inTests, "evaluate": inTests, "golden": inTests, "probe": inTests,
		"os": nothingOfTheMachine, "sys": nothingOfTheMachine, "time": nothingOfTheMachine, "datetime": nothingOfTheMachine, "random": nothingOfTheMachine,
		"subprocess": nothingOfTheMachine, "socket": nothingOfTheMachine, "input": nothingOfTheMachine,
		"env": "a recipe sees no environment; flag declares what a host may set", "environ": "a recipe sees no environment; flag declares what a host may set",
		"format": `write fmt("...{}", value)`, "sprintf": `write fmt("...{}", value)`,
		"re": "there are no patterns: text has startswith, endswith, split, find and in", "json": "a recipe reads no JSON; write a dict",
		"sum": "write a loop: for n in numbers: total += n, in a function", "map": "write [f(x) for x in list]", "filter": "write [x for x in list if f(x)]",
		"isinstance": `write type(x) == "string"`, "round": "write int(x + 0.5)", "pow": "write the number out", "object": "write dict()",
		"__name__": "a recipe is evaluated from top to bottom; there is no main", "main": "a recipe is evaluated from top to bottom; there is no main",
		"__file__": "paths are relative to the recipe's folder", "self": "the language has no classes",
		"Exception": `fail("why") ends the evaluation with a message`, "ValueError": `fail("why") ends the evaluation with a message`, "raise": `fail("why") ends the evaluation with a message`,
		"Unit": unit, "Service": unit, "Install": unit, "program": unit,
		"exec": "run is a step of prepare or of a build; command is what a service runs", "command": "command is an argument of service and run",
		"volume": "write directory", "mkdir": "write directory", "copy": "file is a file of the package; template is one that is written before a start",
		"port": `port = flag("port", type = "port", default = 8080) gives it`,
	}
}
