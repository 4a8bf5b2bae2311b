package interp

import "recipe/builtins"

// The codes of diagnostics that concern a source as a whole. Those of calls are in package builtins, those of plans in
// package plan.
const (
	CodeSyntax      = "syntax"
	CodeUnknownWord = "unknown-word"
	CodeReassigned  = "reassigned"
	CodeDialect     = "not-in-the-language"
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

	CodeBroken = "broken-down"

	CodeNoTests    = "no-tests"
	CodeUnresolved = "unresolved"

	CodeNothing = "declares-nothing"
)
