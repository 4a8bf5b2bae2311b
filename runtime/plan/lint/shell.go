package lint

import (
	"fmt"
	"path"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

var (
	// shellSigns are arguments that mean something to a shell alone.
	shellSigns = pattern(`^(&&|\|\|?|;|&|[0-9]?>{1,2}(&[0-9])?|<|<<|[0-9&]?>{1,2}\s*/\S+)$`)
	// shellValues are what a shell would replace in an argument.
	shellValues = pattern("\\$\\(|`|\\$\\{?[A-Za-z_][A-Za-z0-9_]*\\}?")
)

// shell finds what only a shell would act upon: no shell reads the commands of a recipe.
func (l *linter) shell() {
	for _, s := range started(l.plan) {
		l.shellPart(s)
	}
	if l.plan.Package == nil {
		return
	}
	for i, r := range l.plan.Package.Build {
		l.shellCommand(fmt.Sprintf("package.build[%d].command", i), r.Command)
	}
	for i, c := range l.plan.Package.Contents {
		if strings.ContainsAny(c.Source, "*?") {
			l.shellWord(fmt.Sprintf("package.contents[%d].source", i), c.Source, "a source is one thing: nothing finds files by a pattern", "name each, or use tree")
		}
	}
}

func (l *linter) shellPart(s part) {
	l.shellCommand(s.at+".command", s.Command)
	for i, v := range s.Env {
		if v.Value.Op == expr.OpText {
			l.shellValue(fmt.Sprintf("%s.env[%d].value", s.at, i), v.Value.Text)
		}
	}
	for i, step := range s.Prepare {
		if step.Run != nil {
			l.shellCommand(s.step(i)+".run.command", step.Run.Command)
		}
	}
	for i := range s.Probes {
		if e := s.Probes[i].Exec; e != nil {
			l.shellCommand(fmt.Sprintf("%s.probes[%d].exec.command", s.at, i), e.Command)
		}
	}
}

func (l *linter) shellCommand(at string, command []expr.Expr) {
	if readByShell(words(command)) {
		return
	}
	for i, a := range command {
		field := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case a.Op != expr.OpText:
		case i == 0 && len(command) == 1 && strings.Contains(a.Text, " "):
			l.shellWord(field, a.Text, "the name of the program holds spaces: a command is one text a word", "write "+listOf(strings.Fields(a.Text)))
		case i > 0 && strings.ContainsAny(a.Text, "&|;<>") && shellSigns().MatchString(a.Text):
			l.shellWord(field, a.Text, fmt.Sprintf("no shell reads this: %s is handed to the program as an argument", a.Text), signHint(a.Text))
		case i > 0:
			l.shellValue(field, a.Text)
		}
	}
}

// readByShell reports whether the program is a shell with a text to read.
func readByShell(command []string) bool {
	shell := false
	for _, word := range command {
		switch path.Base(word) {
		case "sh", "bash", "dash", "ash", "zsh", "ksh", "su":
			shell = true
		}
		if shell && strings.HasPrefix(word, "-") && strings.HasSuffix(word, "c") {
			return true
		}
	}
	return false
}

func (l *linter) shellValue(field, text string) {
	found := ""
	if strings.ContainsAny(text, "$`") {
		found = shellValues().FindString(text)
	}
	switch {
	case found == "$(" || found == "`":
		l.shellWord(field, text, "no shell reads this: the command in it is not run", "what the host decides is a fact, as host.name, or a flag")
	case found != "":
		l.shellWord(field, text, fmt.Sprintf("no shell reads this: %s reaches the daemon as it stands here", found), `fmt("--home={}", data) puts a handle or a flag into a text; the value of a variable in env is whole`)
	case text == "~" || strings.HasPrefix(text, "~/"):
		l.shellWord(field, text, "no shell reads this: ~ is no folder", "write the whole path, or the handle of a directory")
	case strings.HasPrefix(text, "/") && strings.ContainsAny(text, "*?"):
		l.shellWord(field, text, "no shell reads this: the pattern finds no files unless the daemon itself looks for them", "name the folder, or the files")
	}
}

func (l *linter) shellWord(field, found, message, hint string) {
	l.find(plan.Problem{Path: field, Code: CodeShell, Message: message, Found: quoted(found), Hint: hint})
}

func signHint(sign string) string {
	switch {
	case sign == "&&" || sign == ";" || sign == "||":
		return "one command a step: prepare = [run([...]), run([...])]"
	case sign == "&":
		return "leave it out: the daemon stays in the foreground"
	case strings.ContainsAny(sign, "<>"):
		return "what a service writes is kept by logs; template writes files"
	}
	return `a pipeline is a script of its own, or run(["/bin/sh", "-c", "..."])`
}

// listOf writes words as a recipe's list.
func listOf(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = quoted(w)
	}
	return "[" + strings.Join(list, ", ") + "]"
}
