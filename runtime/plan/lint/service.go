package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// account finds what a package runs as root for no reason that shows.
func (l *linter) account(s part) {
	if s.kind == "hook" || l.plan.Package == nil || s.User != "" && s.User != "root" {
		return
	}
	hint := fmt.Sprintf("user = account(%q)", s.Name)
	if l.privileged(s.Service) {
		hint += fmt.Sprintf(`, and for its port below %d limits = limits(capabilities = ["net_bind_service"])`, firstFree)
	}
	l.find(plan.Problem{Path: s.at, Code: CodeRoot, Message: fmt.Sprintf("the package runs %s %q as root: whoever breaks into it has the host", s.kind, s.Name), Hint: hint})
}

// firstFree is the first port that anybody may listen on.
const firstFree = 1024

// privileged reports whether the service seems to open a port that only root may. Its own sockets are opened for it.
func (l *linter) privileged(s *plan.Service) bool {
	low := func(e expr.Expr) bool {
		if e.Op == expr.OpFlag {
			if f := l.plan.Flag(e.Text); f != nil {
				e = f.Default
			}
		}
		return e.Op == expr.OpInt && e.Int > 0 && e.Int < firstFree
	}
	for i := range s.Probes {
		if at, ok := s.Probes[i].Endpoint(); ok && low(at.Port) {
			return true
		}
	}
	return slices.ContainsFunc(s.Prepare, func(step plan.Step) bool { return step.RequirePortFree != nil && low(step.RequirePortFree.Port) })
}

// destructive finds prepare steps that destroy what they did not make. A start may come at any moment, a hundred times a
// day.
func (l *linter) destructive(s part) {
	if s.kind == "hook" {
		return // which an upgrade or a removal may want
	}
	for i, step := range s.Prepare {
		if step.Run == nil {
			continue
		}
		if what := destroys(words(step.Run.Command)); what != "" {
			l.find(plan.Problem{Path: s.step(i) + ".run.command", Code: CodeDestructive, Found: what,
				Message: "each start would destroy what lies there, the one after a crash as well", Hint: "make what is missing and leave alone what is there; a rebuild belongs into an operator's hands"})
		}
	}
}

// destroyers are programs that destroy by themselves, and those that do with one of some arguments.
var destroyers = map[string][]string{
	"rm": nil, "rmdir": nil, "unlink": nil, "shred": nil, "wipefs": nil, "mkswap": nil, "fdisk": nil, "dropdb": nil, "initdb": nil, "mkfs": nil, "dd": nil, "truncate": nil,
	"find": {"-delete", "rm"}, "git": {"clean", "reset"}, "redis-cli": {"flushall", "flushdb"}, "rsync": {"--delete", "--delete-after", "--delete-before"},
	"systemd-tmpfiles": {"--remove", "--purge"},
}

var destroyingSQL = []string{"drop table", "drop database", "truncate table", "delete from"}

// destroys names what a command destroys with, or "". A shell's words count as the command's own.
func destroys(command []string) string {
	var all []string
	for _, w := range command {
		all = append(all, strings.Fields(w)...)
	}
	for k, w := range all {
		program := path.Base(w)
		if strings.HasPrefix(program, "mkfs.") {
			return program
		}
		arguments, known := destroyers[program]
		if !known || k > 0 && !beginsCommand(all[k-1], k) {
			continue
		}
		if arguments == nil {
			return program
		}
		for _, a := range all[k+1:] {
			if slices.Contains(arguments, strings.ToLower(a)) {
				return program + " " + a
			}
		}
	}
	joined := strings.ToLower(strings.Join(all, " "))
	for _, sql := range destroyingSQL {
		if strings.Contains(joined, sql) {
			return sql
		}
	}
	return ""
}

// beginsCommand reports whether a word of a shell's text stands where a command does: behind -c, or behind what ends one.
func beginsCommand(before string, at int) bool {
	switch before {
	case "-c", "-ec", "-ce", "&&", "||", "|", "&", "if", "elif", "while", "until", "!", "then", "do", "else", "{", "(", "`", "sudo", "exec", "env":
		return true
	}
	return at > 0 && strings.HasSuffix(before, ";")
}
