// Package script calls the functions that a plan keeps, in a child that has nothing: whatever a function asks of the world
// it asks its parent for.
//
//	script.go   what is to be done, and what came of it
//	program.go  a plan's texts and values made a program again
//	probe.go    the object that a function is given
//	socket.go   its connections; reply.go what it is told over HTTP
//	hook.go     a hook's function, which asks for nothing and returns steps
//
// Rules:
//   - True is healthy. False, fail, an error, and anything else that a function returns are not.
//   - Steps are bounded here, memory and processor time by whoever runs the child, the time of everything by the probe.
//   - What is asked of the parent is a socket, and what is written to it and read from it. HTTP is read here.
//
// Tests: functions against real servers that answer, break off, drip, flood and hang, and ones that never end.
package script

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/runtime/plan"
)

// Steps of Starlark's machine that one call may take.
const Steps = 5_000_000

// mostLogged bounds what a function may log, in lines.
const mostLogged = 20

// Work is one call.
type Work struct {
	Service string
	Probe   plan.ScriptProbe // resolved
}

// Verdict is what came of it: no reason is healthy. Evidence is the last line that the function logged.
type Verdict struct {
	Reason   string
	Evidence string
}

// Ask asks the parent, by the name of what is wanted.
type Ask func(name string, question []byte) ([]byte, error)

// Run calls the function.
func Run(ask Ask, w Work) (v Verdict) {
	r := &run{ask: ask}
	reason := r.call(r.thread(), w)
	if n := len(r.logged); n > 0 {
		v.Evidence = r.logged[n-1]
	}
	v.Reason = reason
	return v
}

// run is one call under way.
type run struct {
	ask    Ask
	logged []string
}

// thread is bounded, and logs what is printed.
func (r *run) thread() *starlark.Thread {
	thread := &starlark.Thread{Name: "script", Print: func(_ *starlark.Thread, text string) { r.log(text) }}
	thread.SetMaxExecutionSteps(Steps)
	thread.OnMaxSteps = func(t *starlark.Thread) {
		t.Cancel(fmt.Sprintf("it took more than %d steps", Steps))
	}
	return thread
}

func (r *run) log(text string) {
	if len(r.logged) == mostLogged {
		r.logged = r.logged[1:]
	}
	r.logged = append(r.logged, text[:min(len(text), 500)])
}

// call says why the service is not healthy.
func (r *run) call(thread *starlark.Thread, w Work) string {
	function, err := program(thread, &w.Probe.Script, nil)
	if err != nil {
		return explain(err)
	}
	var arguments []starlark.Tuple
	for _, b := range w.Probe.Arguments {
		v, err := value(*b.Value)
		if err != nil {
			return explain(err)
		}
		arguments = append(arguments, starlark.Tuple{starlark.String(b.Name), v})
	}
	result, err := starlark.Call(thread, function, starlark.Tuple{r.object(w.Service)}, arguments)
	switch {
	case err != nil:
		return explain(err)
	case result == starlark.True:
		return ""
	case result == starlark.False:
		return w.Probe.Script.Function + " returned False"
	}
	return fmt.Sprintf("%s returned %s: a probe's function returns True or False", w.Probe.Script.Function, result.Type())
}

// explain is an error with the place in the recipe where it came up.
func explain(err error) string {
	var evaluation *starlark.EvalError
	if !errors.As(err, &evaluation) {
		return err.Error()
	}
	message := strings.TrimPrefix(evaluation.Msg, "fail: ")
	message = strings.TrimPrefix(message, "Starlark computation cancelled: ")
	for i := range evaluation.CallStack {
		if pos := evaluation.CallStack.At(i).Pos; pos.Line > 0 {
			return fmt.Sprintf("%s:%d: %s", pos.Filename(), pos.Line, message)
		}
	}
	return message
}
