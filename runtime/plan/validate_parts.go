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
		c.form(at+".name", f.Name, flagForm, "a small letter, then small letters, digits and '-', up to 64 in all")
		c.unique(at+".name", "flag", f.Name, seen)
		c.text(at+".help", f.Help)
		kind, ok := f.Type.Kind()
		if !ok {
			types := []string{}
			for _, t := range FlagTypes() {
				types = append(types, string(t))
			}
			c.choice(at+".type", "type of a flag", string(f.Type), types...)
			continue
		}
		c.apply(at+".apply", f.Apply)
		earlier := &checker{plan: &Plan{Flags: c.plan.Flags[:i]}}
		earlier.expression(at+".default", f.Default, kind)
		c.problems = append(c.problems, earlier.problems...)
		c.flagBounds(at, f)
		if len(earlier.problems) == 0 && f.Default.Constant() {
			c.flagDefault(at, f)
		}
	}
}

// flagDefault holds a constant default to the flag's own rules.
func (c *checker) flagDefault(at string, f Flag) {
	v, err := f.Default.Eval(&expr.Env{})
	if err == nil {
		err = f.Accept(v)
	}
	if err != nil {
		p := Problem{Path: at + ".default", Code: CodeRange, Message: fmt.Sprintf("the default of flag %q is not a value that it takes: %v", f.Name, err)}
		if f.Type == FlagEnum {
			p.Hint, p.Related = Nearest(v.Text, f.Values), []Place{{at + ".values", "the choices"}}
		}
		if f.Min != nil && v.Int < *f.Min {
			p.Related = append(p.Related, Place{at + ".min", "the least value"})
		}
		if f.Max != nil && v.Int > *f.Max {
			p.Related = append(p.Related, Place{at + ".max", "the greatest value"})
		}
		c.report(p)
	}
}

func (c *checker) flagBounds(at string, f Flag) {
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
	kind, _ := f.Type.Kind()
	if (f.Min != nil || f.Max != nil) && !kind.Numeric() {
		c.report(Problem{Path: at + ".min", Code: CodeKind, Message: fmt.Sprintf("a flag of type %s has no min or max", f.Type)})
	}
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		c.report(Problem{Path: at + ".min", Code: CodeRange, Message: "min is above max", Found: fmt.Sprintf("%d and %d", *f.Min, *f.Max),
			Related: []Place{{at + ".max", "max"}}})
	}
}

