package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"recipe/builtins"
	"recipe/interp"
	"recipe/interp/repl"
	"recipe/runtime/bounded"
	"recipe/runtime/dirs"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
	"recipe/runtime/watch"
	"recipe/stdlib"
)

type replCommand struct {
	File string `arg:"" optional:"" help:"A recipe to begin with."`
}

// Help is the long text of --help.
func (*replCommand) Help() string {
	return `Evaluates what is typed at once, in sight of FILE and of all that was typed before; :help lists what else there is. FILE is loaded again whenever it changes. Nothing of this machine is changed; probes ask for real.

Without a terminal, inputs are read from standard input: answers go to stdout, errors to stderr.

Exit codes: 0 done, 1 FILE cannot be evaluated, or, without a terminal, an input failed, 2 wrong usage.`
}

// sessionKind is the work of one evaluation of a session.
const sessionKind = "session"

func sessionWork(ask bounded.Ask, q interp.SessionQuestion) (interp.SessionAnswer, error) {
	return interp.EvaluateSession(q, interp.Options{Files: askedFiles{ask}}), nil
}

// Run holds the session.
func (c *replCommand) Run(s *Streams) error {
	if c.File == "-" {
		return usagef("a session reads its inputs from standard input: name a recipe, or none")
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	e := newEvaluator(1)
	defer e.close()
	backend := &sessionBackend{evaluator: e}
	in, ok := s.In.(*os.File)
	terminal := ok && isTerminal(in) && isTerminal(os.Stdout)
	if terminal {
		w, err := watch.New(100*time.Millisecond, 5*time.Second)
		if err != nil {
			return fmt.Errorf("cannot watch the recipe: %w", err)
		}
		defer w.Close()
		backend.watcher = w
	}
	session := repl.New(backend, c.File, s.style())
	if r := session.Load(ctx); r.Error {
		fmt.Fprintln(s.Err, strings.TrimRight(r.Text, "\n"))
		return exit(exitNo)
	} else if r.Text != "" {
		fmt.Fprint(s.Err, r.Text)
	}
	if terminal {
		fmt.Fprintln(s.Err, "recipe: a session; :help lists what there is, ctrl-D ends it")
		return repl.Terminal(ctx, session, historyFile(), changesOf(backend.watcher))
	}
	if err := repl.Pipe(ctx, session, s.In, s.Out, s.Err); err != nil {
		return err
	}
	if session.Failed() {
		return exit(exitNo)
	}
	return nil
}

// historyFile is where the lines of sessions are kept, or "" where nothing can be.
func historyFile() string {
	d, err := dirs.Current()
	if err != nil || d.Make() != nil {
		return ""
	}
	path := filepath.Join(d.State, "history")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return ""
	}
	f.Close()
	return path
}

