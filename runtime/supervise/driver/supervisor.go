// Package driver gives the machines of package supervise their processes, clocks, probes and files.
//
// A service's Machine belongs to the goroutine that empties its mailbox, through which everything that happens to the service
// reaches it: nothing that a service does, not even a spawn that hangs, is waited for by another, and one at rest has none. One goroutine keeps the recipes:
// it watches recipe and flags files and tells services what changed. Messages for the terminal pass through a bounded
// queue, so that a terminal that does not read stops nobody.
//
// Rules:
//   - A mistake in a file changes nothing: the last good plan and the last good flags hold, for restarts too.
//   - A service is claimed before it is touched, and what an earlier supervisor left of it is ended before its first start,
//     which no other service waits for.
//   - An admin's stop or quarantine lies in the state directory before it takes effect.
//   - A command is answered when its effect has been seen.
//   - A supervisor becomes its successor with all that it holds (upgrade.go, handing.go, resume.go; what is carried is in
//     carried.go), or goes on as if nothing had been asked.
//
// Where things are:
//
//	supervisor.go                       the supervisor's own life
//	keep.go, recipe.go, flags.go,       files, and what their changes do, one service after another
//	folder.go, roll.go, set.go
//	service.go, mailbox.go, view.go     a service: its goroutine, and what others see of it
//	act.go, admission.go, ending.go,    what its machine orders
//	sockets.go, terminal.go
//	probes.go, await.go, hear.go        probes that ask, and those that wait for what the daemon says
//	task.go, history.go, alarm.go       tasks, their past and their clock
//	backend.go, admin.go, events.go,    what operators command and are told, over supervisors
//	journal.go
//	metrics.go, tally.go, init.go,      what others are told
//	means.go
//	calm.go, program.go                 memory that is given back
//
// Tests: real processes under a real supervisor, here and in package e2e.
package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/handover"
	"recipe/runtime/logs"
	"recipe/runtime/metrics"
	"recipe/runtime/notify"
	"recipe/runtime/plan"
	"recipe/runtime/probe"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
	"recipe/runtime/systemd"
	"recipe/runtime/watch"
)

// Options of a supervisor. Load evaluates a recipe file and must not trust it; its error is shown as it is. Stage, where
// set, is called with each plan before it is used and may change it: --dev builds and stages there.
type Options struct {
	Recipes    []string // files
	Sets       []string // flag=value, over every flags file
	RuntimeDir string
	StateDir   string
	LogDir     string
	Groups     control.Groups // who may read and command beside root and this user
	Facts      expr.Facts
	Root       func(file string, p *plan.Plan) string // in front of every declared path; "" or "/" for none
	Load       func(ctx context.Context, file string) (*plan.Plan, error)
	Stage      func(ctx context.Context, file string, p *plan.Plan) (*plan.Plan, error)
	Scripts    probe.Scripts                     // calls the functions of probes; nil where none can be called
	Say        func(line string)                 // a message for the terminal; must not block
	Tee        func(service string, line []byte) // the daemons' output for the terminal; nil for none
	Metrics    *metrics.Address                  // where they are served; nil for nowhere
	Init       *systemd.Init                     // who started this process and listens to it; nil for none

	// For upgrades; without Hold there are none.
	Version    string          // of this program
	Executable string          // where it is installed
	Ignored    []int           // signals that it was told to ignore
	Hold       func() bool     // as of handover.Become
	Leave      func()          // ends what was made for the functions above; nothing of them is called any more
	Taken      *handover.Taken // what a predecessor handed on; nil for none
}

