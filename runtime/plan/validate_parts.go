package plan

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
)

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
	c.version(p.Version)
	c.between("package.release", int64(p.Release), 1, 99999, showInt)
	c.between("package.rollback", int64(p.Rollback), 0, 999, showInt)
	c.maintainer(p.Maintainer)
	c.choice("package.style", "package style", p.Style, StyleFull, StyleStaging, StyleBare)
	c.choice("package.runtime", "package runtime", p.Runtime, RuntimeStandalone, RuntimeRecipe)
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
				c.report(Problem{Path: fmt.Sprintf("package.build[%d].command[%d]", i, j), Code: CodeKind, Message: "a build step cannot depend on flags or the host",
					Hint: "a package is built once for all hosts: write the value itself"})
			}
		}
	}
	seen := map[string]string{}
	for i, f := range p.Contents {
		c.content(fmt.Sprintf("package.contents[%d]", i), f, seen)
	}
	for i, d := range p.Depends {
		if !dependForm().MatchString(d) {
			c.report(Problem{Path: fmt.Sprintf("package.depends[%d]", i), Code: CodeName, Message: "this is no dependency", Found: fmt.Sprintf("%q", d), Accepted: `"name" or "name (>= 1.2)"`, Hint: dependHint(d)})
		}
	}
}

const versionAccepted = "a digit, then letters, digits, '.', '+' and '~'; no '-', which parts version and release"

func (c *checker) version(value string) {
	if value == "" || versionForm().MatchString(value) {
		c.form("package.version", value, versionForm, versionAccepted)
		return
	}
	p := Problem{Path: "package.version", Code: CodeName, Message: "this is no version", Found: fmt.Sprintf("%q", value), Accepted: versionAccepted}
	upstream, release, parted := strings.Cut(strings.TrimPrefix(value, "v"), "-")
	switch {
	case !versionForm().MatchString(upstream):
	case parted && strings.Trim(release, "0123456789") == "" && release != "":
		p.Hint = fmt.Sprintf("version = %q, release = %s", upstream, release)
	case parted:
		p.Hint = fmt.Sprintf("write %q: what stands behind ~ sorts before the version itself", upstream+"~"+strings.ReplaceAll(release, "-", "."))
	default:
		p.Hint = fmt.Sprintf("write %q", upstream)
	}
	c.report(p)
}

func (c *checker) maintainer(value string) {
	const accepted = "a name and an address, as in Foo Team <foo@example.org>"
	if value == "" || personForm().MatchString(value) {
		c.form("package.maintainer", value, personForm, accepted)
		return
	}
	p := Problem{Path: "package.maintainer", Code: CodeName, Message: "this is no maintainer", Found: fmt.Sprintf("%q", value), Accepted: accepted}
	if address := strings.Trim(value, "<> "); strings.Contains(address, "@") && !strings.ContainsAny(address, " <>") {
		name, _, _ := strings.Cut(address, "@")
		p.Hint = fmt.Sprintf("put a name in front: \"%s <%s>\"", name, address)
	} else if !strings.Contains(value, "@") {
		p.Hint = "add an address that people can write to"
	}
	c.report(p)
}

var looseDepend = pattern(`^([A-Za-z0-9.+-]+?)\s*\(?\s*(<<|<=|==?|>=|>>|<|>|~>)\s*([A-Za-z0-9.+~:-]+)\)?$`)

// dependHint writes a dependency as people know it from elsewhere in the form that packages take.
func dependHint(text string) string {
	if strings.Contains(text, ",") {
		return "write a text for each package"
	}
	if m := looseDepend().FindStringSubmatch(text); m != nil {
		operator := map[string]string{"==": "=", "<": "<<", ">": ">>", "~>": ">="}[m[2]]
		if operator == "" {
			operator = m[2]
		}
		return fmt.Sprintf("write \"%s (%s %s)\"", strings.ToLower(m[1]), operator, m[3])
	}
	return respelt(text, packageForm)
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
