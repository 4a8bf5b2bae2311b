package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
	"recipe/runtime/watch"
)

// recipe is one file and what holds of it. It belongs to the supervisor's goroutine.
type recipe struct {
	file   string
	plan   *plan.Plan // the last good one; nil while there was none
	digest string
	env    *expr.Env // the last good flags; nil while there were none
	fault  string    // why env is nil
	files  []string  // that are watched
	stale  bool      // a loaded file changed while it was evaluated
	unused bool      // the file holds a newer recipe, which the flags do not fit
}

func (r *recipe) usable() int {
	if r.plan != nil {
		return 1
	}
	return 0
}

// name is the plan's, or the file's until there is a plan.
func (r *recipe) name() string {
	if r.plan != nil {
		return r.plan.Name
	}
	return strings.TrimSuffix(filepath.Base(r.file), filepath.Ext(r.file))
}

// load evaluates and stages a recipe.
func (s *Supervisor) load(ctx context.Context, r *recipe) (*plan.Plan, error) {
	p, err := s.options.Load(ctx, r.file)
	if err != nil {
		return nil, err
	}
	if len(p.Services) == 0 {
		return nil, fmt.Errorf("cannot run %s: it declares no service", r.file)
	}
	if err := flags.CheckSets(p, s.options.Sets); err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", r.file, err)
	}
	if s.options.Stage != nil {
		return s.options.Stage(ctx, r.file, p)
	}
	return p, nil
}

// flagsFile is where the recipe's flags lie under this run's root.
func (s *Supervisor) flagsFile(r *recipe) string {
	env := expr.Env{Root: s.options.Root(r.file, r.plan)}
	return env.Rooted(r.plan.FlagsPath())
}

// readFlags resolves the flags of the recipe's plan. What cannot be used is said and changes nothing.
func (s *Supervisor) readFlags(r *recipe) bool {
	resolved, err := flags.Resolve(r.plan, s.options.Root(r.file, r.plan), s.options.Sets, s.options.Facts)
	if err != nil {
		s.refuse(r, "flags", err)
		if r.env == nil {
			r.fault = err.Error()
		}
		return false
	}
	r.env, r.fault = resolved.Env, ""
	return true
}

// refuse says that a file's change is not used, for every service of the recipe, once on the terminal.
func (s *Supervisor) refuse(r *recipe, what string, err error) {
	consequence := "nothing was changed"
	if r.plan == nil || (what == "flags" && r.env == nil) {
		consequence = "its services wait until it is mended"
	}
	s.say("%s: refused: %v\n%s", r.name(), err, consequence)
	if r.plan == nil {
		return
	}
	for i := range r.plan.Services {
		s.note(r.plan.Services[i].Name, "refused "+what, err.Error()+"; "+consequence)
	}
}

// watchRecipe watches the recipe, what it loads, and its flags, which must be read after this. A loaded file that is not
// what the plan was made from any longer marks the recipe to be evaluated again.
func (s *Supervisor) watchRecipe(r *recipe) {
	sums := map[string]string{r.file: ""}
	if r.plan != nil {
		sums[s.flagsFile(r)] = ""
		for _, in := range r.plan.Inputs {
			sums[filepath.Join(filepath.Dir(r.file), filepath.FromSlash(in.Path))] = in.SHA256
		}
	}
	for file, sum := range sums {
		now, err := s.watcher.Add(file)
		if err != nil {
			s.say("%s: changes of %s will not be seen: %v", r.name(), file, err)
		}
		if content := sha256.Sum256(now.Content); sum != "" && hex.EncodeToString(content[:]) != sum {
			r.stale = true
		}
	}
	for _, file := range r.files {
		if _, still := sums[file]; !still {
			s.watcher.Remove(file)
		}
	}
	r.files = slices.Sorted(maps.Keys(sums))
}

// changed takes one change of a watched file.
func (s *Supervisor) changed(ctx context.Context, e watch.Event) {
	for _, r := range s.recipes {
		switch {
		case !slices.Contains(r.files, e.Path):
		case r.plan != nil && e.Path == s.flagsFile(r):
			s.flagsChanged(ctx, r, e)
		default:
			s.recipeChanged(ctx, r)
		}
	}
}

func (s *Supervisor) flagsChanged(ctx context.Context, r *recipe, e watch.Event) {
	if e.Err != nil {
		s.refuse(r, "flags", e.Err)
		return
	}
	if r.unused {
		s.recipeChanged(ctx, r)
		return
	}
	before := r.env
	if s.readFlags(r) {
		s.install(r, r.plan, r.plan, before, r.env)
	}
}

// recipeChanged evaluates the recipe again. The same plan as before, from another text, changes nothing.
func (s *Supervisor) recipeChanged(ctx context.Context, r *recipe) {
	r.stale = false
	next := &recipe{file: r.file, env: r.env}
	err := s.loadNext(ctx, r, next)
	if err != nil {
		s.refuse(r, "recipe", err)
		return
	}
	fits := s.readFlags(next)
	if r.unused = !fits && r.plan != nil; r.unused {
		s.say("%s: the changed recipe waits for its flags to be mended; what runs goes on", r.name())
		return
	}
	if err := s.admit(ctx, r, next.plan); err != nil {
		s.refuse(r, "recipe", err)
		return
	}
	before, env := r.plan, r.env
	r.plan, r.env, r.fault = next.plan, next.env, next.fault
	s.watchRecipe(r)
	s.install(r, before, r.plan, env, r.env)
}

