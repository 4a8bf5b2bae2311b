// Package repl is the authors' session: what is typed is evaluated at once, in sight of the recipe that the session began
// with and of all that was typed before.
//
// Map: Session takes one input and gives what to show (session.go), commands.go what begins with a colon, complete.go how
// a line may go on and what is known of the word at the cursor, terminal.go the line editor, pipe.go everything else that
// inputs come from. What lies behind the plan, and the machine, is reached through a Backend that the caller gives.
//
// Rules:
//   - A session is the texts that it has accepted, and nothing else: each input is evaluated with all of them anew. What
//     fails is not accepted, and leaves the session as it was.
//   - Evaluations are bounded by the backend: no input ends the session but those that say so.
//   - Nothing of the machine is changed. A prepare step is shown as what it would change; a probe asks for real.
//   - The same inputs give the same answers, through a terminal and through a pipe.
//
// Tests: tables of inputs and answers, over a backend that evaluates here; a real terminal (creack/pty) and a pipe over the
// real binary in cmd/recipe.
package repl

import (
	"context"

	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Host is what a plan is resolved under: facts by name, as a recipe's author writes them (cpus, memory, name, arch), those
// left out being this machine's, and flags as FLAG=VALUE.
type Host struct {
	Facts map[string]string
	Sets  []string
}

// Backend is what a session needs of the rest of the program. Texts that it returns are shown as they are, errors as why
// something cannot be had.
type Backend interface {
	// Evaluate evaluates a session, bounded in time and memory.
	Evaluate(ctx context.Context, q interp.SessionQuestion) (interp.SessionAnswer, error)
	// Read gives the text of the recipe that the session begins with.
	Read(file string) ([]byte, error)
	// Facts checks facts that were set.
	Facts(h Host) error
	// Resolve computes an expression of the plan.
	Resolve(p *plan.Plan, e expr.Expr, h Host) (string, error)
	// Service shows what a service would be started with.
	Service(p *plan.Plan, service string, h Host) (string, error)
	// Prepare shows, step by step, what the preparation of a service would change on this machine.
	Prepare(p *plan.Plan, service string, h Host) (string, error)
	// Probe asks a service for real.
	Probe(ctx context.Context, p *plan.Plan, service string, h Host) (string, error)
	// Diff tells what one plan in the place of another would do.
	Diff(before, after *plan.Plan) (string, error)
	// Doc explains a word or a code.
	Doc(word string) (string, error)
	// Write writes a file that is not there yet.
	Write(file, text string) error
}