// Supervisor runs the services of some recipes until its context ends. It implements control.Backend.
type Supervisor struct {
	options  Options
	host     *process.Host
	logs     *logs.Collector
	journal  *journal
	watcher  *watch.Watcher
	listener *control.Listener
	stall    *probe.Stall
	hub      notify.Hub
	calm     *calm
	lifeline lifeline
	slots    chan struct{} // starts under way, over all services
	idle     chan *service // to whoever waits for one to attend to
	idlers   atomic.Int32  // how many do
	ended    chan struct{} // closed when Run returns
	roll     *roll
	folders  []*folder     // likewise
	recipes  []*recipe     // owned by Run's goroutine
	slow     []string      // as well: why files have to be looked at, as it was said
	retry    time.Duration // until a recipe that was refused is tried again, at first
	departed chan struct{} // a service that was to end has ended

	listenRetry time.Duration // until a change that could not open its sockets is

	settings chan *setting
	kept     chan struct{} // closed once nobody takes settings any longer
	began    time.Time
	named    string           // of the journal and the control socket
	upgrades chan upgrade     // wishes
	gate     sync.RWMutex     // held by every order of an admin, and by an upgrade for good
	carried  *carried         // by a predecessor, until it was resumed
	adopted  []carriedService // of one that was killed, likewise
	failed   string           // why the last upgrade was not done, after all
	missed   []watch.Event    // changes while nobody watched

	mu       sync.Mutex
	shown    []metrics.Recipe
	told     int // notes of the host that were shown
	services map[string]*service
	stopping bool
	running  sync.WaitGroup // services that have not ended
}

// startsPerCPU bounds the starts under way at once: a start is mostly CPU time of the launcher, so more of them only
// make each slower.
const startsPerCPU = 2

// slotHold is how long a start may keep its slot: a preparation that hangs must not stop the others.
const slotHold = time.Second

// filesPoll is how often files are looked at whose changes the kernel may not tell of.
const filesPoll = 5 * time.Second

// New makes the process host; nothing is started yet. The directories must be there, and safe.
func New(o Options) (*Supervisor, error) {
	if o.Taken != nil {
		return resume(o)
	}
	host, err := process.NewHost(process.Options{RuntimeDir: o.RuntimeDir})
	if err != nil {
		return nil, err
	}
	return newSupervisor(o, host)
}

func newSupervisor(o Options, host *process.Host) (*Supervisor, error) {
	watcher, err := watch.New(100*time.Millisecond, filesPoll)
	if err != nil {
		return nil, err
	}
	collector, err := logs.NewCollector()
	if err != nil {
		return nil, err
	}
	s := &Supervisor{
		options: o, host: host, logs: collector, watcher: watcher, stall: probe.NewStall(nil), calm: newCalm(), lifeline: newLifeline(), began: time.Now(),
		slots: make(chan struct{}, startsPerCPU*runtime.NumCPU()),
		idle:  make(chan *service), ended: make(chan struct{}),
		upgrades: make(chan upgrade),
		services: map[string]*service{}, retry: 5 * time.Second, listenRetry: listenRetry, departed: make(chan struct{}, 1),
		settings: make(chan *setting), kept: make(chan struct{}),
	}
	s.roll = newRoll(s)
	return s, nil
}

// Run supervises until ctx ends, and then stops every service; an urgent ctx that ends as well cuts their grace short.
// It fails at once when no recipe can be used or a service belongs to another supervisor.
func (s *Supervisor) Run(ctx, urgent context.Context) (err error) {
	defer close(s.ended)
	defer s.watcher.Close()
	defer s.hub.Close()
	defer s.calm.end()
	defer s.logs.Close()
	defer func() {
		if closed := s.host.Close(); err == nil {
			err = closed
		}
	}()
	defer func() {
		if s.journal != nil {
			s.journal.close()
		}
	}()
	resumed := s.carried != nil
	if resumed {
		var end context.CancelFunc
		ctx, end = context.WithCancel(ctx)
		defer end()
		if s.resume(); s.carried.Ending {
			end()
		}
		s.carried = nil
	} else if err := s.boot(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // asked to end before anything was started
		}
		return err
	}
	serving, stopServing := context.WithCancel(context.Background())
	defer stopServing()
	var served sync.WaitGroup
	served.Go(func() { s.serve(serving, s.listener) })
	if s.options.Metrics != nil {
		served.Go(func() { s.serveMetrics(serving, *s.options.Metrics) })
	}

	served.Go(func() { s.tellInit(serving, resumed) })

	_, _ = s.watcher.AddFolder(s.options.RuntimeDir)
	s.keepSocket()
	s.keep(ctx)
	served.Go(func() { s.tellStopping(serving) })
	err = s.shutdown(urgent)
	stopServing()
	served.Wait()
	return err
}

