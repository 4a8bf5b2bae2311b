// Package flags finds the value of every flag of a plan on this host.
//
// Rules:
//   - Precedence: --set, then the host's flags file (plan.Plan.FlagsPath), then the recipe's default.
//   - The file is read strictly: name=value lines, '#' comment lines and blank lines; what follows the first '=' is the
//     value, verbatim. A line that is anything else is an error, and so is a flag set twice.
//   - Every problem of the file and of --set is reported at once, as `FILE:LINE: flag "NAME": WHY`. Defaults are computed
//     only when those are sound, in the order of declaration, and must be values that the flag takes.
//   - A path gets the root of the run put in front, wherever it comes from.
//
// The POSIX sh launcher (package launch) reads the same file by the same rules with the same words. Characters that do
// not print are the one difference: here they are escaped in messages, there they are shown as they are.
//
// Tests: a table of files and one of precedence, a fuzz target for Parse; launch's twin test holds sh to the same.
package flags

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// MaxFile is the greatest size of a flags file in bytes.
const MaxFile = 1 << 20

// Resolved holds the values of all flags of a plan, ready for expr.Expr.Eval, and where each came from: "default",
// "FILE:LINE" or "--set".
type Resolved struct {
	Env    *expr.Env
	Origin map[string]string
}

// Resolve reads the flags file below root (absent means no settings), lays sets ("name=value") over it, and computes
// the defaults of what is left. The error lists every problem, one a line.
func Resolve(p *plan.Plan, root string, sets []string, facts expr.Facts) (*Resolved, error) {
	env := &expr.Env{Root: root, Flags: map[string]expr.Value{}, Facts: facts}
	file := env.Rooted(p.FlagsPath())
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return settle(p, env, file, data, sets)
}

// Without is Resolve of a host that has no flags file and puts no root in front of paths. It reads nothing.
func Without(p *plan.Plan, sets []string, facts expr.Facts) (*Resolved, error) {
	env := &expr.Env{Flags: map[string]expr.Value{}, Facts: facts}
	return settle(p, env, p.FlagsPath(), nil, sets)
}

func settle(p *plan.Plan, env *expr.Env, file string, data []byte, sets []string) (*Resolved, error) {
	settings, problems := Parse(p, file, data)
	over, more := parseSets(p, sets)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	r := &Resolved{Env: env, Origin: map[string]string{}}
	for _, s := range append(settings, over...) {
		r.set(s.Name, s.Value, s.Origin)
	}
	for i := range p.Flags {
		f := &p.Flags[i]
		if _, ok := r.Origin[f.Name]; ok {
			continue
		}
		v, err := f.Default.Eval(env)
		if err == nil {
			err = f.Accept(v)
		}
		if err != nil {
			return nil, fmt.Errorf("flag %q: the default cannot be used: %w: set it in %s", f.Name, err, file)
		}
		env.Flags[f.Name] = v // a default's paths are rooted by Eval
		r.Origin[f.Name] = "default"
	}
	return r, nil
}

func (r *Resolved) set(name string, v expr.Value, origin string) {
	if v.Kind == expr.Path {
		v.Text = r.Env.Rooted(v.Text)
	}
	r.Env.Flags[name] = v
	r.Origin[name] = origin
}

// read returns the whole file, or nothing when there is none. It never waits for a pipe that somebody put there.
func read(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read", file)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read", file)
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%s: is larger than 1MiB", file)
	}
	return data, nil
}

// CheckSets is the error that Resolve gives for the arguments of --set alone, which no change of a file mends.
func CheckSets(p *plan.Plan, sets []string) error {
	_, problems := parseSets(p, sets)
	return errors.Join(problems...)
}

// parseSets reads the arguments of --set. The last of a flag's settings wins, as on any command line.
func parseSets(p *plan.Plan, sets []string) ([]Setting, []error) {
	var settings []Setting
	var problems []error
	for _, set := range sets {
		name, text, ok := strings.Cut(set, "=")
		if !ok {
			problems = append(problems, fmt.Errorf("--set: no '=' in %q: write --set name=value", set))
			continue
		}
		v, err := value(p, name, text)
		if err != nil {
			problems = append(problems, fmt.Errorf("--set: flag %q: %w", name, err))
			continue
		}
		settings = append(settings, Setting{Name: name, Value: v, Origin: "--set"})
	}
	return settings, problems
}

// value reads a flag's value; paths come without the root.
func value(p *plan.Plan, name, text string) (expr.Value, error) {
	if f := p.Flag(name); f != nil {
		return f.Parse(text)
	}
	if len(p.Flags) == 0 {
		return expr.Value{}, errors.New("no such flag; the recipe has none")
	}
	names := make([]string, len(p.Flags))
	for i, f := range p.Flags {
		names[i] = f.Name
	}
	why := "no such flag; there are: " + strings.Join(names, ", ")
	if hint := plan.Nearest(name, names); hint != "" {
		why += " (" + hint + ")"
	}
	return expr.Value{}, errors.New(why)
}
