package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"recipe/interp/script"
	"recipe/runtime/bounded"
	"recipe/runtime/hook"
	"recipe/runtime/plan"
)

// scriptKind is the work of calling a function of a plan.
const scriptKind = "script"

func scriptWork(ask bounded.Ask, w script.Work) (script.Verdict, error) {
	return script.Run(script.Ask(ask), w), nil
}

// hookKind is the work of calling a hook's function of a plan.
const hookKind = "hook"

func hookWork(_ bounded.Ask, w script.HookWork) (script.HookSteps, error) {
	return script.RunHook(w), nil
}

// scripts calls functions of plans in bounded children. What a call may take of time is its probe's matter.
type scripts struct{ runner *bounded.Runner }

// newScripts must be closed. Children are started when they are first needed.
func newScripts() *scripts {
	return &scripts{bounded.New(bounded.Limits{Memory: 128 << 20, CPU: 5 * time.Second, Wall: 24 * time.Hour, Answer: 4 << 20}, max(runtime.NumCPU(), 2))}
}

func (s *scripts) close() { s.runner.Close() }

func (s *scripts) call(ctx context.Context, service string, probe *plan.ScriptProbe, serve func(string, []byte) ([]byte, error)) (reason, evidence string, err error) {
	v, err := bounded.Do[script.Work, script.Verdict](ctx, s.runner, scriptKind, script.Work{Service: service, Probe: *probe}, serve)
	var ended *bounded.Ended
	if errors.As(err, &ended) {
		return fmt.Sprintf("the function %s was stopped: %v", probe.Script.Function, ended), "", nil
	}
	return v.Reason, v.Evidence, err
}

// steps calls a hook's function. Said is given what it printed, a line at a time.
func (s *scripts) steps(said func(string)) hook.Function {
	return func(ctx context.Context, of *plan.Script, u plan.Upgrade) ([]plan.Step, []string, error) {
		got, err := bounded.Do[script.HookWork, script.HookSteps](ctx, s.runner, hookKind, script.HookWork{Script: *of, Upgrade: u}, nil)
		var ended *bounded.Ended
		if errors.As(err, &ended) {
			return nil, nil, fmt.Errorf("%s: the function %s was stopped: %w", of.Place(), of.Function, ended)
		}
		for _, line := range got.Printed {
			said(line)
		}
		if err == nil && got.Reason != "" {
			err = errors.New(got.Reason)
		}
		return got.Steps, got.Places, err
	}
}
