package interp

import (
	"recipe/builtins"
	"recipe/interp/parse"
)

// The codes of diagnostics that concern a source as a whole. Those of calls are in package builtins, those of plans in
// package plan.
const (
	CodeSyntax      = parse.CodeSyntax
	CodeUnknownWord = "unknown-word"
	CodeReassigned  = "reassigned"
	CodeDialect     = parse.CodeDialect
	CodeCannotLoad  = "cannot-load"
	CodeLoadCycle   = "load-cycle"
	CodeNotExported = "not-exported"
	CodeBudget      = "step-budget"
	CodeNotText     = "not-text"
	CodeTabs        = "tabs-and-spaces"
	CodeMemory      = "memory-budget"
	CodeTime        = "time-budget"
	CodeTooLarge    = builtins.CodeTooLarge
	CodeCannotRead  = "cannot-read"
	CodeBadPlan     = "bad-plan"
	CodeRecursion   = "recursion"
	CodeBadCall     = "bad-call"
	CodeFail        = "refused-by-recipe"
	CodeEvaluation  = "evaluation"

	CodeRepeated = builtins.CodeRepeated

	CodeBroken = "broken-down"

	CodeNoTests    = "no-tests"
	CodeUnresolved = "unresolved"

	CodeNothing = "declares-nothing"
)
