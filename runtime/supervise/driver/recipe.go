package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/plan"
	"recipe/runtime/supervise"
	"recipe/runtime/watch"
)

// recipe is one file and what holds of it. It belongs to the supervisor's goroutine.
type recipe struct {
	file    string
	folder  *folder    // that it lies in, where that was given and not the file
	gone    bool       // from its folder
	heirs   []string   // files that came when it went
	plan    *plan.Plan // the last good one; nil while there was none
	digest  string     // of the plan
	env     *expr.Env  // the last good flags; nil while there were none
	fault   string     // why env is nil
	files   []string   // that are watched
	secrets []string   // those of them that hold secrets
	warned  []string   // what was said of its flags
	denied  string     // why its flags were refused last, though a file's mode or owner may be mended unseen
	unread  bool       // its flags are refused; the last good ones hold
	stale   bool       // a file that it loads for the first time changed while it was evaluated
	unused  bool       // the file holds a newer recipe, which the flags do not fit
	refused string     // why what the file holds now cannot be used; "" where it is, or where the flags are the reason
	retry   bool       // try it again by and by
	lacks   bool       // a service of it could not be added; likewise

	pause time.Duration // before it is tried again
	due   time.Time     // when; zero for never
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
	defer s.waits(mostLoad)()
	p, err := s.options.Load(ctx, r.file)
	if err != nil {
		return nil, err
	}
	if len(p.Services)+len(p.Tasks) == 0 {
		return nil, fmt.Errorf("cannot run %s: it declares no service and no task", r.file)
	}
	if len(s.recipes) == 1 || r.plan != nil { // of several, boot asks when all have been read
		if err := flags.CheckSets(p, s.setsFor(r.file, p)); err != nil {
			return nil, fmt.Errorf("cannot run %s: %w", r.file, err)
		}
	}
	if s.options.Stage != nil {
		if p, err = s.options.Stage(ctx, r.file, p); err != nil {
			return nil, stageError{err}
		}
	}
	return p, nil
}

// mostLoad bounds an evaluation, and, of --dev, a build that nobody believes to hang.
const mostLoad = 10 * time.Minute

// stageError is a build or a layout that did not succeed: too much work to be tried again before something changed.
type stageError struct{ error }

// refuseRecipe says why the recipe is not used. It is tried again by and by, since what is wrong may lie where nobody
// watches: in a module that the last good recipe did not load, in another recipe, in a machine without memory. again is
// set for such a try, which says nothing that was said.
func (s *Supervisor) refuseRecipe(r *recipe, err error, again bool) {
	known := again && r.refused == err.Error()
	r.refuses(err)
	if !known {
		s.refuse(r, "recipe", err)
	}
}

func (r *recipe) refuses(err error) {
	var staged stageError
	r.refused, r.retry, r.unused = err.Error(), !errors.As(err, &staged), false
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
	for _, spec := range r.plan.Launches() {
		s.note(spec.Name, "refused "+what, err.Error()+"; "+consequence)
	}
}

// watchRecipe watches the recipe, what it loads, and its flags, which must be read after this. A file that is watched for
// the first time and is not what the plan was made from any longer marks the recipe to be evaluated again. One that is
// watched already is not added anew: that would swallow a change that was not told yet, to this recipe or to another.
func (s *Supervisor) watchRecipe(r *recipe) {
	sums := map[string]string{r.file: ""}
	if r.plan != nil {
		sums[s.flagsFile(r)] = ""
		for _, file := range r.secrets {
			sums[file] = ""
		}
		for _, in := range r.plan.Inputs {
			sums[filepath.Join(filepath.Dir(r.file), filepath.FromSlash(in.Path))] = in.SHA256
		}
	}
	for file, sum := range sums {
		if s.watched(file) {
			continue
		}
		now := s.watch(r, file)
		if content := sha256.Sum256(now.Content); sum != "" && hex.EncodeToString(content[:]) != sum {
			r.stale = true
		}
	}
	before := r.files
	r.files = slices.Sorted(maps.Keys(sums))
	for _, file := range before {
		if !s.watched(file) {
			s.watcher.Remove(file)
		}
	}
}

// watch begins to watch a file, and says, once for each reason, that changes may be missed or seen late.
func (s *Supervisor) watch(r *recipe, file string) watch.Event {
	now, err := s.watcher.Add(file)
	if err != nil {
		s.say("%s: changes of %s will not be seen: %v", r.name(), file, err)
	} else if slow := s.watcher.Slow(file); slow != nil && !slices.Contains(s.slow, slow.Error()) {
		s.slow = append(s.slow, slow.Error())
		s.say("%s: %s is looked at every %s, and whatever else is like it: %v", r.name(), file, filesPoll, slow)
	}
	return now
}

