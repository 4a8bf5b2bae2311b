// Package builtins is the words of the language, in Go. One table (Words) unpacks the arguments of every call, reports
// their mistakes, documents the words, and is what SPEC.md shows and completion offers.
//
//	words.go                           the table
//	word.go, unpack.go                 how a call is read by it
//	types.go, lists.go                 what parameters take
//	declare.go, parts.go, numbers.go   what each word makes
//	choose.go, alike.go                what cond and select make, of values of one kind
//	value.go, handle.go, unknown.go    the values that words return
//	node.go                            the expressions that operators make of them
//	guard*.go                          what keeps a host value from giving a silent wrong answer
//	words_tests.go, assert.go, trial*.go, bench.go   the words of test files
//	recording.go, call.go, origin.go   what an evaluation declared, by which calls, and which argument gave which field
//
// Rules:
//   - A word never stops the evaluation. What is wrong with a call is recorded, and the call gives the unknown value, or
//     a thing with a hole in it that later mistakes are not blamed for.
//   - None stands for an argument that is left out, so that functions can pass their own optional parameters on.
//   - Sizes and durations are texts with a unit; a bare number is refused where one is wanted.
//   - What the host decides is an expression. It can be calculated with and shown by fmt; it cannot be compared, tested
//     or joined to text.
//   - Types are named as authors know them, never as Go does.
//
// To add a word: one entry in words.go, one function that makes it, an example (a test evaluates it), and a golden
// mistake in package interp. Tests: the examples, the table against package plan's defaults, and SPEC.md.
package builtins
