package interp

import (
	"recipe/builtins"
	"recipe/runtime/plan"
)

// Explanation is what `recipe explain CODE` says: why the code exists, a line that earns it, and what to write instead.
type Explanation struct {
	Code    string `json:"code"`
	Reason  string `json:"reason"`
	Example string `json:"example"`
	Mend    string `json:"mend"`
}

// Explanations lists every code that a diagnostic can have, in the order of an author's acquaintance with them.
func Explanations() []Explanation {
	return []Explanation{
		{CodeSyntax, "The text is not Starlark. The parser stops at the first such place.", `service(name = "foo" command = [food])`, `service(name = "foo", command = [food])`},
		{CodeUnknownWord, "A name is used that neither the language nor the recipe gives.", `servce(name = "foo", ...)`, `service(name = "foo", ...)`},
		{CodeReassigned, "A name at the top level is given once, and everywhere means the same; giving it hides a word of that name.", `stop = stop(grace = "5s")`, `gently = stop(grace = "5s")`},
		{CodeDialect, "The language has no while, so that every evaluation ends.", "while True: ...", "for i in range(10): ..."},
		{CodeRecursion, "A function that calls itself need not end.", "def f(n): return f(n - 1)", "a loop in f"},
		{CodeBudget, "An evaluation has a budget of steps, shared by all that it loads.", "for i in range(100000): for j in range(100000): ...", "write out what the recipe declares, or loop over what it has"},
		{CodeTooLarge, "A source, a number, a list or an expression is larger than a recipe needs.", "[0] * 1000000000", "a list of what is meant"},
		{CodeCannotRead, "The file cannot be opened.", "recipe check fo.star", "recipe check foo.star"},
		{CodeBadPlan, "The text begins as a plan's JSON, and is not one that this program reads.", `{"format": 0}`, "what recipe plan FILE prints"},
		{CodeCannotLoad, "A module is named by its path from the loading file or, behind //, from the recipe's folder; it ends in .star and no link leads out of the folder.", `load("/etc/x.star", "x")`, `load("lib/x.star", "x")`},
		{CodeLoadCycle, "Modules that load each other have no order to run in.", "a.star loads b.star, which loads a.star", "a third module with what both need"},
		{CodeNotExported, "The module does not give that name, or keeps it to itself by an underscore.", `load("x.star", "_deep")`, `load("x.star", "deep")`},
		{CodeFail, "The recipe, or a function that it calls, refuses by fail(...).", `fail("port below 1024")`, "what the message asks for"},
		{CodeBadCall, "A function of the recipe is called with arguments that its parameters do not take.", "def f(a): ...  f(b = 1)", "f(a = 1)"},
		{CodeEvaluation, "Starlark itself cannot go on: a missing key, an index out of range, an operator that does not fit.", `{"a": 1}["b"]`, `{"a": 1}.get("b", 0)`},

		{CodeBroken, "This program failed at an evaluation. It is never the recipe's fault.", "-", "a report of the fault, with the recipe"},

		{builtins.CodeUnknownParameter, "A word takes the parameters of its table, by these names.", "service(comand = [food])", "service(command = [food])"},
		{builtins.CodeTooMany, "Declarations take their arguments by name, so that a recipe can be read without the manual.", `service("foo", [food])`, `service(name = "foo", command = [food])`},
		{builtins.CodeRepeated, "An argument is given by its place and again by its name.", `http(80, "/", path = "/x")`, `http(80, "/x")`},
		{builtins.CodeInModule, "Only the recipe declares, so that reading it tells what it declares; a module offers functions.", `service(...) at the top of lib.star`, "def make(): service(...), called by the recipe"},
		{builtins.CodeHostValue, "Flags and facts have their values on the host where the service starts. A recipe that could branch on them would mean something else on every host, and never say so.", "if host.cpus > 4: workers = 8", "workers = clamp(host.cpus * 2, 2, 8)"},
		{builtins.CodeArithmetic, "The operator does not fit the values: a text, another unit, a division.", "host.memory // 2 + 1024", `host.memory // 2 + "1KiB"`},
		{builtins.CodeUnknownFact, "A host has the facts cpus, memory, name and arch.", "host.port", `flag("port", type = "port", default = 8080)`},
		{builtins.CodeFormat, "In a format each {} takes one value, and {{ }} stand for braces.", `fmt("--port={port}", port)`, `fmt("--port={}", port)`},

		{plan.CodeMissing, "An argument that the word cannot do without is left out or empty.", `service(name = "foo")`, `service(name = "foo", command = [food])`},
		{plan.CodeKind, "The argument is of another type than the word takes.", `require_port_free("80")`, "require_port_free(80)"},
		{plan.CodeRange, "The value is outside of what makes sense, or is no value with a unit.", `http(8080, every = "1ms")`, `http(8080, every = "5s")`},
		{plan.CodeChoice, "The text is none of the choices.", `stop(signal = "SIGTERM")`, `stop(signal = "TERM")`},
		{plan.CodeName, "Names go into files, units and packages, and each of these has a form that they must fit.", `service(name = "Foo Bar", ...)`, `service(name = "foo-bar", ...)`},
		{plan.CodeDuplicate, "Two things of a kind have one name.", `flag("port", ...) twice`, "one of them, or another name"},
		{plan.CodeUndeclared, "A name is used that the recipe does not declare.", `service(user = "foo", ...)`, `service(user = account("foo"), ...)`},
		{plan.CodePath, "Paths on hosts are absolute and clean; sources lie below the recipe's folder.", `directory("var/lib/foo")`, `directory("/var/lib/foo")`},
		{plan.CodeText, "The text holds what a file, an argument or a variable cannot.", `"a\x00b"`, `"ab"`},
		{plan.CodeApply, "A signal makes a daemon read files again; its arguments and environment it never reads again.", `level in command, with apply = signal("HUP")`, "level in a template, or apply left out"},
		{plan.CodeDaemonizes, "A supervisor knows its child. A daemon that forks away leaves it nothing to wait for.", `command = [food, "--daemonize"]`, `command = [food, "--foreground"]`},
		{plan.CodeCycle, "Services that wait for each other never start.", `a after b, b after a`, "one of the two without after"},

		{CodeNoProbe, "A daemon without a probe is restarted when it dies, but not when it hangs.", `service(name = "foo", command = [food])`, `service(..., probes = [http(8080, "/healthz")])`},
		{CodeConnectOnly, "The kernel accepts connections for a daemon that hangs, so that a connection proves little.", "tcp(80, connect_only = True)", `tcp(80, send = "PING\r\n", expect = "PONG")`},
		{CodeNothing, "A recipe that declares neither a service nor a package makes nothing; a file that is being written anew looks like one for a moment.", "x = 1", "service(...) or package(...)"},
		{builtins.CodeNote, "What a recipe prints is shown as a note.", "print(x)", "nothing: it is no mistake"},
	}
}

// Explain gives the explanation of a code.
func Explain(code string) (Explanation, bool) {
	for _, e := range Explanations() {
		if e.Code == code {
			return e, true
		}
	}
	return Explanation{}, false
}
