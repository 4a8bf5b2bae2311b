// Package stage makes a recipe's software run from its source tree: the build steps are run in the recipe's folder, the
// package's contents are laid out below a root, and accounts that are not there are done without. `recipe run --dev`
// and `recipe build` begin with it.
//
// Rules:
//   - A build step sees the variables of Environment and nothing else, and runs without a shell.
//   - Sources are opened below the recipe's folder; a link that leads out of it is an error.
//   - A staged file is replaced by rename, so that a program that runs is never written to.
//
// Tests: real files, links that lead out, a program replaced while it runs.
package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"recipe/runtime/contents"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Environment is what build steps are given of the caller's variables: where to find tools, where these keep caches,
// and the time that reproducible builds agree on.
func Environment() []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "SOURCE_DATE_EPOCH", "XDG_CACHE_HOME",
		"GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GOSUMDB", "GONOSUMDB", "GOPRIVATE",
	} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, "LC_ALL=C.UTF-8", "TZ=UTC")
}

// Build runs the package's build steps one after another in dir, the recipe's folder, with their output on out. The
// error names the step that did not end with 0 in its time. The first word of a step is looked up on PATH.
func Build(ctx context.Context, p *plan.Plan, dir string, out io.Writer) error {
	if p.Package == nil {
		return nil
	}
	for i := range p.Package.Build {
		if err := runStep(ctx, &p.Package.Build[i], dir, out); err != nil {
			return fmt.Errorf("cannot build %s: %w", p.Package.Name, err)
		}
	}
	return nil
}

func runStep(ctx context.Context, step *plan.Run, dir string, out io.Writer) error {
	argv, err := constants(step.Command)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, step.Timeout.Std())
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, Environment(), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the step %q took longer than its timeout of %s", strings.Join(argv, " "), step.Timeout)
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the step %q was interrupted", strings.Join(argv, " "))
	case err != nil:
		return fmt.Errorf("the step %q: %w", strings.Join(argv, " "), err)
	}
	return nil
}

func constants(command []expr.Expr) ([]string, error) {
	argv := make([]string, len(command))
	for i, e := range command {
		v, err := e.Eval(&expr.Env{})
		if err != nil {
			return nil, err
		}
		argv[i] = v.String()
	}
	return argv, nil
}

// Contents lays the package's files out below root. dir is the recipe's folder. Owners are the caller's.
func Contents(p *plan.Plan, dir, root string) error {
	if p.Package == nil {
		return nil
	}
	sources, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot stage %s: %w", p.Package.Name, err)
	}
	defer sources.Close()
	list, err := contents.List(p.Package, sources)
	if err != nil {
		return fmt.Errorf("cannot stage %s: %w", p.Package.Name, err)
	}
	for _, e := range list {
		if err := lay(sources, e, root); err != nil {
			return fmt.Errorf("cannot stage %s at %s: %w", cmp.Or(e.Source, e.Path), filepath.Join(root, e.Path), err)
		}
	}
	return nil
}

func lay(sources *os.Root, e contents.Entry, root string) error {
	target := filepath.Join(root, e.Path)
	switch {
	case e.Directory:
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		return os.Chmod(target, permissions(e.Mode))
	case e.Target != "":
		return link(e.Target, target, root)
	}
	return file(sources, e, target)
}

// link leads below the root where the target is a path. Only a link is replaced.
func link(to, target, root string) error {
	if filepath.IsAbs(to) {
		to = filepath.Join(root, to)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(target); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return errors.New("it is something else already: move it away")
	}
	return renameio.Symlink(to, target)
}

// permissions are what whoever calls gives: set-user-id and the like are for the accounts of a host.
func permissions(m plan.Mode) os.FileMode { return os.FileMode(m) & os.ModePerm }

func file(sources *os.Root, c contents.Entry, target string) error {
	source, err := sources.Open(filepath.FromSlash(c.Source))
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	pending, err := renameio.NewPendingFile(target, renameio.WithPermissions(permissions(c.Mode)))
	if err != nil {
		return err
	}
	defer pending.Cleanup()
	if _, err := io.Copy(pending, source); err != nil {
		return err
	}
	return pending.CloseAtomicallyReplace()
}

// Unprivileged returns the plan as whoever calls can run it below a root: no service or task has a user, no step or socket an owner,
// and nothing has to be mounted there.
func Unprivileged(p *plan.Plan) *plan.Plan {
	local := *p
	local.Services = make([]plan.Service, len(p.Services))
	for i, s := range p.Services {
		s.User, s.Prepare, s.Listen = "", withoutOwners(s.Prepare), slices.Clone(s.Listen)
		for j := range s.Listen {
			s.Listen[j].Owner, s.Listen[j].Group = "", ""
		}
		local.Services[i] = s
	}
	local.Tasks = make([]plan.Task, len(p.Tasks))
	for i, t := range p.Tasks {
		t.User, t.Prepare = "", withoutOwners(t.Prepare)
		local.Tasks[i] = t
	}
	return &local
}

func withoutOwners(steps []plan.Step) []plan.Step {
	all := make([]plan.Step, 0, len(steps))
	for _, step := range steps {
		if step.RequireMount == nil {
			all = append(all, withoutOwner(step))
		}
	}
	return all
}

func withoutOwner(step plan.Step) plan.Step {
	switch {
	case step.Directory != nil:
		d := *step.Directory
		d.Owner, d.Group = "", ""
		return plan.Step{Directory: &d}
	case step.Template != nil:
		t := *step.Template
		t.Owner, t.Group = "", ""
		return plan.Step{Template: &t}
	case step.Copy != nil:
		c := *step.Copy
		c.Owner, c.Group = "", ""
		return plan.Step{Copy: &c}
	}
	return step
}
