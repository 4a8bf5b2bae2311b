package interp

// explainSources explains the codes that concern a source as a whole.
func explainSources() []Explanation {
	return []Explanation{
		{
			Code:    CodeSyntax,
			Reason:  "The text cannot be read as Starlark. The statement is left out, and the rest is judged without it.",
			Example: `service(name = "foo" command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    CodeNotText,
			Reason:  "A recipe is text in UTF-8, and reads as what it is: without control characters, and without marks that reorder a line.",
			Example: "x = \"\x07\"",
			Mend:    `x = "\x07"`,
		},
		{
			Code:    CodeTabs,
			Reason:  "Where tabs and spaces are mixed, the width of a tab would decide which block a line belongs to.",
			Example: "def f():\n        x = 1\n\treturn x",
			Mend:    "def f():\n    x = 1\n    return x",
		},
		{
			Code:    CodeUnknownWord,
			Reason:  "A name is used that neither the language nor the recipe gives.",
			Example: `servce(name = "foo", command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    CodeReassigned,
			Reason:  "A name at the top level is given once, and everywhere means the same; giving it hides a word of that name.",
			Example: `stop = stop(grace = "5s")`,
			Mend:    `gently = stop(grace = "5s")`,
		},
		{
			Code:    CodeDialect,
			Reason:  "The language has no while, so that every evaluation ends, and no classes, exceptions and imports: a recipe reads from top to bottom.",
			Example: "def ports():\n    while True:\n        pass",
			Mend:    "def ports():\n    for i in range(10):\n        pass",
		},
		{
			Code:    CodeRecursion,
			Reason:  "A function that calls itself need not end.",
			Example: "def sum(n):\n    return n + sum(n - 1) if n > 0 else 0\n\nx = sum(3)",
			Mend:    "def sum(n):\n    total = 0\n    for i in range(n + 1):\n        total += i\n    return total\n\nx = sum(3)",
		},
		{
			Code:    CodeBudget,
			Reason:  "An evaluation has a budget of steps, shared by all that it loads.",
			Example: "for i in range(1000000):\n    for j in range(1000000):\n        pass",
			Mend:    "for i in range(10):\n    for j in range(10):\n        pass",
		},
		{
			Code:    CodeMemory,
			Reason:  "An evaluation has a budget of memory. Its process ends when that is spent, and no other recipe suffers.",
			Example: "def grow():\n    s = \"a\"\n    for i in range(60):\n        s = s + s\n    return s\n\nx = grow()",
			Says:    "foo.star: the recipe cannot be evaluated: it needs more than 512 MiB of memory\n  hint:     look for a text or a list that doubles in a loop\n  [memory-budget]",
			Mend:    "x = \"a\" * 60",
		},
		{
			Code:    CodeTime,
			Reason:  "An evaluation has a budget of time, of the processor and by the clock, which steps do not count.",
			Example: "numbers = list(range(1000000))\n\ndef order():\n    for i in range(1000):\n        sorted(numbers, reverse = i % 2 == 0)\n\norder()",
			Says:    "foo.star: the recipe cannot be evaluated: it needs more than 5s of the processor\n  hint:     look for a loop over something large\n  [time-budget]",
			Mend:    "numbers = list(range(1000))",
		},
		{
			Code:    CodeTooLarge,
			Reason:  "A source, a number, a list or an expression is larger than a recipe needs.",
			Example: `padding = [0] * 1000000000`,
			Mend:    `padding = [0] * 10`,
		},
		{
			Code:    CodeCannotRead,
			Reason:  "The file cannot be opened.",
			Example: "recipe check fo.star",
			Says:    "fo.star: cannot read the recipe: no such file or directory\n  [cannot-read]",
			Mend:    "recipe check foo.star",
		},
		{
			Code:    CodeBadPlan,
			Reason:  "The text begins as a plan's JSON, and is not one that this program reads.",
			Example: `{"format": 0}`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    CodeCannotLoad,
			Reason:  "A module is named by its path from the loading file or, behind //, from the recipe's folder; it ends in .star and no link leads out of the folder.",
			Example: `load("/etc/recipes/x.star", "x")`,
			Mend:    "load(\"lib/x.star\", \"x\")\n-- lib/x.star --\nx = 1",
		},
		{
			Code:    CodeLoadCycle,
			Reason:  "Modules that load each other have no order to run in. What both need belongs into a third.",
			Example: "load(\"a.star\", \"a\")\n-- a.star --\nload(\"b.star\", \"b\")\na = b\n-- b.star --\nload(\"a.star\", \"a\")\nb = a",
			Mend:    "load(\"a.star\", \"a\")\n-- a.star --\nload(\"b.star\", \"b\")\na = b\n-- b.star --\nb = 1",
		},
		{
			Code:    CodeNotExported,
			Reason:  "The module does not give that name, or keeps it to itself by an underscore.",
			Example: "load(\"x.star\", \"deep_check\")\n-- x.star --\ndef deep_probe(port):\n    return http(port)",
			Mend:    "load(\"x.star\", \"deep_probe\")\n-- x.star --\ndef deep_probe(port):\n    return http(port)",
		},
		{
			Code:    CodeFail,
			Reason:  "The recipe, or a function that it calls, refuses by fail(...).",
			Example: "def checked(port):\n    if port < 1024:\n        fail(\"ports below 1024 are for root, not\", port)\n    return port\n\nport = checked(80)",
			Mend:    "def checked(port):\n    if port < 1024:\n        fail(\"ports below 1024 are for root, not\", port)\n    return port\n\nport = checked(8080)",
		},
		{
			Code:    CodeBadCall,
			Reason:  "A function of the recipe is called with arguments that its parameters do not take.",
			Example: "def probe(port, path = \"/\"):\n    return http(port, path)\n\np = probe(80, paht = \"/x\")",
			Mend:    "def probe(port, path = \"/\"):\n    return http(port, path)\n\np = probe(80, path = \"/x\")",
		},
		{
			Code:    CodeEvaluation,
			Reason:  "Starlark itself cannot go on: a missing key, an index out of range, an operator that does not fit.",
			Example: `port = {"http": 80}["https"]`,
			Mend:    `port = {"http": 80}.get("https", 443)`,
		},
		{
			Code:   CodeBroken,
			Reason: "This program failed at an evaluation. It is never the recipe's fault.",
			Says:   "foo.star: the evaluation broke down: a fault of this program, not of the recipe",
			Mend:   "leave out what was written last, and report the fault with the recipe",
		},
	}
}
