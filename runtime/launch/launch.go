// Package launch is run-foo: it prepares the host for one service without destroying anything and, if the environment
// is sane, becomes the daemon in the foreground. If it is not sane, it says why in one line on stdout, pauses, and exits
// with ExitInsane. It exists twice, natively and as the POSIX sh text that Script writes; the two do the same.
//
// Map: Resolve makes a plan's service concrete for this host (Spec); Spec.Prepare carries out the steps, one file a kind
// of step; Spec.Become turns this process into the daemon; Exec is both, with the reason, the pause and the exit code;
// Script writes the twin.
//
// Rules:
//   - Killing the launcher at any instant is legal: every step looks at what is there and changes only what differs. A
//     file is replaced by rename; the one temporary name that a service uses in a directory is cleared the next time.
//   - Nothing is removed, nothing that is not what the step wants is replaced, no link is followed in the last element,
//     and by root none on the way there that another than root made.
//   - The daemon's environment is exact: nothing is inherited.
//   - What steps make, copy and wait for they do with the privileges of whoever calls; run steps and the daemon are the
//     account's, and what may be read, written and executed is asked for it. Not called by root, everything is whoever
//     calls, and owners are left alone.
//   - Prepare and Become are for a process of their own: they take its children, its descriptors and its signals.
//
// Tests: the twin test runs a table of plans natively and through dash and busybox sh, and compares files, argv,
// environment, reason and exit code; others hold idempotence and death at any instant.
package launch

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// ExitInsane is the exit code when the environment is not sane.
const ExitInsane = 100

// Spec is a service made concrete: no expression is left. It goes through JSON to the process that carries it out.
// Accounts are looked up by that process, not before.
type Spec struct {
	Service  string      `json:"service"`
	Argv     []string    `json:"argv"`
	Env      []string    `json:"env"`               // NAME=value, the whole of the daemon's environment
	Extra    []string    `json:"extra,omitempty"`   // NAME=value, put over Env by a supervisor
	WorkDir  string      `json:"workdir,omitempty"` // / unless given
	Umask    *plan.Mode  `json:"umask,omitempty"`   // of the daemon and of run steps; nil is 022
	Steps    []Step      `json:"steps,omitempty"`
	Account  *Account    `json:"account,omitempty"` // nil is whoever calls
	Limits   plan.Limits `json:"limits,omitzero"`
	Listen   []string    `json:"listen,omitempty"`   // the names of its sockets
	Terminal bool        `json:"terminal,omitempty"` // descriptor 1 is one, for it alone
	Tells    bool        `json:"tells,omitempty"`    // it says of itself, by the protocol of sd_notify, that it is ready or alive
	Told     []string    `json:"told,omitempty"`     // NAME=value, of where to; for the daemon, and no step
	Ready    int         `json:"ready,omitempty"`    // the descriptor on which it says so by a newline; 0 for none
}

