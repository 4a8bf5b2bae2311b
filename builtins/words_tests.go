package builtins

import "slices"

// The words of test files are a table of their own: a recipe has none of them. They are documented like the others.

// AllTestWords returns both tables, for documentation.
func AllTestWords() []Word {
	words := slices.Concat(TestWords(nil), TrialWords(nil))
	for i := range words {
		words[i].InTests = true
	}
	return words
}

// TestWords returns the table of what test files have besides the words of recipes. b may be nil for documentation.
func TestWords(b Bench) []Word {
	message := Parameter{Name: "message", Type: textType, Default: text(""), Doc: "put before what the failure says"}
	value := func(name, doc string) Parameter {
		return Parameter{Name: name, Type: testValueType, Required: true, Positional: true, OrNone: true, Doc: doc}
	}
	inTest := func(body string) string { return "def test_example():\n    " + body }
	return []Word{
		{
			Name: "assert.eq", run: runEqual(true), Doc: "Fails the test unless two values are equal. The test goes on, so that all that fails is shown.",
			Example:    inTest(`assert.eq(sorted(["b", "a"]), ["a", "b"])`),
			Parameters: []Parameter{value("found", "what there is"), value("wanted", "what it must equal"), message},
		},
		{
			Name: "assert.ne", run: runEqual(false), Doc: "Fails the test if two values are equal.",
			Example:    inTest(`assert.ne(evaluate("foo.star").digest, "")`),
			Parameters: []Parameter{value("found", "what there is"), value("unwanted", "what it must not equal"), message},
		},
		{
			Name: "assert.true", run: runTruth(true), Doc: "Fails the test unless a value counts as true.",
			Example:    inTest(`assert.true(probe(evaluate("foo.star").probes()[0], status = 200))`),
			Parameters: []Parameter{value("value", "a condition"), message},
		},
		{
			Name: "assert.false", run: runTruth(false), Doc: "Fails the test if a value counts as true.",
			Example:    inTest(`assert.false(evaluate("foo.star").warnings)`),
			Parameters: []Parameter{value("value", "a condition"), message},
		},
		{
			Name: "assert.contains", run: runContains, Doc: "Fails the test unless a text is part of another, a value an item of a list, or a key in a dict.",
			Example:    inTest(`assert.contains(evaluate("foo.star").command(), "--port=8080")`),
			Parameters: []Parameter{value("container", "a text, list or dict"), value("item", "what must be in it"), message},
		},
		{
			Name: "assert.matches", run: runMatches, Doc: "Fails the test unless a regular expression matches some part of a text.",
			Example: inTest(`assert.matches(evaluate("foo.star").digest, "^[0-9a-f]{64}$")`),
			Parameters: []Parameter{
				{Name: "text", Type: textType, Required: true, Positional: true, Doc: "what there is"},
				{Name: "pattern", Type: textType, Required: true, Positional: true, Doc: "in the syntax of RE2"}, message,
			},
		},
		{
			Name: "assert.fails", run: runFails(b), Doc: "Fails the test unless calling a function fails, and returns the errors as recipe.errors does.",
			Example: inTest(`assert.fails(lambda: tcp(0), code = "out-of-range")`),
			Parameters: []Parameter{
				{Name: "function", Type: functionType, Required: true, Positional: true, Doc: "called without arguments"},
				{Name: "code", Type: textType, Default: text(""), Doc: "that one of the errors must have"},
				{Name: "pattern", Type: textType, Default: text(""), Doc: "a regular expression that must match the message of one"}, message,
			},
		},
		{
			Name: "evaluate", run: runEvaluate(b), Doc: "Evaluates a recipe and resolves it under the given flags, on the given host. Errors that the test does not look at fail it.",
			Example: inTest(`recipe = evaluate("foo.star", set = {"port": 9000}, host = {"cpus": 2, "memory": "1GiB"})` + "\n    " +
				`assert.eq(recipe.flags["workers"], 4)`),
			Parameters: []Parameter{
				{Name: "recipe", Type: recipeType, Required: true, Positional: true, Doc: "in the folder of the test or below, or what declares it"},
				{Name: "set", Type: settingsType, Doc: "values of flags by name; of a secret the path of its file, as in \"@/etc/foo/password\", which is not read"},
				{Name: "host", Type: hostType, Doc: "facts; 4 cpus, 8GiB, host, x86_64 unless given"},
			},
		},
		{
			Name: "golden", run: runGolden(b), Doc: "Fails the test unless a text is that of a file below testdata, in the test's folder. `recipe test --update` writes the file.",
			Example: inTest(`golden("foo.conf", evaluate("foo.star").template("/run/foo/live.conf"))`),
			Parameters: []Parameter{
				{Name: "name", Type: textType, Required: true, Positional: true, Doc: "of the file, from testdata"},
				{Name: "text", Type: textType, Required: true, Positional: true, Doc: "what it must hold"},
			},
		},
		{
			Name: "probe", run: runProbe(b), Doc: "Has a probe judge what is given in place of the service, by the same code as at run time but without a connection or a process. The answer counts as true when it is healthy; reason says why it is not.",
			Example: inTest(`liveness = evaluate("foo.star").probes()[0]` + "\n    " + `assert.contains(probe(liveness, status = 500).reason, "wanted 200")`),
			Parameters: []Parameter{
				{Name: "probe", Type: probedType, Required: true, Positional: true, Doc: "an item of recipe.probes, or a function such as script takes"},
				{Name: "reply", Type: replyType, OrNone: true, Doc: "all that the daemon says before it closes the connection; None if it says nothing in time"},
				{Name: "replies", Type: repliesType, Doc: "to one question after another, of the rounds of a tcp probe or of a function; a connection is closed behind its last one"},
				{Name: "status", Type: intType, Doc: "of an HTTP reply; 200 unless given"},
				{Name: "headers", Type: headersType, Doc: "of an HTTP reply"},
				{Name: "body", Type: bytesType, Doc: "of an HTTP reply"},
				{Name: "exit", Type: intType, Doc: "the exit code of an exec probe's command; 0 unless given"},
				{Name: "output", Type: textType, Doc: "of an exec probe's command"},
				{Name: "arguments", Type: argumentsType, Doc: "for a function that is given in place of a probe, by name"},
			},
		},
	}
}