// Signals are the names that may be sent to a daemon, without SIG.
func Signals() []string {
	return []string{"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "ABRT", "ALRM", "CONT", "KILL"}
}

func (c *checker) apply(at string, a Apply) {
	c.choice(at, "way to apply a change", string(a.Action), string(ApplyRestart), string(ApplySignal), string(ApplyNone))
	if a.Action == ApplySignal {
		c.choice(at, "signal", a.Signal, Signals()...)
	}
}

func (c *checker) accounts() {
	seen := map[string]string{}
	for i, a := range c.plan.Accounts {
		at := fmt.Sprintf("accounts[%d]", i)
		if a.Name == "" {
			c.report(Problem{Path: at + ".name", Code: CodeMissing, Message: "an account needs a name"})
		}
		c.account(at+".name", a.Name)
		c.account(at+".group", a.Group)
		c.unique(at+".name", "account", a.Name, seen)
		groups := map[string]string{a.Group: at + ".group"}
		for j, group := range a.Groups {
			path := fmt.Sprintf("%s.groups[%d]", at, j)
			c.form(path, group, accountForm, "a small letter or '_', then small letters, digits, '_' and '-', up to 32 in all")
			c.unique(path, "group", group, groups)
		}
		if !a.Home.IsZero() {
			c.expression(at+".home", a.Home, expr.Path)
			if a.Home.Op != expr.OpPath {
				c.report(Problem{Path: at + ".home", Code: CodePath, Message: "the home of an account is fixed when the package is built", Accepted: "a declared path"})
			}
		}
	}
}

var sumForm = pattern(`^[0-9a-f]{64}$`)

// The forms that deb, rpm, apk and archlinux all take. A dash would be read as the start of the release.
var (
	packageForm = pattern(`^[a-z0-9][a-z0-9.+-]{1,63}$`)
	versionForm = pattern(`^[0-9][A-Za-z0-9.+~]{0,63}$`)
	personForm  = pattern(`^[^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>$`)
	dependForm  = pattern(`^[a-z0-9][a-z0-9.+-]*( \((<<|<=|=|>=|>>) [A-Za-z0-9.+~:-]+\))?( \| [a-z0-9][a-z0-9.+-]*( \((<<|<=|=|>=|>>) [A-Za-z0-9.+~:-]+\))?)*$`)
)

func (c *checker) pkg(p *Package) {
	c.form("package.name", p.Name, packageForm, "two or more small letters, digits, '.', '+' and '-', a letter or digit first")
	c.form("package.version", p.Version, versionForm, "a digit, then letters, digits, '.', '+' and '~'; no '-', which parts version and release")
	c.between("package.release", int64(p.Release), 1, 99999, showInt)
	c.between("package.rollback", int64(p.Rollback), 0, 999, showInt)
	c.form("package.maintainer", p.Maintainer, personForm, "a name and an address, as in Foo Team <foo@example.org>")
	c.choice("package.style", "package style", p.Style, "full")
	c.choice("package.runtime", "package runtime", p.Runtime, "standalone")
	c.text("package.maintainer", p.Maintainer)
	if strings.TrimSpace(p.Summary) == "" || strings.ContainsAny(p.Summary, "\r\n") {
		c.report(Problem{Path: "package.summary", Code: CodeMissing, Message: "a package needs a summary of one line"})
	}
	c.text("package.summary", p.Summary)
	c.line("package.license", p.License)
	c.line("package.homepage", p.Homepage)
	c.text("package.description", p.Description)
	for i, r := range p.Build {
		c.run(fmt.Sprintf("package.build[%d]", i), &r)
		for j, a := range r.Command {
			if !a.Constant() {
				c.report(Problem{Path: fmt.Sprintf("package.build[%d].command[%d]", i, j), Code: CodeKind, Message: "a build step cannot depend on flags or the host"})
			}
		}
	}
	seen := map[string]string{}
	for i, f := range p.Contents {
		c.content(fmt.Sprintf("package.contents[%d]", i), f, seen)
	}
	for i, d := range p.Depends {
		if !dependForm().MatchString(d) {
			c.report(Problem{Path: fmt.Sprintf("package.depends[%d]", i), Code: CodeName, Message: "this is no dependency", Found: fmt.Sprintf("%q", d), Accepted: `"name" or "name (>= 1.2)"`})
		}
	}
}

func (c *checker) line(path, value string) {
	c.text(path, value)
	if strings.ContainsAny(value, "\r\n") {
		c.report(Problem{Path: path, Code: CodeText, Message: "this must be one line", Found: fmt.Sprintf("%q", value)})
	}
}

// inputs holds a plan from elsewhere to what an evaluation writes: a supervisor watches and reads these files.
func (c *checker) inputs() {
	for i, in := range c.plan.Inputs {
		at := fmt.Sprintf("inputs[%d]", i)
		if err := CheckSource(in.Path); err != nil {
			c.report(Problem{Path: at + ".path", Code: CodePath, Message: err.Error(), Accepted: `a path from the recipe's folder, as in "lib/x.star"`})
		}
		c.form(at+".sha256", in.SHA256, sumForm, "64 small hexadecimal digits")
	}
}

// CheckSource accepts a path below the recipe's folder: relative, clean, with slashes.
func CheckSource(path string) error {
	if strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q is absolute: sources lie below the recipe's folder", path)
	}
	if expr.CheckPath("/"+path) != nil {
		return fmt.Errorf("%q is not a clean path below the recipe's folder", path)
	}
	return nil
}
