package flags

import (
	"fmt"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Entry is one flag as it stands on this host. Value is none for a secret and where Err says why there is none.
type Entry struct {
	Flag   *plan.Flag
	Value  *expr.Value
	Origin string // as in Resolved; empty where Err is set
	Err    error  // which names the flag
}

// Listing is all flags of a plan on this host, with what is wrong and what should be changed.
type Listing struct {
	File     string
	Entries  []Entry
	Problems []error // of the file and of --set, as Parse and Resolve give them
	Warnings []string
}

// List is Resolve for a reader: it goes on where Resolve stops, and reads no secret. The error is of a file that cannot
// be read at all.
func List(p *plan.Plan, root string, sets []string, facts expr.Facts) (*Listing, error) {
	s, err := collect(p, root, sets)
	if err != nil {
		return nil, err
	}
	l := &Listing{File: s.file, Problems: s.problems, Warnings: s.warnings}
	env := &expr.Env{Root: root, Flags: map[string]expr.Value{}, Facts: facts}
	look := func(file *secretFile) (expr.Value, error) { return expr.Value{}, file.look() }
	for i := range p.Flags {
		e := Entry{Flag: &p.Flags[i]}
		v, origin, err := s.value(e.Flag, env, look)
		switch {
		case err != nil:
			e.Err = fmt.Errorf("flag %q: %w", e.Flag.Name, err)
		case e.Flag.Secret:
			e.Origin = origin
		default:
			e.Value, e.Origin = &v, origin
			env.Flags[e.Flag.Name] = v
		}
		l.Entries = append(l.Entries, e)
	}
	return l, nil
}

// Fixed reports whether the flag is set on the host, so that no other flag's change reaches it by its default.
func (l *Listing) Fixed(name string) bool {
	for _, e := range l.Entries {
		if e.Flag.Name == name {
			return e.Origin != "default"
		}
	}
	return false
}
