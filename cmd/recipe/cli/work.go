package cli

import (
	"recipe/runtime/bounded"
	"recipe/runtime/errand"
	"recipe/runtime/process"
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

// Spawned is the life of a process that this program started of itself: a launcher or a bounded child. It returns for
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
}