// TrialWords returns the table of what evaluate returns has. t may be nil for documentation.
func TrialWords(t *Trial) []Word {
	inTest := func(body string) string {
		return "def test_example():\n    recipe = evaluate(\"foo.star\")\n    " + body
	}
	service := Parameter{Name: "service", Type: textType, Positional: true, Doc: "its name, where there are several"}
	started := service
	started.Doc = "its name, or that of a task, where there are several"
	return []Word{
		{Name: "recipe.plan", attribute: t.plan, Doc: "The plan as `recipe plan` prints it, as dicts and lists.", Example: inTest(`assert.eq(recipe.plan["name"], "foo")`)},
		{Name: "recipe.json", attribute: t.json, Doc: "The plan's canonical JSON, as a text.", Example: inTest(`golden("foo.json", recipe.json)`)},
		{Name: "recipe.digest", attribute: t.digest, Doc: "The plan's SHA-256 in hex.", Example: inTest(`assert.eq(len(recipe.digest), 64)`)},
		{Name: "recipe.errors", attribute: t.errors, Doc: "What makes the recipe unsound or its flags unusable: a list of errors with code, word, message, found, accepted, hint, file, line and column.",
			Example: inTest(`assert.eq([e.code for e in recipe.errors], [])`)},
		{Name: "recipe.warnings", attribute: t.warnings, Doc: "What `recipe check` warns of, with the fields of errors.", Example: inTest(`assert.eq(recipe.warnings, [])`)},
		{Name: "recipe.flags", attribute: t.flags, Doc: "The value of every flag by its name; sizes and durations are texts with a unit, lists are lists, and a secret is its name in angle brackets.", Example: inTest(`assert.eq(recipe.flags["port"], 8080)`)},
		{Name: "recipe.service", run: t.service, Doc: "A service of the plan, as a dict.", Example: inTest(`assert.eq(recipe.service("foo")["name"], "foo")`), Parameters: []Parameter{service}},
		{Name: "recipe.task", run: t.task, Doc: "A task of the plan, as a dict.",
			Example:    "def clean():\n    task(name = \"clean\", command = [\"/usr/bin/clean\"], every = \"1h\")\n\ndef test_example():\n    recipe = evaluate(clean)\n    assert.eq(recipe.task()[\"every\"], \"1h\")",
			Parameters: []Parameter{{Name: "task", Type: textType, Positional: true, Doc: "its name, where there are several"}}},
		{Name: "recipe.command", run: t.command, Doc: "The program and the arguments of a service or a task, as it gets them.", Example: inTest(`assert.eq(recipe.command("foo")[0], "/usr/bin/foo")`), Parameters: []Parameter{started}},
		{Name: "recipe.env", run: t.env, Doc: "The environment of a service or a task, whole, as a dict of texts.", Example: inTest(`assert.eq(recipe.env("foo")["LANG"], "C.UTF-8")`), Parameters: []Parameter{started}},
		{Name: "recipe.template", run: t.template, Doc: "The text of a template, by its path.", Example: inTest(`assert.eq(recipe.template("/run/foo/live.conf"), "workers 8\n")`),
			Parameters: []Parameter{{Name: "path", Type: textType, Required: true, Positional: true, Doc: "of its file"}}},
		{Name: "recipe.probes", run: t.probes, Doc: "The probes of a service, in their order, with the fields of the plan.", Example: inTest(`assert.eq(recipe.probes("foo")[0].timeout, "2s")`), Parameters: []Parameter{service}},
	}
}
