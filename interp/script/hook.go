package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"recipe/builtins"
	"recipe/runtime/plan"
)

// HookWork is one call of a hook's function.
type HookWork struct {
	Script  plan.Script // resolved
	Upgrade plan.Upgrade
}

// HookSteps are what came of it: the steps, and of each the FILE:LINE that made it, or the reason why there are none. Printed
// are the last lines that the function printed.
type HookSteps struct {
	Steps   []plan.Step
	Places  []string
	Reason  string
	Printed []string
}

// RunHook calls the function with the words that make steps.
func RunHook(w HookWork) (s HookSteps) {
	r := &run{}
	thread := r.thread()
	recording := builtins.NewRecording()
	recording.Attach(thread)
	words := starlark.StringDict{}
	for name, word := range builtins.Environment(recording) {
		if builtins.IsStep(name) {
			words[name] = word
		}
	}
	s.Reason = s.call(thread, words, recording, w)
	s.Printed = r.logged
	return s
}

func (s *HookSteps) call(thread *starlark.Thread, words starlark.StringDict, recording *builtins.Recording, w HookWork) (reason string) {
	function, err := program(thread, &w.Script, words)
	if err != nil {
		return explain(err)
	}
	upgrade := starlarkstruct.FromStringDict(starlark.String("upgrade"), starlark.StringDict{
		"phase":       starlark.String(w.Upgrade.Phase),
		"old_version": starlark.String(w.Upgrade.OldVersion),
		"new_version": starlark.String(w.Upgrade.NewVersion),
		"package":     starlark.String(w.Upgrade.Package),
	})
	result, err := starlark.Call(thread, function, starlark.Tuple{upgrade}, nil)
	if len(recording.Mistakes) > 0 {
		return mistaken(recording.Mistakes[0])
	}
	if err != nil {
		return explain(err)
	}
	steps, at, err := builtins.Returned(result)
	if err != nil {
		return w.Script.Place() + ": " + err.Error()
	}
	s.Steps = steps
	for _, pos := range at {
		s.Places = append(s.Places, fmt.Sprintf("%s:%d", pos.Filename(), pos.Line))
	}
	return ""
}

// mistaken is a mistake in the call of a word.
func mistaken(m builtins.Mistake) string {
	text := []string{fmt.Sprintf("%s:%d: %s: %s", m.Call.Site.Pos.Filename(), m.Call.Site.Pos.Line, m.Word, m.Message)}
	for _, part := range [][2]string{{"found ", m.Found}, {"accepted: ", m.Accepted}, {"", m.Hint}} {
		if part[1] != "" {
			text = append(text, part[0]+part[1])
		}
	}
	return strings.Join(text, "; ")
}
