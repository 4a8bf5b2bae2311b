package plan

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
)

func (c *checker) flags() {
	seen := map[string]string{}
	for i, f := range c.plan.Flags {
		at := fmt.Sprintf("flags[%d]", i)
		c.flagNames(at, f, seen)
		c.line(at+".help", f.Help)
		c.line(at+".deprecated", f.Deprecated)
		c.line(at+".unit", f.Unit)
		if _, ok := f.Type.Kind(); !ok {
			types := []string{}
			for _, t := range FlagTypes() {
				types = append(types, string(t))
			}
			c.choice(at+".type", "type of a flag", string(f.Type), types...)
			continue
		}
		c.apply(at+".apply", f.Apply)
		sound := c.flagBounds(at, f)
		if f.Secret {
			c.secret(at, f)
		} else {
			c.flagDefault(at, i, sound)
		}
	}
}

func (c *checker) flagNames(at string, f Flag, seen map[string]string) {
	const accepted = "a small letter, then small letters, digits and '-', up to 64 in all"
	c.form(at+".name", f.Name, flagForm, accepted)
	c.unique(at+".name", "flag", f.Name, seen)
	for j, old := range f.RenamedFrom {
		at := fmt.Sprintf("%s.renamed_from[%d]", at, j)
		c.form(at, old, flagForm, accepted)
		c.unique(at, "flag", old, seen)
	}
}

// secret holds a flag whose value lies in a file to what can be kept secret.
func (c *checker) secret(at string, f Flag) {
	if f.Type != FlagString {
		c.report(Problem{Path: at + ".type", Code: CodeKind, Message: fmt.Sprintf("a secret is a string, and flag %q is of type %s", f.Name, f.Type), Accepted: string(FlagString)})
	}
	if !f.Default.IsZero() {
		c.report(Problem{Path: at + ".default", Code: CodeSecret, Message: fmt.Sprintf("flag %q is a secret, and its default would be read by whoever has the recipe or its package", f.Name),
			Hint: "leave the default out: each host names a file with the value"})
	}
}

// flagDefault requires a default of the flag's kind that names only what was declared before; a constant one is held to
// the flag's own rules, where these are sound.
func (c *checker) flagDefault(at string, i int, sound bool) {
	f := c.plan.Flags[i]
	kind, _ := f.Type.Kind()
	earlier := &checker{plan: &Plan{Flags: c.plan.Flags[:i]}}
	earlier.expression(at+".default", f.Default, kind)
	c.problems = append(c.problems, earlier.problems...)
	if len(earlier.problems) > 0 || !sound || !f.Default.Constant() {
		return
	}
	v, err := f.Default.Eval(&expr.Env{})
	if err == nil {
		err = f.Accept(v)
	}
	if err != nil {
		p := Problem{Path: at + ".default", Code: CodeRange, Message: fmt.Sprintf("the default of flag %q is not a value that it takes: %v", f.Name, err)}
		if f.Type == FlagEnum {
			p.Hint, p.Related = Nearest(v.Text, f.Values), []Place{{at + ".values", "the choices"}}
		}
		if n := f.measure(v); f.Min != nil && n < *f.Min {
			p.Related = append(p.Related, Place{at + ".min", "the least value"})
		} else if f.Max != nil && n > *f.Max {
			p.Related = append(p.Related, Place{at + ".max", "the greatest value"})
		} else if f.Pattern != "" {
			p.Related = append(p.Related, Place{at + ".pattern", "the pattern"})
		}
		c.report(p)
	}
}

// flagBounds judges what narrows the flag's values, and reports whether that is sound.
func (c *checker) flagBounds(at string, f Flag) bool {
	before := len(c.problems)
	if f.Type == FlagEnum && len(f.Values) == 0 {
		c.report(Problem{Path: at + ".values", Code: CodeMissing, Message: "an enum needs its values", Accepted: `values = ["a", "b"]`})
	}
	if f.Type != FlagEnum && len(f.Values) > 0 {
		c.report(Problem{Path: at + ".values", Code: CodeKind, Message: fmt.Sprintf("a flag of type %s takes no values", f.Type), Hint: `type = "enum" does`,
			Related: []Place{{at + ".type", "its type"}}})
	}
	for _, v := range f.Values {
		c.text(at+".values", v)
		if strings.ContainsAny(v, "\r\n") {
			c.report(Problem{Path: at + ".values", Code: CodeText, Message: "a value holds a line end, which a flags file cannot", Found: fmt.Sprintf("%q", v)})
		}
	}
	if f.Unit != "" && f.Type != FlagInt {
		c.report(Problem{Path: at + ".unit", Code: CodeKind, Message: fmt.Sprintf("a flag of type %s has no unit", f.Type), Hint: "an int has one; a size or a duration brings its own"})
	}
	switch {
	case f.Pattern == "":
	case f.Type != FlagString && f.Type != FlagList:
		c.report(Problem{Path: at + ".pattern", Code: CodeKind, Message: fmt.Sprintf("a flag of type %s has no pattern", f.Type), Hint: "a string has one, and a list one for its elements"})
	default:
		if err := CheckPattern(f.Pattern); err != nil {
			c.report(Problem{Path: at + ".pattern", Code: CodePattern, Message: fmt.Sprintf("this pattern cannot be used: %v", err), Found: fmt.Sprintf("%q", f.Pattern),
				Accepted: "printable ASCII, classes, groups, |, *, +, ? and {n,m}, for the whole text"})
		}
	}
	if (f.Min != nil || f.Max != nil) && (f.Type == FlagBool || f.Type == FlagEnum || f.Type == FlagPath) {
		c.report(Problem{Path: at + ".min", Code: CodeKind, Message: fmt.Sprintf("a flag of type %s has no min or max", f.Type)})
	}
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		c.report(Problem{Path: at + ".min", Code: CodeRange, Message: "min is above max", Found: fmt.Sprintf("%d and %d", *f.Min, *f.Max),
			Related: []Place{{at + ".max", "max"}}})
	}
	return len(c.problems) == before
}

// secrets refuses a secret anywhere but in the text of a template that nobody else may read.
func (c *checker) secrets(path string, e expr.Expr, shownIn *Template) {
	for _, f := range c.plan.Flags {
		if !f.Secret || !e.Names(f.Name) {
			continue
		}
		if shownIn == nil {
			c.report(Problem{Path: path, Code: CodeSecret, Message: fmt.Sprintf("flag %q is a secret, and what stands here can be seen by others: arguments in the process list, variables by every process that the daemon starts, paths and defaults in messages", f.Name),
				Hint: "show it in a template with mode = 0o600, and hand the daemon the template's path"})
		} else if shownIn.Mode&0o007 != 0 {
			c.report(Problem{Path: strings.TrimSuffix(path, "text") + "mode", Code: CodeSecret, Message: fmt.Sprintf("flag %q is a secret, and everybody may read this file", f.Name), Found: fmt.Sprintf("mode %s", shownIn.Mode),
				Accepted: "a mode without bits for others, as in 0o600", Hint: "mode = 0o600, or 0o640 with a group"})
		}
	}
}
