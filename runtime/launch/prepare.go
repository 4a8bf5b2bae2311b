package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Prepare carries out the steps in order, then asks whether the program can be run. An error is the reason why the
// environment is not sane. The working directory and the umask become the daemon's.
func (s *Spec) Prepare(ctx context.Context) error {
	id, err := s.carryOut(ctx)
	if err != nil {
		return err
	}
	if len(s.Argv) == 0 {
		return errors.New("there is no command")
	}
	if err := id.runnable(s.Argv[0]); err != nil {
		return err
	}
	return s.enterable(id)
}

// CarryOut is the steps alone, for what is never started: a hook.
func (s *Spec) CarryOut(ctx context.Context) error {
	_, err := s.carryOut(ctx)
	return err
}

func (s *Spec) carryOut(ctx context.Context) (*identity, error) {
	if err := settleProcess(); err != nil {
		return nil, err
	}
	id, err := s.lookUp()
	if err != nil {
		return nil, err
	}
	for i := range s.Steps {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := s.prepare(ctx, id, &s.Steps[i]); err != nil {
			return nil, err
		}
	}
	return id, nil
}

// enterable asks whether the daemon can start where it should.
func (s *Spec) enterable(id *identity) error {
	if s.WorkDir == "" {
		return nil
	}
	info, err := os.Stat(s.WorkDir)
	switch {
	case err != nil:
		return fmt.Errorf("there is no directory %s to start in: have a step make it", s.WorkDir)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory to start in", s.WorkDir)
	case !id.may(s.WorkDir, unix.X_OK):
		return fmt.Errorf("the directory %s to start in cannot be entered%s", s.WorkDir, id.forWhom())
	}
	return nil
}

// WriteTemplates brings templates, copies and links up to date and does nothing else: what a live change of a flag needs
// before the daemon is told to read again. Its caller keeps its umask and directory; modes do not depend on them, but those of
// missing parents do.
func (s *Spec) WriteTemplates(ctx context.Context) error {
	for i := range s.Steps {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := s.write(ctx, &s.Steps[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) prepare(ctx context.Context, id *identity, step *Step) error {
	switch {
	case step.Directory != nil:
		return step.Directory.prepare()
	case step.Run != nil:
		return step.Run.prepare(ctx, id, s.environ(), s.umask())
	case step.WaitFor != nil:
		return step.WaitFor.prepare(ctx, s.Service)
	case step.File != nil:
		return step.File.prepare(id)
	case step.FreeSpace != nil:
		return step.FreeSpace.prepare()
	case step.Memory != nil:
		return step.Memory.prepare()
	case step.Mount != nil:
		return step.Mount.prepare()
	case step.PortFree != nil:
		return step.PortFree.prepare()
	case step.Writable != nil:
		return step.Writable.prepare(id)
	}
	return s.write(ctx, step)
}

// write carries out the steps whose result a running daemon can read again.
func (s *Spec) write(ctx context.Context, step *Step) error {
	switch {
	case step.Template != nil:
		return step.Template.prepare(s.Service)
	case step.Copy != nil:
		return step.Copy.prepare(ctx, s.Service)
	case step.Symlink != nil:
		return step.Symlink.prepare(s.Service)
	}
	return nil
}

// ordinary is the umask of the steps, and the daemon's unless the recipe says another.
const ordinary = 0o022

func (s *Spec) umask() int {
	if s.Umask != nil {
		return int(*s.Umask)
	}
	return ordinary
}

// settleProcess gives us what steps and the daemon rely on.
func settleProcess() error {
	syscall.Umask(ordinary)
	if err := os.Chdir("/"); err != nil {
		return errors.New("cannot enter /: " + reason(err))
	}
	return nil
}

// environ is the daemon's environment; what a supervisor adds replaces what the recipe says.
func (s *Spec) environ() []string { return with(s.Env, s.Extra) }

// with puts NAME=value over an environment.
func with(environment, over []string) []string {
	replaced := map[string]bool{}
	for _, v := range over {
		name, _, _ := strings.Cut(v, "=")
		replaced[name] = true
	}
	var all []string
	for _, v := range environment {
		if name, _, _ := strings.Cut(v, "="); !replaced[name] {
			all = append(all, v)
		}
	}
	return append(all, over...)
}

// reason is the kernel's word for an error, spelt as the C library does, which is what sh's tools print.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}
