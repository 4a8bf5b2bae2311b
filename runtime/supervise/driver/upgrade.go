package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/handover"
	"recipe/runtime/plan"
	"recipe/runtime/systemd"
)

// An upgrade makes this process the program that is installed by now. In this order:
//
//	prove     the program, as a child, reads the state as it is now
//	gate      no order of an admin is taken any more
//	hold      services start and end nothing any more, and wait for what is under way; one that cannot undoes all so far
//	hand      nothing is read from pipes, pidfds and sockets any more; what was read is dealt with
//	become    the exec
//
// What the successor does is in resume.go.

const (
	holdPatience = 5 * time.Second // for what cannot be stopped at once
	handPatience = 2 * time.Second // for a disk to take what was logged
	mostUpgrade  = time.Minute     // all of it
	becomeAgain  = time.Second     // after an exec that failed, when there is no way back
)

// upgrade is somebody's wish for one. refused gets why it was not done; when it is done there is nobody to be told.
type upgrade struct {
	who     string
	refused chan error
}

// Upgrade implements control.Backend. On a connection that was handed on it tells what became of the wish; else it returns
// only with the reason why there was no upgrade.
func (s *Supervisor) Upgrade(ctx context.Context, by control.Caller) (control.Upgraded, error) {
	if control.HandedOn(ctx) {
		if s.failed != "" {
			return control.Upgraded{}, &control.Error{Code: control.Refused, Message: s.failed}
		}
		return control.Upgraded{Version: s.options.Version, PID: os.Getpid()}, nil
	}
	control.HandOn(ctx)
	wish := upgrade{who: by.User, refused: make(chan error, 1)}
	select {
	case s.upgrades <- wish:
	case <-s.kept:
		return control.Upgraded{}, errors.New("cannot upgrade a supervisor that is ending")
	case <-ctx.Done():
		return control.Upgraded{}, ctx.Err()
	}
	select {
	case err := <-wish.refused:
		return control.Upgraded{}, &control.Error{Code: control.Refused, Message: err.Error(), Hint: "what runs goes on under this supervisor"}
	case <-ctx.Done():
		return control.Upgraded{}, ctx.Err()
	}
}

// AskUpgrade wishes for an upgrade, as a signal does. It does not wait.
func (s *Supervisor) AskUpgrade(who string) {
	go func() {
		wish := upgrade{who: who, refused: make(chan error, 1)}
		select {
		case s.upgrades <- wish:
		case <-s.kept:
		}
	}()
}

// upgrade belongs to the supervisor's goroutine. It returns where there was no upgrade.
func (s *Supervisor) upgrade(ctx context.Context, wish upgrade) {
	if err := s.tryUpgrade(ctx, wish.who); err != nil {
		s.tell("upgrade", fmt.Sprintf("asked for by %s, and not done: %v", wish.who, err))
		wish.refused <- err
	}
}

func (s *Supervisor) tryUpgrade(ctx context.Context, who string) error {
	if s.options.Hold == nil {
		return errors.New("this supervisor cannot become another program")
	}
	c, err := s.describe()
	if err != nil {
		return err
	}
	paper, err := s.paper(c)
	if err != nil {
		return err
	}
	defer s.waits(mostUpgrade)()
	version, err := handover.Prove(ctx, paper)
	if err != nil {
		return err
	}
	if !s.closeGate(holdPatience) {
		return errors.New("an order of an operator is not written down yet: the state folder is on a disk or a network file system that hangs")
	}
	if err := s.hold(); err != nil {
		s.goOn()
		s.gate.Unlock()
		return err
	}
	_ = s.options.Init.Say(systemd.Reloading()...)
	s.tell("upgrade", fmt.Sprintf("asked for by %s: from %s to %s (%s), and what runs goes on", who, s.options.Version, version, paper.Executable))
	s.become(s.hand())
	return nil // never
}

