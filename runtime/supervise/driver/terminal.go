package driver

import (
	"context"
	"fmt"
	"os"
	"sync"

	"recipe/runtime/control"
	"recipe/runtime/launch"
	"recipe/runtime/terminal"
)

// output is where the next incarnation writes: the log's pipe, or a terminal of its own, which is the caller's to close.
func (sv *service) output(spec *launch.Spec) (*os.File, error) {
	uid, gid, owned := spec.Owner()
	if !spec.Terminal {
		sv.giveUpTerminal("the recipe gives it no terminal any longer")
		if owned { // a daemon that opens /dev/stderr by name must own the pipe behind it
			if err := sv.log.Own(uid, gid); err != nil {
				sv.sup.decide(sv.name, "logs", err.Error())
			}
		}
		return sv.log.Writer(), nil
	}
	if !owned {
		uid, gid = -1, -1
	}
	t := sv.screen.Load()
	if t == nil {
		t = terminal.New(sv.log.Listen)
		sv.screen.Store(t)
	}
	return t.Open(uid, gid)
}

func (sv *service) giveUpTerminal(why string) {
	if t := sv.screen.Swap(nil); t != nil {
		t.Close(why)
	}
}

// tellViewers shows a decision to those who are attached.
func (sv *service) tellViewers(d control.Decision) {
	if t := sv.screen.Load(); t != nil {
		t.Note(fmt.Sprintf("%s: %s", d.What, d.Why))
	}
}

// Attach implements control.Backend.
func (s *Supervisor) Attach(_ context.Context, name string, caller control.Caller, how control.Attach) (control.Attachment, error) {
	sv := s.service(name)
	if sv == nil {
		return nil, s.unknown(name)
	}
	t := sv.screen.Load()
	if t == nil {
		return nil, &control.Error{Code: control.Refused, Message: fmt.Sprintf("cannot attach to %s: it has no terminal", name),
			Hint: fmt.Sprintf("recipe logs -f %s shows what it writes; terminal = True in the recipe gives it one", name)}
	}
	viewer, err := t.Attach(how.ReadOnly, terminal.Size{Columns: how.Columns, Rows: how.Rows})
	if err != nil {
		return nil, &control.Error{Code: control.Refused, Message: fmt.Sprintf("cannot attach to %s: %v", name, err)}
	}
	as := by(caller)
	if how.ReadOnly {
		as += ", to look only"
	}
	s.decide(name, "attach", "attached by "+as)
	if v := sv.snapshot(); v.pid == 0 {
		viewer.Note(fmt.Sprintf("%s is %s: %s", name, v.state(), v.machine.Reason))
	}
	return &attachment{viewer, sync.OnceFunc(func() { s.decide(name, "detach", "detached by "+as) })}, nil
}

// attachment says once that its viewer has gone.
type attachment struct {
	*terminal.Viewer
	detached func()
}

func (a *attachment) Close() error {
	err := a.Viewer.Close()
	a.detached()
	return err
}
