package adopt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"recipe/builtins"
)

// unquoted gives the text that quoted wrote.
func unquoted(literal string) string {
	e, err := syntax.ParseExpr("", literal, 0)
	if err != nil {
		return literal
	}
	text, _ := e.(*syntax.Literal).Value.(string)
	return text
}

// Recipe is the draft as a recipe. It is not laid out: package format does that.
func (d *Draft) Recipe() string {
	var b strings.Builder
	about := d.About
	if about == "" {
		about = "adopted from " + string(d.Kind)
	}
	fmt.Fprintf(&b, "%s\n\n", docstring(d.Name+": "+about))
	if len(d.Notes) > 0 {
		fmt.Fprintf(&b, "# What was not carried over, or wants a look. Take a line away when it is dealt with.\n")
		for _, n := range d.Notes {
			fmt.Fprintf(&b, "# - %s.\n", strings.TrimRight(n, "."))
		}
		b.WriteString("\n")
	}
	for _, f := range d.Flags {
		fmt.Fprintf(&b, "%s = flag(%s, type = %s, default = %s, help = %s)\n\n", f.Variable, quoted(f.Name), quoted(f.Type), f.Default, quoted(f.Help))
	}
	declared := map[string]bool{}
	for _, s := range d.Services {
		s.write(&b, declared)
	}
	return b.String()
}

// docstring is a text between three quotes.
func docstring(text string) string {
	inner := starlark.String(strings.ReplaceAll(oneLine(text), `"`, "'")).String()
	return `""` + inner + `""`
}

// write adds the service; accounts that were declared before are named only.
func (s *Service) write(b *strings.Builder, declared map[string]bool) {
	word := "service"
	if s.Task {
		word = "task"
	}
	fmt.Fprintf(b, "%s(\nname = %s,\n", word, quoted(s.Name))
	switch {
	case s.User == "":
	case declared[s.User]:
		fmt.Fprintf(b, "user = %s,\n", quoted(s.User))
	default:
		fmt.Fprintf(b, "user = account(%s%s),\n", quoted(s.User), keyword("group", s.group()))
		declared[s.User] = true
	}
	fmt.Fprintf(b, "command = [%s],\n", strings.Join(s.Command, ", "))
	if len(s.Env) > 0 {
		var parts []string
		for _, v := range s.Env {
			parts = append(parts, quoted(v.Name)+": "+v.Value)
		}
		fmt.Fprintf(b, "env = {%s},\n", strings.Join(parts, ", "))
	}
	if strings.HasPrefix(s.Workdir, "/") && takes(word, "workdir") {
		fmt.Fprintf(b, "workdir = %s,\n", quoted(s.Workdir))
	}
	if s.Umask != "" && takes(word, "umask") {
		fmt.Fprintf(b, "umask = %s,\n", s.Umask)
	}
	s.steps(b)
	if !s.Task {
		b.WriteString("probes = [],  # write one: what would only a healthy daemon answer?\n")
	}
	calls := []struct {
		word     string
		settings []Setting
	}{
		{"restart", filled(Setting{"delay", s.Delay}, Setting{"stable_after", s.StableAfter})},
		{"stop", filled(Setting{"signal", s.Signal}, Setting{"grace", s.Grace})},
	}
	for _, c := range calls {
		if len(c.settings) > 0 && takes(word, c.word) {
			fmt.Fprintf(b, "%s = %s(%s),\n", c.word, c.word, settings(c.word, c.settings))
		}
	}
	for _, c := range []struct {
		word     string
		settings []Setting
	}{{"limits", s.Limits}, {"logs", s.Logs}} {
		if text := settings(c.word, c.settings); text != "" {
			fmt.Fprintf(b, "%s = %s(%s),\n", c.word, c.word, text)
		}
	}
	b.WriteString(")\n\n")
}

func (s *Service) group() string {
	if s.Group == "" || s.Group == s.User || s.Group == "root" {
		return ""
	}
	return quoted(s.Group)
}

// filled are the settings with a value, as texts.
func filled(list ...Setting) (some []Setting) {
	for _, s := range list {
		if s.Value != "" {
			some = append(some, Setting{s.Name, quoted(s.Value)})
		}
	}
	return some
}

// settings are those that the word takes.
func settings(word string, list []Setting) string {
	var parts []string
	for _, s := range list {
		if takes(word, s.Name) {
			parts = append(parts, s.Name+" = "+s.Value)
		}
	}
	return strings.Join(parts, ", ")
}

func takes(word, parameter string) bool {
	return slices.ContainsFunc(builtins.Words(), func(w builtins.Word) bool {
		return w.Name == word && slices.ContainsFunc(w.Parameters, func(p builtins.Parameter) bool { return p.Name == parameter })
	})
}

func (s *Service) steps(b *strings.Builder) {
	var steps []string
	for _, d := range s.Directories {
		owner := ""
		if s.User != "" {
			owner = quoted(s.User)
		}
		steps = append(steps, fmt.Sprintf("directory(%s%s%s)", quoted(d.Path), keyword("owner", owner), keyword("mode", d.Mode)))
	}
	for _, command := range s.Before {
		steps = append(steps, fmt.Sprintf("run([%s])", strings.Join(command, ", ")))
	}
	if len(steps) > 0 {
		fmt.Fprintf(b, "prepare = [\n%s,\n],\n", strings.Join(steps, ",\n"))
	}
}

func keyword(name, value string) string {
	if value == "" {
		return ""
	}
	return ", " + name + " = " + value
}

// formatted is a text with the variable of a flag in place of each mark, as an expression.
func formatted(text, mark, variable string) string {
	if !strings.Contains(text, mark) {
		return quoted(text)
	}
	if text == mark {
		return "fmt(\"{}\", " + variable + ")"
	}
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	parts := strings.Split(text, mark)
	for i := range parts {
		parts[i] = braces.Replace(parts[i])
	}
	return "fmt(" + quoted(strings.Join(parts, "{}")) + strings.Repeat(", "+variable, len(parts)-1) + ")"
}

// number reads one that the file gives, for a default.
func number(text string, otherwise int) string {
	if n, err := strconv.Atoi(text); err == nil {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(otherwise)
}