// watched reports whether a recipe depends on the file.
func (s *Supervisor) watched(file string) bool {
	return slices.ContainsFunc(s.recipes, func(r *recipe) bool { return slices.Contains(r.files, file) })
}

// changed takes one change of a watched file.
func (s *Supervisor) changed(ctx context.Context, e watch.Event) {
	if e.Path == s.options.RuntimeDir {
		s.keepSocket()
		return
	}
	for _, f := range s.folders {
		if f.path == e.Path {
			s.folderChanged(ctx, f, e)
			return
		}
	}
	for _, r := range s.recipes {
		switch {
		case !slices.Contains(r.files, e.Path):
		case r.folder != nil && e.Path == r.file && !e.Exists: // its folder tells
		case r.plan != nil && (e.Path == s.flagsFile(r) || slices.Contains(r.secrets, e.Path)):
			s.flagsChanged(ctx, r, e)
		default:
			s.recipeChanged(ctx, r, false)
		}
	}
}

// recipeChanged evaluates the recipe again. The same plan as before, from another text, changes nothing. again is set
// where nothing is known to have changed.
func (s *Supervisor) recipeChanged(ctx context.Context, r *recipe, again bool) {
	r.stale = false
	next := &recipe{file: r.file, env: r.env, warned: r.warned}
	err := s.loadNext(ctx, r, next)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.refuseRecipe(r, err, again)
		return
	}
	s.watchFlags(r, s.flagsFile(next))
	next.files = slices.Clone(r.files)
	fits := s.readFlags(next)
	r.files = next.files
	if r.unused = !fits && r.plan != nil; r.unused {
		r.refused, r.retry = "", false
		s.say("%s: the changed recipe waits for its flags to be mended; what runs goes on", r.name())
		return
	}
	if err := s.admit(r, next.plan); err != nil {
		s.refuseRecipe(r, err, again)
		r.retry = r.retry && (s.options.Stage == nil || errors.Is(err, errStillEnding))
		return
	}
	r.refused, r.retry = "", false
	before := r.plan
	r.plan, r.env, r.fault, r.unread, r.secrets, r.warned = next.plan, next.env, next.fault, next.unread, next.secrets, next.warned
	s.watchRecipe(r)
	s.install(r, before, r.plan, r.env)
}

func (s *Supervisor) loadNext(ctx context.Context, r, next *recipe) (err error) {
	if next.plan, err = s.load(ctx, r); err != nil {
		return err
	}
	if r.plan != nil && next.plan.Name != r.plan.Name {
		return fmt.Errorf("cannot use the changed %s: it is now called %q, and a running recipe keeps its name %q; end this supervisor and start it anew", r.file, next.plan.Name, r.plan.Name)
	}
	if r.plan == nil {
		return nil
	}
	for _, spec := range next.plan.Launches() {
		if r.plan.Launch(spec.Name) != nil && (r.plan.Task(spec.Name) == nil) != (next.plan.Task(spec.Name) == nil) {
			return fmt.Errorf("cannot use the changed %s: of the two %q, one is a service and the other a task; give the new one another name, or end this supervisor and start it anew", r.file, spec.Name)
		}
	}
	return nil
}

var errStillEnding = errors.New("which is still being ended: it is used when that is gone")

// admit claims the services that a changed recipe adds, before anything is changed. On an error nothing is claimed.
func (s *Supervisor) admit(r *recipe, p *plan.Plan) (err error) {
	var claimed []string
	defer func() {
		if err != nil {
			for _, name := range claimed {
				s.host.Release(name)
			}
		}
	}()
	for _, spec := range p.Launches() {
		name := spec.Name
		if r.plan != nil && r.plan.Launch(name) != nil {
			continue
		}
		sv := s.service(name)
		if sv != nil && !sv.leaving.Load() {
			who := "another recipe of this supervisor"
			if other := s.recipeOf(name); other != nil {
				who = other.file
			}
			return fmt.Errorf("cannot use %s: %s has the service %q already; give one of them another name", r.file, who, name)
		}
		if sv != nil { // departed will tell
			return fmt.Errorf("cannot use the changed %s yet: it declares %s again, %w", r.file, name, errStillEnding)
		}
		if err := s.host.Claim(name); err != nil {
			return err
		}
		claimed = append(claimed, name)
	}
	return nil
}