// changesOf tells of changes of watched files, until the watch ends. Several that nobody has taken yet are one.
func changesOf(w *watch.Watcher) <-chan struct{} {
	changed := make(chan struct{}, 1)
	go func() {
		for range w.Events() {
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}()
	return changed
}

// sessionBackend is what stands behind a session.
type sessionBackend struct {
	evaluator *evaluator
	watcher   *watch.Watcher // of what was read; nil through a pipe
}

// Evaluate evaluates in a bounded child.
func (b *sessionBackend) Evaluate(ctx context.Context, q interp.SessionQuestion) (interp.SessionAnswer, error) {
	folder := &interp.Folder{Path: interp.FolderOf(q.Name, "")}
	defer folder.Close()
	answer, err := bounded.Do[interp.SessionQuestion, interp.SessionAnswer](ctx, b.evaluator.runner, sessionKind, q, serveFiles(folder))
	var ended *bounded.Ended
	if errors.As(err, &ended) {
		return answer, errors.New(strings.TrimSpace(spent("the session", ended).Message))
	}
	return answer, err
}

// Read reads the recipe, and watches it from before that on, so that no change is missed.
func (b *sessionBackend) Read(file string) ([]byte, error) {
	if path, err := filepath.Abs(file); err == nil && b.watcher != nil {
		if _, err := b.watcher.Add(path); err != nil {
			return nil, err
		}
	}
	text, err := interp.Read(file, nil)
	if err != nil {
		return nil, interp.Reason(err)
	}
	return text, nil
}

// Facts are checked.
func (b *sessionBackend) Facts(h repl.Host) error {
	_, err := facts(h)
	return err
}

// facts are this machine's, but for those that were set.
func facts(h repl.Host) (expr.Facts, error) {
	f, err := expr.Host()
	if err != nil {
		return f, err
	}
	for name, text := range h.Facts {
		if err := f.Set(name, text); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (b *sessionBackend) env(p *plan.Plan, h repl.Host) (*expr.Env, error) {
	f, err := facts(h)
	if err != nil {
		return nil, err
	}
	settled, err := flags.Without(p, h.Sets, f)
	if err != nil {
		return nil, err
	}
	return settled.Env, nil
}

// Resolve computes an expression.
func (b *sessionBackend) Resolve(p *plan.Plan, e expr.Expr, h repl.Host) (string, error) {
	env, err := b.env(p, h)
	if err != nil {
		return "", err
	}
	v, err := e.Eval(env)
	if err != nil {
		return "", err
	}
	return printable(v.String()), nil
}

func (b *sessionBackend) spec(p *plan.Plan, service string, h repl.Host) (*launch.Spec, error) {
	env, err := b.env(p, h)
	if err != nil {
		return nil, err
	}
	return launch.Resolve(p, p.Service(service), env)
}

// Service shows the command and the environment.
func (b *sessionBackend) Service(p *plan.Plan, service string, h repl.Host) (string, error) {
	spec, err := b.spec(p, service, h)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	for i, a := range spec.Argv {
		fmt.Fprintf(&out, "argument %d  %s\n", i, printable(a))
	}
	for _, v := range spec.Env {
		fmt.Fprintf(&out, "variable    %s\n", printable(v))
	}
	return out.String(), nil
}

// Prepare shows what each step would change.
func (b *sessionBackend) Prepare(p *plan.Plan, service string, h repl.Host) (string, error) {
	spec, err := b.spec(p, service, h)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	for _, line := range spec.Preview() {
		fmt.Fprintln(&out, printable(line))
	}
	if out.Len() == 0 {
		out.WriteString("the service has no prepare steps\n")
	}
	return out.String(), nil
}

// Probe performs the probes of a service.
func (b *sessionBackend) Probe(ctx context.Context, p *plan.Plan, service string, h repl.Host) (string, error) {
	env, err := b.env(p, h)
	if err != nil {
		return "", err
	}
	scripts := newScripts()
	defer scripts.close()
	results, err := resolveProbes(p, []*plan.Service{p.Service(service)}, env, scripts.call)
	if err != nil {
		return "", err
	}
	runProbes(ctx, results)
	var out bytes.Buffer
	printProbes(&Streams{Out: &out}, results)
	return out.String(), nil
}

// Diff tells what a change would do.
func (b *sessionBackend) Diff(before, after *plan.Plan) (string, error) {
	d, changed, err := compare(before, after)
	if err != nil || !changed {
		return "", err
	}
	return d.text(), nil
}

// Doc explains a word, a module or function of the standard library, or a code.
func (b *sessionBackend) Doc(word string) (string, error) {
	modules, err := stdlib.Modules()
	if err != nil {
		return "", err
	}
	if found := libraryOf(modules, word); found != nil {
		return libraryText(found, word), nil
	}
	w, err := findWord(builtins.Words(), modules, word)
	if err == nil {
		var out bytes.Buffer
		explainWord(&out, &w)
		return out.String(), nil
	}
	if e, ok := interp.Explain(word); ok {
		return fmt.Sprintf("%s\n\n%s\n", e.Code, e.Reason), nil
	}
	return "", err
}

// Write writes a new file.
func (b *sessionBackend) Write(file, text string) error { return writeNew(file, []byte(text)) }