func (s *Supervisor) loadNext(ctx context.Context, r, next *recipe) (err error) {
	if next.plan, err = s.load(ctx, r); err != nil {
		return err
	}
	if r.plan != nil && next.plan.Name != r.plan.Name {
		return fmt.Errorf("cannot use the changed %s: it is now called %q, and a running recipe keeps its name %q; end this supervisor and start it anew", r.file, next.plan.Name, r.plan.Name)
	}
	return nil
}

// admit claims the services that a changed recipe adds, before anything is changed, and ends what an earlier supervisor
// left of them. On an error nothing is claimed.
func (s *Supervisor) admit(ctx context.Context, r *recipe, p *plan.Plan) (err error) {
	var claimed []string
	defer func() {
		if err != nil {
			for _, name := range claimed {
				s.host.Release(name)
			}
		}
	}()
	for i := range p.Services {
		name := p.Services[i].Name
		sv := s.service(name)
		if sv != nil && !sv.leaving.Load() {
			if r.plan != nil && r.plan.Service(name) != nil {
				continue
			}
			return fmt.Errorf("cannot use the changed %s: another recipe of this supervisor has the service %q", r.file, name)
		}
		if sv != nil {
			if err := sv.wait(ctx, func(v view) bool { return v.left }); err != nil {
				return fmt.Errorf("cannot use the changed %s: the last %s is not gone yet: %w", r.file, name, err)
			}
		}
		if err := s.host.Claim(name); err != nil {
			return err
		}
		claimed = append(claimed, name)
	}
	return s.clear(ctx, claimed)
}

// install brings the services from one plan and its flags to the next, each by the smallest action that serves. before
// is nil at the start.
func (s *Supervisor) install(r *recipe, before, after *plan.Plan, oldEnv, newEnv *expr.Env) {
	digest, err := after.Digest()
	if err != nil {
		s.refuse(r, "recipe", err)
		return
	}
	r.digest = digest
	for i := range after.Services {
		spec := &after.Services[i]
		d := &definition{plan: after, spec: spec, digest: digest, env: newEnv, fault: r.fault}
		var old *plan.Service
		if before != nil {
			old = before.Service(spec.Name)
		}
		if old == nil {
			s.add(d)
			continue
		}
		if sv := s.service(spec.Name); sv != nil {
			event, later := change(before, after, old, spec, oldEnv, newEnv)
			if later != "" {
				s.decide(sv.name, "flags", later+", from the next start on")
			}
			sv.send(message{define: d, event: event})
		}
	}
	if before == nil {
		return
	}
	for i := range before.Services {
		name := before.Services[i].Name
		if sv := s.service(name); sv != nil && after.Service(name) == nil {
			sv.leave("the recipe does not declare it any longer")
		}
	}
}

// add takes a new service under supervision and starts it, unless an admin stopped it.
func (s *Supervisor) add(d *definition) {
	sv, err := s.newService(d)
	if err != nil {
		s.decide(d.spec.Name, "add", "cannot take the service under supervision: "+err.Error())
		return
	}
	s.mu.Lock()
	s.services[sv.name] = sv
	s.mu.Unlock()
	if stop, ok := readStop(s.options.StateDir, sv.name); ok {
		s.decide(sv.name, "stopped", sentence(stop))
		sv.send(message{event: supervise.Stop{Why: sentence(stop)}})
		return
	}
	sv.send(message{event: supervise.Start{Why: "declared by the recipe"}})
}

// change is what a running daemon needs so that the new plan and flags hold for it; nil for nothing. later names the
// flags that wait for its next start.
func change(oldPlan, newPlan *plan.Plan, old, spec *plan.Service, oldEnv, newEnv *expr.Env) (event supervise.Event, later string) {
	if oldEnv == nil {
		return supervise.Restart{Why: "the flags can be used now"}, ""
	}
	a, errA := old.LaunchDigest(oldPlan)
	b, errB := spec.LaunchDigest(newPlan)
	if errA != nil || errB != nil || a != b {
		return supervise.Restart{Why: "the recipe changed what the daemon is started with"}, ""
	}
	uses := spec.Uses(newPlan)
	var restart, signal, none []string
	signals := ""
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		use := uses[name]
		from, to := oldEnv.Flags[name], newEnv.Flags[name]
		if from == to || !(use.Launch || use.Template) {
			continue
		}
		what := fmt.Sprintf("flag %s: %s -> %s", name, from, to)
		switch apply := newPlan.Flag(name).Apply; apply.Action {
		case plan.ApplyRestart:
			restart = append(restart, what)
		case plan.ApplySignal:
			signal, signals = append(signal, what), apply.Signal
		case plan.ApplyNone:
			none = append(none, what)
		}
	}
	switch {
	case len(restart) > 0:
		return supervise.Restart{Why: strings.Join(slices.Concat(restart, signal, none), ", ")}, ""
	case len(signal) > 0:
		event = supervise.Reload{Signal: signals, Why: strings.Join(signal, ", ")}
	}
	return event, strings.Join(none, ", ")
}
