// Package cli is the command line: one file a verb, each a struct whose fields are its flags and arguments and whose Run
// wires the packages that do the work.
//
// Rules:
//   - Answers go to stdout, everything else to stderr. Where there is an answer, --json gives it as JSON.
//   - Exit codes: 0 done; 1 the answer is no, or it could not be done; 2 wrong usage; 100 from exec, where the service
//     cannot be started here. Nothing is done when the usage is wrong.
//   - FILE is a recipe, or a plan's JSON, or - for standard input.
//   - What comes from daemons and files is shown without control characters; logs alone are shown as they are.
//   - Recipes and plans are evaluated in bounded children, never in this process (evaluate.go). A kind of work that
//     children do is one entry in work.go.
//   - No verb waits for ever without being told to.
//
// Tests: transcripts of the real command in cmd/recipe/testdata, and a fake supervisor for what talks to one.
package cli

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// commands are the verbs in the order of the help text.
type commands struct {
	Check    checkCommand    `cmd:"" help:"Evaluate, validate and lint recipes."`
	Test     testCommand     `cmd:"" help:"Run authors' tests."`
	Plan     planCommand     `cmd:"" help:"Print what a recipe means, as JSON."`
	Fmt      fmtCommand      `cmd:"" help:"Give recipes the one layout."`
	Doc      docCommand      `cmd:"" help:"Explain the words that a recipe is written in."`
	Explain  explainCommand  `cmd:"" help:"Explain the code of a diagnostic."`
	Diff     diffCommand     `cmd:"" help:"Tell what a changed recipe, plan or package would do, service by service."`
	Init     initCommand     `cmd:"" help:"Begin a recipe, from a template or from what there is."`
	Repl     replCommand     `cmd:"" help:"Hold a session: evaluate what is typed, at once."`
	Build    buildCommand    `cmd:"" help:"Build packages; print one path a line."`
	Launcher launcherCommand `cmd:"" help:"Print the POSIX sh launcher of a service, run-SERVICE."`
	Unit     unitCommand     `cmd:"" help:"Render init units."`
	Run      runCommand      `cmd:"" help:"Supervise the services of recipes, in the foreground."`
	Exec     execCommand     `cmd:"" help:"Prepare, then become the daemon."`
	Hook     hookCommand     `cmd:"" help:"Carry out what a maintainer script is called for."`
	Probe    probeCommand    `cmd:"" help:"Run a service's probes once: 0 healthy, 1 not."`
	Simulate simulateCommand `cmd:"" help:"Tell what years of a recipe's delays and probes give; what to change."`
	Flags    flagsCommand    `cmd:"" help:"List the flags of a recipe with their values on this host."`
	Status   statusCommand   `cmd:"" help:"Show the services of the running supervisors."`
	Why      whyCommand      `cmd:"" help:"Show what a supervisor decided about a service, and why."`
	Start    startCommand    `cmd:"" help:"Start services that were stopped."`
	Stop     stopCommand     `cmd:"" help:"Stop services; they stay stopped until they are started."`
	Restart  restartCommand  `cmd:"" help:"Restart services."`

	Quarantine quarantineCommand `cmd:"" help:"Stop services and keep everyone from starting them."`
	Release    releaseCommand    `cmd:"" help:"End the quarantine of services."`
	Signal     signalCommand     `cmd:"" help:"Send a signal to a service's daemon."`
	Set        setCommand        `cmd:"" help:"Set flags of a running recipe, in the host's flags file."`
	Events     eventsCommand     `cmd:"" help:"Show what supervisors see and decide, as it happens."`
	Logs       logsCommand       `cmd:"" help:"Show what a service wrote."`
	Attach     attachCommand     `cmd:"" help:"Show a service's terminal, and type into it."`

	Completion completionCommand `cmd:"" help:"Print the script by which a shell completes recipe's lines."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Tell how a line may go on."`

	Color   string           `enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"Colour diagnostics: auto (on a terminal, unless NO_COLOR is set), always or never."`
	Version kong.VersionFlag `help:"Print the version."`
}

// Streams are a command's standard input and outputs.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	Color string // of what goes to Err: always, never, or whatever Err is when anything else

	asked *asked     // listens before the command line is parsed; nil for most verbs
	ahead *evaluator // started before the command line is parsed, which takes as long as a child's start; nil for most verbs
}

// evaluator gives the evaluator of a command. It must be closed.
func (s *Streams) evaluator() *evaluator {
	if s.ahead != nil {
		return s.ahead
	}
	return newEvaluator(runtime.GOMAXPROCS(0))
}

// evaluates lists the verbs that evaluate as soon as the command line is parsed.
var evaluates = []string{"check", "plan", "build", "launcher", "unit", "exec", "hook", "probe", "simulate"}

// Main runs the command line, args[0] included, and returns its exit code. A process that this program started of
// itself never returns from it.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	Spawned(args)
	out := &answerWriter{to: stdout}
	s := &Streams{In: stdin, Out: out, Err: stderr}
	if len(args) > 1 && args[1] == "run" {
		s.asked = listen()
	}
	if len(args) > 2 && slices.Contains(evaluates, args[1]) {
		s.ahead = newEvaluator(runtime.GOMAXPROCS(0))
		s.ahead.runner.Start()
		defer s.ahead.close()
	}
	err := run(args[1:], s)
	if out.err != nil { // whatever else failed came of it
		err = fmt.Errorf("cannot write the answer: %w", out.err)
	}
	return exitCode(s.Err, err)
}

// grammar points to what the command line is parsed by: all commands, or the one that the line begins with where it
// evaluates: making kong ready for all takes a fifteenth of a check.
func grammar(args []string) reflect.Value {
	all := reflect.TypeFor[commands]()
	if len(args) == 0 || !slices.Contains(evaluates, args[0]) {
		return reflect.New(all)
	}
	fields := slices.DeleteFunc(reflect.VisibleFields(all), func(f reflect.StructField) bool {
		_, command := f.Tag.Lookup("cmd")
		return command && strings.ToLower(f.Name) != args[0]
	})
	return reflect.New(reflect.StructOf(fields))
}

// run parses and carries out. Kong's --help and --version print and then ask to exit: the parse is done with then,
// whatever else is wrong on the line.
func run(args []string, s *Streams) error {
	exited := false
	parser, c, err := newParser(args, s.Out, s.Err, kong.Exit(func(int) { exited = true }))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited:
		return nil
	case err != nil:
		return parseError(err)
	}
	s.Color = c.Elem().FieldByName("Color").String()
	return parsed.Run(s, parser.Model)
}

// newParser is what reads such a line into the grammar that it returns.
func newParser(args []string, out, errs io.Writer, options ...kong.Option) (*kong.Kong, reflect.Value, error) {
	c := grammar(args)
	parser, err := kong.New(c.Interface(), append(options,
		kong.Name("recipe"),
		kong.Description("One file describes a service: check it, package it, run it and keep it running."),
		kong.Vars{"version": version(), "profiles": profileNames()},
		kong.Writers(out, errs),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)...)
	if err != nil {
		return nil, c, fmt.Errorf("cannot set up the command line: %w", err)
	}
	return parser, c, nil
}

// parseError points to the help text of the verb, where the line got that far.
func parseError(err error) error {
	help := "recipe --help"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context.Selected() != nil {
		help = p.Context.Selected().FullPath() + " --help"
	}
	return usagef("%v; see `%s`", err, help)
}

// answerWriter remembers that an answer could not be written, so that no verb need ask each time.
type answerWriter struct {
	to  io.Writer
	err error
}

func (w *answerWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}
