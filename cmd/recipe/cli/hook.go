package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/hook"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

type hookCommand struct {
	Phase string   `arg:"" help:"The maintainer script that calls: preinst, postinst, prerm or postrm; or a phase of hooks, which is carried out whatever is there."`
	File  string   `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Args  []string `arg:"" optional:"" name:"arg" help:"Behind --: what the script was called with, as dpkg and rpm give it; for after_upgrade by its name, the version before, of which its function is told."`
	hostFlags
}

// Help is the long text of --help.
func (*hookCommand) Help() string {
	return `Carries out the hook of the recipe that a script's call is for, if there is one, as the scripts of a package do. Which one, is told by the arguments and by what is there: a package that was removed and kept its configuration is installed, not upgraded.

A hook is killed when the timeouts of its steps, and a minute more, are over. One that fails says why on stderr, with the way to run it again.

Exit codes: 0 done, nothing to do, or a hook failed that is not strict; 1 a strict hook failed, one that was asked for by its own name did, or the recipe is not sound; 2 wrong usage.`
}

// Run carries out the steps in this process, as exec does.
func (c *hookCommand) Run(s *Streams) error {
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	if p.Package == nil {
		return usagef("%s has no package, and hooks are a package's", p.Name)
	}
	call, h, err := c.called(p)
	if err != nil {
		return err
	}
	failed := exitDone
	if h != nil && (call == nil || h.Strict) {
		failed = exitNo
	}
	if h != nil {
		old := ""
		if call != nil {
			old = call.Old()
		} else if len(c.Args) > 0 {
			old = c.Args[0]
		}
		err = c.carryOut(s, p, h, old, func(err error) {
			fmt.Fprintf(s.Err, "%s: hook %s: %s\n%[1]s: the hook %[2]s failed; to run it again: %[4]s\n", p.Name, h.Phase, printable(launch.OneLine(err)), printable(c.again(h, old)))
			if errors.Is(err, hook.ErrStuck) {
				os.Exit(failed)
			}
		})
	}
	if err != nil && failed != exitDone {
		return exit(failed)
	}
	if call != nil {
		call.Done()
	}
	return nil
}

// called tells which hook is asked for, by its name or by the call of a script.
func (c *hookCommand) called(p *plan.Plan) (*hook.Call, *plan.Hook, error) {
	phase := plan.HookPhase(c.Phase)
	if slices.Contains(plan.HookPhases(), phase) {
		switch h := p.Hook(phase); {
		case h == nil:
			return nil, nil, usagef("%s has no hook %s", p.Name, phase)
		case len(c.Args) > 1 || len(c.Args) > 0 && (h.Script == nil || phase != plan.AfterUpgrade):
			return nil, nil, usagef("%s takes no such arguments: they are a script's, and a function's after_upgrade takes the version before", phase)
		default:
			return nil, h, nil
		}
	}
	root, err := c.root()
	if err != nil {
		return nil, nil, err
	}
	call := &hook.Call{Script: c.Phase, Args: c.Args, Name: p.Package.Name, Full: p.Package.FullVersion(), Root: root,
		Reconfigures: os.Getenv("DEBCONF_RECONFIGURE") != "", Admin: os.Getenv("DPKG_ADMINDIR")}
	if phase, err = call.Phase(); err != nil {
		return nil, nil, usageError{err.Error()}
	}
	return call, p.Hook(phase), nil
}

// carryOut gives say what went wrong.
func (c *hookCommand) carryOut(s *Streams, p *plan.Plan, h *plan.Hook, old string, say func(error)) error {
	ctx, stop := untilEnded()
	defer stop()
	env, err := c.values(p, h)
	if err == nil && h.Script != nil {
		calls := newScripts()
		defer calls.close()
		h, err = hook.Resolve(ctx, p, h, env, hook.Upgrade(p, h.Phase, old), calls.steps(func(line string) {
			fmt.Fprintf(s.Err, "%s: hook %s: %s\n", p.Name, h.Phase, printable(line))
		}))
	}
	if err == nil && len(h.Steps) > 0 {
		err = hook.Run(ctx, p, h, env, say)
	}
	if err != nil {
		say(err)
	}
	return err
}

// values leaves out what the hook does not read: a mistake there is nothing to it.
func (c *hookCommand) values(p *plan.Plan, h *plan.Hook) (*expr.Env, error) {
	used := h.Flags(p)
	if len(used)+len(c.Set) == 0 {
		return on(&c.hostFlags, p, func(_ *plan.Plan, root string, _ []string, facts expr.Facts) (*expr.Env, error) {
			return &expr.Env{Root: root, Facts: facts}, nil
		})
	}
	resolve := flags.ResolveOpenly
	if slices.ContainsFunc(used, func(name string) bool { return p.Flag(name).Secret }) {
		resolve = flags.Resolve
	}
	resolved, err := on(&c.hostFlags, p, resolve)
	if err != nil {
		return nil, err
	}
	return resolved.Env, nil
}

// again is the line that carries the hook out once more.
func (c *hookCommand) again(h *plan.Hook, old string) string {
	words := []string{"recipe", "hook"}
	for _, set := range c.Set {
		words = append(words, "--set", expr.QuoteShell(set))
	}
	if c.Root != "" {
		words = append(words, "--root", expr.QuoteShell(c.Root))
	}
	words = append(words, string(h.Phase), expr.QuoteShell(c.File))
	if h.Script != nil && old != "" {
		words = append(words, "--", expr.QuoteShell(old))
	}
	return strings.Join(words, " ")
}
