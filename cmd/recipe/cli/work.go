package cli

import (
	"errors"
	"fmt"
	"io"

	"recipe/runtime/bounded"
	"recipe/runtime/errand"
	"recipe/runtime/handover"
	"recipe/runtime/process"
	"recipe/runtime/supervise/driver"
)

// work is what bounded children of this program do, by kind.
func work() map[string]bounded.Kind {
	return map[string]bounded.Kind{
		scriptKind:   bounded.Handle(scriptWork),
		hookKind:     bounded.Handle(hookWork),
		evaluateKind: bounded.Handle(evaluateWork()),
		sessionKind:  bounded.Handle(sessionWork),
		testKind:     bounded.Handle(testWork),
	}
}

// Spawned is the life of a process that this program started of itself: a launcher, a bounded child, or one that proves that it can
// take over from a supervisor. It returns for
// every other process, and must be called before anything else is done.
func Spawned(args []string) {
	if bounded.IsChild(args) {
		bounded.Serve(work())
	}
	if process.Launching(args) {
		process.Launch()
	}
	if errand.Running(args) {
		errand.Main()
	}
	if handover.Proving(args) {
		handover.Show(version(), again)
	}
}

// again shows that this program understands the command line of a supervisor and reads its state.
func again(p *handover.Paper) ([]byte, error) {
	if len(p.Arguments) == 0 {
		return nil, errors.New("there is no command line")
	}
	parser, _, err := newParser(p.Arguments[1:], io.Discard, io.Discard)
	if err == nil {
		_, err = parser.Parse(p.Arguments[1:])
	}
	if err != nil {
		return nil, fmt.Errorf("it does not understand the command line: %w", err)
	}
	return driver.Again(p.State)
}
