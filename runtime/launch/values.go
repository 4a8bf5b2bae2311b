package launch

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Values writes sh for a script beside the launcher, such as one that probes: functions, then lines that set each of
// names to the value of its expression as the launcher would come to it, from the flags file, the recipe's defaults and
// the facts of the host. The script sets $root and defines `insane REASON`, which does not return.
func Values(p *plan.Plan, s *plan.Service, names []string, exprs []expr.Expr) (functionTexts, lines string, err error) {
	w := &script{plan: p, service: s, shell: expr.NewShell(p.FlagKind), used: map[string]bool{}, openly: true}
	w.flags()
	for i, e := range exprs {
		fmt.Fprintf(&w.settle, "%s=%s\n", names[i], w.text("the value of "+names[i], e))
	}
	var b strings.Builder
	for _, f := range functions {
		if w.used[f.name] && f.name != "insane" {
			b.WriteString(w.function(f.name) + "\n")
		}
	}
	b.WriteString(w.shell.Functions())
	if w.err != nil {
		return "", "", fmt.Errorf("cannot write what computes %s: %w", strings.Join(names, ", "), w.err)
	}
	return b.String(), w.shell.Facts() + w.settle.String(), nil
}
