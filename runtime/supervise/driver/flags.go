package driver

import (
	"context"
	"slices"
	"strings"

	"recipe/runtime/flags"
	"recipe/runtime/plan"
	"recipe/runtime/watch"
)

// flagsFile is where the recipe's flags lie under this run's root.
func (s *Supervisor) flagsFile(r *recipe) string {
	return flags.File(r.plan, s.options.Root(r.file, r.plan))
}

// readFlags resolves the flags of the recipe's plan. What cannot be used is said and changes nothing.
func (s *Supervisor) readFlags(r *recipe) bool {
	s.watchSecrets(r)
	resolved, err := flags.Resolve(r.plan, s.options.Root(r.file, r.plan), s.setsFor(r.file, r.plan), s.options.Facts)
	if err != nil {
		r.unread = true
		if err.Error() != r.denied {
			s.refuse(r, "flags", err)
		}
		if r.env == nil {
			r.fault = err.Error()
		}
		if r.denied = ""; len(r.secrets) > 0 {
			r.denied = err.Error()
		}
		return false
	}
	r.env, r.fault, r.denied, r.unread = resolved.Env, "", "", false
	for _, warning := range resolved.Warnings {
		if !slices.Contains(r.warned, warning) {
			s.say("%s: %s", r.name(), warning)
		}
	}
	r.warned = resolved.Warnings
	return true
}

// watchSecrets watches the files that hold secrets, before they are read: a changed one is a changed flag. Those of before
// are watched until the recipe has been found usable.
func (s *Supervisor) watchSecrets(r *recipe) {
	r.secrets = flags.SecretFiles(r.plan, s.options.Root(r.file, r.plan), s.setsFor(r.file, r.plan))
	for _, file := range r.secrets {
		s.watchFlags(r, file)
	}
}

// setsFor leaves out the settings of flags that another recipe has, or may have once it can be read.
func (s *Supervisor) setsFor(file string, p *plan.Plan) []string {
	return slices.DeleteFunc(slices.Clone(s.options.Sets), func(set string) bool {
		name, _, ok := strings.Cut(set, "=")
		return ok && p.Flag(name) == nil && slices.ContainsFunc(s.recipes, func(other *recipe) bool {
			return other.file != file && (other.plan == nil || other.plan.Flag(name) != nil)
		})
	})
}

// watchFlags watches a file of a recipe's flags, before it is read.
func (s *Supervisor) watchFlags(r *recipe, file string) {
	if s.watched(file) {
		return
	}
	s.watch(r, file)
	r.files = append(r.files, file)
}

func (s *Supervisor) flagsChanged(ctx context.Context, r *recipe, e watch.Event) {
	if e.Err != nil {
		r.unread = true
		s.refuse(r, "flags", e.Err)
		return
	}
	if r.unused {
		s.recipeChanged(ctx, r, false)
		return
	}
	r.denied = ""
	s.flagsAgain(r)
}

// flagsAgain reads the flags, and says nothing that was said.
func (s *Supervisor) flagsAgain(r *recipe) {
	if s.readFlags(r) {
		s.watchRecipe(r) // the file may name another secret's now
		s.install(r, r.plan, r.plan, r.env)
	}
}