// boot loads the recipes, claims their services and starts them.
func (s *Supervisor) boot(ctx context.Context) error {
	s.calm.hurry()
	loaded := 0
	var faults []error
	for _, file := range s.options.Recipes {
		if err := s.given(file); err != nil {
			return err
		}
	}
	for _, r := range s.recipes {
		s.watchRecipe(r) // before it is read, so that no change is missed
		_ = s.options.Init.Say(systemd.Extend(mostLoad))
		p, err := s.load(ctx, r)
		if err != nil {
			r.refuses(err)
			faults = append(faults, err)
			continue
		}
		r.plan = p
		loaded++
	}
	if loaded == 0 && len(s.folders) == 0 {
		return errors.Join(faults...)
	}
	for _, err := range faults {
		s.say("%v", err)
	}
	if err := s.checkSets(); err != nil {
		return err
	}
	// The first recipe that can be used names the supervisor.
	slices.SortStableFunc(s.recipes, func(a, b *recipe) int { return b.usable() - a.usable() })
	s.named = s.name()
	s.journal = openJournal(filepath.Join(s.options.StateDir, s.named+".journal"))
	if err := s.claim(); err != nil {
		return err
	}
	for _, r := range s.recipes {
		s.watchRecipe(r)
		if r.plan != nil {
			s.readFlags(r)
		}
	}
	s.endUndeclared(ctx, s.adopt(s.options.Init.Kept()))
	socket := control.SocketPath(s.options.RuntimeDir, s.named)
	var err error
	if s.listener, err = s.open(ctx, socket); err != nil {
		return err
	}
	s.say("supervising %s; kept together by %s; logs in %s", strings.Join(s.options.Recipes, ", "), s.host.Containment(), s.options.LogDir)
	s.goOnWithAdopted()
	for _, r := range s.recipes {
		if r.plan != nil {
			s.install(r, nil, r.plan, r.env)
		}
	}
	return nil
}

// checkSets refuses what was said wrong on the command line: no change of a file mends it.
func (s *Supervisor) checkSets() error {
	var errs []error
	for _, r := range s.recipes {
		if r.plan == nil {
			continue
		}
		if err := flags.CheckSets(r.plan, s.setsFor(r.file, r.plan)); err != nil {
			errs = append(errs, fmt.Errorf("cannot run %s: %w", r.file, err))
		}
	}
	return errors.Join(errs...)
}

// claim takes every service for this supervisor.
func (s *Supervisor) claim() error {
	var names []string
	for _, r := range s.recipes {
		if r.plan == nil {
			continue
		}
		for _, spec := range r.plan.Launches() {
			name := spec.Name
			if !slices.Contains(names, name) {
				continue
			}
			err := fmt.Errorf("cannot run %s: another of these recipes declares %q too", r.file, name)
			if r.folder == nil {
				return err
			}
			r.plan = nil
			s.refuseRecipe(r, err, false)
			break
		}
		if r.plan != nil {
			for _, spec := range r.plan.Launches() {
				names = append(names, spec.Name)
			}
		}
	}
	slices.Sort(names) // in one order, so that two supervisors do not each take what the other lacks
	for _, name := range names {
		if err := s.host.Claim(name); err != nil {
			return err
		}
	}
	return nil
}

// socketRetry is the pause before a control socket that broke is made anew.
const socketRetry = 5 * time.Second

// open makes the control socket at path.
func (s *Supervisor) open(ctx context.Context, path string) (*control.Listener, error) {
	if err := s.makeRuntime(); err != nil {
		return nil, err
	}
	l, err := control.Listen(ctx, path, s.options.Groups)
	if err == nil {
		l.Keep(filepath.Join(s.options.StateDir, strings.TrimSuffix(filepath.Base(path), control.Suffix)+".commands"))
	}
	return l, err
}

