package lint

import (
	"fmt"
	"path"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// text is one that the recipe spells out where a daemon or a step reads it.
type text struct {
	path     string // of its field
	value    string
	argument bool // of a command, and not its program
	whole    bool // it is the whole field, not a format among values
	file     bool // of a template: the configuration of a daemon
	probe    bool // of the command of one
}

// texts lists those of what a plan starts.
func texts(p *plan.Plan) (list []text) {
	add := func(at string, e expr.Expr, t text) {
		e.Walk(func(n expr.Expr) {
			if n.Op == expr.OpText {
				t.path, t.value, t.whole = at, n.Text, e.Op == expr.OpText
				list = append(list, t)
			}
		})
	}
	command := func(at string, args []expr.Expr, t text) {
		for i, a := range args {
			t.argument = i > 0
			add(fmt.Sprintf("%s[%d]", at, i), a, t)
		}
	}
	for _, s := range started(p) {
		command(s.at+".command", s.Command, text{})
		for i, v := range s.Env {
			add(fmt.Sprintf("%s.env[%d].value", s.at, i), v.Value, text{})
		}
		for i, step := range s.Prepare {
			switch {
			case step.Run != nil:
				command(s.step(i)+".run.command", step.Run.Command, text{})
			case step.Template != nil:
				add(s.step(i)+".template.text", step.Template.Text, text{file: true})
			}
		}
		for i := range s.Probes {
			if e := s.Probes[i].Exec; e != nil {
				command(fmt.Sprintf("%s.probes[%d].exec.command", s.at, i), e.Command, text{probe: true})
			}
		}
	}
	return list
}

// words looks through what the recipe spells out.
func (l *linter) words() {
	declared := l.declared()
	for _, t := range l.texts {
		l.pidfile(t)
		l.forks(t)
		l.spelt(t, declared)
		l.shown(t)
	}
}

var (
	pidfileOption = pattern(`^--?(pid[-_]?file|pid)(=|$)`)
	pidfilePath   = pattern(`(^|[\s="'])(/[^\s"']*\.pid)\b`)
)

// pidfile finds what makes a daemon write one, or has something read one.
func (l *linter) pidfile(t text) {
	if t.probe {
		return // which asks others, and is told so
	}
	if !strings.Contains(t.value, "pid") {
		return // as most texts; the patterns are not even compiled for them
	}
	option := t.argument && t.whole && pidfileOption().MatchString(t.value)
	if !option && !pidfilePath().MatchString(t.value) {
		return
	}
	problem := plan.Problem{Path: t.path, Code: CodePidfile, Found: quoted(t.value), Message: "nothing reads a pidfile: the daemon is a child, and known as such",
		Hint: "leave it out, or turn it off if the daemon insists"}
	if option && strings.Contains(t.value, "=") {
		l.mend(problem, Mend{Drop: true})
		return
	}
	l.find(problem)
}

var forks = pattern(`(?mi)^[ \t]*(daemonize[ \t]+(yes|true|on|1)|daemon[ \t]+(on|yes|true)[ \t]*;?|daemonize[ \t]*[=:][ \t]*(yes|true|on|1)|daemon[ \t]*[=:][ \t]*(yes|true|on|1)|background[ \t]*[=:][ \t]*(yes|true|on|1))[ \t]*$`)

// forks finds the settings of files that make well-known daemons fork away: redis, nginx, and the "daemon = yes" of many.
func (l *linter) forks(t text) {
	if !t.file {
		return
	}
	if found := forks().FindString(t.value); found != "" {
		l.find(plan.Problem{Path: t.path, Code: CodeDaemonizes, Found: quoted(strings.TrimSpace(found)),
			Message: "the file tells the daemon to fork away from its supervisor", Hint: "set it to run in the foreground"})
	}
}

// declared lists the paths that handles name.
func (l *linter) declared() (list []string) {
	add := func(e expr.Expr) {
		if e.Op == expr.OpPath {
			list = append(list, e.Text)
		}
	}
	if pkg := l.plan.Package; pkg != nil {
		for _, c := range pkg.Contents {
			list = append(list, c.Path)
		}
	}
	for _, s := range started(l.plan) {
		for _, step := range s.Prepare {
			switch {
			case step.Directory != nil:
				add(step.Directory.Path)
			case step.Template != nil:
				add(step.Template.Path)
			case step.Copy != nil:
				add(step.Copy.Path)
			case step.Symlink != nil:
				add(step.Symlink.Path)
			}
		}
	}
	return list
}

// spelt finds a declared path within a text: it stays where it is when --root and --dev move what is declared.
func (l *linter) spelt(t text, declared []string) {
	longest := ""
	for _, p := range declared {
		if len(p) > len(longest) && pathIn(t.value, p) >= 0 {
			longest = p
		}
	}
	if longest == "" || path.Dir(longest) == "/" {
		return
	}
	problem := plan.Problem{Path: t.path, Code: CodeSpeltPath, Found: quoted(t.value), Message: fmt.Sprintf("%s is spelt out, and a handle names it", longest),
		Hint: "name the handle: with --root and --dev the path lies elsewhere"}
	before, after, _ := strings.Cut(t.value, longest)
	if t.whole && !t.file && pathIn(after, longest) < 0 && !strings.HasPrefix(after, "/") {
		l.mend(problem, Mend{Before: before, Handle: longest, After: after})
		return
	}
	l.find(problem)
}

// pathIn finds a path in a text where it is one of its own, or the beginning of a longer one.
func pathIn(text, p string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], p)
		if i < 0 {
			return -1
		}
		at, end := from+i, from+i+len(p)
		if (at == 0 || !inPath(text[at-1])) && (end == len(text) || text[end] == '/' || !inPath(text[end])) {
			return at
		}
		from = end
	}
}

func inPath(c byte) bool {
	return c == '/' || c == '.' || c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quoted shows a text in a message.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
