package pack

import (
	"strings"
	"text/template"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
	"recipe/runtime/unit"
)

// hookFacts is how a script calls a hook. Seconds bound the whole of it.
type hookFacts struct {
	Phase   plan.HookPhase
	Seconds int64
	Strict  string // "strict" or empty
	Old     string // how the script passes on what a function is told: empty, or with a space in front
}

// callSeconds are what recipe may take besides, to read the plan and to call the function.
const callSeconds = 120

// hookScripts tells which script runs a phase.
var hookScripts = map[plan.HookPhase]string{
	plan.BeforeInstall: "preinst", plan.AfterInstall: "postinst", plan.BeforeUpgrade: "preinst", plan.AfterUpgrade: "postinst",
	plan.BeforeRemove: "prerm", plan.AfterRemove: "postrm",
}

// hooks takes in those that a script runs.
func (f *scriptFacts) hooks(p *plan.Plan, script string) error {
	f.Script, f.Hooks, f.HookText, f.Functions = script, nil, "", ""
	var hooks []*plan.Hook
	var functions []string
	for i := range p.Hooks {
		h := &p.Hooks[i]
		if hookScripts[h.Phase] != script {
			continue
		}
		facts := hookFacts{Phase: h.Phase, Seconds: (int64(h.Bound()) + 999) / 1000}
		if h.Strict {
			facts.Strict = "strict"
		}
		if h.Script == nil {
			hooks = append(hooks, h)
		} else {
			facts.Seconds += callSeconds
			if h.Phase == plan.AfterUpgrade {
				facts.Old = ` "$2"`
			}
			functions = append(functions, string(h.Phase))
		}
		f.Hooks = append(f.Hooks, facts)
	}
	if len(f.Hooks) == 0 {
		return nil
	}
	f.Functions, f.Plan = strings.Join(functions, " | "), unit.Packaged(p)
	var steps []byte
	if len(hooks) > 0 {
		var err error
		if steps, err = launch.HookScript(p, hooks); err != nil {
			return err
		}
	}
	text, err := template.ParseFS(scriptTexts, "scripts/hook.sh")
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := text.Execute(&b, f); err != nil {
		return err
	}
	f.HookText = string(steps) + b.String()
	return nil
}