// makeRuntime makes the folder again that somebody removed.
func (s *Supervisor) makeRuntime() error {
	if _, err := os.Lstat(s.options.RuntimeDir); err == nil || !os.IsNotExist(err) {
		return err
	}
	err := os.MkdirAll(s.options.RuntimeDir, 0o700)
	if err == nil && s.options.Groups != (control.Groups{}) {
		err = os.Chmod(s.options.RuntimeDir, 0o755)
	}
	return err
}

// keepSocket has a control socket made anew whose file somebody removed or moved away, so that nobody finds it any longer.
func (s *Supervisor) keepSocket() {
	if l := s.controlListener(); l != nil && !l.Stands() {
		l.Close()
	}
}

// serve answers operators until ctx ends. A socket that breaks is made anew: the services go on without it.
func (s *Supervisor) serve(ctx context.Context, l *control.Listener) {
	path := l.Path()
	for {
		var err error
		if l != nil {
			err = l.Serve(ctx, s)
		}
		if ctx.Err() != nil {
			return
		}
		if l != nil {
			s.say("the control socket broke, and is made anew in %s: %v", socketRetry, err)
		}
		if !sleep(ctx, socketRetry) {
			return
		}
		if l, err = s.open(ctx, path); err != nil {
			s.say("%v", err)
			l = nil
			continue
		}
		s.mu.Lock()
		s.listener = l
		s.mu.Unlock()
	}
}

// controlListener is the one that is served now, or was served last.
func (s *Supervisor) controlListener() *control.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener
}

// stuckPatience is how long a supervisor that was asked twice to end waits for what was killed and does not die.
const stuckPatience = 10 * time.Second

// shutdown stops every service without noting an admin's stop, and returns when nothing of them is left. Once urgent, what
// the kernel does not let die is the error: a successor starts nothing of its service before it is gone.
func (s *Supervisor) shutdown(urgent context.Context) error {
	s.mu.Lock()
	s.stopping = true
	s.roll.close()
	all := s.all()
	s.mu.Unlock()
	for _, sv := range all {
		sv.leave("the supervisor is ending")
	}
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-urgent.Done():
	}
	for _, sv := range all {
		sv.send(message{event: supervise.Hasten{Why: "asked twice to end"}})
	}
	select {
	case <-done:
		return nil
	case <-time.After(stuckPatience):
	}
	var names []string
	s.mu.Lock()
	for _, sv := range s.all() {
		names = append(names, sv.name)
	}
	s.mu.Unlock()
	return fmt.Errorf("cannot end %s: what was killed does not die, and is most likely stuck in the kernel, on a disk or a network file system; it is left there, and the next supervisor starts nothing in its place before it is gone", strings.Join(names, ", "))
}

// all returns the services by name. The caller holds mu.
func (s *Supervisor) all() []*service {
	all := make([]*service, 0, len(s.services))
	for _, sv := range s.services {
		all = append(all, sv)
	}
	slices.SortFunc(all, func(a, b *service) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return all
}

func (s *Supervisor) service(name string) *service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.services[name]
}

// tellNotes shows, once each, what this host cannot enforce.
func (s *Supervisor) tellNotes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := s.host.Notes()
	for _, note := range notes[s.told:] {
		s.note("", "note", note)
		s.say("%s", note)
	}
	s.told = len(notes)
}

func (s *Supervisor) say(format string, args ...any) { s.options.Say(fmt.Sprintf(format, args...)) }

// note keeps a decision for `why`.
func (s *Supervisor) note(service, what, why string) {
	s.journal.write(control.Event{Decision: control.Decision{Time: time.Now(), Service: service, What: what, Why: why}})
}

// decide keeps a decision and shows it.
func (s *Supervisor) decide(service, what, why string) {
	s.note(service, what, why)
	s.say("%s: %s: %s", service, what, why)
}
