package launch

import (
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// HookScript writes hooks as the part of a POSIX sh text that is called as SCRIPT hook PHASE: it carries the steps of one
// out and exits, with 0, or with ExitInsane when it has said on stderr why not. Called otherwise, it does nothing. It
// needs what Script needs, and no file of the package. It does not bound itself.
func HookScript(p *plan.Plan, hooks []*plan.Hook) ([]byte, error) {
	all := &script{plan: p, service: &plan.Service{}, shell: expr.NewShell(p.FlagKind), used: map[string]bool{}, hook: true}
	all.use("insane")
	var cases strings.Builder
	for _, h := range hooks {
		w := &script{plan: p, service: h.Launched(p), shell: all.shell, used: all.used}
		if flags := h.Flags(p); len(flags) > 0 {
			w.openly = !slices.ContainsFunc(flags, func(name string) bool { return p.Flag(name).Secret })
			w.flags()
		}
		w.values()
		if w.err != nil {
			return nil, fmt.Errorf("cannot write the hook %s: %w", h.Phase, w.err)
		}
		if account := p.Account(h.User); account != nil {
			all.service.User = h.User
			all.use("account")
			if len(account.Groups) > 0 {
				all.use("more_groups")
			}
		}
		fmt.Fprintf(&cases, "%s)\n\tservice=%s says=%s\n", h.Phase, w.service.Name, quote(fmt.Sprintf("%s: hook %s", p.Name, h.Phase)))
		if slices.ContainsFunc(h.Steps, func(s plan.Step) bool { return s.Run != nil }) {
			cases.WriteString(w.exec.String())
		}
		cases.WriteString(w.settle.String() + w.begin() + w.act.String() + "\t;;\n")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# shellcheck disable=SC2034,SC2317 # not every step reads all; a trap calls\nif [ \"${1-}\" = hook ]; then # PHASE: carries out the steps of the recipe, once\nset -u\nPATH=%s LC_ALL=C root=\nexport PATH LC_ALL\n", searchPath)
	b.WriteString(all.prelude())
	fmt.Fprintf(&b, "umask 022\ncd / || exit 1\n%s\ncase ${2-} in\n%s*)\n\techo \"usage: $0 hook PHASE\" >&2\n\texit 2\n\t;;\nesac\nexit 0\nfi\n", all.shell.Facts(), cases.String())
	return []byte(b.String()), all.err
}
