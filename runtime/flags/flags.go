// Package flags finds the value of every flag of a plan on this host.
//
// Rules:
//   - Precedence: --set, then the host's flags file (plan.Plan.FlagsPath), then the recipe's default.
//   - The file is read strictly: name=value lines, '#' comment lines and blank lines; what follows the first '=' is the
//     value, verbatim. A line that is anything else is an error, and so is a flag set twice.
//   - Every problem of the file and of --set is reported at once, as `FILE:LINE: flag "NAME": WHY`. Defaults are computed
//     only when those are sound, in the order of declaration, and must be values that the flag takes.
//   - A path gets the root of the run put in front, wherever it comes from.
//   - A secret is set by the path of a file (secret.go); its value is in no message and no setting.
//   - A flag that was renamed can be set by its old names, with a warning; both at once is an error.
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
	"slices"
	"strings"
	"syscall"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// MaxFile is the greatest size of a flags file in bytes.
const MaxFile = 1 << 20

// MaxLine is the greatest length of one of its lines in bytes, so that a message that shows one is bounded.
const MaxLine = 16384

// Resolved holds the values of all flags of a plan, ready for expr.Expr.Eval, and where each came from: "default",
// "FILE:LINE", "--set" or "credential". Warnings are what an operator should change, each with its place.
type Resolved struct {
	Env      *expr.Env
	Origin   map[string]string
	Warnings []string
}

// Resolve reads the flags file below root (absent means no settings), lays sets ("name=value") over it, reads the files
// of secrets, and computes the defaults of what is left. The error lists every problem, one a line.
func Resolve(p *plan.Plan, root string, sets []string, facts expr.Facts) (*Resolved, error) {
	return resolve(p, root, sets, facts, (*secretFile).read)
}

// ResolveOpenly does without the values of secrets, for what needs none of them: probes may be run by whoever cannot read
// these files. Their flags have no value.
func ResolveOpenly(p *plan.Plan, root string, sets []string, facts expr.Facts) (*Resolved, error) {
	return resolve(p, root, sets, facts, nil)
}

func resolve(p *plan.Plan, root string, sets []string, facts expr.Facts, secret func(*secretFile) (expr.Value, error)) (*Resolved, error) {
	s, err := collect(p, root, sets)
	if err != nil {
		return nil, err
	}
	return s.resolve(p, facts, secret)
}

// Without is Resolve of a host that has no flags file and puts no root in front of paths. It reads nothing: a secret comes
// to its flag's name in angle brackets.
func Without(p *plan.Plan, sets []string, facts expr.Facts) (*Resolved, error) {
	return gather(p, p.FlagsPath(), "", nil, sets).resolve(p, facts, func(s *secretFile) (expr.Value, error) {
		s.origin = "stand-in"
		return expr.Value{Kind: expr.Text, Text: "<" + s.flag.Name + ">"}, nil
	})
}

func (s *settings) resolve(p *plan.Plan, facts expr.Facts, secret func(*secretFile) (expr.Value, error)) (*Resolved, error) {
	if len(s.problems) > 0 {
		return nil, errors.Join(s.problems...)
	}
	r := &Resolved{Env: &expr.Env{Root: s.root, Flags: map[string]expr.Value{}, Facts: facts}, Origin: map[string]string{}, Warnings: s.warnings}
	for i := range p.Flags {
		f := &p.Flags[i]
		v, origin, err := s.value(f, r.Env, secret)
		if err != nil {
			return nil, fmt.Errorf("flag %q: %w", f.Name, err)
		}
		if origin != "" {
			r.Env.Flags[f.Name], r.Origin[f.Name] = v, origin
		}
	}
	return r, nil
}

// settings are what a host says of the flags, before defaults and secrets.
type settings struct {
	file     string
	root     string
	of       map[string]Setting // by flag
	problems []error
	warnings []string
}

