package driver

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
	"recipe/runtime/terminal"
	"recipe/runtime/watch"
)

// resume is New for a supervisor that was handed another's state: it makes everything anew, without touching what runs. What
// can fail is done here, while there is a way back.
func resume(o Options) (s *Supervisor, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of this program: %v", fault)
		}
	}()
	c, err := decodeCarried(o.Taken.State)
	if err != nil {
		return nil, fmt.Errorf("cannot read the state: %w", err)
	}
	host, err := process.Resume(process.Options{RuntimeDir: o.RuntimeDir}, c.Host)
	if err != nil {
		return nil, err
	}
	if s, err = newSupervisor(o, host); err != nil {
		return nil, err
	}
	s.carried, s.named, s.began = c, c.Name, c.Began
	s.failed = c.Failed
	if o.Taken.Returned != "" {
		s.failed = "its successor could not go on: " + o.Taken.Returned
	}
	if s.listener, err = control.Resume(control.SocketPath(o.RuntimeDir, c.Name), o.Groups, c.Control); err != nil {
		return nil, err
	}
	s.listener.Keep(filepath.Join(o.StateDir, c.Name+".commands"))
	for _, one := range c.Services {
		d, err := c.definition(one.Name, one.Definition)
		if err != nil {
			return nil, err
		}
		if s.services[one.Name], err = s.restore(one, d, at(c.Envs, one.Live)); err != nil {
			return nil, err
		}
	}
	o.Taken.Settle()
	s.listener.Settle()
	return s, nil
}

// restore makes a service that goes on as one tells, with the flags as its daemon knows them.
func (s *Supervisor) restore(one carriedService, d *definition, live *expr.Env) (*service, error) {
	sv := s.serviceOf(d)
	sv.stalls, sv.words = one.Stalls, one.Words
	sv.live, sv.number, sv.owed = live, one.Number, one.Owed
	sv.sockets = openSockets(one.Sockets)
	sv.leaving.Store(one.Leaving)
	sv.view.since, sv.view.number = one.Since, one.Number
	if s.carried != nil && s.carried.Roll.Current == sv.name { // else it is adopted, and nothing is known of a roll
		sv.turn = turn{firstTurn, s.carried.Roll.First}
	}
	sv.tally.resume(one.Tally)
	var err error
	if one.Log != nil {
		sv.log, err = s.logs.Take(one.Log, s.options.LogDir, d.spec.Logs, sv.tee())
	} else {
		sv.log, err = s.logs.Open(s.options.LogDir, sv.name, d.spec.Logs, sv.tee())
	}
	if err != nil {
		return nil, err
	}
	if one.Terminal != nil {
		t, err := terminal.Resume(sv.log.Listen, *one.Terminal)
		if err != nil {
			return nil, err
		}
		sv.screen.Store(t)
	}
	defer func() { sv.view.machine = sv.machine }()
	if d.task == nil {
		sv.machine = one.Machine.Machine(supervise.ConfigOf(d.spec), then(one.At))
		return sv, nil
	}
	alarm, err := newAlarm(sv.ring)
	if err != nil {
		return nil, err
	}
	sv.task = &task{machine: one.Task.Task(taskConfig(d.task), then(one.At)), alarm: alarm, runs: history{one.Runs}}
	sv.machine = sv.task.machine.Machine
	return sv, nil
}

// resume goes on where the predecessor left off.
func (s *Supervisor) resume() {
	s.journal = openJournal(filepath.Join(s.options.StateDir, s.named+".journal"))
	for _, one := range s.carried.Folders {
		s.resumeFolder(one)
	}
	for _, one := range s.carried.Recipes {
		s.recipes = append(s.recipes, s.resumeRecipe(one))
	}
	// All are there before the first goes on: services look those up that they come after.
	for _, one := range s.carried.Services {
		s.services[one.Name].resume(one)
	}
	s.calm.started() // as after a burst: reading what was handed on leaves 30 MiB to nobody at 1,000 services
	s.roll.resume(s.carried.Roll)
	s.installRest()
	switch {
	case s.failed != "":
		s.tell("upgrade", "not done: "+s.failed+"; what runs goes on under "+s.options.Version)
	default:
		s.tell("upgrade", "done: this is "+s.options.Version)
	}
}

// resume has a service that was restored go on.
func (sv *service) resume(one carriedService) {
	sv.sup.roll.begins(sv.definition)
	if one.Tree {
		sv.incarnation = sv.sup.host.Attend(one.Name, sv.notify(one.Number))
	}
	if one.Hearing != nil {
		sv.hearing = sv.hearAgain(one.Hearing)
	}
	sv.begin()
	sv.send(message{upgrading: upgrading{goOn: true}})
	if sv.hearing != nil {
		sv.hearing.change(func() {}) // what it said is acted upon
	}
}

// installRest goes on with what services were still to be told of a change.
func (s *Supervisor) installRest() {
	for _, r := range s.recipes {
		if r.plan == nil {
			continue
		}
		var moves []*move
		for _, spec := range inOrder(r.plan) {
			sv, last := s.service(spec.Name), s.roll.last(spec.Name)
			if sv == nil || last.plan == r.plan && last.env == r.env {
				continue
			}
			d := &definition{plan: r.plan, spec: spec, task: r.plan.Task(spec.Name), digest: r.digest, file: r.file, env: r.env, fault: r.fault}
			moves = append(moves, &move{service: sv, to: d})
		}
		s.roll.change(r.plan.Name, moves, false)
	}
}

func (s *Supervisor) resumeRecipe(one carriedRecipe) *recipe {
	r := &recipe{
		file: one.File, folder: s.folderAt(one.Folder), gone: one.Gone, heirs: one.Heirs, plan: at(s.carried.Plans, one.Plan), env: at(s.carried.Envs, one.Env), fault: one.Fault, secrets: one.Secrets,
		warned: one.Warned, denied: one.Denied, stale: one.Stale, unused: one.Unused, unread: one.Unread, refused: one.Refused, retry: one.Retry,
	}
	if r.plan != nil {
		r.digest, _ = r.plan.Digest() // it was written and read again since the last time
	}
	for _, file := range slices.Sorted(maps.Keys(one.Files)) {
		if !s.watched(file) {
			s.watch(r, file)
		}
		r.files = append(r.files, file)
	}
	seen := s.watcher.Seen()
	for _, file := range r.files {
		if seen[file] != one.Files[file] {
			s.missed = append(s.missed, watch.Event{Path: file, Exists: true})
		}
	}
	return r
}
