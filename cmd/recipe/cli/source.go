package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"recipe/builtins/diag"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// evaluate reads FILE. What makes it unusable goes to stderr, and the error has nothing to add to that; what a sound
// recipe prints goes there too. Its warnings are for `recipe check` to give.
func evaluate(s *Streams, file string) (*plan.Plan, error) {
	e := s.evaluator()
	defer e.close()
	p, list, err := e.plan(context.Background(), file, s.In)
	if err != nil {
		return nil, fmt.Errorf("cannot evaluate %s: %w", file, err)
	}
	if p == nil {
		printDiagnostics(s, list)
		return nil, exit(exitNo)
	}
	printDiagnostics(s, notes(list))
	return p, nil
}

// notes are what a recipe printed.
func notes(list diag.List) diag.List {
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Severity != diag.Note })
}

func printDiagnostics(s *Streams, list diag.List) { fmt.Fprint(s.Err, list.Text(s.style())) }

// folder is where a FILE's relative paths begin.
func folder(file string) string {
	if file == "-" {
		return "."
	}
	return filepath.Dir(file)
}

// oneService gives the service of that name, or the only one when name is empty.
func oneService(p *plan.Plan, name string) (*plan.Service, error) {
	services, err := someServices(p, name)
	if err != nil {
		return nil, err
	}
	if len(services) > 1 {
		return nil, usagef("%s has several services: choose one with --service: %s", p.Name, strings.Join(serviceNames(p), ", "))
	}
	return services[0], nil
}

// someServices gives the service of that name, or all when name is empty; at least one.
func someServices(p *plan.Plan, name string) ([]*plan.Service, error) {
	if len(p.Services) == 0 {
		return nil, usagef("%s has no service: it declares none", p.Name)
	}
	var services []*plan.Service
	for i := range p.Services {
		if name == "" || p.Services[i].Name == name {
			services = append(services, &p.Services[i])
		}
	}
	if len(services) == 0 {
		hint := plan.Nearest(name, serviceNames(p))
		return nil, usagef("%s has no service %q; it has: %s%s", p.Name, name, strings.Join(serviceNames(p), ", "), strings.TrimRight("; "+hint, "; "))
	}
	return services, nil
}

func serviceNames(p *plan.Plan) []string {
	var names []string
	for _, s := range p.Services {
		names = append(names, s.Name)
	}
	return names
}

// oneLaunch gives the service or task of that name, or the only service, or the only task where there is no service.
func oneLaunch(p *plan.Plan, name string) (*plan.Service, error) {
	if name == "" && len(p.Services) > 0 || len(p.Tasks) == 0 {
		return oneService(p, name)
	}
	return oneService(launches(p), name)
}

// launches is the plan as if its tasks were services: for what treats them alike.
func launches(p *plan.Plan) *plan.Plan {
	all := *p
	all.Services = nil
	for _, s := range p.Launches() {
		all.Services = append(all.Services, *s)
	}
	return &all
}

// hostFlags are the values that a host gives to a plan: the flags of verbs that resolve one.
type hostFlags struct {
	Set  []string `sep:"none" placeholder:"FLAG=VALUE" help:"Set a flag of the recipe, over the host's flags file. May be repeated."`
	Root string   `placeholder:"DIR" help:"Put every path that the recipe declares below DIR."`
}

// root is an absolute path, or "" for the host's own.
func (f *hostFlags) root() (string, error) {
	if f.Root == "" {
		return "", nil
	}
	root, err := filepath.Abs(f.Root)
	if err != nil {
		return "", fmt.Errorf("cannot use --root %s: %w", f.Root, err)
	}
	if root == "/" {
		return "", nil
	}
	return root, nil
}

// on hands what these flags say, and the facts of this host, to one of package flags' functions.
func on[T any](f *hostFlags, p *plan.Plan, use func(p *plan.Plan, root string, sets []string, facts expr.Facts) (T, error)) (T, error) {
	var none T
	root, err := f.root()
	if err != nil {
		return none, err
	}
	facts, err := expr.Host()
	if err != nil {
		return none, err
	}
	return use(p, root, f.Set, facts)
}