// closeGate waits for orders that are being written down, though not for ever: nobody else's is taken meanwhile.
func (s *Supervisor) closeGate(patience time.Duration) bool {
	for deadline := time.Now().Add(patience); !s.gate.TryLock(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// tell keeps a decision that concerns every service, and shows it once.
func (s *Supervisor) tell(what, why string) {
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	for _, sv := range all {
		s.note(sv.name, what, why)
	}
	s.say("%s: %s", what, why)
}

// hold has every service start and end nothing, and waits for what is under way.
func (s *Supervisor) hold() error {
	patience := time.NewTimer(holdPatience)
	defer patience.Stop()
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	still := make([]chan struct{}, len(all))
	for i, sv := range all {
		still[i] = make(chan struct{})
		m := message{upgrading: upgrading{hold: still[i]}}
		sv.send(m)
	}
	for i, sv := range all {
		select {
		case <-still[i]:
		case <-sv.gone:
		case <-patience.C:
			return fmt.Errorf("service %s is busy: a start or a kill hangs, most likely on a disk or a network file system", sv.name)
		}
	}
	return nil
}

// goOn undoes hold.
func (s *Supervisor) goOn() {
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	for _, sv := range all {
		sv.send(message{upgrading: upgrading{goOn: true}})
	}
}

// hand ends what this process reads and writes, and returns what it has come to. Whatever fails from here on is carried as
// a loss: there is no way back but the exec.
func (s *Supervisor) hand() *carried {
	connections, err := s.controlListener().Hand()
	s.lost(err)
	host, err := s.host.Hand()
	s.lost(err)
	c := s.carry(context.Background(), func(sv *service) chan carriedService {
		give := make(chan carriedService, 1)
		sv.send(message{upgrading: upgrading{give: give}})
		return give
	})
	c.Host, c.Control, c.Roll = host, connections, s.roll.carry()
	c.Folders, c.Recipes = s.carryFolders(), s.carryRecipes(c)
	s.journal.close()
	if s.options.Leave != nil {
		s.options.Leave()
	}
	return c.carried
}

func (s *Supervisor) lost(err error) {
	if err != nil {
		s.say("upgrade: not handed on: %v", err)
	}
}

// describe is what the state would be now; nothing is disturbed by it.
func (s *Supervisor) describe() (*carried, error) {
	host, err := s.host.Describe()
	if err != nil {
		return nil, err
	}
	connections, err := s.controlListener().Describe()
	if err != nil {
		return nil, err
	}
	patience, cancel := context.WithTimeout(context.Background(), holdPatience)
	defer cancel()
	c := s.carry(patience, func(sv *service) chan carriedService {
		give := make(chan carriedService, 1)
		sv.send(message{upgrading: upgrading{describe: give}}) // one that is busy is left out: it is asked again before it counts
		return give
	})
	c.Host, c.Control = host, connections
	c.Folders, c.Recipes = s.carryFolders(), s.carryRecipes(c)
	return c.carried, nil
}

// carry asks all services for theirs, and leaves out those that do not answer before ctx ends. The services give plans and
// flags by pointer; here they get their indexes.
func (s *Supervisor) carry(ctx context.Context, ask func(*service) chan carriedService) *indexed {
	c := &indexed{carried: &carried{
		Format: carriedFormat, Name: s.named, Began: s.began.Round(0).UTC(), Plans: []*plan.Plan{}, Envs: []*expr.Env{}, Services: []carriedService{},
	}, plans: map[*plan.Plan]int{}, envs: map[*expr.Env]int{}}
	s.mu.Lock()
	all := s.all()
	s.mu.Unlock()
	gives := make([]chan carriedService, len(all))
	for i, sv := range all {
		gives[i] = ask(sv)
	}
	for i, sv := range all {
		select {
		case one := <-gives[i]:
			c.add(one)
		case <-sv.gone:
		case <-ctx.Done():
		}
	}
	return c
}

func (s *Supervisor) carryRecipes(c *indexed) []carriedRecipe {
	seen := s.watcher.Seen()
	list := []carriedRecipe{}
	for _, r := range s.recipes {
		files := map[string]string{}
		for _, file := range r.files {
			files[file] = seen[file]
		}
		list = append(list, carriedRecipe{
			File: r.file, Folder: r.folder.at(), Gone: r.gone, Heirs: r.heirs, Plan: c.plan(r.plan), Env: c.env(r.env), Fault: r.fault, Files: files, Secrets: r.secrets, Warned: r.warned,
			Denied: r.denied, Stale: r.stale, Unused: r.unused, Unread: r.unread, Refused: r.refused, Retry: r.retry,
		})
	}
	return list
}

// paper is what the state is written on.
func (s *Supervisor) paper(c *carried) (*handover.Paper, error) {
	state, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("cannot write the state down: %w", err)
	}
	descriptors := slices.Compact(slices.Sorted(slices.Values(c.descriptors())))
	return &handover.Paper{Version: s.options.Version, Executable: s.options.Executable, Arguments: os.Args, Ignored: s.options.Ignored, Descriptors: descriptors, State: state}, nil
}

// become executes the successor. Where that cannot be, it executes this very program, which goes on with the same state,
// and tries until that can be.
func (s *Supervisor) become(c *carried) {
	for {
		program := s.options.Executable
		if c.Failed != "" {
			program = "/proc/self/exe"
		}
		paper, err := s.paper(c)
		if err == nil {
			err = handover.Become(paper, program, func() bool { return s.options.Hold() && !c.Ending })
		}
		c.Ending = c.Ending || errors.Is(err, handover.ErrAsked)
		if !errors.Is(err, handover.ErrAsked) {
			if c.Failed != "" {
				time.Sleep(becomeAgain)
			}
			c.Failed = strings.TrimPrefix(err.Error(), "cannot ")
		}
	}
}