// collect reads the flags file and sets; the error is of a file that cannot be read at all.
func collect(p *plan.Plan, root string, sets []string) (*settings, error) {
	file := File(p, root)
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return gather(p, file, root, data, sets), nil
}

// gather is collect of a file that was read.
func gather(p *plan.Plan, file, root string, data []byte, sets []string) *settings {
	s := &settings{file: file, root: root, of: map[string]Setting{}}
	inFile, problems := Parse(p, s.file, data)
	over, more := parseSets(p, sets)
	s.problems = append(problems, more...)
	for _, one := range append(inFile, over...) {
		s.of[one.Name] = one
		if one.Warning != "" && !slices.Contains(s.warnings, one.Warning) {
			s.warnings = append(s.warnings, one.Warning)
		}
	}
	return s
}

// value is the flag's value and origin, once those before it in the plan are in env. A secret without a reader has
// neither.
func (s *settings) value(f *plan.Flag, env *expr.Env, secret func(*secretFile) (expr.Value, error)) (expr.Value, string, error) {
	one, set := s.of[f.Name]
	switch {
	case f.Secret && secret == nil:
		return expr.Value{}, "", nil
	case f.Secret:
		file := s.secretFile(f)
		v, err := secret(file)
		return v, file.origin, err
	case set:
		if one.Value.Kind == expr.Path {
			one.Value.Text = env.Rooted(one.Value.Text)
		}
		return one.Value, one.Origin, nil
	}
	v, err := f.Default.Eval(env) // which puts the root in front of paths
	if err == nil {
		err = f.Accept(v)
	}
	if err != nil {
		return v, "", fmt.Errorf("the default cannot be used: %w: set it in %s", err, s.file)
	}
	return v, "default", nil
}

// File is the flags file of the plan below root.
func File(p *plan.Plan, root string) string {
	env := expr.Env{Root: root}
	return env.Rooted(p.FlagsPath())
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
	called := map[string]string{} // by flag
	for _, set := range sets {
		name, text, ok := strings.Cut(set, "=")
		if !ok {
			problems = append(problems, fmt.Errorf("--set: no '=' in %q: write --set name=value", set))
			continue
		}
		f, v, err := value(p, name, text)
		if f != nil && err == nil {
			if before, again := called[f.Name]; again && before != name {
				err = fmt.Errorf("is set already, as %q", before)
			}
			called[f.Name] = name
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("--set: flag %q: %w", name, err))
			continue
		}
		settings = append(settings, setting(f, name, v, "--set"))
	}
	return settings, problems
}

// value reads a flag's value, by its name or one that it had; paths come without the root. For a secret it is the path of
// its file, or nothing for a credential.
func value(p *plan.Plan, name, text string) (*plan.Flag, expr.Value, error) {
	f := p.FlagOf(name)
	switch {
	case f == nil:
		return nil, expr.Value{}, unknown(p, name)
	case f.Secret:
		v, err := secretPath(name, text)
		return f, v, err
	}
	v, err := f.Parse(text)
	return f, v, err
}

func unknown(p *plan.Plan, name string) error {
	if len(p.Flags) == 0 {
		return errors.New("no such flag; the recipe has none")
	}
	names := make([]string, len(p.Flags))
	for i, f := range p.Flags {
		names[i] = f.Name
	}
	why := "no such flag; there are: " + strings.Join(names, ", ")
	if hint := plan.Nearest(name, names); hint != "" {
		why += " (" + hint + ")"
	}
	return errors.New(why)
}

// setting is a sound one, with the warning that its flag or the name that it was called by deserves.
func setting(f *plan.Flag, name string, v expr.Value, place string) Setting {
	s := Setting{Name: f.Name, Value: v, Origin: place}
	switch {
	case name != f.Name:
		s.Warning = fmt.Sprintf("%s: flag %q is now called %q: write %s=...", place, name, f.Name, f.Name)
	case f.Deprecated != "":
		s.Warning = fmt.Sprintf("%s: flag %q is deprecated: %s", place, name, f.Deprecated)
	}
	return s
}