// install brings the services from one plan and its flags to the next, each by the smallest action that serves. before
// is nil at the start.
func (s *Supervisor) install(r *recipe, before, after *plan.Plan, newEnv *expr.Env) {
	digest, err := after.Digest()
	if err != nil {
		s.refuse(r, "recipe", err)
		return
	}
	r.digest, r.lacks = digest, false
	// All are there before the first is told anything: services look those up that they come after.
	var fresh, kept []*service
	definitions := map[string]*definition{}
	for _, spec := range inOrder(after) {
		d := &definition{plan: after, spec: spec, task: after.Task(spec.Name), digest: digest, file: r.file, env: newEnv, fault: r.fault}
		definitions[spec.Name] = d
		if sv := s.service(spec.Name); sv != nil {
			kept = append(kept, sv)
		} else if sv := s.add(d); sv != nil {
			fresh = append(fresh, sv)
		} else {
			r.lacks = true
		}
	}
	var moves []*move
	for _, sv := range kept {
		moves = append(moves, &move{service: sv, to: definitions[sv.name]})
	}
	s.roll.change(after.Name, moves, before != nil)
	for _, sv := range fresh {
		s.start(sv)
	}
	if before != nil {
		s.drop(before, after, "the recipe does not declare it any longer")
	}
}

// drop ends the services that the recipe does not declare any longer.
func (s *Supervisor) drop(before, after *plan.Plan, why string) {
	for _, spec := range before.Launches() {
		name := spec.Name
		if after.Launch(name) != nil {
			continue
		}
		s.roll.forget(name)
		if sv := s.service(name); sv != nil {
			sv.leave(why)
		} else {
			s.host.Release(name) // it was claimed, and could not be added
		}
	}
}

// add takes a new service under supervision, or says why not.
func (s *Supervisor) add(d *definition) *service {
	sv, err := s.newService(d)
	if err != nil {
		s.decide(d.spec.Name, "add", "cannot take the service under supervision, which is tried again: "+err.Error())
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[sv.name] = sv
	s.roll.begins(d)
	return sv
}

// start starts a new service, unless an admin keeps it down.
func (s *Supervisor) start(sv *service) {
	if held := sv.wishes(); held.down() != "" {
		s.decide(sv.name, "stopped", held.down())
		sv.send(message{event: supervise.Stop{Why: held.down()}})
		return
	}
	sv.send(message{event: supervise.Start{Why: "declared by the recipe"}})
}

// change is what a running daemon needs so that the new plan and flags hold for it. later names the flags that wait for
// its next start.
func change(oldPlan, newPlan *plan.Plan, old, spec *plan.Service, oldEnv, newEnv *expr.Env) (events []supervise.Event, later string) {
	restart := func(why string) []supervise.Event { return []supervise.Event{supervise.Restart{Why: why}} }
	if oldEnv == nil {
		return restart("the flags can be used now"), ""
	}
	a, errA := old.LaunchDigest(oldPlan)
	b, errB := spec.LaunchDigest(newPlan)
	if errA != nil || errB != nil || a != b {
		return restart("the recipe changed what the daemon is started with"), ""
	}
	uses := spec.Uses(newPlan)
	var anew, signals, none []string // what changed, but for signals: those, in order
	reload := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		use := uses[name]
		from, to := oldEnv.Flags[name], newEnv.Flags[name]
		if from == to || !(use.Launch || use.Template) {
			continue
		}
		what := fmt.Sprintf("flag %s: %s -> %s", name, from, to)
		if newPlan.Flag(name).Secret {
			what = fmt.Sprintf("flag %s: another secret", name)
		}
		switch apply := newPlan.Flag(name).Apply; apply.Action {
		case plan.ApplyRestart:
			anew = append(anew, what)
		case plan.ApplySignal:
			if reload[apply.Signal] == nil {
				signals = append(signals, apply.Signal)
			}
			reload[apply.Signal] = append(reload[apply.Signal], what)
		case plan.ApplyNone:
			none = append(none, what)
		}
	}
	for _, signal := range signals {
		if len(anew) > 0 {
			anew = append(anew, reload[signal]...)
		} else {
			events = append(events, supervise.Reload{Signal: signal, Why: strings.Join(reload[signal], ", ")})
		}
	}
	if len(anew) > 0 {
		return restart(strings.Join(append(anew, none...), ", ")), ""
	}
	return events, strings.Join(none, ", ")
}
