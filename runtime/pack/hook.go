package pack

import (
	"strings"
	"text/template"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// hookFacts is how a script calls a hook. Seconds bound the whole of it.
type hookFacts struct {
	Phase   plan.HookPhase
	Seconds int64
	Strict  string // "strict" or empty
}

// hookScripts tells which script runs a phase.
var hookScripts = map[plan.HookPhase]string{
	plan.BeforeInstall: "preinst", plan.AfterInstall: "postinst", plan.BeforeUpgrade: "preinst", plan.AfterUpgrade: "postinst",
	plan.BeforeRemove: "prerm", plan.AfterRemove: "postrm",
}

// hooks takes in those that a script runs.
func (f *scriptFacts) hooks(p *plan.Plan, script string) error {
	f.Script, f.Hooks, f.HookText = script, nil, ""
	var hooks []*plan.Hook
	for i := range p.Hooks {
		h := &p.Hooks[i]
		if hookScripts[h.Phase] != script {
			continue
		}
		hooks = append(hooks, h)
		facts := hookFacts{Phase: h.Phase, Seconds: (int64(h.Bound()) + 999) / 1000}
		if h.Strict {
			facts.Strict = "strict"
		}
		f.Hooks = append(f.Hooks, facts)
	}
	if len(hooks) == 0 {
		return nil
	}
	steps, err := launch.HookScript(p, hooks)
	if err != nil {
		return err
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