// Account is a user of the host, its primary group where that is not the one of /etc/passwd, and groups that it has besides
// those that the host gives it.
type Account struct {
	Name   string   `json:"name"`
	Group  string   `json:"group,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

// Step is one prepare step: exactly one field is set.
type Step struct {
	Directory *Directory `json:"directory,omitempty"`
	Template  *Template  `json:"template,omitempty"`
	Run       *Run       `json:"run,omitempty"`
	Copy      *Copy      `json:"copy,omitempty"`
	Symlink   *Symlink   `json:"symlink,omitempty"`
	WaitFor   *WaitFor   `json:"wait_for,omitempty"`
	File      *File      `json:"file,omitempty"`
	FreeSpace *FreeSpace `json:"free_space,omitempty"`
	Memory    *Memory    `json:"memory,omitempty"`
	Mount     *Mount     `json:"mount,omitempty"`
	PortFree  *PortFree  `json:"port_free,omitempty"`
	Writable  *Writable  `json:"writable,omitempty"`
}

// Resolve computes every expression of the service. The error names the argument, variable or step at fault, and the
// flags and facts that it is computed from.
func Resolve(p *plan.Plan, s *plan.Service, env *expr.Env) (*Spec, error) {
	spec := &Spec{Service: s.Name, Umask: s.Umask, Limits: s.Limits, Listen: socketNames(s), Terminal: s.Terminal}
	spec.Tells, spec.Ready = s.Notifies()
	r := &resolver{env: env}
	for i, e := range s.Command {
		spec.Argv = append(spec.Argv, r.words(argumentPlace(i), e)...)
	}
	if s.User != "" {
		account := p.Account(s.User)
		if account == nil {
			return nil, fmt.Errorf("the account %q is not declared", s.User)
		}
		spec.Account = &Account{Name: account.Name, Group: account.Group, Groups: account.Groups}
	}
	for _, v := range Environment(p, s) {
		spec.Env = append(spec.Env, v.Name+"="+r.text(variablePlace(v.Name), v.Value))
	}
	if !s.WorkDir.IsZero() {
		spec.WorkDir = r.text(workDirPlace, s.WorkDir)
	}
	for i := range s.Prepare {
		spec.Steps = append(spec.Steps, r.step(i, &s.Prepare[i]))
	}
	if r.err != nil {
		return nil, r.err
	}
	return spec, nil
}

// Environment is what the daemon gets, in the order in which both launchers write it: the fixed part, then the account's,
// then the recipe's own, which may replace any of them.
func Environment(p *plan.Plan, s *plan.Service) []plan.Variable {
	fixed := []plan.Variable{
		{Name: "PATH", Value: expr.TextOf(searchPath)},
		{Name: "LANG", Value: expr.TextOf("C.UTF-8")},
	}
	if s.Terminal {
		fixed = append(fixed, plan.Variable{Name: "TERM", Value: expr.TextOf(terminalType)})
	}
	if account := p.Account(s.User); account != nil {
		home := account.Home
		if home.IsZero() {
			home = expr.TextOf("/")
		}
		fixed = append(fixed, plan.Variable{Name: "HOME", Value: home},
			plan.Variable{Name: "USER", Value: expr.TextOf(account.Name)},
			plan.Variable{Name: "LOGNAME", Value: expr.TextOf(account.Name)})
	}
	own := map[string]bool{}
	for _, v := range s.Env {
		own[v.Name] = true
	}
	var all []plan.Variable
	for _, v := range fixed {
		if !own[v.Name] {
			all = append(all, v)
		}
	}
	return append(all, s.Env...)
}

// terminalType is what operators' terminals have in common, and what every host knows.
const terminalType = "xterm"

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// The places that a failed expression is reported at.
const workDirPlace = "the working directory"

func argumentPlace(i int) string        { return fmt.Sprintf("argument %d of the command", i) }
func variablePlace(name string) string  { return "the variable " + name }
func stepPlace(i int, of string) string { return fmt.Sprintf("the %s of prepare step %d", of, i+1) }

// computed is the place together with what the value is computed from there.
func computed(place string, e expr.Expr) string {
	if sources := e.Sources(); len(e.Args) > 0 && len(sources) > 0 {
		place += ", computed from " + strings.Join(sources, ", ")
	}
	return place
}

// resolver keeps the first error.
type resolver struct {
	env *expr.Env
	err error
}

func (r *resolver) value(place string, e expr.Expr) expr.Value {
	v, err := e.Eval(r.env)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", computed(place, e), err)
	}
	return v
}

// text is the value as a daemon reads it. No argument, path or variable of an operating system can hold a NUL.
func (r *resolver) text(place string, e expr.Expr) string {
	return r.free(place, r.value(place, e).String())
}

// words are the value as arguments of a command.
func (r *resolver) words(place string, e expr.Expr) []string {
	words := r.value(place, e).Words()
	for _, word := range words {
		r.free(place, word)
	}
	return words
}

func (r *resolver) free(place, text string) string {
	if strings.ContainsRune(text, 0) && r.err == nil {
		r.err = fmt.Errorf("%s: holds a NUL", place)
	}
	return text
}
